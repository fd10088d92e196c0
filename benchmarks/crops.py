"""Boxes cut out of 1080p H.264 clips: one pass in order, a thread a clip, beside the notebook's random seeks.

`bare` only decodes the same frames with PyAV, a thread a clip: what no reader of these files can beat. `frame_threads`
does it with all cores on each clip, one clip after the other. `in_order` is the usual pass: every frame decoded and
turned into a picture, a thread a clip too.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np

from benchmarks.ways import Result, Stage
from megafish_assets.crops.extraction import VideoTask, extracted
from megafish_assets.footage.boxes import STRETCHED_PX, Boxes
from megafish_assets.footage.containers import UnreadableVideoError

FRAMES, BOXES, GOP = 300, 62, 250
"""Of one clip of the notebook, with its sample of boxes, and libx264's own distance of key frames."""

SEED = 42
CLIP = "clip.mp4"


def write(folder: Path, n_clips: int, n_boxes: int = BOXES) -> None:
    """Copies of one clip of the reef as H.264; the boxes of each. Needs the whole platform, and PyAV."""
    import polars as pl

    from megafish_assets.detections.raw import raw_detections
    from megafish_assets.footage.clocks import Clock

    reef = Path(recorded().name)
    for number in range(n_clips):
        shutil.copy(reef / CLIP, folder / f"clip_{number:04d}.mp4")
    raw = raw_detections(pl.read_delta(str(reef / "inference")), Clock(10, FRAMES, None)).filter(
        pl.col("fault").is_null()
    )
    boxes = Boxes.of(raw.sample(n_boxes, seed=SEED).sort("detection_id"))
    np.savez(
        folder / "boxes.npz", ids=boxes.detection_ids.astype(str), frames=boxes.frame_ids, boxes=boxes.box_xywh_1024
    )


@cache
def recorded() -> tempfile.TemporaryDirectory:
    """The reef with one video, and `CLIP` beside it; recorded once, and gone with this process."""
    reef = tempfile.TemporaryDirectory(prefix="megafish-reef-")
    plan = ["--videos", "1", "--frames", str(FRAMES), "--size", "1920x1080"]
    line = [sys.executable, "-m", "megafish_assets.reef", reef.name, *plan]
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
    as_h264(Path(reef.name, "recordings", "megalab_0000.mp4"), Path(reef.name, CLIP))
    return reef


def as_h264(source: Path, target: Path) -> None:
    """The same pictures, as a camera with long groups of pictures writes them."""
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        shown = reader.streams.video[0]
        stream = writer.add_stream("libx264", rate=shown.average_rate, options={"g": str(GOP)})
        stream.width, stream.height, stream.pix_fmt = shown.width, shown.height, "yuv420p"
        for frame in reader.decode(shown):
            frame.pict_type = av.video.frame.PictureType.NONE  # else the source's key frames become this one's too
            writer.mux(stream.encode(frame))
        writer.mux(stream.encode())


def load(folder: Path, device: str) -> list[VideoTask]:
    """A task a clip."""
    kept = np.load(folder / "boxes.npz")
    boxes = Boxes(kept["ids"], kept["frames"], kept["boxes"], np.ones(len(kept["ids"])))
    shown = int(boxes.frame_ids[0])
    return [VideoTask(path.stem, path, boxes, boxes, shown) for path in sorted(folder.glob("clip_*.mp4"))]


def ours(tasks: list[VideoTask]) -> Result:
    """As the asset cuts, with the picture of a whole frame and the crops as JPEG, and no look at the scene."""
    return ours_with_motion([replace(task, every_frames=0) for task in tasks])


def ours_with_motion(tasks: list[VideoTask]) -> Result:
    """All that the asset does: the scene is followed in the same pass."""
    encoded = jpegs(tasks)
    return {"jpegs": np.frombuffer(b"".join(encoded), np.uint8), "ends": np.cumsum([len(jpeg) for jpeg in encoded])}


