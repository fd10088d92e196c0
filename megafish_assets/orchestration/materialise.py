"""Materialises whatever is missing or older than what it is made from, asset by asset, without the UI."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

from megafish_assets.orchestration.arrivals import VIDEO_BYTES, are_these
from megafish_assets.orchestration.orphans import this_process
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.dagster_internals import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG
from megafish_assets.storage.delta import Table
from megafish_assets.storage.partitions import VIDEO_COLUMN, last_made
from megafish_assets.storage.parts import is_current, made_by

ROW_COUNT = "dagster/partition_row_count"


def asset_order(defs: dg.Definitions) -> list[dg.AssetKey]:
    """Every asset that can be materialised, after all that it is made from; of several that one step makes, the one
    that bears its name."""
    graph = defs.resolve_asset_graph()
    executable = [key for key in graph.toposorted_asset_keys if graph.get(key).is_executable]
    return [key for key in executable if made_by(defs.resolve_assets_def(key)) == key]


@dataclass(frozen=True)
class Made:
    """The last materialisation of a partition."""

    storage_id: int
    """Grows with time."""
    metadata: Mapping[str, dg.MetadataValue]


@dataclass(frozen=True)
class Collection:
    """What was made so far, and what there is to make it from."""

    defs: dg.Definitions
    instance: dg.DagsterInstance
    tables: str
    """Folder of the Delta tables: an event whose table is gone counts for nothing."""
    arrived: Mapping[str, str]
    """The fingerprint of each video's rows in the detector's table, by partition key."""
    video_bytes: Mapping[str, int] = field(default_factory=dict)
    """The size of each video file that is there, by partition key."""
    again: Mapping[dg.AssetKey, int] = field(default_factory=dict)
    """Assets whose materialisations count for nothing up to a storage id: a person wants them made again."""

    def missing(self, asset_key: dg.AssetKey) -> Iterator[tuple[str, ...]]:
        """The partitions of each run that brings one asset, and what the same step makes, up to date; its parents must
        be up to date already.

        One empty run for an asset without partitions. Missing is what was never made or is no longer stored, what
        another code version made, what is older than its parents, and raw rows that were made from others than the
        detector's table has now, or beside another video file. A per-video asset does not count as older than a parent
        over all videos: new size limits restate nothing.
        """
        node = self.defs.resolve_asset_graph().get(asset_key)
        if node.partitions_def is None:
            newest_parent = max((self._newest(parent) for parent in node.parent_keys), default=0)
            made = self._last(asset_key)
            is_made = made is not None and is_current(made.asset_materialization, node.code_version)
            if (
                not is_made
                or made.storage_id <= max(newest_parent, self.again.get(asset_key, 0))
                or not self._table(asset_key).exists()
            ):
                yield ()
            return
        together = [self.made(one) for one in sorted(node.execution_set_asset_keys)]
        parents = [self.made(parent) for parent in self.per_video_parents(asset_key)]
        keys = self.instance.get_dynamic_partitions(node.partitions_def.name)
        wanted = [any(self._is_missing(key, made.get(key), parents) for made in together) for key in keys]
        yield from unbroken_runs(keys, wanted, node.backfill_policy.max_partitions_per_run)

    def _is_missing(self, key: str, made: Made | None, parents: Sequence[Mapping[str, Made]]) -> bool:
        if not parents and key not in self.arrived:
            return False  # it left the detector's table, and what was made of it stays
        if made is None:
            return True
        if not parents:
            return not are_these(self.arrived[key], made.metadata, ROW_COUNT) or self._has_other_video(key, made)
        return any(key in parent and parent[key].storage_id > made.storage_id for parent in parents)

    def _has_other_video(self, key: str, made: Made) -> bool:
        """Whether a video's file is another than that beside which its rows were made; one that is gone is none."""
        if key not in self.video_bytes:
            return False
        beside = made.metadata.get(VIDEO_BYTES)
        return beside is None or beside.value != self.video_bytes[key]

    def per_video_parents(self, asset_key: dg.AssetKey) -> list[dg.AssetKey]:
        """Those of an asset's parents that have a partition a video."""
        graph = self.defs.resolve_asset_graph()
        return [parent for parent in graph.get(asset_key).parent_keys if graph.get(parent).partitions_def is not None]

    def _table(self, asset_key: dg.AssetKey) -> Table:
        group = self.defs.resolve_asset_graph().get(asset_key).group_name
        return Tables(root=self.tables).of(group, asset_key.to_user_string())

    def _newest(self, asset_key: dg.AssetKey) -> int:
        """Storage id of the asset's last materialisation, 0 without one."""
        last = self._last(asset_key)
        return 0 if last is None else last.storage_id

    def _last(self, asset_key: dg.AssetKey) -> dg.EventLogRecord | None:
        records = self.instance.fetch_materializations(asset_key, limit=1).records
        return records[0] if records else None

    def n_rows(self, asset_key: dg.AssetKey) -> int:
        """Rows that an asset with a partition a video holds over all of them."""
        return sum(made.metadata[ROW_COUNT].value for made in self.made(asset_key).values())

    def made(self, asset_key: dg.AssetKey) -> dict[str, Made]:
        """Each partition's last materialisation, where the current code version made it and the table has it."""
        code_version = self.defs.resolve_asset_graph().get(asset_key).code_version
        records, table, made = last_made(self.instance, asset_key), self._table(asset_key), {}
        if not records or not table.exists():
            return made
        stored = {partition[VIDEO_COLUMN] for partition in table.open().partitions()}
        for video, record in records.items():
            event = record.asset_materialization
            is_there = event.metadata[ROW_COUNT].value == 0 or video in stored
            if is_current(event, code_version) and is_there and record.storage_id > self.again.get(asset_key, 0):
                made[video] = Made(record.storage_id, event.metadata)
        return made


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


def failure(result: dg.ExecuteInProcessResult) -> str:
    """Why a run failed: what the asset raised, without its trace."""
    failed = next((event for event in result.all_events if event.is_step_failure), None)
    if failed is None:
        return "no step failed; see the run's log in the UI"
    error = failed.step_failure_data.error
    # Dagster wraps what an asset raised; what that was raised from is a detail for the UI.
    while error.cause is not None and error.cls_name.startswith("Dagster"):
        error = error.cause
    return error.message.strip()


def unbroken_runs(keys: list[str], wanted: list[bool], longest: int) -> Iterator[tuple[str, ...]]:
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
