"""The nightly report: what it says of tables whose counts are known, of poor ones, and of those that are not there."""

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import dagster as dg
import numpy as np
import polars as pl
import pytest

from megafish_assets.atlas.columns import TILES
from megafish_assets.atlas.report_charts import time_line
from megafish_assets.atlas.report_content import Grid, Kind
from megafish_assets.atlas.report_doubt import doubt_of, newcomers_of, recall_of
from megafish_assets.atlas.report_html import coded, lasting, mean, moment, percent
from megafish_assets.atlas.report_kinds import colours_of, kinds_of
from megafish_assets.atlas.report_pictures import MOST_BYTES, SIZES, marked, pictures_of
from megafish_assets.atlas.report_searched import searched_of
from megafish_assets.atlas.report_times import OTHERS, times_of
from megafish_assets.clusters.columns import KIND_EVENTS, KINDS, STABILITY
from megafish_assets.detections.columns import RAW
from megafish_assets.labels.columns import LABELS, WORDS
from megafish_assets.labels.current import FRAME_STATUSES
from megafish_assets.labels.naming import UNNAMED
from megafish_assets.orchestration.policy import grouped
from megafish_assets.orchestration.summary import Summary
from megafish_assets.reporting.verdicts import Check, Limit, never, verdict
from megafish_assets.sightings.columns import ABUNDANCE, RICHNESS, SIGHTINGS
from megafish_assets_tests.atlas.reported import BACKBONE, SECONDS, Collection, counts, typed
from megafish_assets_tests.conftest import REPOSITORY, collection_environment

NIGHT = datetime(2025, 12, 12, 2, tzinfo=UTC)
MORNING = datetime(2025, 12, 12, 5)
NO_SIGHTINGS = typed([], SIGHTINGS).lazy()
CROPS_SEEN = {
    "detection_id": pl.String,
    "width_px": pl.Int64,
    "height_px": pl.Int64,
    "clipped_share": pl.Float64,
    "is_small": pl.Boolean,
}
NO_CROPS = pl.LazyFrame(schema=CROPS_SEEN)


def words(collection: Collection) -> str:
    """The page's text without its markup, scripts and style, in single spaces, the narrow ones too."""
    page = collection.page.read_text()
    bare = re.sub(r"(?s)<(script|style).*?</\1>", " ", page)
    return " ".join(re.sub(r"<[^>]+>", " ", bare).split())


def test_the_page_says_what_the_tables_hold(tmp_path: Path) -> None:
    made = Collection(tmp_path / "wall", ["yellow tang", "kind 7", "unnamed"], n_videos=6, with_videos=True)
    result = made.made()
    assert result.success and all(check.passed for check in result.get_asset_check_evaluations())
    # Of kind k in video v there are (v + k) % 4: yellow tang 0 1 2 3 0 1, kind 7 1 2 3 0 1 2, unnamed 2 3 0 1 2 3.
    table = made.shown().select("kind", "max_n", "mean_count", "n_tracklets", "n_clips", "max_n_video", "n_boxes_shown")
    assert table.rows() == [
        ("kind 7", 3, 9 / 12, 9, 5, "cam_0002", 3),
        ("yellow tang", 3, 7 / 12, 7, 4, "cam_0003", 3),
        ("unnamed", 3, 11 / 12, 11, 5, "cam_0001", None),
    ]
    text = words(made)
    assert "In 6 clips, 6.0 minutes of video, at least 1 kind was seen that people have named: yellow tang." in text
    assert "1 more group of look-alikes has no name yet." in text
    assert "yellow tang 3 0.58 4 of 6 clips first in cam_0001 7" in text
    assert "no kind, no name 3 0.92 5 of 6 clips" in text
    assert "taken by the wiper 10 %" in text and "10 800 frames" in text
    assert "cam_0003 at 0:00.3" in text
    # Sure in the odd videos: 1, 3 and 1 yellow tangs, 2 of kind 7 in each of two, and none of it in the third.
    assert "Told apart clip by clip: 5 animals in the 3 clips where that is sure." in text
    assert "Told apart clip by clip: 4 animals in the 2 clips where that is sure." in text


