"""Which raw rows can't be believed, and why. A faulty row is kept, named and counted; nothing after raw uses it."""

from typing import TypeVar

import polars as pl

from megafish_assets.footage.boxes import BOX, STRETCHED_PX

OVERHANG_1024 = 1.0
"""How far a box may reach outside the frame, px of the stretched frame: detectors round their edges to about this."""

THINNEST_1024 = 1e-3
"""A side of less, px of the stretched frame, is a number gone wrong, and its logarithm would move every limit."""

Rows = TypeVar("Rows", pl.DataFrame, pl.LazyFrame)

NO_FAULT = pl.lit(None, dtype=pl.String)


def fault() -> pl.Expr:
    """The first reason that applies to a row of the columns `RAW` with `box_length` and `is_repeat`, else null."""
    numbers = [pl.col(name) for name in BOX]
    finite = pl.all_horizontal(number.is_finite() for number in numbers)
    x, y, width, height = numbers
    right, bottom = x + width, y + height
    low, high = -OVERHANG_1024, STRETCHED_PX + OVERHANG_1024
    apart = (right <= 0) | (bottom <= 0) | (x >= STRETCHED_PX) | (y >= STRETCHED_PX)
    over = (x < low) | (y < low) | (right > high) | (bottom > high)
    reasons = {
        "video_file names no file": pl.col("video_file").str.contains(r"(^|[/\\])\.{0,2}$"),
        "frame_id is null": pl.col("frame_id").is_null(),
        "box is null": pl.col("box_length").is_null(),
        "box has not 4 numbers": pl.col("box_length") != len(BOX),
        "box holds a null": pl.any_horizontal(number.is_null() for number in numbers),
        "box is not finite": ~finite,
        "box has no size": (width < THINNEST_1024) | (height < THINNEST_1024),
        "box is outside the frame": apart,
        "box reaches outside the frame": over,
        "score is null": pl.col("score").is_null(),
        "score is not in 0 to 1": ~pl.col("score").is_between(0, 1) | pl.col("score").is_nan(),
        "repeats another row": pl.col("is_repeat"),
    }
    found = NO_FAULT
    for reason, applies in reversed(reasons.items()):
        found = pl.when(applies).then(pl.lit(reason)).otherwise(found)
    return found


def valid_rows(raw: Rows) -> Rows:
    """The rows without a fault, without the column that said so: all that anything after raw may use."""
    return raw.filter(pl.col("fault").is_null()).drop("fault")
