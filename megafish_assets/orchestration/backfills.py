"""Backfills that the platform starts by itself: chunks, order and progress are Dagster's."""

import time
from collections.abc import Collection, Mapping, Sequence

import dagster as dg

from megafish_assets.storage.dagster_internals import AssetGraphSubset, BaseAssetGraph, PartitionBackfill
from megafish_assets.storage.partitions import VIDEOS

RAW = dg.AssetKey("raw_detections")
LIMITS = dg.AssetKey("size_limits")
LENS = dg.AssetKey("lens_places")
REASONS = dg.AssetKey("place_reasons")
FILTERED = dg.AssetKey("filtered_detections")
SAMPLED = dg.AssetKey("sampled_detections")
NOT_FISH = dg.AssetKey("not_fish")
LABELS = dg.AssetKey("labels")
CROPS = dg.AssetKey("crops")

NEVER_MADE = "none"
"""The data version of places of the lens where none recurs, or nobody looked yet: both leave everything in."""


def per_video_assets(graph: BaseAssetGraph) -> list[dg.AssetKey]:
    """Every asset with a partition a video, in the order of the data's flow."""
    return [key for key in graph.toposorted_asset_keys if graph.get(key).partitions_def == VIDEOS]


def start_backfill(
    instance: dg.DagsterInstance,
    wanted: Mapping[dg.AssetKey, Collection[str]],
    title: str,
    backfill_id: str,
    whole: Sequence[dg.AssetKey] = (),
) -> bool:
    """Starts a backfill of these partitions, by asset, and of these assets without partitions.

    False if it was started before: the same id is never started twice.
    """
    if instance.get_backfill(backfill_id) is not None:
        return False
    subsets = {key: VIDEOS.empty_subset().with_partition_keys(keys) for key, keys in wanted.items() if keys}
    backfill = PartitionBackfill.from_asset_graph_subset(
        backfill_id=backfill_id,
        backfill_timestamp=time.time(),
        tags={},
        dynamic_partitions_store=instance,
        asset_graph_subset=AssetGraphSubset(subsets, set(whole)),
        title=title,
        description=None,
        run_config=None,
    )
    instance.add_backfill(backfill)
    return True
