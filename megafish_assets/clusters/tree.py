"""The tree of the clusters: which of them lie next to each other, and how often resamples put them together."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from megafish_assets.clusters.columns import KIND_TREE
from megafish_assets.features.crop_rows import CropRows
from megafish_assets.features.pooling import tracklet_means, unit_codes
from megafish_assets.footage.columns import empty_table


def cluster_means(crops: CropRows) -> tuple[np.ndarray, np.ndarray]:
    """float64 `(k, d)` and int64 `(k,)`: the mean of the means of each cluster's units, and how many units they are.

    A unit is a tracklet, or a crop without one; one whose crops lie in several clusters counts in each of them.
    """
    clear = crops.of(crops.cluster_ids >= 0)
    if not len(clear):
        return np.empty((0, crops.features.shape[1])), np.empty(0, dtype=np.int64)
    parts = np.stack([clear.cluster_ids, unit_codes(clear.tracklets)], axis=1)
    places, of_parts = np.unique(parts, axis=0, return_inverse=True)
    clusters = places[:, 0]
    return tracklet_means(tracklet_means(clear.features, of_parts.ravel()), clusters), np.bincount(clusters)


def joints(means: np.ndarray) -> np.ndarray:
    """float64 `(k - 1, 4)`, as SciPy writes a linkage: average linkage of means `(k, d)` by cosine distance.

    Cosine, as the features are grouped: a cluster of unlike units has a short mean, which is near everything by
    distance. Of the 21 joints that can put clusters of one true kind of the demo together it makes 18, Euclid 17.
    Source: Sokal and Michener 1958.
    """
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    if len(means) < 2:
        return np.empty((0, 4))
    directions = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    apart = np.clip(1 - directions @ directions.T, 0, 2)
    np.fill_diagonal(apart, 0)
    return linkage(squareform(apart, checks=False), "average")


def mean_together(together: np.ndarray, n_units: np.ndarray, left: list[int], right: list[int]) -> float | None:
    """Share of pairs of units, one of a cluster on the left and one on the right, that resamples put together.

    `together` is `(k, k)` by cluster, nan where no resample drew both; None where that is so of all.
    """
    shares, weights = together[np.ix_(left, right)], np.outer(n_units[left], n_units[right])
    there = ~np.isnan(shares)
    return float((shares[there] * weights[there]).sum() / weights[there].sum()) if there.any() else None


def cluster_tree(crops: CropRows, together: np.ndarray, kinds: Mapping[int, int], version: str) -> pl.DataFrame:
    """The columns `KIND_TREE`, a row a joint, the lowest first; none for fewer than two clusters.

    `together` `(k, k)` is what `stability` found of each two clusters, `kinds` the kind of each cluster.
    Raises ValueError where they are of other numbers of clusters.
    """
    means, n_units = cluster_means(crops)
    if together.shape != (len(means), len(means)):
        raise ValueError(f"{len(means)} clusters, and stability of {len(together)}: materialise stability first")
    below, rows = {cluster: [cluster] for cluster in range(len(means))}, []
    for place, (one, other, height, _) in enumerate(joints(means)):
        sides = sorted((int(one), int(other)), key=lambda side: (-int(n_units[below[side]].sum()), side))
        joint, (left, right) = len(means) + place, (below[side] for side in sides)
        below[joint] = left + right
        numbers = float(height), int(n_units[below[joint]].sum()), mean_together(together, n_units, left, right)
        rows.append((version, joint, *sides, *(kinds.get(side) for side in sides), *numbers))
    return pl.DataFrame(rows, schema=empty_table(KIND_TREE).schema, orient="row")


def together_of(stability: pl.DataFrame, crops: CropRows) -> np.ndarray:
    """float64 `(k, k)`, the column `together` of a table with the columns `STABILITY`; nan where nothing is known.

    Raises ValueError where its clusters have other tracklets than these crops' have.
    """
    rows = stability.sort("cluster")
    n_tracklets = [crops.of(crops.cluster_ids == cluster).n_tracklets for cluster in range(crops.n_clusters)]
    if rows["n_tracklets"].to_list() != n_tracklets:
        raise ValueError("stability is of other clusters than these: materialise stability first")
    unknown = [None] * rows.height
    matrix = [unknown if shares is None else shares for shares in rows["together"].to_list()]
    return np.array(matrix, dtype=np.float64).reshape(rows.height, rows.height)
