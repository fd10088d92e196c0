"""Limits on the sweep, the groups, their kinds and stability, each with its reason and what to do when it is broken."""

from megafish_assets.clusters.stability import FEWEST_VIDEOS
from megafish_assets.reporting.verdicts import NONE_MISSING, Check, Limit, never

NOISE = Limit(
    "where most rows are in no cluster, too few crops of each kind are there to be dense",
    "Embed more crops, or choose another grouping.",
    at_most=0.5,
)


SWEEP = Check(
    "curves_are_valid",
    "Inertia falls as k grows; the best silhouette of all k.",
    {
        "n_rises_of_inertia": Limit(
            "more clusters never fit worse, but KMeans stops in a local optimum",
            "Raise the number of starts, or distrust the curve at that k.",
            at_most=1,
        ),
        "best_silhouette": Limit(
            "so low a silhouette says that no k stands out; the notebook's was of this kind",
            "Trust no single k: look at the montages, or try another backbone.",
            at_least=0.05,
        ),
        "n_sample_without_vector": Limit(
            "all backbones must be swept on the same crops", "Materialise the missing embeddings.", at_most=0
        ),
        "n_missing_videos": NONE_MISSING,
    },
)


CLUSTERS = Check(
    "clusters_divide_the_rows",
    "Empty clusters, the share of the largest, and rows in none.",
    {
        "n_clusters": Limit(
            "one cluster, or none, tells no kinds apart",
            "Choose another grouping in the launchpad, or embed more crops.",
            at_least=2,
        ),
        "noise_share": NOISE,
        "n_without_layout": Limit(
            "there are too few rows for a UMAP, so that the features themselves were grouped",
            "Embed more crops.",
            at_most=0,
        ),
        "n_untracked": Limit(
            "a crop of no tracklet counts as an animal of its own",
            "Materialise the tracklets of these videos, and what follows from them.",
            at_most=0,
        ),
        "n_empty_clusters": never("k clusters were asked for", "Choose a smaller k."),
        "n_clusters_short": Limit(
            "there are fewer rows, or rows that can be told apart, than clusters asked for",
            "Embed more crops, or choose a smaller k.",
            at_most=0,
        ),
        "largest_cluster_share": Limit(
            "half of all crops in one cluster: it has swallowed several kinds, unless one is half of what swims there",
            "Look at its sheet: if it shows several kinds, choose a larger k, or none.",
            at_most=0.5,
        ),
        "n_missing_videos": NONE_MISSING,
    },
)


STABILITY = Check(
    "kinds_are_found_again",
    "Clusters that are found again when other videos are looked at, with enough tracklets and videos behind them.",
    {
        "n_sure": Limit(
            "fewer than two kinds would be seen in other videos too",
            "Add videos, or distrust every cluster that the table does not call stable.",
            at_least=2,
        ),
        "n_videos": Limit(
            "a cluster of one or two videos may be one fish, or one stone, seen again",
            "Add videos.",
            at_least=FEWEST_VIDEOS,
        ),
        "n_missing_videos": NONE_MISSING,
    },
)


KINDS = Check(
    "kinds_keep_their_identity",
    "How much of the last fit this one knows, how many of its tracklets keep their kind, and what happened to kinds.",
    {
        "shared_units_share": Limit(
            "kinds are matched over the tracklets that both fits have, and these are few of the last one's",
            "Distrust numbers and colours of before: tracklets have other ids since their thresholds or the detector's "
            "rows changed, or videos were removed. `kind_events` says which kinds are taken to be which.",
            at_least=0.5,
            may_be_unknown=True,
        ),
        "kept_kind_share": Limit(
            "fewer keep their kind than in ten steps by four videos of the demo: 0.78 to 0.92",
            "Look at the picture of the nights and at `kind_events`, and at names that were given to what has merged.",
            at_least=0.75,
            may_be_unknown=True,
        ),
        "n_clusters_without_kind": Limit(
            "most crops of each of their tracklets lie in other clusters, so that nothing can follow them",
            "Group tracklets instead of crops.",
            at_most=0,
        ),
        "n_missing_videos": NONE_MISSING,
    },
)


KIND_TREE = Check(
    "no_kind_is_split",
    "How often resamples of videos put neighbors in the tree together.",
    {
        "largest_overlap": Limit(
            "resamples put most of two neighbors together: they are one kind, cut in two",
            "Look at both sheets, and give both one name.",
            at_most=0.5,
            may_be_unknown=True,
        ),
        "n_joints_without_overlap": Limit("no resample drew both sides: videos are too few", "Add videos.", at_most=0),
        "n_missing_videos": NONE_MISSING,
    },
)


CHECKS = {
    "kmeans_sweep_<backbone>": SWEEP,
    "clusters_<backbone>": CLUSTERS,
    "kinds_<backbone>": KINDS,
    "stability_<backbone>": STABILITY,
    "kind_tree_<backbone>": KIND_TREE,
}
"""Every check of this stage by asset."""
