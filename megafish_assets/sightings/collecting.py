"""Sightings and counts of some videos at once, of their rows in the tables before."""

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from megafish_assets.detections.looks import Looks, looks_of, usual_step
from megafish_assets.detections.recurrences import seconds_of
from megafish_assets.sightings.naming import taxon
from megafish_assets.sightings.parts import Counts, VideoTimes, video_counts

BATCH_ROWS = 200_000
"""Read at once, about 100 MB with all their columns; a video with more is read alone."""


def batches(raw: pl.LazyFrame, at_most: int = BATCH_ROWS) -> list[list[str]]:
    """The videos that hold valid rows of `raw_detections`, sorted, cut where more rows than these come together."""
    valid = raw.filter(pl.col("fault").is_null())
    n_rows = valid.group_by("video").agg(pl.len()).sort("video").collect()
    found: list[list[str]] = []
    together = at_most
    for video, n in n_rows.iter_rows():
        if together + n > at_most:
            found.append([])
            together = 0
        found[-1].append(video)
        together += n
    return found


def of_videos(videos: Sequence[str], table: pl.LazyFrame) -> pl.DataFrame:
    """A table's rows of these videos."""
    return table.filter(pl.col("video").is_in(list(videos))).collect()


def usual_step_of(raw: pl.LazyFrame) -> float:
    """See `usual_step`, of all videos of `raw_detections`."""
    return usual_step(raw.filter(pl.col("fault").is_null()).select("video", "frame_id").unique().collect())


def video_files(raw: pl.LazyFrame, videos: Iterable[str]) -> dict[str, str]:
    """The file of each of these videos, by video, in their order; of those of which `raw_detections` holds rows."""
    rows = raw.filter(pl.col("video").is_in(list(videos))).select("video", "video_file")
    return dict(rows.unique().sort("video").collect().iter_rows())


def with_tracklets(valid: pl.DataFrame, tracklets: pl.DataFrame, not_fish: pl.DataFrame) -> pl.DataFrame:
    """Valid rows that are in a tracklet, with `tracklet_id`, and the `reason` and `place_id` of `not_fish`: null also
    for what it has not looked at yet."""
    known, judged = tracklets.drop("video"), not_fish.drop("video")
    return valid.join(known, on="detection_id").join(judged, on="detection_id", how="left")


def video_stations(valid: pl.DataFrame, station_of_file: Mapping[str, str]) -> dict[str, str]:
    """Where the camera of each of these videos stood, by video, as far as it is known by file."""
    files = valid.select("video", "video_file").unique()
    return {video: station_of_file[file] for video, file in files.iter_rows() if file in station_of_file}


def looks_of_videos(valid: pl.DataFrame, motion: pl.DataFrame, usual: float = 1.0) -> dict[str, Looks]:
    """The looks at each of these videos, by video; see `looks_of`."""
    seen, none = motion.sort("video", "frame_id").partition_by("video", as_dict=True), motion.clear()
    return {
        video: looks_of(of_video, seen.get((video,), none), usual)
        for (video,), of_video in valid.partition_by("video", as_dict=True).items()
    }


def video_times(valid: pl.DataFrame, stations: Mapping[str, str]) -> dict[str, VideoTimes]:
    """When each of these videos began, by video; `stations` is known by video, as far as it is."""
    first = (
        valid.sort("frame_id")
        .group_by("video", maintain_order=True)
        .agg(seconds_of().first().alias("seconds"), pl.col("recorded_at", "timestamp_seconds").first())
    )
    start = first.with_columns(
        (pl.col("recorded_at") - pl.duration(microseconds=(pl.col("seconds") * 1e6).round())).alias("recorded_at"),
        (pl.col("timestamp_seconds") - pl.col("seconds")).alias("elapsed"),
    )
    return {
        video: VideoTimes(recorded_at, elapsed, stations.get(video))
        for video, recorded_at, elapsed in start.select("video", "recorded_at", "elapsed").iter_rows()
    }


def counts_of_videos(
    sightings: pl.DataFrame, looks: Mapping[str, Looks], motion: pl.DataFrame, times: Mapping[str, VideoTimes]
) -> Counts:
    """The counts of each of these videos, joined.

    `sightings` holds the columns `SIGHTINGS` of these videos, `motion` their `camera_motion`. A video without a
    sighting was searched too.
    """
    whole = sightings.filter(pl.col("not_fish").is_null() & ~pl.col("is_part")).with_columns(taxon().alias("kind"))
    counted, moved = (table.partition_by("video", as_dict=True) for table in (whole, motion))
    return Counts.joined(
        video_counts(
            counted.get((video,), whole.clear()),
            own,
            moved.get((video,), motion.clear()).sort("frame_id"),
            times[video],
        )
        for video, own in looks.items()
    )
