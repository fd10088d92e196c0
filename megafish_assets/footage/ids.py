"""The keys of rows, put together and taken apart here alone, as text and as columns.

```
megalab_0012/000231/004    a detection: its video's key, its frame, its rank among the boxes of the frame
megalab_0012/t00007        a tracklet: its video's key, its number by first observation
```
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


def detection_ids(video: str, frame: str, rank: str) -> pl.Expr:
    """The ids of rows, from the names of the columns that hold the parts; a frame that is no number is `null`."""
    import polars as pl

    frames = pl.col(frame).cast(pl.String).str.zfill(6).fill_null("null")
    return pl.format("{}/{}/{}", pl.col(video), frames, pl.col(rank).cast(pl.String).str.zfill(3))


def video_of(detection_id: pl.Expr) -> pl.Expr:
    """The partition key that a `detection_id` begins with."""
    return detection_id.str.extract(r"^([^/]+)/")


def video_in(detection_id: str) -> str:
    """The same of one."""
    return detection_id.partition("/")[0]


def tracklet_ids(video: str, numbers: pl.Series) -> pl.Expr:
    """The ids of tracklets, from the name of the column that holds the video, and their numbers in it."""
    import polars as pl

    return pl.format("{}/t{}", video, numbers.cast(pl.String).str.zfill(5))


def tracklet_number(tracklet_id: str) -> int:
    """Its number in its video."""
    return int(tracklet_id.rpartition("/t")[2])


def natural(key: str) -> list[tuple[int, str]]:
    """By which names sort as people count: `clip_2` before `clip_10`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.findall(r"\d+|\D+", key)]


def in_natural_order(keys: Iterable[str], column: str = "video") -> pl.Expr:
    """The place of each of a column's keys among these, as `natural` sorts them; null for another."""
    import polars as pl

    places = {key: place for place, key in enumerate(sorted(set(keys), key=natural))}
    return pl.col(column).replace_strict(places, default=None, return_dtype=pl.Int64)
