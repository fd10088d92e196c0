"""Lines of one file that say two things of one fish at one moment: which of them is meant, nobody can tell."""

import polars as pl

from megafish_assets.labels.current import APPROVED, REJECTED


def contradicting(said: pl.DataFrame) -> str | None:
    """A sentence that names two lines of the columns `SAID` that contradict each other; None where none do.

    A fish is not two, nor what it was rejected as, nor both named and unsure. Rejecting several names is no
    contradiction, nor is another person's word, or a later one.
    """
    ids = ["detection_id", "tracklet_id", "place_id", "video", "frame_id"]
    place = pl.col("box").cast(pl.List(pl.String)).list.join(",")
    name = pl.col("label").str.to_lowercase()
    is_ruled_out = pl.col("status") == REJECTED
    words = said.select(
        "line",
        *ids,
        place.alias("place"),
        pl.col("labelled_by").str.to_lowercase(),
        "labelled_at",
        pl.coalesce("label", "status").alias("said"),
        pl.when(pl.col("status") == APPROVED).then(name).when(~is_ruled_out).then("status").alias("word"),
        pl.when(is_ruled_out).then(name).alias("ruled_out"),
    )
    fish = [*ids, "place", "labelled_by", "labelled_at"]
    found = words.group_by(fish).agg(
        pl.col("line", "said"), pl.col("word").drop_nulls().unique(), pl.col("ruled_out").drop_nulls().unique()
    )
    both = (pl.col("word").list.len() > 1) | (pl.col("word").list.set_intersection("ruled_out").list.len() > 0)
    pairs = found.filter(both).sort(pl.col("line").list.min()).head(1)
    if pairs.is_empty():
        return None
    row = pairs.row(0, named=True)
    what = row["tracklet_id"] or row["detection_id"] or row["place_id"] or f"the box {row['place']}"
    order = sorted(zip(row["line"], row["said"], strict=True))
    (first, word), (last, other) = order[0], next((item for item in order if item[1] != order[0][1]), order[-1])
    return f"lines {first} and {last} contradict each other on {what}: {word!r} and {other!r}: keep one of them"
