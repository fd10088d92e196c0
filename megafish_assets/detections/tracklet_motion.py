"""How each tracklet moves: in the picture, and over the scene behind it.

Growth on the lens stays in the picture while the scene passes; a rock stays in the scene; a fish goes its own way in
both.
"""

import numpy as np
import polars as pl

from megafish_assets.detections.columns import TRACKLET_MOTION
from megafish_assets.detections.recurrences import seconds_of
from megafish_assets.detections.scene import ScenePath
from megafish_assets.footage.columns import typed

LOOK_SECONDS = 1 / 3
"""A way is measured from one such stretch's mean place to the next: boxes jitter from frame to frame, and their jitter
would be a way too."""

SHORTEST_SECONDS = 0.5
"""Below it no speed is told."""

OUTER_SHARE = 0.05
"""Of a tracklet's places, left out at either end when its travel is measured."""


def tracklet_motion(rows: pl.DataFrame, paths: dict[str, ScenePath]) -> pl.DataFrame:
    """The columns `TRACKLET_MOTION`, a row a tracklet, sorted.

    `rows` holds `raw_detections` with the `tracklet_id` of each; `paths` says where the scene lies, by video. Travel is
    the diagonal of the places' range. Sides of the stretched frame differ from the real one's by its aspect, so a
    length across and a length down are not the same.
    """
    placed = rows.sort("video", "tracklet_id", "frame_id").with_columns(
        (pl.col("x_1024") + pl.col("width_1024") / 2).alias("x"),
        (pl.col("y_1024") + pl.col("height_1024") / 2).alias("y"),
        pl.max_horizontal("width_1024", "height_1024").alias("length"),
        seconds_of().alias("seconds"),
    )
    placed = pl.concat([placed, _offsets(placed, paths)], how="horizontal").with_columns(
        (pl.col("x") - pl.col("scene_x")).alias("over_x"), (pl.col("y") - pl.col("scene_y")).alias("over_y")
    )
    tracklets = placed.group_by("video", "tracklet_id", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("n_frames"),
        pl.col("frame_id").min().alias("first_frame"),
        pl.col("frame_id").max().alias("last_frame"),
        pl.col("length").median(),
        _range("x", "y").alias("travel_picture_1024"),
        _range("over_x", "over_y").alias("travel_scene_1024"),
    )
    both = tracklets.join(_ways(placed), on=["video", "tracklet_id"], how="left", maintain_order="left")
    speed = pl.col("way") / pl.col("seconds") / pl.col("length")
    least_travel = pl.min_horizontal("travel_picture_1024", "travel_scene_1024")
    moved = both.with_columns(
        pl.when(pl.col("travel_scene_1024").is_not_null())
        .then(least_travel / pl.col("length"))
        .alias("travel_body_lengths"),
        pl.when(pl.col("seconds") >= SHORTEST_SECONDS).then(speed).alias("speed_body_lengths"),
        pl.when(pl.col("way") > 0).then(pl.col("net") / pl.col("way")).alias("straightness"),
    )
    return typed(moved, TRACKLET_MOTION)


def _offsets(placed: pl.DataFrame, paths: dict[str, ScenePath]) -> pl.DataFrame:
    """`scene_x` and `scene_y` of each row, null where its video's path is not known."""
    offsets, start = np.full((placed.height, 2), np.nan), 0
    for n_rows, video in placed["video"].rle().struct.unnest().iter_rows():
        if video in paths:
            of_video = slice(start, start + n_rows)
            offsets[of_video] = paths[video].at(placed["frame_id"][of_video].to_numpy())
        start += n_rows
    return pl.DataFrame(offsets, schema=["scene_x", "scene_y"]).fill_nan(None)


def _range(x: str, y: str) -> pl.Expr:
    sides = [
        pl.col(axis).quantile(1 - OUTER_SHARE, "linear") - pl.col(axis).quantile(OUTER_SHARE, "linear")
        for axis in (x, y)
    ]
    return (sides[0] ** 2 + sides[1] ** 2).sqrt()


def _ways(placed: pl.DataFrame) -> pl.DataFrame:
    """Of every tracklet the `way` over the scene, the `net` distance from its start to its end, px of the stretched
    frame, and the `seconds` between them."""
    key = ["video", "tracklet_id"]
    looks = placed.with_columns((pl.col("seconds") / LOOK_SECONDS).floor().alias("look"))
    looks = looks.group_by(*key, "look", maintain_order=True).agg(pl.col("over_x", "over_y", "seconds").mean())
    step = (pl.col("over_x").diff().over(key) ** 2 + pl.col("over_y").diff().over(key) ** 2).sqrt()
    ends = [pl.col(name).last() - pl.col(name).first() for name in ("over_x", "over_y")]
    known = looks.with_columns(step.alias("step")).drop_nulls("over_x")
    return known.group_by(key, maintain_order=True).agg(
        pl.col("step").sum().alias("way"),
        (ends[0] ** 2 + ends[1] ** 2).sqrt().alias("net"),
        (pl.col("seconds").last() - pl.col("seconds").first()).alias("seconds"),
    )
