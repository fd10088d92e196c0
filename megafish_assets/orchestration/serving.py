"""The platform as its users leave it running: code server, web server and daemon, each started again if it ends."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import psutil
from sqlalchemy.exc import SQLAlchemyError

from megafish_assets.orchestration.orphans import CLOCK_STEP_SECONDS, end_orphaned_runs, living

CODE_SERVER = "code server"
WEB_SERVER = "megafish_assets.orchestration.webserver"
LOOK_SECONDS = 1.0
ORPHANS_SECONDS = 30.0
RESTART_PAUSE_SECONDS = 5.0
"""A process that can't start is tried again no faster than this."""

STOP_SECONDS = 30.0
"""What is still there afterwards is killed; its runs go on where they were at the next start."""


def serve(repository: Path, environment: Mapping[str, str], port: int, hosts: Sequence[str], read_only: bool) -> int:
    """Runs until it is told to stop (Ctrl-C or SIGTERM); ends runs that a power loss left behind, first and always."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins with it ignored
    with tempfile.TemporaryDirectory(prefix="megafish-") as folder, dg.DagsterInstance.get() as instance:
        socket_path = Path(folder, "code.sock")
        leftovers = Leftovers(Path(instance.root_directory, f".up{'-read-only' if read_only else ''}.json"))
        leftovers.end()
        supervisor = Supervisor(
            commands(repository / "workspace.yaml", socket_path, port, hosts, read_only),
            cwd=repository,
            environment={**environment, "MEGAFISH_SOCKET": str(socket_path)},
            socket_path=socket_path,
            leftovers=leftovers,
        )
        print(f"http://127.0.0.1:{port} in about 15 seconds; Ctrl-C stops it", flush=True)
        try:
            _watch(supervisor, None if read_only else instance)
        except KeyboardInterrupt:
            print("stopping", flush=True)
        finally:
            supervisor.stop()
    return 0


def commands(
    workspace: Path, socket_path: Path, port: int, hosts: Sequence[str], read_only: bool
) -> dict[str, list[str]]:
    """The command line of each process, in the order in which they start; they meet at a socket."""
    code = ["--socket", str(socket_path), "-m", "megafish_assets.definitions", "--location-name", "megafish"]
    page = [WEB_SERVER, str(workspace), "--port", str(port), *(["--read-only"] if read_only else [])]
    page += [word for host in hosts for word in ("--host", host)]
    daemon = {} if read_only else {"daemon": ["dagster-daemon", "run", "-w", str(workspace)]}
    return {CODE_SERVER: ["dagster", "api", "grpc", *code], **daemon, "web server": ["python", "-m", *page]}


def _watch(supervisor: "Supervisor", instance: dg.DagsterInstance | None) -> None:
    looked = -ORPHANS_SECONDS
    while True:
        if instance is not None and time.monotonic() - looked >= ORPHANS_SECONDS:
            looked = time.monotonic()
            _end_orphans(instance)
        supervisor.start_what_is_not_there()
        time.sleep(LOOK_SECONDS)


def _end_orphans(instance: dg.DagsterInstance) -> None:
    try:
        for run_id in end_orphaned_runs(instance):
            print(f"run {run_id} had lost its process and was ended", flush=True)
    except (SQLAlchemyError, OSError) as busy:  # the storage restarts, or its disk is full: it is asked again
        print(f"looking for lost runs failed: {busy}", flush=True)


@dataclass(frozen=True)
class Leftovers:
    """Processes that outlive a supervisor which was killed: a second daemon beside them would do all work twice."""

    path: Path
    """Where their numbers and starting times are kept."""

    def note(self, processes: Iterable[subprocess.Popen]) -> None:
        """Keeps these as the ones that run now."""
        alive = [process.pid for process in processes if process.poll() is None]
        beside = self.path.with_suffix(".partial")
        beside.write_text(json.dumps({pid: psutil.Process(pid).create_time() for pid in alive}))
        beside.replace(self.path)

    def end(self) -> None:
        """Kills those that are still there. Run workers are none of them, and go on."""
        try:
            noted = json.loads(self.path.read_text())
        except (FileNotFoundError, json.JSONDecodeError):  # the first start, or the power went while it was written
            noted = {}
        for pid, began in noted.items():
            process = living(int(pid))
            with suppress(psutil.NoSuchProcess):  # it may end while it is looked at
                if process is not None and self._is_that(process, began):
                    process.kill()

    @staticmethod
    def _is_that(process: psutil.Process, began: float) -> bool:
        ours = any("dagster" in word or word == WEB_SERVER for word in process.cmdline())
        return ours and abs(process.create_time() - began) < CLOCK_STEP_SECONDS


@dataclass
class Supervisor:
    """Some processes that should be there."""

    commands: Mapping[str, list[str]]
    """By name; the code server first."""
    cwd: Path
    environment: Mapping[str, str]
    socket_path: Path
    """The code server's socket, without which the others would only complain."""
    leftovers: Leftovers
    processes: dict[str, subprocess.Popen] = field(default_factory=dict)
    started: dict[str, float] = field(default_factory=dict)
    """When each was started last, by the monotonic clock."""

    def start_what_is_not_there(self) -> None:
        """Starts each process that was never started or has ended, with a pause between two tries."""
        for name in self.commands:
            if name != CODE_SERVER and not self.socket_path.exists():
                return
            process = self.processes.get(name)
            if process is not None and process.poll() is None:
                continue
            if time.monotonic() - self.started.get(name, -RESTART_PAUSE_SECONDS) >= RESTART_PAUSE_SECONDS:
                self._start(name)

    def _start(self, name: str) -> None:
        before = self.processes.get(name)
        if before is not None:
            print(f"the {name} ended ({before.returncode}) and is started again", flush=True)
        if name == CODE_SERVER:
            self.socket_path.unlink(missing_ok=True)
        program, *arguments = self.commands[name]
        command = [str(Path(sys.executable).with_name(program)), *arguments]
        self.processes[name] = subprocess.Popen(command, cwd=self.cwd, env=self.environment)
        self.started[name] = time.monotonic()
        self.leftovers.note(self.processes.values())

    def stop(self) -> None:
        """Ends them, the last first, and waits."""
        processes = list(reversed(self.processes.values()))
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
