"""One vector a tracklet, and a tracklet's label back on each of its detections."""

import numpy as np

UNTRACKED = -1
"""Code of a row without a tracklet: no tracker vouches for it."""


def tracklet_codes(tracklets: np.ndarray) -> np.ndarray:
    """int64 `(n,)`: the tracklets `(n,)` counted from 0 in the order of their names, `UNTRACKED` for None."""
    tracked = np.array([name is not None for name in tracklets], dtype=bool)
    codes = np.full(len(tracklets), UNTRACKED, dtype=np.int64)
    codes[tracked] = np.unique(np.asarray(tracklets)[tracked].astype(str), return_inverse=True)[1]
    return codes


def tracklet_means(rows: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """float64 `(n_tracklets, d)`, mean of the `(n, d)` rows of each code; every code from 0 must occur."""
    from scipy.sparse import csr_array

    sizes = np.bincount(codes, minlength=1)
    n = int(codes.max(initial=-1)) + 1
    return csr_array((1 / sizes[codes], (codes, np.arange(len(rows)))), shape=(n, len(rows))) @ rows


def unit_codes(tracklets: np.ndarray) -> np.ndarray:
    """int64 `(n,)`: what is grouped, counted from 0: the tracklets, then each untracked row by itself."""
    units = tracklet_codes(tracklets)
    alone = units == UNTRACKED
    units[alone] = units.max(initial=-1) + 1 + np.arange(alone.sum())
    return units


def some_units(units: np.ndarray, n: int, seed: int) -> np.ndarray:
    """bool `(n_rows,)`: at most n rows, whole units in a seeded order, those that still fit; one at least."""
    order = np.random.default_rng(seed).permutation(int(units.max(initial=-1)) + 1)
    sizes, drawn, room = np.bincount(units, minlength=len(order)), [], n
    for unit in order.tolist():
        if sizes[unit] <= room or not drawn:
            drawn.append(unit)
            room -= sizes[unit]
    return np.isin(units, drawn)


def spread(of_units: np.ndarray, units: np.ndarray) -> np.ndarray:
    """What holds for each unit, `(n_units, ...)`, for each of its detections, `(n, ...)`.

    Raises ValueError where there are not as many as units.
    """
    n_units = int(units.max(initial=-1)) + 1
    if len(of_units) != n_units:
        raise ValueError(f"{len(of_units)} rows for {n_units} tracklets: they belong to another pooling")
    return np.asarray(of_units)[units]
