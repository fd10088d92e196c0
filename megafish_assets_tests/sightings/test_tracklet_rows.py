"""Tracklets as sightings, by hand."""

from datetime import datetime

import polars as pl
import pytest

from megafish_assets.detections.columns import TRACKLET_MOTION
from megafish_assets.footage.columns import empty_table
from megafish_assets.sightings.collecting import batches, looks_of_videos, video_stations, with_tracklets
from megafish_assets.sightings.columns import SIGHTINGS
from megafish_assets.sightings.naming import tracklet_names
from megafish_assets.sightings.tracklet_rows import sighting_rows
from megafish_assets_tests.sightings.made import MOTION, names, sightings, tracklet

NOON = datetime(2025, 12, 12, 12)


def only(rows: pl.DataFrame, **more: object) -> dict:
    return sightings(rows, **more).row(0, named=True)


def test_a_sighting_says_when_and_where_and_how_large() -> None:
    found = only(pl.concat([tracklet(0, [*range(30, 60), *range(70, 91)], start=NOON), tracklet(1, range(300))]))
    assert (found["first_second"], found["last_second"]) == (1.0, 3.0)
    assert found["recorded_at"] == NOON.replace(second=1)
    assert (found["n_frames_seen"], found["n_frames_bridged"]) == (51, 10)
    assert (found["x_1024"], found["y_1024"], found["width_1024"], found["height_1024"]) == (120, 110, 40, 20)
    assert (found["name"], found["name_source"], found["not_fish"], found["is_cut"]) == (None, "unnamed", None, False)
    assert found["is_counted"] and not found["is_part"] and found["station"] is None


@pytest.mark.parametrize(("frames", "cut"), [(range(0, 50), True), (range(250, 300), True), (range(1, 299), False)])
def test_an_animal_that_is_there_as_the_video_begins_or_ends_is_cut(frames: range, cut: bool) -> None:
    assert only(pl.concat([tracklet(0, frames), tracklet(1, range(300))]))["is_cut"] is cut


def test_a_name_says_who_gave_it() -> None:
    found = only(tracklet(0, range(20)), named=names(t0="wrasse"))
    assert (found["name"], found["name_source"], found["is_counted"]) == ("wrasse", "person", True)


def test_a_tracklet_that_a_person_denies_is_no_fish() -> None:
    denied = tracklet_names(labelled=pl.DataFrame({"tracklet_id": ["v0/t00000"], "status": ["not_fish"]}))
    found = only(tracklet(0, range(20)), named=denied)
    assert (found["not_fish"], found["is_counted"]) == ("person", False)


@pytest.mark.parametrize("reason", ["on_lens", "fixed", "wiper"])
def test_a_tracklet_that_a_person_named_is_a_fish_whatever_its_boxes_are_taken_for(reason: str) -> None:
    label = {"tracklet_id": ["v0/t00000"], "status": ["approved"], "label": ["moray"]}
    rows = pl.concat([tracklet(0, range(12), reason=reason), tracklet(0, range(12, 20))])
    # What is left out of the sample is in no class; and classes may be older than the label.
    stale = pl.DataFrame({"tracklet_id": ["v0/t00000"], "name": ["not a fish"], "name_source": ["classified"]})
    for classes in (None, stale):
        found = only(rows, named=tracklet_names(classes, labelled=pl.DataFrame(label)))
        assert (found["name"], found["name_source"], found["not_fish"]) == ("moray", "person", None)
        assert (found["n_frames_seen"], found["is_counted"]) == (20, True)
    assert only(rows, named=names(t0="moray"))["is_counted"]
    classified = stale.with_columns(name=pl.lit("wrasse"))
    assert only(rows, named=tracklet_names(classified))["not_fish"] == reason
    unsure = pl.DataFrame(label | {"status": ["unsure"]})
    assert only(rows, named=tracklet_names(labelled=unsure))["not_fish"] == reason


@pytest.mark.parametrize("source", ["person", "classified", "kind"])
def test_who_calls_a_tracklet_not_a_fish_is_told(source: str) -> None:
    classes = pl.DataFrame({"tracklet_id": ["v0/t00000"], "name": ["not a fish"], "name_source": [source]})
    found = only(tracklet(0, range(20)), named=tracklet_names(classes))
    assert (found["not_fish"], found["is_counted"]) == (source, False)
    on_lens = only(tracklet(0, range(20), reason="on_lens"), named=tracklet_names(classes))
    assert on_lens["not_fish"] == ("person" if source == "person" else "on_lens")


def test_a_tracklet_whose_boxes_are_mostly_no_fish_is_none_and_of_others_these_boxes_are_left_out() -> None:
    mostly = pl.concat([tracklet(0, range(20), reason="on_lens"), tracklet(0, range(20, 30))])
    found = only(mostly)
    assert (found["not_fish"], found["n_frames_seen"], found["is_counted"]) == ("on_lens", 30, False)
    few = pl.concat([tracklet(0, range(5), reason="wiper"), tracklet(0, range(5, 30))])
    found = only(few)
    assert (found["not_fish"], found["n_frames_seen"], found["first_second"]) == (None, 25, pytest.approx(5 / 30))


def test_ten_frames_of_thirty_a_second_count_and_nine_do_not() -> None:
    rows = pl.concat([tracklet(0, range(10)), tracklet(1, range(9), (500.0, 0.0, 30.0, 30.0))])
    assert sightings(rows)["is_counted"].to_list() == [True, False]


def test_the_best_crop_is_whole_then_large_and_sure() -> None:
    rows = tracklet(0, range(20))
    ids = rows["detection_id"]
    crops = pl.DataFrame(
        {
            "detection_id": [ids[0], ids[5], ids[9]],
            "width_px": [900.0, 50.0, 60.0],
            "height_px": [900.0, 50.0, 60.0],
            "clipped_share": [0.2, 0.0, 0.0],
        }
    )
    looks = looks_of_videos(rows, MOTION)
    found = sighting_rows(rows, looks, tracklet_names(), empty_table(TRACKLET_MOTION), crops)
    assert found["best_crop"].to_list() == [ids[9]] and found.columns == list(SIGHTINGS)


def test_what_nobody_has_judged_yet_may_be_a_fish() -> None:
    rows = tracklet(0, range(20)).drop("tracklet_id", "reason", "place_id")
    known = rows.select("video", "detection_id", pl.lit("t").alias("tracklet_id"))
    judged = pl.DataFrame(schema=dict.fromkeys(["video", "detection_id", "reason", "place_id"], pl.String))
    assert with_tracklets(rows, known, judged)["reason"].null_count() == 20


def test_videos_are_read_together_until_their_rows_are_too_many() -> None:
    rows = pl.concat([tracklet(0, range(n), video=video) for video, n in (("a", 3), ("b", 3), ("c", 9), ("d", 1))])
    raw = rows.with_columns(pl.lit(None, pl.String).alias("fault")).lazy()
    assert batches(raw, at_most=6) == [["a", "b"], ["c"], ["d"]]
    assert batches(raw.filter(pl.lit(False)), at_most=6) == []


def test_a_station_is_known_by_the_file_of_its_video() -> None:
    assert video_stations(tracklet(0, [1], video="v8"), {"v8.mp4": "north", "v9.mp4": "south"}) == {"v8": "north"}
