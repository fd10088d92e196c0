"""What is no fish for reasons that boxes and the scene's motion tell: growth on the lens, and the wiper.

Not here: rock and water that a detector takes for fish, which neither tells and a person names.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from megafish_assets.detections.columns import NOT_FISH
from megafish_assets.detections.lens import places_of
from megafish_assets.detections.scene import ScenePath
from megafish_assets.detections.wiper import is_wiper, wiped_seconds, wipes

ON_LENS, FIXED, WIPER = "on_lens", "fixed", "wiper"
"""Reasons. Of `fixed` a person should have a look: before a camera that never moves a rock, or a fish that guards its
hole, stays in its place as well."""

REASONS = (ON_LENS, FIXED, WIPER)


def places_on_lens(scored: pl.DataFrame, paths: Mapping[str, ScenePath]) -> set[str]:
    """The places of the lens behind which the scene was seen to move by more than their width or height, in any of
    their videos.

    `scored` holds the recurrences, as `lens_places` gives them.
    """
    of_lens = scored.drop_nulls("place_id")
    rows = of_lens.select("place_id", "video", "width_1024", "height_1024").iter_rows()
    return {
        place
        for place, video, width, height in rows
        if video in paths and (paths[video].range_xy_1024 > (width, height)).any()
    }


def not_fish(valid: pl.DataFrame, scored: pl.DataFrame | None, motion: pl.DataFrame, on_lens: set[str]) -> pl.DataFrame:
    """The columns `NOT_FISH`, a row for each of these valid rows of `raw_detections`, sorted by `detection_id`.

    `scored` holds the recurrences of the collection, None where nobody looked for places yet; `motion` the
    `camera_motion` of the rows' videos; `on_lens` what `places_on_lens` says.
    """
    rows = valid.sort("detection_id")
    found = pl.DataFrame({"lens_score": [None] * rows.height, "place_id": [None] * rows.height})
    if scored is not None:
        found = places_of(rows, scored)
    place = pl.col("place_id").is_not_null()
    reason = pl.when(place & pl.col("place_id").is_in(sorted(on_lens))).then(pl.lit(ON_LENS))
    wiper = pl.Series("wiper", _wiper(rows, motion))
    both = pl.concat([rows.select("video", "detection_id"), found, wiper.to_frame()], how="horizontal")
    both = both.with_columns(
        pl.when("wiper").then(pl.lit(WIPER)).otherwise(reason.when(place).then(pl.lit(FIXED))).alias("reason")
    )
    return both.select(pl.col(name).cast(column.dtype) for name, column in NOT_FISH.items())


def _wiper(rows: pl.DataFrame, motion: pl.DataFrame) -> np.ndarray:
    found, videos = np.zeros(rows.height, dtype=bool), rows["video"].to_numpy()
    looks = motion.partition_by("video", as_dict=True)
    for video in dict.fromkeys(videos.tolist()):
        if (video,) in looks:
            mine = np.flatnonzero(videos == video)
            found[mine] = is_wiper(rows[mine], wipes(rows[mine], looks[video,]))
    return found


def wiped(valid: pl.DataFrame, motion: pl.DataFrame) -> dict[str, float]:
    """Seconds that the wiper hid of each of these videos, by video."""
    rows, looks = valid.partition_by("video", as_dict=True), motion.partition_by("video", as_dict=True)
    none = motion.clear()
    return {video: wiped_seconds(wipes(of_video, looks.get((video,), none))) for (video,), of_video in rows.items()}
