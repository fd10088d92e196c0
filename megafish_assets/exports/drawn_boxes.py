"""The boxes that programs for annotation and training are given: of the sightings that count, within their frames.

What is no fish, a part of another animal, or was seen too shortly to count would be taught as a fish. What nobody has
named is called `kind 7` or `unnamed`, as in the counts: a detector can learn from it that there is an animal.
"""

from collections import Counter
from collections.abc import Iterator

import polars as pl

from megafish_assets.exports.tables import ExportTables
from megafish_assets.labels.naming import UNNAMED

NO_FISH, NOT_COUNTED, NO_SIZE, OUTSIDE = (
    "boxes of no fish",
    "boxes of sightings that do not count",
    "boxes of videos whose frame's size is not known",
    "boxes outside their frame",
)
"""Why a box is left out."""


def drawn_boxes(tables: ExportTables, left_out: Counter[str]) -> Iterator[tuple[dict, pl.DataFrame]]:
    """Each video that has any, a row of `VIDEOS`, with its boxes; counts the others by why they are left out.

    A box is cut at its frame's edges. Adds `kind`, what the counts call it.
    """
    of_video = {row["video"]: row for row in tables.videos.iter_rows(named=True)}
    for video, boxes in tables.boxes:
        row, kept = of_video[video], []
        for why, rows in boxes.with_columns(_why_not().alias("why")).partition_by("why", as_dict=True).items():
            if why[0] is None:
                kept.append(_cut(rows.drop("why"), row["width_px"], row["height_px"]))
            else:
                left_out[why[0]] += rows.height
        if kept:
            inside = kept[0].filter((pl.col("width_px") > 0) & (pl.col("height_px") > 0))
            left_out[OUTSIDE] += kept[0].height - inside.height
            if inside.height:
                yield row, inside.with_columns(kind_of_box())


def _why_not() -> pl.Expr:
    return (
        pl.when(pl.col("not_fish").is_not_null())
        .then(pl.lit(NO_FISH))
        .when(~pl.col("is_counted"))
        .then(pl.lit(NOT_COUNTED))
        .when(pl.col("x_px").is_null())
        .then(pl.lit(NO_SIZE))
    )


def _cut(boxes: pl.DataFrame, width_px: int, height_px: int) -> pl.DataFrame:
    left, top = pl.col("x_px").clip(0, width_px), pl.col("y_px").clip(0, height_px)
    right = (pl.col("x_px") + pl.col("width_px")).clip(0, width_px)
    bottom = (pl.col("y_px") + pl.col("height_px")).clip(0, height_px)
    return boxes.with_columns(
        left.alias("x_px"), top.alias("y_px"), (right - left).alias("width_px"), (bottom - top).alias("height_px")
    )


def kind_of_box() -> pl.Expr:
    """What the counts call the sighting of a box: its name, else its kind's number, else `unnamed`."""
    numbered = pl.when(pl.col("kind_id").is_not_null()).then(pl.format("kind {}", "kind_id"))
    return pl.coalesce("name", numbered, pl.lit(UNNAMED)).alias("kind")


def categories(tables: ExportTables) -> dict[str, int]:
    """Everything that is counted, sorted, with its number from 1; `unnamed` always has one."""
    names = sorted({*tables.kinds.filter(pl.col("n_counted") > 0)["kind"], UNNAMED})
    return {name: number for number, name in enumerate(names, start=1)}
