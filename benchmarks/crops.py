"""Boxes cut out of 1080p H.264 clips: one pass in order, a thread a clip, beside the notebook's random seeks.

`bare` only decodes the same frames, a thread a clip: what no reader of these files can beat.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import polars as pl

from benchmarks.ways import Result, Stage
from megafish_assets.crops.decoding import UnreadableVideoError
from megafish_assets.crops.extraction import VideoTask, extracted
from megafish_assets.detections.columns import BOX
from megafish_assets.detections.raw import Clock, raw_detections

FRAMES, BOXES, GOP = 300, 62, 250
"""Of one clip of the notebook, with its sample of boxes, and libx264's own distance of key frames."""

SEED = 42


def write(folder: Path, n_clips: int) -> None:
    """One clip of the reef as H.264, and copies of it; the boxes of each."""
    with tempfile.TemporaryDirectory() as reef:
        plan = ["--videos", "1", "--frames", str(FRAMES), "--size", "1920x1080"]
        subprocess.run(
            [sys.executable, "-m", "megafish_assets.reef", reef, *plan], check=True, stdout=subprocess.DEVNULL
        )
        as_h264(Path(reef, "recordings", "megalab_0000.mp4"), folder / "clip_0000.mp4")
        detected = pl.read_delta(f"{reef}/inference")
    for number in range(1, n_clips):
        shutil.copy(folder / "clip_0000.mp4", folder / f"clip_{number:04d}.mp4")
    raw = raw_detections(detected, Clock(10, FRAMES, None)).filter(pl.col("fault").is_null())
    raw.sample(BOXES, seed=SEED).sort("detection_id").write_parquet(folder / "boxes.parquet")


def as_h264(source: Path, target: Path) -> None:
    """The same pictures, as a camera with long groups of pictures writes them."""
    import av

    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        shown = reader.streams.video[0]
        stream = writer.add_stream("libx264", rate=shown.average_rate, options={"g": str(GOP)})
        stream.width, stream.height, stream.pix_fmt = shown.width, shown.height, "yuv420p"
        for frame in reader.decode(shown):
            writer.mux(stream.encode(frame))
        writer.mux(stream.encode())


def load(folder: Path) -> list[VideoTask]:
    """A task a clip."""
    boxes = pl.read_parquet(folder / "boxes.parquet")
    shown = boxes["frame_id"][0]
    return [VideoTask(path.stem, path, boxes, shown, boxes) for path in sorted(folder.glob("clip_*.mp4"))]


def ours(tasks: list[VideoTask]) -> Result:
    """As the asset does it, with the pictures of whole frames and the crops as JPEG."""
    sizes, means = [], []
    for result in extracted(tasks):
        if result.crops["fault"].is_not_null().any():
            raise UnreadableVideoError(f"{result.key}: {result.crops['fault'].drop_nulls()[0]}")
        pictures = [cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) for jpeg in result.crops["jpeg"]]
        sizes += [picture.shape[:2] for picture in pictures]
        means += [picture.mean() for picture in pictures]
    return {"sizes": np.array(sizes), "means": np.array(means)}


def notebook(tasks: list[VideoTask]) -> Result:
    """A seek to each box's frame, in the order of the sample."""
    sizes, means = [], []
    for task in tasks:
        capture = cv2.VideoCapture(str(task.path))
        found = {}
        for row in task.sampled.sample(fraction=1.0, shuffle=True, seed=SEED).iter_rows(named=True):
            capture.set(cv2.CAP_PROP_POS_FRAMES, row["frame_id"])
            frame = capture.read()[1]
            height, width = frame.shape[:2]
            x, y, w, h = (row[name] for name in BOX)
            left, right = int(x * width / 1024), int(np.ceil((x + w) * width / 1024))
            top, bottom = int(y * height / 1024), int(np.ceil((y + h) * height / 1024))
            found[row["detection_id"]] = frame[max(top, 0) : bottom, max(left, 0) : right]
        sizes += [found[name].shape[:2] for name in task.sampled["detection_id"]]
        means += [found[name].mean() for name in task.sampled["detection_id"]]
    return {"sizes": np.array(sizes), "means": np.array(means)}


def bare(tasks: list[VideoTask]) -> Result:
    """Decodes each clip as far as its last wanted frame and looks at nothing."""

    def decoded(task: VideoTask) -> None:
        capture = cv2.VideoCapture(str(task.path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        for _ in range(task.sampled["frame_id"].max() + 1):
            capture.grab()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(decoded, tasks))
    return {"sizes": np.empty(0), "means": np.empty(0)}


def compare(ours: Result, other: Result) -> dict[str, float]:
    """Crops of another size, and the largest difference of a crop's mean level, which JPEG moves a little."""
    if not len(other["sizes"]):
        return {}
    return {
        "n_of_another_size": float((ours["sizes"] != other["sizes"]).any(axis=1).sum()),
        "mean_level": float(np.abs(ours["means"] - other["means"]).max()),
    }


STAGE = Stage(
    write=write,
    load=load,
    ways={"ours": ours, "bare": bare, "notebook": notebook},
    compare=compare,
    size=2,
    unit="n_clips",
    growth=(2, 4, 8, 16),
    full=64,
    repeats={"bare": 3},
)
