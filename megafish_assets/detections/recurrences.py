"""Where boxes recur within each clip, from the boxes alone.

Here: what is a clip, how clips follow one another, and the places within one. What other clips say of them is told in
`lens.py`.
"""

from collections.abc import Callable

import numpy as np
import polars as pl

from megafish_assets.detections.columns import RECURRENCES
from megafish_assets.detections.overlaps import overlapping
from megafish_assets.footage.boxes import BOX
from megafish_assets.footage.columns import empty_table
from megafish_assets.footage.ids import natural

CLIP_SECONDS = 10
"""A longer video is several clips of this length, as the notebook's camera records them."""

MOST_CLIPS = 20
"""Of one video, at even steps: growth that stays for an hour is in all of them, a fish that rests in few."""

LOOKS_A_SECOND = 30
"""Frames that are looked at: what grows on the lens is reported in as few as one frame of 25, so that with ten looks a
second a place of two seeds' reefs was missed, and 8 % of the growth with it."""

MOST_BOXES = 4_000
"""Of a clip, by fewer looks."""

LEAST_SECONDS_SHARE, LEAST_SECONDS = 0.2, 2
"""Of a clip's seconds in which a box recurs at one place; what passes by is there for one or two."""


def clip_of(rows: pl.DataFrame) -> pl.DataFrame:
    """`clip`, `second` and `look` of each row of one video, in their order, counted from its start."""
    seconds = seconds_of()
    return rows.select(
        (seconds / CLIP_SECONDS).floor().cast(pl.Int64).alias("clip"),
        seconds.floor().cast(pl.Int64).alias("second"),
        (seconds * LOOKS_A_SECOND + 1e-6).floor().cast(pl.Int64).alias("look"),
    )


def seconds_of() -> pl.Expr:
    """Seconds in the video; of a file whose rate can't be read, as of 30 frames a second."""
    return pl.coalesce("seconds_in_video", pl.col("frame_id") / 30.0)


def recurrences(rows: pl.DataFrame, on_video: Callable[[], None] = lambda: None) -> pl.DataFrame:
    """Places where boxes recur within each clip of these videos, in the columns `RECURRENCES` but for what other clips
    say; a clip without any has one row without a box, for it counts as a clip that was looked at.

    A video lasts to its last box: a clip before it in which nothing was seen speaks against a place as one does that
    shows fish elsewhere. `rows` holds valid rows of `raw_detections`, whole videos; `on_video` is called after each.
    """
    parts = [empty_table(RECURRENCES)]
    videos = rows.partition_by("video", as_dict=True)
    for (video,), of_video in sorted(videos.items(), key=lambda item: natural(item[0][0])):
        when = clip_of(of_video)
        last_clip, last_second = when.select(pl.col("clip", "second").max()).row(0)
        chosen = np.linspace(0, last_clip, min(MOST_CLIPS, last_clip + 1)).round().astype(int)
        seen = pl.concat([of_video.select("frame_id", *BOX), when], how="horizontal")
        # The first frame of each look: rates above ten a second repeat what it shows.
        seen = seen.filter(pl.col("frame_id") == pl.col("frame_id").min().over("look")).sort("frame_id", *BOX)
        for clip in chosen.tolist():
            n_seconds = min(CLIP_SECONDS, last_second + 1 - clip * CLIP_SECONDS)
            parts.append(_of_clip(video, clip, seen.filter(pl.col("clip") == clip), n_seconds))
        on_video()
    return pl.concat(parts)


def _of_clip(video: str, clip: int, seen: pl.DataFrame, n_seconds: int) -> pl.DataFrame:
    step = -(-seen.height // MOST_BOXES)
    seen = seen.filter(pl.col("look") % step == 0) if step > 1 else seen
    boxes, seconds = seen.select(BOX).to_numpy().astype(np.float32), seen["second"].to_numpy()
    found = _places(boxes, seconds, n_seconds) if len(boxes) and n_seconds >= LEAST_SECONDS else []
    columns = [(video, clip, *box, share, n) for box, share, n in found] or [(video, clip, *[None] * 4, 0.0, 0)]
    names = ["video", "clip", *BOX, "seconds_share", "n_boxes"]
    known = pl.DataFrame(columns, {name: RECURRENCES[name].dtype for name in names}, orient="row")
    return known.with_columns(
        pl.lit(seen.height, pl.Int64).alias("n_looked_at"),
        pl.lit(n_seconds >= LEAST_SECONDS).alias("is_compared"),
        pl.lit(0.0).alias("lens_score"),
        pl.lit(0, pl.Int64).alias("n_others"),
        pl.lit(None, pl.String).alias("place_id"),
        pl.lit(False).alias("is_spared"),
    ).select(*RECURRENCES)


def _places(boxes: np.ndarray, seconds: np.ndarray, n_seconds: int) -> list[tuple[np.ndarray, float, int]]:
    """Box, share of the seconds and number of boxes of every place, the most frequent first."""
    from scipy.sparse import csr_array

    row, other = overlapping(boxes, boxes)
    together = csr_array((np.ones(len(row), dtype=bool), (row, other)), shape=(len(boxes), len(boxes)))
    in_second = csr_array((np.ones(len(boxes)), (np.arange(len(boxes)), seconds - seconds.min())))
    n_seen = ((together.astype(np.float64) @ in_second) > 0).sum(axis=1)
    least = max(LEAST_SECONDS, LEAST_SECONDS_SHARE * n_seconds - 1e-9)
    free, found = np.ones(len(boxes), dtype=bool), []
    for place in np.lexsort([-together.sum(axis=1), -n_seen]).tolist():
        if n_seen[place] < least:
            break
        if free[place]:
            members = together.indices[together.indptr[place] : together.indptr[place + 1]]
            free[members] = False
            found.append((np.median(boxes[members], axis=0), n_seen[place] / n_seconds, len(members)))
    return found


def in_turn(found: pl.DataFrame) -> pl.DataFrame:
    """The clips of `recurrences`, a row each, as they follow one another: videos by their names, clips by time."""
    clips = found.select("video", "clip", "is_compared").unique()
    order = sorted(clips.iter_rows(), key=lambda row: (natural(row[0]), row[1]))
    return pl.DataFrame(order, clips.schema, orient="row").with_columns(pl.int_range(pl.len()).alias("turn"))
