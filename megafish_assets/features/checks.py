"""Limits on this stage, each with its reason and what to do when it is broken."""

from megafish_assets.features.whitening import FEWEST_TRACKLETS
from megafish_assets.reporting.verdicts import NONE_MISSING, Check, Limit, never

CURRENT = Limit(
    "vectors of older weights can't be compared with the current ones",
    "Materialise the outdated partitions.",
    at_most=0,
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


UMAP = Check(
    "map_can_be_trusted",
    "Positions are finite; how far neighbors on the map are neighbors among the vectors (trustworthiness).",
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
            "there are fewer rows than neighbors asked for, so all others were taken", "Embed more crops.", at_most=0
        ),
        "n_without_cluster": Limit("a row without a cluster is not drawn", "Materialise clusters again.", at_most=0),
        "n_outdated_vectors": CURRENT,
        "n_missing_videos": NONE_MISSING,
    },
)


NEIGHBORS = Check(
    "neighbors_are_of_other_tracklets",
    "Neighbors of a crop's own tracklet, two of one tracklet, lists out of order, crops without a list.",
    {
        "n_of_own_tracklet": never("a fish is like itself, which tells nothing", "Report it with the table."),
        "n_of_one_tracklet": never("a tracklet is one animal, and counts once", "Report it with the table."),
        "n_out_of_order": never("the nearest stand first", "Look at the features' own check."),
        "n_without_list": never("every crop with features has neighbors", "Materialise neighbors again."),
        "n_outdated_vectors": CURRENT,
        "n_missing_videos": NONE_MISSING,
    },
)


CHECKS = {
    "pca_<backbone>": PCA,
    "whitening_<backbone>": WHITENING,
    "features_<backbone>": FEATURES,
    "umap_<backbone>": UMAP,
    "neighbors_<backbone>": NEIGHBORS,
}
"""Every check of this stage by asset."""
