"""Inertia and silhouette for k = 2 to 40: every distance once for all k, beside scikit-learn k by k."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import features
from benchmarks.features import NOTEBOOK_ROWS
from benchmarks.ways import Result, Stage
from megafish_assets.clusters.silhouette import silhouettes
from megafish_assets.clusters.sweeping import SWEEP_ROWS, SWEPT_KS, best_fits

SEED = 42


@dataclass(frozen=True)
class Given:
    """Rows, and where distances are computed."""

    vectors: np.ndarray
    device: str


def load(folder: Path, device: str) -> Given:
    """From the file."""
    return Given(features.load(folder, device), device)


def ours(given: Given) -> Result:
    """As the platform sweeps."""
    fits = best_fits(given.vectors, SWEPT_KS, SEED)
    return _table(fits, silhouettes(given.vectors, [labels for _, labels in fits], given.device))


def ours_fits(given: Given) -> Result:
    """The share of KMeans in it."""
    return _inertias(best_fits(given.vectors, SWEPT_KS, SEED))


def notebook(given: Given) -> Result:
    """KMeans and a silhouette for each k by itself."""
    from sklearn.metrics import silhouette_score

    vectors = _in_doubles(given.vectors)
    fits = _notebook_fits(vectors)
    return _table(fits, [silhouette_score(vectors, labels) for _, labels in fits])


def notebook_fits(given: Given) -> Result:
    """The share of KMeans in it."""
    return _inertias(_notebook_fits(_in_doubles(given.vectors)))


def exact(given: Given) -> Result:
    """scikit-learn's silhouettes of our labels: what ours must be."""
    from sklearn.metrics import silhouette_score

    fits, vectors = best_fits(given.vectors, SWEPT_KS, SEED), _in_doubles(given.vectors)
    return _table(fits, [silhouette_score(vectors, labels) for _, labels in fits])


def _in_doubles(vectors: np.ndarray) -> np.ndarray:
    """As the notebook's table keeps them."""
    return vectors.astype(np.float64)


def _notebook_fits(vectors: np.ndarray) -> list[tuple[float, np.ndarray]]:
    from sklearn.cluster import KMeans

    models = [KMeans(n_clusters=k, random_state=SEED).fit(vectors) for k in SWEPT_KS]
    return [(float(model.inertia_), model.labels_) for model in models]


def _table(fits: Sequence[tuple[float, np.ndarray]], scores: Sequence[float]) -> Result:
    return _inertias(fits) | {"silhouette": np.array(scores)}


def _inertias(fits: Sequence[tuple[float, np.ndarray]]) -> dict[str, np.ndarray]:
    return {"inertia": np.array([inertia for inertia, _ in fits])}


def compare(ours: Result, other: Result) -> dict[str, float]:
    """The largest share by which our inertia is above the other's, and the largest difference of silhouettes."""
    inertia_share = {"inertia_share": (ours["inertia"] / other["inertia"] - 1).max()}
    if "silhouette" not in other:
        return inertia_share
    return inertia_share | {"silhouette": np.abs(ours["silhouette"] - other["silhouette"]).max()}


STAGE = Stage(
    write=features.write,
    load=load,
    ways={
        "ours": ours,
        "ours_fits": ours_fits,
        "notebook": notebook,
        "notebook_fits": notebook_fits,
        "exact": exact,
    },
    compare=compare,
    size=SWEEP_ROWS,
    unit="n_rows",
    growth=(SWEEP_ROWS // 4, SWEEP_ROWS // 2, SWEEP_ROWS, 2 * SWEEP_ROWS),
    full=NOTEBOOK_ROWS,
    repeats={"exact": 0},
    beside={"notebook_fits": "ours_fits"},
)
