"""Rows into k groups, and how inertia and silhouette move with k."""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from megafish_assets.clusters.columns import SWEEP
from megafish_assets.detections.columns import empty_frame

K = 4
"""The notebook's choice, made by eye: neither its elbow nor its silhouettes pointed to a number."""

SWEPT_KS = range(2, 41)
"""The notebook's."""

SWEEP_ROWS = 10_000
"""Rows of the sample that the sweep looks at: the notebook's."""

SWEEP_STARTS = 3
CLUSTER_STARTS = 10
"""KMeans ends in a local optimum: starts from which the best is kept. The sweep's curve needs fewer than a result."""


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


def sweep(vectors: np.ndarray, ks: Sequence[int], seed: int, on_k: Callable[[], None] = lambda: None) -> pl.DataFrame:
    """Inertia and silhouette for every k that `(n, d)` rows allow (below n), in the columns `SWEEP`.

    Source: silhouette, Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7.
    """
    from sklearn.metrics import silhouette_score

    rows = []
    for k in (k for k in ks if k < len(vectors)):
        fitted = kmeans(vectors, k, seed, SWEEP_STARTS)
        rows.append((k, float(fitted.inertia_), float(silhouette_score(vectors, fitted.labels_)), len(vectors)))
        on_k()
    return pl.DataFrame(rows, schema=empty_frame(SWEEP).schema, orient="row")
