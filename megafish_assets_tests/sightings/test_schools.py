"""Groups of fish at places made by hand."""

import numpy as np
import polars as pl
import pytest

from megafish_assets.sightings.columns import MOVEMENTS
from megafish_assets.sightings.schools import schools


def fish(number: int, x: float, y: float = 500.0, speed: tuple[float, float] | None = (1.0, 0.0), **more) -> dict:
    """One at a place, 10 long, at second 1 of a video."""
    known = (None, None) if speed is None else speed
    return {
        "video": "v0", "tracklet_id": f"t{number}", "moment": 3, "seconds": 1.0, "frame_id": 30,
        "is_whole_moment": True, "n_looks": 10, "x_1024": x, "y_1024": y, "x_square": x, "length_square": 10.0,
        "speed_x": known[0], "speed_y": known[1], "scene_speed": 0.0, "is_steady": True,
    } | more  # fmt: skip


def groups(rows: list[dict], kind_of: dict[str, str] | None = None, of: str = "kind", **knobs) -> pl.DataFrame:
    table = pl.DataFrame(rows, {name: column.dtype for name, column in MOVEMENTS.items()})
    ids = table["tracklet_id"].unique().sort()
    kinds = [(kind_of or {}).get(name, "chromis") for name in ids]
    found = schools(
        table, pl.DataFrame({"tracklet_id": ids, "kind": kinds}, {"tracklet_id": pl.String, "kind": pl.String}), **knobs
    )
    return found.filter(of=of)


def test_a_chain_of_four_body_lengths_from_each_to_the_next_is_one_group() -> None:
    found = groups([fish(0, 100), fish(1, 140), fish(2, 180), fish(3, 220.5)])
    assert found["members"].to_list() == [["t0", "t1", "t2"]]
    row = found.row(0, named=True)
    assert (row["n_members"], row["n_in_view"], row["neighbor_body_lengths"]) == (3, 4, 4.0)
    assert (row["x_1024"], row["width_1024"], row["seconds"], row["frame_id"]) == (100.0, 80.0, 1.0, 30)


def test_two_are_no_group() -> None:
    assert groups([fish(0, 100), fish(1, 110)]).is_empty()
    assert groups([fish(0, 100), fish(1, 110)], fewest_members=2).height == 1


def test_distance_is_in_the_mean_length_of_the_two() -> None:
    large = {"length_square": 30.0}
    # Between one of 10 and one of 30: four times 20.
    assert groups([fish(0, 100), fish(1, 180, **large), fish(2, 300, **large)])["n_members"].to_list() == [3]
    assert groups([fish(0, 100), fish(1, 180.1, **large), fish(2, 300, **large)]).is_empty()


def test_groups_of_two_kinds_are_two_and_of_any_kind_one() -> None:
    rows = [fish(n, 100 + 10 * n) for n in range(6)]
    kind_of = {f"t{n}": "goatfish" for n in (1, 3, 5)}
    assert groups(rows, kind_of)["kind"].to_list() == ["chromis", "goatfish"]
    whole = groups(rows, kind_of, of="any")
    assert whole["n_members"].to_list() == [6] and whole["kind"].to_list() == [None]


def test_moments_and_videos_are_apart() -> None:
    rows = [fish(n, 100 + 10 * n) for n in range(2)]
    rows += [fish(2, 120, moment=6, seconds=2.0, frame_id=60), fish(3, 120, video="v1")]
    assert groups(rows).is_empty()
    between = [fish(n, 100 + 10 * n, is_whole_moment=False) for n in range(5)]
    assert groups(between).is_empty()


def test_polarization_is_one_of_fish_that_head_alike_and_none_of_fish_that_head_apart() -> None:
    row = groups([fish(n, 100 + 10 * n, speed=(0.0, -0.5 - n)) for n in range(3)]).row(0, named=True)
    assert row["polarization"] == pytest.approx(1.0) and row["heading_degrees"] == pytest.approx(90.0)
    assert row["speed_body_lengths"] == pytest.approx(1.5)
    ways = [(np.cos(a), np.sin(a)) for a in (0, 2 * np.pi / 3, 4 * np.pi / 3)]
    row = groups([fish(n, 100 + 10 * n, speed=way) for n, way in enumerate(ways)]).row(0, named=True)
    assert row["polarization"] == pytest.approx(0.0, abs=1e-9)
    # Two right, one up: their mean is (2/3, 1/3).
    ways = [(1.0, 0.0), (3.0, 0.0), (0.0, -1.0)]
    row = groups([fish(n, 100 + 10 * n, speed=way) for n, way in enumerate(ways)]).row(0, named=True)
    assert row["polarization"] == pytest.approx(np.sqrt(5) / 3)
    assert row["heading_degrees"] == pytest.approx(np.degrees(np.arctan2(1, 2)))


def test_fish_that_stand_have_no_heading_and_of_two_that_swim_none_is_told() -> None:
    still = {"speed": (0.2, 0.2)}
    rows = [fish(0, 100), fish(1, 110), fish(2, 120, **still), fish(3, 130, speed=None)]
    row = groups(rows).row(0, named=True)
    assert (row["n_members"], row["n_moving"]) == (4, 2)
    assert row["polarization"] is None and row["heading_degrees"] is None
    assert row["speed_body_lengths"] == pytest.approx((1 + 1 + np.hypot(0.2, 0.2)) / 3)


def test_where_a_fifth_of_a_group_has_no_heading_the_others_have_a_polarization_and_of_more_none() -> None:
    still = [fish(n, 140 + 10 * n, speed=(0.0, 0.0)) for n in range(2)]
    swimming = [fish(10 + n, 100 + 10 * n) for n in range(4)]
    assert groups([*swimming, still[0]])["polarization"].to_list() == [pytest.approx(1.0)]
    row = groups([*swimming, *still]).row(0, named=True)
    assert (row["n_members"], row["n_moving"], row["polarization"], row["heading_degrees"]) == (6, 4, None, None)


def test_the_larger_group_is_the_first() -> None:
    rows = [fish(n, 100 + 10 * n) for n in range(3)] + [fish(10 + n, 600 + 10 * n) for n in range(4)]
    found = groups(rows)
    assert found["group"].to_list() == [1, 2] and found["n_members"].to_list() == [4, 3]


def test_a_dense_school_is_one_group_whose_neighbors_are_the_nearest() -> None:
    rng = np.random.default_rng(5)
    places = rng.uniform(100, 300, (300, 2))
    row = groups([fish(n, *place) for n, place in enumerate(places)]).row(0, named=True)
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)) + np.diag(np.full(300, np.inf))
    assert row["n_members"] == 300
    assert row["neighbor_body_lengths"] == pytest.approx(np.median(apart.min(axis=0)) / 10)


def test_of_no_movement_there_is_no_group() -> None:
    assert groups([]).is_empty()


def test_where_the_scene_passes_fast_a_slow_fish_has_no_heading() -> None:
    # Three tenths of it may be a depth that differs from the scene's.
    rows = [fish(n, 100 + 10 * n, speed=(0.9, 0.0), scene_speed=3.1 if n == 2 else 2.9) for n in range(4)]
    assert groups(rows)["n_moving"].to_list() == [3]
