"""Labels, centres and positions as the tables that are kept."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from megafish_assets.clusters.columns import CENTRES, CLUSTERS, MODEL, SWEEP, UMAP
from megafish_assets.clusters.sweeping import Swept
from megafish_assets.detections.columns import empty_frame
from megafish_assets.detections.videos import video_of


def clusters_frame(detection_ids: np.ndarray, labels: np.ndarray, distances: np.ndarray) -> pl.DataFrame:
    """The columns `CLUSTERS`, a row an id."""
    columns = {"detection_id": detection_ids, "cluster": labels, "distance_to_centre": distances}
    return _keyed(pl.DataFrame(columns), CLUSTERS)


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
    """Positions `(n, d)` and labels `(n,)` of the rows that have both; a row without a cluster is not noise."""
    both = positions.join(clusters.select("detection_id", "cluster"), on="detection_id").sort("detection_id")
    return np.array(both["position"].to_list(), dtype=np.float32), both["cluster"].to_numpy()


def _keyed(frame: pl.DataFrame, columns: dict) -> pl.DataFrame:
    ids = pl.col("detection_id").cast(pl.String)
    return frame.with_columns(ids, video_of(ids).alias("video")).select(
        pl.col(name).cast(column.dtype) for name, column in columns.items()
    )
