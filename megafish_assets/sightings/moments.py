"""Where to look: the densest groups, the first of each kind, and bursts, of all videos.

What is listed is worth a look and no more: a burst may be a bite, a flight, or a box that leaps.
"""

from urllib.parse import quote, unquote

import polars as pl

from megafish_assets.footage.columns import empty_table, typed
from megafish_assets.footage.ids import in_natural_order
from megafish_assets.sightings.columns import MOMENTS
from megafish_assets.sightings.movements import speed
from megafish_assets.sightings.naming import UNNAMED
from megafish_assets.sightings.schools import OF_ANY

DENSE_GROUP, FIRST_OF_KIND, BURST = "dense_group", "first_of_kind", "burst"
REASONS = (DENSE_GROUP, FIRST_OF_KIND, BURST)
"""In the order in which they take turns."""

N_A_REASON = 20
"""Moments of each reason: as many as a person looks at."""

BURST_SPEED, BURST_RATIO = 1.5, 2.0
"""Body lengths a second, and times its tracklet's median speed, that a burst has at least. Of those found on the reef
four in five are as fast in truth: docs/read-out.md."""

FEWEST_STRETCHES = 5
"""Of a tracklet whose usual speed is known."""

FEWEST_LOOKS = 3
"""In a stretch whose speed is believed: through two places there is always a line."""

EARLIER_SECONDS = 1.0
"""A video is opened so long before, that one sees it come."""

AT = ("video", "seconds", "frame_id", "tracklet_id", "kind", "number")


def moments(
    sightings: pl.DataFrame, movements: pl.DataFrame, schools: pl.DataFrame, n_a_reason: int = N_A_REASON
) -> pl.DataFrame:
    """The columns `MOMENTS` but for `open` and `film`, ranked: the first of each reason, then the second of each.

    `sightings` holds `video`, `tracklet_id`, `kind`, `first_frame`, `first_second` and `recorded_at` of those that
    count; `movements` and `schools` are the tables.
    """
    kinds = sightings.select("tracklet_id", "kind")
    found = {
        DENSE_GROUP: dense_groups(schools),
        FIRST_OF_KIND: first_of_kinds(sightings),
        BURST: bursts(movements).join(kinds, on="tracklet_id", maintain_order="left"),
    }
    parts = [
        table.select(AT).head(n_a_reason).with_columns(pl.lit(reason).alias("reason"), place=pl.int_range(pl.len()))
        for reason, table in found.items()
        if table.height
    ]
    if not parts:
        return empty_table(MOMENTS).drop("open", "film")
    turn = pl.col("reason").replace_strict(dict(zip(REASONS, range(len(REASONS)), strict=True)))
    ranked = pl.concat(parts, how="vertical_relaxed").sort("place", turn).with_row_index("rank", offset=1)
    columns = {name: column for name, column in MOMENTS.items() if name not in ("open", "film")}
    return typed(ranked, columns)


def dense_groups(schools: pl.DataFrame) -> pl.DataFrame:
    """The largest group of each video, of any kinds, the largest first; by `kind` only where all are of one."""
    of_kind = schools.filter(pl.col("of") != OF_ANY).select("video", "seconds", "members", pl.col("kind").alias("one"))
    groups = schools.filter(of=OF_ANY).join(of_kind, on=["video", "seconds", "members"], how="left")
    return (
        groups.sort("n_members", "video", "seconds", descending=[True, False, False])
        .unique("video", keep="first", maintain_order=True)
        .select(
            "video",
            "seconds",
            "frame_id",
            pl.col("members").list.first().alias("tracklet_id"),
            pl.col("one").alias("kind"),
            pl.col("n_members").cast(pl.Float64).alias("number"),
        )
    )


def first_of_kinds(sightings: pl.DataFrame) -> pl.DataFrame:
    """The first sighting of each kind, the rarest kind first; where not all have a time, in the order of the videos."""
    order = [in_natural_order(sightings["video"]), "first_second", "tracklet_id"]
    if sightings["recorded_at"].null_count() == 0:
        order = ["recorded_at", *order]
    first = sightings.filter(pl.col("kind") != UNNAMED).sort(order).group_by("kind", maintain_order=True)
    return (
        first.agg(
            pl.col("video", "tracklet_id").first(),
            pl.col("first_second").first().alias("seconds"),
            pl.col("first_frame").first().alias("frame_id"),
            pl.len().cast(pl.Float64).alias("number"),
        )
        .sort("number", "kind")
        .select(AT)
    )


def bursts(movements: pl.DataFrame) -> pl.DataFrame:
    """The fastest burst of each tracklet, the fastest first, without its kind."""
    known = movements.with_columns(speed()).drop_nulls("speed")
    usual = pl.col("speed").median().over("tracklet_id")
    is_burst = (
        (pl.col("speed") >= BURST_SPEED)
        & (pl.col("speed") >= BURST_RATIO * usual)
        & (pl.len().over("tracklet_id") >= FEWEST_STRETCHES)
        & (pl.col("n_looks") >= FEWEST_LOOKS)
        & pl.col("is_steady")
    )
    found = known.filter(is_burst).sort("speed", "tracklet_id", "moment", descending=[True, False, False])
    found = found.unique("tracklet_id", keep="first", maintain_order=True)
    return found.select("video", "seconds", "frame_id", "tracklet_id", pl.col("speed").alias("number"))


def opened(found: pl.DataFrame, file_of: dict[str, str], film_of: dict[str, str]) -> pl.DataFrame:
    """The columns `MOMENTS`: with where each video lies, and its film, by video, below the collection's folder; both as
    addresses, see `place_and_second`."""
    start = (pl.col("seconds") - EARLIER_SECONDS).clip(0).round(1).cast(pl.String)
    ways = [
        pl.format(
            "{}#t={}",
            pl.col("video").replace_strict(
                {video: quote(file) for video, file in of.items()}, default=None, return_dtype=pl.String
            ),
            start,
        ).alias(name)
        for name, of in (("open", file_of), ("film", film_of))
    ]
    return typed(found.with_columns(ways), MOMENTS)


def place_and_second(address: str) -> tuple[str, str]:
    """The file and the second that an address of `opened` is made of."""
    file, _, second = address.rpartition("#t=")
    return unquote(file), second
