"""The columns of the `crops` table."""

import polars as pl

from megafish_assets.detections.columns import KEY, Column, Columns

CROPS: Columns = KEY | {
    "frame_id": Column(pl.Int64, "frame in the video, from 0"),
    "presentation_seconds": Column(pl.Float64, "when the frame is shown, seconds from the start of its video"),
    "width_px": Column(pl.Int64, "width of the crop, px of the real frame"),
    "height_px": Column(pl.Int64, "height of the crop, px of the real frame"),
    "clipped_share": Column(pl.Float64, "share of the box's area that lay outside the frame, 0 to 1"),
    "jpeg": Column(pl.Binary, "the crop at native resolution, JPEG quality 95; null where `fault` is set"),
    "fault": Column(pl.String, "why there is no crop; null where there is one"),
}
