"""Names from a few labelled units to all: one classifier, for one label a kind as for twenty.

A unit is seen by its own features, and by those of its neighborhood: what a graph of nearest neighbors, labelled or
not, smooths them to. With one label a kind the neighborhood decides, as label propagation would; with many labels the
fish itself does, and nobody has to choose between the two.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, diags_array

from megafish_assets.clusters.partitions import tracklet_graph
from megafish_assets.features.layout import neighbors_elsewhere
from megafish_assets.features.whitening import unit_rows
from megafish_assets.footage.columns import require_one_length

NEIGHBORS = 10
"""Of a unit in the graph: 7 to 15 are as good, of real fish with one label a kind 30 lose .03 of macro-F1."""

STEPS, STEP_SHARE = 8, 0.5
"""How often, and how far, each unit is drawn to its neighbors: 4 lose .01 with one label a kind, 16 gain nothing."""

INVERSE_PENALTY = 10.0
"""Of the logistic regression, on rows of length 1; 3 to 30 are as good, 1 loses .02 with twenty labels a kind."""

MOST_ITERATIONS = 500

LEAST = 1e-6
"""A probability is at least so far from 0 and 1 before its odds are taken."""

ROWS_AT_A_TIME = 4096
"""Units that are compared with all labelled ones at once: 80 MB beside 5,000 of them."""


def neighborhoods(features: np.ndarray) -> np.ndarray:
    """float32 `(n, m)` of unit length: the features `(n, m)` smoothed over a graph of their nearest neighbors.

    Source: Wu et al. 2019, arXiv:1902.07153, with UMAP's fuzzy weights.
    """
    n = len(features)
    if n < 3:
        return features.astype(np.float32)
    near = neighbors_elsewhere(features, np.arange(n), min(NEIGHBORS, n - 1) + 1)
    graph = tracklet_graph(*near, np.arange(n))
    degrees = np.asarray(graph.sum(axis=1)).ravel()
    step = csr_array(diags_array(1 / np.maximum(degrees, LEAST)) @ graph).astype(np.float32)
    smoothed = features.astype(np.float32)
    for _ in range(STEPS):
        smoothed = (1 - STEP_SHARE) * smoothed + STEP_SHARE * (step @ smoothed)
    return unit_rows(smoothed).astype(np.float32)


@dataclass(frozen=True)
class Seen:
    """All units as the classifier sees them."""

    own: np.ndarray
    """float32 `(n, m)` of unit length."""
    around: np.ndarray
    """float32 `(n, m)` of unit length, see `neighborhoods`."""

    def __post_init__(self) -> None:
        require_one_length(self, "own", "around")

    def __len__(self) -> int:
        return len(self.own)

    def rows(self, places: np.ndarray) -> np.ndarray:
        """float32 `(len(places), 2 m)`, side by side."""
        return np.concatenate([self.own[places], self.around[places]], axis=1)

    @classmethod
    def of(cls, features: np.ndarray) -> "Seen":
        """Of features `(n, m)`, all units' at once."""
        own = unit_rows(features).astype(np.float32)
        return cls(own, neighborhoods(own))


@dataclass(frozen=True)
class Taught:
    """Units whose name a person gave, in the order of the units."""

    places: np.ndarray
    """int64 `(n,)`, which units."""
    names: np.ndarray
    """str `(n,)`."""
    groups: np.ndarray
    """`(n,)`, the video of each: what folds keep together."""

    def __post_init__(self) -> None:
        require_one_length(self, "places", "names", "groups")

    def __len__(self) -> int:
        return len(self.places)

    @property
    def kinds(self) -> np.ndarray:
        """str `(k,)`, the names, sorted."""
        return np.unique(self.names)

    def of(self, rows: np.ndarray) -> "Taught":
        """Those of a mask or of row numbers."""
        return Taught(self.places[rows], self.names[rows], self.groups[rows])


