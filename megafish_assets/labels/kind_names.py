"""What a kind is called: the name that most of its named tracklets bear, and how many disagree."""

import polars as pl

from megafish_assets.labels.naming import PERSON


def kind_names(classes: pl.DataFrame) -> pl.DataFrame:
    """`kind_id`, `name`, `n_named` (by people) and `n_disagreeing` (of them, those with another name), by kind.

    `classes` holds the columns `CLASSES`. A kind of which people have named nothing has no row; of names that are given
    equally often the first by the alphabet stands.
    """
    named = classes.filter((pl.col("name_source") == PERSON) & pl.col("kind_id").is_not_null())
    counts = named.group_by("kind_id", "name").len("n").sort("n", "name", descending=[True, False])
    kinds = counts.group_by("kind_id", maintain_order=True).agg(
        pl.col("name").first(), n_named=pl.col("n").sum().cast(pl.Int64), n_most=pl.col("n").first()
    )
    disagreeing = (pl.col("n_named") - pl.col("n_most")).cast(pl.Int64).alias("n_disagreeing")
    return kinds.select("kind_id", "name", "n_named", disagreeing).sort("kind_id")


def told_names(classes: pl.DataFrame) -> dict[int, str]:
    """What is said of each kind on a picture: `yellow tang`, or `yellow tang, 2 of 12 named otherwise`."""
    told = {}
    for kind_id, name, n_named, n_disagreeing in kind_names(classes).iter_rows():
        told[kind_id] = f"{name}, {n_disagreeing} of {n_named} named otherwise" if n_disagreeing else name
    return told
