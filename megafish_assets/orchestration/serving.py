"""The platform as its users leave it running: code server, web server and daemon, each started again if it ends."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import dagster as dg
import psutil

from megafish_assets.orchestration.orphans import end_orphaned_runs

LOOPBACK = "127.0.0.1"
CODE_SERVER = "code server"
LOOK_SECONDS = 1.0
ORPHANS_SECONDS = 30.0
RESTART_PAUSE_SECONDS = 5.0
"""A process that can't start is tried again no faster than this."""

STOP_SECONDS = 30.0
"""What is still there afterwards is killed; its runs go on where they were at the next start."""


def commands(workspace: Path, socket_path: str, port: int, read_only: bool) -> dict[str, list[str]]:
    """The command line of each process, in the order in which they start; they meet at the socket."""
    module = ["-m", "megafish_assets.definitions"]
    page = ["-w", str(workspace), "-h", LOOPBACK, "-p", str(port), *(["--read-only"] if read_only else [])]
    return {
        CODE_SERVER: ["dagster", "api", "grpc", "--socket", socket_path, *module, "--location-name", "megafish"],
        "daemon": ["dagster-daemon", "run", "-w", str(workspace)],
        "web server": ["dagster-webserver", *page],
    }


def serve(repository: Path, environment: Mapping[str, str], port: int, read_only: bool) -> int:
    """Runs until it is told to stop (Ctrl-C or SIGTERM); ends runs that a power loss left behind, first and always."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="megafish-") as folder, dg.DagsterInstance.get() as instance:
        socket_path = f"{folder}/code.sock"
        lines = commands(repository / "workspace.yaml", socket_path, port, read_only)
        leftovers = Leftovers(Path(instance.root_directory, ".up.json"))
        leftovers.end()
        start = partial(subprocess.Popen, cwd=repository, env={**environment, "MEGAFISH_SOCKET": socket_path})
        processes: dict[str, subprocess.Popen] = {}
        print(f"http://{LOOPBACK}:{port} in about 15 seconds; Ctrl-C stops it", flush=True)
        try:
            _watch(instance, lines, processes, start, Path(socket_path), leftovers)
        except KeyboardInterrupt:
            print("stopping", flush=True)
        finally:
            _stop(list(reversed(processes.values())))
    return 0


@dataclass(frozen=True)
class Leftovers:
    """Processes that outlive a supervisor which was killed: a second daemon beside them would do all work twice."""

    path: Path
    """Where their numbers and starting times are kept."""

    def note(self, processes: Iterable[subprocess.Popen]) -> None:
        """Keeps these as the ones that run now."""
        alive = [process.pid for process in processes if process.poll() is None]
        self.path.write_text(json.dumps({pid: psutil.Process(pid).create_time() for pid in alive}))

    def end(self) -> None:
        """Kills those that are still there. Run workers are none of them, and go on."""
        for pid, began in (json.loads(self.path.read_text()) if self.path.exists() else {}).items():
            if psutil.pid_exists(int(pid)) and psutil.Process(int(pid)).create_time() == began:
                psutil.Process(int(pid)).kill()


def _watch(
    instance: dg.DagsterInstance, lines: dict, processes: dict, start: Callable, socket_path: Path, leftovers: Leftovers
) -> None:
    looked, started = -ORPHANS_SECONDS, dict.fromkeys(lines, -RESTART_PAUSE_SECONDS)
    while True:
        now = time.monotonic()
        if now - looked >= ORPHANS_SECONDS:
            looked = now
            for run_id in end_orphaned_runs(instance):
                print(f"run {run_id} had lost its process and was ended", flush=True)
        for name, line in lines.items():
            if name != CODE_SERVER and not socket_path.exists():
                break  # the others would complain until it is there
            process = processes.get(name)
            ended = process is not None and process.poll() is not None
            if (process is None or ended) and now - started[name] >= RESTART_PAUSE_SECONDS:
                if ended and name == CODE_SERVER:
                    socket_path.unlink(missing_ok=True)
                if ended:
                    print(f"the {name} ended ({process.returncode}) and is started again", flush=True)
                command = [str(Path(sys.executable).with_name(line[0])), *line[1:]]
                processes[name], started[name] = start(command), now
                leftovers.note(processes.values())
        time.sleep(LOOK_SECONDS)


def _stop(processes: list[subprocess.Popen]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
