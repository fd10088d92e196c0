"""What the check of `clusters` measures."""

import numpy as np

from megafish_assets.clusters.consensus import MOST_TRACKLETS
from megafish_assets.clusters.grouping import cluster_sizes, noise_share
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
