"""The platform as its users leave it running: code server, web server and daemon, each started again if it ends."""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import dagster as dg

from megafish_assets.orchestration.orphans import end_orphaned_runs

LOOPBACK = "127.0.0.1"
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
        "code server": ["dagster", "api", "grpc", "--socket", socket_path, *module, "--location-name", "megafish"],
        "daemon": ["dagster-daemon", "run", "-w", str(workspace)],
        "web server": ["dagster-webserver", *page],
    }


def serve(repository: Path, environment: Mapping[str, str], port: int, read_only: bool) -> int:
    """Runs until it is told to stop (Ctrl-C or SIGTERM); ends runs that a power loss left behind, first and always."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="megafish-") as folder, dg.DagsterInstance.get() as instance:
        socket_path = f"{folder}/code.sock"
        lines = commands(repository / "workspace.yaml", socket_path, port, read_only)
        start = partial(subprocess.Popen, cwd=repository, env={**environment, "MEGAFISH_SOCKET": socket_path})
        processes: dict[str, subprocess.Popen] = {}
        print(f"http://{LOOPBACK}:{port} in about 15 seconds; Ctrl-C stops it", flush=True)
        try:
            _watch(instance, lines, processes, start)
        except KeyboardInterrupt:
            print("stopping", flush=True)
        finally:
            _stop(list(reversed(processes.values())))
    return 0


def _watch(instance: dg.DagsterInstance, lines: dict, processes: dict, start: Callable) -> None:
    looked, started = -ORPHANS_SECONDS, dict.fromkeys(lines, -RESTART_PAUSE_SECONDS)
    while True:
        now = time.monotonic()
        if now - looked >= ORPHANS_SECONDS:
            looked = now
            for run_id in end_orphaned_runs(instance):
                print(f"run {run_id} had lost its process and was ended", flush=True)
        for name, line in lines.items():
            process = processes.get(name)
            ended = process is not None and process.poll() is not None
            if (process is None or ended) and now - started[name] >= RESTART_PAUSE_SECONDS:
                if ended:
                    print(f"the {name} ended ({process.returncode}) and is started again", flush=True)
                command = [str(Path(sys.executable).with_name(line[0])), *line[1:]]
                processes[name], started[name] = start(command), now
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
