"""Limits on the crops, each with its reason and what to do when it is broken."""

from megafish_assets.orchestration.verdicts import Check, Limit, never

CROPS = Check(
    "every_sampled_box_is_accounted_for",
    "A row in crops for every sampled one; the share that could not be cut, and the share cut off by the frame's edge.",
    {
        "n_lost_rows": never(
            "what can't be cut is set aside with its reason, never dropped", "Report it with the video's name."
        ),
        "n_extra_rows": never("a crop that nobody sampled belongs to an older sample", "Materialise crops again."),
        "n_repeated_ids": never("an id stands for one crop", "Report it with the video's name."),
        "set_aside_share": Limit(
            "a sound video loses no frame",
            "Look at the column `fault` of crops: replace the video file if it is missing or damaged, then materialise "
            "crops for it again.",
            at_most=0.01,
        ),
        "clipped_crops_share": Limit(
            "boxes reach over the frame's edge by a rounding, not one in ten",
            "Compare the frame's size with the detector's input.",
            at_most=0.1,
        ),
    },
)

CHECKS = {"crops": CROPS}
"""Every check of this stage by asset."""
