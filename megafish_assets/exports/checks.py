"""Limits on the exports, each with its reason and what to do when it is broken."""

from megafish_assets.reporting.verdicts import NONE_MISSING, Check, never

EXPORT = Check(
    "files_hold_every_row",
    "Rows that the files do not hold when they are read again, and rules of their format that they break. What was "
    "left out on purpose stands in the export's table.",
    {
        "n_lost_rows": never("a file that lacks rows looks like one that is whole", "Report it with the tables."),
        "n_faults": never("other programs turn such a file away", "Report it with the sentence of `first_fault`."),
        "n_missing_videos": NONE_MISSING,
    },
)

CHECKS = {"each of exports": EXPORT}
"""The one check of this stage, which every export has."""
