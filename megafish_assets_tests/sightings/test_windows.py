"""Abundance over windows, by hand."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from megafish_assets.detections.columns import TRACKLET_MOTION
from megafish_assets.detections.looks import Looks, usual_step
from megafish_assets.footage.columns import empty_table
from megafish_assets.sightings.collecting import counts_of_videos, looks_of_videos, video_times
from megafish_assets.sightings.columns import ABUNDANCE
from megafish_assets.sightings.measures import wiped_share
from megafish_assets.sightings.naming import TAXON, taxa, tracklet_names
from megafish_assets.sightings.parts import Counts, VideoTimes, video_counts
from megafish_assets.sightings.tracklet_rows import sighting_rows
from megafish_assets.sightings.windows import Origin, abundance
from megafish_assets_tests.sightings.made import CROPS, MOTION, counted, counts, names, row, sightings, tracklet

LEFT, RIGHT = (100.0, 100.0, 40.0, 20.0), (700.0, 100.0, 40.0, 20.0)
NOON = datetime(2025, 12, 12, 12)


def test_two_fish_in_view_together_and_one_alone() -> None:
    rows = pl.concat([tracklet(0, range(60, 180), LEFT), tracklet(1, range(120, 300), RIGHT)])
    found = row(counted(rows), "v0")
    assert (found["max_n"], found["max_n_rule"], found["max_n_frame"]) == (2, "held", 120)
    assert found["mean_count"] == pytest.approx((120 + 180) / 300)
    assert found["first_arrival_seconds"] == pytest.approx(2.0)
    assert found["occupancy_share"] == pytest.approx(240 / 300)
    assert (found["n_tracklets"], found["n_frames_searched"], found["n_clips"]) == (2, 300, 1)
    assert found["sightings_an_hour"] == pytest.approx(2 * 3600 / 10)
    assert (found["start_seconds"], found["end_seconds"]) == (0.0, pytest.approx(10.0))
    assert found["recorded_at"] is None and found["swept_fields"] is None and found["wiped_share"] == 0


def test_gaps_of_a_tracklet_are_bridged() -> None:
    seen = [*range(0, 20), *range(40, 60)]
    found = row(counted(pl.concat([tracklet(0, seen), tracklet(1, range(100), RIGHT)])), "v0")
    assert found["mean_count"] == pytest.approx(1 + 60 / 100)


def test_an_animal_in_two_boxes_is_one() -> None:
    part = (105.0, 102.0, 20.0, 15.0)
    rows = pl.concat([tracklet(0, range(100), LEFT), tracklet(1, range(30, 60), part)])
    found = row(counted(rows), "v0")
    assert (found["max_n"], found["mean_count"], found["n_tracklets"]) == (1, 1.0, 1)


def test_a_small_fish_before_a_large_one_of_another_kind_is_no_part_of_it() -> None:
    small = (105.0, 102.0, 20.0, 15.0)
    rows = pl.concat([tracklet(0, range(100), LEFT), tracklet(1, range(30, 60), small)])
    table = counted(rows, names(t0="grouper", t1="cleaner"))
    assert row(table, "v0", "grouper")["max_n"] == row(table, "v0", "cleaner")["max_n"] == 1


def test_what_is_seen_for_less_than_a_third_of_a_second_is_no_sighting() -> None:
    rows = pl.concat([tracklet(0, range(100), LEFT), tracklet(1, range(9), RIGHT), tracklet(2, range(50, 52), RIGHT)])
    found = row(counted(rows), "v0")
    assert (found["max_n"], found["n_tracklets"]) == (1, 1)
    assert found["mean_count"] == pytest.approx(1 + 9 / 100)  # two frames are less than a tenth of a second


def test_at_five_looks_a_second_the_most_in_one_look_counts() -> None:
    # 50 looks; in two of them three are in view: 0.4 s, of which a third of a second has fewer than four looks.
    rows = pl.concat(
        [
            tracklet(0, range(0, 300, 6), LEFT),
            tracklet(1, range(60, 72, 6), RIGHT),
            tracklet(2, range(60, 72, 6), (400.0, 500.0, 30.0, 30.0)),
        ]
    )
    found = row(counted(rows), "v0")
    assert (found["max_n"], found["max_n_rule"], found["max_n_frame"]) == (3, "plain", 60)
    assert found["mean_count"] == pytest.approx((50 + 2 + 2) / 50)
    assert found["n_frames_searched"] == 50 and found["seconds_searched"] == pytest.approx(10.0)


def test_a_kind_that_was_searched_for_and_not_seen_has_a_row_of_zeros() -> None:
    rows = pl.concat([tracklet(0, range(100)), tracklet(0, range(100), video="v1")])
    table = counted(rows, names(t0="grouper"))
    found = row(table, "v1", "grouper")
    assert (found["max_n"], found["mean_count"], found["n_tracklets"], found["occupancy_share"]) == (0, 0.0, 0, 0.0)
    assert found["first_arrival_seconds"] is None and found["max_n_video"] is None
    assert found["name_source"] == "person" and row(table, "v1")["max_n"] == 1
    assert table["window_kind"].value_counts().sort("window_kind").rows() == [("all", 2), ("clip", 4), ("minute", 4)]


def test_what_is_no_fish_is_searched_for_and_not_counted() -> None:
    rows = pl.concat([tracklet(0, range(100)), tracklet(1, range(100), RIGHT, reason="on_lens")])
    assert row(counted(rows), "v0")["max_n"] == 1
    nothing = tracklet(0, range(100), reason="fixed")
    assert row(counted(nothing), "v0")["max_n"] == 0 and row(counted(nothing), "v0")["n_frames_searched"] == 100


def test_of_no_video_there_is_no_row() -> None:
    rows = tracklet(0, range(20)).clear()
    assert sightings(rows).is_empty()
    nothing = abundance(Counts.joined([]), taxa(sightings(rows)), Origin())
    assert nothing.is_empty() and nothing.columns == list(ABUNDANCE)


def test_hours_and_days_are_those_of_clips_whose_time_is_known() -> None:
    rows = pl.concat(
        [
            tracklet(0, range(300), video="v1", start=NOON),
            tracklet(0, range(60), video="v2", start=NOON.replace(hour=13)),
            tracklet(0, range(300), video="v3"),
        ]
    )
    table = counted(rows)
    assert table.filter(window_kind="hour")["window"].to_list() == ["2025-12-12T12", "2025-12-12T13"]
    day = row(table, "2025-12-12", window_kind="day")
    assert (day["n_clips"], day["max_n"], day["recorded_at"]) == (2, 1, NOON)
    assert day["first_arrival_seconds"] == 0 and day["start_seconds"] is None
    assert table.filter(window_kind="minute")["window"].to_list() == [
        "2025-12-12T12:00",
        "2025-12-12T13:00",
        "v3 000:00",
    ]
    assert row(table, "all", window_kind="all")["recorded_at"] is None


def test_a_clip_is_cut_where_the_clocks_minute_ends() -> None:
    late = NOON.replace(second=55)
    rows = pl.concat([tracklet(0, range(300), LEFT, start=late), tracklet(1, range(0, 100), RIGHT, start=late)])
    table = counted(rows)
    first, second = (row(table, f"2025-12-12T12:0{minute}", window_kind="minute") for minute in (0, 1))
    assert (first["n_frames_searched"], second["n_frames_searched"]) == (150, 150)
    assert (first["max_n"], second["max_n"]) == (2, 1)
    assert (first["n_tracklets"], second["n_tracklets"]) == (2, 1)
    assert first["mean_count"] == pytest.approx(1 + 100 / 150)
    assert second["recorded_at"] == NOON.replace(minute=1) and row(table, "v0")["max_n"] == 2
    assert row(table, "2025-12-12T12", window_kind="hour")["n_tracklets"] == 2


def test_a_look_at_the_full_minute_lies_in_it_whatever_the_rate() -> None:
    # 29.97 frames a second: frame 1798.2 would be the minute's end, so 1,799 frames lie before it.
    rows = tracklet(0, range(0, 1900), start=NOON, fps=30000 / 1001)
    minutes = counted(rows).filter(window_kind="minute").select("window", "n_frames_searched").rows()
    assert minutes == [("2025-12-12T12:00", 1799), ("2025-12-12T12:01", 101)]


def test_an_hour_begins_with_a_look_of_its_own_and_not_a_microsecond_before() -> None:
    # 10.1 s / 101 frames is less than 0.1 s in floating point, so that frame 10 comes at 0.9999999999999999 s.
    table = counted(tracklet(0, range(102), start=NOON - timedelta(seconds=1), fps=10))
    assert row(table, "2025-12-12T12", window_kind="hour")["recorded_at"] == NOON


def test_the_first_arrival_of_an_hour_is_told_from_its_first_searched_frame() -> None:
    rows = pl.concat(
        [
            tracklet(0, range(300), reason="fixed", video="v1", start=NOON),
            tracklet(0, range(30, 300), video="v2", start=NOON.replace(minute=10)),
        ]
    )
    assert row(counted(rows), "2025-12-12T12", window_kind="hour")["first_arrival_seconds"] == pytest.approx(601.0)


def test_without_any_clock_no_arrival_is_told_over_several_clips() -> None:
    rows = pl.concat([tracklet(0, range(300), video="v1"), tracklet(0, range(300), video="v2")])
    assert row(counted(rows), "all", window_kind="all")["first_arrival_seconds"] is None
    timed = pl.concat([tracklet(0, range(60, 300), video=f"v{n}", elapsed=10.0 * n) for n in (1, 2)])
    assert row(counted(timed), "all", window_kind="all")["first_arrival_seconds"] == pytest.approx(2.0)


def test_stations_are_counted_apart() -> None:
    rows = pl.concat([tracklet(0, range(300), video="v8"), tracklet(0, range(150), video="v9")])
    found = sightings(rows)
    table = abundance(counts(rows, found), taxa(found), Origin()).filter(window_kind="all")
    assert table.select("station", "seconds_searched").rows() == [("north", 10.0), ("south", 5.0)]


def test_what_the_wiper_hides_is_no_effort() -> None:
    blade = (0.0, 0.0, 500.0, 500.0)
    rows = pl.concat([tracklet(0, range(300), RIGHT), tracklet(1, range(60, 91), blade, reason="wiper")])
    frames = list(range(5, 300, 5))
    motion = pl.DataFrame(
        {
            "video": "v0",
            "frame_id": frames,
            "elapsed_frames": 5,
            "pan_x_1024": 1.0,
            "pan_y_1024": 0.0,
            "n_pan_points": [20 if 60 <= frame <= 90 else 100 for frame in frames],
        }
    )
    found = row(counted(rows, motion=motion), "v0")
    assert found["n_frames_searched"] == 300 - 31 and found["wiped_share"] == pytest.approx(31 / 300)
    assert (found["max_n"], found["mean_count"]) == (1, 1.0)
    # 1 px right a frame over 295 frames but the first.
    assert found["swept_fields"] == pytest.approx(1 + 295 / 1024)


def wiped(video: str, n_looks: int, n_wiped: int, station: str | None = None) -> Counts:
    """One tracklet in view throughout, and the wiper at the beginning; at thirty looks a second."""
    looks = Looks(video, np.arange(n_looks), 1, 1 / 30, np.arange(n_looks) < n_wiped)
    seen = {"tracklet_id": [video], "kind": ["tang"], "first_frame": [0], "last_frame": [n_looks - 1]}
    seen |= {"n_frames_seen": [n_looks], "is_counted": [True]}
    return video_counts(pl.DataFrame(seen), looks, MOTION, VideoTimes(station=station))


def of_wiped(*videos: Counts) -> pl.DataFrame:
    named = {"kind": ["tang"], "kind_id": [1], "scientific_name": ["Zebrasoma"], "name_source": ["person"]}
    return abundance(Counts.joined(videos), pl.DataFrame(named), Origin())


def test_a_clip_wholly_behind_the_wiper_was_not_searched() -> None:
    table = of_wiped(wiped("v0", 300, 0), wiped("v1", 300, 300), wiped("v2", 300, 30))
    whole, behind = row(table, "all", "tang", "all"), row(table, "v1", "tang")
    assert (whole["n_clips"], whole["occupied_clips_share"]) == (2, 1.0)
    assert (behind["n_clips"], behind["occupied_clips_share"], behind["mean_count"]) == (0, None, None)


def test_the_wiper_takes_looks_and_not_clips() -> None:
    assert wiped_share(of_wiped(wiped("v0", 300, 270, "A"), wiped("v1", 2700, 0, "B"))) == pytest.approx(0.09)
    assert wiped_share(of_wiped(wiped("v0", 300, 300, "A"), wiped("v1", 600, 0, "B"))) == pytest.approx(1 / 3)
    assert wiped_share(of_wiped(wiped("v0", 300, 300))) == 1 and wiped_share(empty_table(ABUNDANCE)) == 0


@pytest.mark.parametrize(("n_clips", "given"), [(19, False), (20, True)])
def test_an_interval_needs_twenty_clips(n_clips: int, given: bool) -> None:
    rows = pl.concat([tracklet(0, range(0, 30 + 10 * n), video=f"v{n:02d}", elapsed=600.0 * n) for n in range(n_clips)])
    found = row(counted(rows), "all", window_kind="all")
    assert (found["mean_count_low"] is not None) is given
    if given:
        assert found["interval"] == "95% bootstrap of 20 blocks of 300 s"
        assert found["mean_count_low"] <= found["mean_count"] <= found["mean_count_high"]
    else:
        assert found["interval"] == "refused: fewer than 20 clips (19)"


def test_twenty_clips_of_a_few_minutes_are_too_few_blocks() -> None:
    rows = pl.concat([tracklet(0, range(60), video=f"v{n:02d}", elapsed=10.0 * n) for n in range(20)])
    assert row(counted(rows), "all", window_kind="all")["interval"] == "refused: fewer than 10 blocks of 300 s (1)"


def test_clips_without_a_time_are_taken_as_independent_and_it_says_so() -> None:
    rows = pl.concat([tracklet(0, range(60), video=f"v{n:02d}") for n in range(20)])
    found = row(counted(rows), "all", window_kind="all")
    assert found["interval"] == "95% bootstrap of 20 clips, taken as independent: their times are not known"
    assert found["mean_count_low"] == found["mean_count_high"] == 1.0


def test_counts_of_a_detector_that_looks_ten_times_a_second_of_odd_frames() -> None:
    frames = (np.arange(300) * 2.997).astype(int).tolist()  # of 29.97 a second, for 30 s
    rows = pl.concat(
        [
            tracklet(0, frames[:200], LEFT, fps=29.97),
            tracklet(1, frames[100:105], RIGHT, fps=29.97),  # half a second
            tracklet(2, [*frames[250:260], *frames[280:300]], RIGHT, fps=29.97),
        ]
    )
    found = row(counted(rows), "v0")
    assert (found["n_frames_searched"], found["max_n"], found["max_n_rule"]) == (300, 2, "plain")
    assert found["mean_count"] == pytest.approx((200 + 5 + 50) / 300)
    assert found["n_tracklets"] == 3 and found["sightings_an_hour"] == pytest.approx(3 * 3600 / 30, rel=0.01)
    assert sightings(rows)["n_frames_bridged"].to_list() == [0, 0, 20]


@pytest.mark.parametrize("n_boxes", [2, 3, 4])
def test_one_fish_in_several_boxes_that_take_turns_in_being_the_largest_is_one(n_boxes: int) -> None:
    rng = np.random.default_rng(n_boxes)
    for _ in range(20):
        grown = rng.normal(scale=1.0, size=(n_boxes, 30))
        rows = [
            tracklet(number, [frame], (100 - by / 2, 100 - by / 2, 60 + by, 40 + by))
            for number, of_box in enumerate(grown)
            for frame, by in enumerate(of_box.tolist())
        ]
        found = row(counted(pl.concat(rows)), "v0")
        assert (found["max_n"], found["n_tracklets"], found["mean_count"]) == (1, 1, 1.0)


def test_a_fish_in_two_equal_boxes_all_the_time_is_one() -> None:
    found = row(counted(pl.concat([tracklet(0, range(60)), tracklet(1, range(60))])), "v0")
    assert (found["max_n"], found["n_tracklets"]) == (1, 1)


@pytest.mark.parametrize(("looks_a_second", "seconds"), [(2, 4), (1, 10)])
def test_short_clips_of_a_detector_that_looks_seldom_tell_its_step_together(looks_a_second: int, seconds: int) -> None:
    step = 30 // looks_a_second
    clips = [f"v{number}" for number in range(30)]
    rows = [
        tracklet(fish, range(0, 30 * seconds, step), box, video=clip)
        for clip in clips
        for fish, box in enumerate((LEFT, RIGHT))
    ]
    usual = usual_step(pl.concat(rows))
    looks = looks_of_videos(pl.concat(rows), MOTION, usual)
    found = sighting_rows(pl.concat(rows), looks, tracklet_names(), empty_table(TRACKLET_MOTION), CROPS)
    times = video_times(pl.concat(rows), {})
    table = abundance(counts_of_videos(found, looks, MOTION, times), taxa(found.select(TAXON)), Origin())
    whole = row(table, "all", window_kind="all")
    assert (whole["max_n"], whole["n_tracklets"]) == (2, 60)
    assert whole["n_frames_searched"] == 30 * seconds * looks_a_second and whole["mean_count"] == 2.0


def wiped_until(frame: int) -> pl.DataFrame:
    """The `camera_motion` of ten seconds before a still camera, behind the wiper up to this frame."""
    frames = list(range(0, 300, 5))
    points = [20 if looked_at < frame else 139 for looked_at in frames]
    motion = pl.DataFrame({"video": "v0", "frame_id": frames, "elapsed_frames": 5, "n_pan_points": points})
    return motion.with_columns(pan_x_1024=pl.lit(0.0), pan_y_1024=pl.lit(0.0))


def test_a_window_begins_and_ends_where_the_wiper_is_gone() -> None:
    blade = (0.0, 0.0, 500.0, 500.0)
    rows = pl.concat([tracklet(9, range(90), blade, reason="wiper"), tracklet(1, range(91, 300)), tracklet(2, [299])])
    motion = wiped_until(90)
    found = row(counted(rows, motion=motion), "v0")
    assert found["wiped_share"] == pytest.approx(90 / 300)
    assert found["start_seconds"] == pytest.approx(3.0) and found["first_arrival_seconds"] == pytest.approx(1 / 30)
    timed = rows.with_columns(recorded_at=pl.lit(NOON) + pl.duration(microseconds=pl.col("seconds_in_video") * 1e6))
    hour = row(counted(timed, motion=motion), "2025-12-12T12", window_kind="hour")
    assert hour["recorded_at"] == NOON + timedelta(seconds=3) and hour["first_arrival_seconds"] == pytest.approx(1 / 30)


def test_what_no_clip_shows_has_no_interval() -> None:
    clips = pl.concat([tracklet(0, range(60), video=f"v{number:02d}") for number in range(25)])
    found = sightings(clips)
    table = abundance(counts(clips, found), pl.concat([taxa(found.select(TAXON)), ABSENT]), Origin())
    seen, never = (row(table, "all", kind, "all") for kind in ("unnamed", "ghost"))
    assert seen["mean_count_low"] is not None and "bootstrap" in seen["interval"]
    assert (never["mean_count"], never["mean_count_low"], never["mean_count_high"]) == (0.0, None, None)
    assert never["interval"] == "refused: no clip shows one"


ABSENT = pl.DataFrame(
    {"kind": ["ghost"], "kind_id": [None], "scientific_name": [None], "name_source": ["person"]},
    {"kind": pl.String, "kind_id": pl.Int64, "scientific_name": pl.String, "name_source": pl.String},
)


def test_what_is_in_view_behind_the_wiper_alone_is_no_sighting_of_the_window() -> None:
    blade = (0.0, 0.0, 500.0, 500.0)
    rows = pl.concat(
        [
            tracklet(9, range(60), blade, reason="wiper"),
            tracklet(1, range(5, 40), RIGHT),
            tracklet(2, range(50, 90), RIGHT),
            tracklet(3, [299], RIGHT),
        ]
    )
    motion = wiped_until(60)
    found = row(counted(rows, motion=motion), "v0")
    assert found["wiped_share"] == pytest.approx(60 / 300)
    assert (found["max_n"], found["n_tracklets"]) == (1, 1)
    assert found["sightings_an_hour"] == pytest.approx(3600 / 8)
