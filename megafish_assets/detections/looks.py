"""The frames of a video that were searched: which they are, when they were, and behind which of them the wiper was."""

from dataclasses import dataclass
from math import gcd

import numpy as np
import polars as pl

from megafish_assets.detections.recurrences import seconds_of
from megafish_assets.detections.wiper import wipes
from megafish_assets.footage.columns import require_one_length

FEWEST_FRAMES = 10
"""With boxes, from which on their distances tell at which frames a detector looked; with fewer, chance decides."""

LEEWAY_FRAMES = 1
"""By which a look may be off its even step: ten looks a second of 29.97 frames fall on every third frame, and now and
then on the second after."""

LEAST_SECONDS = 1 / 3
"""That a tracklet must be observed, at its video's looks, to count: ten frames of 30 a second. What a detector splits
off a fish, and what it takes for one for a moment, mostly lasts less: docs/read-out.md."""

NEAR_SHARE, EVEN_SHARE = 0.5, 0.95
"""Of the distances between frames with boxes, that an uneven step must be, and that must be multiples of it, for it to
be believed: boxes here and there of a detector that looks at every frame have a commonest distance too."""


@dataclass(frozen=True)
class Looks:
    """The frames of one video that were searched, in order, about one step apart."""

    video: str
    """Partition key of the video."""
    frame_ids: np.ndarray
    """int64 `(n_looks,)`, ascending."""
    step_frames: float
    """Frames from one look to the next, in the mean: 1 where each was searched."""
    step_seconds: float
    """The same in seconds."""
    is_wiped: np.ndarray
    """bool `(n_looks,)`, whether the wiper is in it; such looks are no effort."""

    def __post_init__(self) -> None:
        require_one_length(self, "frame_ids", "is_wiped")

    def __len__(self) -> int:
        return len(self.is_wiped)

    def at(self, frame_ids: np.ndarray) -> np.ndarray:
        """int64 `(n,)`, which look each of these searched frames is."""
        return np.searchsorted(self.frame_ids, frame_ids, side="right") - 1

    def nearest(self, seconds: np.ndarray) -> np.ndarray:
        """int64 `(n,)`, the look next to each time, the earlier of two; below 0 or beyond the last where there is none
        within half a step."""
        own = self.seconds
        places = np.interp(seconds, own, np.arange(len(self)))
        beyond = (seconds - np.clip(seconds, own[0], own[-1])) / self.step_seconds
        return np.rint(places + beyond - 1e-6).astype(np.int64)

    @property
    def seconds(self) -> np.ndarray:
        """float64 `(n_looks,)`, since the video's first frame."""
        return self.frame_ids * (self.step_seconds / self.step_frames)

    def within(self, seconds: float) -> int:
        """How many looks such a stretch holds, at least 1."""
        return _within(seconds, self.step_seconds)


def step_of(frame_ids: np.ndarray) -> float | None:
    """Frames from one look to the next, by the frames `(n,)` of one video that hold boxes; None where they do not tell.

    The greatest step that all distances are multiples of. Where that is one frame, but most distances are a longer one
    within `LEEWAY_FRAMES`, and nearly all multiples of it, that: animals mostly stay from one look to the next.
    """
    frames = np.unique(frame_ids)
    return None if len(frames) < FEWEST_FRAMES else _step(np.diff(frames))


def _step(distances: np.ndarray) -> float | None:
    """By the distances `(n,)` between frames with boxes."""
    exact = gcd(*distances.tolist())
    commonest = int(np.bincount(distances).argmax())
    if exact > 1 or commonest == 1:
        return float(exact)
    is_near = np.abs(distances - commonest) <= LEEWAY_FRAMES
    step = _told_closer(distances, distances[is_near].mean())
    looks = np.rint(distances / step)
    is_even = (looks >= 1) & (np.abs(distances - looks * step) <= LEEWAY_FRAMES)
    # Every whole number lies within a frame of a multiple of 2 or 3: there single frames must be rare besides.
    is_even &= distances >= commonest - (LEEWAY_FRAMES if commonest > 2 else 0)
    return step if is_near.mean() >= NEAR_SHARE and is_even.mean() >= EVEN_SHARE else None


