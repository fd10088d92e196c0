"""Which tracklets are pieces of one animal: joined over gaps, into gaps, and to the animal that they are a part of.

Here: which pairs may be one, and how sure that is. Not here: which of them are joined, see `animals.py`.

A tracklet breaks where the detector loses its animal for longer than it can be sure, and where it reports a half of it
instead. Here, with the whole clip known, what follows a break is looked for by place and way:

    after    A ends, B begins within two seconds where A, and B backwards, would have been
    within   B's boxes fall into the gaps of A, at A's place
    part     B's boxes lie inside A's of the same frames

Two that are in one frame are two animals, but for parts; and so are two that people named otherwise.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from megafish_assets.detections.recurrences import seconds_of
from megafish_assets.detections.scene import ScenePath
from megafish_assets.footage.boxes import BOX
from megafish_assets.sightings.counting import INSIDE_SHARE

LONGEST_GAP_SECONDS = 2.0
"""Over which an animal is still itself: after it, who comes back may be another."""

END_SECONDS = 1 / 3
"""At either end of a tracklet, by which its size and its way are told."""

FARTHEST, FARTHEST_A_SECOND = 1.5, 6.0
"""Body lengths from the end of one to the beginning of the next, at once and for each second between, that are looked
at; a body's length is the square root of its box's area."""

MOST_GROWN = 1.1
"""Logarithm of the ratio of two boxes' sides, of what is looked at as one animal that turned: threefold."""

NEAREST, DIRECT, MEAN, ALWAYS = -0.40, 0.86, -1.53, -1.44
LEAST_LOG_ODDS = -0.5
"""Of two ends that are one animal, by the logarithms of how far the better guess was off, of how far apart they lie,
and of how far both guesses were off on average; from which odds on they are joined: those of the two alone, and that
neither has a better partner, nor is seen together with the other's pieces, speaks for them besides. Logistic regression
over all pairs of ends of reefs 71 and 72, at 30, 10 and 5 looks a second; see docs/read-out.md."""

OPEN_LOG_ODDS = -2.0
"""From which on a link that was not made leaves the number of animals open: where there is none, it is right in 9 of 10
clips and kinds; see docs/read-out.md."""

NEAR = 0.05
"""Body lengths, added before the logarithm: boxes jitter by as much."""

WITHIN_LENGTHS, WITHIN_GROWN = 1.2, 1.4
"""How far from a tracklet's own way, in body lengths, and how much larger or smaller a box in its gap may be: a half of
an animal that is reported instead of the whole lies half a length off and is half as long."""


@dataclass(frozen=True)
class Pieces:
    """The tracklets of one video, in order of their beginnings."""

    ids: list[str]
    names: list[str | None]
    """What each is called by name; None where nobody has named it."""
    frames: list[np.ndarray]
    """int64, the frames of each, in order."""
    seconds: list[np.ndarray]
    """float64, when they are."""
    places_xy: list[np.ndarray]
    """float64 `(n, 2)`, middles over the scene, px of the stretched frame."""
    log_sides: list[np.ndarray]
    """float64 `(n, 2)`, logarithms of width and height."""

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, rows: pl.DataFrame, path: ScenePath | None) -> "Pieces":
        """Of one video's boxes: `tracklet_id`, `name`, `frame_id`, `BOX` and what tells seconds."""
        order = pl.col("frame_id").min().over("tracklet_id")
        placed = rows.with_columns(seconds_of().alias("seconds"), order.alias("first")).sort(
            "first", "tracklet_id", "frame_id"
        )
        parts = placed.partition_by("tracklet_id", maintain_order=True)
        frames = [part["frame_id"].to_numpy() for part in parts]
        sides = [part.select("width_1024", "height_1024").to_numpy() for part in parts]
        middles = [
            part.select("x_1024", "y_1024").to_numpy() + side / 2 for part, side in zip(parts, sides, strict=True)
        ]
        moved = [np.zeros((len(of), 2)) if path is None else path.at(of) for of in frames]
        return cls(
            ids=[part["tracklet_id"][0] for part in parts],
            names=[part["name"][0] for part in parts],
            frames=frames,
            seconds=[part["seconds"].to_numpy() for part in parts],
            places_xy=[middle - offset for middle, offset in zip(middles, moved, strict=True)],
            log_sides=[np.log(side) for side in sides],
        )


@dataclass(frozen=True)
class Ends:
    """The beginnings, or the ends, of a video's tracklets."""

    seconds: np.ndarray
    """float64 `(n,)`."""
    places_xy: np.ndarray
    """float64 `(n, 2)`, over the scene."""
    log_sides: np.ndarray
    """float64 `(n, 2)`, medians of a third of a second."""
    speeds_xy: np.ndarray
    """float64 `(n, 2)`, px a second over the scene; 0 where too few boxes tell it."""

    @classmethod
    def of(cls, pieces: Pieces, at: int) -> "Ends":
        """Where they begin (`at` 0) or end (-1)."""
        speeds, sides = np.zeros((len(pieces), 2)), np.zeros((len(pieces), 2))
        for place, (seconds, xy, log_sides) in enumerate(
            zip(pieces.seconds, pieces.places_xy, pieces.log_sides, strict=True)
        ):
            near = np.abs(seconds - seconds[at]) <= END_SECONDS
            sides[place] = np.median(log_sides[near], axis=0)
            centred = seconds[near] - seconds[near].mean()
            if near.sum() >= 3 and np.ptp(centred) > END_SECONDS / 3:
                speeds[place] = centred @ (xy[near] - xy[near].mean(axis=0)) / (centred @ centred)
        picked = [np.array([values[at] for values in column]) for column in (pieces.seconds, pieces.places_xy)]
        return cls(picked[0], picked[1].reshape(-1, 2), sides, speeds)


