"""Held counts, spans and parts, by hand."""

import numpy as np
import pytest

from megafish_assets.sightings.counting import HELD, PLAIN, are_parts, bridged, held_counts, rule_of


def test_a_second_box_for_a_moment_is_not_held_and_one_for_half_of_the_looks_is() -> None:
    moment = [1] * 8 + [2] * 4 + [1] * 8
    half = [1] * 8 + [2] * 5 + [1] * 7
    assert held_counts(np.array([moment, half]), 10).max(axis=1).tolist() == [1, 2]


def test_an_animal_that_is_missed_in_every_other_look_is_held() -> None:
    assert held_counts(np.array([[3, 0] * 10]), 10).max() == 3


def test_a_held_count_is_reached_in_a_look_that_shows_as_many() -> None:
    counts = np.array([[0] * 5 + [2] * 6 + [0] * 9])
    held = held_counts(counts, 10)[0]
    assert held.tolist() == counts[0].tolist()


def test_no_look_holds_more_than_it_shows_though_others_about_it_do() -> None:
    held = held_counts(np.array([[4] * 10 + [1] * 10]), 10)[0]
    assert held[:10].tolist() == [4] * 10 and held[10:].tolist() == [1] * 10


@pytest.mark.parametrize("n_looks", [1, 2, 3])
def test_with_fewer_than_four_looks_in_a_stretch_the_count_itself_stands(n_looks: int) -> None:
    counts = np.array([[0, 5, 0, 1, 0, 0]])
    assert held_counts(counts, n_looks).tolist() == counts.tolist()
    assert rule_of(n_looks) == PLAIN and rule_of(4) == HELD


def test_a_video_shorter_than_a_stretch_is_one_stretch() -> None:
    assert held_counts(np.array([[2, 2, 2, 0, 0, 0]]), 10).max() == 2
    assert held_counts(np.array([[2, 2, 0, 0, 0, 0]]), 10).max() == 0
    assert held_counts(np.array([[2, 2]]), 10).max() == 2


def test_of_no_kind_and_of_no_tracklet_there_is_nothing() -> None:
    assert held_counts(np.zeros((0, 20), dtype=np.int64), 10).shape == (0, 20)
    none = np.empty(0, dtype=np.int64)
    assert bridged(none, none, none, 2, 3).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_a_tracklet_counts_from_its_first_look_to_its_last() -> None:
    spans = bridged(np.array([0, 0, 1]), np.array([0, 2, 3]), np.array([2, 3, 3]), 2, 5)
    assert spans.tolist() == [[1, 1, 2, 1, 0], [0, 0, 0, 1, 0]]


BOXES = np.array([[0.0, 0, 100, 50], [10, 10, 20, 20], [95, 0, 20, 20], [0, 0, 100, 50]])
SIZES = BOXES[:, 2] * BOXES[:, 3]


def test_a_box_inside_a_larger_one_of_its_group_is_a_part_and_one_that_sticks_out_is_none() -> None:
    assert are_parts(np.array([7, 7, 7]), BOXES[:3], SIZES[:3]).tolist() == [False, True, False]
    assert are_parts(np.array([7, 8, 8]), BOXES[:3], SIZES[:3]).tolist() == [False, False, False]


def test_of_two_equal_boxes_one_is_a_part() -> None:
    assert are_parts(np.array([1, 1]), BOXES[[0, 3]], SIZES[[0, 3]]).tolist() == [False, True]


def test_a_box_that_is_the_smaller_one_for_once_is_no_part_of_what_it_mostly_holds() -> None:
    boxes = np.array([[0.0, 0, 100, 50], [0, 0, 101, 51], [0, 0, 100, 50], [0, 0, 99, 49]])
    groups, sizes = np.array([0, 0, 1, 1]), np.array([2, 1, 2, 1])
    assert are_parts(groups, boxes, sizes).tolist() == [False, True, False, True]


def test_parts_are_found_across_others_of_their_group() -> None:
    small_first = np.array([BOXES[1], BOXES[2], BOXES[0]])
    assert are_parts(np.zeros(3, dtype=np.int64), small_first, small_first[:, 2:].prod(axis=1)).tolist() == [
        True,
        False,
        False,
    ]
    assert are_parts(np.empty(0, dtype=np.int64), np.empty((0, 4)), np.empty(0)).tolist() == []
