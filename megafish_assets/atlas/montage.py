"""Sheets of tiles: which detection lies where, and the picture."""

from collections.abc import Mapping

import cv2
import numpy as np
import polars as pl
from PIL import Image, ImageDraw, ImageFont

from megafish_assets.atlas.columns import TILES
from megafish_assets.crops.batches import decoded_rgb
from megafish_assets.features.plots import cluster_name, colour_of
from megafish_assets.footage.columns import empty_table, typed

N_ROWS, N_COLUMNS = 5, 10
"""The notebook's sheet of 50."""

EXTREME_ROWS = 2
"""Rows of the most typical tiles, and as many of the oddest."""

TILE_PX = 128
"""Longest side of a tile: the notebook's."""

OVERVIEW_TILE_PX, OVERVIEW_TILES, OVERVIEW_STRIPS = 56, 8, 2
"""Of the sheet of all clusters: px a tile, tiles a cluster, clusters side by side."""

OVERVIEW_NAME = 15
"""Characters of a kind's name on the sheet of all clusters."""

OVERVIEW_LABEL_PX = 130
"""For a cluster's colour, number and size."""

GAP_PX = 6
HEADER_PX = 44
PAPER, INK = (250, 250, 248), (35, 40, 45)


def sheet_name(sheet: str, cluster: int) -> str:
    """The sheet's file name; clusters in order when files are sorted."""
    return f"cluster_{cluster:02d}_{sheet}.png"


