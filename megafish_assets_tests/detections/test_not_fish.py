"""What is no fish, and how tracklets move, by hand and on a reef."""

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from megafish_assets.detections.columns import NOT_FISH, PLACE_REASONS, TRACKLET_MOTION
from megafish_assets.detections.lens import lens_places
from megafish_assets.detections.not_fish import (
    FIXED,
    ON_LENS,
    WIPER,
    not_fish,
    place_reasons,
    places_on_lens,
    reasons_version,
    wiped,
)
from megafish_assets.detections.recurrences import recurrences
from megafish_assets.detections.scene import scene_path, scene_paths
from megafish_assets.detections.tracklet_motion import tracklet_motion
from megafish_assets.detections.tracklets import tracklets
from megafish_assets.reef.plan import ReefPlan
from megafish_assets_tests.detections.reefs import reef_motion, reef_rows

PANNING, STILL = ReefPlan(videos=8, seed=31), ReefPlan(videos=8, seed=34, pans=False)


def looks(rows: list[tuple[int, int, float | None, float | None, int]], video: str = "v") -> pl.DataFrame:
    """`camera_motion` from frame, elapsed frames, pan right, pan down and points."""
    names = ["frame_id", "elapsed_frames", "pan_x_1024", "pan_y_1024", "n_pan_points"]
    schema = dict(zip(names, [pl.Int64, pl.Int64, pl.Float64, pl.Float64, pl.Int64], strict=True))
    return pl.DataFrame(rows, schema, orient="row").select(pl.lit(video).alias("video"), pl.all())


def boxes(rows: list[tuple[int, float, float, float, float]], tracklet: str = "v/t00000") -> pl.DataFrame:
    """Rows from frame and box, at 30 frames a second."""
    names = ["frame_id", "x_1024", "y_1024", "width_1024", "height_1024"]
    schema = {"frame_id": pl.Int64} | dict.fromkeys(names[1:], pl.Float64)
    table = pl.DataFrame(rows, schema, orient="row").with_row_index("rank")
    return table.with_columns(
        pl.lit("v").alias("video"),
        pl.lit(tracklet).alias("tracklet_id"),
        pl.format("v/{}/{}", "frame_id", "rank").alias("detection_id"),
        (pl.col("frame_id") / 30).alias("seconds_in_video"),
    )


def test_the_scene_goes_on_evenly_between_looks_and_where_none_could_be_followed() -> None:
    path = scene_path(looks([(5, 5, 2.0, 0.0, 90), (10, 5, None, None, 0), (15, 5, 4.0, -1.0, 90)]))
    assert path.at(np.array([0, 5])).tolist() == [[0, 0], [10, 0]]
    # From 2 px a frame at frame 5 to 4 at frame 11, by hand: 2.33, 2.67, 3, 3.33, 3.67.
    assert path.at(np.array([10]))[0, 0] == pytest.approx(10 + 15.0)
    assert path.at(np.array([15, 99]))[:, 0].tolist() == pytest.approx([45.0, 45.0])
    assert path.range_xy_1024.tolist() == pytest.approx([45.0, 7.5])


def test_a_scene_that_nobody_could_follow_has_no_path() -> None:
    assert scene_path(looks([(5, 5, None, None, 0), (10, 5, 3.0, 0.0, 7)])) is None
    assert scene_paths(looks([])) == {}


@pytest.mark.parametrize(
    "bad",
    [
        (10, 5, np.nan, 0.0, 90),
        (10, 5, 2.0, np.inf, 90),
        (10, 5, 2.0, None, 90),
        (10, None, 2.0, 0.0, 90),
        (0, 0, 2.0, 0.0, 90),
    ],
)
def test_a_look_whose_pan_is_no_number_says_nothing_of_the_scene(bad: tuple) -> None:
    assert scene_path(looks([bad])) is None
    path = scene_path(looks([(5, 5, 1.0, 3.0, 90), bad, (15, 5, 1.0, 3.0, 90)]))
    assert path.at(np.array([15])).tolist() == [[15.0, 45.0]]


def test_what_stays_in_the_picture_travels_over_the_scene_and_the_other_way_round() -> None:
    path = {"v": scene_path(looks([(5 * n, 5, 2.0, 0.0, 90) for n in range(1, 13)]))}  # 120 px in 60 frames
    growth = boxes([(n, 100.0, 100.0, 40.0, 20.0) for n in range(61)], "v/t00000")
    rock = boxes([(n, 100.0 + 2 * n, 100.0, 40.0, 20.0) for n in range(61)], "v/t00001")
    fish = boxes([(n, 100.0 - n, 100.0, 40.0, 20.0) for n in range(61)], "v/t00002")
    motion = tracklet_motion(pl.concat([growth, rock, fish]), path)
    assert motion["n_frames"].to_list() == [61] * 3 and motion["last_frame"].to_list() == [60] * 3
    # Between the 5th and the 95th percentile of 61 even steps lie 54 of 60.
    assert motion["travel_picture_1024"].to_list() == pytest.approx([0, 108, 54])
    assert motion["travel_scene_1024"].to_list() == pytest.approx([108, 0, 162])
    assert motion["travel_body_lengths"].to_list() == pytest.approx([0, 0, 54 / 40])
    # 3 px a frame against the scene, 40 px long, 30 frames a second.
    assert motion["speed_body_lengths"].to_list() == pytest.approx([1.5, 0, 2.25])
    assert motion["straightness"].to_list() == [pytest.approx(1), None, pytest.approx(1)]


