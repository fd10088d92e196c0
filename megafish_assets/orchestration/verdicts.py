"""The one judge of the house: a measured number, what is allowed and why, and the result that the page shows.

Here: how limits become check results, for the run and for each video. Not here: what is measured, and the limits
themselves, which stand in each stage's `checks.py`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg
import polars as pl


@dataclass(frozen=True)
class Limit:
    """What a number may be, both ends included."""

    reason: str
    """Why a number outside is bad, or what it means."""
    remedy: str
    """What a person does about it."""
    at_least: float = -math.inf
    at_most: float = math.inf
    broken_contract: bool = False
    """True makes a broken limit an ERROR that stops what is downstream in the same run; False is a WARN."""

    def holds(self, number: float | None) -> bool:
        """Whether the number is allowed; a number that could not be measured (None, nan) is not."""
        return number is not None and self.at_least <= number <= self.at_most

    @property
    def allowed(self) -> str:
        """The allowed range in words."""
        if self.at_least == -math.inf:
            return f"at most {self.at_most:g}"
        if self.at_most == math.inf:
            return f"at least {self.at_least:g}"
        return f"{self.at_least:g} to {self.at_most:g}"


@dataclass(frozen=True)
class Check:
    """Some numbers of one asset that are judged together."""

    name: str
    meaning: str
    """What is measured, in a sentence."""
    limits: Mapping[str, Limit]
    """By the name of the number."""

    @property
    def blocking(self) -> bool:
        """Whether any of its limits is a contract."""
        return any(limit.broken_contract for limit in self.limits.values())

    def spec(self, asset: dg.CoercibleToAssetKey) -> dg.AssetCheckSpec:
        """What an asset declares."""
        return dg.AssetCheckSpec(self.name, asset=asset, description=self.meaning, blocking=self.blocking)


def specs(asset: dg.CoercibleToAssetKey, checks: list[Check]) -> list[dg.AssetCheckSpec]:
    """What an asset declares, for all its checks."""
    return [check.spec(asset) for check in checks]


def verdict(check: Check, numbers: Mapping[str, float | int | str | None]) -> dg.AssetCheckResult:
    """The result of one check. Every limited number must be among the numbers; others are shown beside them.

    Raises KeyError for a number that has a limit and was not measured.
    """
    broken = {name: limit for name, limit in check.limits.items() if not limit.holds(numbers[name])}
    contract = any(limit.broken_contract for limit in broken.values())
    return dg.AssetCheckResult(
        passed=not broken,
        check_name=check.name,
        severity=dg.AssetCheckSeverity.ERROR if contract else dg.AssetCheckSeverity.WARN,
        description="; ".join(sentence(name, numbers[name], limit) for name, limit in broken.items()) or None,
        metadata={**_shown(numbers), "limits": _table(check, numbers)},
    )


def sentence(name: str, number: float | None, limit: Limit) -> str:
    """A broken limit in words, as `nonfinite_rows = 1, allowed 0 to 0 (one NaN poisons every later fit)`."""
    return f"{name} = {_text(number)}, allowed {limit.allowed} ({limit.reason}). {limit.remedy}"


def judge_videos(context: dg.AssetExecutionContext, check: Check, numbers: pl.DataFrame) -> None:
    """Records a result for every video, so that the page shows it on the video's own partition.

    `numbers` has a row a video with its key in `video`. A range run alone would leave one result without a
    partition. Numbers without a limit are left to the asset's own events.
    """
    for row in numbers.iter_rows(named=True):
        limited = {name: row[name] for name in check.limits if name in row}
        own = Check(check.name, check.meaning, {name: check.limits[name] for name in limited})
        result = verdict(own, limited)
        context.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=context.asset_key,
                check_name=check.name,
                passed=result.passed,
                metadata=_shown(limited),
                severity=result.severity,
                description=result.description,
                blocking=check.blocking,
                partition=row["video"],
            )
        )


def _shown(numbers: Mapping[str, float | int | str | None]) -> dict:
    return {name: "none" if number is None else number for name, number in numbers.items()}


def _table(check: Check, numbers: Mapping[str, float | int | str | None]) -> dg.TableMetadataValue:
    rows = [
        dg.TableRecord(
            {
                "number": name,
                "measured": _text(numbers[name]),
                "allowed": limit.allowed,
                "holds": "yes" if limit.holds(numbers[name]) else "NO",
                "reason": limit.reason,
                "remedy": limit.remedy,
            }
        )
        for name, limit in check.limits.items()
    ]
    columns = [dg.TableColumn(name) for name in ("number", "measured", "allowed", "holds", "reason", "remedy")]
    return dg.MetadataValue.table(rows, schema=dg.TableSchema(columns))


def _text(number: float | None) -> str:
    return "none" if number is None else f"{number:.6g}" if isinstance(number, float) else str(number)
