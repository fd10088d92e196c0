"""The columns of this stage's tables."""

import polars as pl

from megafish_assets.footage.columns import KEY, Column, Columns

TILES: Columns = KEY | {
    "sheet": Column(pl.String, "`random`: a seeded draw; `extremes`: the most typical, then the oddest"),
    "cluster": Column(pl.Int64, "label of the cluster that the sheet shows"),
    "row": Column(pl.Int64, "row of the tile on its sheet, from 0 at the top"),
    "column": Column(pl.Int64, "column of the tile on its sheet, from 0 at the left"),
    "distance_to_centre": Column(pl.Float64, "Euclidean distance to the cluster's centre; null for noise"),
    "file": Column(pl.String, "the sheet's file among the asset's figures"),
}
