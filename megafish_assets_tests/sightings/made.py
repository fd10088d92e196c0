"""Rows of `raw_detections` and tracklets by hand."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import polars as pl

from megafish_assets.crops.columns import CAMERA_MOTION
from megafish_assets.detections.columns import RAW, TRACKLET_MOTION
from megafish_assets.footage.columns import empty_table
from megafish_assets.sightings.collecting import counts_of_videos, looks_of_videos, video_times
from megafish_assets.sightings.naming import TAXON, taxa, tracklet_names
from megafish_assets.sightings.parts import Counts
from megafish_assets.sightings.tracklet_rows import CROP_COLUMNS, sighting_rows
from megafish_assets.sightings.windows import Origin, abundance

FISH = (100.0, 100.0, 40.0, 20.0)
CROPS = pl.DataFrame(schema={"detection_id": pl.String} | dict.fromkeys(CROP_COLUMNS[1:], pl.Float64))
MOTION = empty_table(CAMERA_MOTION)


def tracklet(
    number: int,
    frames: list[int] | range,
    box: tuple[float, float, float, float] = FISH,
    video: str = "v0",
    fps: float | None = 30,
    start: datetime | None = None,
    elapsed: float | None = None,
    reason: str | None = None,
) -> pl.DataFrame:
    """Valid rows of one tracklet, in the columns `RAW` with `tracklet_id`, `reason` and `place_id`."""
    rows = [
        {
            "video": video,
            "detection_id": f"{video}/{frame:06d}/{number:03d}",
            "video_file": f"{video}.mp4",
            "frame_id": frame,
            **dict(zip(("x_1024", "y_1024", "width_1024", "height_1024"), box, strict=True)),
            "score": 0.5,
            "seconds_in_video": None if fps is None else frame / fps,
            "timestamp_seconds": None if elapsed is None else elapsed + frame / fps,
            "recorded_at": None if start is None else start + timedelta(seconds=frame / fps),
        }
        for frame in frames
    ]
    table = pl.DataFrame(rows, {name: column.dtype for name, column in RAW.items() if name != "fault"})
    return table.with_columns(
        pl.lit(f"{video}/t{number:05d}").alias("tracklet_id"),
        pl.lit(reason, pl.String).alias("reason"),
        pl.lit(None, pl.String).alias("place_id"),
    )


def names(**of_tracklet: str) -> pl.DataFrame:
    """The columns `NAMES` from `t<number>=name`, for video v0."""
    classes = pl.DataFrame(
        {
            "tracklet_id": [f"v0/t{int(key[1:]):05d}" for key in of_tracklet],
            "name": list(of_tracklet.values()),
            "name_source": ["person"] * len(of_tracklet),
        }
    )
    return tracklet_names(classes)


STATIONS = {"v8": "north", "v9": "south"}


def sightings(
    rows: pl.DataFrame,
    named: pl.DataFrame | None = None,
    motion: pl.DataFrame = MOTION,
    stations: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    named = tracklet_names() if named is None else named
    return sighting_rows(rows, looks_of_videos(rows, motion), named, empty_table(TRACKLET_MOTION), CROPS, stations)


def counts(
    rows: pl.DataFrame, found: pl.DataFrame, motion: pl.DataFrame = MOTION, stations: Mapping[str, str] = STATIONS
) -> Counts:
    return counts_of_videos(found, looks_of_videos(rows, motion), motion, video_times(rows, stations))


def counted(rows: pl.DataFrame, named: pl.DataFrame | None = None, motion: pl.DataFrame = MOTION) -> pl.DataFrame:
    """The columns `ABUNDANCE` of these rows."""
    found = sightings(rows, named, motion)
    return abundance(counts(rows, found, motion), taxa(found.select(TAXON)), Origin())


def row(table: pl.DataFrame, window: str, kind: str = "unnamed", window_kind: str = "clip") -> dict:
    """The one row of this window and kind."""
    found = table.filter(window=window, kind=kind, window_kind=window_kind)
    assert found.height == 1, found
    return found.row(0, named=True)
