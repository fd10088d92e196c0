"""The columns of this stage's tables."""

import polars as pl

from megafish_assets.footage.columns import Column, Columns

CONFOUNDERS: Columns = {
    "measure": Column(pl.String, "what is measured"),
    "value": Column(pl.Float64, "its value; null where nothing can be said"),
}


LEADERBOARD: Columns = {
    "backbone": Column(pl.String, "what made the vectors"),
    "recipe": Column(
        pl.String,
        "what made the clusters of them, and with which k if not its own; all see the crops as the vectors do",
    ),
    "dim": Column(pl.Int64, "length of a vector"),
    "crops_per_second": Column(pl.Float64, "of the last embedded videos, median; null if none says"),
    "n_crops": Column(pl.Float64, "crops compared, the same for all"),
    "n_units": Column(pl.Float64, "tracklets or crops that were grouped"),
    "n_clusters": Column(pl.Float64, "clusters found or given"),
    "noise_share": Column(pl.Float64, "share of the crops in no cluster"),
    "silhouette_pca": Column(pl.Float64, "in the PCA of the vectors; not to be compared across backbones"),
    "silhouette_umap": Column(
        pl.Float64, "in a UMAP of the default recipe's features; not to be compared across backbones"
    ),
    "dbcv": Column(pl.Float64, "density-based validity in a UMAP of the features, -1 to 1"),
    "track_consistency": Column(pl.Float64, "0 as by chance to 1; null where whole tracklets were grouped"),
    "n_kinds": Column(
        pl.Float64, "clusters with enough tracklets and videos behind them, those near across videos as one"
    ),
    "n_sure": Column(pl.Float64, "of them, those with a cluster that other videos show too"),
    "n_kinds_low": Column(
        pl.Float64, "kinds in all but the poorest 5 % of the draws of videos, and less by the error of counting them"
    ),
    "n_kinds_high": Column(pl.Float64, "kinds in all but the richest 5 %, and more by it"),
    "agreement_ami": Column(pl.Float64, "mean AMI between the partitions of two draws of videos"),
    "border_leak": Column(pl.Float64, "how far the crops' borders tell the cluster, 0 as by chance to 1"),
    "leak_video": Column(pl.Float64, "AMI of clusters and videos"),
    "leak_time": Column(pl.Float64, "AMI of clusters and time bins"),
    "leak_place": Column(pl.Float64, "AMI of clusters and places in the picture"),
    "leak_size": Column(pl.Float64, "AMI of clusters and box sizes"),
    "leak_pan": Column(pl.Float64, "AMI of clusters and the camera's pan"),
    **{
        f"most_leak_{name}": Column(
            pl.Float64, f"what `leak_{name}` would be at most, or about so, with clusters of these sizes"
        )
        for name in ("video", "time", "place", "size", "pan")
    },
    **{
        f"names_{leak}": Column(pl.Float64, f"`{leak}` of the kinds that people named; null for too few")
        for leak in ("leak_video", "leak_time", "leak_place", "leak_size", "leak_pan", "border_leak")
    },
    "n_named_tracklets": Column(pl.Float64, "tracklets that people named, which those are of; null without labels"),
    "species_ami": Column(pl.Float64, "AMI with labels, noise as one cluster; null without labels"),
    "ari": Column(pl.Float64, "adjusted Rand index with labels"),
    "v_measure": Column(pl.Float64, "V-measure with labels"),
    "macro_f1": Column(pl.Float64, "mean F1 of the labels, each cluster named by its commonest"),
    "knn_other_trajectories": Column(pl.Float64, "share whose nearest crop of another tracklet bears the same label"),
}
