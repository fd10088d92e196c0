"""Runs whose process is gone are ended; nobody else's are."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import dagster as dg
import psutil
import pytest
from dagster._core.events import EngineEventData

from megafish_assets.orchestration.orphans import end_orphaned_runs, this_process
from megafish_assets.orchestration.serving import Leftovers


@dg.job
def nothing() -> None:
    pass


@pytest.fixture
def instance() -> dg.DagsterInstance:
    return dg.DagsterInstance.ephemeral()


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def started(instance: dg.DagsterInstance, tags: dict[str, str], worker: int | None = None) -> str:
    """A run that has started, in this process' own name or in a worker's that logged its number."""
    run = instance.create_run_for_job(nothing, tags=tags)
    if worker is not None:
        instance.report_engine_event("Started process", run, EngineEventData.in_process(worker))
    instance.report_dagster_event(dg.DagsterEvent("PIPELINE_START", nothing.name), run_id=run.run_id)
    return run.run_id


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    return instance.get_run_by_id(run_id).status


def test_a_commands_run_that_was_killed_is_ended_and_one_that_lives_is_not(instance: dg.DagsterInstance) -> None:
    dead = started(instance, {"megafish/process": f"{socket.gethostname()}/{dead_pid()}"})
    alive = started(instance, this_process())
    elsewhere = started(instance, {"megafish/process": f"another-host/{dead_pid()}"})
    assert end_orphaned_runs(instance) == [dead]
    assert status(instance, dead) == dg.DagsterRunStatus.FAILURE
    assert status(instance, alive) == status(instance, elsewhere) == dg.DagsterRunStatus.STARTED


def test_a_workers_run_is_ended_when_its_process_is_gone(instance: dg.DagsterInstance) -> None:
    dead = started(instance, {}, worker=dead_pid())
    alive = started(instance, {}, worker=os.getpid())
    assert end_orphaned_runs(instance) == [dead]
    assert status(instance, alive) == dg.DagsterRunStatus.STARTED


def test_a_process_that_has_ended_and_waits_to_be_noticed_does_not_live(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    began = psutil.Process(process.pid).create_time()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    noted = tmp_path / "up.json"
    noted.write_text(json.dumps({process.pid: began}))
    Leftovers(noted).end()  # raised, and so kept a platform from starting after a power loss
    run = started(instance, {}, worker=process.pid)
    assert end_orphaned_runs(instance) == [run]
    process.wait()


def test_a_run_that_died_while_it_was_starting_is_ended(instance: dg.DagsterInstance) -> None:
    run = instance.create_run_for_job(nothing)
    instance.report_engine_event("Started process", run, EngineEventData.in_process(dead_pid()))
    instance.report_dagster_event(dg.DagsterEvent("PIPELINE_STARTING", nothing.name), run_id=run.run_id)
    assert end_orphaned_runs(instance, workers=False) == []
    assert end_orphaned_runs(instance) == [run.run_id]


def test_a_process_that_inherited_the_number_of_a_dead_one_is_not_taken_for_it(instance: dg.DagsterInstance) -> None:
    run = started(instance, {}, worker=os.getpid())
    later = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        inherited = started(instance, {}, worker=later.pid)
        with instance.run_storage.connect() as connection:  # as if this run had begun before that process
            import sqlalchemy as db
            from dagster._core.storage.runs.schema import RunsTable

            row = RunsTable.c.run_id == inherited
            connection.execute(db.update(RunsTable).where(row).values(start_time=1.0))
        assert end_orphaned_runs(instance) == [inherited]
    finally:
        later.communicate(b"\n")
    assert status(instance, run) == dg.DagsterRunStatus.STARTED
