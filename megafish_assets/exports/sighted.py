"""In which windows of `abundance` each sighting lies, whether it counts or not.

A zero of `abundance` is no absence where one of its kind was in view nevertheless: too briefly to be counted, or as
what most of the time was a part of another. Not here: what an export makes of it.
"""

import polars as pl

from megafish_assets.exports.tables import ExportTables
from megafish_assets.sightings.naming import taxon
from megafish_assets.sightings.windows import CLIP, WINDOW

HOUR_FORMAT = "%Y-%m-%dT%H"
"""How `abundance` calls an hour."""

BRIEF = "seen, but for less than a third of a second or as a part: no count, and no absence"


def by_window(sightings: pl.DataFrame, events: str) -> pl.DataFrame:
    """The columns `SIGHTINGS` with `kind` and `window`, a row for every clip or hour that a sighting lies in; none for
    hours of one whose time of day is not known."""
    kinds = sightings.with_columns(taxon().alias("kind"))
    if events == CLIP:
        return kinds.with_columns(pl.col("video").alias("window"))
    span = pl.duration(microseconds=((pl.col("last_second") - pl.col("first_second")) * 1e6).round())
    first, last = pl.col("recorded_at"), pl.col("recorded_at") + span.fill_null(pl.duration())
    timed = kinds.filter(first.is_not_null())
    hours = pl.datetime_ranges(first.dt.truncate("1h"), last.dt.truncate("1h"), "1h").alias("window")
    return timed.with_columns(hours).explode("window").with_columns(pl.col("window").dt.strftime(HOUR_FORMAT))


def with_is_sighted(rows: pl.DataFrame, tables: ExportTables, events: str) -> pl.DataFrame:
    """Rows of `abundance` of such windows in their order, with `is_sighted`: whether any sighting of the kind that may
    be a fish lies in the window, whatever its length."""
    fish = by_window(tables.sightings.filter(pl.col("not_fish").is_null()), events)
    sighted = fish.select(*WINDOW, "kind", pl.lit(True).alias("is_sighted")).unique()
    joined = rows.join(sighted, on=[*WINDOW, "kind"], how="left", nulls_equal=True, maintain_order="left")
    return joined.with_columns(pl.col("is_sighted").fill_null(False))
