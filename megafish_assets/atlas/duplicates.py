"""Crops that repeat another one almost pixel for pixel: the same still thing, or the same recording twice."""

import cv2
import numpy as np

GREY_PX = 16
"""Side of the grey picture that two crops are compared by: it forgives another compression, scale and a box that is
off by a pixel, and still tells the crops of two animals apart."""

SAME_PIXELS = 0.98
"""Correlation of two such pictures from which on one repeats the other. Of 1,374 crops of real reef fish all that are
shrunk to 0.8 and compressed to JPEG 60 stay above it, and 99.3 % of those shrunk to 0.6 with JPEG 30; two species come
to 0.966 at most, and 4 of the crops (0.3 %) find one of another fish above it. Distances of features have no such
limit, since each network has another scale: they only say which pairs are compared."""


def grey_picture(pixels_rgb: np.ndarray) -> np.ndarray:
    """float16 `(GREY_PX * GREY_PX,)` of a crop: grey, its mean taken off, of unit length; zeros where it is flat."""
    grey = cv2.cvtColor(cv2.resize(pixels_rgb, (GREY_PX, GREY_PX), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    flat = grey.astype(np.float32).ravel()
    flat -= flat.mean()
    length = float(np.linalg.norm(flat))
    # A picture whose greys differ by less than one step of JPEG correlates with any other such by chance.
    return (flat / length if length > GREY_PX else np.zeros_like(flat)).astype(np.float16)


def duplicates_of(greys: np.ndarray, neighbors: np.ndarray, age: np.ndarray) -> np.ndarray:
    """int64 `(n,)`: the oldest crop that each one repeats, directly or by others between; -1 for none, and for it.

    `greys` `(n, GREY_PX ** 2)` are the crops' pictures, `neighbors` `(n, k)` the places of the crops of other tracklets
    that each is compared with, -1 for none; `age` `(n,)` orders them, smallest first.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(greys)
    left, right = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for column in neighbors.T:  # of one neighbor of each at a time: 0.1 GB for 100,000 crops
        rows = np.flatnonzero(column >= 0)
        alike = np.einsum("ij,ij->i", greys[rows].astype(np.float32), greys[column[rows]].astype(np.float32))
        same = rows[alike >= SAME_PIXELS]
        left.append(same)
        right.append(column[same])
    first, second = np.concatenate(left), np.concatenate(right)
    pairs = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(n, n))
    group = connected_components(pairs, directed=False)[1] if n else np.zeros(0, dtype=np.int64)
    oldest_first = np.argsort(age, kind="stable")
    _, places = np.unique(group[oldest_first], return_index=True)
    oldest = oldest_first[places][group] if n else np.zeros(0, dtype=np.int64)
    return np.where(oldest == np.arange(n), -1, oldest)
