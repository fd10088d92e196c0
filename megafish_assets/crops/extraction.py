"""Many videos at once: one thread and one decoder each, as many at a time as there are cores."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from megafish_assets.crops.cutting import Cut, cuts
from megafish_assets.crops.motion import EVERY_FRAMES, Motion, SceneWatcher
from megafish_assets.crops.overlay import FrameKeeper, draw_boxes
from megafish_assets.footage.boxes import Boxes
from megafish_assets.footage.containers import MOST_MEGAPIXELS
from megafish_assets.footage.decoding import Frame


@dataclass(frozen=True)
class VideoTask:
    """One video to decode."""

    key: str
    path: Path | None
    """None for a file outside the recordings folder, which is not opened."""
    cut_out: Boxes
    """What is wanted as crops."""
    detected: Boxes
    """Every box of the video: drawn on one frame, and no part of the scene whose motion is measured."""
    drawn_frame: int
    """The frame that is kept as a picture."""
    every_frames: int = EVERY_FRAMES
    """From one look at the scene to the next; 0 for none, where only crops are wanted."""
    most_megapixels: float = MOST_MEGAPIXELS
    """A video with larger frames is not decoded."""


@dataclass(frozen=True)
class VideoResult:
    """What came out of one video."""

    key: str
    cuts: list[Cut]
    """What became of every box to cut out, in their order."""
    motion: Motion
    """How the scene moved, as far as the video could be decoded."""
    overlay_bgr: np.ndarray | None
    """The busiest frame with its boxes drawn; None if it could not be decoded."""


def extracted(tasks: Iterable[VideoTask]) -> Iterator[VideoResult]:
    """The result of every video, in the order in which they finish; few are held at a time, however many there are."""
    # PyAV and OpenCV let go of Python's lock while they work, so threads scale with the cores. One thread a video: with
    # the cores sharing a video's frames a bare pass takes a tenth longer.
    n_threads = os.cpu_count() or 1
    with _opencv_on_one_thread(), ThreadPoolExecutor(max_workers=n_threads) as pool:
        at_work: set[Future[VideoResult]] = set()
        for task in tasks:
            at_work.add(pool.submit(_extract, task))
            if len(at_work) > 2 * n_threads:  # a thread that ends finds the next task waiting
                yield _first(at_work)
        while at_work:
            yield _first(at_work)


@contextmanager
def _opencv_on_one_thread() -> Iterator[None]:
    """Every core has a video of its own: threads of OpenCV's beside them cost a thirtieth of the time."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _first(at_work: set[Future[VideoResult]]) -> VideoResult:
    """Takes one that has ended out of these, as soon as there is one."""
    ended = next(iter(wait(at_work, return_when=FIRST_COMPLETED).done))
    at_work.remove(ended)
    return ended.result()


def _extract(task: VideoTask) -> VideoResult:
    keeper, watcher = FrameKeeper(task.drawn_frame), SceneWatcher(task.detected)

    def see(frame: Frame) -> None:
        keeper(frame)
        if task.every_frames and frame.frame_id % task.every_frames == 0:
            watcher(frame)

    made = cuts(task.path, task.cut_out, see, task.every_frames, task.most_megapixels)
    ids, drawn = set(task.cut_out.detection_ids), task.detected.of_frame(task.drawn_frame)
    overlay = keeper.kept[0] if keeper.kept else None
    if overlay is not None:
        draw_boxes(overlay, drawn, ids)
    return VideoResult(task.key, made, watcher.motion(), overlay)
