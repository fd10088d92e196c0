"""The frames of a video that were searched: which they are, when they were, and behind which of them the wiper was."""

from dataclasses import dataclass
from math import gcd

import numpy as np
import polars as pl

from megafish_assets.detections.recurrences import seconds_of
from megafish_assets.detections.wiper import wipes

FEWEST_FRAMES = 10
"""With boxes, from which on their distances tell at which frames a detector looked; with fewer, chance decides."""


@dataclass(frozen=True)
class Looks:
    """The frames of one video that were searched, in order, a constant step apart."""

    video: str
    """Partition key of the video."""
    first_frame: int
    """The first frame that was searched."""
    step_frames: int
    """Frames from one look to the next: 1 where each was searched."""
    step_seconds: float
    """The same in seconds."""
    is_wiped: np.ndarray
    """bool `(n_looks,)`, whether the wiper is in it; such looks are no effort."""

    def __len__(self) -> int:
        return len(self.is_wiped)

    def at(self, frame_ids: np.ndarray) -> np.ndarray:
        """int64 `(n,)`, which look each of these frames is."""
        return (frame_ids - self.first_frame) // self.step_frames

    @property
    def frame_ids(self) -> np.ndarray:
        """int64 `(n_looks,)`."""
        return self.first_frame + self.step_frames * np.arange(len(self))

    @property
    def seconds(self) -> np.ndarray:
        """float64 `(n_looks,)`, since the video's first frame."""
        return self.frame_ids * (self.step_seconds / self.step_frames)

    def within(self, seconds: float) -> int:
        """How many looks such a stretch holds, at least 1."""
        return max(1, round(seconds / self.step_seconds))


def step_of(frame_ids: np.ndarray) -> int | None:
    """Frames from one look to the next, by the frames `(n,)` of one video that hold boxes; None where they are too few
    to tell."""
    frames = np.unique(frame_ids)
    if len(frames) < FEWEST_FRAMES:
        return None
    return gcd(*np.diff(frames).tolist())


def usual_step(frames: pl.DataFrame) -> int:
    """The step of most videos, for those that do not tell theirs; 1 where none does. `frames` holds `video` and
    `frame_id`."""
    steps = [step_of(of_video["frame_id"].to_numpy()) for of_video in frames.partition_by("video")]
    known = [step for step in steps if step is not None]
    return int(np.bincount(known).argmax()) if known else 1


def looks_of(rows: pl.DataFrame, motion: pl.DataFrame, usual: int = 1) -> Looks:
    """The looks at one video, of its valid `raw_detections` (at least one) and its rows of `camera_motion`, maybe none.

    The last look is the last frame that holds a box or that the scene was followed to: no table says more. Frames
    without a box before it count as searched.
    """
    frames = rows["frame_id"].to_numpy()
    step = step_of(frames) or usual
    first = int(frames.min()) % step
    last = max([int(frames.max()), *motion["frame_id"].tail(1).to_list()])
    n_looks = (last - first) // step + 1
    seconds_a_frame = _seconds_a_frame(rows)
    looks = Looks(rows["video"][0], first, step, step * seconds_a_frame, np.zeros(n_looks, dtype=bool))
    for start, end in wipes(rows, motion).select("start_seconds", "end_seconds").iter_rows():
        looks.is_wiped[(looks.seconds >= start - 1e-6) & (looks.seconds <= end + 1e-6)] = True
    return looks


def _seconds_a_frame(rows: pl.DataFrame) -> float:
    """By the latest row, as `seconds_of` tells it; of a video that has boxes in its first frame alone 1/30."""
    frame, seconds = rows.select("frame_id", seconds_of().alias("seconds")).sort("frame_id").row(-1)
    return seconds / frame if frame else 1 / 30
