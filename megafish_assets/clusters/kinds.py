"""Which cluster of this fit is which kind of the fits before: the number that a kind keeps.

Here: what two fits share, and the optimal assignment over it. Not here: what is said of it (`kind_events.py`), and
which fits stay stored (`kind_fits.py`).
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

LEAST_JACCARD = 0.2
"""From here on a cluster is the kind of before. Over ten steps by four videos of the demo, in five orders,
0.842, 0.841, 0.837 and 0.825 of the tracklets keep their kind at 0.05, 0.2, 1/3 and 0.5, and 0.842 are the most that
can; lower, a kind that fell into more than five equal parts would live on in one of them by chance."""

OLDER_FIRST = 1e-7
"""Of equal assignments, the one that keeps the older kind, then the larger cluster: each step down the list of kinds
or of clusters costs this share of a pair's Jaccard, which decides nothing between unequal ones of any size."""

PAIRS = {
    "from_fit_version": pl.String,
    "kind_id": pl.Int64,
    "cluster": pl.Int64,
    "n_shared": pl.Int64,
    "n_before": pl.Int64,
    "n_after": pl.Int64,
    "jaccard": pl.Float64,
}


def pairs(before: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """The columns `PAIRS`: every kind of a fit and cluster of a later one that share a unit; noise is neither.

    `before` holds the columns `KINDS` of one fit, `now` `unit_id` and `cluster`. All is counted over the units that
    both fits have, so that new videos tear nothing apart: `n_before` in the kind, `n_after` in the cluster, `n_shared`
    in both, and `jaccard`, 0 to 1.
    """
    both = before.select("fit_version", "unit_id", "kind_id").join(now.select("unit_id", "cluster"), on="unit_id")
    both = both.with_columns(
        pl.len().over("kind_id").cast(pl.Int64).alias("n_before"),
        pl.len().over("cluster").cast(pl.Int64).alias("n_after"),
    )
    clear = both.filter(pl.col("kind_id").is_not_null() & (pl.col("cluster") >= 0))
    counted = clear.group_by(pl.col("fit_version").alias("from_fit_version"), "kind_id", "cluster").agg(
        pl.len().cast(pl.Int64).alias("n_shared"), pl.col("n_before", "n_after").first()
    )
    n_shared = pl.col("n_shared")
    jaccard = n_shared / (pl.col("n_before") + pl.col("n_after") - n_shared)
    return counted.with_columns(jaccard.alias("jaccard")).select(list(PAIRS)).sort("kind_id", "cluster")


def departed_pairs(now: pl.DataFrame, fits: pl.DataFrame) -> pl.DataFrame:
    """`pairs` with the kinds that the last fit did not have, each as the last fit that had it knew it."""
    seen: set[int] = set(fits.filter("is_latest")["kind_id"].drop_nulls())
    found = [pl.DataFrame(schema=PAIRS)]
    earlier = fits.filter(~pl.col("is_latest")).sort("fitted_at", "fit_version", descending=True)
    for rows in earlier.partition_by("fit_version", maintain_order=True):
        of_fit = set(rows["kind_id"].drop_nulls()) - seen
        if of_fit:
            found.append(pairs(rows, now).filter(pl.col("kind_id").is_in(list(of_fit))))
            seen |= of_fit
    return pl.concat(found).sort("kind_id", "cluster")


def matched(known: pl.DataFrame) -> dict[int, int]:
    """The kind of each cluster, where the columns `PAIRS` hold one: the pairs whose Jaccards sum to the most.

    Only pairs of `LEAST_JACCARD` and more count. Source: Kuhn 1955, doi:10.1002/nav.3800020109, as SciPy has it.
    """
    from scipy.optimize import linear_sum_assignment

    allowed = known.filter(pl.col("jaccard") >= LEAST_JACCARD)
    kind_ids, rows = np.unique(allowed["kind_id"].to_numpy(), return_inverse=True)
    clusters, columns = np.unique(allowed["cluster"].to_numpy(), return_inverse=True)
    worth = np.zeros((len(kind_ids), len(clusters)))
    worth[rows, columns] = allowed["jaccard"].to_numpy() * (1 - OLDER_FIRST) ** (rows + columns)
    chosen = zip(*linear_sum_assignment(worth, maximize=True), strict=True)
    return {int(clusters[column]): int(kind_ids[row]) for row, column in chosen if worth[row, column] > 0}


def kind_ids_of(now: pl.DataFrame, version: str, fits: pl.DataFrame, highest: int) -> dict[int, int]:
    """The kind of each cluster of a fit (`unit_id`, `cluster`), by cluster; noise has none.

    `fits` holds the columns `KINDS` of all kept fits, `highest` is the highest number that was ever given. A fit that
    is kept already says the same again. Else clusters are matched with the kinds of the last fit; those that are left
    with the kinds that have gone since; and what is left then is born, the largest first.
    """
    clusters = now.filter(pl.col("cluster") >= 0)["cluster"].unique().sort().to_list()
    found = _stored(fits.filter(pl.col("fit_version") == version))
    for known in (pairs(fits.filter("is_latest"), now), departed_pairs(now, fits)):
        found |= matched(_open(known, found))
    born = [cluster for cluster in clusters if cluster not in found]
    found |= {cluster: highest + 1 + place for place, cluster in enumerate(born)}
    return {cluster: found[cluster] for cluster in clusters}


def _stored(rows: pl.DataFrame) -> dict[int, int]:
    return dict(rows.drop_nulls("kind_id").select("cluster", "kind_id").unique().iter_rows())


def _open(known: pl.DataFrame, found: Mapping[int, int]) -> pl.DataFrame:
    """Pairs of which neither side is taken."""
    taken = pl.col("kind_id").is_in(list(found.values())) | pl.col("cluster").is_in(list(found))
    return known.filter(~taken)
