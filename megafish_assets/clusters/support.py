"""How typical a crop is of its cluster: what its nearest neighbors say, not how far a centre is."""

import numpy as np
import polars as pl

from megafish_assets.clusters.recipes import first_rows
from megafish_assets.clusters.tables import grouped_rows
from megafish_assets.features.layout import neighbors_elsewhere

SUPPORTERS = 10
"""Nearest other tracklets that are asked: most kinds have more."""


def neighbor_support(positions: np.ndarray, cluster_ids: np.ndarray) -> np.ndarray:
    """float64 `(n,)`, 0 to 1: the share of each unit's nearest others `(n, d)` that are in its cluster; nan for noise.

    By cosine, at most `SUPPORTERS` of them; nan for a unit by itself.
    """
    n_others = min(SUPPORTERS, len(positions) - 1)
    support = np.full(len(positions), np.nan)
    if n_others < 1:
        return support
    places = neighbors_elsewhere(positions, np.arange(len(positions)), n_others + 1)[0]
    clear = cluster_ids >= 0
    support[clear] = (cluster_ids[places[clear, 1:]] == cluster_ids[clear, None]).mean(axis=1)
    return support


def supported(clusters: pl.DataFrame) -> pl.DataFrame:
    """The rows of the columns `CLUSTERS`, sorted by id, with the `support` of each; null for noise.

    Raises ValueError for clusters of several recipes.
    """
    found, _ = grouped_rows(clusters)
    centred = found.positions - found.positions.mean(axis=0)
    support = neighbor_support(centred, found.cluster_ids[first_rows(found.units)])[found.units]
    return clusters.sort("detection_id").with_columns(pl.Series("support", support).fill_nan(None))
