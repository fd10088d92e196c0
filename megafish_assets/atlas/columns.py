"""The columns of this stage's tables."""

import polars as pl

from megafish_assets.footage.columns import KEY, Column, Columns
from megafish_assets.sightings.columns import ABUNDANCE

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

REPORT: Columns = {
    "rank": Column(pl.Int64, "place on the page, from 1"),
    "kind": ABUNDANCE["kind"],
    "scientific_name": ABUNDANCE["scientific_name"],
    "kind_id": Column(pl.Int64, "the group that most of its tracklets are in; null for none"),
    "max_n": Column(pl.Int64, "its MaxN over the collection, the highest of all stations"),
    "mean_count": Column(pl.Float64, "its MeanCount over the collection, at the station where it is highest"),
    "station": Column(pl.String, "that station; null where recordings.csv names none"),
    "n_tracklets": Column(pl.Int64, "its sightings at all stations"),
    "n_clips": Column(pl.Int64, "videos in which it is seen"),
    "detection_id": Column(pl.String, "the crop that stands for it; null where none was cut"),
    "max_n_video": ABUNDANCE["max_n_video"],
    "max_n_frame": ABUNDANCE["max_n_frame"],
    "n_boxes_shown": Column(pl.Int64, "its boxes on the picture of that frame; null where there is no picture"),
}