def test_without_the_scene_only_the_picture_tells_and_short_tracklets_have_no_speed() -> None:
    motion = tracklet_motion(boxes([(n, 100.0 - n, 100.0, 40.0, 20.0) for n in range(10)]), {})
    assert motion.row(0, named=True) | {"travel_picture_1024": 0} == {
        "video": "v",
        "tracklet_id": "v/t00000",
        "n_frames": 10,
        "first_frame": 0,
        "last_frame": 9,
        "travel_picture_1024": 0,
        "travel_scene_1024": None,
        "travel_body_lengths": None,
        "speed_body_lengths": None,
        "straightness": None,
    }
    none = tracklet_motion(boxes([]), {})
    assert dict(none.schema) == {name: column.dtype for name, column in TRACKLET_MOTION.items()}


LARGE, NEAR_EDGE, SMALL = (300.0, 200.0, 400.0, 600.0), (0.0, 500.0, 150.0, 200.0), (50.0, 50.0, 40.0, 30.0)


def test_a_wiper_is_a_large_box_while_the_scene_is_hidden_and_what_belongs_to_it() -> None:
    rows = boxes([(28, *NEAR_EDGE), *[(n, *LARGE) for n in range(30, 46, 3)], (40, *SMALL), (90, *NEAR_EDGE)])
    hidden = looks([(5 * n, 5, 0.0, 0.0, 20 if n in (7, 8) else 100) for n in range(1, 20)])
    found = not_fish(rows, None, hidden, set()).join(rows, on="detection_id")
    assert found.filter(reason=WIPER)["frame_id"].sort().to_list() == [28, *range(30, 46, 3)]
    assert found["place_id"].null_count() == found.height
    assert wiped(rows, hidden) == {"v": pytest.approx(15 / 30)}
    near_fish = looks([(5 * n, 5, 0.0, 0.0, 80) for n in range(1, 20)])
    assert not_fish(rows, None, near_fish, set())["reason"].null_count() == rows.height
    assert not_fish(rows, None, hidden.clear(), set())["reason"].null_count() == rows.height
    assert wiped(rows, hidden.clear()) == {"v": 0.0}


def test_no_rows_make_an_empty_table_with_every_column() -> None:
    none = not_fish(boxes([]), None, looks([]), set())
    assert dict(none.schema) == {name: column.dtype for name, column in NOT_FISH.items()}


@pytest.mark.parametrize(("plan", "reason"), [(PANNING, ON_LENS), (STILL, FIXED)], ids=["panning", "still"])
def test_the_reefs_growth_and_wiper_are_named_with_their_reason(plan: ReefPlan, reason: str) -> None:
    rows, motion = reef_rows(plan), reef_motion(plan)
    places, scored = lens_places(recurrences(rows))
    reasons = place_reasons(scored, motion)
    assert reasons["place_id"].to_list() == places["place_id"].to_list() and set(reasons["reason"]) == {reason}
    on_lens = places_on_lens(reasons, scored)
    assert on_lens == (set(places["place_id"]) if reason == ON_LENS else set())
    found = not_fish(rows, scored, motion, on_lens).join(
        rows.select("detection_id", "kind", "track_id"), on="detection_id"
    )
    flagged = found.drop_nulls("reason")
    assert found.filter(kind="algae").select((pl.col("reason") == reason).mean()).item() >= 0.9
    assert found.filter(kind="wiper").select((pl.col("reason") == WIPER).mean()).item() >= 0.95
    assert flagged.select(pl.col("kind").is_in(["algae", "wiper"]).mean()).item() >= 0.99
    assert flagged["track_id"].count() <= 0.001 * found["track_id"].count()


def test_a_place_is_on_the_lens_once_the_scene_moves_past_it_in_one_of_its_videos() -> None:
    at = [(frame, 100.0, 100.0, 40.0, 20.0) for frame in range(0, 120, 10)]
    rows = pl.concat([boxes(at).with_columns(pl.lit(f"c_{n}").alias("video")) for n in range(6)])
    scored = lens_places(recurrences(rows))[1]
    pans = [looks([(5, 5, pan, 0.0, 90)], video) for video, pan in (("c_0", 7.9), ("c_3", 8.1))]
    for motion, reason, n_past in ((pans[0].clear(), FIXED, 0), (pans[0], FIXED, 0), (pl.concat(pans), ON_LENS, 1)):
        told = place_reasons(scored, motion)
        assert told.select("place_id", "reason", "n_videos", "n_videos_past").rows() == [("p001", reason, 6, n_past)]
    assert reasons_version(told) != reasons_version(place_reasons(scored, pans[0])) is not None
    assert places_on_lens(told, scored) == {"p001"}
    # Five clips make no place: the numbers are those of other places.
    assert places_on_lens(told, lens_places(recurrences(rows.filter(pl.col("video") != "c_5")))[1]) == set()
    none = place_reasons(scored.clear(), pans[0])
    assert dict(none.schema) == {name: column.dtype for name, column in PLACE_REASONS.items()}
    assert none.is_empty() and reasons_version(none) is None


def test_motion_tells_the_reefs_fish_from_its_growth_and_rock() -> None:
    rows = reef_rows(PANNING)
    raw = rows.with_columns(pl.lit(None, pl.String).alias("fault"))
    of_tracklets = rows.join(tracklets(raw).select("detection_id", "tracklet_id"), on="detection_id")
    motion = tracklet_motion(of_tracklets, scene_paths(reef_motion(PANNING)))
    shown = of_tracklets.group_by("tracklet_id").agg(pl.col("kind").mode().first(), pl.col("track_id").count() > 0)
    known = motion.filter(pl.col("n_frames") >= 10).join(shown, on="tracklet_id")
    # The reef tells its pan at the depth of its fish, and rock lies deeper: pixels follow the rock itself.
    for kind, least in (("algae", 0.95), ("rock", 0.9)):
        compared = known.filter(pl.col("track_id") | (pl.col("kind") == kind))
        assert roc_auc_score(compared["track_id"], compared["travel_body_lengths"]) >= least, kind
