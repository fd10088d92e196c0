"""Limits on the report, each with its reason and what to do when it is broken."""

from megafish_assets.reporting.verdicts import NONE_MISSING, Check, Limit, never

REPORT = Check(
    "report_can_be_read_and_mailed",
    "The page's size, kinds that it does not show, and pictures that it lacks.",
    {
        "page_mb": Limit(
            "many mail servers refuse more, and a phone opens it slowly",
            "Report it with the number of kinds and pictures.",
            at_most=15,
        ),
        "n_kinds_not_shown": never("every kind that was counted is in the table", "Report it with `abundance`."),
        "n_frames_missing": Limit(
            "a kind is believed when the frame of its MaxN is seen",
            "Put the video files back into the recordings folder, or look whether they can be played.",
            at_most=0,
        ),
        "n_pictures_without_room": Limit(
            "the page has as many pictures as may be mailed, and left out the last",
            "Merge kinds by naming them, or look at the montages.",
            at_most=0,
        ),
        "n_missing_videos": NONE_MISSING,
    },
)
