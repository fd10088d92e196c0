"""Principal components of standardised vectors, and the model that puts new rows among them."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from megafish_assets.clusters.columns import PCA_MODEL
from megafish_assets.detections.columns import empty_frame

VARIANCE = 0.95
"""Share of the variance that the kept components explain: the notebook's."""


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
        return (self.standardise(vectors) @ self.components.T.astype(np.float32)).astype(np.float32)

    def standardise(self, vectors: np.ndarray) -> np.ndarray:
        """float32 `(n, d)`, every dimension with mean 0 and standard deviation 1 over the fitted rows."""
        return ((vectors - self.mean) / self.scale).astype(np.float32)

    def to_frame(self) -> pl.DataFrame:
        """The columns `PCA_MODEL`."""
        parts = [("mean", 0, self.mean), ("scale", 0, self.scale), ("spectrum", 0, self.spectrum)]
        parts += [("component", index, row) for index, row in enumerate(self.components)]
        rows = [(part, index, values.tolist()) for part, index, values in parts]
        return pl.DataFrame(rows, schema=empty_frame(PCA_MODEL).schema, orient="row")

    @classmethod
    def from_frame(cls, frame: pl.DataFrame) -> "Projection":
        """The model in a frame that `to_frame` made."""
        parts = frame.sort("index").partition_by("part", as_dict=True)
        rows = {part: np.array(rows["values"].to_list()) for (part,), rows in parts.items()}
        return cls(rows["mean"][0], rows["scale"][0], rows["component"], rows["spectrum"][0])


def fit_projection(vectors: np.ndarray, variance: float = VARIANCE) -> Projection:
    """The fewest components that explain this share of the variance of `(n, d)` standardised vectors.

    Raises ValueError for fewer than 2 rows, or for rows that are all equal, which have no variance to explain.
    Source: scikit-learn's StandardScaler and PCA.
    """
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    if len(vectors) < 2:
        raise ValueError(f"PCA needs at least 2 vectors, given {len(vectors)}: embed more crops")
    double = vectors.astype(np.float64)
    scaler = StandardScaler().fit(double)
    if not scaler.var_.any():
        raise ValueError(f"all {len(vectors)} vectors are equal, so there is nothing to reduce: look at the embeddings")
    pca = PCA(svd_solver="covariance_eigh").fit(scaler.transform(double))
    spectrum = pca.explained_variance_ratio_
    n_kept = min(len(spectrum), int(np.searchsorted(np.cumsum(spectrum), variance, side="right") + 1))
    return Projection(scaler.mean_, scaler.scale_, pca.components_[:n_kept], spectrum)
