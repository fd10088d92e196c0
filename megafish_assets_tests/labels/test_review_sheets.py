"""Which tile stands on which sheet, in which order."""

import numpy as np
import polars as pl
import pytest

from megafish_assets.footage.columns import empty_table
from megafish_assets.labels.review import Known
from megafish_assets.labels.review_columns import TILES
from megafish_assets.labels.review_sheets import (
    LEAST_SURE,
    TILES_AT_FIRST,
    TYPICAL_FIRST,
    cluster_order,
    named_a_minute,
    noise_order,
    place_tiles,
    proposal,
    review_sheets,
    units_not_on_one_sheet,
    units_of,
    unsure_order,
    with_kinds,
    with_names,
)
from megafish_assets_tests.labels.reviewed import LENS_PLACES


def units(n: int, cluster: int = 0, **columns: object) -> pl.DataFrame:
    """Tiles of a cluster, each less typical than the one before."""
    rows = pl.DataFrame(
        {
            "unit_id": [f"v/t{cluster % 100:02d}{place:03d}" for place in range(n)],
            "detection_id": [f"v/{1000 * (cluster + 1) + place:06d}/000" for place in range(n)],
            "typical": [1 - place / n for place in range(n)],
        }
    ).with_columns(video=pl.lit("v"), cluster=pl.lit(cluster, pl.Int64))
    known = {"name": pl.String, "name_source": pl.String, "probability": pl.Float64, "kind_id": pl.Int64}
    rows = rows.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in known.items())
    rest = [name for name in TILES if name not in rows.columns and not name.startswith(("sheet", "position"))]
    rows = rows.with_columns(pl.lit(None, TILES[name].dtype).alias(name) for name in rest)
    return rows.with_columns(**columns)


NO_PLACES = empty_table(TILES)
NO_POSITIONS = pl.DataFrame(schema={"unit_id": pl.String, "position": pl.List(pl.Float32)})


def test_a_tracklet_counts_once_and_where_most_of_its_crops_are() -> None:
    clusters = pl.DataFrame(
        {
            "detection_id": ["v/000000/000", "v/000001/000", "v/000002/000", "v/000003/000", "v/000004/000"],
            "tracklet_id": ["v/t1", "v/t1", "v/t1", None, None],
            "cluster": [2, 1, 2, 0, -1],
            "support": [0.5, 1.0, 0.7, 0.2, None],
        }
    )
    found = units_of(clusters).rows_by_key("unit_id", named=True, unique=True)
    assert found["v/t1"] == {"tracklet_id": "v/t1", "cluster": 2, "n_clusters": 2, "typical": pytest.approx(0.6)}
    assert found["v/000003/000"]["cluster"] == 0 and found["v/000004/000"]["typical"] is None
    assert len(found) == 3
    assert units_of(clusters.clear()).height == 0


def test_tracklets_a_minute_by_hand() -> None:
    # 40 tiles, 30 of them of its name, in 20 + 40 seconds: 30 a minute.
    assert named_a_minute(40, 0.75) == 30
    # Beyond what is shown a sheet costs no more: 2,400 of 2,400 in 260 seconds.
    assert named_a_minute(10 * TILES_AT_FIRST, 1.0) == pytest.approx(60 * 2400 / 260)


def test_what_names_most_a_minute_comes_first_and_what_is_named_already_last() -> None:
    large, small = units(50, 0), units(10, 1)
    done = units(60, 2, name=pl.lit("A"), name_source=pl.lit("person"))
    noise = units(3, -1, typical=pl.lit(None, pl.Float64))
    sheets, tiles = review_sheets(pl.concat([small, done, noise, large]), NO_PLACES, NO_POSITIONS)
    assert [sheet.name for sheet in sheets] == ["c000", "c001", "c002", "noise"]
    assert [sheet.n_before for sheet in sheets] == [0, 0, 60, 0] and sheets[2].proposal == "A"
    assert sheets[2].named_a_minute == 0 and sheets[3].named_a_minute is None
    assert tiles["sheet_position"].to_list() == [0] * 50 + [1] * 10 + [2] * 60 + [3] * 3
    assert (
        units_not_on_one_sheet(tiles, [*small["unit_id"], *done["unit_id"], *noise["unit_id"], *large["unit_id"]]) == 0
    )


def test_a_collection_without_clusters_has_no_sheets() -> None:
    sheets, tiles = review_sheets(units(0), NO_PLACES, NO_POSITIONS)
    assert sheets == [] and tiles.schema == empty_table(TILES).schema


def test_a_sheet_shows_typical_tiles_and_then_those_that_most_want_a_look() -> None:
    order = cluster_order(units(100), None)["unit_id"].to_list()
    ids = units(100)["unit_id"].to_list()
    assert order == ids[:TYPICAL_FIRST] + ids[: TYPICAL_FIRST - 1 : -1]
    # A tile that another name is likelier for is the least typical of all, one that surely has the sheet's the most.
    other = pl.when(pl.col("unit_id") == ids[0]).then(pl.lit("B")).when(pl.col("unit_id") == ids[99]).then(pl.lit("A"))
    named = units(100, name=other, probability=pl.lit(0.9))
    order = cluster_order(named, "A")["unit_id"].to_list()
    assert order.index(ids[99]) < TYPICAL_FIRST and order[TYPICAL_FIRST] == ids[0]


