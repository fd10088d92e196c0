"""The one judge of the house: a measured number, what is allowed and why, and the result that the UI shows.

Here: how limits become check results, for the run and for each video. Not here: what is measured, and the limits
themselves, which stand in each stage's `checks.py`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg
import polars as pl

from megafish_assets.reporting.metadata import per_video
from megafish_assets.storage.dagster_internals import DagsterEvent
from megafish_assets.storage.parts import made_by, pending_videos, stored_earlier

VIDEOS_NAMED = 10
"""In the sentence of a failed check; the rest are marked on their own partitions."""


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

    may_be_unknown: bool = False
    """True where a number that could not be measured (None) breaks nothing."""

    def holds(self, number: float | None) -> bool:
        """Whether the number is allowed; one that could not be measured (None) is not, unless it may be unknown."""
        if number is None:
            return self.may_be_unknown
        return self.at_least <= number <= self.at_most

    @property
    def allowed(self) -> str:
        """The allowed range in words."""
        if self.at_least == -math.inf:
            return f"at most {self.at_most:g}"
        if self.at_most == math.inf:
            return f"at least {self.at_least:g}"
        return f"{self.at_least:g} to {self.at_most:g}"


def never(reason: str, remedy: str) -> Limit:
    """A contract that not one row may break."""
    return Limit(reason, remedy, at_most=0, broken_contract=True)


NONE_MISSING = Limit(
    "what is made from all videos should have seen all of them", "Materialise the missing partitions.", at_most=0
)
"""Of `n_missing_videos`, which `coverage` counts, for every asset that reads all videos."""


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

    def spec(self, asset: str, also_reads: Sequence[str] = ()) -> dg.AssetCheckSpec:
        """What an asset declares."""
        return dg.AssetCheckSpec(
            self.name,
            asset=dg.AssetKey(asset),
            description=self.meaning,
            blocking=self.blocking,
            additional_deps=list(also_reads),
        )


def specs(asset: str, *checks: Check) -> list[dg.AssetCheckSpec]:
    """What an asset declares, for all its checks."""
    return [check.spec(asset) for check in checks]


def verdict(
    check: Check,
    numbers: Mapping[str, float | int | str | None],
    of_a_video: bool = False,
    asset: dg.AssetKey | None = None,
) -> dg.AssetCheckResult:
    """The result of one check; numbers without a limit are shown beside those with one.

    `asset` says whose check it is, where one step makes several. Raises KeyError for a limit whose number was not
    measured; a video's numbers may lack those of the whole run.
    """
    unmeasured = sorted(check.limits.keys() - numbers.keys())
    if unmeasured and not of_a_video:
        raise KeyError(f"check {check.name} limits {unmeasured}, which were not measured; measured: {sorted(numbers)}")
    broken = {name: limit for name, limit in check.limits.items() if name in numbers and not limit.holds(numbers[name])}
    contract = any(limit.broken_contract for limit in broken.values())
    return dg.AssetCheckResult(
        passed=not broken,
        asset_key=asset,
        check_name=check.name,
        severity=dg.AssetCheckSeverity.ERROR if contract else dg.AssetCheckSeverity.WARN,
        description="; ".join(sentence(name, numbers[name], limit) for name, limit in broken.items()) or None,
        metadata={**_shown(numbers), "limits": _table(check, numbers)},
    )


def sentence(name: str, number: float | None, limit: Limit) -> str:
    """A broken limit in words, as `nonfinite_rows = 1, allowed 0 to 0 (one NaN poisons every later fit)`."""
    return f"{name} = {_text(number)}, allowed {limit.allowed} ({limit.reason}). {limit.remedy}"


class Tally:
    """The numbers of a run's videos, as they become known, and the result of their check at the end."""

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        check: Check,
        numbers: Callable[[pl.DataFrame], pl.DataFrame],
        asset: dg.AssetKey | None = None,
    ) -> None:
        """`numbers` turns rows of counts into rows of numbers, for the videos and for their sum alike.

        `asset` is whose check it is; by default the one that the step makes.
        """
        self._context, self._check, self._numbers = context, check, numbers
        self._asset = asset or made_by(context.assets_def)
        self._known: list[pl.DataFrame] = []

    def add(self, videos: Sequence[str], counts: pl.DataFrame) -> dict[str, dict[str, float]]:
        """The numbers of these videos by video, for their events; `counts` has a row for each that has any.

        Raises ValueError for counts of other videos.
        """
        keys = pl.DataFrame({"video": list(videos)}, schema={"video": pl.String})
        foreign = counts.join(keys, on="video", how="anti")
        if foreign.height:
            raise ValueError(f"rows of {foreign['video'].to_list()[:5]} among those of {keys.height} other videos")
        counted = keys.join(counts, on="video", how="left")
        counted = counted.with_columns(pl.col(name).fill_null(0) for name in counts.columns if name != "video")
        self._known.append(self._numbers(counted))
        rows = self._known[-1].iter_rows(named=True)
        return {row.pop("video"): {name: rounded(number) for name, number in row.items()} for row in rows}

    def result(self) -> dg.AssetCheckResult:
        """The check's result for the run, which holds if it holds for every video and for the whole.

        After a range run each video gets its own result too, which Dagster would not record by itself.
        """
        by_video = self._with_earlier(pl.concat(self._known))
        results = {
            key: verdict(self._check, row, of_a_video=True, asset=self._asset)
            for key, row in by_video.rows_by_key("video", named=True, unique=True).items()
        }
        whole = self._numbers(by_video.drop("video").sum().with_columns(pl.lit("").alias("video")))
        result = verdict(self._check, whole.drop("video").row(0, named=True), asset=self._asset)
        failed = sorted(key for key, judgement in results.items() if not judgement.passed)
        # The UI takes the result recorded last for the asset's: one that failed, if any did.
        if len(results) > 1 and (failed or result.passed):
            for key in [*sorted(results.keys() - set(failed)), *failed]:
                _report(self._context, self._check, key, results[key])
        return result if not failed or len(results) == 1 else _with_failed_videos(result, results, failed)

    def _with_earlier(self, known: pl.DataFrame) -> pl.DataFrame:
        """The numbers with those of videos that an earlier attempt of the run has stored, from their events."""
        step = self._context.op_execution_context.get_step_execution_context()
        done = stored_earlier(step, self._asset)
        earlier = {key: event for key, event in done.items() if key in self._context.partition_keys}
        names = [name for name in known.columns if name != "video"]
        rows = [(key, *(event.metadata[name].value for name in names)) for key, event in earlier.items()]
        return pl.concat([known, pl.DataFrame(rows, schema=known.schema, orient="row")])


