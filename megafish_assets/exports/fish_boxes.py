"""The boxes that formats of boxes hold: all that may show a fish, in px of their frame, cut at its edges.

What is taken for no fish is left out and counted: in a training set it would be a fish, and left out it is background.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from megafish_assets.exports.tables import ExportTables
from megafish_assets.labels.naming import UNNAMED
from megafish_assets.sightings.naming import taxon

UNREADABLE = "of videos whose file can't be read, so that their px are not known"
OUTSIDE = "outside their frame"
CUT = "cut at the edge of their frame"

LEAST_PX = 0.01
"""Of a side, after the cut: less is rounded away."""

DECIMALS = 2
"""Of px: detectors round their boxes to more than a hundredth."""


@dataclass(frozen=True)
class Video:
    """One video as formats of boxes name it."""

    key: str
    file: str
    width_px: int | None
    height_px: int | None
    frames_per_second: float | None


@dataclass(frozen=True)
class FishBoxes:
    """The boxes of one video that may show fish."""

    rows: pl.DataFrame
    """`detection_id`, `frame_id`, `seconds`, `recorded_at`, `score`, `unit_id` (its tracklet, else itself), `kind`,
    `name_source`, `probability`, `is_counted`, `left`, `top`, `right`, `bottom` in px, and `is_cut`, whether it reached
    over the frame's edge; in order of frame and id."""
    frames: pl.DataFrame
    """`frame_id`, `seconds` and `recorded_at` of every frame with a valid box, fish or not, in order."""
    left_out: Counter[str]
    """How many of the video's boxes are not among the rows, by why."""

    @property
    def n_cut(self) -> int:
        """Of the rows."""
        return self.rows["is_cut"].sum()


def categories(tables: ExportTables) -> pl.DataFrame:
    """The columns `KINDS` of all that a box may be called: names by the alphabet, then kinds that nobody has named by
    their number, `unnamed` last. A category's number is its row."""
    is_unnamed = pl.col("kind") == UNNAMED
    return tables.kinds.sort(is_unnamed, pl.col("kind_id").is_not_null(), "kind_id", "kind", nulls_last=True)


def fish_boxes_by_video(tables: ExportTables) -> Iterator[tuple[Video, FishBoxes]]:
    """The boxes of every video that has valid ones, in order; some videos are in memory at a time."""
    videos = videos_by_key(tables)
    for key, boxes in tables.boxes:
        yield videos[key], fish_boxes(boxes, videos[key])


def videos_by_key(tables: ExportTables) -> dict[str, Video]:
    """Every video that has valid boxes."""
    columns = ("video", "video_file", "width_px", "height_px", "frames_per_second")
    return {row[0]: Video(*row) for row in tables.videos.select(columns).iter_rows()}


def fish_boxes(boxes: pl.DataFrame, video: Video) -> FishBoxes:
    """Those of one video; `boxes` holds the columns `BOXES`."""
    reasons = boxes["not_fish"].drop_nulls().value_counts(sort=True)
    left_out = Counter({f"taken for no fish: {reason}": n for reason, n in reasons.iter_rows()})
    fish = boxes.filter(pl.col("not_fish").is_null())
    frames = boxes.group_by("frame_id", maintain_order=True).agg(pl.col("seconds", "recorded_at").first())
    placed = fish.drop_nulls(["x_px", "y_px", "width_px", "height_px"]).with_columns(_edges(video))
    inside = placed.filter(pl.col("right") - pl.col("left") >= LEAST_PX, pl.col("bottom") - pl.col("top") >= LEAST_PX)
    left_out += Counter({UNREADABLE: fish.height - placed.height, OUTSIDE: placed.height - inside.height})
    over = pl.any_horizontal(
        pl.col("left") - pl.col("x_px") > LEAST_PX,
        pl.col("top") - pl.col("y_px") > LEAST_PX,
        pl.col("x_px") + pl.col("width_px") - pl.col("right") > LEAST_PX,
        pl.col("y_px") + pl.col("height_px") - pl.col("bottom") > LEAST_PX,
    )
    rows = inside.select(
        *("detection_id", "frame_id", "seconds", "recorded_at", "score"),
        pl.coalesce("tracklet_id", "detection_id").alias("unit_id"),
        taxon().alias("kind"),
        *("name_source", "probability", "is_counted", "left", "top", "right", "bottom"),
        over.alias("is_cut"),
    )
    return FishBoxes(rows, frames, left_out)


def _edges(video: Video) -> list[pl.Expr]:
    """`left`, `top`, `right` and `bottom`, within the frame."""
    found = []
    for low, high, axis, side, end in (
        ("left", "right", "x_px", "width_px", video.width_px),
        ("top", "bottom", "y_px", "height_px", video.height_px),
    ):
        edges = (low, pl.col(axis)), (high, pl.col(axis) + pl.col(side))
        found += [edge.clip(0, end).round(DECIMALS).alias(name) for name, edge in edges]
    return found


def picture_name(video: pl.Expr, frame_id: pl.Expr) -> pl.Expr:
    """What a frame's picture is called, the same in every format of boxes; a video's key holds no slash."""
    return pl.format("{}_{}.jpg", video, frame_id.cast(pl.String).str.zfill(6))
