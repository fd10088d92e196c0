"""Tracklets too small to be grouped, beside those that are: in no cluster and of no kind, and named like the others."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.embeddings.tables import EmbeddingStream
from megafish_assets.features.whitening import Whitening

SEEN = ["detection_id", "score", "width_px", "height_px", "clipped_share"]
"""By which the best crop of a tracklet is chosen."""


@dataclass(frozen=True)
class SmallCrops:
    """Crops of `small_crops` that have a vector."""

    table: pl.DataFrame
    """`video`, `tracklet_id` and the columns `SEEN`, a row a crop."""
    features: EmbeddingBatch
    """Of these crops, by the whitening that was fitted to those of the sample."""

    def beside(self, clusters: pl.DataFrame, features: EmbeddingBatch) -> tuple[pl.DataFrame, EmbeddingBatch]:
        """`video`, `detection_id`, `tracklet_id` and `cluster` of all crops, of small ones without a cluster; and the
        features of all, as far as they have any.

        A tracklet, or a crop, that is grouped is not small, whatever was cut.
        """
        rows = with_small(clusters, self.table)
        own = np.isin(self.features.detection_ids, rows.filter(pl.col("cluster").is_null())["detection_id"].to_numpy())
        ids = np.concatenate([features.detection_ids, self.features.detection_ids[own]])
        vectors = np.concatenate([features.on_cpu(), self.features.on_cpu()[own]])
        return rows, EmbeddingBatch(ids, vectors, features.vectors_version)

    @classmethod
    def of(
        cls, crops: pl.LazyFrame, scores: pl.LazyFrame, vectors: EmbeddingStream, whitening: Whitening
    ) -> "SmallCrops":
        """From `small_crops`, the `score` of their `detection_id`, and their vectors, of the whitening's version."""
        ids = vectors.detection_ids()
        projected = [whitening.project(batch.on_cpu()) for batch in vectors]
        dim = len(whitening.directions)
        features = np.concatenate([np.empty((0, dim), dtype=np.float32), *projected])
        known = pl.LazyFrame({"detection_id": pl.Series(ids, dtype=pl.String)})
        cut = crops.filter(pl.col("fault").is_null()).join(scores, on="detection_id").join(known, on="detection_id")
        table = cut.select("video", "tracklet_id", *SEEN).collect()
        return cls(table, EmbeddingBatch(ids, features, vectors.vectors_version))


def with_small(clusters: pl.DataFrame, small: pl.DataFrame) -> pl.DataFrame:
    """`video`, `detection_id`, `tracklet_id` and `cluster` of grouped crops and of small ones, of which it is null.

    `small` holds the first three of crops that were cut; a tracklet, or a crop, that is grouped is not small.
    """
    columns = ["video", "detection_id", "tracklet_id", "cluster"]
    ungrouped = small.join(clusters, on="tracklet_id", how="anti").join(clusters, on="detection_id", how="anti")
    ungrouped = ungrouped.with_columns(pl.lit(None, clusters.schema["cluster"]).alias("cluster"))
    return pl.concat([clusters.select(columns), ungrouped.select(columns)])
