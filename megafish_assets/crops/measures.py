"""What the check of this stage measures: counts a video, and the numbers that follow from counts."""

import polars as pl

from megafish_assets.detections.measures import ROWS, share
from megafish_assets.detections.scene import FEWEST_POINTS


def crop_counts(sampled: pl.DataFrame, crops: pl.DataFrame) -> pl.DataFrame:
    """A row a video: sampled rows, those without a row in `crops`, crops cut, rows set aside, crops clipped,
    ids that stand more than once, and rows that nobody sampled."""
    cut = pl.col("fault").is_null()
    made = crops.group_by("video").agg(
        cut.sum().cast(pl.Int64).alias("n_crops"),
        (~cut).sum().cast(pl.Int64).alias("n_set_aside"),
        (pl.col("clipped_share") > 0).sum().cast(pl.Int64).alias("n_clipped"),
        (ROWS - pl.col("detection_id").n_unique()).alias("n_repeated_ids"),
    )
    lost = sampled.join(crops, on="detection_id", how="anti").group_by("video").agg(ROWS.alias("n_lost_rows"))
    extra = crops.join(sampled, on="detection_id", how="anti").group_by("video").agg(ROWS.alias("n_extra_rows"))
    counts = sampled.group_by("video").agg(ROWS.alias("n_sampled"))
    for others in (made, lost, extra):
        counts = counts.join(others, on="video", how="full", coalesce=True)
    return counts.with_columns(pl.exclude("video").fill_null(0))


def crop_numbers(counts: pl.DataFrame) -> pl.DataFrame:
    """Counts with the share of sampled rows set aside and the share of crops clipped by the frame's edge."""
    return counts.with_columns(
        share("n_set_aside", "n_sampled").alias("set_aside_share"),
        share("n_clipped", "n_crops").alias("clipped_crops_share"),
    )


DIFFERENT_1024 = 4.0
"""Pans further apart than this, px a frame, are not one: in a real aquarium boxes and pixels differ by 2.5 at the 90th
percentile, mostly because the fish swim."""


def motion_counts(motion: pl.DataFrame, tracklets: pl.DataFrame) -> pl.DataFrame:
    """A row a video that was looked at: looks, those with too few points, those whose pan the tracklets' boxes tell
    too, and those of them where it differs.

    `tracklets` holds the columns `TRACKLETS`' pan and its boxes, with `frame_id`, one row a frame.
    """
    seen = motion.with_columns((pl.col("n_pan_points") < FEWEST_POINTS).alias("blind"))
    pans = tracklets.filter(pl.col("n_pan_boxes") > 0).select(
        "video", "frame_id", pl.col("pan_x_1024").alias("box_x"), pl.col("pan_y_1024").alias("box_y")
    )
    both = seen.join(pans, on=["video", "frame_id"], how="left")
    apart = ((pl.col("pan_x_1024") - pl.col("box_x")) ** 2 + (pl.col("pan_y_1024") - pl.col("box_y")) ** 2).sqrt()
    compared = ~pl.col("blind") & pl.col("box_x").is_not_null()
    return both.group_by("video").agg(
        ROWS.alias("n_looks"),
        pl.col("blind").sum().cast(pl.Int64).alias("n_blind"),
        compared.sum().cast(pl.Int64).alias("n_compared"),
        (compared & (apart > DIFFERENT_1024)).sum().cast(pl.Int64).alias("n_different"),
    )


def motion_numbers(counts: pl.DataFrame) -> pl.DataFrame:
    """Counts with the share of looks that saw too little, and of pans that boxes and pixels tell differently."""
    return counts.with_columns(
        share("n_blind", "n_looks").alias("blind_share"), share("n_different", "n_compared").alias("different_share")
    )
