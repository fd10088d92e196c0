"""Tracklets as sightings: when, where, how large, what it is called, and whether it counts."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from megafish_assets.detections.looks import LEAST_SECONDS, Looks
from megafish_assets.detections.recurrences import seconds_of
from megafish_assets.footage.boxes import BOX, STRETCHED_PX
from megafish_assets.footage.columns import empty_table, typed
from megafish_assets.labels.naming import PERSON
from megafish_assets.sightings.columns import SIGHTINGS
from megafish_assets.sightings.counting import are_parts
from megafish_assets.sightings.naming import UNNAMED, taxon

PART_SHARE = 0.5
"""Of its boxes that lie inside a larger one of its kind, from which on a tracklet is a part of another animal."""

NOT_FISH_SHARE = 0.5
"""Of its boxes that are taken for no fish, from which on the tracklet is."""

CROP_COLUMNS = ("detection_id", "width_px", "height_px", "clipped_share")
"""Of `crops`, by which the best of a tracklet is chosen."""

AT_EDGE_SHARE = 0.25
"""Of a box's side, from the frame's edge: so near it comes or goes through it. On the reef, arrivals and leavings found
with 0.1 to 0.25 are as many as true ones: docs/read-out.md."""

CUT, EDGE, INSIDE = "cut", "edge", "inside"
"""How a tracklet begins or ends."""

MOTION = ("travel_picture_1024", "travel_scene_1024", "travel_body_lengths", "speed_body_lengths", "straightness")


def sighting_rows(
    rows: pl.DataFrame,
    looks: Mapping[str, Looks],
    names: pl.DataFrame,
    motion: pl.DataFrame,
    crops: pl.DataFrame,
    stations: Mapping[str, str] | None = None,
    backbone: str | None = None,
) -> pl.DataFrame:
    """The columns `SIGHTINGS`, a row for each tracklet of these videos, sorted.

    `rows` holds valid `raw_detections` with the `tracklet_id` of each, and the `reason` and `place_id` of `not_fish`;
    `looks` is of each of their videos, by video; `names` holds the columns `NAMES`, `motion` the table
    `tracklet_motion`, and `crops` the `CROP_COLUMNS` of those that were cut; `stations` are known by video. What a
    person says comes before what boxes are taken for, and that before a name that was made. Boxes that are taken for no
    fish are left out of a tracklet that has others, unless a person says that it is a fish.
    """
    if rows.is_empty():
        return empty_table(SIGHTINGS)
    key = ["video", "tracklet_id"]
    judged = rows.join(_judged(rows, names), on=key)
    own = judged.filter(pl.col("reason").is_null() | pl.col("not_fish").is_not_null() | pl.col("is_said_fish"))
    own = own.with_columns(pl.Series("is_part", _are_parts(own, names)))
    table = (
        _measured(_with_looks(own, looks))
        .join(_best_crops(own, crops), on=key, how="left")
        .join(motion.select(*key, *MOTION), on=key, how="left")
        .join(names, on="tracklet_id", how="left")
        .join(_of_looks(looks, stations or {}), on="video", how="left")
    )
    return _completed(table, backbone).sort(key)


def _judged(rows: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """`not_fish`, why each tracklet is none, null where it may be one; and `is_said_fish`."""
    share, reason = pl.col("reason").is_not_null().mean(), pl.col("reason").drop_nulls().mode().sort().first()
    of_boxes = rows.group_by("video", "tracklet_id").agg(pl.when(share >= NOT_FISH_SHARE).then(reason).alias("reason"))
    said = of_boxes.join(names.select("tracklet_id", "not_fish_by", "is_fish"), on="tracklet_id", how="left")
    is_fish = pl.col("is_fish").fill_null(False)
    denied = pl.when(not_fish_by=PERSON).then("not_fish_by")
    not_fish = pl.coalesce(denied, pl.when(~is_fish).then("reason"), "not_fish_by").alias("not_fish")
    return said.select("video", "tracklet_id", not_fish, is_fish.alias("is_said_fish"))


def _are_parts(rows: pl.DataFrame, names: pl.DataFrame) -> np.ndarray:
    """bool `(n,)`, whether each box lies inside one of a larger tracklet of its kind; a fish is never a part of what is
    none."""
    named = rows.join(names, on="tracklet_id", how="left", maintain_order="left")
    may_be_fish = pl.col("not_fish").is_null().alias("may_be_fish")
    group = pl.struct("video", "frame_id", may_be_fish, taxon().alias("kind"))
    groups = named.select(group.rank("dense")).to_series().to_numpy()
    area = (pl.col("width_1024") * pl.col("height_1024")).median().over("video", "tracklet_id")
    # Of two that are as large, the one that is numbered later is the part, in every frame.
    size = pl.struct(area, pl.struct("video", "tracklet_id").rank("dense", descending=True))
    sizes = named.select(size.rank("dense")).to_series().to_numpy()
    order, found = np.argsort(groups, kind="stable"), np.zeros(rows.height, dtype=bool)
    found[order] = are_parts(groups[order], rows.select(BOX).to_numpy()[order], sizes[order])
    return found


def _with_looks(rows: pl.DataFrame, looks: Mapping[str, Looks]) -> pl.DataFrame:
    """The rows with the number of their `look`."""
    parts = [
        of_video.with_columns(pl.Series("look", looks[video].at(of_video["frame_id"].to_numpy())))
        for (video,), of_video in rows.partition_by("video", as_dict=True).items()
    ]
    return pl.concat(parts) if parts else rows.with_columns(pl.lit(0, pl.Int64).alias("look"))


def _measured(rows: pl.DataFrame) -> pl.DataFrame:
    middle = [pl.col(f"{x}_1024") + pl.col(f"{side}_1024") / 2 for x, side in (("x", "width"), ("y", "height"))]
    margins = [
        pl.min_horizontal(pl.col(f"{x}_1024"), STRETCHED_PX - pl.col(f"{x}_1024") - pl.col(f"{side}_1024"))
        / pl.col(f"{side}_1024")
        for x, side in (("x", "width"), ("y", "height"))
    ]
    at_edge = (pl.min_horizontal(margins) <= AT_EDGE_SHARE).sort_by("frame_id")
    return rows.group_by("video", "tracklet_id").agg(
        at_edge.first().alias("begins_at_edge"),
        at_edge.last().alias("ends_at_edge"),
        pl.col("frame_id").min().alias("first_frame"),
        pl.col("frame_id").max().alias("last_frame"),
        pl.col("frame_id").n_unique().cast(pl.Int64).alias("n_frames_seen"),
        (pl.col("look").max() - pl.col("look").min() + 1).alias("n_looks"),
        seconds_of().min().alias("first_second"),
        seconds_of().max().alias("last_second"),
        pl.col("recorded_at").min(),
        pl.col("width_1024", "height_1024").median(),
        *[expr.median().alias(name) for expr, name in zip(middle, ("x_1024", "y_1024"), strict=True)],
        pl.col("place_id").drop_nulls().mode().sort().first(),
        pl.col("not_fish").first(),
        (pl.col("is_part").mean() >= PART_SHARE).alias("is_part"),
    )


def _best_crops(rows: pl.DataFrame, crops: pl.DataFrame) -> pl.DataFrame:
    """One that the frame's edge does not cut, then the one of the largest area times score, then the earliest."""
    worth = pl.col("score") * pl.col("width_px") * pl.col("height_px")
    cut = rows.join(crops, on="detection_id")
    order = cut.sort(pl.col("clipped_share") > 0, -worth, "detection_id", nulls_last=True)
    return order.group_by("video", "tracklet_id", maintain_order=True).agg(
        pl.col("detection_id").first().alias("best_crop")
    )


