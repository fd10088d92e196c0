"""Principal components of standardised vectors, and the model that puts new rows among them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

VARIANCE = 0.95
"""Share of the variance that the kept components explain: the notebook's."""

CONSTANT = 1e-12
"""A variance that is less of the squared mean is what rounding leaves of none."""


ROWS_A_SHIFT = 16
"""Of so many rows one helps to say where a block lies: near its mean is enough, for the rest is taken off exactly."""

STANDARDISED_ROWS = 4096
"""Rows that are held in double precision at a time."""


@dataclass(frozen=True)
class Projection:
    """Standardise, then rotate: how a vector becomes principal components."""

    mean: np.ndarray
    """float64 `(d,)`."""
    scale: np.ndarray
    """float64 `(d,)`, standard deviation with n in the denominator; 1 where a dimension is constant."""
    components: np.ndarray
    """float64 `(m, d)`, rows of unit length, largest variance first."""
    spectrum: np.ndarray
    """float64 `(min(n, d),)`, share of the variance of every component, also of those that were not kept."""

    @property
    def variance_reached(self) -> float:
        """Share of the variance that the kept components explain."""
        return float(self.spectrum[: len(self.components)].sum())

    def project(self, vectors: np.ndarray) -> np.ndarray:
        """float32 `(n, m)` of `(n, d)`, also for rows that were not fitted."""
        # Scaled components instead of scaled rows: one pass in single precision. What rounds off the mean comes back.
        axes, mean = (self.components / self.scale).T, self.mean.astype(np.float32)
        return (vectors - mean) @ axes.astype(np.float32) + ((mean - self.mean) @ axes).astype(np.float32)

    def standardise(self, vectors: np.ndarray) -> np.ndarray:
        """float32 `(n, d)`, every dimension with mean 0 and standard deviation 1 over the fitted rows."""
        rows = np.empty(vectors.shape, dtype=np.float32)
        for start in range(0, len(vectors), STANDARDISED_ROWS):  # in double precision, but not all at once
            part = slice(start, start + STANDARDISED_ROWS)
            rows[part] = (vectors[part] - self.mean) / self.scale
        return rows

    def to_parts(self) -> dict[str, np.ndarray]:
        """Every number of the model, as matrices by name."""
        rows = {"mean": self.mean, "scale": self.scale, "spectrum": self.spectrum}
        return {name: row[None] for name, row in rows.items()} | {"component": self.components}

    @classmethod
    def from_parts(cls, parts: Mapping[str, np.ndarray]) -> "Projection":
        """The model whose parts these are."""
        return cls(parts["mean"][0], parts["scale"][0], parts["component"], parts["spectrum"][0])


@dataclass
class Moments:
    """Count, mean and covariance of rows that pass by once, block by block.

    Each block is taken about a mean of its own, so that no digits are lost to an offset, whichever block it is in.
    Source: Chan, Golub and LeVeque 1983, doi:10.1080/00031305.1983.10483115, of blocks instead of pairs.
    """

    counts: list[int] = field(default_factory=list)
    """Rows of each block."""
    means: list[np.ndarray] = field(default_factory=list)
    """float64 `(d,)`, of each block."""
    shifts: list[np.ndarray] = field(default_factory=list)
    """float64 `(d,)`, how far the mean of each block lies from what its products are about."""
    scatter: np.ndarray | None = None
    """float64 `(d, d)`, sum of the products of all rows, each about its block's shift."""

    def add(self, vectors: np.ndarray) -> None:
        """Counts a block in, float32 `(b, d)`: its products in single precision, which is twice as fast, the sums of
        blocks in double. Raises ValueError for vectors of another length than those before."""
        n, width = vectors.shape
        if not n:
            return
        if self.scatter is None:
            self.scatter = np.zeros((width, width))
        if width != len(self.scatter):
            raise ValueError(f"vectors of {width} and of {len(self.scatter)} numbers: make the embeddings again")
        about = vectors[::ROWS_A_SHIFT].mean(axis=0, dtype=np.float64).astype(np.float32)
        shifted = vectors - about
        self.counts.append(n)
        self.shifts.append(shifted.sum(axis=0, dtype=np.float64) / n)
        self.means.append(about + self.shifts[-1])
        self.scatter += shifted.T @ shifted

    @property
    def n(self) -> int:
        """Rows of all blocks."""
        return sum(self.counts)

    @property
    def mean(self) -> np.ndarray:
        """float64 `(d,)`."""
        return np.average(self.means, axis=0, weights=self.counts)

    @property
    def covariance(self) -> np.ndarray:
        """float64 `(d, d)`, with n in the denominator."""
        apart, shifts, counts = self.means - self.mean, np.array(self.shifts), np.array(self.counts)[:, None]
        return (self.scatter + apart.T @ (counts * apart) - shifts.T @ (counts * shifts)) / self.n

    @property
    def varies(self) -> np.ndarray:
        """bool `(d,)`, whether a dimension has more variance than rounding leaves of none."""
        return self.covariance.diagonal() > CONSTANT * self.mean**2


def moments(blocks: Iterable[np.ndarray]) -> Moments:
    """Of all blocks. Raises ValueError for fewer than 2 rows, or for rows that are all equal, which don't vary."""
    seen = Moments()
    for block in blocks:
        seen.add(block)
    if seen.n < 2:
        raise ValueError(
            f"a reduction needs at least 2 vectors, given {seen.n}: embed more crops, and those again whose vectors "
            "other weights or another geometry made"
        )
    if not np.isfinite(seen.scatter).all():
        raise ValueError(
            f"some of {seen.n} vectors are not finite, or too large to be squared: look at the embeddings' check, and "
            "make them again"
        )
    if not seen.varies.any():
        raise ValueError(f"all {seen.n} vectors are equal, so there is nothing to reduce: look at the embeddings")
    return seen


def fit_projection(blocks: Iterable[np.ndarray], variance: float = VARIANCE) -> Projection:
    """The fewest components that explain this share of the variance of standardised vectors.

    The vectors, float32 `(n, d)` in all, come in blocks and are passed through once, so that memory holds a block, a
    few matrices `(d, d)` and two vectors a block. A component's largest entry is positive.
    Raises ValueError for fewer than 2 rows, or for rows that are all equal, which have no variance to explain.
    Source: eigenvectors of the correlation matrix, as scikit-learn's StandardScaler and PCA find them.
    """
    seen = moments(blocks)
    covariance = seen.covariance
    variances = covariance.diagonal()
    varies = seen.varies
    scale = np.sqrt(np.where(varies, variances, 1.0))
    correlation = np.where(np.outer(varies, varies), covariance / np.outer(scale, scale), 0.0)
    values, vectors = np.linalg.eigh(correlation)
    spectrum = values[::-1].clip(min=0)[: min(seen.n, len(values))] / values.clip(min=0).sum()
    n_kept = min(len(spectrum), int(np.searchsorted(np.cumsum(spectrum), variance, side="right") + 1))
    components = vectors.T[::-1][:n_kept]
    largest = components[np.arange(n_kept), np.abs(components).argmax(axis=1)]
    return Projection(seen.mean, scale, components * np.sign(largest)[:, None], spectrum)
