"""UMAP of the vectors, to be looked at or to be grouped, and the silhouette of clusters in its space."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from megafish_assets.features.neighbors import nearest

N_NEIGHBORS, N_COMPONENTS = 15, 4
"""The notebook's."""

EPOCHS = 200
"""What UMAP itself takes above 10,000 rows; its 500 below take two and a half times as long for a trustworthiness 0.001
higher."""

GROUPED_NEIGHBORS, GROUPED_COMPONENTS = 30, 8
"""For grouping rather than for looking: on real fish and parts of them HDBSCAN's mean AMI is 0.757, with 15 0.730."""

FEWEST_NEIGHBORS, TRACKLETS_A_NEIGHBOR = 5, 4
"""Of few tracklets, a quarter at most: 60 of five species have a dozen of each, and the next thirty are other fish."""

FEWEST_LAID_OUT, FEWEST_ELSEWHERE = GROUPED_COMPONENTS + 2, 2
"""Rows that UMAP's spectral start needs, and rows that the largest tracklet must leave over as neighbors."""

ROWS_AT_A_TIME = 250
"""Rows whose distances to all others are held at once, with their order: 0.3 GB for the notebook's 98,454."""

SAID_EVERY_SECONDS = 10
EPOCHS_LINE = "{n_fmt} of {total_fmt} epochs, {rate_fmt}, about {remaining} left"


TRUSTWORTHINESS_ROWS = 2_000
"""It ranks every pair of rows."""


@dataclass(frozen=True)
class Lines:
    """What a progress bar writes to as to a file, and each state of it a line to be said."""

    say: Callable[[str], None]

    def write(self, text: str) -> None:
        """Says what is left without the bar's movements."""
        if line := text.strip():
            self.say(line)

    def flush(self) -> None:
        """Nothing is held back."""


def umap_positions(
    vectors: np.ndarray,
    n_neighbors: int,
    n_components: int,
    seed: int,
    on_rows: Callable[[int], None] = lambda n: None,
    say: Callable[[str], None] = lambda line: None,
) -> np.ndarray:
    """float32 `(n, n_components)`; seeded, and therefore on one core once the neighbors are known.

    It starts from the principal components, where scaled eigenvectors of the graph take a quarter of the time and
    their own approximate neighbors have to be compiled first. `on_rows` is told of how many rows they are known,
    `say` every ten seconds how many epochs are done, with their rate and an estimate.
    Raises ValueError for fewer rows than UMAP's graph and start need.
    Source: McInnes et al. 2018, arXiv:1802.03426; the start: Kobak and Linderman 2021, doi:10.1038/s41587-020-00809-z.
    """
    from umap import UMAP

    needed = max(n_neighbors + 1, n_components + 2)
    if len(vectors) < needed:
        raise ValueError(
            f"UMAP with {n_neighbors} neighbors and {n_components} components needs at least {needed} rows, given "
            f"{len(vectors)}: embed more crops or configure fewer"
        )
    model = UMAP(
        n_neighbors=n_neighbors,
        n_components=n_components,
        metric="euclidean",
        random_state=seed,
        n_jobs=1,
        n_epochs=EPOCHS,
        init="pca" if vectors.shape[1] >= n_components else "spectral",
        precomputed_knn=nearest(vectors, n_neighbors, on_rows),
        tqdm_kwds={"disable": False, "file": Lines(say), "mininterval": SAID_EVERY_SECONDS, "bar_format": EPOCHS_LINE},
    )
    return _laid_out(model, vectors)


def grouped_positions(
    features: np.ndarray,
    units: np.ndarray,
    seed: int,
    n_layouts: int,
    on_layout: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """float32 `(n, n_layouts * GROUPED_COMPONENTS)`, where rows that look alike lie close; seeded.

    `features` `(n, m)` are compared by cosine, `units` `(n,)` counts the tracklets: neighbors are sought among other
    tracklets only, for a fish is always like itself, and its own crops would fill the list. The minimum distance is
    0, so that dense regions stay dense. Raises ValueError where `can_be_laid_out` says no.
    """
    from umap import UMAP

    if not can_be_laid_out(units):
        largest = np.bincount(units, minlength=1).max()
        raise ValueError(
            f"{len(units)} rows, the largest tracklet of {largest}: grouping in UMAP space needs {FEWEST_LAID_OUT} "
            f"rows, {FEWEST_ELSEWHERE} of them outside any tracklet: embed more crops, or group the features themselves"
        )
    sizes = np.bincount(units)
    wanted = int(np.clip(len(sizes) // TRACKLETS_A_NEIGHBOR, FEWEST_NEIGHBORS, GROUPED_NEIGHBORS))
    n_neighbors = min(wanted, len(units) - int(sizes.max()) + 1)
    neighbors = neighbors_elsewhere(features, units, n_neighbors)
    layouts = []
    for offset in range(n_layouts):
        model = UMAP(
            n_neighbors=n_neighbors,
            n_components=GROUPED_COMPONENTS,
            metric="cosine",
            min_dist=0.0,
            random_state=(seed + offset) % 2**32,
            n_jobs=1,
            precomputed_knn=neighbors,
        )
        layouts.append(_laid_out(model, features))
        on_layout()
    return np.concatenate([layout - layout.mean(axis=0) for layout in layouts], axis=1).astype(np.float32)


def can_be_laid_out(units: np.ndarray) -> bool:
    """Whether `grouped_positions` has enough rows, given the tracklet of each, counted from 0."""
    largest = int(np.bincount(units, minlength=1).max())
    return len(units) >= FEWEST_LAID_OUT and len(units) - largest >= FEWEST_ELSEWHERE


def _laid_out(model, vectors: np.ndarray) -> np.ndarray:
    """float32 positions of `(n, d)` vectors by a UMAP that was given their neighbors."""
    with warnings.catch_warnings():
        # New rows are never put into the layout, which is all that it warns of.
        warnings.filterwarnings("ignore", message="precomputed_knn", category=UserWarning)
        return model.fit_transform(vectors).astype(np.float32)


def neighbors_elsewhere(features: np.ndarray, units: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Places `(n_rows, n)` int32 and cosine distances `(n_rows, n)` float32: the row itself, then its nearest others.

    Rows of the same unit are passed over; at least n - 1 others must be left for each row.
    """
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    rows = (features / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    places = np.empty((len(rows), n), dtype=np.int32)
    distances = np.empty((len(rows), n), dtype=np.float32)
    for start in range(0, len(rows), ROWS_AT_A_TIME):
        part = np.arange(start, min(start + ROWS_AT_A_TIME, len(rows)))
        apart = 1 - rows[part] @ rows.T
        apart[units[part, None] == units] = np.inf
        apart[np.arange(len(part)), part] = -np.inf
        near = np.argpartition(apart, n - 1, axis=1)[:, :n]
        found = np.take_along_axis(apart, near, axis=1)
        order = np.argsort(found, axis=1, kind="stable")
        places[part] = np.take_along_axis(near, order, axis=1)
        distances[part] = np.maximum(np.take_along_axis(found, order, axis=1), 0)
    return places, distances


def known(number: float) -> float | None:
    """The number, or None for nan, which the UI can't show."""
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
