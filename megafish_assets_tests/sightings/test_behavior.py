"""What kinds do, of sightings and movements made by hand."""

from datetime import datetime, timedelta

import polars as pl
import pytest

from megafish_assets.sightings.behavior import SIGHTED, behavior
from megafish_assets.sightings.columns import BEHAVIOR, MOVEMENTS, SCHOOLS, SIGHTINGS
from megafish_assets.sightings.schools import schools


def sighted(*rows: tuple[str, str, str, str]) -> pl.DataFrame:
    """Tracklets in a video of a kind that begin and end somehow, each in view for two seconds."""
    schema = {name: SIGHTINGS[name].dtype if name in SIGHTINGS else pl.String for name in SIGHTED}
    full = [(f"t{n}", video, kind, 0.0, 2.0, None, begins, ends) for n, (video, kind, begins, ends) in enumerate(rows)]
    return pl.DataFrame(full, schema, orient="row")


def swum(*rows: tuple[str, str, float | None, float | None]) -> pl.DataFrame:
    """Tracklets in a video with a speed, each row a whole moment of its own."""
    full = [
        {"video": video, "tracklet_id": name, "moment": n, "seconds": float(n), "frame_id": n, "is_whole_moment": True,
         "n_looks": 9, "x_1024": 50.0, "y_1024": 50.0, "x_square": 50.0, "length_square": 10.0, "speed_x": x,
         "speed_y": y, "scene_speed": None if x is None else 0.0, "is_steady": True}
        for n, (video, name, x, y) in enumerate(rows)
    ]  # fmt: skip
    return pl.DataFrame(full, {name: column.dtype for name, column in MOVEMENTS.items()})


NO_GROUPS = pl.DataFrame(schema={name: column.dtype for name, column in SCHOOLS.items()})


def row(table: pl.DataFrame, kind: str | None = None) -> dict:
    return table.filter(pl.col("kind").eq_missing(kind)).row(0, named=True)


def test_directions_are_of_those_that_swim() -> None:
    found = sighted(*[("v0", "chromis", "cut", "cut")] * 2)
    ways = [(1.0, 0.2), (2.0, -0.5), (-0.4, 0.1), (0.1, 0.9), (0.2, 0.1), (None, None)]
    told = row(behavior(found, swum(*[("v0", "t0", *way) for way in ways]), NO_GROUPS), "chromis")
    # Of six stretches five have a speed, and four of these are fast enough: two right, one left, one down.
    assert (told["n_speeds"], told["n_moving"]) == (5, 4)
    assert (told["right_share"], told["left_share"]) == (0.5, 0.25)
    assert told["speed_median"] == pytest.approx((0.1**2 + 0.9**2) ** 0.5)
    assert told["right_share_low"] is None and "no interval of the right share: fewer than 20 clips (1)" in told["note"]


def test_the_interval_of_a_direction_is_by_clips_that_head_alike() -> None:
    videos = [f"v{n:02d}" for n in range(20)]
    found = sighted(*[(video, "chromis", "cut", "cut") for video in videos])
    moved = swum(*[(v, f"t{n}", 1.0 if n < 10 else -1.0, 0.0) for n, v in enumerate(videos) for _ in range(50)])
    told = row(behavior(found, moved, NO_GROUPS), "chromis")
    # Ten of twenty clips, not 500 of 1,000 stretches: 0.5 +- 1.96 * sqrt(0.25 / 20).
    assert (told["right_share_low"], told["right_share_high"]) == pytest.approx((0.28, 0.72), abs=0.051)


