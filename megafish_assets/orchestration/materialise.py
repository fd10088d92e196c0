"""Materialises whatever is missing or older than what it is made from, asset by asset, without the page."""

from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

CODE_VERSION_TAG = "dagster/code_version"


@dataclass(frozen=True)
class Work:
    """One run: an asset, and the partitions of it that stand next to each other."""

    asset_key: dg.AssetKey
    partition_keys: tuple[str, ...]
    """In the order of insertion; empty for an asset without partitions."""

    @property
    def tags(self) -> dict[str, str]:
        """The range, as Dagster's own backfills name it."""
        if not self.partition_keys:
            return {}
        return {
            ASSET_PARTITION_RANGE_START_TAG: self.partition_keys[0],
            ASSET_PARTITION_RANGE_END_TAG: self.partition_keys[-1],
        }


def asset_order(defs: dg.Definitions) -> list[dg.AssetKey]:
    """Every asset that can be materialised, after all that it is made from."""
    graph = defs.resolve_asset_graph()
    return [key for key in graph.toposorted_asset_keys if graph.get(key).is_executable]


def missing_work(defs: dg.Definitions, asset_key: dg.AssetKey, instance: dg.DagsterInstance) -> Iterator[Work]:
    """The runs that bring one asset up to date; its parents must be up to date already.

    Missing is what was never made, what another code version made, and what is older than its parents. A
    per-video asset does not count as older than a parent over all videos: new size limits restate nothing.
    """
    node = defs.resolve_asset_graph().get(asset_key)
    if node.partitions_def is None:
        newest_parent = max((_newest(instance, parent) for parent in node.parent_keys), default=0)
        if _newest(instance, asset_key) <= newest_parent:
            yield Work(asset_key, ())
        return
    made = _made_by(instance, asset_key, node.code_version)
    parents = [
        instance.get_latest_storage_id_by_partition(parent, dg.DagsterEventType.ASSET_MATERIALIZATION)
        for parent in node.parent_keys
        if defs.resolve_asset_graph().get(parent).partitions_def is not None
    ]
    keys = instance.get_dynamic_partitions(node.partitions_def.name)
    wanted = [made.get(key, 0) <= max((parent.get(key, 0) for parent in parents), default=0) for key in keys]
    for run in _runs(keys, wanted, node.backfill_policy.max_partitions_per_run):
        yield Work(asset_key, run)


def run_work(defs: dg.Definitions, work: Work, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    """Runs it in this process; the result says whether it succeeded."""
    return defs.resolve_implicit_global_asset_job_def().execute_in_process(
        asset_selection=[work.asset_key],
        tags=work.tags,
        instance=instance,
        run_config={"loggers": {"console": {}}},  # unnamed, Dagster's own logger would speak at every step
        raise_on_error=False,
    )


def failure(result: dg.ExecuteInProcessResult) -> str:
    """Why a run failed: the error that started it, with its trace."""
    failed = next((event for event in result.all_events if event.is_step_failure), None)
    if failed is None:
        return "no step failed; see the run's log in the page"
    error = failed.step_failure_data.error
    while error.cause is not None:
        error = error.cause
    return error.to_string()


def _runs(keys: list[str], wanted: list[bool], longest: int) -> Iterator[tuple[str, ...]]:
    """Unbroken stretches of wanted keys, none longer than `longest`: a range has no gaps."""
    stretch: list[str] = []
    for key, want in zip(keys, wanted, strict=True):
        if stretch and (not want or len(stretch) == longest):
            yield tuple(stretch)
            stretch = []
        if want:
            stretch.append(key)
    if stretch:
        yield tuple(stretch)


def _newest(instance: dg.DagsterInstance, asset_key: dg.AssetKey) -> int:
    """Storage id of the asset's last materialisation, 0 without one; ids grow with time."""
    records = instance.fetch_materializations(asset_key, limit=1).records
    return records[0].storage_id if records else 0


def _made_by(instance: dg.DagsterInstance, asset_key: dg.AssetKey, code_version: str | None) -> dict[str, int]:
    """Storage id of each partition's last materialisation, where this code version made it."""
    latest = instance.get_latest_storage_id_by_partition(asset_key, dg.DagsterEventType.ASSET_MATERIALIZATION)
    if code_version is None or not latest:
        return dict(latest)
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key, storage_ids=list(latest.values())), limit=len(latest)
    ).records
    current = {r.storage_id for r in records if r.asset_materialization.tags.get(CODE_VERSION_TAG) == code_version}
    return {key: storage_id for key, storage_id in latest.items() if storage_id in current}
