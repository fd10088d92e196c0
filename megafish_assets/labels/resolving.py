"""Which detection and tracklet a label speaks of today: by its id where that is the same box still, else by place."""

import numpy as np
import polars as pl

from megafish_assets.detections.overlaps import pair_overlaps
from megafish_assets.footage.boxes import BOX
from megafish_assets.labels.current import labelled_tracklets, of_frames

SAME_BOX_IOU = 0.8
"""Overlap from which on a box of today is the one that was labelled: a detector that runs again moves boxes by a few
hundredths, and two fish of one frame seldom overlap by half."""


def current_words(labels: pl.DataFrame, raw: pl.LazyFrame, tracklets: pl.LazyFrame) -> pl.DataFrame:
    """The current word on each tracklet of today, in the columns `WORDS`, from all that people ever said.

    A detection without a tracklet stands for itself. What is no longer there says nothing.
    """
    today = resolved(labels.filter(pl.col("place_id").is_null() & ~of_frames), raw, tracklets)
    return labelled_tracklets(today.with_columns(pl.coalesce("tracklet_id", "detection_id").alias("tracklet_id")))


def resolved(labels: pl.DataFrame, raw: pl.LazyFrame, tracklets: pl.LazyFrame) -> pl.DataFrame:
    """The labels (columns `LABELS`) in their order, with today's `detection_id` and `tracklet_id`; both null where
    what was labelled is no longer there.

    Of a row with a box, its detection counts if it has the same frame and a box that overlaps by `SAME_BOX_IOU`; else
    the box of that frame that overlaps most, if by as much. A row without a box is known by its ids alone. `raw` holds
    `raw_detections`, `tracklets` the columns `TRACKLETS`.
    """
    asked = labels.with_row_index("row").select("row", "detection_id", "tracklet_id", "video", "frame_id", "box")
    placed = asked.filter(pl.col("box").is_not_null() & pl.col("frame_id").is_not_null())
    known = pl.concat([_by_place(placed, raw), _by_id(asked.join(placed, on="row", how="anti"), raw)])
    of_detections = tracklets.select("detection_id", "tracklet_id").join(
        known.lazy().select("detection_id").unique(), on="detection_id", how="semi"
    )
    found = known.join(of_detections.collect(), on="detection_id", how="left")
    alone = _by_tracklet(asked.join(known, on="row", how="anti").filter(pl.col("box").is_null()), tracklets)
    today = pl.concat([found.select("row", "detection_id", "tracklet_id"), alone])
    rows = asked.select("row").join(today, on="row", how="left", maintain_order="left")
    return labels.with_columns(rows["detection_id"], rows["tracklet_id"])


def _by_place(asked: pl.DataFrame, raw: pl.LazyFrame) -> pl.DataFrame:
    """`row` and `detection_id` of labels with a box, of those that are still there."""
    frames = asked.lazy().select("video", "frame_id").unique()
    there = raw.select("detection_id", "video", "frame_id", *BOX).join(frames, on=["video", "frame_id"], how="semi")
    pairs = asked.rename({"detection_id": "said"}).join(there.collect(), on=["video", "frame_id"])
    said = np.array(pairs["box"].to_list(), dtype=float).reshape(-1, 4)
    overlap = pl.Series("overlap", pair_overlaps(said, pairs.select(BOX).to_numpy()), dtype=pl.Float64)
    same = pairs.with_columns(overlap).filter(pl.col("overlap") >= SAME_BOX_IOU)
    # The detection of the label itself first, then the nearest, then by name, so that ties fall alike everywhere.
    is_said = (pl.col("detection_id") == pl.col("said")).fill_null(False)
    best = same.sort("row", is_said, "overlap", "detection_id", descending=[False, True, True, False])
    return best.unique("row", keep="first", maintain_order=True).select("row", "detection_id")


def _by_id(asked: pl.DataFrame, raw: pl.LazyFrame) -> pl.DataFrame:
    """`row` and `detection_id` of labels that name a detection and no box, of those that are still there."""
    named = asked.drop_nulls("detection_id").select("row", "detection_id")
    there = raw.select("detection_id").join(named.lazy().select("detection_id").unique(), on="detection_id", how="semi")
    return named.join(there.collect(), on="detection_id", how="semi")


def _by_tracklet(asked: pl.DataFrame, tracklets: pl.LazyFrame) -> pl.DataFrame:
    """The same of labels that name a tracklet alone: its own id, and its middle detection."""
    named = asked.drop_nulls("tracklet_id").select("row", "tracklet_id")
    middle = middles(tracklets, named["tracklet_id"].unique())
    return named.join(middle, on="tracklet_id").select("row", "detection_id", "tracklet_id")


def middles(tracklets: pl.LazyFrame, tracklet_ids: pl.Series) -> pl.DataFrame:
    """`tracklet_id` and the `detection_id` in the middle of each of these that there are."""
    rows = tracklets.select("detection_id", "tracklet_id", "position").filter(
        pl.col("tracklet_id").is_in(tracklet_ids.implode())
    )
    order = rows.sort("tracklet_id", "position").collect()
    return order.group_by("tracklet_id", maintain_order=True).agg(pl.col("detection_id").get(pl.len() // 2))


def with_places(said: pl.DataFrame, raw: pl.LazyFrame, tracklets: pl.LazyFrame) -> pl.DataFrame:
    """The rows with `detection_id`, `video`, `frame_id` and `box`, where they name a detection or tracklet without
    them: what outlives the ids. A row that names what is not there stays as it is."""
    bare = said.filter(pl.col("box").is_null() & pl.col("place_id").is_null())
    if bare.is_empty():
        return said
    tracked = bare.filter(pl.col("detection_id").is_null())["tracklet_id"].drop_nulls().unique()
    middle = middles(tracklets, tracked).rename({"detection_id": "middle"})
    rows = said.join(middle, on="tracklet_id", how="left", maintain_order="left").with_columns(
        pl.coalesce("detection_id", pl.when(pl.col("box").is_null()).then("middle")).alias("detection_id")
    )
    wanted = rows.filter(pl.col("box").is_null())["detection_id"].drop_nulls().unique()
    known = raw.filter(pl.col("detection_id").is_in(wanted.implode())).select(
        "detection_id",
        pl.col("video").alias("own_video"),
        pl.col("frame_id").alias("own_frame"),
        pl.concat_list(BOX).alias("own_box"),
    )
    both = rows.join(known.collect(), on="detection_id", how="left", maintain_order="left").with_columns(
        pl.coalesce("video", "own_video").alias("video"),
        pl.coalesce("frame_id", "own_frame").alias("frame_id"),
        pl.coalesce("box", "own_box").alias("box"),
    )
    return both.select(said.columns)
