"""What the check of this stage measures: counts a video, and the numbers that follow from counts."""

import numpy as np
import polars as pl

from megafish_assets.detections.measures import ROWS, share
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.footage.ids import video_of


def vector_counts(crop_ids: np.ndarray, batch: EmbeddingBatch, dim: int, version: str) -> pl.DataFrame:
    """A row a video: crops, crops without a vector, vectors without a crop or of an id that another one has, vectors
    that are not finite, too short or long, of another version than this, or equal to another one."""
    vectors = batch.on_cpu()
    wide = np.full(len(batch), batch.dim == dim)
    seen = pl.Series([row.tobytes() for row in vectors], dtype=pl.Binary)
    rows = pl.DataFrame(
        {
            "detection_id": pl.Series(batch.detection_ids, dtype=pl.String),
            "finite": np.isfinite(vectors).all(axis=1),
            "wide": wide,
            "current": np.full(len(batch), batch.vectors_version == version),
            "bytes": seen,
        }
    )
    # Within a video, so that the number does not depend on which others were in the run.
    video = video_of(pl.col("detection_id"))
    rows = rows.with_columns((pl.len().over(video, "bytes") > 1).alias("repeated")).drop("bytes")
    crops = pl.DataFrame({"detection_id": pl.Series(crop_ids, dtype=pl.String), "cut": [True] * len(crop_ids)})
    both = crops.join(rows, on="detection_id", how="full", coalesce=True)
    return both.group_by(video.alias("video")).agg(
        pl.col("cut").sum().cast(pl.Int64).alias("n_crops"),
        pl.col("finite").is_null().sum().cast(pl.Int64).alias("n_missing_vectors"),
        pl.col("cut").is_null().sum().cast(pl.Int64).alias("n_extra_vectors"),
        (ROWS - pl.col("detection_id").n_unique()).alias("n_repeated_ids"),
        (~pl.col("current")).sum().cast(pl.Int64).alias("n_outdated_vectors"),
        (~pl.col("finite")).sum().cast(pl.Int64).alias("n_nonfinite_rows"),
        (~pl.col("wide")).sum().cast(pl.Int64).alias("n_wrong_width_rows"),
        pl.col("repeated").sum().cast(pl.Int64).alias("n_repeated_rows"),
    )


def readiness(
    *,
    raw: pl.LazyFrame,
    filtered: pl.LazyFrame,
    sampled: pl.LazyFrame,
    tracklets: pl.LazyFrame,
    crops: pl.LazyFrame,
    vectors: pl.LazyFrame,
) -> dict[str, int]:
    """Rows of each stage's table that the stage before can't answer for, over the whole collection as it is stored."""
    valid = raw.filter(pl.col("fault").is_null())
    cut = crops.filter(pl.col("fault").is_null())
    broken = {
        "n_repeated_raw_ids": raw.select(ROWS - pl.col("detection_id").n_unique()),
        "n_filtered_without_valid_row": _without(filtered, valid),
        "n_sampled_without_filtered_row": _without(sampled, filtered),
        "n_sampled_without_tracklet": _without(sampled, tracklets),
        "n_sampled_without_crop_row": _without(sampled, crops),
        "n_crop_rows_without_sample": _without(crops, sampled),
        "n_crops_without_vector": _without(cut, vectors),
        "n_vectors_without_crop": _without(vectors, cut),
        "n_repeated_vector_ids": vectors.select(ROWS - pl.col("detection_id").n_unique()),
        "n_nonfinite_rows": vectors.select((~pl.col("vector").list.sum().is_finite()).sum()),
    }
    # Streamed, one after the other: two million ids in one join take less than half a gigabyte.
    return {name: int(count.collect(engine="streaming").item()) for name, count in broken.items()}


def _without(rows: pl.LazyFrame, partners: pl.LazyFrame) -> pl.LazyFrame:
    ids = partners.select("detection_id")
    return rows.select("detection_id").join(ids, on="detection_id", how="anti").select(pl.len())


def vector_numbers(counts: pl.DataFrame) -> pl.DataFrame:
    """Counts with the share of vectors that equal another one."""
    return counts.with_columns(share("n_repeated_rows", "n_crops").alias("repeated_share"))
