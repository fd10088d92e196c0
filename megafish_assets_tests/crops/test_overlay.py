"""Whole frames with their boxes drawn."""

import cv2
import numpy as np
import polars as pl
import pytest

from megafish_assets.crops.overlay import OTHER_BGR, SAMPLED_BGR, FrameKeeper, draw_boxes, jpeg
from megafish_assets.crops.tables import busiest_frames
from megafish_assets.footage.boxes import Boxes
from megafish_assets.footage.decoding import Frame
from megafish_assets.footage.picture import Picture

GREY = np.full((512, 512, 3), 40, np.uint8)


def sampled(*rows: tuple[str, int]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"video": pl.String, "frame_id": pl.Int64}, orient="row")


def boxes(**named: list[float]) -> Boxes:
    """Boxes in the stretched frame, by id."""
    n, places = len(named), np.array(list(named.values()), dtype=float).reshape(-1, 4)
    return Boxes(np.array(list(named), dtype=str), np.zeros(n, np.int64), places, np.full(n, 0.87))


def test_no_rows_have_no_busiest_frame() -> None:
    assert busiest_frames(sampled()).rows() == []


def test_the_busiest_frame_has_most_boxes_and_is_the_earliest_of_equals() -> None:
    rows = sampled(("b", 9), ("b", 9), ("b", 4), ("b", 4), ("b", 1), ("a", 7))
    assert busiest_frames(rows).rows() == [("a", 7), ("b", 4)]


def drawn(given: Boxes, sampled_ids: set[str]) -> np.ndarray:
    pixels = GREY.copy()
    draw_boxes(pixels, given, sampled_ids)
    return pixels


def test_no_boxes_leave_the_frame_as_it_was() -> None:
    assert np.array_equal(drawn(boxes(), set()), GREY)


def test_sampled_boxes_are_yellow_and_others_grey_at_their_edges() -> None:
    given = boxes(fish=[200, 200, 400, 400], weed=[700, 700, 200, 200], gone=[-99, 0, 9, 9])
    seen = drawn(given, {"fish", "gone"})
    # Half a pixel a unit: the fish's left edge is column 100, the weed's bottom row is 449.
    assert tuple(seen[200, 100]) == SAMPLED_BGR
    assert seen[449, 400] == pytest.approx(OTHER_BGR, abs=20)  # a thin line is smoothed
    assert tuple(seen[200, 200]) == tuple(seen[10, 400]) == (40, 40, 40)


def test_sampled_boxes_lie_over_others() -> None:
    seen = drawn(boxes(a_fish=[200, 200, 400, 400], weed=[200, 200, 400, 400]), {"a_fish"})
    assert tuple(seen[200, 100]) == SAMPLED_BGR


def test_a_keeper_keeps_its_frame_only() -> None:
    keeper = FrameKeeper(2)
    for frame_id in range(4):
        keeper(Frame(frame_id, 0.0, Picture.of_bgr(np.full((2, 2, 3), frame_id, np.uint8))))
    assert [pixels[0, 0, 0] for pixels in keeper.kept] == [2]


@pytest.mark.parametrize(("width_px", "expected_hw"), [(100, (50, 100)), (400, (100, 200))])
def test_files_are_scaled_down_and_never_up(width_px: int, expected_hw: tuple[int, int]) -> None:
    picture = np.full((100, 200, 3), 90, np.uint8)
    assert cv2.imdecode(np.frombuffer(jpeg(picture, width_px), np.uint8), cv2.IMREAD_COLOR).shape[:2] == expected_hw
