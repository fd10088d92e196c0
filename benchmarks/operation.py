"""What Dagster costs on the notebook's full table: loading, a tick of the sensor, a backfill by the real daemon.

The table has as many videos and rows as the notebook's, and no video files: assets of rows open none.
"""

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl
import psutil
from dagster._core.execution.backfill import PartitionBackfill
from deltalake import write_deltalake

from benchmarks.ways import machine
from megafish_assets.footage.file_names import keyed_videos
from megafish_assets.orchestration.backfills import LIMITS, start_backfill
from megafish_assets.orchestration.sources import Inference
from megafish_assets.storage.partitions import add_videos

REPOSITORY = Path(__file__).parents[1]

VIDEOS, ROWS = 1589, 2_068_649
"""Of the notebook's table."""

FRAMES = 300
COMMITS = 20
"""A commit a video, as a detector makes them, would take longer to write than everything that is measured."""

ROW_ASSETS = ("raw_detections", "tracklets", "filtered_detections", "sampled_detections")
HEAVY_MODULES = ("torch", "timm", "umap")
NEW_AT_ONCE = 500
"""Videos that a night without a sensor leaves."""

LOOK_SECONDS = 0.2
ASK_SECONDS = 2.0
PATIENCE_SECONDS = 720
"""A backfill that has not ended by then is reported as far as it came."""

ROLES = {
    "spawn_main": "run worker",
    "dagster-daemon": "daemon",
    "dagster-webserver": "web server",
    "grpc": "code server",
    "megafish_assets up": "supervisor",
}
"""What a process is, by a word of its command line."""

IMPORT = f"""
import json, sys
import megafish_assets.definitions
print(json.dumps([name for name in {HEAVY_MODULES} if name in sys.modules]))
"""


def main(root: Path, n_videos: int) -> int:
    """Writes the table to `root` and prints the line of each case as soon as it is measured; 0 if all ended well."""
    write_inference(root / "inference", n_videos)
    os.environ |= collection_environment(root)
    report("location_load", location_load(), {"seconds": 5, "heavy_modules": []})
    report("sensor_tick", sensor_tick(root / "inference", n_videos), {"nothing_new_ms": 100})
    measured = backfill(root)
    bars = {"seconds": 600, "ms_per_partition_and_asset": 80, "kb_per_partition_and_asset": 30, "peak_rss_gb": 2}
    report("backfill", measured, bars)
    return 0 if measured["status"] == "COMPLETED_SUCCESS" else 1


def report(case: str, figures: dict, bars: dict) -> None:
    """Prints one case, with its bars and what it was measured on."""
    versions = {name: version(name) for name in ("dagster", "polars")}
    line = {"stage": "operation", "case": case} | figures | {"bar": bars}
    line |= {"machine": machine("cpu"), "versions": versions}
    print(json.dumps(line), flush=True)


def collection_environment(root: Path) -> dict[str, str]:
    """The settings of a collection whose sensor finds no video complete, so that it starts nothing by itself."""
    settings = {"root": root, "backbones": "reef_tiny", "complete_when": "last_frame", "clip_frames": 100_000}
    return {f"MEGAFISH_{name.upper()}": str(value) for name, value in settings.items()}


def write_inference(place: Path, n_videos: int) -> None:
    """A detector's table of so many videos, a file a video, of the notebook's length."""
    rng = np.random.default_rng(0)
    n_rows = rng.multinomial(round(n_videos * ROWS / VIDEOS), np.full(n_videos, 1 / n_videos))
    for numbers in np.array_split(np.arange(n_videos), min(COMMITS, n_videos)):
        rows = pl.concat([video_rows(rng, int(number), int(n_rows[number])) for number in numbers])
        write_deltalake(str(place), rows.to_arrow(), mode="append", partition_by=["video_file"])


def video_rows(rng: np.random.Generator, number: int, n: int) -> pl.DataFrame:
    """The boxes of one video, the last frame's among them."""
    frames = np.sort(rng.integers(0, FRAMES, n))
    frames[-1] = FRAMES - 1
    sizes = np.minimum(rng.lognormal(np.log(60), 0.4, (n, 2)), 1000.0)
    boxes = np.hstack([rng.uniform(0, 1024 - sizes), sizes])
    return pl.DataFrame(
        {
            "video_file": pl.repeat(f"megalab_{number:04d}.mp4", n, eager=True),
            "frame_id": pl.Series(frames, dtype=pl.Int64),
            "box": pl.Series(boxes).arr.to_list(),
            "score": rng.uniform(0.2, 0.9, n),
        }
    )


def location_load() -> dict:
    """Seconds of a fresh process that imports the definitions, and which of the slow modules it imported."""
    seconds, found = [], set()
    for _ in range(3):
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", IMPORT], cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True
        )
        seconds.append(time.perf_counter() - began)
        found |= set(json.loads(done.stdout))
    return {"seconds": round(statistics.median(seconds), 2), "heavy_modules": sorted(found)}


