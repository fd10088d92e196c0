"""The pan against the path that the reef's camera took, and against scenes made by hand."""

import numpy as np
import polars as pl
import pytest

from megafish_assets.detections.pan import Pan, longest_gap_frames, panned
from megafish_assets.detections.raw import raw_detections
from megafish_assets.footage.boxes import BOX
from megafish_assets.footage.clocks import Clock
from megafish_assets.reef.plan import ReefPlan
from megafish_assets.reef.tables import simulate_video

N_FRAMES = 20
FISH_XY_WH = np.array([[40, 100, 70, 40], [200, 300, 90, 50], [90, 600, 60, 35], [300, 800, 80, 45]], float)
GROWTH_XY_WH = np.array([[10, 10, 80, 60], [900, 20, 70, 70], [500, 930, 75, 60]], float)

FRAMES_PER_SECOND = 30.0


def pan_of(rows: pl.DataFrame) -> Pan:
    rows = rows.sort("frame_id", "detection_id")
    box = rows.select(BOX).to_numpy()
    return panned(rows["frame_id"].to_numpy(), box[:, :2] + box[:, 2:] / 2, np.log(box[:, 2:]), FRAMES_PER_SECOND)


def scene(drifting: np.ndarray, fixed: np.ndarray, shift_xy: tuple[float, float], frame_ids: np.ndarray) -> Pan:
    """The pan of boxes that drift by `shift_xy` a frame, and of others that stay; edges tremble by a pixel."""
    rng = np.random.default_rng(3)
    frames, boxes = [], []
    for frame_id in frame_ids:
        moved = drifting + np.array([*shift_xy, 0, 0]) * (frame_id - frame_ids[0])
        frames.append(np.full(len(drifting) + len(fixed), frame_id))
        boxes.append(np.vstack([moved, fixed]) + rng.normal(0, 1, (len(drifting) + len(fixed), 4)))
    frame, box = np.concatenate(frames), np.concatenate(boxes)
    return panned(frame, box[:, :2] + box[:, 2:] / 2, np.log(box[:, 2:]), FRAMES_PER_SECOND)


def test_no_boxes_have_no_frames() -> None:
    pan = panned(np.empty(0, np.int64), np.empty((0, 2)), np.empty((0, 2)), FRAMES_PER_SECOND)
    assert pan.shift_xy_1024.shape == (0, 2)
    assert pan.travelled_xy_1024().shape == (0, 2)
    assert len(pan.n_boxes) == len(pan.clock_frames) == 0


def test_one_box_shows_no_pan() -> None:
    pan = scene(FISH_XY_WH[:1], FISH_XY_WH[:0], (20, 0), np.arange(1))
    assert pan.shift_xy_1024.tolist() == [[0, 0]]
    assert pan.n_boxes.tolist() == [0]


SWIM_ONE_WAY = {7: 4}
"""Frames of a reef's video in which all three fish swim one way, which boxes alone can't tell from a pan."""


@pytest.mark.parametrize("video", range(12))
def test_the_reefs_pan_is_met_within_2_px_where_three_fish_are_seen(video: int) -> None:
    reef = simulate_video(ReefPlan(), video)
    raw = raw_detections(reef.inference, Clock(10, 300, None))
    fish = reef.truth.group_by("frame_id").agg(pl.col("track_id").drop_nulls().n_unique().alias("n_fish"))
    seen = raw.select("frame_id").unique().join(fish, on="frame_id").join(reef.camera, on="frame_id").sort("frame_id")
    error = np.abs(pan_of(raw).shift_xy_1024 - seen.select("pan_x_1024", "pan_y_1024").to_numpy())
    assert np.abs(seen["pan_x_1024"]).max() > 2
    # The camera's table says 0 at the first frame, as there is none before it.
    error = error[(seen["n_fish"] >= 3).to_numpy()].max(axis=1)
    assert (error >= 2).sum() <= SWIM_ONE_WAY.get(video, 0) and error.max() < 3


