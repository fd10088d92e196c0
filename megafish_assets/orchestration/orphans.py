"""Runs whose process is gone: nobody else would ever end them, and they hold their places in queue and pools."""

import os
import socket

import dagster as dg
import psutil

PROCESS_TAG = "megafish/process"
"""On runs in a command's own process: `host/pid`."""


CLOCK_STEP_SECONDS = 60.0
"""A process' start is told by the boot time, which moves when the clock is set."""


def this_process() -> dict[str, str]:
    """The tag of a run in this process."""
    return {PROCESS_TAG: f"{socket.gethostname()}/{os.getpid()}"}


def end_orphaned_runs(instance: dg.DagsterInstance, workers: bool = True) -> list[str]:
    """Marks runs of this host as failed whose process has ended without a word; their ids.

    A worker's number means something to the supervisor on its own host only: others ask without `workers`, for the
    runs of commands alone. A backfill's run is then started again where it was, as `dagster.yaml` says.
    """
    status = dg.DagsterRunStatus
    unfinished = dg.RunsFilter(statuses=[status.STARTING, status.STARTED, status.CANCELING])
    ended = []
    for record in instance.get_run_records(unfinished):
        run, pid = record.dagster_run, _pid(instance, record.dagster_run, workers)
        if pid is not None and not _lives(pid, record.start_time):
            instance.report_run_failed(run, f"process {pid} ended without a word: it was killed, or the power went")
            ended.append(run.run_id)
    return ended


def _pid(instance: dg.DagsterInstance, run: dg.DagsterRun, workers: bool) -> int | None:
    """The process of a run on this host, from its tag or from what its worker logged first; None if neither says."""
    if PROCESS_TAG in run.tags:
        host, _, pid = run.tags[PROCESS_TAG].partition("/")
        return int(pid) if host == socket.gethostname() else None
    if not workers:
        return None
    for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        noted = entry.dagster_event.engine_event_data.metadata.get("pid")
        if noted is not None:
            return int(noted.value)
    return None


def _lives(pid: int, started: float | None) -> bool:
    """Whether that process lives; one that began after the run has only inherited its number."""
    process = living(pid)
    return process is not None and (started is None or process.create_time() <= started + CLOCK_STEP_SECONDS)


def living(pid: int) -> psutil.Process | None:
    """The process of this number; None where there is none, or one that has ended and only waits to be noticed."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except psutil.NoSuchProcess:
        return None
