"""What the checks of `clusters` and `kinds` measure."""

import numpy as np
import polars as pl

from megafish_assets.clusters.consensus import MOST_TRACKLETS
from megafish_assets.clusters.grouping import cluster_sizes, noise_share
from megafish_assets.clusters.kind_events import EVENTS
from megafish_assets.clusters.kind_fits import KindFits
from megafish_assets.clusters.recipes import Grouped, Recipe
from megafish_assets.features.layout import known
from megafish_assets.features.pooling import UNTRACKED, tracklet_codes


def cluster_numbers(found: Grouped, recipe: Recipe, tracklets: np.ndarray) -> dict[str, float | int | str | None]:
    """Clusters, those that are short of the k asked for, their sizes in crops, noise, and rows of no tracklet."""
    n_clusters = int(found.cluster_ids.max(initial=-1)) + 1
    sizes = cluster_sizes(found.cluster_ids, n_clusters)
    return {
        "n_clusters": n_clusters,
        "n_clusters_short": 0 if recipe.k is None else recipe.k - n_clusters,
        "cluster_sizes": ", ".join(map(str, sizes)),
        "n_empty_clusters": sizes.count(0),
        "largest_cluster_share": max(sizes, default=0) / max(1, len(found.cluster_ids)),
        "noise_share": known(noise_share(found.cluster_ids)),
        "n_units": len(found.positions),
        "n_units_drawn": min(len(found.positions), MOST_TRACKLETS) if recipe.grouping == "consensus" else None,
        "n_untracked": int((tracklet_codes(tracklets) == UNTRACKED).sum()),
        "n_without_layout": len(found.positions) if found.space != recipe.space else 0,
    }


def kind_numbers(fits: KindFits, clusters: pl.DataFrame) -> dict[str, float | int | str | None]:
    """The last fit beside the one before: what happened, and how many tracklets keep their kind; None for a first fit.

    `clusters` holds the columns `CLUSTERS` of the last fit.
    """
    events, latest = fits.last_events["event"], fits.latest
    n_clusters = clusters.filter(pl.col("cluster") >= 0)["cluster"].n_unique()
    apart = clusters.drop_nulls("tracklet_id").group_by("tracklet_id").agg(pl.col("cluster").n_unique())
    return {
        "fit_version": latest["fit_version"].first(),
        "n_fits": fits.kinds["fit_version"].n_unique(),
        "n_kinds": latest["kind_id"].drop_nulls().n_unique(),
        "n_clusters_without_kind": n_clusters - latest.drop_nulls("kind_id")["cluster"].n_unique(),
        "n_divided_tracklets": apart.filter(pl.col("cluster") > 1).height,
        **{f"n_{event}": int((events == event).sum()) for event in EVENTS},
        **kept_shares(fits.before, latest),
    }


def kept_shares(before: pl.DataFrame, now: pl.DataFrame) -> dict[str, float | None]:
    """Of one fit's units, the share that a later one has too; and of those with a kind, the share that keeps it.

    Both hold the columns `KINDS`; None for a share of none. A unit that became noise has not kept its kind.
    """
    both = before.join(now.select("unit_id", pl.col("kind_id").alias("kind_now")), on="unit_id")
    kept = both.drop_nulls("kind_id").select((pl.col("kind_id") == pl.col("kind_now")).fill_null(False))
    return {
        "shared_units_share": both.height / before.height if before.height else None,
        "kept_kind_share": kept.to_series().mean(),
    }
