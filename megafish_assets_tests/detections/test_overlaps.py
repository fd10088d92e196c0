"""Which boxes are at one place, beside every pair by hand."""

import numpy as np

from megafish_assets.detections.overlaps import overlapping


def test_every_pair_that_overlaps_by_half_is_found_and_no_other() -> None:
    rng = np.random.default_rng(5)
    boxes = np.column_stack([rng.uniform(0, 60, (400, 2)), np.exp(rng.uniform(1.5, 4.5, (400, 2)))])
    a, b = boxes[:200], boxes[200:]
    expected = set()
    for i, (x, y, w, h) in enumerate(a):
        for j, (u, v, s, t) in enumerate(b):
            shared = max(0.0, min(x + w, u + s) - max(x, u)) * max(0.0, min(y + h, v + t) - max(y, v))
            if shared / (w * h + s * t - shared) >= 0.5:
                expected.add((i, j))
    row, other = overlapping(a, b)
    assert len(expected) > 20 and set(zip(row.tolist(), other.tolist(), strict=True)) == expected
    assert len(overlapping(boxes[:0], boxes)[0]) == len(overlapping(boxes, boxes[:0])[0]) == 0
