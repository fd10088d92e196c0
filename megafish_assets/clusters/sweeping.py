"""How inertia and silhouette move with k, on a sample that all backbones share."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from megafish_assets.clusters.silhouette import silhouettes

SWEPT_KS = range(2, 41)
"""The notebook's."""

SWEEP_ROWS = 10_000
"""Rows of the sample that the sweep looks at: the notebook's."""

SWEEP_STARTS = 2
"""KMeans ends in a local optimum: starts from which the best is kept. A curve needs fewer than a result."""


@dataclass(frozen=True)
class Swept:
    """What one k came to."""

    k: int
    inertia: float
    """Sum of squared distances to the nearest centre."""
    silhouette: float
    """Mean silhouette coefficient, -1 to 1."""


def kmeans(vectors: np.ndarray, k: int, seed: int, n_starts: int):
    """A fitted scikit-learn KMeans of `(n, d)` vectors."""
    from sklearn.cluster import KMeans

    return KMeans(n_clusters=k, n_init=n_starts, random_state=seed).fit(vectors)


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
    device: str = "cpu",
    progress: Callable[[str, int], Callable[[int], None]] = lambda what, total: lambda n: None,
) -> list[Swept]:
    """Inertia and silhouette for every k that `(n, d)` rows allow (below n).

    `progress` is asked, as each half begins, for what is to be told how many fits, and then rows, are done.
    """
    ks = [k for k in ks if k < len(vectors)]
    fitted = best_fits(vectors, ks, seed, progress("values of k", len(ks)))
    on_rows = progress("rows' silhouettes", len(vectors))
    scores = silhouettes(vectors, [labels for _, labels in fitted], device, on_rows)
    return [Swept(k, inertia, score) for k, (inertia, _), score in zip(ks, fitted, scores, strict=True)]


def best_fits(
    vectors: np.ndarray, ks: Sequence[int], seed: int, on_k: Callable[[int], None] = lambda n: None
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
    # OpenMP counts its threads in each thread anew; the library of products is limited once for all.
    alone = partial(threadpool_limits, 1, user_api="openmp")
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count(), initializer=alone) as pool:
        starts = [kmeans_plusplus(vectors, max(ks), random_state=random)[0] for _ in range(SWEEP_STARTS)]

        def best(k: int) -> tuple[float, np.ndarray]:
            fits = [KMeans(k, init=seeds[:k], n_init=1).fit(vectors) for seeds in starts]
            on_k(1)
            best = min(fits, key=lambda fit: fit.inertia_)
            return float(best.inertia_), best.labels_

        return list(pool.map(best, ks))
