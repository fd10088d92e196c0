"""Limits on what people say, each with its reason and what to do when it is broken."""

from megafish_assets.reporting.verdicts import Check, Limit

LABELS = Check(
    "labels_can_be_used",
    "Labels whose fish is no longer there, people who disagree, names that are not on the list, and refused files.",
    {
        "unresolved_share": Limit(
            "a label whose box no detection of today overlaps by 0.8 names nothing any more",
            "If the detector ran again, look at a few of them; if ids were mistyped, correct the file and lay it into "
            "the inbox again.",
            at_most=0.1,
        ),
        "n_disagreements": Limit(
            "where people disagree the last word counts, and it may be the wrong one",
            "Ask them; whoever names the tracklet once more decides. `disagreements` names some.",
            at_most=0,
        ),
        "n_free_names": Limit(
            "a name that is not on the list of species may be a slip of the pen, and counts as a kind of its own",
            "Correct the name, or add it to the list of MEGAFISH_SPECIES. `free_names` names some.",
            at_most=0,
        ),
        "n_refused_files": Limit(
            "nothing of a refused file was taken", "See the `.why.txt` beside it in `labels/refused`.", at_most=0
        ),
    },
)

CHECKS = {"labels": LABELS}
"""Every check of these assets."""
