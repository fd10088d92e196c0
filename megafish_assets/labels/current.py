"""The current word on each tracklet, from all that people ever said."""

import polars as pl

from megafish_assets.footage.columns import empty_table
from megafish_assets.labels.columns import WORDS

APPROVED, REJECTED, UNSURE, NOT_FISH = "approved", "rejected", "unsure", "not_fish"
"""What a person says of a tracklet: it is this, it is not this, nobody can tell, or it is no fish at all."""

STATUSES = (APPROVED, REJECTED, UNSURE, NOT_FISH)

LOOKED_AT, MISSED, TWICE = "looked_at", "missed", "twice"
"""What a person says of a whole frame, see `sightings/gap.py`: he has seen all that is in it; the detector missed an
animal in this box; this box is a second one of an animal. None of it is a word on a tracklet."""

FRAME_STATUSES = (LOOKED_AT, MISSED, TWICE)

of_frames = pl.col("status").is_in(FRAME_STATUSES).fill_null(False)
"""Whether a label speaks of a frame, and of no tracklet."""


def labelled_tracklets(labels: pl.DataFrame) -> pl.DataFrame:
    """The columns `WORDS`, a row a tracklet, sorted by it, from rows with `tracklet_id`, `label` and more.

    Of each person the last word counts, of the people's last words the last. Of what one person said at one moment, as
    of the boxes of a track, the most frequent counts. A row without a status is approved, one without a tracklet says
    nothing of any. Names that differ in capitals alone are one, see `one_spelling`. Raises ValueError for a status that
    is none of `STATUSES`.
    """
    known = {name: column.dtype for name, column in WORDS.items()}
    asked = [
        pl.col(name).cast(dtype) if name in labels.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in known.items()
        if name not in ("n_people", "n_disagreeing")
    ]
    said = labels.select(asked).with_columns(pl.col("status").fill_null(APPROVED)).drop_nulls("tracklet_id")
    foreign = said.filter(~pl.col("status").is_in(STATUSES))["status"].unique().sort().to_list()
    if foreign:
        raise ValueError(f"labels of status {foreign}: expected {', '.join(STATUSES)}")
    said = said.with_columns(one_spelling("label"), person=pl.col("labelled_by").str.to_lowercase())
    # Rows of one moment come in any order; what it is says more than what it is not.
    said = said.with_columns(
        times=pl.len().over("tracklet_id", "person", "labelled_at", "status", "label"),
        is_more=pl.col("status") != REJECTED,
    )
    order = ["tracklet_id", "labelled_at", "labelled_by", "status", "label"]
    within = ["tracklet_id", "labelled_at", "times", "is_more", "labelled_by", "status", "label"]
    each = said.sort(within, nulls_last=False).unique(["tracklet_id", "person"], keep="last", maintain_order=True)
    if each.is_empty():
        return empty_table(WORDS)
    each = each.sort(order, nulls_last=False).with_columns(word=pl.concat_str("status", pl.col("label").fill_null("")))
    counts = each.group_by("tracklet_id").agg(
        n_people=pl.len().cast(pl.Int64), n_disagreeing=(pl.col("word") != pl.col("word").last()).sum().cast(pl.Int64)
    )
    last = each.unique("tracklet_id", keep="last", maintain_order=True).join(counts, on="tracklet_id")
    return last.select(*known).sort("tracklet_id")


def one_spelling(column: str) -> pl.Expr:
    """The names of a column; of spellings that differ in capitals alone, all as the last, by `labelled_at`."""
    spelled = pl.col(column).sort_by("labelled_at", column, nulls_last=False).last()
    return spelled.over(pl.col(column).str.to_lowercase()).alias(column)


def respelled(labels: pl.DataFrame) -> list[str]:
    """The names that people spelled in several ways, which are counted as one, sorted."""
    named = labels.select("labelled_at", "label").drop_nulls("label")
    return named.filter(pl.col("label") != one_spelling("label"))["label"].unique().sort().to_list()
