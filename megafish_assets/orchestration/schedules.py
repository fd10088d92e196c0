"""What runs by the clock: the nightly analysis over all videos, and the weekly care of the tables."""

from collections.abc import Sequence

import dagster as dg
from deltalake.exceptions import CommitFailedError

from megafish_assets.orchestration.policy import ON_REQUEST
from megafish_assets.storage.catalog import Tables, named
from megafish_assets.storage.dagster_internals import IN_PROGRESS_RUN_STATUSES

KEPT_HOURS = 7 * 24
"""Old files are kept for a week: longer than any run reads, and the shortest that Delta allows unasked."""


ANALYSIS_ROOMS = ("features", "clusters", "evaluation", "labels", "sightings", "atlas", "exports")
"""Groups of what is made from all videos at once, behind the gate."""


def nightly_analysis_job(backbones: Sequence[str], gate: str):
    """Size limits and places of the lens, then, behind the gate on each backbone's vectors, what all videos make."""
    gates = [dg.AssetCheckKey(dg.AssetKey(named("embeddings", backbone)), gate) for backbone in backbones]
    return dg.define_asset_job(
        "nightly_analysis",
        selection=dg.AssetSelection.assets("size_limits", "lens_places", "place_reasons")
        | (dg.AssetSelection.groups(*ANALYSIS_ROOMS) - dg.AssetSelection.tag(*next(iter(ON_REQUEST.items()))))
        | dg.AssetSelection.checks(*gates),
        description="Everything made from all videos, over whatever videos are complete. A missing video is counted "
        "and shown; a broken contract in the rows before stops what would be made from them.",
    )


def nightly(job, cron: str, timezone: str) -> dg.ScheduleDefinition:
    """The job every night, unless the night before is still at work."""

    def nobody_at_work(context: dg.ScheduleEvaluationContext) -> bool:
        at_work = dg.RunsFilter(job_name=job.name, statuses=[*IN_PROGRESS_RUN_STATUSES, dg.DagsterRunStatus.QUEUED])
        return not context.instance.get_runs(at_work, limit=1)

    return dg.ScheduleDefinition(
        name=job.name,
        job=job,
        cron_schedule=cron,
        execution_timezone=timezone,
        should_execute=nobody_at_work,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every night; left out while the night before is still at work.",
    )


@dg.op(description="Merges small files, writes a checkpoint and removes files that no reader needs any more.")
def maintain(context: dg.OpExecutionContext, tables: Tables) -> None:
    for name, stored in tables.all():
        table = stored.open()
        try:
            merged = table.optimize.compact()
        except CommitFailedError:
            context.log.warning(f"{name}: a run is writing to it; its files are merged next week")
            continue
        table.create_checkpoint()
        removed = table.vacuum(retention_hours=KEPT_HOURS, dry_run=False)
        context.log.info(f"{name}: {merged['numFilesRemoved']} files merged, {len(removed)} old files removed")


@dg.job(description="Weekly care of the tables: smaller, faster to open, and no less readable.")
def table_maintenance():
    maintain()


def weekly(job, cron: str, timezone: str) -> dg.ScheduleDefinition:
    """The job once a week."""
    return dg.ScheduleDefinition(
        name=job.name,
        job=job,
        cron_schedule=cron,
        execution_timezone=timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
