"""Ways of tracklets made by hand, before cameras that stand and that pan."""

import numpy as np
import polars as pl
import pytest

from megafish_assets.detections.scene import ScenePath
from megafish_assets.sightings.collecting import looks_of_videos
from megafish_assets.sightings.movements import Stretches, aspects, movements
from megafish_assets_tests.sightings.made import MOTION, tracklet

STILL = {"v0": ScenePath(np.zeros((1000, 2)))}
SQUARE = {"v0": 1.0}


def swims(
    n_frames: int = 90,
    a_second: tuple[float, float] = (0.0, 0.0),
    step: int = 1,
    fps: float = 30,
    size_wh: tuple[float, float] = (40.0, 20.0),
    number: int = 0,
    first: int = 0,
    start: tuple[float, float] = (200.0, 300.0),
    wobble: float = 0.0,
) -> pl.DataFrame:
    """A tracklet of a box that goes so many px a second, right and down."""
    rng = np.random.default_rng(number)
    parts = []
    for frame in range(first, first + n_frames, step):
        place = np.array(start) + np.array(a_second) * frame / fps + rng.normal(0, wobble, 2)
        parts.append(tracklet(number, [frame], (*place, *size_wh), fps=fps))
    return pl.concat(parts)


def moved(rows: pl.DataFrame, paths=STILL, aspect=SQUARE, motion=MOTION, seconds: float = 1.0) -> pl.DataFrame:
    return movements(rows, looks_of_videos(rows, motion), paths, aspect, seconds)


def test_speed_is_in_body_lengths_a_second_over_the_scene() -> None:
    found = moved(swims(a_second=(40.0, -20.0)))
    assert found["speed_x"].to_numpy() == pytest.approx(1.0)
    assert found["speed_y"].to_numpy() == pytest.approx(-0.5)
    # Nine thirds of a second; the first stretch begins in its middle.
    assert found["seconds"].to_list() == pytest.approx([n / 3 for n in range(9)])
    assert found["x_1024"].to_list() == pytest.approx([220 + 40 * n / 3 for n in range(9)])
    assert found.filter("is_whole_moment")["frame_id"].to_list() == [0, 30, 60]


def test_the_camera_pan_is_taken_off() -> None:
    # The scene passes to the left by 2 px a frame, and the fish stays where it is in the picture.
    pan = {"v0": ScenePath(np.column_stack([-2.0 * np.arange(90), np.zeros(90)]))}
    found = moved(swims(), pan)
    assert found["speed_x"].to_numpy() == pytest.approx(60 / 40)
    assert found["scene_speed"].to_numpy() == pytest.approx(60 / 40)
    assert found["x_1024"].to_numpy() == pytest.approx(220.0)


def test_without_a_scene_that_was_followed_there_is_a_place_and_no_speed() -> None:
    found = moved(swims(a_second=(40.0, 0.0)), {})
    assert found.height == 9 and found["speed_x"].null_count() == 9 and found["x_1024"].null_count() == 0
    # It was followed for a second only: a stretch that is not whole in it has no speed.
    found = moved(swims(a_second=(40.0, 0.0)), {"v0": ScenePath(np.zeros((30, 2)))})
    assert found["speed_x"].is_null().to_list() == [False] * 3 + [True] * 6


def test_across_and_down_are_alike_in_a_frame_of_any_shape() -> None:
    # In a frame twice as wide as high 10 px of the stretched frame across are as far as 20 down.
    found = moved(swims(a_second=(10.0, 20.0), size_wh=(20.0, 10.0)), aspect={"v0": 2.0})
    assert found["length_square"].to_list() == [40.0] * 9
    assert found["speed_x"].to_numpy() == pytest.approx(0.5) == found["speed_y"].to_numpy()


