"""The columns of this stage's tables."""

import polars as pl

from megafish_assets.footage.columns import KEY, Column, Columns

STABILITY: Columns = {
    "cluster": Column(pl.Int64, "label from 0; noise is no cluster"),
    "jaccard": Column(pl.Float64, "mean overlap with its nearest cluster in each resample, 0 to 1; null if in none"),
    "n_tracklets": Column(pl.Int64, "tracklets in the cluster"),
    "n_videos": Column(pl.Int64, "videos, or whatever was resampled, that those tracklets come from"),
    "stable": Column(pl.Boolean, "found again in the resamples, with enough tracklets and videos behind it"),
    "together": Column(
        pl.List(pl.Float64),
        "by cluster from 0, itself included: share of pairs, one unit of each, that resamples put into one cluster; "
        "null where no resample drew both, or videos are too few",
    ),
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

KINDS: Columns = {
    "video": Column(pl.String, "partition key of the unit's video"),
    "fit_version": Column(pl.String, "the fit: changes with the cluster of any unit"),
    "fitted_at": Column(pl.Datetime("us", "UTC"), "when the fit was first seen, or came back"),
    "is_latest": Column(pl.Boolean, "whether this is the last fit, the one that `clusters` shows"),
    "tracklet_id": Column(pl.String, "tracklet of the unit; null for a detection without one"),
    "unit_id": Column(pl.String, "tracklet, or a detection without one"),
    "cluster": Column(pl.Int64, "its cluster in this fit; -1 is noise"),
    "kind_id": Column(pl.Int64, "the cluster's number over all fits, from 1, never given twice; null for noise"),
}

KIND_EVENTS: Columns = {
    "fit_version": Column(pl.String, "the fit that brought it"),
    "fitted_at": Column(pl.Datetime("us", "UTC"), "when"),
    "event": Column(pl.String, "continued, born, split, merged or gone"),
    "kind_id": Column(pl.Int64, "the kind; of `merged` that which took the other in"),
    "from_kind_id": Column(pl.Int64, "the kind that it was, was split from, or that was merged; null for `born`"),
    "from_fit_version": Column(pl.String, "the fit that it is compared with; an older one than the last: it came back"),
    "cluster": Column(pl.Int64, "the cluster in this fit; null for `gone`"),
    "n_shared": Column(pl.Int64, "units in both, of those that both fits have"),
    "n_before": Column(pl.Int64, "units of `from_kind_id` before, of those that both fits have; of `gone`, all"),
    "n_after": Column(pl.Int64, "units of the cluster, of those that both fits have; of `born`, all"),
    "jaccard": Column(pl.Float64, "n_shared by the units in either, 0 to 1; 0 for `born` and `gone`"),
}

KIND_TREE: Columns = {
    "fit_version": Column(pl.String, "the fit whose clusters are joined"),
    "joint": Column(pl.Int64, "number of the joint, counted on from the clusters: the first is the number of clusters"),
    "left": Column(pl.Int64, "the larger of what is joined: a cluster, or an earlier joint"),
    "right": Column(pl.Int64, "the smaller"),
    "left_kind_id": Column(pl.Int64, "kind of `left`; null for a joint"),
    "right_kind_id": Column(pl.Int64, "kind of `right`; null for a joint"),
    "height": Column(pl.Float64, "mean distance of the clusters' means on the two sides"),
    "n_tracklets": Column(pl.Int64, "units below the joint, tracklets or detections without one"),
    "overlap": Column(
        pl.Float64,
        "share of pairs, one unit of each side, that resamples of videos put into one cluster, 0 to 1; null for too "
        "few videos",
    ),
}

CENTRES: Columns = {
    "cluster": Column(pl.Int64, "label"),
    "centre": Column(pl.List(pl.Float64), "mean of the cluster's positions"),
}