@dataclass(frozen=True)
class Classified:
    """What the classifier says of some units."""

    names: np.ndarray
    """str `(n,)`, the likeliest name of each."""
    signs: np.ndarray
    """float64 `(n, 3)`, by which to tell whether that is right: its log-odds, and the similarity of the nearest
    labelled unit, by its own features and by its neighborhood's."""
    nearest: np.ndarray
    """int64 `(n,)`, that unit by its own features."""
    nearest_similarity: np.ndarray
    """float64 `(n,)`, its cosine."""

    def __post_init__(self) -> None:
        require_one_length(self, "names", "signs", "nearest", "nearest_similarity")


def classified(seen: Seen, taught: Taught, places: np.ndarray, never: dict[int, str] | None = None) -> Classified:
    """What those who are taught tell of the units at `places`; `never` says what a unit, by its place, is not.

    Nobody is his own nearest. Raises ValueError where nobody is taught.
    Source: balanced multinomial logistic regression, as scikit-learn has it.
    """
    if not len(taught):
        raise ValueError("nobody has named anything: a classifier needs one label at least")
    kinds, parts = taught.kinds, []
    probabilities = _fitted(seen, taught)
    for part in _blocks(places):
        odds = probabilities(part)
        for row in np.flatnonzero(np.isin(part, list(never or {}))):
            odds[row, kinds == never[int(part[row])]] = 0.0
        best = odds.argmax(axis=1)
        # What is left of a name that is ruled out is no evidence for another: the rest is not scaled up.
        chosen = np.clip(odds[np.arange(len(part)), best], LEAST, 1 - LEAST)
        similar = _similarity(seen.own, taught.places, part)
        nearest = similar.argmax(axis=1)
        own = similar[np.arange(len(part)), nearest]
        around = _similarity(seen.around, taught.places, part).max(axis=1)
        signs = np.stack([np.log(chosen / (1 - chosen)), own, around], axis=1).astype(np.float64)
        parts.append(Classified(kinds[best], signs, taught.places[nearest], own.astype(np.float64)))
    return Classified(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in Classified.__dataclass_fields__)
    )


def represented(seen: Seen, taught: Taught) -> np.ndarray:
    """float64 `(n_taught,)`: the units, itself among them, that each labelled unit is the nearest labelled one of.

    A person names the hard cases first, since `name_next` asks for them: taken as they are, they would tell that the
    classifier is right far less often than it is. Each counts as often as there are units like it.
    Source: Loog 2012, "Nearest neighbor-based importance weighting", doi:10.1109/MLSP.2012.6349714.
    """
    counts = np.zeros(len(taught))
    for part in _blocks(np.arange(len(seen))) if len(taught) else ():
        nearest = (seen.own[part] @ seen.own[taught.places].T).argmax(axis=1)
        counts += np.bincount(nearest, minlength=len(taught))
    return np.maximum(counts, 1.0)  # two labelled units that are equal share theirs, and the second is left with none


def _blocks(places: np.ndarray) -> Iterator[np.ndarray]:
    """Some at a time; one of none for none, so that whatever is joined has its columns."""
    for start in range(0, max(1, len(places)), ROWS_AT_A_TIME):
        yield places[start : start + ROWS_AT_A_TIME]


def _fitted(seen: Seen, taught: Taught):
    """A function of places, to probabilities float64 `(n, k)` in the order of the kinds."""
    from sklearn.linear_model import LogisticRegression

    if len(taught.kinds) == 1:
        return lambda places: np.ones((len(places), 1))
    model = LogisticRegression(C=INVERSE_PENALTY, class_weight="balanced", max_iter=MOST_ITERATIONS)
    with warnings.catch_warnings():
        # With one or two labels a kind it takes names for numbers that somebody wrote as text.
        warnings.filterwarnings("ignore", message="The number of unique classes", category=UserWarning)
        model.fit(seen.rows(taught.places).astype(np.float64), taught.names)
    return lambda places: (
        model.predict_proba(seen.rows(places)).astype(np.float64) if len(places) else np.empty((0, len(model.classes_)))
    )


def _similarity(rows: np.ndarray, labelled: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Cosines `(len(places), len(labelled))`; -1 with oneself."""
    similar = rows[places] @ rows[labelled].T
    similar[places[:, None] == labelled[None, :]] = -1.0
    return similar
