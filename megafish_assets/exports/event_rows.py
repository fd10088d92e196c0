"""The windows that are events, and what was counted in each: one row an event and taxon, whatever people call it."""

import polars as pl

from megafish_assets.exports.publication import NAMED, placed_videos, prefix, true_zone, zoned
from megafish_assets.exports.sighted import BRIEF, with_is_sighted
from megafish_assets.exports.tables import ExportTables
from megafish_assets.exports.taxa import SAME_TAXON, taxa_of_kinds
from megafish_assets.sightings.windows import CLIP, HOUR, WINDOW, window_start

UNSEARCHED = "of windows in which nothing was searched"
NOT_SOUGHT = "not seen, and never searched for by a name"
UNWANTED = "not seen (`absences = false` in the section `site`)"


def event_rows(tables: ExportTables) -> pl.DataFrame:
    """`abundance` of the windows that are events, with what `_events` and `taxa_of_kinds` say, `is_event`,
    `is_sighted`, `is_other_name`, and `left_out`: why a row becomes no occurrence, null where it does.

    Of two names of one taxon in an event the larger MaxN stands, the other is `is_other_name`: their sum may count an
    animal twice, and of an animal that was seen under one of them the other says no absence.
    """
    rows = tables.abundance.filter(window_kind=tables.site.events)
    rows = with_is_sighted(rows, tables, tables.site.events)
    rows = rows.join(_events(tables), on=WINDOW, how="left", nulls_equal=True, maintain_order="left")
    rows = rows.join(taxa_of_kinds(tables), on="kind", how="left", maintain_order="left")
    taxon = (*WINDOW, "taxon_key", "qualifier")
    largest = pl.col("kind").sort_by("max_n", "kind", descending=[True, False]).first().over(taxon)
    rows = rows.with_columns((pl.col("taxon").is_not_null() & (pl.col("kind") != largest)).alias("is_other_name"))
    is_unseen = (
        (pl.col("max_n") == 0) & (pl.col("n_tracklets") == 0) & ~(pl.col("mean_count") > 0) & ~pl.col("is_sighted")
    )
    is_absent = is_unseen.all().over(taxon)
    unwanted = pl.lit(not tables.site.absences)
    why = (
        pl.when(pl.col("n_frames_searched") == 0)
        .then(pl.lit(UNSEARCHED))
        .when(pl.col("refused").is_not_null())
        .then("refused")
        .when("is_other_name")
        .then(pl.lit(SAME_TAXON))
        .when(is_absent & ~pl.col("is_searched"))
        .then(pl.lit(NOT_SOUGHT))
        .when(is_absent & unwanted)
        .then(pl.lit(UNWANTED))
        .when((pl.col("max_n") == 0) & ~is_absent)
        .then(pl.lit(BRIEF))
    )
    return rows.with_columns(why.alias("left_out"), (pl.col("n_frames_searched") > 0).alias("is_event"))


def _events(tables: ExportTables) -> pl.DataFrame:
    """`window`, `station`, `event` (an id), `deployment`, `local_start`, by the camera's clock, `start` and `end` of
    each window that may be an event."""
    placed, kind = placed_videos(tables), tables.site.events
    windows = tables.abundance.filter(window_kind=kind).select(*WINDOW, "window_kind").unique()
    of = pl.format("{}:{}:{}", pl.lit(prefix(tables)), pl.lit(kind), "place").alias("event")
    if kind == CLIP:
        clips = placed.select("deployment", "start", "end", window="video", local_start="starts_at")
        found = windows.join(clips, on="window").with_columns(pl.col("window").alias("place"))
    else:
        # A station has one place here, see `missing_of_hours`; counts know only those of recordings.csv.
        at = windows.with_columns(pl.coalesce("station", pl.lit(tables.site.station, pl.String)).alias("at"))
        places = placed.select(pl.col("station").alias("at"), "deployment").unique("at")
        hours = at.join(places, on="at", nulls_equal=True)
        hours = hours.with_columns(window_start().alias("local_start"))
        start = zoned("local_start", tables)
        found = hours.with_columns(
            start.alias("start"),
            (start + pl.duration(hours=1)).alias("end"),
            pl.concat_str("deployment", "window", separator=":").alias("place"),
        )
    return found.select(*WINDOW, of, "deployment", "local_start", "start", "end")


def missing_of_hours(tables: ExportTables) -> list[str]:
    """Of counts by the hour: stations that stand at several places, so that an hour of theirs has none, and hours that
    never were, into which a video may last."""
    if tables.site.events == CLIP:
        return []
    moved = tables.videos.group_by("station").agg(pl.struct("latitude", "longitude", "depth").n_unique().alias("n"))
    names = moved.filter(pl.col("n") > 1)["station"].sort().to_list()
    said = [f"one place for station {name!r}: recordings.csv gives it several, so name them apart" for name in names]
    station, stations = tables.site.station, tables.abundance["station"]
    if station is not None and stations.null_count() and station in stations:
        said.append(
            f"the station of every file in recordings.csv: `site` calls those without one {tables.site.station!r} too"
        )
    hours = tables.abundance.filter(window_kind=HOUR).select("window", local=window_start()).unique("window")
    if lost := hours.filter(zoned("local", tables).is_null())["window"].sort().to_list():
        said.append(true_zone(f"{', '.join(lost[:NAMED])} are hours", tables) + ', or `events = "clip"`')
    return said


def searched_events(rows: pl.DataFrame) -> pl.DataFrame:
    """The first of the rows of `event_rows` of each event in which anything was searched, in order."""
    return rows.filter("is_event").unique("event", maintain_order=True).sort("event")