def sensor_tick(place: Path, n_videos: int) -> dict:
    """Milliseconds of one evaluation of `new_videos` with so many videos new, the others started before."""
    from megafish_assets.definitions import defs
    from megafish_assets.orchestration.sensors import STARTED, new_videos

    inference = Inference(uri=str(place), complete_when=["last_frame"], frames_per_clip=FRAMES)
    arrived = inference.arrivals()
    fingerprints = dict(arrived.videos.select("video", "fingerprint").iter_rows())
    _ = defs.get_repository_def().asset_graph  # a code server has it since it started

    def tick(new: list[str], seen_version: int, waiting: bool) -> float:
        started = {video: fingerprint for video, fingerprint in fingerprints.items() if video not in new}
        cursor = json.dumps({"version": seen_version, "waiting": waiting})
        with tempfile.TemporaryDirectory() as folder, dg.DagsterInstance.local_temp(folder) as instance:
            add_videos(instance, list(started))
            instance.daemon_cursor_storage.set_cursor_values({STARTED: json.dumps(started)})
            began = time.perf_counter()
            new_videos(dg.build_sensor_context(instance, cursor=cursor, definitions=defs), inference=inference)
            seconds = time.perf_counter() - began
            partitions = instance.get_dynamic_partitions("videos")
            backfills = instance.get_backfills()
        assert len(partitions) == len(fingerprints) and len(backfills) == bool(new), "the tick did not do its work"
        return 1000 * seconds

    def ms(*given: object) -> float:
        return round(statistics.median(tick(*given) for _ in range(5)), 1)

    videos, now, before = list(fingerprints), arrived.version, arrived.version - 1
    return {
        "n_videos": n_videos,
        "nothing_new_ms": ms([], now, False),
        "nothing_new_while_one_waits_ms": ms([], now, True),
        "one_new_ms": ms(videos[-1:], before, False),
        "many_new_ms": ms(videos[-NEW_AT_ONCE:], before, False),
        "n_many": len(videos[-NEW_AT_ONCE:]),
    }


def backfill(root: Path) -> dict:
    """What the assets of rows cost over all videos, through the daemon that users run."""
    keys = video_keys(root / "inference")
    with platform_up(root) as supervisor:
        home = root / "dagster"
        with dg.DagsterInstance.from_config(str(home)) as instance:
            add_videos(instance, keys)
            before, peaks = history_bytes(home), {}
            videos = {dg.AssetKey(name): keys for name in ROW_ASSETS}
            start_backfill(instance, videos, "benchmark", "benchmark", whole=[LIMITS])
            ended = watched(supervisor, lambda: instance.get_backfill("benchmark"), peaks)
            runs = instance.get_run_records(dg.RunsFilter(tags={"dagster/backfill": "benchmark"}))
    n = len(keys) * len(ROW_ASSETS)
    seconds = (ended.backfill_end_timestamp or time.time()) - ended.backfill_timestamp
    return {
        "status": ended.status.value,
        "n_videos": len(keys),
        "seconds": round(seconds, 1),
        "ms_per_partition_and_asset": round(1000 * seconds / n, 1),
        "kb_per_partition_and_asset": round((history_bytes(home) - before) / 1000 / n, 1),
        "peak_rss_gb": max(peaks.values()),
        "peak_rss_gb_by_process": peaks,
        "n_runs": len(runs),
        "n_runs_not_successful": sum(run.dagster_run.status != dg.DagsterRunStatus.SUCCESS for run in runs),
        "runs": [run_times(run, ended.backfill_timestamp) for run in reversed(runs)],
    }


def video_keys(place: Path) -> list[str]:
    """The partition key of every video of the table."""
    return list(keyed_videos(pl.scan_delta(str(place)).select("video_file").collect()["video_file"]))


@contextmanager
def platform_up(root: Path) -> Iterator[psutil.Process]:
    """`python -m megafish_assets up`, from when its page knows the assets until it is told to stop; its supervisor."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Started in the background of a shell, this process ignores Ctrl-C, and so would its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    line = [sys.executable, "-m", "megafish_assets", "up", "--port", str(port)]
    with (root / "up.log").open("w") as log:
        process = subprocess.Popen(line, cwd=REPOSITORY, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        wait_for_assets(f"http://127.0.0.1:{port}/graphql")
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=120)


def wait_for_assets(address: str) -> None:
    """Returns as soon as the UI knows the assets. Raises TimeoutError."""
    body = json.dumps({"query": "{ assetNodes { id } }"}).encode()
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                if json.load(answer)["data"]["assetNodes"]:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass  # it is still starting
        time.sleep(0.5)
    raise TimeoutError(f"{address} knows no assets")


def watched(supervisor: psutil.Process, asked: Callable[[], PartitionBackfill], peaks: dict) -> PartitionBackfill:
    """The backfill as it ended, or as it is when patience ends; notes the most memory of each kind of process."""
    deadline, ask_at = time.monotonic() + PATIENCE_SECONDS, 0.0
    while True:
        note_memory(supervisor, peaks)
        if time.monotonic() >= ask_at:
            ask_at, found = time.monotonic() + ASK_SECONDS, asked()
            if found.status.value in ("COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED"):
                return found
        if time.monotonic() >= deadline:
            return asked()
        time.sleep(LOOK_SECONDS)


def note_memory(supervisor: psutil.Process, peaks: dict[str, float]) -> None:
    """Raises `peaks`, GB by role, to what the largest process of each role holds now."""
    for process in [supervisor, *supervisor.children(recursive=True)]:
        try:
            line, gb = " ".join(process.cmdline()), round(process.memory_info().rss / 1e9, 3)
        except psutil.Error:
            continue  # it has ended since
        role = next((name for word, name in ROLES.items() if word in line), "other")
        peaks[role] = max(peaks.get(role, 0.0), gb)


def history_bytes(home: Path) -> int:
    """Bytes of Dagster's event log and its index."""
    return sum(path.stat().st_size for path in home.joinpath("history").rglob("*.db*"))


def run_times(record: dg.RunRecord, began: float) -> dict:
    """Of a run: its asset, when it was asked for, how long it waited to start, and how long it took."""
    assets = sorted(key.to_user_string() for key in record.dagster_run.asset_selection or ())
    asked, started, ended = record.create_timestamp.timestamp(), record.start_time, record.end_time
    return {
        "assets": ",".join(assets),
        "asked_at_s": round(asked - began, 1),
        "waited_s": None if started is None else round(started - asked, 1),
        "took_s": None if ended is None or started is None else round(ended - started, 1),
    }
