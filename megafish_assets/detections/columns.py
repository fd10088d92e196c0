"""The columns of every table of this stage, once: name, type, unit. Later stages build theirs the same way."""

import polars as pl

from megafish_assets.footage.columns import KEY, Column, Columns

RAW: Columns = KEY | {
    "video_file": Column(pl.String, "file as the detector named it"),
    "video_number": Column(pl.Int64, "the number in the file's name; null without one, with several, or of a date"),
    "frame_id": Column(pl.Int64, "frame in the video, from 0"),
    "x_1024": Column(pl.Float64, "left edge of the box, px in the frame stretched to 1024 x 1024"),
    "y_1024": Column(pl.Float64, "top edge of the box, px in the stretched frame"),
    "width_1024": Column(pl.Float64, "width of the box, px in the stretched frame"),
    "height_1024": Column(pl.Float64, "height of the box, px in the stretched frame"),
    "score": Column(pl.Float64, "the detector's confidence, 0 to 1"),
    "seconds_in_video": Column(
        pl.Float64,
        "seconds from its video's first frame, by the file's average frame rate; null where it can't be read",
    ),
    "timestamp_seconds": Column(pl.Float64, "seconds since the first video's first frame; null where no number tells"),
    "recorded_at": Column(
        pl.Datetime("us"),
        "local time of day, from recordings.csv, MEGAFISH_RECORDING_START, the file's name or its container; null "
        "where none says",
    ),
    "fault": Column(pl.String, "why the row can't be believed, so that nothing after this table uses it; else null"),
}

FILTERED: Columns = {name: column for name, column in RAW.items() if name != "fault"} | {
    "limits_version": Column(pl.String, "version of the size limits that the row was kept by"),
}

TRACKLETS: Columns = KEY | {
    "tracklet_id": Column(
        pl.String, "`<video>/t<number:05d>`, numbered by first observation: a safe piece of one track"
    ),
    "position": Column(pl.Int64, "how many detections of the tracklet come before this one"),
    "pan_x_1024": Column(pl.Float64, "how far the scene moves right in one frame, px of the stretched frame"),
    "pan_y_1024": Column(pl.Float64, "how far the scene moves down in one frame, px of the stretched frame"),
    "n_pan_boxes": Column(pl.Int64, "boxes that the frame's pan rests on; 0: only the frames about it say so"),
}

SAMPLED: Columns = FILTERED | {"tracklet_id": TRACKLETS["tracklet_id"]}

LIMITS: Columns = {
    "width_low_log": Column(pl.Float64, "smallest kept natural log of width_1024"),
    "width_high_log": Column(pl.Float64, "largest kept natural log of width_1024"),
    "height_low_log": Column(pl.Float64, "smallest kept natural log of height_1024"),
    "height_high_log": Column(pl.Float64, "largest kept natural log of height_1024"),
    "floor_1024": Column(pl.Float64, "smallest kept width and height, px in the stretched frame"),
    "n_rows": Column(pl.Int64, "raw rows that the limits were computed from"),
    "limits_version": Column(pl.String, "changes with the values, and only then"),
}
