"""What each tracklet is called, of the tables that may say so; none of them need be there."""

import polars as pl

from megafish_assets.footage.columns import empty_table
from megafish_assets.labels.current import NOT_FISH
from megafish_assets.labels.naming import CLASSIFIED, KIND, NOT_A_FISH, PERSON, UNNAMED
from megafish_assets.sightings.columns import NAMES

NAME_SOURCES = (PERSON, CLASSIFIED, KIND, UNNAMED)
"""Who may have named a tracklet, the surest first."""


def tracklet_names(
    classes: pl.DataFrame | None = None, kinds: pl.DataFrame | None = None, labelled: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The columns `NAMES`, a row for each tracklet that any of these tables says something of, sorted.

    `classes` holds `classes_<b>`; `kinds` holds `kinds_<b>`, of which the latest fit counts, for tracklets that
    `classes` lacks; `labelled` is the current word on each tracklet, of which only the status `not_fish` is read:
    its names are in `classes` already. What is called `NOT_A_FISH` is none. None is a table that was not made.
    """
    parts = [empty_table(NAMES)]
    if classes is not None:
        parts.append(_columns(classes.filter(pl.col("tracklet_id").is_not_null())))
    if kinds is not None:
        parts.append(_columns(kinds.filter(pl.col("is_latest") & pl.col("tracklet_id").is_not_null())))
    if labelled is not None:
        parts.append(_columns(labelled.filter(pl.col("status") == NOT_FISH)))
    found = pl.concat(parts).unique("tracklet_id", keep="first", maintain_order=True)
    denied = [] if labelled is None else labelled.filter(status=NOT_FISH)["tracklet_id"].to_list()
    is_none = pl.col("tracklet_id").is_in(denied) | (pl.col("name") == NOT_A_FISH).fill_null(False)
    return found.with_columns(is_none.alias("is_not_fish")).sort("tracklet_id")


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
