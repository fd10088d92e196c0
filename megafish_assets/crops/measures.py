"""What the check of this stage measures: counts a video, and the numbers that follow from counts."""

import polars as pl

from megafish_assets.detections.measures import ROWS, share


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


def faults_text(crops: pl.DataFrame) -> str:
    """Why rows were set aside, the commonest first, a line a reason; empty if none were."""
    counts = crops.drop_nulls("fault").group_by("fault").len().sort(["len", "fault"], descending=[True, False])
    return "\n".join(f"{count} x {fault}" for fault, count in counts.iter_rows())
