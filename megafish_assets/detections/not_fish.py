"""What is no fish for reasons that boxes and the scene's motion tell: growth on the lens, and the wiper.

Not here: rock and water that a detector takes for fish, which neither tells and a person names.
"""

import hashlib

import numpy as np
import polars as pl

from megafish_assets.detections.columns import NOT_FISH, PLACE_REASONS
from megafish_assets.detections.lens import in_force, places_of, places_version
from megafish_assets.detections.scene import scene_paths
from megafish_assets.detections.wiper import is_wiper, wiped_seconds, wipes
from megafish_assets.footage.columns import typed

ON_LENS, FIXED, WIPER = "on_lens", "fixed", "wiper"
"""Reasons, each enough to leave a box out until a person names it. Of `fixed` he should have a look: before a camera
that never moves a rock, or a fish that guards its hole, stays in its place as well."""

REASONS = (ON_LENS, FIXED, WIPER)


def place_reasons(scored: pl.DataFrame, motion: pl.DataFrame) -> pl.DataFrame:
    """The columns `PLACE_REASONS`, a row a place of the lens in force, sorted: on the lens is a place behind which the
    scene was seen to move by more than its width or height, in any of its videos.

    `scored` holds the recurrences, as `lens_places` gives them second; `motion` the `camera_motion` of its videos, or
    of some.
    """
    paths = scene_paths(motion)
    ranges = [(video, *path.range_xy_1024.tolist()) for video, path in paths.items()]
    schema = {"video": pl.String, "range_x": pl.Float64, "range_y": pl.Float64}
    places = (
        in_force(scored).drop_nulls("place_id").join(pl.DataFrame(ranges, schema, orient="row"), on="video", how="left")
    )
    moves = (pl.col("range_x") > pl.col("width_1024")) | (pl.col("range_y") > pl.col("height_1024"))
    n_past = pl.col("video").filter(moves).n_unique().cast(pl.Int64)
    rows = places.group_by("place_id").agg(
        pl.when(n_past > 0).then(pl.lit(ON_LENS)).otherwise(pl.lit(FIXED)).alias("reason"),
        pl.col("video").n_unique().cast(pl.Int64).alias("n_videos"),
        n_past.alias("n_videos_past"),
    )
    version = pl.lit(places_version(scored), pl.String).alias("places_version")
    return rows.with_columns(version).select(*PLACE_REASONS).sort("place_id")


def reasons_version(reasons: pl.DataFrame) -> str | None:
    """Twelve hexadecimal digits that change with the places or the reason of one; None where there are none."""
    if reasons.is_empty():
        return None
    told = reasons.select("place_id", "reason", "places_version")
    return hashlib.sha256(told.write_csv().encode()).hexdigest()[:12]


def places_on_lens(reasons: pl.DataFrame, scored: pl.DataFrame) -> set[str]:
    """The places that are on the lens by the columns `PLACE_REASONS`; none where those are of other places than
    `scored`, whose numbers mean others."""
    of_these = pl.col("places_version") == pl.lit(places_version(scored), pl.String)
    return set(reasons.filter(of_these, reason=ON_LENS)["place_id"])


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
    return typed(both, NOT_FISH)


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
