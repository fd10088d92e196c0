"""What a person starts from the UI besides single assets."""

import dagster as dg

from megafish_assets.orchestration.backfills import (
    FILTERED,
    LENS,
    LIMITS,
    NEVER_MADE,
    NOT_FISH,
    REASONS,
    SAMPLED,
    per_video_assets,
    start_backfill,
)
from megafish_assets.orchestration.policy import videos_asked
from megafish_assets.orchestration.sources import Inference, Recordings
from megafish_assets.orchestration.staleness import Collection
from megafish_assets.reporting.metadata import versions_read
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.dagster_internals import BulkActionsFilter, BulkActionStatus
from megafish_assets.storage.partitions import VIDEO_COLUMN, VIDEOS, add_videos


@dg.op(description="Adds a partition for every video that the inference table has rows of, in sorted order.")
def add_video_partitions(context: dg.OpExecutionContext, inference: Inference) -> None:
    videos = inference.arrivals().videos["video"].to_list()
    new = add_videos(context.instance, videos)
    context.log.info(f"{len(videos)} videos in the inference table, {len(new)} of them new")


@dg.job(description="Adds partitions by hand, complete or not; the sensor new_videos does it as videos are completed.")
def register_videos():
    add_video_partitions()


@dg.op(description="Starts a backfill of every partition that is out of date, or has frames set aside.")
def backfill_unfinished(
    context: dg.OpExecutionContext, tables: Tables, inference: Inference, recordings: Recordings
) -> None:
    graph, instance = context.repository_def.asset_graph, context.instance
    if instance.get_backfills(filters=BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED]), limit=1):
        raise dg.Failure("a backfill is at work, and what it has yet to make is not failed: wait for its end")
    videos = inference.arrivals().videos
    arrived = dict(videos.select("video", "fingerprint").iter_rows())
    sizes = recordings.sizes_bytes(dict(videos.select("video", "video_file").iter_rows()))
    # Of a file that is there at last the header too has not been read: its rows are made again.
    wanted = Collection(graph, instance, tables.root, arrived, sizes).unfinished(again=tables.set_aside_videos())
    n_videos = len(set().union(*wanted.values()))
    if not n_videos:
        context.log.info("every video is finished")
        return
    whole = [] if instance.get_latest_materialization_event(LIMITS) else [LIMITS]
    start_backfill(instance, wanted, f"{n_videos} unfinished videos", f"retry-{context.run_id[:8]}", whole)
    context.log.info(f"{n_videos} videos are unfinished: follow the backfill retry-{context.run_id[:8]}")


@dg.job(description="Sweeps up what failed, whatever the reason: run it after the reason is gone.")
def retry_failed_videos():
    backfill_unfinished()


SETTLED = {FILTERED: (LIMITS, ""), SAMPLED: (LENS, NEVER_MADE), NOT_FISH: (REASONS, NEVER_MADE)}
"""Assets whose partitions keep what they were made with of an asset over all videos, and its version before the
first: nothing is restated by itself."""


@dg.op(
    description="Starts a backfill of the partitions that were made with other limits or places than those in force."
)
def backfill_old_limits(context: dg.OpExecutionContext) -> None:
    graph, instance = context.repository_def.asset_graph, context.instance
    wanted: dict[dg.AssetKey, set[str]] = {}
    for asset, (settled, unmade) in SETTLED.items():
        version = version_in_force(instance, settled, unmade)
        used = versions_read(instance, asset.to_user_string(), settled.to_user_string(), unmade)
        old = {key for key in instance.get_dynamic_partitions(VIDEOS.name) if used.get(key, version) != version}
        names = f"{len(old)} of {len(used)} partitions of {asset.to_user_string()}"
        context.log.info(f"{names} carry other {settled.to_user_string()} than {version}")
        follows = dg.AssetSelection.assets(asset).downstream().resolve(graph) if old else set()
        for key in per_video_assets(graph):
            if key in follows:
                wanted.setdefault(key, set()).update(old)
    n_videos = len(set().union(*wanted.values()))
    if n_videos:
        start_backfill(instance, wanted, f"{n_videos} videos of older limits", f"restate-{context.run_id[:8]}")


def version_in_force(instance: dg.DagsterInstance, settled: dg.AssetKey, unmade: str) -> str:
    """The data version of the last run of an asset over all videos; `unmade` before the first."""
    event = instance.get_latest_materialization_event(settled)
    tags = {} if event is None else event.asset_materialization.tags or {}
    return tags.get("dagster/data_version", unmade)


@dg.job(
    description="Run this when size_limits, lens_places or place_reasons says that partitions carry old ones: makes "
    "those again, and what follows from them."
)
def restate_filtered():
    backfill_old_limits()


@dg.op(
    config_schema=videos_asked("They go for good."),
    description="Deletes these videos' rows from every table, and their partitions.",
)
def delete_videos(context: dg.OpExecutionContext, tables: Tables) -> None:
    videos = context.op_config["videos"]
    if not videos:
        raise dg.Failure("no videos are named, so none was removed: name them in the launchpad")
    known = set(context.instance.get_dynamic_partitions(VIDEOS.name))
    unknown = sorted(set(videos) - known)
    if unknown:
        raise dg.Failure(f"no partitions {unknown[:10]}: nothing was deleted; names are as in the UI")
    quoted = ", ".join("'" + key.replace("'", "''") + "'" for key in videos)
    for name, table in tables.all():
        if VIDEO_COLUMN in table.scan().collect_schema():
            n_deleted = table.delete(f"{VIDEO_COLUMN} IN ({quoted})")
            context.log.info(f"{name}: {n_deleted} rows deleted")
    for key in videos:
        context.instance.delete_dynamic_partition(VIDEOS.name, key)
    context.log.info(
        f"{len(videos)} videos removed. Remove their rows from the inference table too, or the next `make "
        "materialise` or change brings them back; it, or the next night, fits without them."
    )


@dg.job(description="Deletes videos for good: their rows in every table, and their partitions.")
def remove_videos():
    delete_videos()