@pytest.mark.parametrize(
    ("fps", "step", "seconds", "a_moment"),
    [(30, 1, 1 / 3, 3), (60, 1, 1 / 3, 3), (25, 1, 1 / 3, 3), (30, 6, 0.5, 2), (30, 15, 1.0, 1), (30, 60, 4.0, 1)],
)
def test_stretches_are_in_seconds_and_hold_looks_enough(fps: float, step: int, seconds: float, a_moment: int) -> None:
    found = Stretches.of(step / fps)
    assert found.seconds == pytest.approx(seconds) and found.a_moment == a_moment


@pytest.mark.parametrize(("fps", "step"), [(60, 1), (25, 1), (15, 1), (30, 6), (30, 15), (30, 60)])
def test_the_speed_is_the_same_at_any_frame_rate_and_distance_of_looks(fps: float, step: int) -> None:
    rows = swims(n_frames=20 * int(fps), a_second=(4.0, 2.0), step=step, fps=fps)
    paths = {"v0": ScenePath(np.zeros((20 * int(fps), 2)))}
    found = moved(rows, paths)
    assert found.height >= 5
    assert found["speed_x"].drop_nulls().to_numpy() == pytest.approx(0.1)
    assert found["speed_x"].null_count() <= 1


def test_a_line_through_ten_places_is_surer_than_the_way_from_the_first_to_the_last() -> None:
    rows = pl.concat([swims(n_frames=30, number=n, wobble=1.0) for n in range(60)])
    found = moved(rows).filter(pl.col("seconds") > 0)
    # Slope of ten places that scatter by 1 px: 30 * sqrt(12 / 990) px a second; two ends: 30 * sqrt(2) / 9.
    assert (found["speed_x"] * 40).std() == pytest.approx(30 * np.sqrt(12 / 990), rel=0.15)
    assert 30 * np.sqrt(12 / 990) < 0.71 * 30 * np.sqrt(2) / 9


def test_a_tracklet_counts_in_stretches_in_whose_middle_it_is_in_view() -> None:
    # Frames 12 to 38: the middles 20 and 30 lie in it, 10 and 40 do not.
    assert moved(swims(n_frames=27, first=12))["frame_id"].to_list() == [20, 30]


def test_a_box_that_splits_or_is_cut_by_the_edge_is_not_steady() -> None:
    rows = swims()
    split = rows.with_columns(
        pl.when(pl.col("frame_id").is_between(28, 31)).then(20.0).otherwise("width_1024").alias("width_1024")
    )
    assert moved(split).filter(~pl.col("is_steady"))["frame_id"].to_list() == [30]
    assert not moved(swims(start=(1.0, 300.0)))["is_steady"].any()
    assert moved(rows)["is_steady"].all()


def test_looks_with_the_wiper_are_left_out() -> None:
    wiper = [tracklet(9, [frame], (300.0, 0.0, 300.0, 900.0)) for frame in range(28, 33)]
    motion = pl.DataFrame(
        [("v0", frame, 5, 0.0, 0.0, 5 if frame == 30 else 110) for frame in range(5, 90, 5)],
        MOTION.schema,
        orient="row",
    )
    rows = pl.concat([swims(), *wiper])
    looks = looks_of_videos(rows, motion)
    assert looks["v0"].is_wiped[30]
    found = movements(swims(), looks, STILL, SQUARE)
    assert 30 not in found["frame_id"].to_list() and 20 in found["frame_id"].to_list()


def test_the_shape_of_a_frame_is_told_by_its_crops() -> None:
    # A frame of 1,920 by 1,080: 40 x 40 of the stretched one are 75 x 42.2 px, and one more that is touched.
    crops = pl.DataFrame(
        {
            "video": ["v0"] * 3,
            "width_px": [76, 76, 76],
            "height_px": [43, 43, 44],
            "width_1024": [40.0] * 3,
            "height_1024": [40.0] * 3,
        }
    )
    assert aspects(crops)["v0"] == pytest.approx(16 / 9, rel=0.01)
    assert aspects(crops.clear()) == {}


def test_of_no_rows_there_is_no_movement() -> None:
    assert movements(swims().clear(), {}, {}, {}).is_empty()
