"""Places of the lens: what recurs from clip to clip, and what only rests."""

import numpy as np
import polars as pl
import pytest

from megafish_assets.detections.columns import LENS_PLACES, RECURRENCES
from megafish_assets.detections.lens import (
    FEWEST_OTHERS,
    lens_places,
    moved_share,
    places_of,
    places_version,
)
from megafish_assets.detections.recurrences import recurrences
from megafish_assets.footage.boxes import BOX
from megafish_assets.reef.plan import ReefPlan
from megafish_assets_tests.detections.reefs import reef_rows

PANNING = ReefPlan(videos=12, seed=33, resting_share=0.2)
STILL = ReefPlan(videos=8, seed=34, pans=False)


def seen(boxes: dict[str, list[tuple[float, tuple[float, ...]]]]) -> pl.DataFrame:
    """Rows from, by video, seconds and `(x, y, w, h)`."""
    rows = [(video, round(30 * at), at, *map(float, box)) for video, found in boxes.items() for at, box in found]
    schema = {"video": pl.String, "frame_id": pl.Int64, "seconds_in_video": pl.Float64}
    return pl.DataFrame(rows, schema | dict.fromkeys(BOX, pl.Float64), orient="row")


def through(box: tuple[float, ...], seconds: range = range(10)) -> list[tuple[float, tuple[float, ...]]]:
    return [(float(second), box) for second in seconds]


GROWTH, ELSEWHERE = (100.0, 100.0, 40.0, 30.0), (700.0, 500.0, 40.0, 30.0)


def test_no_rows_have_no_places_and_every_column() -> None:
    places, found = lens_places(recurrences(seen({})))
    assert dict(places.schema) == {name: column.dtype for name, column in LENS_PLACES.items()}
    assert dict(found.schema) == {name: column.dtype for name, column in RECURRENCES.items()}
    assert places.height == found.height == 0 and places_version(found) is None
    assert places_of(seen({"a": through(GROWTH)}), found)["place_id"].null_count() == 10


def test_what_recurs_in_enough_other_clips_is_a_place_and_one_clip_less_is_none() -> None:
    for n_clips, n_places in ((FEWEST_OTHERS + 1, 1), (FEWEST_OTHERS, 0)):
        rows = seen({f"clip_{number}": through(GROWTH) for number in range(n_clips)})
        places, found = lens_places(recurrences(rows))
        assert places.height == n_places
        assert places_of(rows, found)["place_id"].count() == n_places * rows.height
    assert found["lens_score"].to_list() == [1.0] * FEWEST_OTHERS


def test_a_box_scores_the_mean_share_of_seconds_of_the_other_clips() -> None:
    # Other clips show it in 10, 5, 3, 2, 2 and 0 of 10 seconds; each has another box, so that it lasts ten seconds.
    lengths = {"b": 10, "c": 5, "d": 3, "e": 2, "g": 2}
    rows = seen(
        {"a": through(GROWTH), "f": through(ELSEWHERE)}
        | {name: [*through(GROWTH, range(n)), (9.9, ELSEWHERE)] for name, n in lengths.items()}
    )
    places, found = lens_places(recurrences(rows))
    of_a = found.filter(video="a").row(0, named=True)
    assert of_a["lens_score"] == pytest.approx((1.0 + 0.5 + 0.3 + 0.2 + 0.2 + 0.0) / 6) and of_a["n_others"] == 5
    assert places["place_id"].to_list() == ["p001"] and places["n_videos"].to_list() == [6]
    scores = places_of(rows, found).with_columns(rows["video"])
    assert scores.filter(video="f")["place_id"].null_count() == 10


def test_growth_that_grows_stays_one_place() -> None:
    grown = {
        f"v{number:03d}": through((100 - number / 2, 100 - number / 2, 40.0 + number, 30.0 + number))
        for number in range(0, 60, 2)
    }
    places, _ = lens_places(recurrences(seen(grown)))
    assert places.height == 1 and places["n_videos"][0] == 30


def test_a_long_video_is_many_clips_and_a_rest_of_half_a_minute_is_no_place() -> None:
    long = {"dive": through(GROWTH, range(600)) + through(ELSEWHERE, range(100, 130))}
    rows = seen(long).sort("seconds_in_video")
    places, found = lens_places(recurrences(rows))
    assert places.height == 1 and places["x_1024"][0] == GROWTH[0]
    named = places_of(rows, found).with_columns(rows["x_1024"])
    assert named.filter(x_1024=ELSEWHERE[0])["place_id"].null_count() == 30
    # Clips between those that were looked at are judged too.
    assert named.filter(x_1024=GROWTH[0])["place_id"].null_count() == 0


