"""`restate_filtered`: makes the partitions again that were filtered by other limits than those in force."""

import dagster as dg

from megafish_assets.orchestration.materialise import failure, run_work, unbroken_runs
from megafish_assets.orchestration.metadata import versions_read
from megafish_assets.orchestration.partitions import ROW_RUNS, VIDEOS

FILTERED, LIMITS = dg.AssetKey("filtered_detections"), dg.AssetKey("size_limits")


def limits_in_force(instance: dg.DagsterInstance) -> str | None:
    """The data version of the last size_limits; None before the first."""
    event = instance.get_latest_materialization_event(LIMITS)
    return None if event is None else event.asset_materialization.tags["dagster/data_version"]


@dg.op(description="Filters the partitions of older limits again; what follows from them is then older than they are.")
def filter_again(context: dg.OpExecutionContext) -> None:
    version = limits_in_force(context.instance)
    used = versions_read(context.instance, "filtered_detections", "size_limits")
    keys = context.instance.get_dynamic_partitions(VIDEOS.name)
    old = [used.get(key, version) != version for key in keys]
    context.log.info(f"{sum(old)} of {len(used)} partitions carry other limits than {version}")
    job = context.repository_def.get_implicit_global_asset_job_def()
    for run in unbroken_runs(keys, old, ROW_RUNS.max_partitions_per_run):
        result = run_work(job, FILTERED, run, context.instance)
        if not result.success:
            raise dg.Failure(f"filtering {run[0]} to {run[-1]} again failed: {failure(result)}")


@dg.job(description="Run this when size_limits says that partitions carry old limits.")
def restate_filtered():
    filter_again()
