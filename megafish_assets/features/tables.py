"""Models and positions as the tables that are kept."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from megafish_assets.embeddings.tables import to_matrix
from megafish_assets.features.columns import MODEL, UMAP
from megafish_assets.footage.columns import empty_table, typed
from megafish_assets.footage.ids import video_of


def model_table(parts: Mapping[str, np.ndarray]) -> pl.DataFrame:
    """The columns `MODEL` of a model's matrices, by name."""
    rows = [(part, index, row.tolist()) for part, matrix in parts.items() for index, row in enumerate(matrix)]
    return pl.DataFrame(rows, schema=empty_table(MODEL).schema, orient="row")


def model_parts(frame: pl.DataFrame) -> dict[str, np.ndarray]:
    """The matrices in a frame that `model_table` made."""
    parts = frame.sort("index").partition_by("part", as_dict=True)
    return {part: np.array(rows["values"].to_list()) for (part,), rows in parts.items()}


def positions_table(detection_ids: np.ndarray, positions: np.ndarray) -> pl.DataFrame:
    """The columns `UMAP`, a row an id, from `(n, d)`."""
    return keyed(pl.DataFrame({"detection_id": detection_ids, "position": positions.tolist()}), UMAP)


def labelled(positions: pl.DataFrame, clusters: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Positions `(n, d)` and labels `(n,)` of the rows that have both; a row without a cluster is not noise.

    Raises ValueError where no row has both.
    """
    both = positions.join(clusters.select("detection_id", "cluster"), on="detection_id").sort("detection_id")
    if not both.height:
        raise ValueError(f"none of {positions.height} rows has a cluster: materialise clusters again")
    return to_matrix(both["position"]), both["cluster"].to_numpy()


def keyed(frame: pl.DataFrame, columns: dict) -> pl.DataFrame:
    ids = pl.col("detection_id").cast(pl.String)
    return typed(frame.with_columns(ids, video_of(ids).alias("video")), columns)


def require_fit(asset: str, fitted_to: pl.Series, vectors_version: str) -> None:
    """Raises ValueError where a model was fitted to vectors of another version."""
    versions = fitted_to.unique().to_list()
    if versions != [vectors_version]:
        raise ValueError(
            f"{asset} was fitted to vectors {versions}, these are {vectors_version}: materialise {asset} first"
        )
