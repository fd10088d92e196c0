"""One partition a video, and how many of them one run takes."""

import dagster as dg

VIDEOS = dg.DynamicPartitionsDefinition(name="videos")
"""Keys are videos' stems, added in sorted order, because ranges follow the order of insertion."""

VIDEO_COLUMN = "video"
"""The column that every per-video table is partitioned by in Delta."""

ROW_RUNS = dg.BackfillPolicy.multi_run(max_partitions_per_run=200)
"""For assets that only move rows: a run costs seconds before it starts, a video's rows a few milliseconds."""

PIXEL_RUNS = dg.BackfillPolicy.multi_run(max_partitions_per_run=64)
"""For assets that decode or embed: 64 videos keep a run's memory small and lose little when one is killed."""


EVENTS_AT_ONCE = 1000
"""Asked of Dagster, which gives 10,000 at most."""


def last_made(instance: dg.DagsterInstance, asset_key: dg.AssetKey) -> dict[str, dg.EventLogRecord]:
    """The last materialisation of every partition that an asset has one of."""
    latest = instance.get_latest_storage_id_by_partition(asset_key, dg.DagsterEventType.ASSET_MATERIALIZATION)
    ids, found = list(latest.values()), {}
    for first in range(0, len(ids), EVENTS_AT_ONCE):
        asked = dg.AssetRecordsFilter(asset_key, storage_ids=ids[first : first + EVENTS_AT_ONCE])
        records = instance.fetch_materializations(asked, limit=EVENTS_AT_ONCE).records
        found |= {record.partition_key: record for record in records}
    return found


def add_videos(instance: dg.DagsterInstance, keys: list[str]) -> list[str]:
    """Adds the keys that are not there yet, sorted, and returns them."""
    known = set(instance.get_dynamic_partitions(VIDEOS.name))
    new = sorted(set(keys) - known)
    if new:
        instance.add_dynamic_partitions(VIDEOS.name, new)
    return new
