"""The columns of this stage's tables."""

import polars as pl

from megafish_assets.footage.columns import KEY, Column, Columns

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
    "tracklet_id": Column(pl.String, "tracklet of the detection; null for none"),
    "distance_to_centre": Column(pl.Float64, "Euclidean distance from its position to the centre; null for noise"),
    "position": Column(pl.List(pl.Float32), "where it was grouped: its own place, or its tracklet's"),
    "recipe": Column(pl.String, "how the clusters were made, as JSON: features, units, space, grouping, k, seed"),
}

CENTRES: Columns = {
    "cluster": Column(pl.Int64, "label"),
    "centre": Column(pl.List(pl.Float64), "mean of the cluster's positions"),
}
