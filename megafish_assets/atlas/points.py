"""What the explorer says of each crop: one row, put together from the tables that there are."""

from collections.abc import Sequence

import numpy as np
import polars as pl

POINT = {
    "video": pl.String,
    "detection_id": pl.String,
    "tracklet_id": pl.String,
    "cluster": pl.Int64,
    "video_file": pl.String,
    "frame_id": pl.Int64,
    "x_1024": pl.Float64,
    "y_1024": pl.Float64,
    "width_1024": pl.Float64,
    "height_1024": pl.Float64,
    "seconds": pl.Float64,
    "recorded_at": pl.Datetime("us"),
    "kind_id": pl.Int64,
    "name": pl.String,
    "name_source": pl.String,
    "probability": pl.Float64,
    "backbone": pl.String,
    "not_fish": pl.String,
}
"""The columns of a point, beside those of its table. `seconds`: from the video's first frame, as a player counts."""

SAMPLED_COLUMNS = (
    "detection_id",
    "video_file",
    "frame_id",
    "x_1024",
    "y_1024",
    "width_1024",
    "height_1024",
    "seconds_in_video",
    "recorded_at",
)
"""Of the table `sampled_detections`."""


class NotSampledError(LookupError):
    """A clustered crop of which the rows know nothing any more."""


def points_of(
    clusters: pl.DataFrame,
    sampled: pl.DataFrame,
    shown_seconds: pl.DataFrame,
    kinds: pl.LazyFrame | None = None,
    classes: pl.LazyFrame | None = None,
    not_fish: pl.LazyFrame | None = None,
) -> pl.DataFrame:
    """The columns `POINT`, a row a clustered crop, sorted by id.

    `clusters` holds the columns `CLUSTERS`, `sampled` `SAMPLED_COLUMNS`, `shown_seconds` each crop's `detection_id` and
    `presentation_seconds`. Where they exist: `kinds` with `unit_id`, `kind_id` and, of several fits, `is_latest`;
    `classes` with `unit_id`, `name`, `name_source`, `probability` and `backbone`; `not_fish` with `detection_id` and
    `reason`. What is not known is null. Raises NotSampledError.
    """
    rows = clusters.select("video", "detection_id", "tracklet_id", "cluster").sort("detection_id")
    rows = rows.join(sampled.select(SAMPLED_COLUMNS), on="detection_id", how="left", maintain_order="left")
    if n_gone := rows["video_file"].null_count():
        raise NotSampledError(
            f"{n_gone} of {rows.height} clustered rows are no longer sampled: materialise embeddings, features and "
            "clusters again"
        )
    shown = shown_seconds.select("detection_id", "presentation_seconds")
    rows = rows.join(shown, on="detection_id", how="left", maintain_order="left")
    rows = rows.with_columns(
        seconds=pl.coalesce("presentation_seconds", "seconds_in_video"),
        unit_id=pl.coalesce("tracklet_id", "detection_id"),
    )
    if kinds is not None and "is_latest" in kinds.collect_schema():
        kinds = kinds.filter("is_latest")
    rows = _with(rows, kinds, "unit_id", {"kind_id": "kind_id"})
    rows = _with(rows, classes, "unit_id", {name: name for name in ("name", "name_source", "probability", "backbone")})
    rows = _with(rows, not_fish, "detection_id", {"not_fish": "reason"})
    return rows.select(pl.col(name).cast(dtype) for name, dtype in POINT.items())


def pictures_of(detection_ids: pl.Series, crops: pl.LazyFrame) -> pl.DataFrame:
    """`detection_id`, `jpeg` and `presentation_seconds` of these ids, sorted by id.

    Raises NotSampledError where one has no crop any more.
    """
    ids = pl.LazyFrame({"detection_id": detection_ids})
    cut = crops.select("detection_id", "jpeg", "presentation_seconds")
    rows = ids.join(cut, on="detection_id", how="left").sort("detection_id").collect()
    if n_gone := rows["jpeg"].null_count():
        raise NotSampledError(
            f"{n_gone} clustered rows have no crop: the sample has changed since the clusters were made; materialise "
            "embeddings, features and clusters again"
        )
    return rows


def ages(points: pl.DataFrame) -> np.ndarray:
    """int64 `(n,)`: the place of each point in time, by recording time where all have one, then by id."""
    keys = ["recorded_at", "detection_id"] if points["recorded_at"].null_count() == 0 else ["detection_id"]
    order = points.select(pl.arg_sort_by(keys)).to_series().to_numpy()
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    return places


def _with(rows: pl.DataFrame, table: pl.LazyFrame | None, key: str, columns: dict[str, str]) -> pl.DataFrame:
    if table is None:
        return rows.with_columns(pl.lit(None, POINT[name]).alias(name) for name in columns)
    known = table.select(key, **{name: pl.col(source) for name, source in columns.items()})
    known = known.join(rows.lazy().select(key).unique(), on=key, how="semi").collect()
    return rows.join(known.unique(key, keep="first", maintain_order=True), on=key, how="left", maintain_order="left")


def neighbor_places(detection_ids: Sequence[str], neighbors: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """int64 places `(n, k)` and float32 distances `(n, k)` of the neighbors of these ids, nearest first.

    `neighbors` holds the columns `NEIGHBORS`, in any order. A neighbor that is not among the ids is passed over; behind
    the last one stand -1 and nan. k is the longest list's length.
    """
    ids = pl.DataFrame({"detection_id": pl.Series(detection_ids, dtype=pl.String)})
    numbered = ids.with_row_index("place").with_columns(pl.col("place").cast(pl.Int64))
    lists = neighbors.select("detection_id", "neighbor_ids", "distances")
    pairs = (
        numbered.join(lists, on="detection_id", how="inner", maintain_order="left")
        .select("place", "neighbor_ids", "distances")
        .explode("neighbor_ids", "distances")
        .join(
            numbered.select(pl.col("place").alias("other"), neighbor_ids="detection_id"),
            on="neighbor_ids",
            how="inner",
            maintain_order="left",
        )
    )
    rows = pairs["place"].to_numpy()
    starts = np.r_[True, rows[1:] != rows[:-1]] if len(rows) else np.zeros(0, dtype=bool)
    first = np.flatnonzero(starts)
    rank = np.arange(len(rows)) - np.repeat(first, np.diff(np.r_[first, len(rows)]))
    width = int(rank.max(initial=-1)) + 1
    places = np.full((ids.height, width), -1, dtype=np.int64)
    distances = np.full((ids.height, width), np.nan, dtype=np.float32)
    places[rows, rank] = pairs["other"].to_numpy()
    distances[rows, rank] = pairs["distances"].to_numpy()
    return places, distances