def test_a_dense_school_is_no_slower_by_the_square_of_its_pairs() -> None:
    rng, n, n_frames = np.random.default_rng(0), 200, 6
    centres = np.tile(rng.uniform(300, 400, (n, 2)), (n_frames, 1)) + np.repeat(np.arange(n_frames), n)[:, None] * [
        9,
        0,
    ]
    sizes = np.log(30 * np.exp(0.1 * rng.normal(size=(n * n_frames, 2))))
    pan = panned(np.repeat(np.arange(n_frames), n), centres + rng.normal(size=centres.shape), sizes, FRAMES_PER_SECOND)
    assert pan.shift_xy_1024[1:] == pytest.approx(np.tile([9, 0], (n_frames - 1, 1)), abs=1.5)


@pytest.mark.parametrize("shift", [(20, 0), (-13, 5), (0, -9), (0, 0), (31, 7)])
def test_a_shift_is_found_in_every_frame_with_the_boxes_behind_it(shift: tuple[float, float]) -> None:
    start = FISH_XY_WH + np.array([500, 200, 0, 0])
    pan = scene(start, FISH_XY_WH[:0], shift, np.arange(N_FRAMES))
    assert np.abs(pan.shift_xy_1024[1:] - shift).max() < 2
    assert pan.shift_xy_1024[0].tolist() == [0, 0]
    assert pan.n_boxes.tolist() == [0] + [4] * (N_FRAMES - 1)


def test_as_many_boxes_fixed_to_the_lens_do_not_hold_the_pan() -> None:
    pan = scene(FISH_XY_WH[:3], GROWTH_XY_WH, (20, 0), np.arange(N_FRAMES))
    assert np.abs(pan.shift_xy_1024[1:] - (20, 0)).max() < 2
    assert (pan.n_boxes[1:] == 3).all()


def test_nothing_but_boxes_fixed_to_the_lens_is_no_pan() -> None:
    pan = scene(FISH_XY_WH[:0], GROWTH_XY_WH, (20, 0), np.arange(N_FRAMES))
    assert np.abs(pan.shift_xy_1024).max() < 1.5


def test_one_fish_of_five_that_swims_its_own_way_moves_nothing() -> None:
    rng = np.random.default_rng(0)
    frames = np.repeat(np.arange(N_FRAMES), 5)
    centre = np.tile(np.array([[100, 100], [300, 200], [500, 300], [200, 500], [50, 800]], float), (N_FRAMES, 1))
    centre += rng.normal(0, 0.5, centre.shape)
    centre[4::5, 0] += 30 * np.arange(N_FRAMES)
    pan = panned(frames, centre, np.full(centre.shape, np.log(60)), FRAMES_PER_SECOND)
    assert np.abs(pan.shift_xy_1024).max() < 1
    assert (pan.n_boxes[1:] == 4).all()


def test_a_frame_without_boxes_counts_as_time() -> None:
    frame_ids = np.array([0, 1, 2, 5, 6])
    pan = scene(FISH_XY_WH, FISH_XY_WH[:0], (12, 0), frame_ids)
    assert pan.clock_frames.tolist() == frame_ids.tolist()
    assert np.abs(pan.travelled_xy_1024() - np.outer(frame_ids, (12, 0))).max() < 4


def test_nothing_is_said_over_a_long_gap_and_odd_frame_numbers_cost_nothing() -> None:
    frame_ids = np.array([-(2**62), 7, 8, 2**62])
    box = np.tile(FISH_XY_WH, (4, 1))
    box[8:12, 0] += 15
    pan = panned(np.repeat(frame_ids, 4), box[:, :2], np.log(box[:, 2:]), FRAMES_PER_SECOND)
    longest = longest_gap_frames(FRAMES_PER_SECOND) + 1
    assert pan.clock_frames.tolist() == [0, longest, longest + 1, 2 * longest + 1]
    assert pan.n_boxes.tolist() == [0, 0, 4, 0]
