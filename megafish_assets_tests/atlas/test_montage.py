"""Sheets of tiles: every tile lies where the table says."""

import cv2
import numpy as np
import polars as pl
import pytest

from megafish_assets.atlas.columns import TILES
from megafish_assets.atlas.montage import (
    chosen_tiles,
    draw_overview,
    draw_sheet,
    sheet_title,
    tile_corner,
    tile_pixels,
)
from megafish_assets.features.plots import colour_of

SCHEMA = {"video": pl.String, "detection_id": pl.String, "cluster": pl.Int64, "distance_to_centre": pl.Float64}
"""What a tile keeps of its row."""

RED = (1.0, 0.0, 0.0)


def clusters(**sizes: int) -> pl.DataFrame:
    """Shuffled rows of clusters of these sizes: `c0=60` has label 0, `noise` -1."""
    rng = np.random.default_rng(0)
    labels = [-1 if name == "noise" else int(name[1:]) for name, n in sizes.items() for _ in range(n)]
    rows = [("v", f"v/{i:06d}/000", label, float(rng.random())) for i, label in enumerate(labels)]
    support = pl.Series("support", rng.integers(0, 11, len(rows)) / 10)
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row").with_columns(support)
    tracklets = pl.format("v/t{}", pl.col("detection_id").str.slice(2, 5)).alias("tracklet_id")
    return frame.with_columns(tracklets).sample(fraction=1.0, shuffle=True, seed=1)


def sheet(tiles: pl.DataFrame, name: str, label: int = 0) -> pl.DataFrame:
    return tiles.filter((pl.col("sheet") == name) & (pl.col("cluster") == label))


def crop(level: int, width_px: int, height_px: int) -> bytes:
    return cv2.imencode(".jpg", np.full((height_px, width_px, 3), level, np.uint8))[1].tobytes()


def test_no_clusters_have_no_tiles() -> None:
    tiles = chosen_tiles(clusters(), seed=42)
    assert tiles.height == 0
    assert dict(tiles.schema) == {name: column.dtype for name, column in TILES.items()}


def test_a_sheet_has_five_rows_of_ten_different_members() -> None:
    given = clusters(c0=200, c1=80)
    tiles = chosen_tiles(given, seed=42)
    for label in (0, 1):
        drawn = sheet(tiles, "random", label)
        assert drawn.select("row", "column").rows() == [(row, column) for row in range(5) for column in range(10)]
        assert drawn["detection_id"].n_unique() == 50
        assert drawn.select(*SCHEMA).join(given, on=list(SCHEMA), how="anti").height == 0
        assert drawn["file"].unique().to_list() == [f"cluster_0{label}_random.png"]


def test_tiles_are_seeded_and_know_neither_row_order_nor_other_clusters() -> None:
    given = clusters(c0=200, c1=80)
    tiles = chosen_tiles(given, seed=42)
    assert chosen_tiles(given.sample(fraction=1.0, shuffle=True, seed=9), seed=42).equals(tiles)
    alone = chosen_tiles(given.filter(pl.col("cluster") == 1), seed=42)
    assert alone.equals(tiles.filter(pl.col("cluster") == 1))
    assert not sheet(chosen_tiles(given, seed=43), "random").equals(sheet(tiles, "random"))


@pytest.mark.parametrize("n", [1, 9, 10, 11, 49])
def test_a_small_cluster_shows_all_its_members_and_leaves_places_empty(n: int) -> None:
    given = clusters(c0=n)
    drawn = sheet(chosen_tiles(given, seed=42), "random")
    assert sorted(drawn["detection_id"]) == sorted(given["detection_id"])
    assert drawn.select("row", "column").rows() == [divmod(place, 10) for place in range(n)]