def test_the_file_stands_alone_and_the_frames_are_kept_for_the_next_night(tmp_path: Path) -> None:
    made = Collection(tmp_path, ["chromis"], n_videos=4, with_videos=True)
    first = made.made()
    page, frames = made.page.read_text(), [path.name for path in made.page.parent.glob("still_*.jpg")]
    markup = re.sub(r"(?s)<script>.*?</script>", "", page)
    assert not re.search(r'(?:src|href)="(?!data:image/jpeg|http://127.0.0.1:3000/)|url\(|@import', markup)
    assert len(frames) == 1
    for path in (tmp_path / "recordings").iterdir():
        path.write_bytes(path.read_bytes()[:-1] + b"\0")  # it can still be read, and is as large: nobody looks
    assert made.made().success
    assert [path.name for path in made.page.parent.glob("still_*.jpg")] == frames
    told = first.asset_materializations_for_node("report")[0].metadata
    assert told["open"].value == str(made.page) and told["page_mb"].value == pytest.approx(len(page.encode()) / 1e6)


@pytest.mark.parametrize(("kinds", "n_videos"), [([], 3), ([], 0), (["unnamed"], 1)])
def test_a_collection_without_kinds_is_told_as_one(tmp_path: Path, kinds: list[str], n_videos: int) -> None:
    made = Collection(tmp_path, kinds, n_videos=n_videos)
    # In the only video there is none of the first kind.
    assert made.made().success and made.shown().is_empty()
    text = words(made)
    assert "there is no kind to show" in text and "Nothing was seen, at no time." in text
    told = "nothing was seen that counts as an animal" if kinds else "No video has been searched yet."
    assert told in text


def test_before_anybody_names_kinds_have_numbers_and_the_page_says_how_to_name(tmp_path: Path) -> None:
    made = Collection(tmp_path, ["kind 1", "kind 3"], n_videos=5)
    assert made.made().success
    text = words(made)
    assert "the animals fall into 2 groups of look-alikes, none of which anybody has named yet" in text
    assert "make review" in text and "Nobody has named anything yet." in text


def test_recordings_that_are_gone_cost_the_frames_alone(tmp_path: Path) -> None:
    made = Collection(tmp_path, ["chromis", "kind 2"], n_videos=4)
    result = made.made()
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed and "n_frames_missing = 2" in check.description
    assert "None of the recordings can be read here" in words(made)
    assert made.shown()["n_boxes_shown"].null_count() == 2
    assert made.page.read_text().count("data:image/jpeg") > 2


def test_a_name_that_people_gave_stays_a_name(tmp_path: Path) -> None:
    name = '</script><script>harmed=1</script>{{ 7*7 }}<img src=x onerror="harmed=2">'
    made = Collection(tmp_path, [name], n_videos=4)
    assert made.made().success
    page = made.page.read_text()
    assert "harmed=1</script>" not in page and "<img src=x" not in page and "{{ 7*7 }}" in page
    assert made.shown()["kind"].to_list() == [name]


def test_the_command_says_where_it_lies_and_what_to_do_where_there_is_none(tmp_path: Path) -> None:
    made = Collection(tmp_path, ["chromis"], n_videos=2)

    def asked() -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "megafish_assets", "report", "--print"]
        environment = collection_environment(tmp_path, backbones=BACKBONE)
        return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)

    nowhere = asked()
    assert nowhere.returncode == 1 and f"no report at {made.page}: `make materialise` makes it" in nowhere.stderr
    assert made.made().success
    assert asked().stdout.strip() == str(made.page)


def test_the_summary_says_where_the_report_lies_if_there_is_one() -> None:
    held = {"n_videos": 1, "n_detections": 2, "n_faulty": 0, "n_crops": 2, "n_set_aside": 0}
    assert "report: /r/index.html" in list(Summary(**held, report="/r/index.html").lines())
    assert not any(line.startswith("report") for line in Summary(**held).lines())


def test_two_hundred_kinds_are_all_in_the_table_and_the_commonest_have_cards(tmp_path: Path) -> None:
    made = Collection(tmp_path, [f"species {number}" for number in range(200)], n_videos=4)
    assert made.made().success
    page = made.page.read_text()
    assert page.count("<tr data-kind=") == 200 and page.count("<article class=") == SIZES[-1][0]
    assert "The 120 commonest of 200 kinds are shown" in words(made)


