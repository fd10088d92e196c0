"""The columns of the table that says which detection is which tile of the review sheets."""

import polars as pl

from megafish_assets.crops.columns import CROPS
from megafish_assets.detections.columns import RAW, TRACKLETS
from megafish_assets.footage.columns import KEY, Column, Columns

TILES: Columns = KEY | {
    "sheet": Column(pl.String, "`places`, `c<cluster>`, `noise`, `small` or `unsure`: its file is `data/<sheet>.js`"),
    "sheet_position": Column(pl.Int64, "of the sheet among all, from 0: what names most tracklets a minute first"),
    "position": Column(pl.Int64, "of the tile on its sheet, from 0; the same of its picture among the sheet's sprites"),
    "unit_id": Column(pl.String, "tracklet of the tile, or the detection that has none, or the place on the lens"),
    "tracklet_id": TRACKLETS["tracklet_id"],
    "cluster": Column(pl.Int64, "label of the cluster; -1 is noise; null for a place and for what is too small"),
    "kind_id": Column(
        pl.Int64, "kind of the cluster; null for noise, a place, what is too small, or where kinds are not known"
    ),
    "place_id": Column(pl.String, "place on the lens or in the picture; null for a tracklet"),
    "video_file": RAW["video_file"],
    "frame_id": RAW["frame_id"],
    "x_1024": RAW["x_1024"],
    "y_1024": RAW["y_1024"],
    "width_1024": RAW["width_1024"],
    "height_1024": RAW["height_1024"],
    "seconds": Column(pl.Float64, "when the frame is shown, seconds from the first shown frame of its video"),
    "recorded_at": RAW["recorded_at"],
    "width_px": CROPS["width_px"],
    "height_px": CROPS["height_px"],
    "sharpness": Column(pl.Float64, "variance of the Laplacian of the crop in grey levels; larger is sharper"),
    "typical": Column(pl.Float64, "how typical of its sheet, -1 to 1; the least typical are shown before the middling"),
    "name": Column(pl.String, "name that it has so far, by a person or by the classifier; null for none"),
    "name_source": Column(pl.String, "`person`, `classified` or `kind`; null without a name"),
    "probability": Column(pl.Float64, "of that name, 0 to 1; null where nobody says"),
    "backbone": Column(pl.String, "whose clusters and names these are; null for a place"),
}
