"""Pieces of animals: what is joined, and what never is."""

import math

import numpy as np
import polars as pl
import pytest

from megafish_assets.detections.scene import ScenePath, scene_paths
from megafish_assets.detections.tracklets import tracklets
from megafish_assets.reef.plan import ReefPlan
from megafish_assets.sightings.animals import animals_of_clips, linked, with_animals
from megafish_assets.sightings.columns import ABUNDANCE, LINKED
from megafish_assets_tests.detections.reefs import reef_motion, reef_rows
from megafish_assets_tests.sightings.made import tracklet


def moving(
    number: int, frames: range, at: tuple[float, float], speed: tuple[float, float] = (0, 0), size=(40.0, 20.0),
    name: str | None = None, is_part: bool = False, fps: float = 30,
) -> pl.DataFrame:  # fmt: skip
    """A tracklet whose box is at `at` in frame 0 and moves on by `speed` px a second."""
    boxes = [
        tracklet(number, [frame], (at[0] + speed[0] * frame / fps, at[1] + speed[1] * frame / fps, *size), fps=fps)
        for frame in frames
    ]
    return pl.concat(boxes).with_columns(pl.lit(name, pl.String).alias("name"), pl.lit(is_part).alias("is_part"))


def animals(*pieces: pl.DataFrame, path: ScenePath | None = None) -> dict[str, str]:
    """The animal of each tracklet, by its number."""
    table = linked(pl.concat(pieces), path)
    return {row[0][-1]: row[1][-1] for row in table.select("tracklet_id", "animal_id").iter_rows()}


def test_a_fish_that_is_lost_for_a_moment_and_goes_on_is_one_animal() -> None:
    before = moving(1, range(30), (100, 300), (60, 0))
    after = moving(2, range(45, 80), (100, 300), (60, 0))
    table = linked(pl.concat([before, after]), None)
    assert table["animal_id"].to_list() == ["v0/t00001"] * 2 and table["n_tracklets"].to_list() == [2, 2]
    assert table["link"].to_list() == [None, "after"] and table["linked_to"].to_list() == [None, "v0/t00001"]
    assert 0.5 < table["probability"][1] < 1 and table["is_open"].to_list() == [False, False]


def test_one_that_stands_elsewhere_or_comes_too_late_is_another() -> None:
    before = moving(1, range(30), (100, 300), (60, 0))
    assert animals(before, moving(2, range(45, 80), (100, 500))) == {"1": "1", "2": "2"}
    assert animals(before, moving(2, range(95, 130), (100, 300), (60, 0))) == {"1": "1", "2": "2"}  # 2.2 s later


def test_the_pan_is_taken_out_of_the_way() -> None:
    path = ScenePath(np.column_stack([np.arange(200) * 4.0, np.zeros(200)]))  # 120 px a second to the right
    before, after = moving(1, range(30), (100, 300), (120, 0)), moving(2, range(60, 90), (100, 300), (120, 0))
    elsewhere = moving(3, range(60, 90), (-20, 300), (120, 0))  # where it was in the picture
    assert animals(before, after, elsewhere, path=path) == {"1": "1", "2": "1", "3": "3"}


def test_two_that_are_in_one_frame_are_two_animals_and_the_nearer_goes_on() -> None:
    before = moving(1, range(30), (100, 300))
    near, far = moving(2, range(33, 60), (101, 300)), moving(3, range(33, 60), (130, 300))
    assert animals(before, near, far) == {"1": "1", "2": "1", "3": "3"}


def test_names_that_differ_keep_two_apart_through_a_piece_without_a_name() -> None:
    first, last = moving(1, range(30), (100, 300), name="tang"), moving(3, range(64, 90), (100, 300), name="goby")
    between = moving(2, range(32, 62), (100, 300))
    found = animals(first, between, last)
    assert found["1"] != found["3"] and found["2"] in (found["1"], found["3"])


def test_what_fills_the_gaps_of_another_is_a_piece_of_it() -> None:
    frames = [*range(20), *range(30, 60)]
    flickering = pl.concat([moving(1, range(f, f + 1), (100, 300), (30, 0)) for f in frames])
    half = moving(2, range(21, 29), (100, 300), (30, 0), size=(22.0, 20.0))
    table = linked(pl.concat([flickering, half]), None)
    assert table["link"].to_list() == [None, "within"] and table["animal_id"].n_unique() == 1
    passing = moving(2, range(21, 29), (100, 400), (30, 0))
    assert linked(pl.concat([flickering, passing]), None)["animal_id"].n_unique() == 2


