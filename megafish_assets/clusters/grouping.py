"""Rows into groups: every algorithm by its name."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from megafish_assets.clusters import stability
from megafish_assets.clusters.consensus import consensus_labels
from megafish_assets.clusters.partitions import SEEDS
from megafish_assets.clusters.sweeping import SWEEP_STARTS, SWEPT_KS, kmeans

CLUSTER_STARTS = 10
"""KMeans ends in a local optimum: starts from which the best is kept."""

MIN_SAMPLES = 3
"""Of HDBSCAN and DBSCAN."""

FEWEST_IN_CLUSTER, CLUSTER_ROOT = 5, 0.25
"""Five tracklets make a kind, as in `stability`; of many, a quarter of their square root, since what is dense by chance
grows with them: on the reef's 1,386 tracklets 5 finds 79 clusters of 11 kinds, 9 finds 52."""

LINKED_ROWS = 20_000
"""Average linkage holds the distance of every pair: 1.6 GB for these."""

DENSE_SHARE = 0.9
"""Share of the rows that DBSCAN's radius makes dense; the rest is noise or the edge of a cluster."""

STABLE_KS = SWEPT_KS
"""Tried by `stable_kmeans`."""


def grouped(vectors: np.ndarray, k: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels `(n,)`, distance of each row to its centre `(n,)`, centres `(k, d)`.

    Labels count from 0, the largest cluster first, so that a colour stays with a cluster when little changes.
    Raises ValueError for fewer rows than k.
    """
    if len(vectors) < k:
        raise ValueError(
            f"k = {k} clusters of {len(vectors)} rows: choose k at most {len(vectors)}, or embed more crops"
        )
    fitted = kmeans(vectors, k, seed, CLUSTER_STARTS)
    order = np.argsort(-np.bincount(fitted.labels_, minlength=k), kind="stable")
    centres, labels = fitted.cluster_centers_[order], np.argsort(order)[fitted.labels_]
    return labels, np.linalg.norm(vectors - centres[labels], axis=1), centres


@dataclass(frozen=True)
class Choice:
    """What a grouping may be told; each takes what it needs."""

    k: int | None = None
    """Number of clusters; None where the grouping finds it."""
    seed: int = 42
    groups: np.ndarray | None = None
    """`(n,)`, the video of each row, or its trajectory where there are no videos: what stability resamples by."""
    min_cluster_size: int | None = None
    """Fewest rows that HDBSCAN calls a cluster; None for `fewest_in_cluster`."""
    features: np.ndarray | None = None
    """float32 `(n_crops, m)`, of the crops whose means the rows are."""
    units: np.ndarray | None = None
    """int64 `(n_crops,)`, the row of each crop."""
    n_seeds: int = SEEDS
    """Tries of each partition that has to agree with the others."""
    on_step: Callable[[], None] = lambda: None
    """Told of each part of a long grouping that is done."""
    min_samples: int = MIN_SAMPLES
    """Neighbors within reach that make a row dense, itself counted."""


def kmeans_labels(vectors: np.ndarray, choice: Choice) -> np.ndarray:
    """KMeans at the chosen k. Raises ValueError without one, or for fewer rows."""
    if choice.k is None:
        raise ValueError(
            "kmeans was given no k: choose k, or a grouping that finds it (hdbscan, dbscan, stable_kmeans)"
        )
    return grouped(vectors, choice.k, choice.seed)[0]


def average_linkage_labels(vectors: np.ndarray, choice: Choice) -> np.ndarray:
    """The chosen k of the tree that always joins the two clusters with the smallest mean distance; no seed.

    Raises ValueError without k, for fewer rows, or for more than `LINKED_ROWS`.
    Source: Sokal and Michener 1958, as scikit-learn has it.
    """
    from sklearn.cluster import AgglomerativeClustering

    require_linkable(len(vectors), choice.k)
    if choice.k == len(vectors):
        return np.arange(len(vectors))
    return by_size(AgglomerativeClustering(choice.k, linkage="average").fit_predict(vectors))


def require_linkable(n_rows: int, k: int | None) -> None:
    """Raises ValueError where average linkage can't make k clusters of so many rows."""
    if k is None or not k <= n_rows <= LINKED_ROWS:
        raise ValueError(
            f"average_linkage of {n_rows} rows into k = {k}: it takes k up to the rows, and at most {LINKED_ROWS} "
            "rows, whose distances it holds: choose another k, or kmeans"
        )


def fewest_in_cluster(n_rows: int) -> int:
    """Rows that make a cluster of so many."""
    return max(FEWEST_IN_CLUSTER, round(CLUSTER_ROOT * n_rows**0.5))


def hdbscan_labels(vectors: np.ndarray, choice: Choice) -> np.ndarray:
    """Dense regions of any density; all noise for fewer rows than make a cluster.

    Source: Campello et al. 2013, doi:10.1007/978-3-642-37456-2_14, as scikit-learn has it.
    """
    from sklearn.cluster import HDBSCAN

    fewest = fewest_in_cluster(len(vectors)) if choice.min_cluster_size is None else choice.min_cluster_size
    if len(vectors) < max(2, fewest, choice.min_samples):
        return np.full(len(vectors), -1)
    model = HDBSCAN(min_cluster_size=fewest, min_samples=choice.min_samples, copy=True)
    return by_size(model.fit_predict(vectors))


def dbscan_labels(vectors: np.ndarray, choice: Choice) -> np.ndarray:
    """Regions of one density: that which `DENSE_SHARE` of the rows have; all noise for too few rows.

    Source: Ester et al. 1996, as scikit-learn has it.
    """
    from sklearn.cluster import DBSCAN
    from sklearn.neighbors import NearestNeighbors

    if len(vectors) < max(2, choice.min_samples):
        return np.full(len(vectors), -1)
    reach = NearestNeighbors(n_neighbors=choice.min_samples).fit(vectors).kneighbors(vectors)[0][:, -1]
    # Equal rows are within no distance of each other, and DBSCAN asks for one above 0.
    radius = max(float(np.quantile(reach, DENSE_SHARE)), np.finfo(np.float32).tiny)
    return by_size(DBSCAN(eps=radius, min_samples=choice.min_samples).fit_predict(vectors))


def stable_kmeans_labels(vectors: np.ndarray, choice: Choice) -> np.ndarray:
    """KMeans at the k that agrees best across resamples of the groups. Raises ValueError without groups."""
    if choice.groups is None:
        raise ValueError("stable_kmeans was given no groups: it finds k by resampling videos, or trajectories")
    agreements = stability.agreement_by_k(
        vectors,
        choice.groups,
        STABLE_KS,
        lambda rows, k: kmeans(rows, k, choice.seed, SWEEP_STARTS).labels_,
        choice.seed,
    )
    return grouped(vectors, stability.most_stable_k(agreements), choice.seed)[0]


def consensus_grouping(vectors: np.ndarray, choice: Choice) -> np.ndarray:
    """What many partitions of graphs of tracklets agree on, at a k or their own; of crops, where they are given."""
    features = vectors if choice.features is None else choice.features
    units = np.arange(len(vectors)) if choice.units is None else choice.units
    return by_size(consensus_labels(features, units, choice.seed, choice.k, choice.n_seeds, choice.on_step))


GIVEN_K = ("kmeans", "average_linkage")
"""Of `GROUPINGS`, those that must be told k; the others find it."""

TAKES_K = (*GIVEN_K, "consensus")
"""Those that may be told k."""

GROUPINGS: dict[str, Callable[[np.ndarray, Choice], np.ndarray]] = {
    "consensus": consensus_grouping,
    "kmeans": kmeans_labels,
    "average_linkage": average_linkage_labels,
    "hdbscan": hdbscan_labels,
    "dbscan": dbscan_labels,
    "stable_kmeans": stable_kmeans_labels,
}
"""Each gives labels `(n,)` of vectors `(n, d)`: from 0, the largest cluster first; -1 is noise."""


def by_size(labels: np.ndarray) -> np.ndarray:
    """The same clusters, counted from 0, the largest first; noise stays -1."""
    names, codes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    order = [place for place in np.argsort(-sizes, kind="stable") if names[place] >= 0]
    renamed = np.full(len(names), -1)
    renamed[order] = np.arange(len(order))
    return renamed[codes]


def cluster_sizes(labels: np.ndarray, k: int) -> list[int]:
    """Rows of each cluster from 0 to k - 1, also of empty ones; noise is not counted."""
    return np.bincount(labels[labels >= 0], minlength=k).tolist()


def noise_share(labels: np.ndarray) -> float:
    """Share of rows in no cluster; nan for none."""
    return float((labels < 0).mean()) if len(labels) else float("nan")
