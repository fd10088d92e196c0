"""Tables of the same crops, brought row for row beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from megafish_assets.crops.borders import border_matrix
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.footage.columns import require_one_length
from megafish_assets.footage.ids import video_of


@dataclass(frozen=True)
class CropRows:
    """Crops, row for row; None for what is not known of any of them."""

    tracklets: np.ndarray
    """object `(n,)`: the id of each crop's tracklet, None where it is in none."""
    videos: np.ndarray
    """str `(n,)`; trajectories where there are no videos."""
    features: np.ndarray | None = None
    """float32 `(n, m)`, what was grouped."""
    cluster_ids: np.ndarray | None = None
    """int64 `(n,)`, -1 for noise."""
    species: np.ndarray | None = None
    """object `(n,)`, what people say a crop shows, None where nobody did."""

    def __post_init__(self) -> None:
        require_one_length(self, "tracklets", "videos", "features", "cluster_ids", "species")

    def __len__(self) -> int:
        return len(self.tracklets)

    @property
    def n_tracklets(self) -> int:
        """Tracklets among them."""
        return len(set(self.tracklets.tolist()) - {None})

    @property
    def n_named(self) -> int | None:
        """Crops of which people say what they show; None where nobody has named any."""
        return None if self.species is None else sum(name is not None for name in self.species)

    @property
    def n_clusters(self) -> int:
        """Clusters, counted from 0."""
        return int(self.cluster_ids.max(initial=-1)) + 1

    def of(self, rows: np.ndarray) -> "CropRows":
        """Those of a mask or of row numbers."""
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        return CropRows(**{name: None if values is None else values[rows] for name, values in known.items()})

    @classmethod
    def of_clusters(cls, clusters: pl.DataFrame, batch: EmbeddingBatch) -> "CropRows":
        """The rows of a table with the columns `CLUSTERS`, sorted by id, and their features.

        Raises RowsApartError where the features are of other rows.
        """
        rows = clusters.sort("detection_id")
        features = aligned(rows, batch.detection_ids, batch.on_cpu(), "features")
        return cls(
            rows["tracklet_id"].to_numpy(), rows["video"].to_numpy().astype(str), features, rows["cluster"].to_numpy()
        )


class RowsApartError(LookupError):
    """Two tables that were made from the same vectors hold other rows."""


def aligned(rows: pl.DataFrame, detection_ids: Sequence[str], values: np.ndarray, name: str) -> np.ndarray:
    """The values `(m, d)` of these ids `(m,)`, in the order of the rows. Raises RowsApartError where one is missing, or
    there twice."""
    known = pl.DataFrame({"detection_id": pl.Series(detection_ids, dtype=pl.String)}).with_row_index("place")
    if n_twice := known.height - known["detection_id"].n_unique():
        raise RowsApartError(f"{name} holds {n_twice} ids twice: materialise {name} again")
    places = rows.select("detection_id").join(known, on="detection_id", how="left", maintain_order="left")["place"]
    if places.null_count():
        raise RowsApartError(
            f"{name} lacks {places.null_count()} of {rows.height} clustered rows: materialise {name} again, and "
            "clusters if it is newer"
        )
    return values[places.to_numpy()]


def still_there(detection_ids: Sequence[str], sampled: pl.LazyFrame, crops: pl.LazyFrame) -> np.ndarray:
    """str, those of these ids, in their order, that are sampled still and have a crop: a video may be on its way."""
    ids = pl.LazyFrame({"detection_id": pl.Series(detection_ids, dtype=pl.String)})
    cut = crops.filter(pl.col("border").is_not_null()).select("detection_id")
    there = sampled.select("detection_id").join(cut, on="detection_id", how="semi")
    kept = ids.join(there, on="detection_id", how="semi", maintain_order="left").collect()
    return kept["detection_id"].to_numpy()


def seen_rows(detection_ids: pl.Series, sampled: pl.LazyFrame, tracklets: pl.LazyFrame) -> pl.DataFrame:
    """The columns `SAMPLED` and the pan of these ids, in their order; `tracklets` holds the columns `TRACKLETS`.

    Raises RowsApartError where an id is not among the sampled.
    """
    ids = pl.LazyFrame({"detection_id": detection_ids})
    known = tracklets.select("detection_id", "pan_x_1024", "pan_y_1024")
    rows = ids.join(sampled, on="detection_id", how="left", maintain_order="left")
    rows = rows.join(known, on="detection_id", how="left", maintain_order="left").collect()
    if rows["video"].null_count():
        raise RowsApartError(
            f"{rows['video'].null_count()} of {rows.height} clustered rows are no longer sampled: materialise "
            "embeddings, pca, features and clusters again"
        )
    return rows


def borders_of(detection_ids: Sequence[str], crops: pl.LazyFrame) -> np.ndarray:
    """float32 `(n, N_BORDER)`, the borders of these crops, in their order; `crops` holds the columns `CROPS`.

    Raises RowsApartError where a crop or its border is missing.
    """
    ids = pl.LazyFrame({"detection_id": pl.Series(detection_ids, dtype=pl.String)})
    known = crops.select("detection_id", "border")
    borders = ids.join(known, on="detection_id", how="left", maintain_order="left").collect()["border"]
    if borders.null_count():
        raise RowsApartError(
            f"{borders.null_count()} of {len(borders)} vectors have no crop with a border: materialise crops again, "
            "and embeddings after them"
        )
    return border_matrix(borders.to_list())


def tracklets_of(detection_ids: np.ndarray, crops: pl.LazyFrame) -> np.ndarray:
    """object `(n,)`, the tracklet of each id, None where it has none; `crops` holds the columns `CROPS`."""
    ids = pl.LazyFrame({"detection_id": pl.Series(detection_ids, dtype=pl.String)})
    known = crops.select("detection_id", "tracklet_id")
    found = ids.join(known, on="detection_id", how="left", maintain_order="left").collect()
    return found["tracklet_id"].to_numpy()


def videos_of(detection_ids: np.ndarray) -> np.ndarray:
    """str `(n,)`, the video of each id."""
    ids = pl.DataFrame({"detection_id": pl.Series(detection_ids, dtype=pl.String)})
    return ids.select(video_of(pl.col("detection_id")))["detection_id"].to_numpy().astype(str)
