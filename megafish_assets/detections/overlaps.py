"""Which boxes are at one place: those that overlap by half. What recurs at one is told in `recurrences.py`."""

import numpy as np

SAME_PLACE_IOU = 0.5
"""Overlap of two boxes of one place, intersection over union."""


def overlapping(boxes: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every pair of a box `(n, 4)` and a place `(m, 4)` that overlap by `SAME_PLACE_IOU`, as row numbers of both."""
    from scipy.spatial import cKDTree

    # Half of the union shared means that of each side at least half is: no middle lies further off than half of the
    # longer of two sides, and no side is more than twice as long as the other. So what is looked at grows with the
    # boxes of like size and place, not with all of them, and a wiper's box does not widen the search for a fish's.
    middles = [xywh[:, :2] + xywh[:, 2:] / 2 for xywh in (boxes, places)]
    octaves = [np.floor(np.log2(np.maximum(xywh[:, 2:].max(axis=1), 1e-3))) for xywh in (boxes, places)]
    rows, others = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for octave in np.unique(octaves[0]):
        mine = np.flatnonzero(octaves[0] == octave)
        theirs = np.flatnonzero(np.abs(octaves[1] - octave) <= 1)
        if len(theirs):
            near = cKDTree(middles[1][theirs]).query_ball_point(middles[0][mine], 2 ** (octave + 1), p=np.inf)
            rows.append(np.repeat(mine, [len(found) for found in near]))
            others += [theirs[found] for found in near]
    row, other = np.concatenate(rows), np.concatenate(others)
    same = pair_overlaps(boxes[row], places[other]) >= SAME_PLACE_IOU
    return row[same], other[same]


def pair_overlaps(a_xywh: np.ndarray, b_xywh: np.ndarray) -> np.ndarray:
    """Intersection over union of each box with the one in the same row, `(n,)`; 0 of two without area."""
    low = np.maximum(a_xywh[:, :2], b_xywh[:, :2])
    high = np.minimum(a_xywh[:, :2] + a_xywh[:, 2:], b_xywh[:, :2] + b_xywh[:, 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    union = a_xywh[:, 2:].prod(-1) + b_xywh[:, 2:].prod(-1) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
