"""Limits on the montages, each with its reason and what to do when it is broken."""

from megafish_assets.clusters.checks import GONE
from megafish_assets.orchestration.verdicts import NONE_MISSING, Check, Limit, never

MONTAGES = Check(
    "tiles_show_their_detections",
    "Tiles whose detection is of another cluster, and tiles whose pixels on the sheet are not their crop's.",
    {
        "n_tiles_of_another_cluster": never("a sheet shows one cluster", "Report it with the tile table."),
        "n_tiles_of_other_pixels": never("a tile shows the detection of its key", "Materialise montages again."),
        "n_missing_videos": NONE_MISSING,
    },
)

LEAGUE = Check(
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

CHECKS = {"montages/<backbone>": MONTAGES, "league": LEAGUE}
"""Every check of this stage by asset."""
