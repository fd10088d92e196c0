"""The one key of a detection, from its raw row to its tile: `<video>/<frame:06d>/<rank:03d>`."""

import polars as pl


def video_of(detection_id: pl.Expr) -> pl.Expr:
    """The partition key that a `detection_id` begins with."""
    return detection_id.str.extract(r"^([^/]+)/")
