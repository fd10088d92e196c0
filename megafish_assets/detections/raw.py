"""The detector's rows, typed, keyed and timed."""

import polars as pl

from megafish_assets.detections.columns import RAW
from megafish_assets.detections.faults import fault
from megafish_assets.footage.boxes import BOX
from megafish_assets.footage.clocks import Clock
from megafish_assets.footage.columns import empty_table
from megafish_assets.footage.file_names import video_key, video_number
from megafish_assets.footage.ids import detection_ids
from megafish_assets.footage.recordings import TIMES

LONGEST_RECORDING_SECONDS = 100 * 365.25 * 86_400
"""A century: a time further off comes from a number that is no video's or no frame's."""


def raw_detections(inference: pl.DataFrame, clock: Clock, times: pl.DataFrame | None = None) -> pl.DataFrame:
    """Every given row in the columns `RAW`, sorted by `detection_id`; none is added or dropped, faulty ones are named.

    `inference` holds `video_file`, `frame_id`, `box` (`[x, y, w, h]`) and `score`. Ranks in a frame follow
    (x, y, w, h, how many numbers, score), then the order given, so that the same rows get the same ids in any order.
    `times` holds the columns `TIMES`, a row a file, as far as they are known.
    """
    times = empty_table(TIMES) if times is None else times
    order = ["video", "frame_id", *BOX, "box_length", "score"]
    rows = (
        inference.lazy()
        .with_columns(
            pl.col("video_file").cast(pl.String),
            pl.col("frame_id").cast(pl.Int64, strict=False),  # beyond 64 bits it is no frame
            pl.col("box").cast(pl.List(pl.Float64)),
        )
        .join(_named(inference["video_file"], clock).lazy(), on="video_file", how="left", maintain_order="left")
        .join(times.lazy(), on="video_file", how="left", maintain_order="left")
        .with_columns(
            *[pl.col("box").list.get(i, null_on_oob=True).alias(name) for i, name in enumerate(BOX)],
            pl.col("box").list.len().cast(pl.Int64).alias("box_length"),
            pl.col("score").cast(pl.Float64),
        )
        .sort(order, maintain_order=True)
        .with_columns(
            pl.int_range(pl.len()).over("video", "frame_id").alias("rank"),
            (pl.int_range(pl.len()).over(order) > 0).alias("is_repeat"),
        )
        .with_columns(fault().alias("fault"))
        .with_columns(
            detection_ids("video", "frame_id", "rank").alias("detection_id"),
            _timestamp_seconds(clock).alias("timestamp_seconds"),
        )
        .with_columns((pl.col("frame_id") / pl.col("frames_per_second")).alias("seconds_in_video"))
        .with_columns(_recorded_at(clock).alias("recorded_at"))
    )
    return rows.select(*RAW).sort("detection_id").collect()


def _named(video_files: pl.Series, clock: Clock) -> pl.DataFrame:
    """What each file's name says: `video`, its key, `video_number`, its number, and whether that `is_clock`."""
    files = video_files.cast(pl.String).drop_nulls().unique().to_list()
    numbers = [video_number(file, clock.number_pattern) for file in files]
    columns = {"video_file": pl.String, "video": pl.String, "video_number": pl.Int64, "is_clock": pl.Boolean}
    return pl.DataFrame(
        [(file, video_key(file), number.value, number.is_clock) for file, number in zip(files, numbers, strict=True)],
        columns,
        orient="row",
    )


def _timestamp_seconds(clock: Clock) -> pl.Expr:
    seconds_per_frame = clock.clip_seconds / clock.frames_per_clip
    seconds = pl.col("video_number") * clock.clip_seconds + pl.col("frame_id") * seconds_per_frame
    return pl.when("is_clock").then(seconds)


def _recorded_at(clock: Clock) -> pl.Expr:
    """Of what is said of a video's time, that which a person has said most expressly."""
    of_owner = _later(pl.col("owner_start"), pl.col("seconds_in_video"))
    of_clock = _later(pl.lit(clock.recording_start, pl.Datetime("us")), pl.col("timestamp_seconds"))
    of_file = _later(pl.col("file_start"), pl.col("seconds_in_video"))
    return pl.when(pl.col("owner_start").is_null()).then(pl.coalesce(of_clock, of_file)).otherwise(of_owner)


def _later(start: pl.Expr, seconds: pl.Expr) -> pl.Expr:
    believable = pl.when(seconds.is_between(0, LONGEST_RECORDING_SECONDS)).then(seconds)
    return (start + pl.duration(microseconds=(believable * 1e6).round().cast(pl.Int64))).cast(pl.Datetime("us"))
