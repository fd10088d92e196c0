"""The columns of this stage's tables."""

import polars as pl

from megafish_assets.detections.columns import TRACKLETS
from megafish_assets.footage.columns import KEY, Column, Columns

CROPS: Columns = KEY | {
    "tracklet_id": TRACKLETS["tracklet_id"],
    "frame_id": Column(pl.Int64, "frame in the video, from 0"),
    "presentation_seconds": Column(
        pl.Float64, "when the frame is shown, seconds from the first shown frame of its video"
    ),
    "width_px": Column(pl.Int64, "width of the crop, px of the real frame; oblong pixels are made square"),
    "height_px": Column(pl.Int64, "height of the crop, px of the real frame; oblong pixels are made square"),
    "clipped_share": Column(pl.Float64, "share of the box's area that lay outside the frame, 0 to 1"),
    "jpeg": Column(pl.Binary, "the crop at native resolution, JPEG quality 95; null where `fault` is set"),
    "border": Column(pl.Binary, "colours of the crop's rim: 60 cells of blue, green and red, a byte each"),
    "fault": Column(pl.String, "why there is no crop; null where there is one"),
}

CAMERA_MOTION: Columns = {
    "video": KEY["video"],
    "frame_id": Column(
        pl.Int64,
        "frame in the video, from 0, up to which the scene was followed; a video without a sample is not opened",
    ),
    "elapsed_frames": Column(pl.Int64, "frames since the look before"),
    "pan_x_1024": Column(pl.Float64, "how far the scene moves right in one frame, px of the stretched frame"),
    "pan_y_1024": Column(pl.Float64, "how far the scene moves down in one frame, px of the stretched frame"),
    "n_pan_points": Column(pl.Int64, "points outside the boxes that moved so; 0, and no pan, where none was found"),
}
