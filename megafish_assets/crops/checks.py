"""Limits on the crops, each with its reason and what to do when it is broken."""

from dataclasses import replace

from megafish_assets.reporting.verdicts import Check, Limit, never

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
            "a whole video loses no frame",
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

SMALL_CROPS = replace(
    CROPS,
    name="every_small_box_is_accounted_for",
    meaning="A row in small_crops for every row of small_detections; the share that could not be cut, and the share "
    "cut off by the frame's edge.",
)

CAMERA_MOTION = Check(
    "scene_is_followed",
    "Looks that found too few points of the scene, and pans that pixels and boxes tell differently.",
    {
        "blind_share": Limit(
            "in clear water the scene behind the fish has corners enough to be followed",
            "Look at the video's picture: darkness, sand or a wiper hides the scene, and its pan can't be judged.",
            at_most=0.3,
        ),
        "different_share": Limit(
            "tracklets take the shift that most boxes share for the camera's; pixels say another",
            "Look at the video: a school that swims one way, or a camera that jumps. Distrust its tracklets.",
            at_most=0.25,
        ),
    },
)

CHECKS = {"crops": CROPS, "small_crops": SMALL_CROPS, "camera_motion": CAMERA_MOTION}
"""Every check of this stage by asset."""
