"""The columns of what an export is given, and of the table of its files."""

import polars as pl

from megafish_assets.detections.columns import RAW, TRACKLETS
from megafish_assets.footage.columns import KEY, Column, Columns
from megafish_assets.footage.recordings import OWNERS_TABLE
from megafish_assets.labels.columns import WORDS
from megafish_assets.sightings.columns import ABUNDANCE, SIGHTINGS

BOXES: Columns = {
    "video": KEY["video"],
    "detection_id": KEY["detection_id"],
    "frame_id": RAW["frame_id"],
    "seconds": RAW["seconds_in_video"],
    "recorded_at": RAW["recorded_at"],
    "x_px": Column(pl.Float64, "left edge of the box, px of the video's upright frame; null without the file"),
    "y_px": Column(pl.Float64, "top edge, likewise"),
    "width_px": Column(pl.Float64, "width, likewise"),
    "height_px": Column(pl.Float64, "height, likewise"),
    **{name: RAW[name] for name in ("x_1024", "y_1024", "width_1024", "height_1024", "score")},
    "tracklet_id": TRACKLETS["tracklet_id"],
    "name": SIGHTINGS["name"],
    "name_source": SIGHTINGS["name_source"],
    "probability": SIGHTINGS["probability"],
    "kind_id": SIGHTINGS["kind_id"],
    "is_counted": SIGHTINGS["is_counted"],
    "not_fish": SIGHTINGS["not_fish"],
}
"""A row a valid box, in order of frame and id."""

VIDEOS: Columns = {
    "video": KEY["video"],
    "video_file": RAW["video_file"],
    "width_px": Column(pl.Int64, "width of an upright frame, stored px; null where the file can't be read"),
    "height_px": Column(pl.Int64, "height, likewise"),
    "frames_per_second": Column(pl.Float64, "its average frame rate; null where the file can't be read"),
    "n_boxes": Column(pl.Int64, "valid boxes"),
    "n_frames_searched": ABUNDANCE["n_frames_searched"],
    "seconds_searched": ABUNDANCE["seconds_searched"],
    "start_seconds": ABUNDANCE["start_seconds"],
    "end_seconds": ABUNDANCE["end_seconds"],
    "starts_at": Column(pl.Datetime("us"), "local time of its first frame; null where none is known"),
    **{
        name: Column(OWNERS_TABLE[name].dtype, f"{OWNERS_TABLE[name].meaning}: by recordings.csv, else by `site`")
        for name in ("station", "latitude", "longitude", "depth")
    },
}

KINDS: Columns = {
    "kind": ABUNDANCE["kind"],
    "kind_id": ABUNDANCE["kind_id"],
    "scientific_name": ABUNDANCE["scientific_name"],
    "aphia_id": WORDS["aphia_id"],
    "family": Column(pl.String, "its family, if the list of species gives it"),
    "name_source": ABUNDANCE["name_source"],
    "n_sightings": Column(pl.Int64, "tracklets that bear it and may be fish"),
    "n_counted": Column(pl.Int64, "of them, those that count"),
    "n_videos": Column(pl.Int64, "videos that those were seen in"),
    "mean_probability": Column(pl.Float64, "mean of their names' probabilities; null where none was computed"),
    "best_crop": Column(pl.String, "detection_id of the crop of the surest of them; null where none was cut"),
}
"""A row for all that is counted, see `taxa`."""

FILES: Columns = {
    "file": Column(pl.String, "name of the file in the export's folder"),
    "holds": Column(pl.String, "which of its tables"),
    "n_given": Column(pl.Int64, "rows that there were to write"),
    "n_left_out": Column(pl.Int64, "of them, those that were left out on purpose"),
    "left_out": Column(pl.String, "how many of them for which reason; null for none"),
    "changed": Column(pl.String, "how many stand there otherwise than they were given, and how; null for none"),
    "n_read": Column(pl.Int64, "rows that the file was found to hold when it was read again"),
    "n_bytes": Column(pl.Int64, "size of the file"),
    "sha256": Column(pl.String, "of the file's bytes"),
    "version": Column(pl.String, "of the labels and the recipe behind the names"),
    "labels_version": ABUNDANCE["labels_version"],
    "recipe": ABUNDANCE["recipe"],
    "written_at": Column(pl.Datetime("us", "UTC"), "when"),
}
"""The table of every export."""