def jpegs(tasks: list[VideoTask]) -> list[bytes]:
    """Every crop. Raises UnreadableVideoError where one could not be cut."""
    found = {}
    for result in extracted(tasks):
        faults = [cut.fault for cut in result.cuts if cut.fault is not None]
        if faults:
            raise UnreadableVideoError(f"{result.key}: {faults[0]}")
        found[result.key] = [cut.jpeg for cut in result.cuts]
    return [jpeg for task in tasks for jpeg in found[task.key]]


def notebook(tasks: list[VideoTask]) -> Result:
    """A seek to each box's frame, in the order of the sample."""
    return figures([pixels for task in tasks for pixels in sought(task)])


def sought(task: VideoTask) -> list[np.ndarray]:
    """The crops of one clip, uint8 BGR, by a seek each."""
    capture, found = cv2.VideoCapture(str(task.path)), {}
    for row in np.random.default_rng(SEED).permutation(len(task.cut_out)).tolist():
        capture.set(cv2.CAP_PROP_POS_FRAMES, int(task.cut_out.frame_ids[row]))
        frame = capture.read()[1]
        height, width = frame.shape[:2]
        x, y, w, h = task.cut_out.box_xywh_1024[row]
        left, right = int(x * width / STRETCHED_PX), int(np.ceil((x + w) * width / STRETCHED_PX))
        top, bottom = int(y * height / STRETCHED_PX), int(np.ceil((y + h) * height / STRETCHED_PX))
        found[row] = frame[max(top, 0) : bottom, max(left, 0) : right].copy()
    return [found[row] for row in range(len(task.cut_out))]


def bare(tasks: list[VideoTask]) -> Result:
    """Decodes each clip as far as its last wanted frame and looks at nothing."""
    return _passed(tasks, lambda frame: None)


def in_order(tasks: list[VideoTask]) -> Result:
    """The same with a picture of every frame."""
    return _passed(tasks, lambda frame: frame.to_ndarray(format="bgr24", threads=1))


def frame_threads(tasks: list[VideoTask]) -> Result:
    """As `bare`, but the cores share each clip's frames."""
    for task in tasks:
        _pass(task, lambda frame: None, os.cpu_count() or 1)
    return {}


def _passed(tasks: list[VideoTask], step: Callable[[av.VideoFrame], object]) -> Result:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda task: _pass(task, step, 1), tasks))
    return {}


def _pass(task: VideoTask, step: Callable[[av.VideoFrame], object], n_threads: int) -> None:
    with av.open(str(task.path)) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.thread_count = "FRAME" if n_threads > 1 else "SLICE", n_threads
        for frame, _ in zip(container.decode(stream), range(int(task.cut_out.frame_ids.max()) + 1), strict=False):
            step(frame)


def figures(pictures: list[np.ndarray]) -> Result:
    """What is compared of crops."""
    return {
        "sizes": np.array([picture.shape[:2] for picture in pictures]),
        "means": np.array([picture.mean() for picture in pictures]),
    }


def compare(ours: Result, other: Result) -> dict[str, float]:
    """Crops of another size, and the largest difference of a crop's mean level, which JPEG moves a little."""
    if not other:
        return {}
    encoded = np.split(ours["jpegs"], ours["ends"][:-1])
    ours = figures([cv2.imdecode(jpeg, cv2.IMREAD_COLOR) for jpeg in encoded])
    return {
        "n_of_another_size": float((ours["sizes"] != other["sizes"]).any(axis=1).sum()),
        "mean_level": float(np.abs(ours["means"] - other["means"]).max()),
    }


STAGE = Stage(
    write=write,
    load=load,
    ways={
        "ours": ours,
        "ours_with_motion": ours_with_motion,
        "bare": bare,
        "frame_threads": frame_threads,
        "in_order": in_order,
        "notebook": notebook,
    },
    compare=compare,
    size=4,
    unit="n_clips",
    growth=(2, 4, 8, 16),
    full=64,
    repeats={"ours": 7, "ours_with_motion": 7, "bare": 7, "frame_threads": 3, "in_order": 3},
)
