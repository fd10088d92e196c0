"""What each tracklet is called, of the tables that may say so; none of them need be there."""

import polars as pl

from megafish_assets.footage.columns import empty_table
from megafish_assets.labels.columns import WORDS
from megafish_assets.labels.current import APPROVED, NOT_FISH
from megafish_assets.labels.naming import NOT_A_FISH, PERSON, UNNAMED
from megafish_assets.sightings.columns import NAMES


def tracklet_names(
    classes: pl.DataFrame | None = None, kinds: pl.DataFrame | None = None, labelled: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The columns `NAMES`, a row for each tracklet that any of these tables says something of, sorted.

    `classes` holds `classes_<b>`; `kinds` holds `kinds_<b>`, of which the latest fit counts, for tracklets that
    `classes` lacks; `labelled` is the current word on each tracklet, of which the statuses `not_fish` and `approved`
    are read: they hold for tracklets without a crop too, and where `classes` is older. What is called `NOT_A_FISH` is
    none. None is a table that was not made.
    """
    said = _said(empty_table(WORDS) if labelled is None else labelled)
    parts = [empty_table(NAMES)]
    if classes is not None:
        parts.append(_columns(classes.filter(pl.col("tracklet_id").is_not_null())))
    if kinds is not None:
        parts.append(_columns(kinds.filter(pl.col("is_latest") & pl.col("tracklet_id").is_not_null())))
    parts.append(_columns(said.select("tracklet_id")))
    found = pl.concat(parts).unique("tracklet_id", keep="first", maintain_order=True)
    return _with_words(found, said).select(*NAMES).sort("tracklet_id")


def _said(labelled: pl.DataFrame) -> pl.DataFrame:
    """`tracklet_id`, `denied`, `said` (a name, null without one) and `said_scientific` of what people called a fish, or
    none."""
    spoken = labelled.filter(pl.col("status").is_in([APPROVED, NOT_FISH]))
    label, scientific = (
        pl.when(status=APPROVED).then(name if name in labelled.columns else pl.lit(None)).cast(pl.String)
        for name in ("label", "scientific_name")
    )
    denied = pl.col("status") == NOT_FISH
    return spoken.select(
        "tracklet_id", denied.alias("denied"), label.alias("said"), scientific.alias("said_scientific")
    )


def _with_words(found: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    """The names with what people said of each, which comes before all that was made of it."""
    rows = found.join(said, on="tracklet_id", how="left", maintain_order="left")
    is_said, is_other = pl.col("said").is_not_null(), pl.col("said").ne_missing(pl.col("name"))
    rows = rows.with_columns(
        pl.coalesce("said", "name").alias("name"),
        pl.when(is_said & is_other).then("said_scientific").otherwise("scientific_name").alias("scientific_name"),
        pl.when(is_said).then(pl.lit(1.0)).otherwise("probability").alias("probability"),
        pl.when(is_said).then(pl.lit(PERSON)).otherwise("name_source").alias("name_source"),
    )
    is_called_none, is_denied = (pl.col("name") == NOT_A_FISH).fill_null(False), pl.col("denied").fill_null(False)
    named_so = pl.when(is_called_none).then("name_source")
    by_name = pl.col("name").is_not_null() & (pl.col("name_source") == PERSON)
    return rows.with_columns(
        pl.when(is_denied).then(pl.lit(PERSON)).otherwise(named_so).alias("not_fish_by"),
        (~is_denied & ~is_called_none & (pl.col("denied").is_not_null() | by_name)).alias("is_fish"),
    )


def _columns(table: pl.DataFrame) -> pl.DataFrame:
    """The columns `NAMES` of any table, those that it lacks as nulls; without a name it is unnamed."""
    given = table.select(
        (pl.col(name) if name in table.columns else pl.lit(None)).cast(column.dtype).alias(name)
        for name, column in NAMES.items()
    )
    source = pl.when(pl.col("name").is_null()).then(pl.lit(UNNAMED)).otherwise("name_source")
    return given.with_columns(source.alias("name_source"))


def taxon() -> pl.Expr:
    """What a tracklet counts as: its name, else its kind's number, else `unnamed`."""
    numbered = pl.when(pl.col("kind_id").is_not_null()).then(pl.format("kind {}", "kind_id"))
    return pl.coalesce("name", numbered, pl.lit(UNNAMED))


def counted(sightings: pl.LazyFrame) -> pl.LazyFrame:
    """The rows of `sightings` that count, with their `kind`, see `taxon`."""
    return sightings.filter("is_counted").with_columns(taxon().alias("kind"))


TAXON = ("name", "kind_id", "scientific_name", "name_source", "not_fish")
"""Columns of `sightings` that say what is counted."""


def taxa(sightings: pl.DataFrame) -> pl.DataFrame:
    """`kind`, `kind_id`, `scientific_name` and `name_source` of everything that is counted, sorted by `kind`.

    `sightings` holds the columns `TAXON`, those of the whole collection. `unnamed` is counted even where all have
    names.
    """
    here = sightings.filter(pl.col("not_fish").is_null()).with_columns(taxon().alias("kind"))
    counted = here.group_by("kind").agg(
        pl.when(pl.col("name").is_null().all()).then(pl.col("kind_id").first()).alias("kind_id"),
        pl.col("scientific_name").drop_nulls().mode().sort().first(),
        pl.col("name_source").mode().sort().first(),
    )
    unnamed = pl.DataFrame(
        {"kind": [UNNAMED], "kind_id": [None], "scientific_name": [None], "name_source": [UNNAMED]}, counted.schema
    )
    return pl.concat([counted.filter(pl.col("kind") != UNNAMED), unnamed]).sort("kind")
