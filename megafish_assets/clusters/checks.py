"""Limits on reduction and groups, each with its reason and what to do when it is broken."""

from megafish_assets.orchestration.verdicts import NONE_MISSING, Check, Limit, never

CURRENT = Limit(
    "vectors of older weights can't be compared with the current ones",
    "Materialise the outdated partitions.",
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

CLUSTERS = Check(
    "clusters_divide_the_rows",
    "Empty clusters, and the share of the largest.",
    {
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

CHECKS = {
    "pca/<backbone>": PCA,
    "kmeans_sweep/<backbone>": SWEEP,
    "clusters/<backbone>": CLUSTERS,
    "umap/<backbone>": UMAP,
}
"""Every check of this stage by asset."""