def test_pictures_that_would_make_the_page_too_large_are_left_out_and_counted() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (540, 960, 3), dtype=np.uint8)
    still = cv2.imencode(".jpg", noise)[1].tobytes()
    crop = cv2.imencode(".jpg", noise[:220, :220])[1].tobytes()
    names = [f"kind {number}" for number in range(1, 25)]
    kinds = [
        kind_of(name, place, tuple(f"v/{place:06d}/{n:03d}" for n in range(8))) for place, name in enumerate(names)
    ]
    ids = [crop_id for kind in kinds for crop_id in kind.crops]
    crops = pl.DataFrame({"detection_id": ids, "jpeg": [crop] * len(ids)}).lazy()
    stills = {("v", place): still for place in range(24)}
    box = dict.fromkeys(("x_1024", "y_1024", "width_1024", "height_1024"), 100.0)
    boxes = pl.DataFrame([{"kind": name, "seconds_in_video": 0.0} | box for name in names])
    made = pictures_of(kinds, [], crops, stills, boxes)
    assert made.n_bytes <= MOST_BYTES and made.n_without_room > 0
    assert len(made.thumbs) == 24, "a kind is shown by its crop before any frame"


def kind_of(name: str, frame: int, crops: tuple[str, ...]) -> Kind:
    where = {"max_n": 1, "max_n_video": "v", "max_n_frame": frame, "station": None, "n_tracklets": 1, "n_clips": 1}
    where |= {"n_animals": 1, "n_sure_clips": 1}
    means = {"mean_count": 1.0, "mean_count_low": None, "mean_count_high": None, "clips_share": 1.0}
    times = {"first_seen": None, "last_seen": None, "first_video": "v", "busiest_hour": None}
    named = {"scientific_name": None, "kind_id": 1, "colour": "#ff0000", "name_source": "person"}
    return Kind(name=name, crops=crops, **where, **means, **times, **named)


def test_a_box_is_outlined_in_its_colour_about_the_animal_and_not_over_it() -> None:
    still = cv2.imencode(".jpg", np.full((512, 1024, 3), 40, np.uint8))[1].tobytes()
    drawn = marked(still, np.array([[256.0, 256.0, 512.0, 512.0]]), "#e02010", 512)
    pixels = cv2.imdecode(np.frombuffer(drawn, np.uint8), cv2.IMREAD_COLOR).astype(int)
    assert pixels.shape == (256, 512, 3)
    # The box is 128 to 384 and 64 to 192 there; nothing within it is painted.
    assert np.abs(pixels[66:190, 130:382] - 40).max() < 25
    red, green = pixels[128, 120:128, 2], pixels[128, 120:128, 1]
    assert (red - green).max() > 100


def test_hours_of_the_day_are_means_by_how_long_they_were_searched() -> None:
    # Videos begin at 05:00 and every hour after; kind 0 is there 0 1 2 3 ... times, half of them on average.
    table = counts(["chromis"], 26, MORNING, [])
    times = times_of(table, (kind_of("chromis", 0, ()),))
    (grid,) = times.grids
    assert times.unit == "hour" and len(grid.windows) == 24 and grid.windows[5] == "05:00"
    # 05:00 is the hour of video 0 and of video 24, a day later, in both of which there is none; 06:00 of 1 and 25.
    assert grid.mean_counts[0][5] == 0 and grid.mean_counts[0][6] == 0.5 and grid.mean_counts[0][8] == 1.5
    assert grid.minutes[5] == 2 and grid.minutes[8] == 1
    assert times.over_unit == "hour" and len(times.over[0].windows) == 26
    assert times.over[0].windows[0] == "12 Dec 05:00"


def test_the_busiest_hour_counts_days_on_which_nothing_came() -> None:
    # At 07:00 there is one on one day of ten, at 12:00 half of that on each.
    rows = [
        {"window_kind": "hour", "window": f"2025-12-{day:02d}T{hour:02d}", "kind": "tang", "mean_count": mean,
         "seconds_searched": 600.0}
        for day in range(1, 11)
        for hour, mean in ((7, 3.0 if day == 1 else 0.0), (12, 1.0))
    ]  # fmt: skip
    whole = [{"window_kind": "all", "window": "all", "kind": "tang", "max_n": 3, "mean_count": 0.65}]
    (kind,) = kinds_of(typed(rows + whole, ABUNDANCE), NO_SIGHTINGS, NO_CROPS)
    assert kind.busiest_hour == 12


