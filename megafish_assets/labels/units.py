"""What bears a name: a tracklet, or a detection without one; with one place among the features, and its best crop."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from megafish_assets.clusters.best_crops import best_crops
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.features.crop_rows import aligned
from megafish_assets.features.pooling import tracklet_means
from megafish_assets.features.whitening import unit_rows
from megafish_assets.footage.columns import require_one_length

UNIT = pl.coalesce("tracklet_id", "detection_id").alias("unit_id")


@dataclass(frozen=True)
class Units:
    """All units, sorted by `unit_id`, whatever the order of the rows that they were made from."""

    table: pl.DataFrame
    """`video`, `unit_id`, `tracklet_id`, `detection_id` (of the best crop) and `cluster`."""
    features: np.ndarray
    """float32 `(n, m)` of unit length: the mean of the whitened features of its crops."""

    def __post_init__(self) -> None:
        require_one_length(self, "table", "features")
        if not self.table["unit_id"].is_sorted() or self.table["unit_id"].n_unique() != len(self.table):
            raise ValueError("units out of order or named twice: sort them by unit_id")
        if n_odd := int((~np.isfinite(self.features)).any(axis=1).sum()):
            raise ValueError(f"{n_odd} of {len(self)} units have features that are no numbers: make features again")

    def __len__(self) -> int:
        return self.table.height

    @classmethod
    def of_crops(cls, clusters: pl.DataFrame, features: EmbeddingBatch, seen: pl.DataFrame) -> "Units":
        """Of all clustered rows; `seen` is what `best_crops` asks for.

        A unit whose crops lie in several clusters is in the one that most of them are in. Raises RowsApartError where
        the features are of other rows.
        """
        rows = clusters.with_columns(UNIT).sort("unit_id", "detection_id")
        vectors = aligned(rows, features.detection_ids, features.on_cpu(), "features")
        places = rows["unit_id"].rle_id().to_numpy().astype(np.int64)
        votes = rows.group_by("unit_id", "cluster").len().sort("len", "cluster", descending=[True, False])
        most = votes.unique("unit_id", keep="first", maintain_order=True).select("unit_id", "cluster")
        rows = rows.drop("cluster").join(most, on="unit_id").select(*clusters.columns, "unit_id")
        best = best_crops(rows, seen).sort("unit_id")
        means = unit_rows(tracklet_means(vectors, places)) if rows.height else np.empty((0, vectors.shape[1]))
        return cls(best.select("video", "unit_id", "tracklet_id", "detection_id", "cluster"), means.astype(np.float32))


def kind_of_units(units: Units, kinds: pl.DataFrame | None) -> pl.Series:
    """Int64, the kind of each unit, null for none; `kinds` has `unit_id`, `kind_id` and `is_latest`.

    Without a table of kinds the clusters stand for them, counted from 1.
    """
    if kinds is None:
        cluster = pl.col("cluster").cast(pl.Int64)
        return units.table.select(pl.when(cluster >= 0).then(cluster + 1).alias("kind_id"))["kind_id"]
    latest = kinds.filter("is_latest").select("unit_id", pl.col("kind_id").cast(pl.Int64)).unique("unit_id")
    return units.table.join(latest, on="unit_id", how="left", maintain_order="left")["kind_id"]


def are_flagged(units: Units, detection_ids: Sequence[str], clusters: pl.DataFrame) -> np.ndarray:
    """bool `(n,)`: whether most crops of a unit are among these detections, which `not_fish` gives a reason."""
    flagged = pl.Series("flagged", detection_ids, dtype=pl.String)
    shares = (
        clusters.with_columns(UNIT)
        .group_by("unit_id")
        .agg(pl.col("detection_id").is_in(flagged.implode()).mean().alias("share"))
    )
    found = units.table.join(shares, on="unit_id", how="left", maintain_order="left")["share"].fill_null(0.0)
    return found.to_numpy() > 0.5
