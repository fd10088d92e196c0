"""Inertia and silhouette for k = 2 to 40: every distance once for all k, beside scikit-learn k by k."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmarks import features
from benchmarks.features import NOTEBOOK_ROWS
from benchmarks.ways import Result, Stage
from megafish_assets.clusters.silhouette import silhouettes
from megafish_assets.clusters.sweeping import SWEEP_ROWS, SWEPT_KS, best_fits

SEED = 42

Fits = Sequence[tuple[float, np.ndarray]]
"""Inertia and labels for each k."""


@dataclass(frozen=True)
class Given:
    """Rows, and where distances are computed."""

    vectors: np.ndarray
    device: str

    @cached_property
    def fits(self) -> Fits:
        """Ours, for the ways that only judge them: made in their cold run."""
        return best_fits(self.vectors, SWEPT_KS, SEED)


def load(folder: Path, device: str) -> Given:
    """From the file."""
    return Given(features.load(folder, device), device)


def ours(given: Given) -> Result:
    """As the platform sweeps."""
    fits = best_fits(given.vectors, SWEPT_KS, SEED)
    return _table(fits, silhouettes(given.vectors, [labels for _, labels in fits], given.device))


def ours_silhouettes(given: Given) -> Result:
    """Their share in it."""
    return _table(given.fits, silhouettes(given.vectors, [labels for _, labels in given.fits], given.device))


def notebook(given: Given) -> Result:
    """KMeans and a silhouette for each k by itself."""
    from sklearn.cluster import KMeans

    vectors = _in_doubles(given.vectors)
    models = [KMeans(n_clusters=k, random_state=SEED).fit(vectors) for k in SWEPT_KS]
    fits = [(float(model.inertia_), model.labels_) for model in models]
    return _table(fits, _silhouettes_one_by_one(vectors, fits))


def exact(given: Given) -> Result:
    """scikit-learn's silhouettes of our labels: what ours must be."""
    return _table(given.fits, _silhouettes_one_by_one(_in_doubles(given.vectors), given.fits))


def _silhouettes_one_by_one(vectors: np.ndarray, fits: Fits) -> list[float]:
    from sklearn.metrics import silhouette_score

    return [silhouette_score(vectors, labels) for _, labels in fits]


def _in_doubles(vectors: np.ndarray) -> np.ndarray:
    """As the notebook's table keeps them."""
    return vectors.astype(np.float64)


def _table(fits: Fits, scores: Sequence[float]) -> Result:
    return {"inertia": np.array([inertia for inertia, _ in fits]), "silhouette": np.array(scores)}


def compare(ours: Result, other: Result) -> dict[str, float]:
    """The largest share by which our inertia is above the other's, and the largest difference of silhouettes."""
    return {
        "inertia_share": (ours["inertia"] / other["inertia"] - 1).max(),
        "silhouette": np.abs(ours["silhouette"] - other["silhouette"]).max(),
    }


STAGE = Stage(
    write=features.write,
    load=load,
    ways={
        "ours": ours,
        "ours_silhouettes": ours_silhouettes,
        "notebook": notebook,
        "exact": exact,
    },
    compare=compare,
    size=SWEEP_ROWS,
    unit="n_rows",
    growth=(SWEEP_ROWS // 4, SWEEP_ROWS // 2, SWEEP_ROWS, 2 * SWEEP_ROWS),
    full=NOTEBOOK_ROWS,
    beside={"exact": "ours_silhouettes"},
)
