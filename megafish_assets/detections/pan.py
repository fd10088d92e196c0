"""How the camera pans, from the boxes alone: the shift that most of them share between two frames. No video opened."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

FASTEST_1024_A_SECOND = 1_920.0
"""Largest shift looked for, px a second on either axis: the whole picture passes in half of one."""

LOG_SIZE_APART = 0.35
"""Two boxes of one fish in neighboring frames differ by less in the natural log of width and of height: on the reef
999 of 1,000 do."""

AGREE_1024 = 6.0
"""Shifts no further apart than this on either axis, px a frame, are one: the edges of a 100 px box tremble by 3 px,
and fish that swim their own way are many enough to outweigh each other only if they are let in."""

AGREE_FRAMES = 2
"""Frames before and after whose shifts speak too: a camera has mass, and three fish alone agree by chance."""

MOST_VOTES = 2_000
"""Of one frame, a seeded draw where there are more: a dense school's pairs grow as the square of its fish, and what is
compared of them as the square of that."""

LENS_WEIGHT = 0.5
"""What a shift of nothing counts: growth on the lens repeats in one place, and as many fish that drift must win."""

SMOOTHED_FRAMES = 2.5
"""Standard deviation of the smoothing over time, frames: with less, the pan is further from the reef camera's path
and from what a hand-held one's pixels show; with 3.5 the aquarium's tracklets get shorter."""

SMOOTHED_OVER = 6
"""Frames before and after that the smoothing reaches."""

LONGEST_GAP_SECONDS = 0.5
"""From one observation of a thing to its next; longer is a guess. On a reef, with 0.35 a track falls into an eighth
more pieces; no more boxes are with another fish at 0.5."""

FEWEST_GAP_FRAMES = 2
"""A gap of so many frames is bridged at any rate: one miss, where frames are further apart than that."""


@dataclass(frozen=True)
class Pan:
    """How the scene moves through one video, a row a frame that holds boxes; `(n_frames,)` unless said otherwise."""

    clock_frames: np.ndarray
    """int64, frames since the first, where a gap longer than the longest counts as one more than that."""
    shift_xy_1024: np.ndarray
    """float64 `(n_frames, 2)`, px of the stretched frame that the scene moves in one frame; 0 at the first."""
    n_boxes: np.ndarray
    """int64, boxes that moved so since the frame before; 0 where none did and the shift is its neighbors'."""

    def travelled_xy_1024(self) -> np.ndarray:
        """Where the scene has moved to since the first frame, float64 `(n_frames, 2)`."""
        elapsed = np.diff(self.clock_frames, prepend=0)
        return np.cumsum(self.shift_xy_1024 * elapsed[:, None], axis=0)


def longest_gap_frames(frames_per_second: float) -> int:
    """`LONGEST_GAP_SECONDS` in frames, at least `FEWEST_GAP_FRAMES`."""
    return max(FEWEST_GAP_FRAMES, round(LONGEST_GAP_SECONDS * frames_per_second))


def frames_of(frame_ids: np.ndarray, longest_gap: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each frame's rows begin, with the end `(n_frames + 1,)`, and the frames' clock `(n_frames,)`.

    `frame_ids` is int64 and ascending; gaps above `longest_gap` frames are shortened to one more, so that no frame
    number, however odd, costs memory.
    """
    starts = np.flatnonzero(np.diff(frame_ids, prepend=frame_ids[:1] - 1))
    # Unsigned, the distance of the two ends of int64 does not overflow.
    gaps = np.diff(frame_ids[starts].astype(np.uint64))
    clock = np.cumsum(np.minimum(gaps, longest_gap + 1).astype(np.int64))
    return np.append(starts, len(frame_ids)), np.concatenate([np.zeros(min(len(starts), 1), np.int64), clock])


def panned(frame_ids: np.ndarray, centre_xy_1024: np.ndarray, log_size_wh: np.ndarray, frames_per_second: float) -> Pan:
    """The pan of one video from its boxes, sorted by frame: centres `(n, 2)` and natural logs of their sizes `(n, 2)`.

    Each pair of boxes of a like size in neighboring frames votes for its shift; the shift with most votes nearby, in
    this frame and the two either side, is the pan; its boxes' median says how far, each as heavy as it is small, as
    fish swim and boxes tremble in proportion to their size; and a running mean smooths it. Lens growth, the wiper and
    a fish's own way are outliers to it. Where three or fewer fish all swim one way, that way is taken for the pan.
    Source: the votes are a generalised Hough transform, Ballard 1981, Pattern Recognition 13(2).
    """
    #   frame k - 1      frame k         votes             the pan is where they pile up:
    #    a     b          a    b         a->a  a->b        a->a and b->b agree, a->b and b->a,
    #       c              c             b->a  b->b ...    which no animal made, fall anywhere
    longest_gap = longest_gap_frames(frames_per_second)
    starts, clock = frames_of(frame_ids, longest_gap)
    fastest = FASTEST_1024_A_SECOND / frames_per_second
    frame, box, shift = _votes(starts, clock, centre_xy_1024, log_size_wh, longest_gap, fastest)
    steadiness = np.exp(-log_size_wh.mean(axis=1))  # one over the geometric mean of its sides
    measured, n_boxes = _agreed(frame, box, shift, steadiness, len(clock))
    return Pan(clock, _smoothed(clock, measured, n_boxes), n_boxes)


def _votes(
    starts: np.ndarray,
    clock: np.ndarray,
    centre_xy: np.ndarray,
    log_wh: np.ndarray,
    longest_gap: int,
    fastest: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of every pair that may be one thing: its frame and the later box, int64 `(n_pairs,)`, and its shift in px a frame
    `(n_pairs, 2)`, at most `fastest`."""
    frames, boxes, shifts = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty((0, 2))]
    elapsed = np.diff(clock)
    for k in np.flatnonzero(elapsed <= longest_gap) + 1:
        before, now = slice(starts[k - 1], starts[k]), slice(starts[k], starts[k + 1])
        shift = (centre_xy[None, now] - centre_xy[before, None]) / elapsed[k - 1]
        # All boxes against all of the frame before: (before, now, x and y), since nobody knows yet who is who.
        alike = (np.abs(log_wh[None, now] - log_wh[before, None]) < LOG_SIZE_APART).all(-1)
        pair = np.nonzero(alike & (np.abs(shift) <= fastest).all(-1))
        if len(pair[0]) > MOST_VOTES:
            # Seeded by the frame, so that a video's pan does not depend on which others are tracked beside it.
            kept = np.random.default_rng(k).permutation(len(pair[0]))[:MOST_VOTES]
            pair = pair[0][kept], pair[1][kept]
        frames.append(np.full(len(pair[1]), k))
        boxes.append(starts[k] + pair[1])
        shifts.append(shift[pair])
    return np.concatenate(frames), np.concatenate(boxes), np.concatenate(shifts)