@pytest.mark.parametrize(("n", "shown"), [(1, 0), (2, 1), (15, 7), (40, 20), (41, 20), (300, 20)])
def test_extremes_are_the_most_and_the_least_supported_and_share_no_tile(n: int, shown: int) -> None:
    given = clusters(c0=n)
    tiles = sheet(chosen_tiles(given, seed=42), "extremes")
    by_support = sorted(zip(-given["support"], given["distance_to_centre"], given["detection_id"], strict=True))
    near, far = tiles.filter(pl.col("row") < 2), tiles.filter(pl.col("row") >= 2)
    assert near["detection_id"].to_list() == [name for _, _, name in by_support[:shown]]
    assert far["detection_id"].to_list() == [name for _, _, name in by_support[::-1][:shown]]
    assert near.select("row", "column").rows() == [divmod(place, 10) for place in range(shown)]
    assert far.select("row", "column").rows() == [(2 + place // 10, place % 10) for place in range(shown)]
    assert tiles["detection_id"].is_unique().all()


def test_equal_distances_share_no_tile_either() -> None:
    tiles = chosen_tiles(clusters(c0=30).with_columns(distance_to_centre=pl.lit(1.0), support=pl.lit(1.0)), seed=42)
    assert sheet(tiles, "extremes")["detection_id"].n_unique() == 30


def test_noise_has_its_own_sheets() -> None:
    given = clusters(noise=12, c0=60)
    tiles = chosen_tiles(given, seed=42)
    assert sheet(tiles, "random", -1).height == 12
    title = sheet_title("vit, fit 0a1b", given, {0: 7}, -1, "random", 42)
    assert title == "vit, fit 0a1b, k = 1: noise, 12 crops of 2 tracklets; random draw, seed 42"
    title = sheet_title("vit, fit 0a1b", given, {0: 7}, 0, "extremes", 42)
    assert title.startswith("vit, fit 0a1b, k = 1: cluster 0 (kind 7), 60 crops of 7 tracklets; typical ones above")


def test_noise_has_no_centre_and_so_no_extremes() -> None:
    given = clusters(noise=40).with_columns(distance_to_centre=pl.lit(None, pl.Float64))
    assert chosen_tiles(given, seed=42)["sheet"].unique().to_list() == ["random"]


def test_one_sheet_shows_every_cluster_in_the_colour_of_its_kind_noise_last() -> None:
    given = clusters(c0=60, c1=3, noise=20)
    tiles = chosen_tiles(given, seed=0)
    bright = cv2.imencode(".png", np.full((40, 40, 3), 255, np.uint8))[1].tobytes()
    overview = draw_overview(tiles, dict.fromkeys(given["detection_id"], bright), given, {0: 4, 1: 2}, "b")
    # Two strips side by side: clusters 0 and 1 in the first, noise at the top of the second; bars of 9 px.
    middle = overview.shape[1] // 2
    for left, top, cluster in ((6, 44, 0), (6, 44 + 62, 1), (middle + 6, 44, -1)):
        colour = [round(255 * channel) for channel in colour_of(cluster, {0: 4, 1: 2})]
        assert (overview[top : top + 56, left : left + 9] == colour).all()
    # Eight of sixty, and the three that there are.
    assert [int((overview[top + 28, :middle] == 255).all(axis=1).sum()) // 50 for top in (44, 106)] == [8, 3]


@pytest.mark.parametrize(
    ("size_wh", "expected_wh"),
    [
        ((256, 64), (128, 32)),
        ((30, 60), (64, 128)),
        ((128, 128), (128, 128)),
        ((91, 103), (113, 128)),
        ((500, 1), (128, 1)),
    ],
)
def test_a_tile_keeps_its_aspect_with_a_longest_side_of_128(size_wh: tuple, expected_wh: tuple) -> None:
    assert tile_pixels(crop(90, *size_wh)).shape == (*expected_wh[::-1], 3)


def test_a_tile_is_red_green_blue() -> None:
    red_bgr = np.zeros((64, 64, 3), np.uint8)
    red_bgr[..., 2] = 255
    assert tile_pixels(cv2.imencode(".png", red_bgr)[1].tobytes())[5, 5].tolist() == [255, 0, 0]


@pytest.mark.parametrize("name", ["random", "extremes"])
def test_a_drawn_sheet_holds_every_tile_at_its_corner_and_paper_elsewhere(name: str) -> None:
    tiles = sheet(chosen_tiles(clusters(c0=47), seed=42), name)
    rng = np.random.default_rng(0)
    jpegs = {key: crop(i * 4, *rng.integers(20, 200, 2)) for i, key in enumerate(tiles["detection_id"])}
    drawn = draw_sheet(tiles, jpegs, "title", RED)
    assert drawn.dtype == np.uint8
    covered = np.zeros(drawn.shape[:2], int)
    for row in tiles.iter_rows(named=True):
        pixels = tile_pixels(jpegs[row["detection_id"]])
        left, top = tile_corner(row["row"], row["column"], pixels)
        where = slice(top, top + pixels.shape[0]), slice(left, left + pixels.shape[1])
        assert np.array_equal(drawn[where], pixels)
        covered[where] += 1
    assert covered.max() == 1
    assert covered.sum() == sum(tile_pixels(jpeg)[..., 0].size for jpeg in jpegs.values())
    assert drawn[20, 15].tolist() == [255, 0, 0]
    assert drawn[-1, -1].tolist() == drawn[0, 0].tolist()


def test_a_sheet_without_tiles_is_drawn() -> None:
    assert draw_sheet(chosen_tiles(clusters(), seed=42), {}, "empty", RED).ndim == 3


def test_a_missing_crop_stops_the_sheet_and_is_named() -> None:
    tiles = sheet(chosen_tiles(clusters(c0=3), seed=42), "random")
    jpegs = {key: crop(90, 40, 40) for key in tiles["detection_id"][:2]}
    with pytest.raises(KeyError, match="v/000002/000"):
        draw_sheet(tiles, jpegs, "title", RED)
