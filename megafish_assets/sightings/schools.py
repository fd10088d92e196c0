"""Groups of fish: who is near whom at a moment, how large each group is, and how alike its members head.

Numbers, and no verdict: a polarization is off by 0.06 to 0.08 on the mean (docs/read-out.md), and heads at random have
one of 0.5 in a group of three. Depth is not seen: distances are at least these.
"""

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from megafish_assets.footage.columns import empty_table, typed
from megafish_assets.sightings.columns import SCHOOLS
from megafish_assets.sightings.movements import speed, swims

CHAIN_BODY_LENGTHS = 4.0
"""From a member to its nearest one at most, in the mean body length of the two. A choice: with it the reef's groups of
three and more are found, and nine in ten of those found are true. Measured: docs/read-out.md."""

LONGEST_CHAIN = 20.0
"""Body lengths, that anybody may ask for: pairs are kept up to here."""

FEWEST_MEMBERS = 3
"""Of a group: two may be a pair, or one animal in two boxes."""

FEWEST_MOVING, MOVING_SHARE = 3, 0.8
"""Members that swim, and their share of the group, from which on their polarization is told: that of two says hardly
anything, and where a part has no heading, those that are left have too often a wrong one. On four reefs the share takes
the error from 0.056 to 0.039, and the polarization of a quarter of the groups: docs/read-out.md."""

OF_KIND, OF_ANY = "kind", "any"

AT = ["video", "moment"]


def schools(
    movements: pl.DataFrame,
    kinds: pl.DataFrame,
    chain_body_lengths: float = CHAIN_BODY_LENGTHS,
    fewest_members: int = FEWEST_MEMBERS,
) -> pl.DataFrame:
    """The columns `SCHOOLS`, a row a group and moment, sorted: of each kind, and of any.

    `movements` holds the columns `MOVEMENTS`, of which whole moments are read, `kinds` the `kind` of each
    `tracklet_id`.
    """
    seen = movements.filter("is_whole_moment").join(kinds, on="tracklet_id").sort("tracklet_id")
    tables = [empty_table(SCHOOLS)]
    for of, together in ((OF_KIND, [*AT, "kind"]), (OF_ANY, AT)):
        if seen.height:
            tables.append(_groups(grouped(seen, together, chain_body_lengths), of, together, fewest_members))
    return pl.concat(tables).sort("video", "seconds", "of", "kind", "group")


def grouped(seen: pl.DataFrame, together: list[str], chain_body_lengths: float = CHAIN_BODY_LENGTHS) -> pl.DataFrame:
    """These rows, those together in order, with the number of each one's `chain` and the distance to its nearest
    `neighbor`, body lengths; null where it is alone."""
    rows = seen.with_columns(pl.struct(together).rank("dense").alias("place")).sort("place", maintain_order=True)
    pairs, distances = _near(rows["place"].to_numpy(), _places(rows), rows["length_square"].to_numpy())
    nearest = np.full(rows.height, np.inf)
    for end in pairs.T:
        np.minimum.at(nearest, end, distances)
    linked = pairs[distances <= chain_body_lengths]
    graph = coo_array((np.ones(len(linked)), (linked[:, 0], linked[:, 1])), shape=(rows.height, rows.height))
    _, chain = connected_components(graph, directed=False)
    neighbor = pl.Series("neighbor", nearest, nan_to_null=True).replace(np.inf, None)
    return rows.with_columns(pl.Series("chain", chain), neighbor)


def _places(rows: pl.DataFrame) -> np.ndarray:
    return rows.select("x_square", "y_1024").to_numpy()


def _near(places: np.ndarray, middles: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs int `(n, 2)` of rows that may be of one group, or each other's nearest, and their distances `(n,)` in mean
    body lengths; `places`, sorted, say which rows are at one moment and of one kind."""
    found, measured, nearest = [np.empty((0, 2), dtype=np.int64)], [np.empty(0)], np.full(len(places), np.inf)
    apart = 1
    # Rows at distance 1 in the order, then 2, ... until no moment has so many: of a dense school only what is near is
    # kept, and not every pair.
    while (one := np.flatnonzero(places[apart:] == places[:-apart])).size:
        other = one + apart
        distance = np.hypot(*(middles[one] - middles[other]).T) / ((lengths[one] + lengths[other]) / 2)
        kept = (distance < nearest[one]) | (distance < nearest[other]) | (distance <= LONGEST_CHAIN)
        for end in (one, other):
            np.minimum.at(nearest, end, distance)
        found.append(np.column_stack([one, other])[kept])
        measured.append(distance[kept])
        apart += 1
    return np.concatenate(found), np.concatenate(measured)


def _groups(rows: pl.DataFrame, of: str, together: list[str], fewest_members: int) -> pl.DataFrame:
    moves = swims()
    head_x, head_y = (pl.col(way).filter(moves).truediv(speed().filter(moves)).mean() for way in ("speed_x", "speed_y"))
    told = (moves.sum() >= FEWEST_MOVING) & (moves.mean() >= MOVING_SHARE)
    in_view = rows.with_columns(pl.len().over(together).alias("n_in_view"))
    groups = in_view.group_by(*together, "chain").agg(
        pl.col("seconds", "n_in_view").first(),
        pl.col("frame_id").mode().sort().first(),
        pl.len().cast(pl.Int64).alias("n_members"),
        pl.col("neighbor").median().alias("neighbor_body_lengths"),
        moves.sum().alias("n_moving"),
        # Of two vectors of one length the sum may be longer than both together, by a rounding.
        pl.when(told).then((head_x**2 + head_y**2).sqrt().clip(0, 1)).alias("polarization"),
        pl.when(told).then(pl.arctan2(-head_y, head_x).degrees()).alias("heading_degrees"),
        speed().mean().alias("speed_body_lengths"),
        pl.col("tracklet_id").sort().alias("members"),
        pl.col("x_1024", "y_1024").min(),
        (pl.col("x_1024").max() - pl.col("x_1024").min()).alias("width_1024"),
        (pl.col("y_1024").max() - pl.col("y_1024").min()).alias("height_1024"),
    )
    kept = groups.filter(pl.col("n_members") >= fewest_members)
    kept = kept.sort(*together, -pl.col("n_members"), pl.col("members").list.first())
    number = pl.int_range(1, pl.len() + 1).over(together).alias("group")
    own = {"of": pl.lit(of), "kind": pl.col("kind") if "kind" in together else pl.lit(None, pl.String)}
    numbered = kept.with_columns(number, **own)
    return typed(numbered, SCHOOLS)
