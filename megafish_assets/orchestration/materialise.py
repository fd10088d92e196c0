"""Runs steps in this process, without the UI; what is out of date says `staleness.py`."""

from collections.abc import Sequence

import dagster as dg

from megafish_assets.orchestration.orphans import this_process
from megafish_assets.orchestration.policy import REFUSED
from megafish_assets.storage.dagster_internals import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG
from megafish_assets.storage.parts import made_by


def asset_order(defs: dg.Definitions) -> list[dg.AssetKey]:
    """Every asset that can be materialised, after all that it is made from; of several that one step makes, the one
    that bears its name."""
    graph = defs.resolve_asset_graph()
    executable = [key for key in graph.toposorted_asset_keys if graph.get(key).is_executable]
    return [key for key in executable if made_by(defs.resolve_assets_def(key)) == key]


def asset_named(defs: dg.Definitions, asset: str) -> dg.AssetKey:
    """The key of an asset to begin with. Raises ValueError, with the names there are."""
    key, order = dg.AssetKey(asset), asset_order(defs)
    if key not in order:
        names = ", ".join(one.to_user_string() for one in order)
        raise ValueError(f"no asset {asset!r} to begin with, out of: {names}")
    return key


def from_here_on(defs: dg.Definitions, instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[dg.AssetKey, int]:
    """`Collection.again` for an asset and all that follows from it."""
    graph = defs.resolve_asset_graph()
    follows = dg.AssetSelection.assets(key).downstream().resolve(graph)
    last = [instance.fetch_materializations(one, limit=1).records for one in graph.get_all_asset_keys()]
    newest = max((records[0].storage_id for records in last if records), default=0)
    return dict.fromkeys(follows, newest)


def run_step(
    job: dg.JobDefinition, asset_key: dg.AssetKey, partition_keys: Sequence[str], instance: dg.DagsterInstance
) -> dg.ExecuteInProcessResult:
    """Runs one asset, and what the same step makes, for an unbroken range of partitions, or without them, in this
    process.

    `job` is the one of all assets. The result says whether it succeeded.
    """
    ends = (ASSET_PARTITION_RANGE_START_TAG, ASSET_PARTITION_RANGE_END_TAG)
    return job.execute_in_process(
        asset_selection=list(job.asset_layer.asset_graph.get(asset_key).execution_set_asset_keys),
        tags=this_process()
        | (dict(zip(ends, (partition_keys[0], partition_keys[-1]), strict=True)) if partition_keys else {}),
        instance=instance,
        run_config={"loggers": {"console": {}}},  # unnamed, Dagster's own logger would speak at every step
        raise_on_error=False,
    )


def refusal(result: dg.ExecuteInProcessResult) -> str | None:
    """What a person has to say before an asset can be made; None where something else was wrong."""
    failed = _failed_step(result)
    told = None if failed is None else failed.step_failure_data.user_failure_data
    return told.description if told is not None and REFUSED in told.metadata else None


def _failed_step(result: dg.ExecuteInProcessResult) -> dg.DagsterEvent | None:
    return next((event for event in result.all_events if event.is_step_failure), None)


def failure(result: dg.ExecuteInProcessResult) -> str:
    """Why a run failed: what the asset raised, without its trace."""
    failed = _failed_step(result)
    if failed is None:
        return "no step failed; see the run's log in the UI"
    error = failed.step_failure_data.error
    # Dagster wraps what an asset raised; what that was raised from is a detail for the UI.
    while error.cause is not None and error.cls_name.startswith("Dagster"):
        error = error.cause
    return error.message.strip()
