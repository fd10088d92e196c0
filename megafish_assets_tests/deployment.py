"""The platform as its users run it: `python -m megafish_assets up` in processes of its own, asked over HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import dagster as dg
import psutil

from megafish_assets_tests.conftest import REPOSITORY, collection_environment

PATIENCE_SECONDS = 420
"""The processes start in about 15 s on two idle cores, and a backfill's daemon looks twice a minute."""

BACKFILL = """
mutation Start($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
  }
}
"""


class Deployment:
    """Code server, web server and daemon over one collection."""

    def __init__(self, root: Path, **settings: object) -> None:
        self.root, self.settings, self.process = root, settings, None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"

    def start(self) -> "Deployment":
        """Starts it, and waits until the UI answers with the assets."""
        with (self.root / "up.log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "megafish_assets", "up", "--port", str(self.port)],
                cwd=REPOSITORY,
                env=collection_environment(self.root, **self.settings),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        with ExitStack() as if_it_does_not_start:
            if_it_does_not_start.callback(self.kill_everything)
            self.eventually("{ assetNodes { id } }", lambda answer: answer["assetNodes"])
            if_it_does_not_start.pop_all()
        return self

    def __enter__(self) -> "Deployment":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=90)
        finally:
            self.kill_everything()

    def kill_everything(self) -> None:
        """What a power loss leaves: nothing of this session."""
        for process in psutil.process_iter():
            with suppress(ProcessLookupError):
                if os.getsid(process.pid) == self.process.pid:
                    kill_if_it_lives(process)
        self.process.wait()

    def kill(self, *words: str) -> None:
        """`kill -9` of each process whose command line holds one of these words."""
        for process in self.processes(*words):
            kill_if_it_lives(process)

    def processes(self, *words: str) -> list[psutil.Process]:
        """The supervisor and all that it has started whose command line holds one of these words."""
        supervisor = psutil.Process(self.process.pid)
        family = [supervisor, *supervisor.children(recursive=True)]
        return [process for process in family if any(word in command_line(process) for word in words)]

    def workers(self) -> list[psutil.Process]:
        """The processes that execute runs."""
        return self.processes("spawn_main")

    def ask(self, query: str, **variables: object) -> dict:
        """One answer of the UI's GraphQL."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.address}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["data"]

    def eventually(self, query: str, wanted: Callable[[dict], object], **variables: object) -> dict:
        """The first answer that is as wanted."""

        def answer() -> dict | None:
            try:
                found = self.ask(query, **variables)
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                return None
            return found if wanted(found) else None

        return wait_for(answer, lambda: f"{query}\n{self.log()}")

    def log(self) -> str:
        """The last of what the processes said."""
        return (self.root / "up.log").read_text()[-3000:]

    def errors(self) -> str:
        """What failed steps said."""
        with self.instance() as instance:
            failed = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
            logs = [instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE) for run in failed]
        return "\n".join(str(entry.dagster_event.step_failure_data.error) for log in logs for entry in log)

    def instance(self) -> dg.DagsterInstance:
        """The instance that they share."""
        return dg.DagsterInstance.from_config(str(self.root / "dagster"))

    def backfill(self, assets: list[str], keys: list[str], **tags: str) -> str:
        """Starts a backfill as the UI does; its id."""
        params = {
            "assetSelection": [{"path": asset.split("/")} for asset in assets],
            "partitionNames": keys,
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
        }
        started = self.ask(BACKFILL, params=params)["launchPartitionBackfill"]
        assert started["__typename"] == "LaunchBackfillSuccess", started
        return started["backfillId"]

    def ended(self, backfill: str) -> str:
        """How a backfill ended, as soon as it has."""
        return wait_for(lambda: self.end_of(backfill), self.log)

    def end_of(self, backfill: str) -> str | None:
        """How a backfill ended; None while it has not."""
        with self.instance() as instance:
            status = instance.get_backfill(backfill).status.value
        return None if status in ("REQUESTED", "FAILING", "COMPLETED_PENDING") else status


def wait_for(found: Callable[[], object], otherwise: Callable[[], str], seconds: float = PATIENCE_SECONDS) -> object:
    """The first answer that is not None."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = found()
        if answer is not None:
            return answer
        time.sleep(0.2)
    raise AssertionError(f"nothing after {seconds} s: {otherwise()}")


def command_line(process: psutil.Process) -> str:
    """Empty for one that has ended: runs come and go while they are looked at."""
    with suppress(psutil.NoSuchProcess):
        return " ".join(process.cmdline())
    return ""


def kill_if_it_lives(process: psutil.Process) -> bool:
    """Kills it; whether there was anything left to kill."""
    with suppress(psutil.NoSuchProcess):
        process.kill()
        return True
    return False
