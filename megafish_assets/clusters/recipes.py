"""Whole ways from vectors to labels: the notebook's, kept as the baseline, and the platform's own."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace

import numpy as np

from megafish_assets.clusters.grouping import GROUPINGS, Choice, require_linkable
from megafish_assets.clusters.partitions import REACHES
from megafish_assets.features.layout import can_be_laid_out, grouped_positions
from megafish_assets.features.pooling import spread, tracklet_means, unit_codes
from megafish_assets.features.reduction import fit_projection
from megafish_assets.features.whitening import fit_whitening
from megafish_assets.footage.columns import require_one_length

LAYOUTS_A_SEED = 4
"""A layout is one try; a seed of the consensus is a partition of every graph at every resolution."""


@dataclass(frozen=True)
class Recipe:
    """How vectors become clusters."""

    features: str
    """A name in `FEATURE_SPACES`."""
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
    """UMAPs from one seed each, side by side: what one of them tears apart by chance, the others hold together. For
    `consensus` four times as many as seeds of each partition."""
    seed: int = 42

    def units_of(self, tracklets: np.ndarray) -> np.ndarray:
        """int64 `(n,)`, what is grouped, counted from 0, from the tracklet of each crop, None for none."""
        return unit_codes(tracklets if self.units == "tracklets" else np.full(len(tracklets), None))

    @property
    def steps(self) -> tuple[str, int]:
        """What takes long, and how many of it there are at most."""
        layouts = self.n_layouts if self.space == "umap" else 0
        return ("graphs of neighbors", layouts + len(REACHES)) if self.grouping == "consensus" else ("layouts", layouts)

    def to_json(self) -> str:
        """Every step, for the table that it made."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        """What `to_json` wrote, also an earlier version's, which knew steps that are none now."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in json.loads(text).items() if name in known})


NOTEBOOK = Recipe(features="pca", units="crops", space="features", grouping="kmeans", k=4)
DEFAULT = Recipe(
    features="whitened",
    units="tracklets",
    space="features",
    grouping="consensus",
    grouping_at_k="consensus",
)


RECIPES = {"default": DEFAULT, "notebook": NOTEBOOK}
"""What a person chooses by name, and may change in single steps."""


@dataclass(frozen=True)
class Grouped:
    """What a recipe made of the crops."""

    cluster_ids: np.ndarray
    """int64 `(n,)`, -1 for noise."""
    features: np.ndarray | None
    """float32 `(n, m)`, what was pooled or grouped; None where it was not kept."""
    positions: np.ndarray
    """float32 `(n_units, d)`, where the units were grouped: a row a tracklet, or a crop."""
    units: np.ndarray
    """int64 `(n,)`, the row of `positions` behind each crop."""
    space: str
    """Where they were grouped: the recipe's, or `features` where there are too few rows for `umap`."""

    def __post_init__(self) -> None:
        require_one_length(self, "cluster_ids", "features", "units")
        if int(self.units.max(initial=-1)) + 1 != len(self.positions):
            raise ValueError(f"{self.units.max(initial=-1) + 1} units at {len(self.positions)} positions")

    @property
    def unit_cluster_ids(self) -> np.ndarray:
        """int64 `(n_units,)`."""
        return self.cluster_ids[first_rows(self.units)]


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
    """The recipe on vectors `(n, d)`, the tracklet of each, `(n,)`, None for none, and its crop's border `(n, m)`.

    `groups` `(n,)`, the video of each crop, is what a grouping by stability resamples. Raises what its parts raise.
    """
    return grouped_features(
        recipe, FEATURE_SPACES[recipe.features].fitted(vectors, tracklets, borders), tracklets, groups
    )


def grouped_features(
    recipe: Recipe,
    features: np.ndarray,
    tracklets: np.ndarray,
    groups: np.ndarray | None = None,
    on_step: Callable[[], None] = lambda: None,
    fewest: int | None = None,
) -> Grouped:
    """The recipe's later half, on the features `(n, m)` that its first has made.

    Fewer clusters than k come of fewer units, and by `consensus` of units that no partition tells apart.
    `on_step` is told of each of the recipe's `steps` that is done; `fewest` units make a cluster where HDBSCAN groups,
    if given.
    """
    units = recipe.units_of(tracklets)
    n_units = int(units.max(initial=-1)) + 1
    k = None if recipe.k is None else min(recipe.k, n_units)
    if recipe.grouping == "average_linkage":
        require_linkable(n_units, k)  # before the layouts, which take far longer
    space = recipe.space if can_be_laid_out(units) else "features"
    rows = grouped_positions(features, units, recipe.seed, recipe.n_layouts, on_step) if space == "umap" else features
    positions = tracklet_means(rows, units).astype(np.float32)
    of_units = None if groups is None else np.asarray(groups)[first_rows(units)]
    choice = Choice(
        k,
        recipe.seed,
        of_units,
        fewest,
        features=features,
        units=units,
        n_seeds=max(1, recipe.n_layouts // LAYOUTS_A_SEED),
        on_step=on_step if recipe.grouping == "consensus" else lambda: None,
    )
    labels = GROUPINGS[recipe.grouping](positions, choice)
    return Grouped(spread(labels, units), features, positions, units, space)


def _whitened(vectors: np.ndarray, tracklets: np.ndarray, borders: np.ndarray | None) -> np.ndarray:
    return fit_whitening([vectors], tracklets, borders).project(vectors)


def _principal(vectors: np.ndarray, tracklets: np.ndarray, borders: np.ndarray | None) -> np.ndarray:
    return fit_projection([vectors]).project(vectors)


@dataclass(frozen=True)
class FeatureSpace:
    """What vectors become before they are grouped."""

    table: str
    """The asset, once a backbone, that holds them for a whole collection."""
    fitted: Callable[[np.ndarray, np.ndarray, np.ndarray | None], np.ndarray]
    """float32 `(n, m)` from vectors `(n, d)`, their tracklets `(n,)` and their crops' borders."""


FEATURE_SPACES = {"whitened": FeatureSpace("features", _whitened), "pca": FeatureSpace("pca", _principal)}
"""By the name that a recipe calls them by: `pca` standardised, `whitened` by what varies within a tracklet. A new one
is a row here, and an asset in `features/assets.py`."""