def test_a_name_is_offered_where_most_agree_and_people_count_before_the_classifier() -> None:
    def of(names: list[str], sources: list[str]) -> str | None:
        return proposal(pl.DataFrame({"name": names, "name_source": sources}))

    assert of(["A", "B", "B"], ["person", "classified", "classified"]) == "A"
    assert of(["A", "B"], ["classified", "classified"]) is None
    assert of(["A", "A", "B"], ["kind", "classified", "classified"]) == "A"
    assert proposal(units(3)) is None


def test_noise_shows_look_alikes_side_by_side() -> None:
    places = {"a": 0.0, "b": 5.0, "c": 0.1, "d": 5.1, "e": 0.2}
    tiles = pl.DataFrame({"unit_id": list(places), "width_px": [50, 10, 10, 10, 10], "height_px": [50] * 5})
    positions = pl.DataFrame({"unit_id": list(places), "position": [[x, 1.0] for x in places.values()]})
    assert noise_order(tiles, positions)["unit_id"].to_list() == ["a", "c", "e", "b", "d"]
    assert noise_order(tiles.clear(), positions).height == 0


def test_the_least_sure_are_the_classifiers_and_so_many() -> None:
    probability = pl.int_range(pl.len()) / 1000
    sure = units(LEAST_SURE + 50, name=pl.lit("A"), name_source=pl.lit("classified"), probability=probability)
    named = units(5, 1, name=pl.lit("A"), name_source=pl.lit("person"), probability=pl.lit(0.0))
    assert unsure_order(pl.concat([sure, named]))["unit_id"].to_list() == sure["unit_id"].head(LEAST_SURE).to_list()
    assert unsure_order(units(5)).height == 0


def test_a_sheet_bears_the_kind_of_its_cluster_and_the_review_the_fit_of_its_kinds() -> None:
    kinds = pl.DataFrame(
        {
            "fit_version": ["old", "new", "new", "new"],
            "is_latest": [False, True, True, True],
            "cluster": [0, 0, 0, -1],
            "kind_id": [9, 4, 4, None],
        }
    )
    rows = with_kinds(pl.concat([units(1, 0), units(1, -1)]).drop("kind_id"), {0: 4})
    assert rows["kind_id"].to_list() == [4, None]
    assert with_kinds(units(1, 0).drop("kind_id"), {})["kind_id"].to_list() == [None]
    assert Known(pl.DataFrame({"fit_version": ["c"]}), kinds=kinds).fit_version == "new"
    assert Known(pl.DataFrame({"fit_version": ["c"]})).fit_version == "c"
    assert with_names(units(1).select("unit_id"), None)["name"].to_list() == [None]


def test_a_place_takes_the_crop_that_covers_it_and_keeps_its_box_without_one() -> None:
    seen = units(
        2, x_1024=pl.Series([300.0, 12.0]), y_1024=pl.lit(20.0), width_1024=pl.lit(60.0), height_1024=pl.lit(40.0)
    )
    bare, covered = place_tiles(LENS_PLACES, seen).rows(named=True)
    assert (bare["unit_id"], bare["detection_id"], bare["x_1024"]) == ("p002", None, 900.0)
    assert (covered["unit_id"], covered["detection_id"], covered["x_1024"]) == ("p001", seen["detection_id"][1], 12.0)
    assert place_tiles(None, seen).height == 0
    assert place_tiles(LENS_PLACES, seen.clear())["detection_id"].to_list() == [None, None]


def test_what_is_too_small_for_a_cluster_stands_on_a_sheet_of_its_own_by_the_name_it_has() -> None:
    null = pl.lit(None, pl.Int64)
    small = units(5, 8).with_columns(cluster=null, width_px=pl.Series([5, 6, 7, 8, 9]), height_px=pl.lit(5, pl.Int64))
    small = small.with_columns(name=pl.Series(["tang", None, "cod", "tang", "not a fish"]))
    sheets, tiles = review_sheets(pl.concat([units(3, 0), units(2, -1), small]), NO_PLACES, NO_POSITIONS)
    assert [sheet.name for sheet in sheets] == ["c000", "noise", "small"]
    assert sheets[-1].cluster is None and sheets[-1].proposal is None
    own = tiles.filter(sheet="small")
    assert own["name"].to_list() == ["cod", "tang", "tang", None, "not a fish"]
    assert own["width_px"].to_list() == [7, 8, 5, 6, 9] and own["cluster"].null_count() == 5
    everything = pl.concat([units(3, 0), units(2, -1), small])["unit_id"]
    assert units_not_on_one_sheet(tiles, everything) == 0


def test_units_that_stand_nowhere_or_twice_are_counted() -> None:
    tiles = pl.DataFrame({"unit_id": ["a", "b", "b", "c", "a"], "sheet": ["c000", "c000", "noise", "c001", "unsure"]})
    assert units_not_on_one_sheet(tiles, ["a", "b", "c"]) == 1
    assert units_not_on_one_sheet(tiles.filter(pl.col("unit_id") != "b"), ["a", "b", "c"]) == 1
    assert units_not_on_one_sheet(tiles.filter(pl.col("unit_id") != "b"), ["a"]) == 1
    assert np.isscalar(units_not_on_one_sheet(tiles.clear(), []))