def _of_looks(looks: Mapping[str, Looks], stations: Mapping[str, str]) -> pl.DataFrame:
    rows = [
        (
            video,
            stations.get(video),
            int(own.frame_ids[0]),
            int(own.frame_ids[-1]),
            own.within(LEAST_SECONDS),
        )
        for video, own in looks.items()
    ]
    names = ("first_look", "last_look", "least_frames")
    return pl.DataFrame(rows, {"video": pl.String, "station": pl.String} | dict.fromkeys(names, pl.Int64), orient="row")


def _completed(table: pl.DataFrame, backbone: str | None) -> pl.DataFrame:
    cut_begin, cut_end = pl.col("first_frame") <= pl.col("first_look"), pl.col("last_frame") >= pl.col("last_look")
    table = table.with_columns(
        (pl.col("n_looks") - pl.col("n_frames_seen")).alias("n_frames_bridged"),
        pl.col("name_source").fill_null(UNNAMED),
        (cut_begin | cut_end).alias("is_cut"),
        _way(cut_begin, "begins_at_edge").alias("begins"),
        _way(cut_end, "ends_at_edge").alias("ends"),
        pl.lit(backbone, pl.String).alias("backbone"),
    ).with_columns(
        (pl.col("not_fish").is_null() & ~pl.col("is_part") & (pl.col("n_frames_seen") >= pl.col("least_frames"))).alias(
            "is_counted"
        )
    )
    return typed(table, SIGHTINGS)


def _way(is_cut: pl.Expr, at_edge: str) -> pl.Expr:
    return pl.when(is_cut).then(pl.lit(CUT)).when(at_edge).then(pl.lit(EDGE)).otherwise(pl.lit(INSIDE))