def test_the_best_pictures_are_of_people_then_large_of_all_videos_and_never_of_fish_too_small_to_be_seen() -> None:
    crops = [
        # of whom, in which video, width, cut off, too small
        ("small", "person", "v1", 14, 0.0, True),
        ("wide", "classified", "v1", 200, 0.0, False),
        ("said", "person", "v1", 90, 0.0, False),
        ("other", "classified", "v2", 80, 0.0, False),
        ("cut", "person", "v3", 300, 0.2, False),
    ]
    seen = [
        {
            "video": video,
            "tracklet_id": name,
            "name": "tang",
            "name_source": source,
            "best_crop": name,
            "is_counted": True,
        }
        for name, source, video, *_ in crops
    ]
    sizes = [(name, width, 10, share, is_small) for name, _, _, width, share, is_small in crops]
    whole = [{"window_kind": "all", "window": "all", "kind": "tang", "max_n": 3, "mean_count": 0.65}]
    (kind,) = kinds_of(
        typed(whole, ABUNDANCE), typed(seen, SIGHTINGS).lazy(), pl.LazyFrame(sizes, CROPS_SEEN, orient="row")
    )
    assert kind.crops == ("said", "other", "cut", "wide", "small")


def test_hours_and_days_are_told_by_their_names_though_a_first_look_is_rounded_into_the_one_before() -> None:
    just = timedelta(microseconds=1)
    noon = counts(["chromis"], 2, datetime(2025, 12, 12, 12), []).with_columns(pl.col("recorded_at") - just)
    times = times_of(noon, (kind_of("chromis", 0, ()),))
    # 12:00 is the hour of video 0, without any, and 13:00 of video 1, with half a fish on average.
    assert times.grids[0].mean_counts[0][11:14] == (None, 0, 0.5)
    (kind,) = kinds_of(noon, NO_SIGHTINGS, NO_CROPS)
    assert kind.busiest_hour == 13
    nights = counts(["chromis"], 49, datetime(2025, 12, 12), []).with_columns(pl.col("recorded_at") - just)
    days = times_of(nights, (kind_of("chromis", 0, ()),))
    assert days.over_unit == "day" and days.over[0].windows == ("12 Dec 2025", "13 Dec 2025", "14 Dec 2025")


def test_hours_that_were_not_searched_are_gaps_and_not_zeros() -> None:
    table = counts(["chromis"], 6, MORNING, []).filter(pl.col("window") != "2025-12-12T07")
    table = table.filter((pl.col("recorded_at") != datetime(2025, 12, 12, 7)).fill_null(True))
    times = times_of(table, (kind_of("chromis", 0, ()),))
    assert times.over[0].mean_counts[0] == (0, 0.5, None, 1.5, 0, 0.5)
    assert times.grids[0].mean_counts[0][4:8] == (None, 0, 0.5, None)


def test_without_a_clock_the_columns_are_clips_and_of_many_some_share_one() -> None:
    few = times_of(counts(["chromis"], 3, None, []), (kind_of("chromis", 0, ()),))
    assert few.unit == few.over_unit == "clip" and few.grids[0].windows == ("cam_0000", "cam_0001", "cam_0002")
    many = times_of(counts(["chromis"], 121, None, []), (kind_of("chromis", 0, ()),))
    assert many.n_clips_a_window == 3 and len(many.grids[0].windows) == 41
    assert many.grids[0].windows[:1] == ("cam_0000 to cam_0002",) and many.grids[0].windows[-1] == "cam_0120"
    assert many.grids[0].mean_counts[0][0] == pytest.approx((0 + 1 + 2) / 2 / 3)


def half_timed(n_timed: int, n_others: int) -> pl.DataFrame:
    """Counts of clips of a known hour each, and of as many others without a clock as are asked for."""
    others = counts(["chromis"], n_others, None, []).with_columns(("other " + pl.col("window")).alias("window"))
    both = pl.concat([counts(["chromis"], n_timed, MORNING, []), others])
    whole = pl.col("window").str.ends_with("all")
    all_of_it = both.filter(whole).with_columns(
        window=pl.lit("all"), seconds_searched=pl.lit(60.0 * (n_timed + n_others))
    )
    return pl.concat([both.filter(~whole), all_of_it.head(1)])


def test_where_most_that_was_searched_has_no_clock_the_columns_are_clips() -> None:
    kinds = (kind_of("chromis", 0, ()),)
    most, few = times_of(half_timed(3, 2), kinds), times_of(half_timed(3, 4), kinds)
    assert (most.unit, most.over_unit, most.grids[0].minutes[5:8]) == ("hour", "hour", (1, 1, 1))
    assert (few.unit, few.over_unit, len(few.grids[0].windows)) == ("clip", "clip", 7)


