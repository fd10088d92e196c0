"""What the check of this stage measures, from the sheets as they were drawn."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from megafish_assets.atlas.montage import tile_corner, tile_pixels


def tiles_of_another_cluster(tiles: pl.DataFrame, clusters: pl.DataFrame) -> int:
    """Tiles whose detection does not carry the label that their sheet shows."""
    known = clusters.select("detection_id", pl.col("cluster").alias("own_cluster"))
    both = tiles.join(known, on="detection_id", how="left")
    return both.filter(pl.col("cluster").ne_missing(pl.col("own_cluster"))).height


def tiles_of_other_pixels(tiles: pl.DataFrame, sheets: Mapping[str, np.ndarray], jpegs: Mapping[str, bytes]) -> int:
    """Tiles whose place on their sheet (uint8 RGB, by file) does not hold their crop's pixels."""
    wrong = 0
    for tile in tiles.iter_rows(named=True):
        pixels = tile_pixels(jpegs[tile["detection_id"]])
        left, top = tile_corner(tile["row"], tile["column"], pixels)
        drawn = sheets[tile["file"]][top : top + pixels.shape[0], left : left + pixels.shape[1]]
        wrong += not np.array_equal(drawn, pixels)
    return wrong
