"""Directions in which one fish varies from frame to frame turned down, so that what differs between fish is left."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from megafish_assets.features.pooling import UNTRACKED, tracklet_codes, tracklet_means
from megafish_assets.features.reduction import Moments, moments

FEWEST_TRACKLETS = 20
"""Of two crops or more, below which no covariance within them is estimated."""

PRINCIPAL_DIRECTIONS, KEPT_DIRECTIONS = 256, 128
PRIOR_CROPS = 50
"""The covariance's mean diagonal counts as much as so many crops about their tracklets' means, so that no direction is
divided by almost nothing, and few tracklets are not taken at their word: docs/quality.md."""

BORDER_WEIGHT, BORDER_RIDGE = 0.05, 1.0
"""How much of what the border foretells is turned down, and the penalty of the regression, in variances of a border's
numbers. What they do to real fish: docs/quality.md."""

FAINTEST_BORDER = 1e-6
"""Added to a border's deviation, which is 0 where the rim is black in every crop."""

NO_VARIANCE = 1e-10
"""Of the largest or of all variance: below it a direction, or a tracklet, does not vary."""


@dataclass(frozen=True)
class Whitening:
    """Centre, project, cut to unit length: how a vector becomes a feature."""

    mean: np.ndarray
    """float64 `(d,)`."""
    directions: np.ndarray
    """float64 `(m, d)`; along each a crop varies about its tracklet's mean with variance near 1, if it is fitted."""
    between: np.ndarray
    """float64 `(m,)`, variance of the tracklets' means along each direction, largest first."""
    n_tracklets: int
    """Tracklets of two crops or more that there were."""

    @property
    def is_fitted(self) -> bool:
        """False where there were too few tracklets to tell how one fish varies: it only centres and rotates."""
        return self.n_tracklets >= FEWEST_TRACKLETS

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


def fit_whitening(blocks: Iterable[np.ndarray], tracklets: np.ndarray, borders: np.ndarray | None = None) -> Whitening:
    """Fitted to vectors, float32 `(n, d)` in all, the tracklet of each, `(n,)`, and their crops' borders `(n, m)`.

    What varies within a tracklet is turned down, and so is what the border foretells, `BORDER_WEIGHT` as much: a fish
    seldom swims from one water into another while it is tracked. Untracked rows help to centre only.

    The blocks are passed through twice, so that memory holds a block, a matrix `(d, d)` and three times
    `PRINCIPAL_DIRECTIONS` float64 a row. Below `FEWEST_TRACKLETS` tracklets of two crops or more it is not fitted
    (`is_fitted`): the largest principal directions stay as they are. Raises ValueError for fewer than 2 rows, for rows
    that are all equal, and where no tracklet varies at all.
    Sources: Hatch, Kajarekar and Stolcke 2006, "Within-class covariance normalization for SVM-based speaker
    recognition", with each tracklet as its own class; Solomonoff, Campbell and Boardman 2005, "Advances in channel
    compensation for SVM speaker recognition", for a nuisance that is known and turned down.
    """
    # Crops of one fish scatter about their mean (within); means of different fish scatter about theirs (between):
    #
    #      . : .            x = a tracklet's mean       Turning `within` into a round cloud shrinks the directions in
    #     . :x: .    . .x. .                            which pose, light and water vary, and leaves those in which
    #      . : .      . . .                             fish differ: a distance then counts what tells fish apart.
    seen = moments(blocks)
    mean, (principal, variances) = seen.mean, _principal_directions(seen)
    tracked, codes = _of_several_crops(tracklets)
    n_tracklets = int(codes.max(initial=-1)) + 1
    if n_tracklets < FEWEST_TRACKLETS:
        return Whitening(mean, principal[:KEPT_DIRECTIONS], variances[:KEPT_DIRECTIONS], n_tracklets)
    rows = np.concatenate([(block - mean) @ principal.T for block in blocks])
    tracked_rows = rows[tracked]
    n_free, level = len(tracked_rows) - n_tracklets, tracked_rows.var(axis=0).mean()
    tracked_rows -= tracklet_means(tracked_rows, codes)[codes]
    within = _within(tracked_rows, level, n_free)
    foretold = 0.0 if borders is None else _foretold(rows, borders)
    within = _shrunk(within + BORDER_WEIGHT * foretold, PRIOR_CROPS / (PRIOR_CROPS + n_free))
    # By W^-1 = L L^T the map x -> L^T x makes the covariance W the identity.
    whitened = principal.T @ np.linalg.cholesky(np.linalg.inv(within))
    codes_of_rows = tracklet_codes(tracklets)
    all_means = (
        tracklet_means(rows[codes_of_rows != UNTRACKED], codes_of_rows[codes_of_rows != UNTRACKED])
        @ principal
        @ whitened
    )
    # Of the whitened directions those in which tracklets differ most; the last ones hold noise alone.
    spread, turns = np.linalg.eigh(np.atleast_2d(np.cov(all_means, rowvar=False)))
    kept = np.argsort(-spread, kind="stable")[:KEPT_DIRECTIONS]
    return Whitening(mean, (whitened @ turns[:, kept]).T, spread[kept], n_tracklets)


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


def _principal_directions(seen: Moments) -> tuple[np.ndarray, np.ndarray]:
    """float64 `(p, d)`, at most `PRINCIPAL_DIRECTIONS` and only those with any variance, and that variance `(p,)`."""
    variances, axes = np.linalg.eigh(seen.covariance)
    kept = np.argsort(-variances, kind="stable")[:PRINCIPAL_DIRECTIONS]
    kept = kept[variances[kept] > variances.max() * NO_VARIANCE]
    return axes[:, kept].T, variances[kept]


def _within(residuals: np.ndarray, variance: float, n_free: int) -> np.ndarray:
    """Covariance `(p, p)` of crops about their tracklets' means, which leave so many of them free.

    `variance` is what a dimension has on average, means included.
    """
    pooled = residuals.T @ residuals / n_free
    # Relative to all variance, for equal float32 crops differ from their mean by a rounding.
    if np.trace(pooled) / max(1, len(pooled)) <= NO_VARIANCE * variance:
        raise ValueError(f"the crops of each of {len(residuals) - n_free} tracklets are equal: look at the embeddings")
    return pooled


def _foretold(rows: np.ndarray, borders: np.ndarray) -> np.ndarray:
    """Covariance `(p, p)` of what a ridge regression on the borders `(n, m)` says of centred rows `(n, p)`."""
    seen = (borders - borders.mean(axis=0)) / (borders.std(axis=0) + FAINTEST_BORDER)
    n, m = seen.shape
    said = seen @ np.linalg.solve(seen.T @ seen / n + BORDER_RIDGE * np.eye(m), seen.T @ rows / n)
    return said.T @ said / n


def _shrunk(covariance: np.ndarray, share: float) -> np.ndarray:
    """With this share of it replaced by its mean diagonal."""
    level = np.trace(covariance) / len(covariance)
    return (1 - share) * covariance + share * level * np.eye(len(covariance))
