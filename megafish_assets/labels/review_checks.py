"""Limits on the review sheets, each with its reason and what to do when it is broken."""

from megafish_assets.reporting.verdicts import NONE_MISSING, Check, never

REVIEW = Check(
    "sheets_show_every_tracklet_once",
    "Tracklets of the clusters that stand on no sheet or on two, and tiles, of a seeded draw, whose picture among the "
    "files is not their crop's.",
    {
        "n_units_not_on_one_sheet": never("a name of a sheet holds for its tiles", "Report it with the tile table."),
        "n_tiles_of_other_pixels": never(
            "a person names what the tile shows", "Materialise review again; report it if it stays."
        ),
        "n_missing_videos": NONE_MISSING,
    },
)

CHECKS = {"review": REVIEW}
"""Every check of the review sheets by asset."""