def test_a_part_is_a_piece_of_what_it_lies_in_though_they_share_frames() -> None:
    whole = moving(1, range(30), (100, 300))
    part = moving(2, range(5, 15), (105, 302), size=(15.0, 15.0), is_part=True)
    table = linked(pl.concat([whole, part]), None)
    assert table.filter(link="part").select("tracklet_id", "linked_to").rows() == [("v0/t00002", "v0/t00001")]


def test_parts_that_lie_in_each_other_too_are_pieces_of_the_whole() -> None:
    whole = moving(1, range(30), (100, 300), size=(60.0, 40.0))
    parts = [moving(number, range(5, 25), (105, 302), size=(15.0, 15.0), is_part=True) for number in (2, 3)]
    table = linked(pl.concat([whole, *parts]), None)
    assert table["animal_id"].n_unique() == 1 and table["n_tracklets"].to_list() == [3, 3, 3]
    assert table.filter(tracklet_id="v0/t00003")["linked_to"].item() in ("v0/t00001", "v0/t00002")


def test_a_video_without_sightings_has_no_animals_and_one_box_is_one() -> None:
    one = moving(1, range(1), (100, 300))
    assert linked(one.clear(), None).is_empty() and linked(one, None).schema == linked(one.clear(), None).schema
    assert linked(one, None).select(*LINKED).row(0) == ("v0", "v0/t00001", "v0/t00001", 1, None, None, None, False)


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = pl.concat([moving(n, range(20 * n, 20 * n + 18), (100, 300 + 3 * n)) for n in range(5)])
    expected = linked(rows, None)
    assert linked(rows.sample(fraction=1, shuffle=True, seed=3), None).equals(expected)


@pytest.mark.parametrize("step", [1, 3])
def test_on_the_reef_pieces_become_animals_and_stay_pure(step: int) -> None:
    plan = ReefPlan(videos=2, seed=91)
    seen = reef_rows(plan).filter(pl.col("frame_id") % step == 0)
    ids = tracklets(seen.with_columns(pl.lit(None, pl.String).alias("fault"))).select("detection_id", "tracklet_id")
    rows = seen.join(ids, on="detection_id").with_columns(
        pl.lit(None, pl.String).alias("name"), pl.lit(False).alias("is_part")
    )
    paths = scene_paths(reef_motion(plan))
    made = pl.concat(
        [linked(own, paths.get(video)) for (video,), own in rows.partition_by("video", as_dict=True).items()]
    )
    both = rows.join(made, on="tracklet_id").with_columns(pl.col("track_id").cast(pl.String).fill_null("none"))
    shown = both.group_by("video", "animal_id", "track_id").len().sort("len", "track_id", descending=True)
    most = shown.unique(["video", "animal_id"], keep="first")
    fish = both.filter(pl.col("track_id") != "none")
    pieces = fish["tracklet_id"].n_unique() / fish.n_unique(["video", "track_id"])
    linked_pieces = most.filter(pl.col("track_id") != "none").height / fish.n_unique(["video", "track_id"])
    assert most["len"].sum() / both.height > 0.97
    assert linked_pieces < 0.75 * pieces


def test_a_clips_animals_are_told_where_no_piece_is_open() -> None:
    sightings = pl.DataFrame(
        [("v", f"v/t{n}", name, True) for n, name in enumerate(["tang", "tang", "tang", "goby", "goby"])],
        ["video", "tracklet_id", "name", "is_counted"],
        orient="row",
    ).with_columns(pl.lit(None, pl.Int64).alias("kind_id"))
    rows = [
        ("v/t0", "v/t0", False),
        ("v/t1", "v/t0", False),
        ("v/t2", "v/t2", False),
        ("v/t3", "v/t3", True),
        ("v/t4", "v/t4", True),
    ]
    table = pl.DataFrame(rows, ["tracklet_id", "animal_id", "is_open"], orient="row")
    told = animals_of_clips(sightings, table).sort("kind")
    assert told.rows() == [("v", "goby", None), ("v", "tang", 2)]
    windows = pl.DataFrame(
        [
            ("v", "clip", "tang", 2, 3),
            ("v", "clip", "goby", 1, 2),
            ("v", "clip", "wrasse", 0, 0),
            ("all", "all", "tang", 2, 3),
        ],
        ["window", "window_kind", "kind", "max_n", "n_tracklets"],
        orient="row",
    ).with_columns(pl.lit(None, pl.Int64).alias("n_animals"))
    assert with_animals(windows, told)["n_animals"].to_list() == [2, None, 0, None]
    # Three at once, one of them over a gap that a joined piece fills: there are not fewer animals than MaxN.
    more = windows.with_columns(max_n=pl.lit(3))
    assert with_animals(more, told)["n_animals"].to_list() == [None, None, 0, None]
    assert "n_animals" in ABUNDANCE and math.isfinite(told["n_animals"].sum())
