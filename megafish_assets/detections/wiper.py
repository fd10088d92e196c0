"""When a wiper crosses the lens: a box as large as nothing else has, while the scene behind can't be followed."""

import numpy as np
import polars as pl

from megafish_assets.detections.recurrences import seconds_of

WIPER_AREA_SHARE = 0.06
"""Of the frame, from which on a box may be a wiper's: on the reef 55 of its 58 boxes and nothing else. A near fish may
be as large, so the scene has to be hidden too."""

BESIDE_AREA_SHARE = 0.02
"""The same for a box beside one as large, while the blade comes and goes: 31 px more of a 1080p frame's 1/7."""

HIDDEN_SHARE = 0.5
"""Of the points by which the video's scene is followed on the median; fewer, and something covers it. The reef's wiper
leaves a sixth to a third of them."""

APART_SECONDS = 0.5
"""Longest time without a box within one wipe."""

BESIDE_SECONDS = 0.2
"""Before and after the large boxes, for the ends of the blade's way."""

LOOK_FRAMES = 5
"""From one look at the scene to the next: a look so long after a wipe saw it still."""


def wipes(rows: pl.DataFrame, motion: pl.DataFrame) -> pl.DataFrame:
    """The wipes of one video: `start_seconds`, `end_seconds`, `first_frame` and `last_frame`, in order.

    `rows` holds valid rows of `raw_detections`, `motion` rows of `camera_motion`. Without looks at the scene none.
    """
    large = rows.filter(_area() >= WIPER_AREA_SHARE).select("frame_id", seconds_of().alias("seconds")).unique()
    large = large.sort("frame_id").with_columns(
        (pl.col("seconds").diff() > APART_SECONDS).fill_null(False).cum_sum().alias("wipe")
    )
    found = large.group_by("wipe", maintain_order=True).agg(
        pl.col("seconds").min().alias("start_seconds"),
        pl.col("seconds").max().alias("end_seconds"),
        pl.col("frame_id").min().alias("first_frame"),
        pl.col("frame_id").max().alias("last_frame"),
    )
    usual = motion["n_pan_points"].median()
    if usual is None:
        return found.drop("wipe").clear()
    hidden = motion.filter(pl.col("n_pan_points") < HIDDEN_SHARE * usual)["frame_id"].to_numpy()
    is_wipe = [
        bool(np.any((hidden >= first) & (hidden <= last + LOOK_FRAMES)))
        for first, last in found.select("first_frame", "last_frame").iter_rows()
    ]
    return found.drop("wipe").filter(pl.Series(is_wipe, dtype=pl.Boolean))


def is_wiper(rows: pl.DataFrame, wiped: pl.DataFrame) -> np.ndarray:
    """bool `(n,)`, whether each of a video's rows is a box of the wiper, given its `wipes`."""
    seconds, area = (
        rows.select(seconds_of())["seconds_in_video"].to_numpy(),
        rows.select(_area()).to_series().to_numpy(),
    )
    found = np.zeros(rows.height, dtype=bool)
    for start, end in wiped.select("start_seconds", "end_seconds").iter_rows():
        within = (seconds >= start - BESIDE_SECONDS) & (seconds <= end + BESIDE_SECONDS)
        found |= within & (area >= BESIDE_AREA_SHARE)
    return found


def wiped_seconds(wiped: pl.DataFrame) -> float:
    """How long the wiper was before the lens, from its first large box to its last, in all."""
    return float((wiped["end_seconds"] - wiped["start_seconds"]).sum())


def _area() -> pl.Expr:
    return pl.col("width_1024") * pl.col("height_1024") / 1024**2
