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

SMALL: Columns = {name: column for name, column in SAMPLED.items() if name != "limits_version"}

LENS_PLACES: Columns = {
    "place_id": Column(pl.String, "`p<number:03d>`, the place with the most boxes first"),
    "x_1024": Column(pl.Float64, "left edge of the place, px of the stretched frame; median over its clips"),
    "y_1024": Column(pl.Float64, "top edge, likewise"),
    "width_1024": Column(pl.Float64, "width, likewise"),
    "height_1024": Column(pl.Float64, "height, likewise"),
    "lens_score": Column(pl.Float64, "mean share of the seconds of other clips in which a box lies here, 0 to 1"),
    "n_videos": Column(pl.Int64, "videos in which boxes recur here"),
    "n_boxes": Column(pl.Int64, "boxes here, of the frames that were looked at"),
    "places_version": Column(pl.String, "changes with the places, and only then"),
}

RECURRENCES: Columns = {
    "video": KEY["video"],
    "clip": Column(pl.Int64, "ten seconds of the video, from 0"),
    "x_1024": Column(pl.Float64, "left edge of the place, px of the stretched frame; null for a clip without any"),
    "y_1024": Column(pl.Float64, "top edge, likewise"),
    "width_1024": Column(pl.Float64, "width, likewise"),
    "height_1024": Column(pl.Float64, "height, likewise"),
    "seconds_share": Column(pl.Float64, "share of the clip's seconds in which a box lies here"),
    "n_boxes": Column(pl.Int64, "boxes here, of the frames that were looked at"),
    "n_looked_at": Column(pl.Int64, "boxes of the clip that were looked at"),
    "is_compared": Column(pl.Boolean, "whether the clip is long enough to say anything"),
    "lens_score": Column(pl.Float64, "mean of `seconds_share` at this place over the other clips about this one"),
    "n_others": Column(pl.Int64, "other clips in which boxes recur here"),
    "place_id": Column(pl.String, "the place of the lens that this is; null for none"),
    "is_spared": Column(pl.Boolean, "whether a person says that a fish stays at this place, so that it is none"),
}

PLACE_REASONS: Columns = {
    "place_id": LENS_PLACES["place_id"],
    "reason": Column(
        pl.String, "`on_lens` (the scene was seen to move past it by more than its size) or `fixed` (it was not)"
    ),
    "n_videos": LENS_PLACES["n_videos"],
    "n_videos_past": Column(pl.Int64, "videos of these in which the scene moves past it"),
    "places_version": LENS_PLACES["places_version"],
}

NOT_FISH: Columns = KEY | {
    "lens_score": LENS_PLACES["lens_score"],
    "place_id": RECURRENCES["place_id"],
    "reason": Column(
        pl.String,
        "why it is taken for no fish: `on_lens` (its place recurs while the scene moves past), `fixed` (it recurs, and "
        "the scene stands as still), `wiper`; null for what may be one",
    ),
}

TRACKLET_MOTION: Columns = {
    "video": KEY["video"],
    "tracklet_id": TRACKLETS["tracklet_id"],
    "n_frames": Column(pl.Int64, "frames in which it was seen"),
    "first_frame": Column(pl.Int64, "the first of them"),
    "last_frame": Column(pl.Int64, "the last of them"),
    "travel_picture_1024": Column(pl.Float64, "how far it goes in the picture, px of the stretched frame"),
    "travel_scene_1024": Column(
        pl.Float64, "how far it goes over the scene, with the pan of camera_motion; null where that is not known"
    ),
    "travel_body_lengths": Column(
        pl.Float64, "the lesser of both travels by the longer side of its box: below one it may be no fish"
    ),
    "speed_body_lengths": Column(
        pl.Float64, "speed over the scene, longer sides of its box a second; null below half a second"
    ),
    "straightness": Column(
        pl.Float64, "distance from start to end over the scene by the way between them, 0 to 1; null without a way"
    ),
}

LIMITS: Columns = {
    "width_low_log": Column(pl.Float64, "smallest kept natural log of width_1024"),
    "width_high_log": Column(pl.Float64, "largest kept natural log of width_1024"),
    "height_low_log": Column(pl.Float64, "smallest kept natural log of height_1024"),
    "height_high_log": Column(pl.Float64, "largest kept natural log of height_1024"),
    "floor_1024": Column(pl.Float64, "smallest kept width and height, px in the stretched frame"),
    "n_rows": Column(pl.Int64, "raw rows that the limits were computed from"),
    "limits_version": Column(pl.String, "changes with the values, and only then"),
}
