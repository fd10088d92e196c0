"""Tables of the same crops, brought row for row beside each other."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from megafish_assets.crops.borders import border_matrix
from megafish_assets.footage.ids import video_of


class RowsApartError(LookupError):
    """Two tables that were made from the same vectors hold other rows."""


def aligned(rows: pl.DataFrame, detection_ids: Sequence[str], values: np.ndarray, name: str) -> np.ndarray:
    """The values `(m, d)` of these ids `(m,)`, in the order of the rows. Raises RowsApartError where one is missing."""
    known = pl.DataFrame({"detection_id": pl.Series(detection_ids, dtype=pl.String)}).with_row_index("place")
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
    met = ids.join(there, on="detection_id", how="semi", maintain_order="left").collect()
    return met["detection_id"].to_numpy()


def seen_rows(detection_ids: pl.Series, sampled: pl.LazyFrame, tracklets: pl.LazyFrame) -> pl.DataFrame:
    """The columns `SAMPLED`, `tracklet_id` ("" for none) and the pan of these ids, in their order.

    Raises RowsApartError where an id is not among the sampled.
    """
    ids = pl.LazyFrame({"detection_id": detection_ids})
    known = tracklets.select("detection_id", "tracklet_id", "pan_x_1024", "pan_y_1024")
    rows = ids.join(sampled, on="detection_id", how="left", maintain_order="left")
    rows = rows.join(known, on="detection_id", how="left", maintain_order="left").collect()
    if rows["video"].null_count():
        raise RowsApartError(
            f"{rows['video'].null_count()} of {rows.height} clustered rows are no longer sampled: materialise "
            "embeddings, pca, features and clusters again"
        )
    return rows.with_columns(pl.col("tracklet_id").fill_null(""))


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
