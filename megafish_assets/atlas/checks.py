"""Limits on the montages, each with its reason and what to do when it is broken."""

from megafish_assets.reporting.verdicts import NONE_MISSING, Check, never

MONTAGES = Check(
    "tiles_show_their_detections",
    "Tiles whose detection is of another cluster, and tiles whose pixels on the sheet are not their crop's.",
    {
        "n_tiles_of_another_cluster": never("a sheet shows one cluster", "Report it with the tile table."),
        "n_tiles_of_other_pixels": never("a tile shows the detection of its key", "Materialise montages again."),
        "n_missing_videos": NONE_MISSING,
    },
)


CHECKS = {"montages_<backbone>": MONTAGES}
"""Every check of this stage by asset."""
