"""A reef's boxes as rows, with what each shows, without a pixel being drawn."""

from functools import cache

import polars as pl

from megafish_assets.detections.faults import valid_rows
from megafish_assets.detections.raw import raw_detections
from megafish_assets.footage.clocks import Clock
from megafish_assets.reef.plan import ReefPlan
from megafish_assets.reef.tables import SimulatedVideo, simulate_video
from megafish_assets.reef.truth import kinds

CLOCK = Clock(clip_seconds=10, frames_per_clip=300, recording_start=None)
LOOK_FRAMES, POINTS, HIDDEN_POINTS = 5, 110, 30


@cache
def videos(plan: ReefPlan) -> list[SimulatedVideo]:
    return [simulate_video(plan, number) for number in plan.video_numbers]


@cache
def reef_rows(plan: ReefPlan) -> pl.DataFrame:
    """Valid raw rows with `kind` and `track_id` of each."""
    simulated = videos(plan)
    raw = raw_detections(pl.concat([video.inference for video in simulated]), CLOCK)
    raw = raw.with_columns((pl.col("frame_id") / plan.fps).alias("seconds_in_video"))
    shown = kinds(raw, pl.concat([video.truth for video in simulated]))
    return valid_rows(raw).join(shown, on="detection_id", maintain_order="left")


@cache
def reef_motion(plan: ReefPlan) -> pl.DataFrame:
    """`camera_motion` as a faultless look at the pixels would tell it; few points while the wiper is in the frame."""
    parts = []
    for video in videos(plan):
        wiped = video.truth.filter(pl.col("artefact") == "wiper")["frame_id"].to_list()
        looks = video.camera.with_columns(
            pl.col("pan_x_1024", "pan_y_1024").rolling_mean(LOOK_FRAMES),
            pl.lit(LOOK_FRAMES, pl.Int64).alias("elapsed_frames"),
            pl.when(pl.col("frame_id").is_in(wiped)).then(HIDDEN_POINTS).otherwise(POINTS).alias("n_pan_points"),
            pl.col("video_file").str.strip_suffix(".mp4").alias("video"),
            pl.col("frame_id").cast(pl.Int64),
        )
        parts.append(looks.filter((pl.col("frame_id") % LOOK_FRAMES == 0) & (pl.col("frame_id") > 0)))
    rows = pl.concat(parts).with_columns(pl.col("n_pan_points").cast(pl.Int64))
    return rows.select("video", "frame_id", "elapsed_frames", "pan_x_1024", "pan_y_1024", "n_pan_points")
