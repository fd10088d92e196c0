"""The columns of this stage's tables."""

import polars as pl

from megafish_assets.detections.columns import KEY, Column, Columns
from megafish_assets.embeddings.columns import VECTORS

PCA: Columns = VECTORS | {
    "vector": Column(pl.List(pl.Float32), "principal components of the standardised vector, largest variance first"),
}

MODEL: Columns = {
    "part": Column(pl.String, "which of the model's matrices"),
    "index": Column(pl.Int64, "row of that matrix, from 0"),
    "values": Column(pl.List(pl.Float64), "the row's numbers"),
}
"""A fitted model: PCA's `mean`, `scale`, `component` and `spectrum`, a whitening's `mean`, `direction`, `between`."""

STABILITY: Columns = {
    "cluster": Column(pl.Int64, "label from 0; noise is no cluster"),
    "jaccard": Column(pl.Float64, "mean overlap with its nearest cluster in each resample, 0 to 1; null if in none"),
    "n_tracklets": Column(pl.Int64, "tracklets in the cluster"),
    "n_videos": Column(pl.Int64, "videos, or whatever was resampled, that those tracklets come from"),
    "stable": Column(pl.Boolean, "found again in the resamples, with enough tracklets and videos behind it"),
}

SWEEP: Columns = {
    "k": Column(pl.Int64, "number of clusters"),
    "inertia": Column(pl.Float64, "sum of squared distances to the nearest centre, in PCA space"),
    "silhouette": Column(pl.Float64, "mean silhouette coefficient in PCA space, -1 to 1"),
    "n_rows": Column(pl.Int64, "rows of the sample that was swept"),
}

CLUSTERS: Columns = KEY | {
    "cluster": Column(pl.Int64, "label from 0, the largest cluster first; -1 would be noise"),
    "distance_to_centre": Column(pl.Float64, "Euclidean distance to the cluster's centre, in PCA space"),
}

CENTRES: Columns = {
    "cluster": Column(pl.Int64, "label"),
    "centre": Column(pl.List(pl.Float64), "mean of the cluster's rows, in PCA space"),
}

UMAP: Columns = KEY | {
    "position": Column(pl.List(pl.Float32), "UMAP coordinates, 4 unless configured"),
}
