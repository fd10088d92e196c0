"""The tests' own hand on the platform's processes."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from megafish_assets_tests.deployment import Deployment, kill_if_it_lives, wait_for


@pytest.fixture
def restless(tmp_path: Path) -> Iterator[Deployment]:
    """A supervisor whose children end while they are looked at, as runs do."""
    up = Deployment(tmp_path)
    up.process = subprocess.Popen(
        ["sh", "-c", "sleep $1 & while :; do (:) & (:); done", "-", "600"], start_new_session=True
    )
    yield up
    up.kill_everything()


def test_processes_that_end_meanwhile_are_passed_over(restless: Deployment) -> None:
    for _ in range(300):
        restless.kill("no process has this name")
        assert restless.workers() == []


def test_only_processes_of_that_name_are_killed(restless: Deployment) -> None:
    (sleeper,) = wait_for(lambda: restless.processes("sleep 600") or None, lambda: "no sleeper")
    restless.kill("no process has this name")
    assert sleeper.is_running()
    restless.kill("sleep 600")
    sleeper.wait(timeout=10)
    assert not kill_if_it_lives(sleeper)
    assert restless.process.poll() is None
