"""Which checks are outside their limits now, for whoever tells people of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import dagster as dg

from megafish_assets.storage.dagster_internals import whole_graph


def evaluations(
    instance: dg.DagsterInstance, keys: Iterable[dg.AssetCheckKey]
) -> Iterator[tuple[dg.AssetCheckKey, dg.AssetCheckEvaluation]]:
    """The last result of each check that has one, in the order of the keys."""
    keys = sorted(keys)
    found = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    for key in keys:
        event = found[key].event.dagster_event if key in found and found[key].event else None
        if event is None or event.event_type != dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            continue  # planned, and not judged in that run
        yield key, event.asset_check_evaluation_data


@dataclass(frozen=True)
class Failing:
    """A check whose last result is outside its limits."""

    asset: str
    check: str
    meaning: str
    is_red: bool
    """Whether a contract is broken."""
    points: tuple[tuple[str, str, str, str], ...]
    """Of each broken limit: the number with its value, what is allowed, why, and what to do."""
    text: str
    """The result in its own words."""


def failing_now(context: dg.AssetExecutionContext) -> list[Failing]:
    """Every check of the platform that failed last, broken contracts first; not those of the running asset."""
    graph = whole_graph(context)
    keys = [key for key in graph.asset_check_keys if key.asset_key not in context.selected_asset_keys]
    found = [
        Failing(
            asset=key.asset_key.to_user_string(),
            check=key.name,
            meaning=graph.get_check_spec(key).description or "",
            is_red=result.severity == dg.AssetCheckSeverity.ERROR,
            points=tuple(_broken(result)),
            text=result.description or "",
        )
        for key, result in evaluations(context.instance, keys)
        if not result.passed
    ]
    return sorted(found, key=lambda one: not one.is_red)


def _broken(result: dg.AssetCheckEvaluation) -> Iterator[tuple[str, str, str, str]]:
    """See `Failing.points`, of the table of limits that `verdict` lays beside its results."""
    limits = result.metadata.get("limits")
    for record in () if limits is None else limits.records:
        row = record.data
        if row["holds"] == "NO":
            yield f"{row['number']} = {row['measured']}", row["allowed"], row["reason"], row["remedy"]