@pytest.mark.parametrize(
    ("minutes_apart", "told"), [(6, None), (1, "no interval of the right share: fewer than 10 blocks of 300 s (4)")]
)
def test_clips_of_five_minutes_are_drawn_together(minutes_apart: int, told: str | None) -> None:
    videos = [f"v{n:02d}" for n in range(20)]
    # As each sighting says when it was, eight seconds after its clip began.
    at = [datetime(2025, 12, 12, 12, 0, 8) + timedelta(minutes=minutes_apart * n) for n in range(20)]
    found = sighted(*[(video, "chromis", "cut", "cut") for video in videos]).with_columns(
        first_second=pl.lit(8.0), recorded_at=pl.Series(at, dtype=pl.Datetime("us"))
    )
    moved = swum(*[(video, f"t{n}", 1.0 if n < 10 else -1.0, 0.0) for n, video in enumerate(videos)])
    row_of = row(behavior(found, moved, NO_GROUPS), "chromis")
    assert (row_of["right_share_low"] is None) == (told is not None) and (told or "no stay") in row_of["note"]


def test_company_is_the_share_of_animals_in_groups() -> None:
    found = sighted(*[("v0", "chromis", "cut", "cut")] * 4, ("v0", "ray", "cut", "cut"))
    at_once = swum(*[("v0", f"t{n}", 1.0, 0.0) for n in range(5)]).with_columns(moment=0, seconds=0.0)
    far = at_once.with_columns(
        pl.when(pl.col("tracklet_id") == "t3").then(900.0).otherwise("x_square").alias("x_square")
    )
    groups = schools(far, found.select("tracklet_id", "kind"))
    table = behavior(found, far, groups)
    chromis, ray, whole = row(table, "chromis"), row(table, "ray"), row(table)
    assert (chromis["n_moments"], chromis["grouped_share"], chromis["group_size_largest"]) == (4, 0.75, 3)
    assert (ray["grouped_share"], ray["group_size_median"]) == (0.0, None)
    # Of any kind the ray is with them: four of five.
    assert (whole["of"], whole["grouped_share"], whole["group_size_median"]) == ("any", 0.8, 4.0)


def test_shares_say_how_sightings_are_cut() -> None:
    found = sighted(
        ("v0", "ray", "cut", "edge"),
        ("v0", "ray", "edge", "cut"),
        ("v1", "ray", "edge", "inside"),
        ("v1", "ray", "edge", "edge"),
    )
    told = row(behavior(found, swum(), NO_GROUPS), "ray")
    assert (told["begins_cut_share"], told["ends_cut_share"], told["ends_lost_share"]) == (0.25, 0.25, 0.25)
    assert (told["n_arrivals"], told["n_stays"], told["stay_mean_seconds"]) == (3, 1, None)
    assert (told["n_tracklets"], told["n_clips"], told["n_speeds"], told["right_share"]) == (4, 2, 0, None)


def test_stays_are_told_from_ten_arrivals_and_the_mean_from_five_leavings_on() -> None:
    ten = [("v0", "ray", "edge", "edge")] * 5 + [("v0", "ray", "edge", "cut")] * 5
    told = row(behavior(sighted(*ten), swum(), NO_GROUPS), "ray")
    # Five of ten leave after two seconds, and the ten were in view for 20.
    assert (told["stay_quarter_seconds"], told["stay_median_seconds"], told["stay_mean_seconds"]) == (2.0, 2.0, 4.0)
    told = row(behavior(sighted(*ten[1:]), swum(), NO_GROUPS), "ray")
    assert told["stay_median_seconds"] is None and told["stay_mean_seconds"] is None
    assert told["note"].startswith("no stay: fewer than 10 arrivals (9)")


def test_where_few_are_seen_to_leave_the_note_says_why_there_is_no_median() -> None:
    told = row(behavior(sighted(*[("v0", "ray", "edge", "cut")] * 12), swum(), NO_GROUPS), "ray")
    assert told["note"].startswith("no median stay: 0 of 12 arrivals were seen to leave, within 2.0 s")


def test_of_nothing_there_is_no_row() -> None:
    table = behavior(sighted(), swum(), NO_GROUPS)
    assert table.is_empty() and table.columns == list(BEHAVIOR)
