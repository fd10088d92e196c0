"""What has arrived in the detector's table, video by video, from the statistics in its Delta log; and when a video
is complete. Rows are read only of files that hold several videos.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

import polars as pl
from deltalake import DeltaTable

from megafish_assets.detections.videos import keyed_videos

SIGNS = ("later", "last_frame", "quiet")
"""`later`: another video's rows came after its own. `last_frame`: the last frame of a clip has a row. `quiet`: no new
rows for some time."""

QUIET_MINUTES = 10.0
"""A detector that writes a video in one go is silent between two of them for less."""

FILE_COLUMNS = {
    "video_file": pl.String,
    "n_rows": pl.Int64,
    "first_frame": pl.Int64,
    "last_frame": pl.Int64,
    "lowest_score": pl.Float64,
    "highest_score": pl.Float64,
    "arrived_ms": pl.Int64,
}
"""What is known of one video in one file, from the log or from the rows."""


@dataclass(frozen=True)
class Completeness:
    """When the detector counts as done with a video: as soon as one of these signs is seen."""

    signs: Sequence[str]
    """Out of `SIGNS`."""
    quiet_seconds: float
    frames_per_clip: int

    def __post_init__(self) -> None:
        unknown = sorted(set(self.signs) - set(SIGNS))
        if unknown or not self.signs:
            raise ValueError(f"signs of a complete video = {list(self.signs)}, allowed: one or more of {list(SIGNS)}")

    def complete(self, arrived: pl.DataFrame, now_ms: float) -> pl.Series:
        """Whether each video of `arrivals` is complete, in their order."""
        order = pl.struct("arrived_ms", "video").rank("ordinal")
        seen = {
            "later": order < pl.len(),
            "last_frame": pl.col("last_frame") >= self.frames_per_clip - 1,
            "quiet": pl.col("arrived_ms") <= now_ms - 1000 * self.quiet_seconds,
        }
        return arrived.select(pl.any_horizontal(seen[sign].fill_null(False) for sign in self.signs)).to_series()


def arrivals(table: DeltaTable) -> pl.DataFrame:
    """A row a video, sorted by its key: `video`, `video_file`, `n_rows`, `last_frame`, `arrived_ms`, `fingerprint`.

    `arrived_ms` is when its last file was written, milliseconds since 1970. The fingerprint changes with the number
    of rows and with the ends of frames and scores, and not when the same rows are written into other files.
    Raises ClashingVideosError.
    """
    files = pl.from_arrow(table.get_add_actions(flatten=True)).struct.unnest()
    of_one, mixed = _by_statistics(files)
    parts = [of_one, _by_rows(table, mixed)] if mixed.height else [of_one]
    by_video = (
        pl.concat(parts)
        .filter(pl.col("video_file") != "")
        .group_by("video_file")
        .agg(
            pl.col("n_rows").sum(),
            pl.col("first_frame", "lowest_score").min(),
            pl.col("last_frame", "highest_score", "arrived_ms").max(),
        )
    )
    keys = {file: key for key, file in keyed_videos(by_video["video_file"]).items()}
    contents = by_video.select("n_rows", "first_frame", "last_frame", "lowest_score", "highest_score").iter_rows()
    prints = [hashlib.sha256(repr(row).encode()).hexdigest()[:8] for row in contents]
    return by_video.select(
        pl.col("video_file").replace_strict(keys, return_dtype=pl.String).alias("video"),
        "video_file",
        "n_rows",
        "last_frame",
        "arrived_ms",
        pl.Series("fingerprint", prints, dtype=pl.String),
    ).sort("video")


def _by_statistics(files: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What the log says of files that hold one video, and the files that hold several or that it says too little of."""
    low, high = "min.video_file", "max.video_file"
    if "partition.video_file" in files.columns:
        files = files.with_columns(pl.col("partition.video_file").alias(name) for name in (low, high))
        files = files.with_columns(pl.lit(0).alias("null_count.video_file"))
    columns = {
        "video_file": low,
        "n_rows": "num_records",
        "first_frame": "min.frame_id",
        "last_frame": "max.frame_id",
        "lowest_score": "min.score",
        "highest_score": "max.score",
        "arrived_ms": "modification_time",
    }
    needed = {high, "null_count.video_file", *columns.values()}
    if needed - set(files.columns):
        return pl.DataFrame(schema=FILE_COLUMNS), files
    known = pl.all_horizontal(pl.col(name).is_not_null() for name in needed)
    # Statistics cut long names short, so that the ends of one name differ; such a file is read.
    told = known & (pl.col(low) == pl.col(high)) & (pl.col("null_count.video_file") == 0)
    one = files.filter(told).select(pl.col(name).alias(column) for column, name in columns.items())
    return one.cast(FILE_COLUMNS), files.filter(~told)


def _by_rows(table: DeltaTable, files: pl.DataFrame) -> pl.DataFrame:
    """The same from the rows of these files."""
    parts = []
    for file in files.with_columns(pl.col("modification_time").cast(pl.Int64)).iter_rows(named=True):
        rows = pl.scan_parquet(f"{table.table_uri.rstrip('/')}/{unquote(file['path'])}")
        if "partition.video_file" in file:  # such a column is in the file's place, not in the file
            rows = rows.with_columns(pl.lit(file["partition.video_file"], pl.String).alias("video_file"))
        rows = rows.select(
            pl.col("video_file").cast(pl.String),
            pl.col("frame_id").cast(pl.Int64, strict=False),
            pl.col("score").cast(pl.Float64),
        )
        by_video = (
            rows.drop_nulls("video_file")
            .group_by("video_file")
            .agg(
                pl.len().alias("n_rows"),
                pl.col("frame_id").min().alias("first_frame"),
                pl.col("frame_id").max().alias("last_frame"),
                pl.col("score").min().alias("lowest_score"),
                pl.col("score").max().alias("highest_score"),
                pl.lit(file["modification_time"]).alias("arrived_ms"),
            )
        )
        parts.append(by_video.select(*FILE_COLUMNS).cast(FILE_COLUMNS).collect())
    return pl.concat(parts)