@pytest.mark.parametrize(
    ("n_others", "told"),
    [
        (2, "The 2 clips whose time of day is not known are in neither chart"),
        (4, "The time of day of 4 clips, most of what was searched, is not known"),
    ],
)
def test_clips_without_a_clock_are_told_where_they_are_missing(tmp_path: Path, n_others: int, told: str) -> None:
    made = Collection(tmp_path, ["chromis"], n_videos=3, start=MORNING)
    made.store("sightings/abundance", half_timed(3, n_others))
    assert made.made().success and told in words(made)


def test_a_kind_is_in_as_many_clips_as_the_table_of_counts_says() -> None:
    # In 3 of 4 clips there is some; in the fourth there is one for too short a while to be a sighting.
    table = counts(["chromis"], 4, None, []).with_columns(
        pl.when(pl.col("window_kind") == "all")
        .then(1.0)
        .otherwise("occupied_clips_share")
        .alias("occupied_clips_share")
    )
    (kind,) = kinds_of(table, NO_SIGHTINGS, NO_CROPS)
    assert (kind.n_clips, kind.clips_share) == (4, 1.0)
    both = counts(["chromis"], 6, None, ["north", "south"])
    (kind,) = kinds_of(both, NO_SIGHTINGS, NO_CROPS)
    # Of 0 1 2 3 0 1, north has 0 2 0 and south 1 3 1.
    assert (kind.n_clips, kind.clips_share) == (4, pytest.approx(4 / 6))


def test_videos_that_the_wiper_hides_wholly_are_not_among_those_searched() -> None:
    table = counts(["chromis"], 3, MORNING, [])
    behind = pl.col("window") == "cam_0002"
    table = table.with_columns(
        pl.when(behind).then(0).otherwise("n_frames_searched").alias("n_frames_searched"),
        pl.when(behind).then(1.0).otherwise("wiped_share").alias("wiped_share"),
    ).with_columns(seconds_searched=SECONDS * (1 - pl.col("wiped_share")))
    told = searched_of(table, NO_SIGHTINGS, typed([], RAW).lazy(), 3, [])
    assert (told.n_videos_known, told.n_videos, told.wiped_share) == (3, 2, pytest.approx(0.4))
    assert (told.first, told.last) == (MORNING, MORNING + timedelta(hours=2, minutes=1))


def test_a_window_wholly_behind_the_wiper_is_no_look_at_any_kind() -> None:
    table = counts(["chromis", "tang"], 3, None, [])
    behind = pl.col("window") == "cam_0001"
    table = table.with_columns(
        pl.when(~behind).then("mean_count").alias("mean_count"),
        pl.when(behind).then(0.0).otherwise("seconds_searched").alias("seconds_searched"),
    )
    times = times_of(table, tuple(kind_of(name, 0, ()) for name in ("chromis", "tang")))
    assert times.grids[0].mean_counts == ((0, None, 1.0), (0.5, None, 1.5))
    assert times.over[0].mean_counts == times.grids[0].mean_counts and times.grids[0].minutes == (1, 0, 1)


def test_stations_are_never_added() -> None:
    # North has the even videos and so 0 and 2 of the kind, south the odd ones with 1 and 3.
    times = times_of(counts(["chromis"], 8, MORNING, ["north", "south"]), (kind_of("chromis", 0, ()),))
    assert [grid.station for grid in times.grids] == ["north", "south"]
    by_station = [{mean for mean in grid.mean_counts[0] if mean is not None} for grid in times.over]
    assert by_station == [{0, 1.0}, {0.5, 1.5}]


def test_rarer_kinds_are_one_bar_and_what_has_no_name_another() -> None:
    names = [f"kind {number}" for number in range(1, 13)]
    table = counts([*names, UNNAMED], 4, None, [])
    times = times_of(table, tuple(kind_of(name, 0, ()) for name in [*names, UNNAMED]))
    grid: Grid = times.over[0]
    assert grid.kinds == (*names[:9], OTHERS, UNNAMED)
    # Kinds 9 to 11 (from 0) in video 0: 1, 2 and 3 of them, half on average.
    assert grid.mean_counts[9][0] == 3.0


