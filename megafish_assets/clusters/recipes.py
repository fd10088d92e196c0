"""Whole ways from vectors to labels: the notebook's, kept as the baseline, and the platform's own."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np

from megafish_assets.clusters.grouping import GROUPINGS, Choice, require_linkable
from megafish_assets.embeddings.geometry import GEOMETRY
from megafish_assets.features.layout import can_be_laid_out, grouped_positions
from megafish_assets.features.pooling import spread, tracklet_means, unit_codes
from megafish_assets.features.reduction import fit_projection
from megafish_assets.features.whitening import fit_whitening


@dataclass(frozen=True)
class Recipe:
    """How vectors become clusters."""

    geometry: str
    """A name in `embeddings.geometry.GEOMETRIES`: how the vectors saw the crops."""
    features: str
    """`pca` (standardised) or `whitened` by what varies within a tracklet."""
    units: str
    """What is grouped: `crops` or `tracklets`."""
    space: str
    """Where it is grouped: `features`, or `umap` of them."""
    grouping: str
    """A name in `GROUPINGS`."""
    k: int | None = None
    """Number of clusters; None where the grouping finds it."""
    grouping_at_k: str = "kmeans"
    """What takes its place once k is given."""
    n_layouts: int = 12
    """UMAPs from one seed each, side by side: what one of them tears apart by chance, the others hold together."""
    seed: int = 42

    def units_of(self, tracklets: np.ndarray) -> np.ndarray:
        """int64 `(n,)`, what is grouped, counted from 0, from the tracklet of each crop, "" for none."""
        return unit_codes(tracklets if self.units == "tracklets" else np.full(len(tracklets), ""))

    def to_json(self) -> str:
        """Every step, for the table that it made."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        """What `to_json` wrote."""
        return cls(**json.loads(text))


NOTEBOOK = Recipe(geometry="center", features="pca", units="crops", space="features", grouping="kmeans", k=4)
DEFAULT = Recipe(
    geometry=GEOMETRY,
    features="whitened",
    units="tracklets",
    space="umap",
    grouping="hdbscan",
    # On real fish and on halves of them better than KMeans, which cuts long clusters and joins small ones.
    grouping_at_k="average_linkage",
)


FEATURE_TABLE = {"whitened": "features", "pca": "pca"}
"""The table that holds each of `FEATURES`."""

RECIPES = {"default": DEFAULT, "notebook": NOTEBOOK}
"""What a person chooses by name, and may change in single steps."""


@dataclass(frozen=True)
class Grouped:
    """What a recipe made of the crops."""

    labels: np.ndarray
    """int64 `(n,)`, -1 for noise."""
    features: np.ndarray
    """float32 `(n, m)`, what was pooled or grouped."""
    positions: np.ndarray
    """float32 `(n_units, d)`, where the units were grouped: a row a tracklet, or a crop."""
    units: np.ndarray
    """int64 `(n,)`, the row of `positions` behind each crop."""
    space: str
    """Where they were grouped: the recipe's, or `features` where there are too few rows for `umap`."""

    @property
    def unit_labels(self) -> np.ndarray:
        """int64 `(n_units,)`."""
        return self.labels[first_rows(self.units)]


def first_rows(units: np.ndarray) -> np.ndarray:
    """int64 `(n_units,)`, the first row of each unit."""
    return np.unique(units, return_index=True)[1]


def at_k(recipe: Recipe, k: int) -> Recipe:
    """The same recipe with the number of clusters given."""
    return replace(recipe, grouping=recipe.grouping_at_k, k=k)


def run_recipe(
    recipe: Recipe,
    vectors: np.ndarray,
    tracklets: np.ndarray,
    borders: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> Grouped:
    """The recipe on vectors `(n, d)` with the tracklet of each, `(n,)`, "" for none, and its crop's border `(n, m)`.

    `groups` `(n,)`, the video of each crop, is what a grouping by stability resamples. Raises what its parts raise.
    """
    return grouped_features(recipe, FEATURES[recipe.features](vectors, tracklets, borders), tracklets, groups)


def grouped_features(
    recipe: Recipe,
    features: np.ndarray,
    tracklets: np.ndarray,
    groups: np.ndarray | None = None,
    on_layout: Callable[[], None] = lambda: None,
    fewest: int | None = None,
) -> Grouped:
    """The recipe's later half, on the features `(n, m)` that its first has made; of fewer units than k, one each.

    `on_layout` is told of each layout that is done; `fewest` units make a cluster where HDBSCAN groups, if given.
    """
    units = recipe.units_of(tracklets)
    n_units = int(units.max(initial=-1)) + 1
    k = None if recipe.k is None else min(recipe.k, n_units)
    if recipe.grouping == "average_linkage":
        require_linkable(n_units, k)  # before the layouts, which take far longer
    space = recipe.space if can_be_laid_out(units) else "features"
    rows = grouped_positions(features, units, recipe.seed, recipe.n_layouts, on_layout) if space == "umap" else features
    positions = tracklet_means(rows, units).astype(np.float32)
    of_units = None if groups is None else np.asarray(groups)[first_rows(units)]
    labels = GROUPINGS[recipe.grouping](positions, Choice(k, recipe.seed, of_units, fewest))
    return Grouped(spread(labels, units), features, positions, units, space)


def _whitened(vectors: np.ndarray, tracklets: np.ndarray, borders: np.ndarray | None) -> np.ndarray:
    return fit_whitening([vectors], tracklets, borders).project(vectors)


def _principal(vectors: np.ndarray, tracklets: np.ndarray, borders: np.ndarray | None) -> np.ndarray:
    return fit_projection([vectors]).project(vectors)


FEATURES = {"whitened": _whitened, "pca": _principal}
"""float32 `(n, m)` from vectors `(n, d)`, their tracklets `(n,)` and their crops' borders."""
