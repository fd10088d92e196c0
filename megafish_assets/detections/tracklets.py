"""Which detections are one animal: short, safe pieces of its track, from the boxes alone. No video opened.

A tracklet stops where it would have to guess, so that two animals never share one; one animal has several.
No tracking library does this: those of Roboflow's `trackers` that bear a moving camera measure it in the pixels,
Norfair takes a given shift but is no longer kept, and both give every box its best partner, however close the next.
"""

from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from megafish_assets.detections.columns import TRACKLETS
from megafish_assets.detections.faults import valid_rows
from megafish_assets.detections.pan import LONGEST_GAP_SECONDS, Pan, frames_of, longest_gap_frames, panned
from megafish_assets.footage.boxes import BOX
from megafish_assets.footage.columns import empty_table
from megafish_assets.footage.ids import tracklet_ids

PLACE_SPREAD_SHARE, PLACE_SPREAD_1024 = 0.05, 1.0
"""Standard deviation of a box's centre about where it was expected, share of its side and px: on the reef 99 % of
steps are under a tenth of the side without any expectation; the pixel is the pan's own error."""

LOG_SIZE_SPREAD = 0.1
"""The same of the natural log of width and height: fish that turn in a real aquarium need 0.1, the reef's 0.04."""

SPREAD_A_SECOND = 1.5
"""Growth of these spreads with every second unseen, beyond the 30th that they were measured over: three times that has
three times the wrong links on the reef and joins no more of the aquarium."""

MEASURED_AT = 30.0
"""Frames a second of the clips that the spreads were measured on; of a clip whose rate is not known, the guess."""

SLOWEST, FASTEST = 0.01, 1_000.0
"""Frames a second that are believed: from a time lapse to a high-speed camera."""

YOUNG, YOUNG_SPREAD = 3, 1.5
"""With fewer observations than this a tracklet's own speed is hardly known, and its place so many times as
uncertain."""

FARTHEST = 7.0
"""Largest distance of a partner in standard deviations, over place and size together. Fish start and turn: their steps
are no bell curve."""

FARTHEST_ALONE = 9.0
"""The same where no other box and no other tracklet is within `RIVAL` of the two: in five of six breaks of real tracks
that 4 made the fish was alone."""

RIVAL = 12.0
"""A box that far could never be the partner, yet speaks against a partner that is hardly nearer."""

CLEAR_ODDS = 7.0
"""Twice the natural log of the odds that a partner must have over every other: 33 to 1. Less would be a guess."""

PLACE_GAIN, SPEED_GAIN, YOUNG_SPEED_GAIN, SIZE_GAIN = 0.6, 0.2, 0.5, 0.4
"""Share of an observation's surprise that goes into the expected place, speed and size.

Source: the alpha-beta filter, Brookner 1998, Tracking and Kalman Filtering Made Easy, chapter 1.
"""

MOST_BOXES_A_FRAME = 500
"""Of a frame with more, each box is a tracklet of one: comparing them all grows as their square, and where so many lie
no partner would be clear."""

TOO_FAR = np.inf


@dataclass
class OpenTracklets:
    """Tracklets that may go on, row for row. Places have the pan removed: they are where the first frame would show."""

    number: np.ndarray
    """int64 `(n,)`, in order of first observation."""
    place_xy_1024: np.ndarray
    """float64 `(n, 2)`, expected centre at the last observation."""
    speed_xy_1024: np.ndarray
    """float64 `(n, 2)`, px a frame over the scene."""
    log_size_wh: np.ndarray
    """float64 `(n, 2)`, natural logs of the expected width and height."""
    last_clock: np.ndarray
    """int64 `(n,)`, frame of the last observation."""
    n_observations: np.ndarray
    """int64 `(n,)`."""

    def taken(self, rows: np.ndarray) -> "OpenTracklets":
        """Those of a mask or of row numbers."""
        return OpenTracklets(*[getattr(self, field.name)[rows] for field in fields(self)])

    def joined(self, other: "OpenTracklets") -> "OpenTracklets":
        """These, then the others."""
        pairs = [(getattr(self, field.name), getattr(other, field.name)) for field in fields(self)]
        return OpenTracklets(*[np.concatenate(pair) for pair in pairs])


def tracklets(rows: pl.DataFrame) -> pl.DataFrame:
    """The tracklet of every detection in the columns `TRACKLETS`, sorted by `detection_id`.

    `rows` holds the columns `RAW` of all detections of one or several videos, in any order. A faulty row belongs to no
    tracklet and has no row here, as nothing after raw uses it; a detection without a partner is a tracklet of one, and
    no tracklet holds two boxes of one frame. Boxes of a frame with more than `MOST_BOXES_A_FRAME` are tracklets of one,
    numbered last. A video's tracklets depend on its own valid rows only; its frame rate is what `seconds_in_video`
    says, and `MEASURED_AT` where that is null.
    """
    videos = valid_rows(rows).sort("video", "frame_id", "detection_id").partition_by("video", maintain_order=True)
    parts = [_of_one_video(video) for video in videos]
    return pl.concat([empty_table(TRACKLETS), *parts]).sort("detection_id")


