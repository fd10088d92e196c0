"""The map as one Parquet file for those who have embedding-atlas, which is no part of megafish.

`embedding-atlas explorer.parquet --x x --y y --image picture --neighbors neighbors`
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from megafish_assets.atlas.explorer import Explored

ROWS_AT_A_TIME = 4096
"""Rows of one group: 8 to 20 MB of pictures."""

SHOWN = (
    "detection_id",
    "tracklet_id",
    "cluster",
    "kind_id",
    "name",
    "name_source",
    "probability",
    "backbone",
    "not_fish",
    "video_file",
    "frame_id",
    "seconds",
    "recorded_at",
)
"""Columns of a point that can be filtered by there."""

PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
"""As Hugging Face's datasets hold a picture, which embedding-atlas shows."""

NEIGHBOR_LISTS = pa.struct([("ids", pa.list_(pa.int64())), ("distances", pa.list_(pa.float32()))])
"""`ids` are row numbers from 0, since embedding-atlas numbers the rows that it reads so.
Source: its command line: "IDs should be zero-based row indices"."""


def write_parquet(path: Path, explored: Explored, jpegs: Sequence[bytes]) -> None:
    """Writes every point with its place, its crop as it was cut, and its neighbors; replaces an older file at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    first = _rows(explored, jpegs, 0)
    with pq.ParquetWriter(partial, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for start in range(ROWS_AT_A_TIME, explored.points.height, ROWS_AT_A_TIME):
            writer.write_table(_rows(explored, jpegs, start))
    partial.replace(path)


def _rows(explored: Explored, jpegs: Sequence[bytes], start: int) -> pa.Table:
    part = slice(start, start + ROWS_AT_A_TIME)
    points = explored.points[part].select(SHOWN)
    positions = explored.positions[part]
    ids = points["detection_id"].to_list()
    pictures = [{"bytes": jpeg, "path": f"{name}.jpg"} for jpeg, name in zip(jpegs[part], ids, strict=True)]
    lists = [
        {"ids": places[places >= 0].tolist(), "distances": distances[places >= 0].tolist()}
        for places, distances in zip(explored.neighbors[part], explored.distances[part], strict=True)
    ]
    told = points.with_columns(
        x=pl.Series(positions[:, 0].astype(np.float32)),
        y=pl.Series(1 - positions[:, 1].astype(np.float32)),  # its y grows upwards
        is_near_duplicate=pl.Series(explored.duplicate_of[part] >= 0),
    ).to_arrow()
    told = told.append_column("picture", pa.array(pictures, PICTURE))
    return told.append_column("neighbors", pa.array(lists, NEIGHBOR_LISTS))
