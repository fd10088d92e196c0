"""Limits on names, each with its reason and what to do when it is broken."""

from megafish_assets.labels.measures import FEWEST_LABELS
from megafish_assets.reporting.verdicts import NONE_MISSING, Check, Limit

CLASSES = Check(
    "names_can_be_trusted",
    "How well labels that were held back are found again, and how much the classifier won't say. Without any label "
    "nothing is measured, and nothing is wrong.",
    {
        "fold_macro_f1": Limit(
            "labels of other videos are not found again: what `name_next` asked for is hard, and gives 0.55 to 0.7 "
            "where 0.85 and more is true; labels at random give 0.75 to 0.85",
            "Name what `name_next` lists, or look whether two kinds bear one name, or one kind two.",
            at_least=0.5,
            may_be_unknown=True,
        ),
        "calibration_gap": Limit(
            "what is promised and what is right differ; 0.04 is chance where 150 labels were held back",
            "Give more labels, or name from a higher probability.",
            at_most=0.1,
            may_be_unknown=True,
        ),
        "dont_know_share": Limit(
            "of real fish with ten labels a kind the classifier refuses two fifths, unknown kinds among them half",
            "Name what `name_next` lists: kinds without a name, and those that are least sure.",
            at_most=0.6,
            may_be_unknown=True,
        ),
        "n_kinds_of_few_labels": Limit(
            f"a kind of fewer than {FEWEST_LABELS} labels is confused with others, and nobody can tell how often",
            "Name more of them, in several videos.",
            at_most=0,
            may_be_unknown=True,
        ),
        "n_labels_elsewhere": Limit(
            "people named tracklets that are not among the clustered rows, and teach nothing",
            "Materialise what is missing up to the clusters, or look whether the labels are of another collection.",
            at_most=0,
        ),
        "n_missing_videos": NONE_MISSING,
    },
)


CHECKS = {"classes_<backbone>": CLASSES}
"""Every check of this stage by asset."""
