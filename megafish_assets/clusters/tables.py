"""Labels, centres and positions as the tables that are kept."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from megafish_assets.clusters.columns import CENTRES, CLUSTERS, SWEEP
from megafish_assets.clusters.recipes import Grouped, Recipe, first_rows
from megafish_assets.clusters.sweeping import Swept
from megafish_assets.embeddings.tables import to_matrix
from megafish_assets.features.layout import can_be_laid_out
from megafish_assets.features.pooling import tracklet_means
from megafish_assets.features.tables import keyed
from megafish_assets.footage.columns import empty_table


def clusters_table(detection_ids: np.ndarray, tracklets: np.ndarray, found: Grouped, recipe: Recipe) -> pl.DataFrame:
    """The columns `CLUSTERS`, a row an id."""
    positions, centres = found.positions[found.units], centres_of(found)
    noise = found.cluster_ids < 0
    apart = np.full(len(positions), np.nan)
    apart[~noise] = np.linalg.norm(positions[~noise] - centres[found.cluster_ids[~noise]], axis=1)
    columns = {
        "detection_id": detection_ids,
        "cluster": found.cluster_ids,
        "tracklet_id": pl.Series(tracklets.tolist(), dtype=pl.String),
        "distance_to_centre": apart,
        "position": positions.tolist(),
    }
    rows = pl.DataFrame(columns).with_columns(
        pl.col("distance_to_centre").fill_nan(None), pl.lit(recipe.to_json()).alias("recipe")
    )
    return keyed(rows, CLUSTERS)


def grouped_rows(clusters: pl.DataFrame) -> tuple[Grouped, Recipe]:
    """What `clusters_table` was made from, without the features; rows sorted by id.

    Raises ValueError for clusters of several recipes.
    """
    recipe, rows = recipe_of(clusters), clusters.sort("detection_id")
    tracklets = rows["tracklet_id"].to_numpy()
    units = recipe.units_of(tracklets)
    positions = to_matrix(rows["position"])[first_rows(units)]
    space = recipe.space if can_be_laid_out(units) else "features"
    return Grouped(rows["cluster"].to_numpy(), None, positions, units, space), recipe


def recipe_of(clusters: pl.DataFrame) -> Recipe:
    """What made them. Raises ValueError for clusters of several recipes."""
    recipes = clusters["recipe"].unique().to_list()
    if len(recipes) != 1:
        raise ValueError(f"clusters of {len(recipes)} recipes: materialise clusters again")
    return Recipe.from_json(recipes[0])


def centres_of(found: Grouped) -> np.ndarray:
    """float64 `(k, d)`, mean position of the units of each cluster."""
    clear = found.unit_cluster_ids >= 0
    return tracklet_means(found.positions[clear], found.unit_cluster_ids[clear])


def sweep_table(swept: Sequence[Swept], n_rows: int) -> pl.DataFrame:
    """The columns `SWEEP`, a row a k, of a sweep over so many rows."""
    rows = [(one.k, one.inertia, one.silhouette, n_rows) for one in swept]
    return pl.DataFrame(rows, schema=empty_table(SWEEP).schema, orient="row")


def centres_table(centres: np.ndarray) -> pl.DataFrame:
    """The columns `CENTRES`, a row a cluster, from `(k, d)`."""
    rows = {"cluster": list(range(len(centres))), "centre": centres.tolist()}
    return pl.DataFrame(rows, schema=empty_table(CENTRES).schema)
