"""Limits on reduction and groups, each with its reason and what to do when it is broken."""

from megafish_assets.clusters.stability import FEWEST_VIDEOS
from megafish_assets.clusters.whitening import FEWEST_TRACKLETS
from megafish_assets.orchestration.verdicts import NONE_MISSING, Check, Limit, never

CURRENT = Limit(
    "vectors of older weights can't be compared with the current ones",
    "Materialise the outdated partitions.",
    at_most=0,
)

NOISE = Limit(
    "where most rows are in no cluster, too few crops of each kind are there to be dense",
    "Embed more crops, or choose another grouping.",
    at_most=0.5,
)

GONE = Limit(
    "their video was sampled or cut anew since it was embedded, so that nothing is known of them any more",
    "Materialise the embeddings of these videos, or wait for the next night.",
    at_most=0,
)

PCA = Check(
    "variance_is_kept",
    "Share of the variance that the components explain, and what was left out.",
    {
        "variance_reached_share": Limit(
            "less means that the reduction was cut short",
            "Raise `variance` in the asset's configuration.",
            at_least=0.9,
        ),
        "n_outdated_vectors": CURRENT,
        "n_missing_videos": NONE_MISSING,
    },
)

SWEEP = Check(
    "curves_are_sound",
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

WHITENING = Check(
    "variation_of_one_fish_is_known",
    "Tracklets of two crops or more, from which is learned how one fish varies.",
    {
        "n_tracklets": Limit(
            "fewer do not tell how one fish varies, so that nothing is turned down and clusters follow the water",
            "Sample several crops of each tracklet (strategy per_tracklet), or add videos.",
            at_least=FEWEST_TRACKLETS,
        ),
        "n_untracked": Limit(
            "a crop of no tracklet counts as an animal of its own, and says nothing of how one fish varies",
            "Materialise the tracklets of these videos, and what follows from them.",
            at_most=0,
        ),
        "n_outdated_vectors": CURRENT,
        "n_missing_videos": NONE_MISSING,
    },
)

FEATURES = Check(
    "features_are_complete",
    "Vectors that were left out.",
    {"n_outdated_vectors": CURRENT, "n_missing_videos": NONE_MISSING},
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
            "there are fewer rows than clusters asked for, so each became its own", "Embed more crops.", at_most=0
        ),
        "largest_cluster_share": Limit(
            "one cluster of nearly everything separates nothing", "Choose another k or backbone.", at_most=0.8
        ),
        "n_missing_videos": NONE_MISSING,
    },
)

UMAP = Check(
    "map_can_be_trusted",
    "Positions are finite; how far neighbours on the map are neighbours among the vectors (trustworthiness).",
    {
        "n_nonfinite_rows": never(
            "a position that is not a number can't be drawn", "Look at the embeddings' own check."
        ),
        "trustworthiness": Limit(
            "below this, what lies together on the map often does not belong together",
            "Raise n_neighbors or n_components.",
            at_least=0.8,
        ),
        "n_neighbors_short": Limit(
            "there are fewer rows than neighbours asked for, so all others were taken", "Embed more crops.", at_most=0
        ),
        "n_without_cluster": Limit("a row without a cluster is not drawn", "Materialise clusters again.", at_most=0),
        "n_outdated_vectors": CURRENT,
        "n_missing_videos": NONE_MISSING,
    },
)

STABILITY = Check(
    "kinds_are_found_again",
    "Clusters that are found again when other videos are looked at, with enough tracklets and videos behind them.",
    {
        "n_kinds": Limit(
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

QUALITY = Check(
    "clusters_follow_the_fish",
    "How far the clusters can be told from what is not the fish.",
    {
        "border_leak": Limit(
            "clusters that their border pixels give away follow the water behind the fish",
            "Look at the montages: if each sheet is one background, choose another recipe or backbone.",
            at_most=0.5,
            may_be_unknown=True,
        ),
        "leak_video": Limit(
            "kinds are seen in many videos; clusters that follow one video follow its light",
            "Look at the montages, and at `stability`.",
            at_most=0.4,
            may_be_unknown=True,
        ),
        "leak_place": Limit(
            "fish swim through the whole picture; clusters that keep to a place follow what lies there",
            "Look at the montages.",
            at_most=0.4,
            may_be_unknown=True,
        ),
        "leak_time": Limit(
            "kinds are there in the morning and at noon; clusters that follow the hour follow its light",
            "Look at the montages, and at `stability`.",
            at_most=0.4,
            may_be_unknown=True,
        ),
        "leak_size": Limit(
            "a fish is large nearby and small far off; clusters of one size may be distances",
            "Look at the montages.",
            at_most=0.4,
            may_be_unknown=True,
        ),
        "leak_pan": Limit(
            "clusters that follow the camera's motion follow what it sweeps over",
            "Look at the montages.",
            at_most=0.4,
            may_be_unknown=True,
        ),
        "silhouette_pca": Limit(
            "below 0 crops are nearer to another cluster than to their own, in the space that the notebook looks at",
            "Try another recipe or backbone.",
            at_least=0,
            may_be_unknown=True,
        ),
        "silhouette_umap": Limit(
            "below 0 clusters lie across each other on the map",
            "Try another recipe or backbone.",
            at_least=0,
            may_be_unknown=True,
        ),
        "dbcv": Limit(
            "below 0 clusters are no denser within than between; KMeans, which cuts evenly, is seldom above",
            "Trust the recipe `default` rather than `notebook`, or look at the montages.",
            at_least=0,
            may_be_unknown=True,
        ),
        "noise_share": NOISE,
        "n_no_longer_there": GONE,
        "n_missing_videos": NONE_MISSING,
    },
)

CHECKS = {
    "pca/<backbone>": PCA,
    "kmeans_sweep/<backbone>": SWEEP,
    "whitening/<backbone>": WHITENING,
    "features/<backbone>": FEATURES,
    "clusters/<backbone>": CLUSTERS,
    "umap/<backbone>": UMAP,
    "stability/<backbone>": STABILITY,
    "quality/<backbone>": QUALITY,
}
"""Every check of this stage by asset."""
