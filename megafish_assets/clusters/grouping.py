"""Rows into groups, and how inertia and silhouette move with k."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl

from megafish_assets.clusters import stability
from megafish_assets.clusters.columns import SWEEP
from megafish_assets.clusters.silhouette import silhouettes
from megafish_assets.detections.columns import empty_frame

K = 4
"""The notebook's choice, made by eye: neither its elbow nor its silhouettes pointed to a number."""

SWEPT_KS = range(2, 41)
"""The notebook's."""

SWEEP_ROWS = 10_000
"""Rows of the sample that the sweep looks at: the notebook's."""

SWEEP_STARTS = 2
CLUSTER_STARTS = 10
"""KMeans ends in a local optimum: starts from which the best is kept. The sweep's curve needs fewer than a result."""


MIN_CLUSTER_SIZE, MIN_SAMPLES = 5, 3
"""Of HDBSCAN, and the second of DBSCAN too: five tracklets make a kind, as in `stability`."""

LINKED_ROWS = 20_000
"""Average linkage holds the distance of every pair: 1.6 GB for these."""

DENSE_SHARE = 0.9
"""Share of the rows that DBSCAN's radius makes dense; the rest is noise or the edge of a cluster."""

STABLE_KS = SWEPT_KS
"""Tried by `stable_kmeans`."""


def kmeans(vectors: np.ndarray, k: int, seed: int, n_starts: int = CLUSTER_STARTS):
    """A fitted scikit-learn KMeans of `(n, d)` vectors."""
    from sklearn.cluster import KMeans

    return KMeans(n_clusters=k, n_init=n_starts, random_state=seed).fit(vectors)


def grouped(vectors: np.ndarray, k: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels `(n,)`, distance of each row to its centre `(n,)`, centres `(k, d)`.

    Labels count from 0, the largest cluster first, so that a colour stays with a cluster when little changes.
    Raises ValueError for fewer rows than k.
    """
    if len(vectors) < k:
        raise ValueError(
            f"k = {k} clusters of {len(vectors)} rows: choose k at most {len(vectors)}, or embed more crops"
        )
    fitted = kmeans(vectors, k, seed)
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
    min_cluster_size: int = MIN_CLUSTER_SIZE
    """Fewest rows that HDBSCAN calls a cluster."""
    min_samples: int = MIN_SAMPLES
    """Neighbours within reach that make a row dense, itself counted."""


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

    if choice.k is None or not choice.k <= len(vectors) <= LINKED_ROWS:
        raise ValueError(
            f"average_linkage of {len(vectors)} rows into k = {choice.k}: it takes k up to the rows, and at most "
            f"{LINKED_ROWS} rows, whose distances it holds: choose another k, or kmeans"
        )
    if choice.k == len(vectors):
        return np.arange(len(vectors))
    return by_size(AgglomerativeClustering(choice.k, linkage="average").fit_predict(vectors))


def hdbscan_labels(vectors: np.ndarray, choice: Choice) -> np.ndarray:
    """Dense regions of any density; all noise for fewer rows than make a cluster.

    Source: Campello et al. 2013, doi:10.1007/978-3-642-37456-2_14, as scikit-learn has it.
    """
    from sklearn.cluster import HDBSCAN

    if len(vectors) < max(2, choice.min_cluster_size, choice.min_samples):
        return np.full(len(vectors), -1)
    model = HDBSCAN(min_cluster_size=choice.min_cluster_size, min_samples=choice.min_samples, copy=True)
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


GROUPINGS: dict[str, Callable[[np.ndarray, Choice], np.ndarray]] = {
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


def rises(inertia: np.ndarray) -> int:
    """How often inertia is larger than at the k before."""
    return int((np.diff(inertia) > 0).sum())


def rows_of(vectors: np.ndarray, detection_ids: np.ndarray, sample: np.ndarray) -> np.ndarray:
    """The rows of `(n, d)` vectors whose id is in the sample, in the order given."""
    return vectors[np.isin(detection_ids.astype(str), sample)]


def shared_sample(detection_ids: np.ndarray, n_rows: int, seed: int) -> np.ndarray:
    """At most `n_rows` of the ids, sorted: the same for every backbone that is given the same ids."""
    ids = np.sort(detection_ids.astype(str))
    if len(ids) <= n_rows:
        return ids
    return np.sort(np.random.default_rng(seed).choice(ids, size=n_rows, replace=False))


def sweep(
    vectors: np.ndarray,
    ks: Sequence[int],
    seed: int,
    on_k: Callable[[], None] = lambda: None,
    on_rows: Callable[[int], None] = lambda n: None,
) -> pl.DataFrame:
    """Inertia and silhouette for every k that `(n, d)` rows allow (below n), in the columns `SWEEP`.

    `on_k` is called for each fitted k, `on_rows` with the number of rows whose silhouettes are done.
    """
    ks = [k for k in ks if k < len(vectors)]
    fitted = best_fits(vectors, ks, seed, on_k)
    scores = silhouettes(vectors, [labels for _, labels in fitted], on_rows=on_rows)
    rows = [(k, inertia, score, len(vectors)) for k, (inertia, _), score in zip(ks, fitted, scores, strict=True)]
    return pl.DataFrame(rows, schema=empty_frame(SWEEP).schema, orient="row")


def best_fits(
    vectors: np.ndarray, ks: Sequence[int], seed: int, on_k: Callable[[], None] = lambda: None
) -> list[tuple[float, np.ndarray]]:
    """Inertia and labels of the best of `SWEEP_STARTS` KMeans for each k.

    The seeds of k-means++ for the largest k begin with seeds for every smaller one, so that each start is seeded once;
    the fits of different k share the cores, which serves rows this narrow better than many threads in one fit.
    """
    from sklearn.cluster import KMeans, kmeans_plusplus
    from threadpoolctl import threadpool_limits

    if not ks:
        return []
    random = np.random.RandomState(seed)
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:
        starts = [kmeans_plusplus(vectors, max(ks), random_state=random)[0] for _ in range(SWEEP_STARTS)]

        def best(k: int) -> tuple[float, np.ndarray]:
            fits = [KMeans(k, init=seeds[:k], n_init=1).fit(vectors) for seeds in starts]
            on_k()
            best = min(fits, key=lambda fit: fit.inertia_)
            return float(best.inertia_), best.labels_

        return list(pool.map(best, ks))
