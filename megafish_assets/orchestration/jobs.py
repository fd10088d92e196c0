"""What a person starts from the UI besides single assets."""

import dagster as dg

from megafish_assets.orchestration.backfills import FILTERED, LIMITS, per_video_assets, start_backfill
from megafish_assets.orchestration.policy import videos_asked
from megafish_assets.orchestration.sources import Inference
from megafish_assets.reporting.metadata import versions_read
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.dagster_internals import BaseAssetGraph, BulkActionsFilter, BulkActionStatus
from megafish_assets.storage.partitions import VIDEO_COLUMN, VIDEOS, add_videos


@dg.op(description="Adds a partition for every video that the inference table has rows of, in sorted order.")
def add_video_partitions(context: dg.OpExecutionContext, inference: Inference) -> None:
    videos = inference.arrivals().videos["video"].to_list()
    new = add_videos(context.instance, videos)
    context.log.info(f"{len(videos)} videos in the inference table, {len(new)} of them new")


@dg.job(description="Adds partitions by hand, complete or not; the sensor new_videos does it as videos are completed.")
def register_videos():
    add_video_partitions()


@dg.op(description="Starts a backfill of every partition that is missing, failed, outdated, or has frames set aside.")
def backfill_unfinished(context: dg.OpExecutionContext, tables: Tables) -> None:
    graph, instance = context.repository_def.asset_graph, context.instance
    if instance.get_backfills(filters=BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED]), limit=1):
        raise dg.Failure("a backfill is at work, and what it has yet to make is not failed: wait for its end")
    wanted = unfinished(instance, graph, tables.set_aside_videos())
    n_videos = len(set().union(*wanted.values()))
    if not n_videos:
        context.log.info("every video is finished")
        return
    whole = [] if instance.get_latest_materialization_event(LIMITS) else [LIMITS]
    start_backfill(instance, wanted, f"{n_videos} unfinished videos", f"retry-{context.run_id[:8]}", whole)
    context.log.info(f"{n_videos} videos are unfinished: follow the backfill retry-{context.run_id[:8]}")


def unfinished(
    instance: dg.DagsterInstance, graph: BaseAssetGraph, set_aside: list[str]
) -> dict[dg.AssetKey, set[str]]:
    """The videos of which each asset has to be made: missing, failed, set aside, or older than what it is made from."""
    every, made, wanted = set(instance.get_dynamic_partitions(VIDEOS.name)), {}, {}
    attempts = instance.event_log_storage.get_latest_asset_partition_materialization_attempts_without_materializations
    for key in per_video_assets(graph):
        made[key] = instance.get_latest_storage_id_by_partition(key, dg.DagsterEventType.ASSET_MATERIALIZATION)
    for key in made:
        parents = [parent for parent in graph.get(key).parent_keys if parent in made]
        # Of a file that is there at last the header too has not been read.
        lacking = set().union(*(wanted[parent] for parent in parents)) if parents else set(set_aside)
        for one in graph.get(key).execution_set_asset_keys:  # what the same step makes is made together
            older = {v for v in made[one] for parent in parents if made[parent].get(v, 0) > made[one][v]}
            lacking |= (every - made[one].keys()) | set(attempts(one)) | older
        wanted[key] = lacking & every
    return wanted


@dg.job(description="Sweeps up what failed, whatever the reason: run it after the reason is gone.")
def retry_failed_videos():
    backfill_unfinished()


@dg.op(description="Starts a backfill of the partitions that were filtered by other limits than those in force.")
def backfill_old_limits(context: dg.OpExecutionContext) -> None:
    graph, instance = context.repository_def.asset_graph, context.instance
    version = limits_in_force(instance)
    used = versions_read(instance, "filtered_detections", "size_limits")
    old = [key for key in instance.get_dynamic_partitions(VIDEOS.name) if used.get(key, version) != version]
    context.log.info(f"{len(old)} of {len(used)} partitions carry other limits than {version}")
    if old:
        follows = dg.AssetSelection.assets(FILTERED).downstream().resolve(graph)
        wanted = {key: old for key in per_video_assets(graph) if key in follows}
        start_backfill(instance, wanted, f"{len(old)} videos of older limits", f"restate-{context.run_id[:8]}")


def limits_in_force(instance: dg.DagsterInstance) -> str | None:
    """The data version of the last size_limits; None before the first."""
    event = instance.get_latest_materialization_event(LIMITS)
    return None if event is None else event.asset_materialization.tags["dagster/data_version"]


@dg.job(
    description="Run this when size_limits says that partitions carry old limits: makes those again, and what "
    "follows from them."
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
        f"{len(videos)} videos removed. Remove their rows from the inference table too, or they come back when "
        "they change; the next night fits without them."
    )


@dg.job(description="Deletes videos for good: their rows in every table, and their partitions.")
def remove_videos():
    delete_videos()
