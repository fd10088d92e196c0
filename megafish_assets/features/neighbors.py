"""The nearest neighbors of every row, exactly, once for all that ask for them."""

from collections.abc import Callable

import numpy as np

BLOCK_ROWS = 2048
"""Rows between two words on how far it has come; smaller blocks are slower."""


def nearest(
    vectors: np.ndarray, n_neighbors: int, on_rows: Callable[[int], None] = lambda n: None
) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers int32 and Euclidean distances float32, both `(n, n_neighbors)`, of `(n, d)` rows, nearest first.

    Each row is its own first neighbor, or one that equals it is. `on_rows` is told how many rows are done.
    Raises ValueError for fewer rows than neighbors.
    Source: scikit-learn's brute force, which keeps the best of each block of distances and no matrix of them.
    """
    from sklearn.neighbors import NearestNeighbors

    n = len(vectors)
    if n < n_neighbors:
        raise ValueError(f"{n_neighbors} neighbors of {n} rows: choose at most {n}, or embed more crops")
    search = NearestNeighbors(n_neighbors=n_neighbors, algorithm="brute").fit(vectors)
    places, distances = np.empty((n, n_neighbors), np.int32), np.empty((n, n_neighbors), np.float32)
    for start in range(0, n, BLOCK_ROWS):
        block = slice(start, min(start + BLOCK_ROWS, n))
        distances[block], places[block] = search.kneighbors(vectors[block])
        on_rows(block.stop - block.start)
    return places, distances