def test_two_names_that_begin_alike_have_a_row_each() -> None:
    names = [f"Acanthurus nigrofuscus complex {which}" for which in "ab"]
    times = times_of(counts(names, 3, None, []), tuple(kind_of(name, 0, ()) for name in names))
    chart = time_line(times.grids[0], times.unit).to_plotly_json()
    assert list(chart["data"][0]["y"]) == [0, 1] and len(chart["data"][0]["z"]) == 2
    assert [len(set(chart["layout"]["yaxis"]["ticktext"])), len(names)] == [1, 2]


def test_no_two_kinds_have_one_colour_while_there_are_colours() -> None:
    seen = typed(
        [{"video": "v", "name": f"n{k}", "kind_id": k % 3 + 1, "is_counted": True} for k in range(5)], SIGHTINGS
    )
    colours = colours_of([f"n{k}" for k in range(5)], seen.lazy())
    assert len({colours[f"n{k}"] for k in range(3)}) == 3 and colours["n3"] == colours["n4"] == "#c9c9c9"


def fits(*events: tuple[str, int, int], nights: int = 2) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The events of the last fit, and its kinds with those of the nights before."""
    kinds = [
        {"fit_version": f"f{night}", "fitted_at": NIGHT - timedelta(days=nights - 1 - night), "kind_id": 1,
         "is_latest": night == nights - 1, "unit_id": "v/t00000", "cluster": 0}
        for night in range(nights)
    ]  # fmt: skip
    told = [
        {"fit_version": f"f{nights - 1}", "fitted_at": NIGHT, "event": event, "kind_id": kind_id, "n_after": n}
        for event, kind_id, n in events
    ]
    return typed(told, KIND_EVENTS), typed(kinds, KINDS)


def test_newcomers_are_kinds_that_were_born_since_the_night_before() -> None:
    happened = [("continued", 1, 9), ("born", 8, 4), ("born", 9, 6), ("gone", 3, 0)]
    events, kinds = fits(*happened)
    new = newcomers_of(events, kinds, {9: "moorish idol"}, NO_SIGHTINGS, NIGHT + timedelta(hours=1))
    assert [(one.kind_id, one.name, one.n_tracklets) for one in new.born] == [(9, "moorish idol", 6), (8, "kind 8", 4)]
    assert (new.is_first, new.is_recent, new.n_continued, new.n_gone) == (False, True, 1, 1)
    later = newcomers_of(events, kinds, {}, NO_SIGHTINGS, NIGHT + timedelta(days=3))
    assert later.born == () and not later.is_recent and later.fitted_at == NIGHT
    first = newcomers_of(*fits(("born", 1, 9), nights=1), {}, NO_SIGHTINGS, NIGHT)
    assert first.is_first and first.born == ()
    assert newcomers_of(None, None, {}, NO_SIGHTINGS, NIGHT).fitted_at is None


def test_how_sure_it_is_needs_none_of_the_tables() -> None:
    nothing = doubt_of(None, {}, None, {}, None, {}, NO_SIGHTINGS, None, None, None)
    assert (nothing.sentence, nothing.stable, nothing.leaks, nothing.richness) == (None, (), (), ())
    stability = typed([{"cluster": 0, "jaccard": 0.9, "n_tracklets": 8, "n_videos": 4, "stable": True}], STABILITY)
    _, kinds = fits()
    leaks = pl.DataFrame({"measure": ["leak_video", "n_crops"], "value": [0.5, 100.0]})
    told = {"n_sure": 1, "kinds": "1 kind; 1 sure"}
    doubt = doubt_of(stability, told, kinds, {1: "chromis"}, leaks, {"leak_video": 0.4}, NO_SIGHTINGS, None, None, None)
    assert [(row.kind, row.is_sure) for row in doubt.stable] == [("kind 1, chromis", True)]
    assert [(leak.what, leak.holds) for leak in doubt.leaks] == [("the video", False)]
    no_fish = doubt_of(stability, told, kinds, {1: "not a fish"}, None, {}, NO_SIGHTINGS, None, None, None)
    assert no_fish.stable == () and no_fish.n_no_fish == 1


def test_recall_and_richness_stand_on_the_page_once_they_are_there(tmp_path: Path) -> None:
    made = Collection(tmp_path, ["chromis"], n_videos=4)
    rows = {"station": [None], "of": ["named"], "n_observed": [11], "chao2": [13.5], "chao2_low": [11.2],
            "chao2_high": [24.0], "sample_coverage": [0.96], "n_clips": [40], "note": [None]}  # fmt: skip
    made.store("sightings/richness", typed(pl.DataFrame(rows), RICHNESS))
    seen = {
        "recall": 0.875,
        "recall_low": 0.8,
        "recall_high": 0.93,
        "n_frames_looked_at": 50,
        "n_found": 70,
        "n_missed": 10,
    }
    made.instance.report_runless_asset_event(dg.AssetMaterialization("animals_gap", metadata=seen))
    assert made.made().success
    text = words(made)
    assert "kinds with a name 11 13.5 11.2 to 24.0 96 % 40" in text
    assert "Of 80 animals that people saw in 50 frames drawn at random, the detector found 88 %" in text
    assert recall_of({}) is None


def test_groups_that_count_for_richness_are_those_that_come_back_and_not_all(tmp_path: Path) -> None:
    made = Collection(tmp_path, ["chromis"], n_videos=2)
    rows = {"station": [None], "of": ["stable"], "n_observed": [5], "chao2": [None], "chao2_low": [None],
            "chao2_high": [None], "sample_coverage": [None], "n_clips": [2], "note": ["refused"]}  # fmt: skip
    made.store("sightings/richness", typed(pl.DataFrame(rows), RICHNESS))
    assert made.made().success and "groups that other videos show too 5 refused" in words(made)


def test_frames_without_an_animal_were_looked_at_too(tmp_path: Path) -> None:
    made = Collection(tmp_path, ["chromis"], n_videos=2)
    looked = {"n_frames": 80, "n_found": 0, "n_missed": 0, "recall_note": "nothing was seen yet"}
    made.instance.report_runless_asset_event(
        dg.AssetMaterialization("animals_gap", metadata=looked | {"n_frames_looked_at": 50})
    )
    assert made.made().success
    assert "People looked at 50 frames drawn at random and saw no animal in them" in words(made)
    assert "Nobody has looked yet" not in words(made)
    made.instance.report_runless_asset_event(
        dg.AssetMaterialization("animals_gap", metadata=looked | {"n_frames_looked_at": 0})
    )
    assert made.made().success and "Nobody has looked yet" in words(made)


def test_labels_are_counted_as_they_stand_and_not_as_often_as_somebody_spoke(tmp_path: Path) -> None:
    made = Collection(tmp_path, ["chromis"], n_videos=2)
    said = [("tang", "approved", "ada"), ("chromis", None, "Ada"), (None, "not_fish", "bo"), (None, "unsure", "cy"),
            ("tang", "rejected", "cy"), *[(None, status, "di") for status in FRAME_STATUSES]]  # fmt: skip
    rows = [{"label": label, "status": status, "labelled_by": who} for label, status, who in said]
    made.store("labels/labels", typed(rows, LABELS))
    assert made.made().success and "People gave 3 labels (2 people)" in words(made)
    # Of the same fish ada said later that it is a chromis: one word stands, and bo's beside it.
    now = [{"tracklet_id": f"t{n}"} | row for n, row in enumerate(rows[1:4])]
    now[0]["status"] = "approved"
    made.store("labels/words", typed(now, WORDS))
    assert made.made().success and "People gave 2 labels (2 people)" in words(made)


def test_all_that_a_collection_can_tell_stands_on_the_page(tmp_path: Path) -> None:
    made = Collection(tmp_path / "reef", ["yellow tang", "kind 7"], n_videos=8, start=MORNING, stations=["north"])
    now, before = datetime.now(UTC), datetime.now(UTC) - timedelta(days=1)
    fit = {"fit_version": "f2", "fitted_at": now}
    kinds = [fit | {"is_latest": True, "unit_id": f"u{kind}", "cluster": place, "kind_id": kind}
             for place, kind in enumerate((1, 7))]  # fmt: skip
    kinds.append({"fit_version": "f1", "fitted_at": before, "is_latest": False, "unit_id": "u1", "kind_id": 1})
    events = [fit | {"event": "born", "kind_id": 7, "n_after": 4}, fit | {"event": "continued", "kind_id": 1},
              fit | {"event": "split", "kind_id": 1}, fit | {"event": "gone", "kind_id": 3}]  # fmt: skip
    stable = [{"cluster": place, "jaccard": 0.9 - place / 2, "n_tracklets": 8, "n_videos": 4, "stable": place == 0}
              for place in range(2)]  # fmt: skip
    made.store("clusters/kinds_vit", typed(kinds, KINDS))
    made.store("clusters/kind_events_vit", typed(events, KIND_EVENTS))
    made.store("clusters/stability_vit", typed(stable, STABILITY))
    leaks = {"measure": ["leak_video", "leak_time", "border_leak"], "value": [0.41, 0.2, None]}
    made.store("evaluation/confounders_vit", pl.DataFrame(leaks))
    made.store("labels/labels", typed([{"label": "yellow tang", "labelled_by": who} for who in ("ada", "bo")], LABELS))
    tiles = [{"sheet": "random", "cluster": place, "file": f"cluster_0{place}_random.png"} for place in range(2)]
    made.store("atlas/montages_vit", typed(tiles, TILES))
    named = made.abundance.with_columns(mean_count_low=pl.lit(0.5), mean_count_high=pl.lit(1.25))
    named = named.with_columns(pl.when(pl.col("kind") == "yellow tang").then(pl.lit("Zebrasoma flavescens"))
                               .alias("scientific_name"))  # fmt: skip
    made.store("sightings/abundance", named)
    told = {"n_sure": 1, "n_kinds": 2, "kinds": "1 to 2 kinds; 1 sure"}
    made.instance.report_runless_asset_event(dg.AssetMaterialization("stability_vit", metadata=told))
    for page in ("explorer", "review"):
        (tmp_path / "reef/figures" / page).mkdir(parents=True)
        (tmp_path / "reef/figures" / page / "index.html").write_text("")
    assert made.made().success
    text, page = words(made), made.page.read_text()
    for sentence in (
        "Recorded 12 December 2025, 05:00 to 12:01.",
        "yellow tang Zebrasoma flavescens 3 0.75 0.50 to 1.25 north 6 of 8 clips most 08:00 to 09:00 12 December 2025",
        "1 group that was not there before; 1 kind goes on, 1 split off, 1 is gone.",
        "1 to 2 kinds; 1 sure. The videos were drawn",
        "the video 0.41 0.4 groups keep to single videos",
        "the water behind it unknown 0.5",
        "People gave 2 labels (2 people)",
        "north 8 8.0 minutes",
    ):
        assert sentence in text, sentence
    for address in ("../explorer/index.html", "../review/index.html", "../montages_vit/cluster_01_random.png"):
        assert f'href="{address}"' in page
    assert page.count('<span class="mark warn">') == 1, "one leak is larger than allowed"


LATE = Check("names_are_fine", "Whether names are fine.", {"n_late": Limit("it is `late`", "Hurry.", at_most=1)})
BROKEN = Check("labels_hold", "Whether labels hold.", {"n_lost": never("nothing is lost", "Report it.")})


def test_checks_that_are_yellow_or_red_are_told_in_words_the_red_ones_first(tmp_path: Path) -> None:
    made = Collection(tmp_path, ["chromis"], n_videos=4)

    @dg.asset(check_specs=[LATE.spec("classes_vit")])
    def classes_vit() -> dg.MaterializeResult:
        return dg.MaterializeResult(check_results=[verdict(LATE, {"n_late": 3})])

    @dg.asset(check_specs=[BROKEN.spec("labels")])
    def labels() -> dg.MaterializeResult:
        return dg.MaterializeResult(check_results=[verdict(BROKEN, {"n_lost": 2})])

    others = grouped("labels", [classes_vit, labels])
    dg.materialize(others, instance=made.instance, raise_on_error=False)
    made.made(*others)
    text, page = words(made), made.page.read_text()
    assert "2 checks are not green, as they ran last." in text
    assert text.index("Nothing is lost. Report it. n_lost = 2 , allowed at most 0") < text.index("It is late . Hurry.")
    assert 'href="http://127.0.0.1:3000/assets/labels?view=checks' in page
    assert page.count('<li class="red">') == page.count('<li class="yellow">') == 1


def test_numbers_are_written_so_that_little_is_not_nothing() -> None:
    assert [mean(0), mean(0.004), mean(0.006), mean(1.234)] == ["0.00", "< 0.01", "0.01", "1.23"]
    assert [percent(0), percent(0.001), percent(0.5), percent(0.999), percent(1)] == [
        "0\u202f%", "< 1 %", "50\u202f%", "> 99 %", "100\u202f%",
    ]  # fmt: skip
    assert [lasting(60), lasting(117), lasting(476_700)] == ["60 seconds", "1.9 minutes", "132.4 hours"]
    assert [moment(3.94), moment(59.96), moment(3725.5)] == ["0:03.9", "1:00.0", "1:02:05.5"]
    assert coded("`a<b` > c") == "<code>a&lt;b</code> &gt; c"
