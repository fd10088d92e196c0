"""Sampled rows as boxes to cut, what became of them, and the scene's motion, as the tables that are kept."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

import polars as pl

from megafish_assets.crops.columns import CAMERA_MOTION, CROPS
from megafish_assets.crops.cutting import Cut, cuts
from megafish_assets.crops.motion import Motion
from megafish_assets.footage.boxes import Boxes
from megafish_assets.footage.decoding import Frame


def crops_table(sampled: pl.DataFrame, made: Sequence[Cut]) -> pl.DataFrame:
    """The columns `CROPS`, a row for every sampled one of one video, in their order.

    Raises ValueError where there are not as many cuts as rows.
    """
    if len(made) != sampled.height:
        raise ValueError(f"{len(made)} cuts of {sampled.height} sampled rows")
    found = {field.name: [getattr(cut, field.name) for cut in made] for field in fields(Cut)}
    rows = sampled.select("video", "detection_id", "tracklet_id", "frame_id")
    kinds = {name: CROPS[name].dtype for name in found}
    return pl.concat([rows, pl.DataFrame(found, schema=kinds)], how="horizontal").select(*CROPS)


def video_crops(path: Path | None, sampled: pl.DataFrame, see: Callable[[Frame], None] | None = None) -> pl.DataFrame:
    """`crops_table` of what becomes of every sampled row of one video; `see` as in `cuts`."""
    return crops_table(sampled, cuts(path, Boxes.of(sampled), see))


def busiest_frames(sampled: pl.DataFrame) -> pl.DataFrame:
    """`video` and `frame_id` of each video's frame with the most sampled boxes, the earliest of equals."""
    counts = sampled.group_by("video", "frame_id").len()
    order = counts.sort(["video", "len", "frame_id"], descending=[False, True, False])
    return order.unique("video", keep="first", maintain_order=True).select("video", "frame_id")


def motion_table(key: str, motion: Motion) -> pl.DataFrame:
    """The columns `CAMERA_MOTION` of one video."""
    columns = {
        "frame_id": motion.frame_ids,
        "elapsed_frames": motion.elapsed_frames,
        "pan_x_1024": motion.shift_xy_1024[:, 0],
        "pan_y_1024": motion.shift_xy_1024[:, 1],
        "n_pan_points": motion.n_points,
    }
    rows = pl.DataFrame(columns).with_columns(pl.lit(key).alias("video"), pl.col("^pan_.*$").fill_nan(None))
    return rows.select(*CAMERA_MOTION)
