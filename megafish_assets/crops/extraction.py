"""Many videos at once: one thread and one decoder each, as many at a time as there are cores."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from megafish_assets.crops.cutting import video_crops
from megafish_assets.crops.overlay import FrameKeeper, draw_boxes


@dataclass(frozen=True)
class VideoTask:
    """One video to decode."""

    key: str
    path: Path
    sampled: pl.DataFrame
    """The rows to cut out."""
    drawn_frame: int
    """The frame that is kept as a picture."""
    boxes: pl.DataFrame
    """Every raw row of that frame, to be drawn on it."""


@dataclass(frozen=True)
class VideoResult:
    """What came out of one video."""

    key: str
    crops: pl.DataFrame
    """The columns `CROPS`, a row for every sampled one."""
    overlay_bgr: np.ndarray | None
    """The busiest frame with its boxes drawn; None if it could not be decoded."""


def extracted(tasks: Iterable[VideoTask]) -> Iterator[VideoResult]:
    """The result of every video, in the order in which they finish."""
    # OpenCV lets go of Python's lock while it decodes and encodes, so threads scale with the cores.
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for future in as_completed([pool.submit(_extract, task) for task in tasks]):
            yield future.result()


def _extract(task: VideoTask) -> VideoResult:
    keeper = FrameKeeper(task.drawn_frame)
    crops = video_crops(task.path, task.sampled, see=keeper)
    ids = set(task.sampled["detection_id"])
    overlay = draw_boxes(keeper.kept[0], task.boxes, ids) if keeper.kept else None
    return VideoResult(task.key, crops, overlay)


def crop_numbers(crops: pl.DataFrame) -> pl.DataFrame:
    """A row a video: crops cut, rows set aside, share of the crops that were clipped by the frame's edge."""
    cut = pl.col("fault").is_null()
    return (
        crops.group_by("video")
        .agg(
            cut.sum().alias("n_crops"),
            (~cut).sum().alias("n_set_aside"),
            (pl.col("clipped_share") > 0).mean().fill_null(0.0).alias("clipped_crops_share"),
        )
        .sort("video")
    )


def faults(crops: pl.DataFrame) -> str:
    """Why rows were set aside, the commonest first, as a line a reason; empty if none were."""
    counts = crops.drop_nulls("fault").group_by("fault").len().sort(["len", "fault"], descending=[True, False])
    return "\n".join(f"{count} x {fault}" for fault, count in counts.iter_rows())