def judged(
    context: dg.AssetExecutionContext,
    check: Check,
    counts: pl.DataFrame,
    numbers: Callable[[pl.DataFrame], pl.DataFrame],
) -> dg.AssetCheckResult:
    """The result of a per-video check for a run that knows all its videos' counts at once.

    Each video's numbers go on its own event.
    """
    tally = Tally(context, check, numbers)
    per_video(context, tally.add(pending_videos(context), counts))
    return tally.result()


def _with_failed_videos(
    result: dg.AssetCheckResult, results: Mapping[str, dg.AssetCheckResult], failed: list[str]
) -> dg.AssetCheckResult:
    contract = [
        r.severity for r in (result, *results.values()) if not r.passed and r.severity == dg.AssetCheckSeverity.ERROR
    ]
    first = (
        f"{len(failed)} of {len(results)} videos: {', '.join(failed[:VIDEOS_NAMED])}. {results[failed[0]].description}"
    )
    return dg.AssetCheckResult(
        passed=False,
        asset_key=result.asset_key,
        check_name=result.check_name,
        severity=dg.AssetCheckSeverity.ERROR if contract else dg.AssetCheckSeverity.WARN,
        description=first if result.passed else f"{result.description}; {first}",
        metadata={**result.metadata, "n_failed_videos": len(failed)},
    )


def _report(context: dg.AssetExecutionContext, check: Check, video: str, result: dg.AssetCheckResult) -> None:
    # As an event of this run: one without a run can be recorded only once a partition, ever.
    DagsterEvent.asset_check_evaluation(
        context.op_execution_context.get_step_execution_context(),
        dg.AssetCheckEvaluation(
            asset_key=result.asset_key,
            check_name=check.name,
            passed=result.passed,
            metadata={name: value for name, value in result.metadata.items() if name != "limits"},
            severity=result.severity,
            description=result.description,
            blocking=check.blocking,
            partition=video,
        ),
    )


def _shown(numbers: Mapping[str, float | int | str | None]) -> dict:
    return {name: "none" if number is None else rounded(number) for name, number in numbers.items()}


def rounded(number: float | int | str) -> float | int | str:
    """A number as a person reads it: of a fraction, six digits."""
    return float(f"{number:.6g}") if isinstance(number, float) and math.isfinite(number) else number


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
        if name in numbers
    ]
    columns = [dg.TableColumn(name) for name in ("number", "measured", "allowed", "holds", "reason", "remedy")]
    return dg.MetadataValue.table(rows, schema=dg.TableSchema(columns))


def _text(number: float | None) -> str:
    return "none" if number is None else f"{number:.6g}" if isinstance(number, float) else str(number)
