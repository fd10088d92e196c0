"""Means by hand, and labels back on the detections they came from."""

import numpy as np
import pytest

from megafish_assets.features.pooling import some_units, spread, tracklet_codes, tracklet_means, unit_codes

TRACKLETS = np.array(["b", None, "a", "b", None, "a"], dtype=object)


def test_nothing_has_no_tracklets() -> None:
    none = np.array([], dtype=object)
    assert tracklet_codes(none).shape == unit_codes(none).shape == (0,)
    assert tracklet_means(np.empty((0, 3)), unit_codes(none)).shape == (0, 3)
    assert spread(np.array([], dtype=int), unit_codes(none)).shape == (0,)


def test_tracklets_count_by_name_and_untracked_rows_are_units_of_their_own() -> None:
    assert tracklet_codes(TRACKLETS).tolist() == [1, -1, 0, 1, -1, 0]
    assert unit_codes(TRACKLETS).tolist() == [1, 2, 0, 1, 3, 0]
    assert unit_codes(np.array([None, None])).tolist() == [0, 1]


def test_a_mean_is_that_of_the_tracklets_rows() -> None:
    rows = np.array([[1.0, 0.0], [9.0, 9.0], [2.0, 2.0], [3.0, 4.0], [5.0, 5.0], [4.0, 0.0]])
    assert tracklet_means(rows, unit_codes(TRACKLETS)).tolist() == [[3, 1], [2, 2], [9, 9], [5, 5]]


def test_labels_go_back_to_every_detection() -> None:
    assert spread(np.array([5, 6, -1, 7]), unit_codes(TRACKLETS)).tolist() == [6, -1, 5, 6, 7, 5]
    with pytest.raises(ValueError, match="3 rows for 4 tracklets"):
        spread(np.array([1, 2, 3]), unit_codes(TRACKLETS))


def test_some_units_are_whole_and_no_more_than_asked_for() -> None:
    units = np.repeat(np.arange(20), 3)
    drawn = some_units(units, 10, seed=1)
    assert drawn.sum() == 9 and (drawn.reshape(20, 3).all(axis=1) | ~drawn.reshape(20, 3).any(axis=1)).all()
    assert np.array_equal(drawn, some_units(units, 10, seed=1)) and not np.array_equal(drawn, some_units(units, 10, 2))
    assert some_units(units, 60, seed=1).all() and not some_units(np.empty(0, int), 5, seed=1).size


def test_a_unit_that_does_not_fit_is_passed_over_and_one_is_always_taken() -> None:
    assert some_units(np.zeros(12, int), 10, seed=42).sum() == 12
    units = np.array([0] * 12 + list(range(1, 30)))
    assert {int(some_units(units, 20, seed).sum()) for seed in range(8)} == {20}
