"""What is out of date: one definition, which the command line, the jobs and the summary share.

A partition is out of date when it was never made or is no longer stored, when another code version or other knobs made
it, when it is older than what it is made from, saw videos that were removed since or counted by other stations, and, of
raw rows, when the detector's table holds others now or another video file has come. New size limits restate nothing: a
partition of a video is never older than what is made from all of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

from megafish_assets.orchestration.arrivals import VIDEO_BYTES, are_these
from megafish_assets.orchestration.sources import STATIONS
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.dagster_internals import BaseAssetGraph
from megafish_assets.storage.delta import Table
from megafish_assets.storage.partitions import VIDEO_COLUMN, VIDEOS, last_made
from megafish_assets.storage.parts import is_current

ROW_COUNT = "dagster/partition_row_count"

N_VIDEOS = "n_videos_expected"
"""On the events of what is made from all videos, see `reporting.metadata.coverage`."""


@dataclass(frozen=True)
class Made:
    """The last materialisation of a partition."""

    storage_id: int
    """Grows with time."""
    metadata: Mapping[str, dg.MetadataValue]


@dataclass(frozen=True)
class Collection:
    """What was made so far, and what there is to make it from."""

    graph: BaseAssetGraph
    instance: dg.DagsterInstance
    tables: str
    """Folder of the Delta tables: an event whose table is gone counts for nothing."""
    arrived: Mapping[str, str]
    """The fingerprint of each video's rows in the detector's table, by partition key."""
    video_bytes: Mapping[str, int] = field(default_factory=dict)
    """The size of each video file that is there, by partition key."""
    stations: str | None = None
    """The version of the stations that the owner names; None where nobody asked."""
    again: Mapping[dg.AssetKey, int] = field(default_factory=dict)
    """Assets whose materialisations count for nothing up to a storage id: a person wants them made again."""

    def missing(self, asset_key: dg.AssetKey) -> Iterator[tuple[str, ...]]:
        """The partitions of each run that brings one asset, and what the same step makes, up to date; its parents must
        be up to date already.

        One empty run for an asset without partitions.
        """
        node = self.graph.get(asset_key)
        if node.partitions_def is None:
            newest_parent = max((self._newest(parent) for parent in node.parent_keys), default=0)
            made = self._last(asset_key)
            is_made = made is not None and is_current(made.asset_materialization, node.code_version)
            is_made = is_made and not self._saw_other_videos(made.asset_materialization)
            is_made = is_made and not self._saw_other_stations(made.asset_materialization)
            if (
                not is_made
                or made.storage_id <= max(newest_parent, self.again.get(asset_key, 0))
                or not self._table(asset_key).exists()
            ):
                yield ()
            return
        wanted, keys = self.outdated(asset_key), self.instance.get_dynamic_partitions(node.partitions_def.name)
        yield from unbroken_runs(keys, [key in wanted for key in keys], node.backfill_policy.max_partitions_per_run)

    def _saw_other_videos(self, event: dg.AssetMaterialization) -> bool:
        """Whether videos were removed since an asset was made from all of them; a new one is newer by itself."""
        expected = event.metadata.get(N_VIDEOS)
        return expected is not None and expected.value > len(self.instance.get_dynamic_partitions(VIDEOS.name))

    def _saw_other_stations(self, event: dg.AssetMaterialization) -> bool:
        """Whether an asset was made by stations, and by others than the owner names now."""
        seen = event.metadata.get(STATIONS)
        return seen is not None and self.stations is not None and seen.value != self.stations

    def outdated(self, asset_key: dg.AssetKey) -> set[str]:
        """The videos of which an asset, or what the same step makes, is out of date by itself: those that only follow
        from a parent's are none yet."""
        together = [self.made(one) for one in sorted(self.graph.get(asset_key).execution_set_asset_keys)]
        parents = [self.made(parent) for parent in self.per_video_parents(asset_key)]
        keys = self.instance.get_dynamic_partitions(VIDEOS.name)
        return {key for key in keys if any(self._is_missing(key, made.get(key), parents) for made in together)}

    def unfinished(self, again: Sequence[str] = ()) -> dict[dg.AssetKey, set[str]]:
        """By asset with a partition a video, in the order of the data's flow: the videos of which it is out of date,
        or will be once its parents are made; those `again` from their rows on, whatever was made of them."""
        wanted: dict[dg.AssetKey, set[str]] = {}
        known = self.arrived.keys() & set(self.instance.get_dynamic_partitions(VIDEOS.name))
        for key in self.graph.toposorted_asset_keys:
            if self.graph.get(key).partitions_def == VIDEOS:
                parents = self.per_video_parents(key)
                follows = set().union(*(wanted[parent] for parent in parents)) if parents else set(again) & known
                wanted[key] = self.outdated(key) | follows
        return wanted

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
        parents = self.graph.get(asset_key).parent_keys
        return sorted(parent for parent in parents if self.graph.get(parent).partitions_def is not None)

    def _table(self, asset_key: dg.AssetKey) -> Table:
        group = self.graph.get(asset_key).group_name
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
        counts = [made.metadata.get(ROW_COUNT) for made in self.made(asset_key).values()]
        return sum(count.value for count in counts if count is not None)

    def made(self, asset_key: dg.AssetKey) -> dict[str, Made]:
        """Each partition's last materialisation, where the current code version made it and the table has it."""
        code_version = self.graph.get(asset_key).code_version
        records, table, made = last_made(self.instance, asset_key), self._table(asset_key), {}
        if not records or not table.exists():
            return made
        stored = {partition[VIDEO_COLUMN] for partition in table.open().partitions()}
        for video, record in records.items():
            event = record.asset_materialization
            count = event.metadata.get(ROW_COUNT)  # none on an event that a person reported by hand
            is_there = video in stored or (count is not None and count.value == 0)
            if is_current(event, code_version) and is_there and record.storage_id > self.again.get(asset_key, 0):
                made[video] = Made(record.storage_id, event.metadata)
        return made


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
