"""Whole ways from vectors to labels: the notebook's, kept as the baseline, and the platform's own."""

from dataclasses import dataclass, replace

import numpy as np

from megafish_assets.clusters.grouping import GROUPINGS, Choice
from megafish_assets.clusters.manifold import grouped_positions
from megafish_assets.clusters.pooling import spread, tracklet_means, unit_codes
from megafish_assets.clusters.reduction import fit_projection
from megafish_assets.clusters.whitening import fit_whitening


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
    seed: int = 42


NOTEBOOK = Recipe(geometry="center", features="pca", units="crops", space="features", grouping="kmeans", k=4)
DEFAULT = Recipe(
    geometry="letterbox_views",
    features="whitened",
    units="tracklets",
    space="umap",
    grouping="hdbscan",
    # On real fish and on halves of them better than KMeans, which cuts long clusters and joins small ones.
    grouping_at_k="average_linkage",
)


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


def at_k(recipe: Recipe, k: int) -> Recipe:
    """The same recipe with the number of clusters given."""
    return replace(recipe, grouping=recipe.grouping_at_k, k=k)


def followed(recipe: Recipe, vectors: np.ndarray, tracklets: np.ndarray, groups: np.ndarray | None = None) -> Grouped:
    """The recipe on vectors `(n, d)` with the tracklet of each, `(n,)`, "" for none.

    `groups` `(n,)`, the video of each crop, is what a grouping by stability resamples. Raises what its parts raise,
    first of all TooFewTrackletsError.
    """
    features = FEATURES[recipe.features](vectors, tracklets)
    names = tracklets if recipe.units == "tracklets" else np.full(len(vectors), "")
    units = unit_codes(names)
    rows = grouped_positions(features, units, recipe.seed) if recipe.space == "umap" else features
    positions = tracklet_means(rows, units).astype(np.float32)
    first = np.unique(units, return_index=True)[1]
    choice = Choice(recipe.k, recipe.seed, None if groups is None else np.asarray(groups)[first])
    return Grouped(spread(GROUPINGS[recipe.grouping](positions, choice), units), features, positions, units)


def _whitened(vectors: np.ndarray, tracklets: np.ndarray) -> np.ndarray:
    return fit_whitening(vectors, tracklets).project(vectors)


def _principal(vectors: np.ndarray, tracklets: np.ndarray) -> np.ndarray:
    return fit_projection([vectors]).project(vectors)


FEATURES = {"whitened": _whitened, "pca": _principal}
"""float32 `(n, m)` from vectors `(n, d)` and their tracklets `(n,)`."""
