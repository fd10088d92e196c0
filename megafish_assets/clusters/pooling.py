"""One vector a tracklet, and a tracklet's label back on each of its detections."""

import numpy as np

UNTRACKED = -1
"""Code of a row whose tracklet is the empty string: no tracker vouches for it."""


def tracklet_codes(tracklets: np.ndarray) -> np.ndarray:
    """int64 `(n,)`: the tracklets counted from 0 in the order of their names, `UNTRACKED` for ""."""
    names = np.asarray(tracklets).astype(str)
    every, codes = np.unique(names, return_inverse=True)
    return codes.astype(np.int64) - int(len(every) > 0 and every[0] == "")


def tracklet_means(rows: np.ndarray, codes: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """float64 `(n_tracklets, d)`, mean of the `(n, d)` rows of each code; every code from 0 must occur.

    `weights` `(n,)`, above 0, count a row more or less. Raises ValueError for a weight that is not above 0.
    """
    from scipy.sparse import csr_array

    shares = np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not (shares > 0).all():
        raise ValueError(f"weights from {shares.min()} to {shares.max()}: each must be above 0")
    n = int(codes.max(initial=-1)) + 1
    totals = np.bincount(codes, shares, minlength=n)
    return csr_array((shares / totals[codes], (codes, np.arange(len(rows)))), shape=(n, len(rows))) @ rows


def unit_codes(tracklets: np.ndarray) -> np.ndarray:
    """int64 `(n,)`: what is grouped, counted from 0: the tracklets, then each untracked row ("") by itself."""
    units = tracklet_codes(tracklets)
    alone = units == UNTRACKED
    units[alone] = units.max(initial=-1) + 1 + np.arange(alone.sum())
    return units


def some_units(units: np.ndarray, n: int, seed: int) -> np.ndarray:
    """bool `(n_rows,)`: at most n rows, whole units in a seeded order, one after the other while there is room."""
    order = np.random.default_rng(seed).permutation(int(units.max(initial=-1)) + 1)
    n_so_far = np.cumsum(np.bincount(units, minlength=len(order))[order])
    return np.isin(units, order[n_so_far <= n])


def spread(of_units: np.ndarray, units: np.ndarray) -> np.ndarray:
    """What holds for each unit, `(n_units, ...)`, for each of its detections, `(n, ...)`.

    Raises ValueError where there are not as many as units.
    """
    n_units = int(units.max(initial=-1)) + 1
    if len(of_units) != n_units:
        raise ValueError(f"{len(of_units)} rows for {n_units} tracklets: they belong to another pooling")
    return np.asarray(of_units)[units]
