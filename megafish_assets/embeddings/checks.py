"""Limits on the vectors, each with its reason and what to do when it is broken."""

from megafish_assets.orchestration.verdicts import Check, Limit

EMBEDDINGS = Check(
    "vectors_are_usable",
    "One finite vector of the backbone's width a crop; the share of vectors that equal another one.",
    {
        "n_missing_vectors": Limit(
            "a crop without a vector is in no cluster",
            "Materialise the partition again.",
            at_most=0,
            broken_contract=True,
        ),
        "n_extra_vectors": Limit(
            "a vector whose crop is gone shows what nobody can look at",
            "Materialise the partition again.",
            at_most=0,
            broken_contract=True,
        ),
        "n_repeated_ids": Limit(
            "an id stands for one crop", "Materialise the partition again.", at_most=0, broken_contract=True
        ),
        "n_outdated_vectors": Limit(
            "vectors of other weights than the asset's own can't be compared with the rest",
            "Restart the page, so that it knows the weights that are there now, and materialise the partition again.",
            at_most=0,
            broken_contract=True,
        ),
        "n_nonfinite_rows": Limit(
            "one NaN poisons every later fit",
            "Run on the CPU or in full precision: half precision can overflow.",
            at_most=0,
            broken_contract=True,
        ),
        "n_wrong_width_rows": Limit(
            "a table of vectors has one width", "Correct `dim` in BACKBONES.", at_most=0, broken_contract=True
        ),
        "repeated_share": Limit(
            "more means a stuck decoder", "See in the video's crops whether they are one picture.", at_most=0.02
        ),
    },
)

CHECKS = {"embeddings/<backbone>": EMBEDDINGS}
"""Every check of this stage by asset."""