def _agreed(
    frame: np.ndarray, box: np.ndarray, shift: np.ndarray, steadiness: np.ndarray, n_frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """The shift of each frame `(n_frames, 2)` and how many of its boxes share it `(n_frames,)`; 0 without pairs."""
    agreed, n_boxes = np.zeros((n_frames, 2)), np.zeros(n_frames, np.int64)
    if not len(frame):
        return agreed, n_boxes
    # In units of what may differ, agreeing is lying within a cube of side 2 about a vote.
    places = np.column_stack([shift / AGREE_1024, frame / AGREE_FRAMES])
    tree = cKDTree(places)
    support = tree.query_ball_point(places, 1 + 1e-9, p=np.inf, return_length=True)
    # What grows on the lens stands still in the picture whatever the scene does, and there is always much of it.
    support = support * np.where((np.abs(shift) < AGREE_1024).all(-1), LENS_WEIGHT, 1.0)
    bounds = np.searchsorted(frame, np.arange(n_frames + 1))
    for k in np.unique(frame):
        of_frame = slice(bounds[k], bounds[k + 1])
        votes, weight = shift[of_frame], support[of_frame]
        # Among equals the smallest shift, whatever the order of the rows.
        at = votes[np.lexsort([votes[:, 1], votes[:, 0], np.abs(votes).sum(1), -weight])[0]]
        near = (np.abs(votes - at) <= AGREE_1024).all(-1)
        agreed[k] = _median(votes[near], steadiness[box[of_frame][near]])
        n_boxes[k] = len(np.unique(box[of_frame][near]))
    return agreed, n_boxes


def _median(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The weighted median of each column of `(n, 2)`: half of the weight lies on either side."""
    order = values.argsort(axis=0, kind="stable")
    passed = weights[order].cumsum(axis=0)
    at = (passed < passed[-1] / 2).sum(axis=0)
    return np.take_along_axis(values, np.take_along_axis(order, at[None], axis=0), axis=0)[0]


def _smoothed(clock: np.ndarray, measured: np.ndarray, n_boxes: np.ndarray) -> np.ndarray:
    """The measured shifts averaged over time, each as heavy as its boxes; 0 where no frame nearby has any."""
    if not len(clock):
        return measured
    # A weighted mean is a convolution of weight times value over one of weights; a frame without boxes weighs nothing.
    reach = np.arange(-SMOOTHED_OVER, SMOOTHED_OVER + 1)
    kernel = np.exp(-0.5 * (reach / SMOOTHED_FRAMES) ** 2)
    weight = np.zeros(clock[-1] + 1)
    weight[clock] = n_boxes
    total = np.convolve(weight, kernel)[SMOOTHED_OVER:-SMOOTHED_OVER][clock]
    smooth = np.zeros_like(measured)
    for axis in range(2):
        heavy = np.zeros(clock[-1] + 1)
        heavy[clock] = n_boxes * measured[:, axis]
        summed = np.convolve(heavy, kernel)[SMOOTHED_OVER:-SMOOTHED_OVER][clock]
        smooth[:, axis] = np.divide(summed, total, out=np.zeros_like(total), where=total > 0)
    smooth[0] = 0.0
    return smooth
