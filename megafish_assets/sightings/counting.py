"""How many of a kind are in view look by look, of the spans of their tracklets.

```
looks         . . . . . . . . . . . .
a tracklet    |---------| . .               bridged: it counts from its first look to its last, also where the
another           |---------------|         detector missed it
a part          |-|                         most of its boxes lie inside a larger one of its kind: it counts for nothing
count         1 1 2 2 2 2 1 1 1 1 1 0       held: as many as half of the looks of some third of a second hold
```
"""

import numpy as np

HELD_SECONDS = 1 / 3
"""A count has to hold in half of the looks of such a stretch: where one tracklet ends and the next of the same animal
begins, both may be there for a moment."""

FEWEST_LOOKS = 4
"""In that stretch: with three, half of them is two, and one missed box loses the animal. Then the plain maximum."""

INSIDE_SHARE = 0.9
"""Of a box's area inside a larger one of its kind, from which on it is taken for a part of the same animal; with 0.7 or
0.8 the same were found on reefs of four seeds."""

HELD, PLAIN, MIXED = "held", "plain", "mixed"
"""Rules of MaxN; `mixed` is a window over videos of either."""


def are_parts(groups: np.ndarray, box_xywh: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """bool `(n,)`, whether a box lies inside one of its group that is of something larger.

    `groups`, int `(n,)` and sorted, are a look and a kind each; boxes `(n, 4)` go with them row for row, and so do
    `sizes` `(n,)`, which say how large the box's tracklet is: boxes about one animal take turns in being the larger,
    and each would be a part of the other. Of equal ones the later is the part.
    """
    found = np.zeros(len(groups), dtype=bool)
    area = box_xywh[:, 2:].prod(axis=1)
    apart = 1
    # Neighbours at distance 1 in the order, then 2, ... until no group is so large.
    while (pairs := np.flatnonzero(groups[apart:] == groups[:-apart])).size:
        one, other = pairs, pairs + apart
        shared = _shared(box_xywh[one], box_xywh[other])
        first_is_smaller = sizes[one] < sizes[other]
        small = np.where(first_is_smaller, one, other)
        found[small[shared >= INSIDE_SHARE * area[small]]] = True
        apart += 1
    return found


def _shared(a_xywh: np.ndarray, b_xywh: np.ndarray) -> np.ndarray:
    low = np.maximum(a_xywh[:, :2], b_xywh[:, :2])
    high = np.minimum(a_xywh[:, :2] + a_xywh[:, 2:], b_xywh[:, :2] + b_xywh[:, 2:])
    return np.clip(high - low, 0, None).prod(axis=1)


def rule_of(n_looks_held: int) -> str:
    """The rule of MaxN for a video of which `HELD_SECONDS` hold so many looks."""
    return HELD if n_looks_held >= FEWEST_LOOKS else PLAIN


def held_counts(counts: np.ndarray, n_looks_held: int) -> np.ndarray:
    """int64 `(n_kinds, n_looks)`: of each look's count as many as are held around it.

    `counts` has the same shape. Their maximum over any looks is the MaxN of these looks: the most that are seen in at
    least half of the looks of some stretch of `n_looks_held`. Under `FEWEST_LOOKS` the counts themselves.
    """
    n_looks = counts.shape[1]
    length = min(n_looks_held, n_looks)
    if length < FEWEST_LOOKS:
        return counts
    stretches = np.lib.stride_tricks.sliding_window_view(counts, length, axis=1)
    at_least_half = length - (length + 1) // 2
    held = np.partition(stretches, at_least_half, axis=2)[..., at_least_half]
    padded = np.pad(held, ((0, 0), (length - 1, length - 1)))
    around = np.lib.stride_tricks.sliding_window_view(padded, length, axis=1).max(axis=2)
    return np.minimum(counts, around)


def bridged(kinds: np.ndarray, first: np.ndarray, last: np.ndarray, n_kinds: int, n_looks: int) -> np.ndarray:
    """int64 `(n_kinds, n_looks)`, how many tracklets of each kind span each look, both ends included."""
    steps = np.zeros((n_kinds, n_looks + 1), dtype=np.int64)
    np.add.at(steps, (kinds, first), 1)
    np.add.at(steps, (kinds, last + 1), -1)
    return steps.cumsum(axis=1)[:, :-1]
