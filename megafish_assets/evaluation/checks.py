"""Limits on this stage, each with its reason and what to do when it is broken."""

from megafish_assets.clusters.checks import NOISE
from megafish_assets.features.checks import GONE
from megafish_assets.reporting.verdicts import NONE_MISSING, Check, Limit

CONFOUNDERS = Check(
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


LEADERBOARD = Check(
    "backbones_are_compared_on_the_same_crops",
    "Crops that some backbone has no vector of, and so nobody is compared on.",
    {
        "n_unshared": Limit(
            "a backbone that lacks vectors hides the crops of its missing videos from all",
            "Materialise the missing embeddings.",
            at_most=0,
        ),
        "n_no_longer_there": GONE,
        "n_labelled_crops": Limit(
            "there are labels, but they are of other crops",
            "Compare the ids in MEGAFISH_LABELS with `detection_id` and `tracklet_id` of this collection.",
            at_least=1,
            may_be_unknown=True,
        ),
        "n_missing_videos": NONE_MISSING,
    },
)


CHECKS = {"confounders_<backbone>": CONFOUNDERS, "leaderboard": LEADERBOARD}
"""Every check of this stage by asset."""
