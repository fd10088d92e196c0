"""Limits on the counts, each with its reason and what to do when it is broken."""

from megafish_assets.reporting.verdicts import NONE_MISSING, Check, Limit, never

SIGHTINGS = Check(
    "every_tracklet_is_a_sighting",
    "Tracklets without a row, or with two; the share of them that is too short to count, or no fish.",
    {
        "n_lost_tracklets": never("what was tracked is counted or told why not", "Report it with the tables."),
        "n_repeated_tracklets": never("a tracklet is one sighting", "Report it with the tables."),
        "not_fish_share": Limit(
            "more means that growth or the wiper fills the pictures",
            "Look at the figures of lens_places.",
            at_most=0.5,
        ),
        "n_missing_videos": NONE_MISSING,
    },
)

ABUNDANCE = Check(
    "counts_hold_together",
    "Windows in which a kind has no row; a MaxN above the number of tracklets that it was seen in, or above zero where "
    "there is no first arrival; how much the wiper took.",
    {
        "n_missing_rows": never("zero is a count too", "Report it with the table."),
        "n_impossible_rows": never("as many at once are as many at all", "Report it with the table."),
        "wiped_share": Limit(
            "counts are of what is left", "Look whether `not_fish` takes fish for the wiper.", at_most=0.2
        ),
        "n_missing_videos": NONE_MISSING,
    },
)

CHECKS = {"sightings": SIGHTINGS, "abundance": ABUNDANCE}
"""Every check of this stage by asset."""
