"""UMAP to four dimensions, seeded: exact neighbors and a start from the components, beside umap-learn as it comes."""

import warnings

import numpy as np

from benchmarks.features import NOTEBOOK_ROWS, load, write
from benchmarks.ways import Result, Stage
from megafish_assets.features.layout import N_COMPONENTS, N_NEIGHBORS, sampled_trustworthiness, umap_positions

SEED = 42
ROWS = 10_000


def ours(vectors: np.ndarray) -> Result:
    """As the platform lays rows out."""
    return {"trust": _trust(vectors, umap_positions(vectors, N_NEIGHBORS, N_COMPONENTS, SEED))}


def seeded(vectors: np.ndarray) -> Result:
    """The notebook's call with a seed, which it lacks: the same result every time, on one core."""
    return _plain(vectors, SEED)


def notebook(vectors: np.ndarray) -> Result:
    """The notebook's call: no two runs agree."""
    return _plain(vectors, None)


def _plain(vectors: np.ndarray, seed: int | None) -> Result:
    from umap import UMAP

    model = UMAP(n_neighbors=N_NEIGHBORS, n_components=N_COMPONENTS, metric="euclidean", random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a seed costs the other cores is what is measured
        return {"trust": _trust(vectors, model.fit_transform(vectors))}


def _trust(vectors: np.ndarray, positions: np.ndarray) -> np.ndarray:
    return np.array([sampled_trustworthiness(vectors, positions, N_NEIGHBORS, SEED)])


def compare(ours: Result, other: Result) -> dict[str, float]:
    """How much less our positions can be trusted."""
    return {"trustworthiness": float(other["trust"][0] - ours["trust"][0])}


STAGE = Stage(
    write=write,
    load=load,
    ways={"ours": ours, "seeded": seeded, "notebook": notebook},
    compare=compare,
    size=ROWS,
    unit="n_rows",
    growth=(ROWS // 4, ROWS // 2, ROWS, 2 * ROWS),
    full=NOTEBOOK_ROWS,
)
