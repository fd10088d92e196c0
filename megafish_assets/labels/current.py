"""The current word on each tracklet, from all that people ever said."""

import polars as pl

from megafish_assets.footage.columns import empty_table
from megafish_assets.labels.columns import WORDS

APPROVED, REJECTED, UNSURE, NOT_FISH = "approved", "rejected", "unsure", "not_fish"
"""What a person says of a tracklet: it is this, it is not this, nobody can tell, or it is no fish at all."""

STATUSES = (APPROVED, REJECTED, UNSURE, NOT_FISH)

LOOKED_AT, FOUND, MISSED, TWICE = "looked_at", "found", "missed", "twice"
"""What a person says of a whole frame, see `sightings/gap.py`: he has seen all that is in it; this box of the detector
is an animal's; the detector missed an animal in this box; this box is a second one of an animal. None of it is a word
on a tracklet."""

FRAME_STATUSES = (LOOKED_AT, FOUND, MISSED, TWICE)

of_frames = pl.col("status").is_in(FRAME_STATUSES).fill_null(False)
"""Whether a label speaks of a frame, and of no tracklet."""


def labelled_tracklets(labels: pl.DataFrame) -> pl.DataFrame:
    """The columns `WORDS`, a row a tracklet, sorted by it, from rows with `tracklet_id`, `label` and more.

    Of each person the last word counts, of the people's last words the last that stands, see `_that_stand`. Of what one
    person said at one moment, as of the boxes of a track, the most frequent counts. A row without a status is approved,
    one without a tracklet says nothing of any. Names that differ in capitals alone are one, see `one_spelling`. Raises
    ValueError for a status that is none of `STATUSES`.
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
    each = _that_stand(each).sort("tracklet_id", "stands", *order[1:], nulls_last=False)
    last = each.unique("tracklet_id", keep="last", maintain_order=True)
    both = each.join(last.select("tracklet_id", last_status="status", last_label="label"), on="tracklet_id")
    is_same = (pl.col("status") == pl.col("last_status")) & pl.col("label").eq_missing(pl.col("last_label"))
    # Who says that it is no tang does not disagree with whom calls it a wrasse, nor one that it is no wrasse.
    is_of_other = (pl.col("status") == REJECTED) & (pl.col("label") != pl.col("last_label")).fill_null(
        pl.col("last_status") == NOT_FISH
    )
    counts = both.group_by("tracklet_id").agg(
        n_people=pl.len().cast(pl.Int64), n_disagreeing=(~is_same & ~is_of_other).sum().cast(pl.Int64)
    )
    return last.join(counts, on="tracklet_id").select(*known).sort("tracklet_id")


def _that_stand(each: pl.DataFrame) -> pl.DataFrame:
    """The last words of people with `stands`: whether one counts among them.

    A name does not that somebody rejected later, nor a rejection beside a name that stands, or *not a fish*. A
    rejection without a name is of any.
    """
    rejected_at = pl.when(pl.col("status") == REJECTED).then("labelled_at")
    of_name = rejected_at.max().over("tracklet_id", "label")
    of_any = rejected_at.filter(pl.col("label").is_null()).max().over("tracklet_id")
    is_rejected = (pl.max_horizontal(of_name, of_any) > pl.col("labelled_at")).fill_null(False)
    is_told = ((pl.col("status") == APPROVED) & ~is_rejected) | (pl.col("status") == NOT_FISH)
    is_rejection = (pl.col("status") == REJECTED) & is_told.any().over("tracklet_id")
    return each.with_columns(stands=~is_rejection & ~((pl.col("status") == APPROVED) & is_rejected))


def one_spelling(column: str) -> pl.Expr:
    """The names of a column; of spellings that differ in capitals alone, all as the last, by `labelled_at`."""
    spelled = pl.col(column).sort_by("labelled_at", column, nulls_last=False).last()
    return spelled.over(pl.col(column).str.to_lowercase()).alias(column)


def respelled(labels: pl.DataFrame) -> list[str]:
    """The names that people spelled in several ways, which are counted as one, sorted."""
    named = labels.select("labelled_at", "label").drop_nulls("label")
    return named.filter(pl.col("label") != one_spelling("label"))["label"].unique().sort().to_list()
