"""Labels, centres and positions as the tables that are kept."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from megafish_assets.clusters.columns import CENTRES, CLUSTERS, MODEL, QUALITY, SWEEP, UMAP
from megafish_assets.clusters.pooling import tracklet_means
from megafish_assets.clusters.recipes import Grouped, Recipe, first_rows
from megafish_assets.clusters.sweeping import Swept
from megafish_assets.detections.columns import empty_frame
from megafish_assets.detections.videos import video_of
from megafish_assets.embeddings.frames import to_matrix


def clusters_frame(detection_ids: np.ndarray, tracklets: np.ndarray, found: Grouped, recipe: Recipe) -> pl.DataFrame:
    """The columns `CLUSTERS`, a row an id."""
    positions, centres = found.positions[found.units], centres_of(found)
    noise = found.labels < 0
    apart = np.full(len(positions), np.nan)
    apart[~noise] = np.linalg.norm(positions[~noise] - centres[found.labels[~noise]], axis=1)
    columns = {
        "detection_id": detection_ids,
        "cluster": found.labels,
        "tracklet_id": tracklets,
        "distance_to_centre": apart,
        "position": positions.tolist(),
    }
    rows = pl.DataFrame(columns).with_columns(
        pl.col("distance_to_centre").fill_nan(None), pl.lit(recipe.to_json()).alias("recipe")
    )
    return _keyed(rows, CLUSTERS)


def grouped_rows(clusters: pl.DataFrame) -> tuple[Grouped, Recipe]:
    """What `clusters_frame` was made from, but for the features, which are empty; rows sorted by id.

    Raises ValueError for clusters of several recipes.
    """
    recipe, rows = recipe_of(clusters), clusters.sort("detection_id")
    tracklets = rows["tracklet_id"].to_numpy().astype(str)
    units = recipe.units_of(tracklets)
    positions = to_matrix(rows["position"])[first_rows(units)]
    labels = rows["cluster"].to_numpy()
    return Grouped(labels, np.empty((len(labels), 0), np.float32), positions, units, recipe.space), recipe


def recipe_of(clusters: pl.DataFrame) -> Recipe:
    """What made them. Raises ValueError for clusters of several recipes."""
    recipes = clusters["recipe"].unique().to_list()
    if len(recipes) != 1:
        raise ValueError(f"clusters of {len(recipes)} recipes: materialise clusters again")
    return Recipe.from_json(recipes[0])


def centres_of(found: Grouped) -> np.ndarray:
    """float64 `(k, d)`, mean position of the units of each cluster."""
    clear = found.unit_labels >= 0
    return tracklet_means(found.positions[clear], found.unit_labels[clear])


def tracklets_of(detection_ids: np.ndarray, tracklets: pl.LazyFrame) -> np.ndarray:
    """str `(n,)`, the tracklet of each id, "" where it has none; `tracklets` holds the columns `TRACKLETS`."""
    ids = pl.LazyFrame({"detection_id": pl.Series(detection_ids, dtype=pl.String)})
    known = tracklets.select("detection_id", "tracklet_id")
    met = ids.join(known, on="detection_id", how="left", maintain_order="left").collect()
    return met["tracklet_id"].fill_null("").to_numpy().astype(str)


def videos_of(detection_ids: np.ndarray) -> np.ndarray:
    """str `(n,)`, the video of each id."""
    ids = pl.DataFrame({"detection_id": pl.Series(detection_ids, dtype=pl.String)})
    return ids.select(video_of(pl.col("detection_id")))["detection_id"].to_numpy().astype(str)


def measures_frame(numbers: Mapping[str, float]) -> pl.DataFrame:
    """The columns `QUALITY`, a row a measure."""
    rows = list(numbers.items())
    return pl.DataFrame(rows, schema=empty_frame(QUALITY).schema, orient="row").with_columns(
        pl.col("value").fill_nan(None)
    )


def model_frame(parts: Mapping[str, np.ndarray]) -> pl.DataFrame:
    """The columns `MODEL` of a model's matrices, by name."""
    rows = [(part, index, row.tolist()) for part, matrix in parts.items() for index, row in enumerate(matrix)]
    return pl.DataFrame(rows, schema=empty_frame(MODEL).schema, orient="row")


def model_parts(frame: pl.DataFrame) -> dict[str, np.ndarray]:
    """The matrices in a frame that `model_frame` made."""
    parts = frame.sort("index").partition_by("part", as_dict=True)
    return {part: np.array(rows["values"].to_list()) for (part,), rows in parts.items()}


def sweep_frame(swept: Sequence[Swept], n_rows: int) -> pl.DataFrame:
    """The columns `SWEEP`, a row a k, of a sweep over so many rows."""
    rows = [(one.k, one.inertia, one.silhouette, n_rows) for one in swept]
    return pl.DataFrame(rows, schema=empty_frame(SWEEP).schema, orient="row")


def centres_frame(centres: np.ndarray) -> pl.DataFrame:
    """The columns `CENTRES`, a row a cluster, from `(k, d)`."""
    rows = {"cluster": list(range(len(centres))), "centre": centres.tolist()}
    return pl.DataFrame(rows, schema=empty_frame(CENTRES).schema)


def positions_frame(detection_ids: np.ndarray, positions: np.ndarray) -> pl.DataFrame:
    """The columns `UMAP`, a row an id, from `(n, d)`."""
    return _keyed(pl.DataFrame({"detection_id": detection_ids, "position": positions.tolist()}), UMAP)


def labelled(positions: pl.DataFrame, clusters: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Positions `(n, d)` and labels `(n,)` of the rows that have both; a row without a cluster is not noise.

    Raises ValueError where no row has both.
    """
    both = positions.join(clusters.select("detection_id", "cluster"), on="detection_id").sort("detection_id")
    if not both.height:
        raise ValueError(f"none of {positions.height} rows has a cluster: materialise clusters again")
    return to_matrix(both["position"]), both["cluster"].to_numpy()


def _keyed(frame: pl.DataFrame, columns: dict) -> pl.DataFrame:
    ids = pl.col("detection_id").cast(pl.String)
    return frame.with_columns(ids, video_of(ids).alias("video")).select(
        pl.col(name).cast(column.dtype) for name, column in columns.items()
    )


def require_fit(asset: str, fitted_to: pl.Series, vectors_version: str) -> None:
    """Raises ValueError where a model was fitted to vectors of another version."""
    versions = fitted_to.unique().to_list()
    if versions != [vectors_version]:
        raise ValueError(
            f"{asset} was fitted to vectors {versions}, these are {vectors_version}: materialise {asset} first"
        )
