"""What each kind does as far as boxes tell: how fast and whither it swims, in what company, and how long it stays.

Not here: feeding. No rate of it can be had from boxes; `moments` lists what is worth a look.
"""

import numpy as np
import polars as pl

from megafish_assets.footage.columns import empty_table
from megafish_assets.sightings.columns import BEHAVIOR
from megafish_assets.sightings.intervals import BLOCK_SECONDS, Intervals, mean_intervals
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

SIGHTED = ("tracklet_id", "video", "kind", "first_second", "last_second", "recorded_at", "begins", "ends")
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
    company, (swum, interval) = _company(moved, schools), _swum(moved, _begun(sightings), seed)
    return (
        {"of": of, "kind": kind, "n_tracklets": n, "n_clips": sightings["video"].n_unique()}
        | {name: (sightings[column] == how).sum() / n for name, (column, how) in ways.items()}
        | swum
        | company
        | {
            "n_arrivals": found.n_arrivals,
            "n_stays": found.n_stays,
            "note": _note(found, interval if swum["right_share_low"] is None else None),
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


def _note(found: Stays, no_interval: str | None) -> str | None:
    told = []
    if found.n_arrivals < FEWEST_ARRIVALS:
        told.append(f"{NO_STAY}: fewer than {FEWEST_ARRIVALS} arrivals ({found.n_arrivals})")
    elif found.median is None:
        of = f"{found.n_stays} of {found.n_arrivals} arrivals were seen to leave, within {found.longest:.1f} s"
        told.append(f"{NO_MEDIAN}: {of}")
    if no_interval is not None:
        told.append(f"no interval of the right share: {no_interval}")
    return "; ".join(told) or None


def _begun(sightings: pl.DataFrame) -> pl.DataFrame:
    """`video` and when it `begun`, null where the time of day is not known."""
    since = pl.duration(microseconds=(pl.col("first_second") * 1e6).round())
    return sightings.group_by("video").agg((pl.col("recorded_at") - since).min().alias("begun"))


def _swum(moved: pl.DataFrame, begun: pl.DataFrame, seed: int) -> tuple[dict, str]:
    """How they swim, and how the interval of the right share was made or why there is none."""
    known = moved.select("video", "speed_x", "speed_y", speed(), swims().alias("swims")).drop_nulls("speed")
    moving = known.filter("swims")
    across = pl.col("speed_x").abs() >= pl.col("speed_y").abs()
    by_clip = moving.group_by("video", maintain_order=True).agg(
        pl.len().alias("n"),
        (across & (pl.col("speed_x") > 0)).sum().alias("right"),
        (across & (pl.col("speed_x") < 0)).sum().alias("left"),
    )
    by_clip = by_clip.join(begun, on="video", how="left").sort("video")
    made = _share_interval(by_clip, seed)
    low, high = (None if end is None else float(end[0]) for end in (made.low, made.high))
    n = moving.height
    told = {
        "n_speeds": known.height,
        "speed_median": known["speed"].median(),
        "speed_p90": known["speed"].quantile(0.9, "linear"),
        "n_moving": n,
        "right_share": by_clip["right"].sum() / n if n else None,
        "left_share": by_clip["left"].sum() / n if n else None,
        "right_share_low": low,
        "right_share_high": high,
    }
    return told, made.told.removeprefix("refused: ")


def _share_interval(by_clip: pl.DataFrame, seed: int) -> Intervals:
    """Of `right` in `n`, as that of a mean count is made and refused: those that swim together in one clip, and in
    those about it, head alike. A clip is its own block where not all have a time."""
    is_timed = by_clip["begun"].null_count() == 0
    seconds = by_clip["begun"].dt.epoch("us").to_numpy() / 1e6 if is_timed else np.arange(by_clip.height)
    blocks = np.floor(seconds / BLOCK_SECONDS).astype(np.int64) if is_timed else seconds
    right, n = (by_clip[name].to_numpy().astype(float) for name in ("right", "n"))
    return mean_intervals(right[:, None], n, blocks, seed, BLOCK_SECONDS if is_timed else None)


def _company(moved: pl.DataFrame, schools: pl.DataFrame) -> dict:
    n_moments = int(moved["is_whole_moment"].sum())
    return {
        "n_moments": n_moments,
        "grouped_share": schools["n_members"].sum() / n_moments if n_moments else None,
        "group_size_median": schools["n_members"].median(),
        "group_size_largest": schools["n_members"].max(),
    }
