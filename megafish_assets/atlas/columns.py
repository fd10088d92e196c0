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

EXPLORER: Columns = KEY | {
    "x": Column(pl.Float32, "place on the explorer's map, 0 to 1 from the left"),
    "y": Column(pl.Float32, "place on the explorer's map, 0 to 1 from the top"),
    "duplicate_of": Column(
        pl.String, "the first of the crops of other tracklets that this one repeats almost pixel for pixel, else null"
    ),
    "layout_version": Column(pl.String, "changes with the features that were laid out, and with the seed"),
}
