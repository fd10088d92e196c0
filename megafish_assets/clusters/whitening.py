"""Directions in which one fish varies from frame to frame turned down, so that what differs between fish is left."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from megafish_assets.clusters.pooling import UNTRACKED, tracklet_codes, tracklet_means

FEWEST_TRACKLETS = 20
"""Tracklets of two crops or more below which no covariance within them is estimated."""

PRINCIPAL_DIRECTIONS, KEPT_DIRECTIONS = 256, 128
SHRINKAGE = 0.05
"""Share of the covariance that is replaced by its mean diagonal, so that no direction is divided by almost nothing."""

NO_VARIANCE = 1e-10
"""Of the largest or of all variance: below it a direction, or a tracklet, does not vary."""


class TooFewTrackletsError(ValueError):
    """Too few tracklets with two crops or more: how one fish varies can't be told."""


@dataclass(frozen=True)
class Whitening:
    """Centre, project, cut to unit length: how a vector becomes a feature."""

    mean: np.ndarray
    """float64 `(d,)`."""
    directions: np.ndarray
    """float64 `(m, d)`; along each a crop varies about its tracklet's mean with variance near 1."""
    between: np.ndarray
    """float64 `(m,)`, variance of the tracklets' means along each direction, largest first."""
    n_tracklets: int
    """Tracklets of two crops or more that it was fitted to."""

    def project(self, vectors: np.ndarray) -> np.ndarray:
        """float32 `(n, m)` of unit length from `(n, d)`, also for rows that were not fitted."""
        return unit_rows((vectors - self.mean) @ self.directions.T).astype(np.float32)

    def to_parts(self) -> dict[str, np.ndarray]:
        """Every number of the model, as matrices by name."""
        n_tracklets = np.full((1, 1), float(self.n_tracklets))
        return {
            "mean": self.mean[None],
            "between": self.between[None],
            "n_tracklets": n_tracklets,
            "direction": self.directions,
        }

    @classmethod
    def from_parts(cls, parts: Mapping[str, np.ndarray]) -> "Whitening":
        """The model whose parts these are."""
        return cls(parts["mean"][0], parts["direction"], parts["between"][0], int(parts["n_tracklets"][0, 0]))


def fit_whitening(vectors: np.ndarray, tracklets: np.ndarray) -> Whitening:
    """Fitted to `(n, d)` vectors and the tracklet of each, `(n,)`; untracked rows ("") help to centre only.

    Raises TooFewTrackletsError below `FEWEST_TRACKLETS` tracklets of two crops or more, and ValueError where no
    tracklet varies at all.
    Source: Hatch, Kajarekar and Stolcke 2006, "Within-class covariance normalization for SVM-based speaker
    recognition", with each tracklet as its own class.
    """
    double = np.asarray(vectors, dtype=np.float64)
    mean = double.mean(axis=0) if len(double) else np.zeros(double.shape[1])
    tracked, codes = _of_several_crops(tracklets)
    n_tracklets = int(codes.max(initial=-1)) + 1
    if n_tracklets < FEWEST_TRACKLETS:
        raise TooFewTrackletsError(
            f"{n_tracklets} tracklets of two crops or more, needed {FEWEST_TRACKLETS}: sample more crops a tracklet, "
            "add videos, or group the vectors as they are"
        )
    principal = _principal_directions(double - mean)
    rows = (double[tracked] - mean) @ principal.T
    means = tracklet_means(rows, codes)
    whitened = principal.T @ np.linalg.cholesky(np.linalg.inv(_within(rows, means[codes], n_tracklets)))
    every = tracklet_codes(tracklets)
    all_means = tracklet_means((double - mean)[every != UNTRACKED] @ whitened, every[every != UNTRACKED])
    variances, turns = np.linalg.eigh(np.atleast_2d(np.cov(all_means, rowvar=False)))
    kept = np.argsort(-variances, kind="stable")[:KEPT_DIRECTIONS]
    return Whitening(mean, (whitened @ turns[:, kept]).T, variances[kept], n_tracklets)


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """The rows of `(n, d)` cut to length 1; a row of zeros stays."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)


def _of_several_crops(tracklets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of the rows whose tracklet has two crops or more, and those tracklets counted from 0."""
    codes = tracklet_codes(tracklets)
    sizes = np.bincount(codes[codes != UNTRACKED], minlength=1)
    places = np.flatnonzero((codes != UNTRACKED) & (sizes[codes] > 1))
    return places, np.unique(codes[places], return_inverse=True)[1]


def _principal_directions(centred: np.ndarray) -> np.ndarray:
    """float64 `(p, d)`, at most `PRINCIPAL_DIRECTIONS` and only those with any variance."""
    variances, axes = np.linalg.eigh(centred.T @ centred / len(centred))
    kept = np.argsort(-variances, kind="stable")[:PRINCIPAL_DIRECTIONS]
    return axes[:, kept[variances[kept] > variances.max() * NO_VARIANCE]].T


def _within(rows: np.ndarray, own_means: np.ndarray, n_tracklets: int) -> np.ndarray:
    """Covariance `(p, p)` of crops about their tracklets' means, shrunk toward its mean diagonal."""
    residuals = rows - own_means
    pooled = residuals.T @ residuals / (len(rows) - n_tracklets)
    level = np.trace(pooled) / max(1, len(pooled))
    # Relative to all variance, for equal float32 crops differ from their mean by a rounding.
    if level <= NO_VARIANCE * rows.var(axis=0).mean():
        raise ValueError(f"the crops of each of {n_tracklets} tracklets are equal: look at the embeddings")
    return (1 - SHRINKAGE) * pooled + SHRINKAGE * level * np.eye(len(pooled))
