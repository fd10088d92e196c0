"""Limits on the montages, each with its reason and what to do when it is broken."""

from megafish_assets.atlas.report_checks import REPORT
from megafish_assets.reporting.verdicts import NONE_MISSING, Check, Limit, never

MONTAGES = Check(
    "tiles_show_their_detections",
    "Tiles whose detection is of another cluster, and tiles whose pixels on the sheet are not their crop's.",
    {
        "n_tiles_of_another_cluster": never("a sheet shows one cluster", "Report it with the tile table."),
        "n_tiles_of_other_pixels": never("a tile shows the detection of its key", "Materialise montages again."),
        "n_missing_videos": NONE_MISSING,
    },
)


EXPLORER = Check(
    "explorer_shows_every_crop",
    "Clustered crops that are no point of the map, thumbs (of a draw) that are not their crop's, videos that can't be "
    "opened, and the folder's size.",
    {
        "n_crops_not_shown": never("every clustered crop is a point", "Report it with both tables."),
        "n_nonfinite_rows": never("a place that is not a number can't be drawn", "Look at the embeddings' own check."),
        "n_thumbs_of_other_pixels": never("a point shows the crop of its key", "Materialise explorer again."),
        "n_videos_without_file": Limit(
            "a click on their crops opens nothing", "Put the files back into the recordings folder.", at_most=0
        ),
        "n_crops_without_still": Limit(
            "browsers can't play their videos, and none of their frames could be kept",
            "Convert these videos to H.264 in .mp4 if many are looked at.",
            at_most=0,
        ),
        "trustworthiness": Limit(
            "below this, what lies together on the map often does not belong together",
            "Trust `More like this` rather than the map, which has two coordinates only.",
            at_least=0.8,
            may_be_unknown=True,
        ),
        "folder_mb": Limit("a larger folder is slow to copy and to open", "Look at fewer videos.", at_most=100),
        "n_missing_videos": NONE_MISSING,
    },
)


CHECKS = {"montages_<backbone>": MONTAGES, "explorer": EXPLORER, "report": REPORT}
"""Every check of this stage by asset."""