def _of_one_video(rows: pl.DataFrame) -> pl.DataFrame:
    """The same of one video, whose rows are sorted by frame."""
    frame_ids, box_xywh = rows["frame_id"].to_numpy(), rows.select(BOX).to_numpy()
    centre_xy, log_wh = box_xywh[:, :2] + box_xywh[:, 2:] / 2, np.log(box_xywh[:, 2:])
    frames_per_second = _frames_per_second(rows)
    starts = frames_of(frame_ids, longest_gap_frames(frames_per_second))[0]
    n_boxes = np.diff(starts)
    frame = np.repeat(np.arange(len(n_boxes)), n_boxes)
    # Of a crowded frame, some boxes spread over its rows still tell the pan.
    is_voter = (np.arange(len(frame)) - starts[frame]) % -(-n_boxes // MOST_BOXES_A_FRAME)[frame] == 0
    pan = panned(frame_ids[is_voter], centre_xy[is_voter], log_wh[is_voter], frames_per_second)
    is_linked = (n_boxes <= MOST_BOXES_A_FRAME)[frame]
    ends = np.cumsum(np.where(n_boxes <= MOST_BOXES_A_FRAME, n_boxes, 0))
    number = np.empty(len(frame), np.int64)
    number[is_linked] = linked(pan, np.append(0, ends), centre_xy[is_linked], log_wh[is_linked], frames_per_second)
    n_begun = number[is_linked].max(initial=-1) + 1
    number[~is_linked] = n_begun + np.arange((~is_linked).sum())
    return rows.select(
        "video",
        "detection_id",
        tracklet_ids("video", pl.Series(number)).alias("tracklet_id"),
        pl.int_range(pl.len(), dtype=pl.Int64).over(pl.Series(number)).alias("position"),
        pl.Series("pan_x_1024", pan.shift_xy_1024[frame, 0]),
        pl.Series("pan_y_1024", pan.shift_xy_1024[frame, 1]),
        pl.Series("n_pan_boxes", pan.n_boxes[frame]),
    )


def _frames_per_second(rows: pl.DataFrame) -> float:
    """Of a video's rows; `MEASURED_AT` where their seconds say none that can be."""
    seconds = pl.col("seconds_in_video")
    rate = rows.filter(seconds.is_finite() & (seconds > 0)).select((pl.col("frame_id") / seconds).median()).item()
    return rate if rate is not None and SLOWEST <= rate <= FASTEST else MEASURED_AT


def linked(
    pan: Pan,
    starts: np.ndarray,
    centre_xy_1024: np.ndarray,
    log_size_wh: np.ndarray,
    frames_per_second: float,
) -> np.ndarray:
    """The tracklet's number of every box, int64 `(n,)`, from 0 in order of first observation.

    Boxes are sorted by frame, `starts` says where each frame begins; centres and natural logs of sizes are `(n, 2)`.
    Frame by frame, each open tracklet is expected at its last place plus its own speed. A box goes to the tracklet
    for which it is the likeliest, and which is the likeliest for it, by clear odds over all others; once such pairs
    are gone, others may have become clear. A tracklet that has a partner in reach but none by clear odds stops, and
    so does one that misses too long.
    Source: the two thresholds of Huang, Wu and Nevatia 2008, Robust object tracking by hierarchical association of
    detection responses, ECCV, section 3.1; theirs are on the likelihood and its lead over rivals as well.
    """
    # What is decided in one frame:
    #
    #   expected     boxes            1 is B's likeliest and B is 1's, by far: linked.
    #      1    ->     B              2 and 3 would both do for C: neither is clear, so both stop and C begins anew.
    #      2    ->                    A tracklet that stops is short; one that takes the wrong box is two animals
    #      3    ->     C              in one, which everything after it would believe.
    number, n_begun = np.empty(len(centre_xy_1024), np.int64), 0
    still_xy = centre_xy_1024 - np.repeat(pan.travelled_xy_1024(), np.diff(starts), axis=0)
    # With the pan taken out, a fish that rests over the reef rests here too, however the camera turns.
    opened, longest_gap = _begun(0, np.empty((0, 2)), np.empty((0, 2)), 0), longest_gap_frames(frames_per_second)
    for clock, start, stop in zip(pan.clock_frames, starts[:-1], starts[1:], strict=True):
        place_xy, log_wh = still_xy[start:stop], log_size_wh[start:stop]
        opened = opened.taken(clock - opened.last_clock <= longest_gap)
        partner, stopped = _partners(*_unlikeliness(opened, clock, place_xy, log_wh, frames_per_second))
        paired, alone = np.flatnonzero(partner >= 0), np.flatnonzero(partner < 0)
        number[start + paired] = opened.number[partner[paired]]
        number[start + alone] = n_begun + np.arange(len(alone))
        _learn(opened, partner[paired], clock, place_xy[paired], log_wh[paired])
        opened = opened.taken(~stopped).joined(_begun(n_begun, place_xy[alone], log_wh[alone], clock))
        n_begun += len(alone)
    return number


def _begun(first_number: int, place_xy: np.ndarray, log_wh: np.ndarray, clock: int) -> OpenTracklets:
    """A tracklet a box."""
    n = len(place_xy)
    ones = np.ones(n, np.int64)
    return OpenTracklets(
        first_number + np.arange(n), place_xy.copy(), np.zeros((n, 2)), log_wh.copy(), clock * ones, ones
    )


def _unlikeliness(
    opened: OpenTracklets, clock: int, place_xy: np.ndarray, log_wh: np.ndarray, frames_per_second: float
) -> tuple[np.ndarray, np.ndarray]:
    """Minus twice the log likelihood of each box for each tracklet `(n_open, n_boxes)`, infinite beyond a rival's
    distance; and whether the box is near enough to be the partner, bool of that shape."""
    # How far off is too far grows with the size of the animal, with time unseen, and while its speed is unknown.
    elapsed = clock - opened.last_clock
    seconds = np.minimum(elapsed / frames_per_second, LONGEST_GAP_SECONDS)  # after longer, any box would be in reach
    unseen = 1 + SPREAD_A_SECOND * (seconds - 1 / MEASURED_AT)
    unsure = unseen * np.where(opened.n_observations < YOUNG, YOUNG_SPREAD, 1.0)
    place_spread = (PLACE_SPREAD_SHARE * np.exp(opened.log_size_wh) + PLACE_SPREAD_1024) * unsure[:, None]
    size_spread = np.repeat(LOG_SIZE_SPREAD * unseen[:, None], 2, axis=1)
    expected_xy = opened.place_xy_1024 + opened.speed_xy_1024 * elapsed[:, None]
    expected, spread = np.hstack([expected_xy, opened.log_size_wh]), np.hstack([place_spread, size_spread])
    apart = (np.hstack([place_xy, log_wh])[None] - expected[:, None]) / spread[:, None]
    squared = (apart**2).sum(-1)
    # The logarithm of the spreads keeps a vague tracklet, near which everything lies, from winning against a sure one.
    unlikeliness = squared + 2 * np.log(spread).sum(-1)[:, None]
    in_reach = squared <= RIVAL**2
    is_alone = (in_reach.sum(1) == 1)[:, None] & (in_reach.sum(0) == 1)
    near = squared <= np.where(is_alone, FARTHEST_ALONE, FARTHEST) ** 2
    return np.where(in_reach, unlikeliness, TOO_FAR), near


def _partners(unlikeliness: np.ndarray, near: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The row of each box's tracklet, or -1, int64 `(n_boxes,)`; and which tracklets stop, bool `(n_open,)`."""
    # Once a clear pair is taken away, a box that wavered between it and another is clear too: until none is left.
    left = unlikeliness.copy()
    n_open, n_boxes = left.shape
    partner, is_paired = np.full(n_boxes, -1), np.zeros(n_open, bool)
    if left.size:
        while True:
            row, box = _clear_pairs(left, near)
            if not len(row):
                break
            partner[box], is_paired[row] = row, True
            left[row], left[:, box] = TOO_FAR, TOO_FAR
    return partner, ~is_paired & (np.isfinite(left) & near).any(1)


def _clear_pairs(unlikeliness: np.ndarray, near: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pairs that are near and lead every other pair of their row and column by clear odds."""
    row, box = np.arange(unlikeliness.shape[0]), unlikeliness.argmin(1)
    best, found = unlikeliness[row, box], near[row, box]
    found &= np.isfinite(best) & (unlikeliness.argmin(0)[box] == row)
    row, box, best = row[found], box[found], best[found]
    # The runner-up of a pair is the better of the next in its row (another box) and in its column (another tracklet).
    others = unlikeliness.copy()
    others[row, box] = TOO_FAR
    clear = np.minimum(others[row].min(1), others[:, box].min(0)) - best >= CLEAR_ODDS
    return row[clear], box[clear]


def _learn(opened: OpenTracklets, rows: np.ndarray, clock: int, place_xy: np.ndarray, log_wh: np.ndarray) -> None:
    """Takes each tracklet's new observation into what it expects."""
    elapsed = (clock - opened.last_clock[rows])[:, None]
    n_observations = opened.n_observations[rows][:, None]
    expected_xy = opened.place_xy_1024[rows] + opened.speed_xy_1024[rows] * elapsed
    surprise_xy = place_xy - expected_xy
    gain = np.where(n_observations < YOUNG, YOUNG_SPEED_GAIN, SPEED_GAIN)
    opened.place_xy_1024[rows] = expected_xy + PLACE_GAIN * surprise_xy
    opened.speed_xy_1024[rows] += gain * surprise_xy / elapsed
    opened.log_size_wh[rows] += SIZE_GAIN * (log_wh - opened.log_size_wh[rows])
    opened.last_clock[rows] = clock
    opened.n_observations[rows] += 1