def test_a_video_that_came_later_is_judged_by_those_about_it() -> None:
    rows = seen({f"clip_{number}": through(GROWTH) for number in range(9)})
    _, found = lens_places(recurrences(rows))
    new = seen({"clip_10": [(0.0, GROWTH), (0.0, ELSEWHERE)]})
    assert places_of(new, found)["place_id"].to_list() == ["p001", None]


def test_places_keep_their_version_whatever_the_order_of_rows_and_move_with_what_comes_or_goes() -> None:
    rows = seen({f"clip_{number}": through(GROWTH) + through(ELSEWHERE) for number in range(8)})
    found = lens_places(recurrences(rows))[1]
    shuffled = lens_places(recurrences(rows.sample(fraction=1.0, shuffle=True, seed=1)))[1]
    assert places_version(found) == places_version(shuffled) is not None
    assert moved_share(found, shuffled) == 0.0
    fewer = lens_places(recurrences(rows.filter(pl.col("x_1024") == GROWTH[0])))[1]
    assert moved_share(found, fewer) == moved_share(fewer, found) == 1.0
    # 40 px overlap 60 by half and 60 overlap 85, which are met in seven other clips with themselves, in four without.
    widths = [40.0] * 6 + [60.0] * 4 + [85.0] * 4
    grown = {f"clip_{number}": through((100.0, 100.0, width, 30.0)) for number, width in enumerate(widths)}
    now = lens_places(recurrences(seen(grown)))[1]
    before = lens_places(recurrences(seen(dict(list(grown.items())[:10]))))[1]
    assert moved_share(before, now) == moved_share(now, before) == pytest.approx(4 / (10 + 14))
    assert moved_share(found.clear(), found.clear()) == 0.0


def test_a_new_growth_moves_the_places_however_many_have_stayed() -> None:
    growths = [(40.0 + 80 * n, 40.0, 40.0, 30.0) for n in range(7)]
    old = {f"c_{n}": [row for box in growths[:6] for row in through(box, range(4))] for n in range(150)}
    new = {f"c_{n}": [row for box in growths for row in through(box, range(4))] for n in range(150, 170)}
    before, now = lens_places(recurrences(seen(old)))[1], lens_places(recurrences(seen(old | new)))[1]
    later = seen(new).filter(pl.col("x_1024") == growths[6][0])
    assert places_of(later, before)["place_id"].count() == 0
    assert places_of(later, now)["place_id"].count() == later.height == 80
    assert moved_share(before, now) == moved_share(now, before) == 1.0
    few = lens_places(recurrences(seen(old | dict(list(new.items())[:5]))))[1]
    assert moved_share(before, few) == 0.0


def test_a_place_that_grew_out_of_its_box_has_moved_though_its_first_clips_are_what_they_were() -> None:
    def growth(clip: int) -> tuple[float, ...]:
        side = 40.0 + 2 * max(0, clip - 1000)
        return (100.0, 100.0, side, side)

    others = [(40.0 + 80 * n, 700.0, 40.0, 30.0) for n in range(10)]
    clips = {
        f"c_{n}": [row for box in (growth(n), *others) for row in through(box, range(2))] for n in range(850, 1060)
    }
    now = lens_places(recurrences(seen(clips)))[1]
    before = lens_places(recurrences(seen(dict(list(clips.items())[:150]))))[1]
    assert lens_places(recurrences(seen(clips)))[0].height == 11
    assert moved_share(before, now) == 1.0


@pytest.mark.parametrize("plan", [PANNING, STILL], ids=["panning, resting fish", "still"])
def test_the_reefs_growth_is_found_and_its_fish_are_spared(plan: ReefPlan) -> None:
    rows = reef_rows(plan)
    _, found = lens_places(recurrences(rows))
    named = rows.with_columns(places_of(rows, found)["place_id"].is_not_null().alias("at_place"))
    flagged, is_growth = named.filter("at_place"), pl.col("kind") == "algae"
    assert named.filter(is_growth)["at_place"].mean() >= 0.95
    assert flagged.select(is_growth.mean()).item() >= 0.99
    assert named.filter(pl.col("track_id").is_not_null())["at_place"].mean() <= 0.001


def test_where_a_person_saw_a_fish_there_is_no_place() -> None:
    rows = seen({f"clip_{number}": through(GROWTH) + through(ELSEWHERE) for number in range(8)})
    found = recurrences(rows)
    assert lens_places(found)[0].height == 2
    places, scored = lens_places(found, np.array([[702.0, 501.0, 40.0, 30.0]]))
    assert places["x_1024"].to_list() == [GROWTH[0]]
    assert set(places_of(rows, scored).with_columns(rows["x_1024"]).drop_nulls()["x_1024"]) == {GROWTH[0]}
    assert places_version(scored) != places_version(lens_places(found)[1])
    assert lens_places(found, np.empty((0, 4)))[0].height == 2