@dataclass(frozen=True)
class Links:
    """Pairs of tracklets that may be one animal, the surest first."""

    first: np.ndarray
    """int64 `(n,)`, the earlier, or the whole, by its place among the pieces."""
    second: np.ndarray
    """int64 `(n,)`, the later, or the part."""
    log_odds: np.ndarray
    """float64 `(n,)`."""


def after_links(pieces: Pieces) -> Links:
    """Of every end and every beginning within reach of it, those that are made and those that leave it open."""
    ends, begins = Ends.of(pieces, -1), Ends.of(pieces, 0)
    first, second = _in_time(ends.seconds, begins.seconds)
    gap = begins.seconds[second] - ends.seconds[first]
    length = np.exp((ends.log_sides[first].mean(axis=1) + begins.log_sides[second].mean(axis=1)) / 2)
    way = begins.places_xy[second] - ends.places_xy[first]
    direct = np.hypot(*way.T) / length
    grown = np.abs(begins.log_sides[second] - ends.log_sides[first]).max(axis=1, initial=0)
    reach = (direct < FARTHEST + FARTHEST_A_SECOND * gap) & (grown < MOST_GROWN)
    forward, backward = (
        np.hypot(*(way - speeds * gap[:, None]).T) / length
        for speeds in (ends.speeds_xy[first], begins.speeds_xy[second])
    )
    log_odds = (
        NEAREST * np.log(NEAR + np.minimum(forward, backward))
        + DIRECT * np.log(NEAR + direct)
        + MEAN * np.log(NEAR + (forward + backward) / 2)
        + ALWAYS
    )
    kept = np.flatnonzero(reach & (log_odds > OPEN_LOG_ODDS))
    order = kept[np.lexsort((second[kept], first[kept], -log_odds[kept]))]
    return Links(first[order], second[order], log_odds[order])


def _in_time(ends: np.ndarray, begins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of an end and a beginning that follows it in time; `begins` is sorted."""
    low = np.searchsorted(begins, ends, side="right")
    high = np.searchsorted(begins, ends + LONGEST_GAP_SECONDS, side="right")
    counts = high - low
    first = np.repeat(np.arange(len(ends)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return first, np.repeat(low, counts) + within


def within_links(pieces: Pieces) -> Iterator[tuple[int, int]]:
    """Of every tracklet in the gaps of others, the one whose way it lies nearest to and itself, by their places."""
    begins = np.array([frames[0] for frames in pieces.frames])
    ends, sizes = (
        np.array([frames[-1] for frames in pieces.frames]),
        np.array([len(frames) for frames in pieces.frames]),
    )
    for small in range(len(pieces)):
        about = np.flatnonzero((begins < begins[small]) & (ends > ends[small]) & (sizes > sizes[small]))
        best = min(((_off(pieces, int(large), small), int(large)) for large in about), default=(np.inf, -1))
        if best[0] < WITHIN_LENGTHS:
            yield best[1], small


def _off(pieces: Pieces, large: int, small: int) -> float:
    """How far the small one lies from the large one's way, in body lengths; infinite where they can't be one."""
    seconds = pieces.seconds[small]
    known = pieces.seconds[large]
    place = np.column_stack([np.interp(seconds, known, column) for column in pieces.places_xy[large].T])
    distance = np.hypot(*(place - pieces.places_xy[small]).T)
    if distance.min() > 4 * WITHIN_LENGTHS * np.exp(pieces.log_sides[large].mean()):
        return np.inf
    sides = np.column_stack([np.interp(seconds, known, column) for column in pieces.log_sides[large].T])
    length = np.exp((sides.mean(axis=1) + pieces.log_sides[small].mean(axis=1)) / 2)
    grown = np.median(np.abs(sides - pieces.log_sides[small]).max(axis=1))
    is_one = grown < WITHIN_GROWN and not np.isin(pieces.frames[small], pieces.frames[large]).any()
    return float(np.median(distance / length)) if is_one else np.inf


def part_links(rows: pl.DataFrame) -> dict[str, str]:
    """The tracklet that each part lies in, by the part's; `rows` holds one video's boxes with `is_part`."""
    edges = [(pl.col(low) + pl.col(side)).alias(f"{low}_end") for low, side in zip(BOX[:2], BOX[2:], strict=True)]
    area = pl.col(BOX[2]) * pl.col(BOX[3])
    # As `are_parts` has it: of two that are as large, the one that is numbered later is the part.
    size = pl.struct(area.median().over("tracklet_id"), pl.col("tracklet_id").rank("dense", descending=True))
    boxes = rows.select("frame_id", "tracklet_id", "is_part", *BOX, *edges, size.rank("dense").alias("size"))
    pairs = (
        boxes.filter("is_part")
        .join(boxes, on="frame_id", suffix="_whole")
        .filter(pl.col("size") < pl.col("size_whole"))
    )
    shared = [
        (pl.min_horizontal(f"{low}_end", f"{low}_end_whole") - pl.max_horizontal(low, f"{low}_whole")).clip(0)
        for low in BOX[:2]
    ]
    inside = pairs.filter(shared[0] * shared[1] >= INSIDE_SHARE * area)
    counts = inside.group_by("tracklet_id", "tracklet_id_whole").len()
    order = counts.sort("tracklet_id", -pl.col("len").cast(pl.Int64), "tracklet_id_whole")
    return dict(order.unique("tracklet_id", keep="first").select("tracklet_id", "tracklet_id_whole").iter_rows())
