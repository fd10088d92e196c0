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
    "cluster": Column(pl.Int64, "label from 0, the largest cluster first; -1 is noise"),
    "tracklet_id": Column(pl.String, "tracklet of the detection; empty for none"),
    "distance_to_centre": Column(pl.Float64, "Euclidean distance from its position to the centre; null for noise"),
    "position": Column(pl.List(pl.Float32), "where it was grouped: its own place, or its tracklet's"),
    "recipe": Column(pl.String, "how the clusters were made, as JSON: features, units, space, grouping, k, seed"),
}

CENTRES: Columns = {
    "cluster": Column(pl.Int64, "label"),
    "centre": Column(pl.List(pl.Float64), "mean of the cluster's positions"),
}

WHITENING: Columns = MODEL | {
    "vectors_version": Column(pl.String, "version of the vectors that it was fitted to"),
}

FEATURES: Columns = VECTORS | {
    "vector": Column(pl.List(pl.Float32), "the whitened vector, of unit length: what differs between fish"),
}

QUALITY: Columns = {
    "measure": Column(pl.String, "what is measured"),
    "value": Column(pl.Float64, "its value; null where nothing can be said"),
}

UMAP: Columns = KEY | {
    "position": Column(pl.List(pl.Float32), "UMAP coordinates, 4 unless configured"),
}