def _told_closer(distances: np.ndarray, step: float) -> float:
    """The step by ever longer distances: how many looks a long one has is known once the shorter ones have told it."""
    longest = 2 * step
    while longest < 2 * distances.max():
        some = distances[distances <= longest]
        step, longest = float(some.sum() / np.maximum(np.rint(some / step), 1).sum()), 2 * longest
    return step


def least_looks(rows: pl.DataFrame, seconds: float) -> int:
    """How many looks such a stretch of this video holds, of its valid `raw_detections`; 1 where its frames with
    boxes do not tell."""
    step = step_of(rows["frame_id"].to_numpy())
    return 1 if step is None else _within(seconds, step * _seconds_a_frame(rows))


def _within(seconds: float, step_seconds: float) -> int:
    return max(1, round(seconds / step_seconds))


def usual_step(frames: pl.DataFrame) -> float:
    """The step of most videos, for those that do not tell theirs; `frames` holds `video` and `frame_id`.

    Of short clips of a detector that looks seldom none may tell it by itself: then all together do; 1 where they do not
    either.
    """
    of_videos = [np.unique(of_video["frame_id"].to_numpy()) for of_video in frames.partition_by("video")]
    known = np.array([step for step in map(step_of, of_videos) if step is not None])
    if not len(known):
        distances = np.concatenate([np.empty(0, np.int64), *map(np.diff, of_videos)])
        return (_step(distances) if len(distances) >= FEWEST_FRAMES else None) or 1.0
    rounded = np.rint(known).astype(np.int64)
    return float(np.median(known[rounded == np.bincount(rounded).argmax()]))


def looks_of(rows: pl.DataFrame, motion: pl.DataFrame, usual: float = 1.0) -> Looks:
    """The looks at one video, of its valid `raw_detections` (at least one) and its rows of `camera_motion`, maybe none.

    Every frame that holds a box was searched, and between and before them others, evenly at the step. The last look is
    the last frame that holds a box or that the scene was followed to: no table says more.
    """
    step = step_of(rows["frame_id"].to_numpy()) or usual
    last = max([int(rows["frame_id"].max()), *motion["frame_id"].tail(1).to_list()])
    frame_ids = _searched(rows["frame_id"].unique().sort().to_numpy(), step, last)
    looks = Looks(
        rows["video"][0], frame_ids, step, step * _seconds_a_frame(rows), np.zeros(len(frame_ids), dtype=bool)
    )
    for start, end in wipes(rows, motion).select("start_seconds", "end_seconds").iter_rows():
        looks.is_wiped[(looks.seconds >= start - 1e-6) & (looks.seconds <= end + 1e-6)] = True
    return looks


def _searched(seen: np.ndarray, step: float, last: int) -> np.ndarray:
    """int64, the frames `seen` with boxes, and those between, before and after them, up to `last`."""
    before = seen[0] - step * np.arange(int(seen[0] / step), 0, -1)
    after = seen[-1] + step * np.arange(1, int((last - seen[-1]) / step) + 1)
    distances = np.diff(seen)
    looks = np.maximum(np.rint(distances / step), 1).astype(np.int64)
    starts = np.repeat(seen[:-1], looks)
    turns = np.arange(looks.sum()) - np.repeat(np.cumsum(looks) - looks, looks)
    between = starts + turns * np.repeat(distances / looks, looks)
    return np.rint(np.concatenate([before, between, seen[-1:], after])).astype(np.int64)


def _seconds_a_frame(rows: pl.DataFrame) -> float:
    """By the latest row, as `seconds_of` tells it; of a video that has boxes in its first frame alone 1/30."""
    frame, seconds = rows.select("frame_id", seconds_of().alias("seconds")).sort("frame_id").row(-1)
    return seconds / frame if frame else 1 / 30
