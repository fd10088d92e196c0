"""Which fit of the clusters is meant: its units, the version that names it, and the kind of each of its clusters.

Here, and not beside the clusters, since the pair plot of an earlier stage is drawn in the colours of kinds too.
"""

import hashlib

import polars as pl


def cluster_units(clusters: pl.DataFrame) -> pl.DataFrame:
    """`video`, `tracklet_id`, `unit_id` and `cluster`, a row a tracklet, or a detection without one, sorted by unit.

    `clusters` holds the columns `CLUSTERS`. A tracklet whose crops lie in several clusters, as where each crop is
    grouped by itself, is in that of most of them; of equal ones in the larger cluster, and in noise last.
    """
    votes = clusters.with_columns(pl.coalesce("tracklet_id", "detection_id").alias("unit_id"))
    votes = votes.group_by("video", "tracklet_id", "unit_id", "cluster").len("n_crops")
    order = votes.sort("unit_id", -pl.col("n_crops").cast(pl.Int64), pl.col("cluster") < 0, "cluster")
    return order.unique("unit_id", keep="first", maintain_order=True).drop("n_crops")


def fit_version(units: pl.DataFrame) -> str:
    """Twelve hexadecimal digits that change with the cluster of any unit, and with nothing else."""
    rows = units.sort("unit_id").select(pl.format("{}\t{}\n", "unit_id", "cluster"))
    return hashlib.sha256("".join(rows.to_series()).encode()).hexdigest()[:12]


def latest_fit(kinds: pl.DataFrame) -> pl.DataFrame:
    """The rows of the last fit in a table with the columns `KINDS`."""
    return kinds.filter("is_latest")


def kinds_by_cluster(kinds: pl.DataFrame, clusters: pl.DataFrame) -> dict[int, int]:
    """The kind of each cluster, from tables with the columns `KINDS` and `CLUSTERS`; noise has none.

    Raises ValueError where the last fit in `kinds` is not the one that `clusters` shows.
    """
    shown, known = fit_version(cluster_units(clusters)), latest_fit(kinds)["fit_version"].unique().to_list()
    if known != [shown]:
        raise ValueError(f"kinds of fit {', '.join(known) or 'none'} and clusters of fit {shown}: materialise kinds")
    of_clusters = latest_fit(kinds).drop_nulls("kind_id").select("cluster", "kind_id").unique()
    return dict(of_clusters.sort("cluster").iter_rows())
