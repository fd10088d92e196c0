"""UMAP of the vectors, and the silhouette of clusters in its space."""

import numpy as np

N_NEIGHBORS, N_COMPONENTS = 15, 4
"""The notebook's."""

SILHOUETTE_ROWS = 10_000
"""A silhouette costs the square of its rows, so larger sets are judged by a seeded sample."""

TRUSTWORTHINESS_ROWS = 2_000
"""It ranks every pair of rows."""


def umap_positions(vectors: np.ndarray, n_neighbors: int, n_components: int, seed: int) -> np.ndarray:
    """float32 `(n, n_components)`; seeded, and therefore on one core.

    Raises ValueError for fewer rows than UMAP's graph and spectral start need.
    Source: McInnes et al. 2018, arXiv:1802.03426.
    """
    from umap import UMAP

    needed = max(n_neighbors + 1, n_components + 2)
    if len(vectors) < needed:
        raise ValueError(
            f"UMAP with {n_neighbors} neighbours and {n_components} components needs at least {needed} rows, given "
            f"{len(vectors)}: embed more crops or configure fewer"
        )
    model = UMAP(n_neighbors=n_neighbors, n_components=n_components, metric="euclidean", random_state=seed, n_jobs=1)
    return model.fit_transform(vectors).astype(np.float32)


def known(number: float) -> float | None:
    """The number, or None for nan, which the page can't show."""
    return None if np.isnan(number) else number


def nonfinite_rows(positions: np.ndarray) -> int:
    """Rows of `(n, d)` that hold a nan or an infinity."""
    return int((~np.isfinite(positions)).any(axis=1).sum())


def sampled_trustworthiness(vectors: np.ndarray, positions: np.ndarray, n_neighbors: int, seed: int) -> float:
    """Trustworthiness of the positions on a seeded sample of rows, 0 to 1; nan for too few rows.

    Source: Venna and Kaski 2001, doi:10.1007/3-540-44668-0_68.
    """
    from sklearn.manifold import trustworthiness

    rows = np.random.default_rng(seed).permutation(len(vectors))[:TRUSTWORTHINESS_ROWS]
    if n_neighbors >= len(rows) / 2:
        return float("nan")
    return float(trustworthiness(vectors[rows], positions[rows], n_neighbors=n_neighbors))


def sampled_silhouette(positions: np.ndarray, labels: np.ndarray, seed: int) -> float:
    """Mean silhouette of the labels on a seeded sample of rows; nan where fewer than two clusters are left.

    Source of reporting it in UMAP space too: Lowe et al. 2024, arXiv:2406.02465.
    """
    from sklearn.metrics import silhouette_score

    rows = np.random.default_rng(seed).permutation(len(labels))[:SILHOUETTE_ROWS]
    if not 1 < len(np.unique(labels[rows])) < len(rows):
        return float("nan")
    return float(silhouette_score(positions[rows], labels[rows]))
