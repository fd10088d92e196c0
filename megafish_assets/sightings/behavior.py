"""What each kind does as far as boxes tell: how fast and whither it swims, in what company, and how long it stays.

Not here: feeding. No rate of it can be had from boxes; `moments` lists what is worth a look.
"""

import numpy as np
import polars as pl

from megafish_assets.footage.columns import empty_table
from megafish_assets.sightings.columns import BEHAVIOR
from megafish_assets.sightings.intervals import FEWEST_CLIPS, bootstrapped
from megafish_assets.sightings.movements import speed, swims
from megafish_assets.sightings.schools import OF_ANY, OF_KIND
from megafish_assets.sightings.stays import Stays, mean_stay, stays_of
from megafish_assets.sightings.tracklet_rows import CUT, EDGE, INSIDE

FEWEST_ARRIVALS = 10
"""Under which no stay is told: of two arrivals either is the median."""

FEWEST_LEAVINGS = 5
"""Under which no mean is: of n leavings its error is a share 1 / sqrt(n), and half of it already at four."""

STAY_NOTES = NO_STAY, NO_MEDIAN = "no stay", "no median stay"
"""How those parts of a `note` begin that say why a stay is not told."""

SIGHTED = ("tracklet_id", "video", "kind", "first_second", "last_second", "begins", "ends")
"""Columns of sightings that are read, with the kind of each."""

SWUM = ("tracklet_id", "video", "is_whole_moment", "speed_x", "speed_y", "scene_speed")
"""Columns of movements that are read."""


def behavior(sightings: pl.DataFrame, movements: pl.DataFrame, schools: pl.DataFrame, seed: int = 0) -> pl.DataFrame:
    """The columns `BEHAVIOR`, a row a kind that was seen, in order, and last one of any.

    `sightings` holds the columns `SIGHTED` of those that count; `movements` and `schools` are the tables.
    """
    moved = movements.select(SWUM).join(sightings.select("tracklet_id", "kind"), on="tracklet_id")
    kinds = sorted(set(sightings["kind"]))
    rows = [
        _row(
            OF_KIND, kind, *(table.filter(kind=kind) for table in (sightings, moved, schools.filter(of=OF_KIND))), seed
        )
        for kind in kinds
    ]
    if kinds:
        rows.append(_row(OF_ANY, None, sightings, moved, schools.filter(of=OF_ANY), seed))
    schema = {name: column.dtype for name, column in BEHAVIOR.items()}
    return pl.DataFrame(rows, schema) if rows else empty_table(BEHAVIOR)


def _row(
    of: str, kind: str | None, sightings: pl.DataFrame, moved: pl.DataFrame, schools: pl.DataFrame, seed: int
) -> dict:
    found, n = stays_of(sightings), sightings.height
    ways = {
        f"begins_{CUT}_share": ("begins", CUT),
        f"ends_{CUT}_share": ("ends", CUT),
        "ends_lost_share": ("ends", INSIDE),
    }
    company, swum = _company(moved, schools), _swum(moved, seed)
    return (
        {"of": of, "kind": kind, "n_tracklets": n, "n_clips": sightings["video"].n_unique()}
        | {name: (sightings[column] == how).sum() / n for name, (column, how) in ways.items()}
        | swum
        | company
        | {
            "n_arrivals": found.n_arrivals,
            "n_stays": found.n_stays,
            "note": _note(found, swum),
        }
        | _stayed(found, sightings)
    )


def _stayed(found: Stays, sightings: pl.DataFrame) -> dict:
    enough = found.n_arrivals >= FEWEST_ARRIVALS
    n_left = (sightings["ends"] == EDGE).sum()
    return {
        "stay_quarter_seconds": found.quarter if enough else None,
        "stay_median_seconds": found.median if enough else None,
        "stay_median_low": found.low if enough else None,
        "stay_median_high": found.high if enough else None,
        "stay_mean_seconds": mean_stay(sightings) if n_left >= FEWEST_LEAVINGS else None,
    }


def _note(found: Stays, swum: dict) -> str | None:
    told = []
    if found.n_arrivals < FEWEST_ARRIVALS:
        told.append(f"{NO_STAY}: fewer than {FEWEST_ARRIVALS} arrivals ({found.n_arrivals})")
    elif found.median is None:
        of = f"{found.n_stays} of {found.n_arrivals} arrivals were seen to leave, within {found.longest:.1f} s"
        told.append(f"{NO_MEDIAN}: {of}")
    if swum["right_share_low"] is None:
        told.append(f"no interval of the right share: fewer than {FEWEST_CLIPS} clips with any that move")
    return "; ".join(told) or None


def _swum(moved: pl.DataFrame, seed: int) -> dict:
    known = moved.select("video", "speed_x", "speed_y", speed(), swims().alias("swims")).drop_nulls("speed")
    moving = known.filter("swims")
    across = pl.col("speed_x").abs() >= pl.col("speed_y").abs()
    by_clip = moving.group_by("video", maintain_order=True).agg(
        pl.len().alias("n"),
        (across & (pl.col("speed_x") > 0)).sum().alias("right"),
        (across & (pl.col("speed_x") < 0)).sum().alias("left"),
    )
    by_clip = by_clip.sort("video")
    low, high = _share_interval(by_clip["right"].to_numpy(), by_clip["n"].to_numpy(), seed)
    n = moving.height
    return {
        "n_speeds": known.height,
        "speed_median": known["speed"].median(),
        "speed_p90": known["speed"].quantile(0.9, "linear"),
        "n_moving": n,
        "right_share": by_clip["right"].sum() / n if n else None,
        "left_share": by_clip["left"].sum() / n if n else None,
        "right_share_low": low,
        "right_share_high": high,
    }


def _share_interval(right: np.ndarray, moving: np.ndarray, seed: int) -> tuple[float | None, float | None]:
    """By clips, for those that swim together in one head alike; refused as that of a mean count is."""
    if len(moving) < FEWEST_CLIPS:
        return None, None
    low, high = bootstrapped(right[:, None].astype(float), moving.astype(float), np.arange(len(moving)), seed)
    return float(low[0]), float(high[0])


def _company(moved: pl.DataFrame, schools: pl.DataFrame) -> dict:
    n_moments = int(moved["is_whole_moment"].sum())
    return {
        "n_moments": n_moments,
        "grouped_share": schools["n_members"].sum() / n_moments if n_moments else None,
        "group_size_median": schools["n_members"].median(),
        "group_size_largest": schools["n_members"].max(),
    }
