"""Limits on the rows, each with its reason and what to do when it is broken."""

from megafish_assets.detections.tracklets import MOST_BOXES_A_FRAME
from megafish_assets.reporting.verdicts import NONE_MISSING, Check, Limit, never

RAW = Check(
    "rows_can_be_believed",
    "Every row of the detector's table has arrived under its own id; the share that has a fault.",
    {
        "n_lost_rows": never(
            "raw_detections holds as many rows as the detector's table, faulty or not",
            "Report it with the video's name.",
        ),
        "n_repeated_ids": never("an id stands for one box", "Report it with the video's name."),
        "faulty_share": Limit(
            "a detector breaks a few boxes at the frame's edge, not one in twenty",
            "Look at the column `fault` of raw_detections, and at how the detector's table was written.",
            at_most=0.05,
        ),
    },
)

TRACKLETS = Check(
    "tracklets_hold_every_row",
    "Every row without a fault is in one tracklet; the share of rows that are alone in theirs.",
    {
        "n_lost_rows": never(
            "a row without a tracklet can't be sampled by tracklet", "Report it with the video's name."
        ),
        "n_repeated_ids": never("a box is one animal at one moment", "Report it with the video's name."),
        "alone_share": Limit(
            "a detector that looks at every frame sees most animals again in the next",
            "If it looks at every sixth frame or fewer, or the camera jumps, do without tracklets: sample `random`.",
            at_most=0.5,
        ),
        "n_crowded": Limit(
            f"in a frame with more than {MOST_BOXES_A_FRAME} boxes no partner is clear: each is a tracklet of one",
            "Raise the detector's least score, or let it suppress overlapping boxes.",
            at_most=0,
        ),
    },
)

SIZE_LIMITS = Check(
    "limits_fit_the_collection",
    "How far the limits in force are from those of all present rows, and who still has older ones.",
    {
        "drift_share": Limit(
            "a limit further off keeps other boxes than the collection's own would",
            "Materialise size_limits with a smaller tolerance, then run the job restate_filtered.",
            at_most=0.02,
        ),
        "n_partitions_of_old_limits": Limit(
            "videos filtered by different limits can't be compared", "Run the job restate_filtered.", at_most=0
        ),
        "kept_share": Limit(
            "the notebook kept 0.479; far from half, the sizes are not spread as the rule supposes",
            "Look at the histograms of size_limits.",
            at_least=0.3,
            at_most=0.75,
        ),
        "n_rows_without_video": Limit(
            "a row that names no file, or one whose key another file has too, is of no partition and left out",
            "Find out why the detector wrote rows without video_file; rename one of two files such as a.mp4 and a.avi.",
            at_most=0,
        ),
        "n_missing_videos": NONE_MISSING,
    },
)

FILTERED = Check(
    "kept_rows_are_within_limits",
    "Share of the video's rows without a fault that the limits keep, and kept rows that break one.",
    {
        "kept_share": Limit(
            "a video of which almost nothing is kept shows another scene, or its boxes are of another space",
            "Look at the video's picture in crops, and at its boxes in raw_detections.",
            at_least=0.02,
        ),
        "n_kept_outside_limits": never("the filter is the limits", "Report it with the video's name."),
    },
)

SAMPLED = Check(
    "videos_are_represented",
    "Videos that have filtered rows but no sample, and samples of another size than configured.",
    {
        "n_unrepresented_videos": Limit(
            "a video without a sample is invisible in everything that follows",
            "Set at_least to 1 or more, unless the notebook's own rule is wanted.",
            at_most=0,
        ),
        "lens_share": Limit(
            "growth on the lens takes a tenth of the reef's boxes; a video that loses most of them shows little else",
            "Look at the places in the figure of lens_places, or set lens_places of it to keep.",
            at_most=0.6,
        ),
        "n_wrongly_sized_videos": never(
            "a sample is the configured share, rounded down, or at_least; or it has a row of every tracklet",
            "Report it with the video's name.",
        ),
    },
)

SMALL = Check(
    "small_tracklets_can_be_named",
    "Rows of tracklets that are too small for the filter, and their share of all that last.",
    {
        "n_wrong_rows": never(
            "a tracklet is named by its sample or by these rows, and a row is cut once",
            "Report it with the video's name.",
        ),
        "small_share": Limit(
            "clusters show what is large enough, and here most animals are too small for them",
            "Move the camera nearer or film with more pixels; name small fish by name_next, or loosen the filter.",
            at_most=0.8,
        ),
    },
)

LENS = Check(
    "places_fit_the_collection",
    "How far the places of the lens in force are from those of all present rows, and who was made without them.",
    {
        "drift_share": Limit(
            "places that are missing here let growth through, places that are gone take fish away",
            "Materialise lens_places with a smaller tolerance, then run the job restate_filtered.",
            at_most=0.1,
        ),
        "n_partitions_of_old_places": Limit(
            "videos sampled with other places of the lens show growth that the others leave out",
            "Run the job restate_filtered.",
            at_most=0,
        ),
        "lens_share": Limit(
            "the reef's six growths take a tenth of its boxes; far more, and the camera may stand before what it shows",
            "Look at the figure of lens_places; say which places are fish in the review sheets, or set lens_places of "
            "sampled_detections to keep.",
            at_most=0.5,
        ),
        "n_missing_videos": NONE_MISSING,
    },
)

REASONS = Check(
    "reasons_are_the_collections",
    "Which places the scene was seen to move past, and who was made before that was known.",
    {
        "n_partitions_of_old_reasons": Limit(
            "the same growth is `on_lens` in one video and `fixed` in another",
            "Run the job restate_filtered.",
            at_most=0,
        ),
        "n_missing_videos": NONE_MISSING,
    },
)

NOT_FISH = Check(
    "most_boxes_may_be_fish",
    "Share of the boxes that recur on the lens, or in a place of a scene that stands still, and of the time that was "
    "wiped.",
    {
        "n_lost_rows": never("counts leave out what this table names, row by row", "Report it with the video's name."),
        "not_fish_share": Limit(
            "a video of which most boxes are no fish shows a dirty lens",
            "Clean the lens; look at the figure of lens_places.",
            at_most=0.6,
        ),
        "fixed_share": Limit(
            "before a camera that stands still a rock, or a fish in its hole, recurs in its place as growth does",
            "Look at the places of the lens in the review sheets, and say which are fish.",
            at_most=0.3,
        ),
        "wiped_share": Limit(
            "what lies behind the wiper is not searched", "Look at the video; wipe less often.", at_most=0.3
        ),
    },
)

MOTION = Check(
    "motion_is_known",
    "Every tracklet has its motion; share of those whose scene could not be followed.",
    {
        "n_lost_tracklets": never("a tracklet is one row", "Report it with the video's name."),
        "without_scene_share": Limit(
            "without the scene's pan nobody knows what a fish swims and what the camera turns",
            "See why camera_motion is blind: the check of that asset names the videos.",
            at_most=0.5,
        ),
    },
)

CHECKS = {
    "raw_detections": RAW,
    "tracklets": TRACKLETS,
    "size_limits": SIZE_LIMITS,
    "filtered_detections": FILTERED,
    "sampled_detections": SAMPLED,
    "small_detections": SMALL,
    "lens_places": LENS,
    "place_reasons": REASONS,
    "not_fish": NOT_FISH,
    "tracklet_motion": MOTION,
}
"""Every check of this stage by asset."""