def chosen_tiles(clusters: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Where every tile of every sheet lies, in the columns `TILES`.

    `clusters` holds `video`, `detection_id`, `cluster`, `distance_to_centre` and `support`. A cluster with fewer rows
    than a sheet has places leaves the rest empty; its two halves of extremes never share a tile: typical ones, whose
    neighbors are in the cluster too, and odd ones. Among equals the nearest to the centre is the most typical. Noise
    has no extremes.
    """
    parts = [empty_table(TILES)]
    for label in clusters["cluster"].unique().sort():
        members = clusters.filter(pl.col("cluster") == label).sort("detection_id")
        rng = np.random.default_rng([seed, label + 1])  # + 1, since noise is -1 and a seed may not be negative
        drawn = members[np.sort(rng.permutation(members.height)[: N_ROWS * N_COLUMNS])]
        parts += [_placed(drawn, "random", 0), *_extremes(members)]
    return pl.concat(parts)


def _extremes(members: pl.DataFrame) -> list[pl.DataFrame]:
    typical = [-pl.col("support"), "distance_to_centre", "detection_id"]
    order = members.drop_nulls("distance_to_centre").sort(typical)
    n = min(EXTREME_ROWS * N_COLUMNS, order.height // 2)
    return [_placed(order.head(n), "extremes", 0), _placed(order.reverse().head(n), "extremes", EXTREME_ROWS)]


def _placed(members: pl.DataFrame, sheet: str, first_row: int) -> pl.DataFrame:
    place = pl.int_range(pl.len())
    label = members["cluster"][0] if members.height else 0
    placed = members.with_columns(
        pl.lit(sheet).alias("sheet"),
        (first_row + place // N_COLUMNS).alias("row"),
        (place % N_COLUMNS).alias("column"),
        pl.lit(sheet_name(sheet, label)).alias("file"),
    )
    return typed(placed, TILES)


def sheet_title(
    fit: str,
    clusters: pl.DataFrame,
    kinds: Mapping[int, int],
    label: int,
    sheet: str,
    seed: int,
    names: Mapping[int, str] | None = None,
) -> str:
    """What a sheet shows: fit, k, cluster and kind, its size in crops and tracklets, and how the tiles were chosen.

    `fit` says the backbone and the version, by which `kinds` knows what an old sheet showed, `names` what is said of
    each kind.
    """
    k = clusters.filter(pl.col("cluster") >= 0)["cluster"].n_unique()
    members = clusters.filter(pl.col("cluster") == label)
    n_tracklets = members["tracklet_id"].drop_nulls().n_unique()
    how = f"random draw, seed {seed}" if sheet == "random" else "typical ones above the line, odd ones below"
    name = "noise" if label < 0 else f"cluster {cluster_name(label, kinds, names)}"
    return f"{fit}, k = {k}: {name}, {members.height:,} crops of {n_tracklets:,} tracklets; {how}"


def shortened(text: str, longest: int) -> str:
    """At most so many characters of it."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def tile_pixels(jpeg: bytes) -> np.ndarray:
    """A crop as its tile: uint8 RGB, longest side 128 px, aspect kept; small crops are enlarged."""
    picture = decoded_rgb(jpeg)
    height, width = picture.shape[:2]
    scale = TILE_PX / max(height, width)
    size_wh = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def tile_corner(row: int, column: int, pixels: np.ndarray) -> tuple[int, int]:
    """Left and top edge, in px of the sheet, of a tile centred in its place."""
    left = GAP_PX + column * (TILE_PX + GAP_PX) + (TILE_PX - pixels.shape[1]) // 2
    top = HEADER_PX + row * (TILE_PX + GAP_PX) + (TILE_PX - pixels.shape[0]) // 2
    return left, top


def draw_sheet(tiles: pl.DataFrame, jpegs: Mapping[str, bytes], title: str, colour: tuple[float, ...]) -> np.ndarray:
    """uint8 RGB of one sheet: its tiles in their places under a title with a bar of the cluster's colour.

    `jpegs` holds the crop of every `detection_id` among the tiles; raises KeyError where one is missing.
    """
    n_rows = int(tiles["row"].max()) + 1 if tiles.height else 1
    width = GAP_PX + N_COLUMNS * (TILE_PX + GAP_PX)
    sheet = np.full((HEADER_PX + n_rows * (TILE_PX + GAP_PX), width, 3), PAPER, np.uint8)
    if "extremes" in tiles["sheet"]:
        border = HEADER_PX + EXTREME_ROWS * (TILE_PX + GAP_PX) - GAP_PX // 2
        sheet[border - 1 : border + 1, GAP_PX:-GAP_PX] = INK
    for row in tiles.iter_rows(named=True):
        pixels = tile_pixels(jpegs[row["detection_id"]])
        left, top = tile_corner(row["row"], row["column"], pixels)
        sheet[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return _titled(sheet, title, colour)


def draw_overview(
    tiles: pl.DataFrame,
    jpegs: Mapping[str, bytes],
    clusters: pl.DataFrame,
    kinds: Mapping[int, int],
    title: str,
    names: Mapping[int, str] | None = None,
) -> np.ndarray:
    """uint8 RGB of all clusters on one sheet: a strip each, with the colour and number of its kind, its name or its
    size, and the first of its random draw.

    `tiles` holds the columns `TILES`, `clusters` the columns `CLUSTERS`, `kinds` the kind of each cluster, `names` the
    names of kinds. Strips stand side by side, noise last.
    """
    sizes = dict(clusters.group_by("cluster").len().iter_rows())
    order = sorted(sizes, key=lambda cluster: (cluster < 0, cluster))
    n_rows = max(1, -(-len(order) // OVERVIEW_STRIPS))
    strip_width = OVERVIEW_LABEL_PX + OVERVIEW_TILES * OVERVIEW_TILE_PX + 2 * GAP_PX
    shape = (HEADER_PX + n_rows * (OVERVIEW_TILE_PX + GAP_PX), OVERVIEW_STRIPS * strip_width, 3)
    image = Image.fromarray(np.full(shape, PAPER, np.uint8))
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size=14)
    pen.text((GAP_PX, HEADER_PX // 2), title, fill=INK, font=ImageFont.load_default(size=18), anchor="lm")
    drawn = tiles.filter(pl.col("sheet") == "random").sort("row", "column")
    for place, cluster in enumerate(order):
        left = (place // n_rows) * strip_width + GAP_PX
        top = HEADER_PX + (place % n_rows) * (OVERVIEW_TILE_PX + GAP_PX)
        colour = tuple(round(255 * channel) for channel in colour_of(cluster, kinds))
        pen.rectangle((left, top, left + 8, top + OVERVIEW_TILE_PX), fill=colour)
        lines = [cluster_name(cluster, kinds).replace(" ", "\n", 1), f"{sizes[cluster]:,}"]
        known = (names or {}).get(kinds.get(cluster))
        name = "\n".join(lines if known is None else [lines[0], shortened(known, OVERVIEW_NAME)])
        pen.multiline_text((left + 14, top + OVERVIEW_TILE_PX // 2), name, fill=INK, font=font, anchor="lm")
        ids = drawn.filter(pl.col("cluster") == cluster)["detection_id"].head(OVERVIEW_TILES).to_list()
        for column, detection_id in enumerate(ids):
            pixels = Image.fromarray(tile_pixels(jpegs[detection_id]))
            pixels.thumbnail((OVERVIEW_TILE_PX - 2, OVERVIEW_TILE_PX - 2))
            corner = (
                left + OVERVIEW_LABEL_PX + column * OVERVIEW_TILE_PX + (OVERVIEW_TILE_PX - pixels.width) // 2,
                top + (OVERVIEW_TILE_PX - pixels.height) // 2,
            )
            image.paste(pixels, corner)
    return np.asarray(image)


def _titled(sheet: np.ndarray, title: str, colour: tuple[float, ...]) -> np.ndarray:
    image = Image.fromarray(sheet)
    pen = ImageDraw.Draw(image)
    pen.rectangle((GAP_PX, 10, GAP_PX + 22, 32), fill=tuple(round(255 * channel) for channel in colour))
    pen.text((GAP_PX + 34, 21), title, fill=INK, font=ImageFont.load_default(size=18), anchor="lm")
    return np.asarray(image)
