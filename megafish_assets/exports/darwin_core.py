"""Counts as Darwin Core: events, occurrences and measurements, as OBIS and GBIF take them.

```
deployment (the camera at its place)
  `- clip or hour (what was searched)       sampleSizeValue: seconds searched
       |- occurrence (a taxon in it)         individualCount: MaxN
       |    `- measurements                  MaxN, MeanCount
       `- measurements                       duration, frames searched
```

Not here: how the three become an archive, see `darwin_core_archive.py`, and its rules, see `darwin_core_rules.py`.
"""

from importlib.metadata import version as installed_version

import polars as pl

from megafish_assets.exports.event_rows import searched_events
from megafish_assets.exports.publication import (
    deployments,
    iso,
    media_address,
    prefix,
    short,
)
from megafish_assets.exports.sighted import by_window
from megafish_assets.exports.tables import ExportTables
from megafish_assets.footage.site import LICENCES
from megafish_assets.labels.naming import PERSON
from megafish_assets.sightings.counting import HELD, MIXED, PLAIN
from megafish_assets.sightings.windows import WINDOW

PRESENT, ABSENT = "present", "absent"
BY_PERSON, BY_MACHINE = "ValidatedByHuman", "PredictedByMachine"
"""OBIS's words for imagery (Martin-Cabrera et al. 2022, doi:10.25607/OBP-1742)."""

P01, P06 = "http://vocab.nerc.ac.uk/collection/P01/current/", "http://vocab.nerc.ac.uk/collection/P06/current/"
COUNT, DURATION, SECONDS, ONE = f"{P01}OCOUNT01/", f"{P01}AZDRZZ01/", f"{P06}UTBB/", f"{P06}UUUU/"
"""Of the NERC vocabularies: count of the biological entity, sample duration; seconds, dimensionless."""

MEASURED = {
    "max_n": ("MaxN", COUNT, "individuals", ONE, "most in view at once"),
    # P01 has no code for a mean over frames, and OBIS wants none rather than a wrong one.
    "mean_count": (
        "MeanCount", None, "individuals per frame", ONE, "mean in view over all searched frames, those without as 0",
    ),
    "occupancy_share": ("occupancy", None, "share of searched frames", ONE, "frames in which one is in view"),
}  # fmt: skip
"""Of an occurrence: type, its id, unit, its id, method, by the column of `abundance`."""

MAX_N_RULES = pl.col("max_n_rule").replace_strict(
    {
        HELD: ", in half of the looks of some third of a second",
        PLAIN: " in any frame that was looked at",
        MIXED: ", of videos by the one and by the other of two rules",
    }
)
"""How MaxN was told, behind its method."""

EFFORT = {
    "seconds_searched": (
        "sampling duration",
        DURATION,
        "seconds",
        SECONDS,
        "video searched, the wiper's time left out",
    ),
    "n_frames_searched": ("frames searched", None, "frames", ONE, "frames that the detector looked at"),
}
"""Of an event, likewise."""


def event_table(tables: ExportTables, rows: pl.DataFrame) -> pl.DataFrame:
    """The core: deployments, then the events of `event_rows` rows, in order."""
    site, places, common = tables.site, deployments(tables), ("deployment", "start", "end")
    of_place = pl.format("{}:deployment:{}", pl.lit(prefix(tables)), "deployment")
    parents = places.select(of_place.alias("event"), pl.lit("Deployment").alias("kind"), *common)
    effort = ("seconds_searched", "n_frames_searched")
    below = searched_events(rows).select(
        "event", pl.lit(site.events.capitalize()).alias("kind"), of_place.alias("parent"), *common, *effort
    )
    both = pl.concat([parents, below], how="diagonal")
    placed = both.join(places.drop("start", "end"), on="deployment", how="left", maintain_order="left")
    has_effort = pl.col("seconds_searched").is_not_null()
    return placed.select(
        pl.col("event").alias("eventID"),
        pl.col("parent").alias("parentEventID"),
        pl.col("kind").alias("eventType"),
        pl.concat_str(iso(pl.col("start")), iso(pl.col("end")), separator="/").alias("eventDate"),
        _said(site.protocol, "samplingProtocol"),
        pl.col("seconds_searched").alias("sampleSizeValue"),
        pl.when(has_effort).then(pl.lit("seconds")).alias("sampleSizeUnit"),
        pl.format("{} frames searched", "n_frames_searched").alias("samplingEffort"),
        pl.col("deployment").alias("locationID"),
        pl.col("station").alias("locality"),
        pl.col("latitude").alias("decimalLatitude"),
        pl.col("longitude").alias("decimalLongitude"),
        _said(site.datum, "geodeticDatum"),
        pl.lit(site.uncertainty_m, pl.Float64).alias("coordinateUncertaintyInMeters"),
        pl.col("depth").alias("minimumDepthInMeters"),
        pl.col("depth").alias("maximumDepthInMeters"),
        _said(site.institution, "institutionCode"),
        _said(site.collection, "collectionCode"),
        _said(site.title, "datasetName"),
        _said(LICENCES.get(site.licence), "license"),
    )


def _said(text: str | None, term: str) -> pl.Expr:
    return pl.lit(text, pl.String).alias(term)


def occurrence_table(tables: ExportTables, rows: pl.DataFrame) -> pl.DataFrame:
    """A row for each of the `event_rows` rows that is not left out, in order of event and kind."""
    kept = by_people(tables, rows.filter(pl.col("left_out").is_null()))
    is_present = pl.col("max_n") > 0
    ids = {kind: short(kind) for kind in kept["kind"].unique()}
    ids_of = pl.col("kind").replace_strict(ids, return_dtype=pl.String) if ids else pl.col("kind")
    return kept.sort("event", "kind").select(
        pl.col("event").alias("eventID"),
        pl.format("{}:{}", "event", ids_of).alias("occurrenceID"),
        pl.lit("MachineObservation").alias("basisOfRecord"),
        pl.when(is_present).then(pl.lit(PRESENT)).otherwise(pl.lit(ABSENT)).alias("occurrenceStatus"),
        pl.col("taxon").alias("scientificName"),
        pl.col("taxon_id").alias("scientificNameID"),
        pl.col("qualifier").alias("identificationQualifier"),
        pl.col("verbatim").alias("verbatimIdentification"),
        pl.col("max_n").alias("individualCount"),
        pl.col("identified_by").alias("identifiedBy"),
        pl.when("by_person").then(pl.lit(BY_PERSON)).otherwise(pl.lit(BY_MACHINE)).alias(
            "identificationVerificationStatus"
        ),
        _said(software(tables), "identificationReferences"),
        _remarks(tables).alias("identificationRemarks"),
        _media(tables).alias("associatedMedia"),
    )  # fmt: skip


def by_people(tables: ExportTables, rows: pl.DataFrame) -> pl.DataFrame:
    """Some of the `event_rows` rows in their order, with `by_person`, whether people named all sightings that count,
    `identified_by`, and what else `_identified` tells."""
    known = rows.join(_identified(tables), on=[*WINDOW, "kind"], how="left", nulls_equal=True, maintain_order="left")
    by_person = (pl.col("max_n") > 0) & (pl.col("n_person") == pl.col("n_sightings")).fill_null(False)
    people = pl.col("people").replace("", "a person who gave no name")
    by = pl.when(by_person).then(people).otherwise(pl.lit(software(tables)))
    return known.with_columns(by_person.alias("by_person"), by.alias("identified_by"))


def software(tables: ExportTables) -> str:
    """What named what nobody named, with its version."""
    return f"megafish {installed_version('megafish-assets')}, crops seen by {tables.origin.backbone or 'no network'}"


def _identified(tables: ExportTables) -> pl.DataFrame:
    """`window`, `station`, `kind` and how many sightings that count lie in it, how many of them people named, who
    they are, and the mean probability of the names."""
    spoken = tables.labels.select("tracklet_id", "labelled_by")
    counts = tables.sightings.filter("is_counted").join(spoken, on="tracklet_id", how="left")
    seen = by_window(counts, tables.site.events)
    is_person = pl.col("name_source") == PERSON
    return seen.group_by(*WINDOW, "kind").agg(
        pl.len().alias("n_sightings"),
        is_person.sum().alias("n_person"),
        pl.col("labelled_by").filter(is_person).drop_nulls().unique().sort().str.join(" | ").alias("people"),
        pl.col("probability").mean().alias("mean_probability"),
    )


def _remarks(tables: ExportTables) -> pl.Expr:
    said = f"run {tables.version} of {tables.made_at:%Y-%m-%d}, labels {tables.origin.labels_version or 'none'}"
    # Of what has no name it is the best guess's.
    named = pl.when("is_searched").then(pl.col("mean_probability").round(3))
    probability = pl.format("; mean probability of the name {}", named)
    people = pl.format("; {} of {} sightings named by a person", "n_person", "n_sightings")
    return pl.concat_str(pl.lit(said), probability.fill_null(""), people.fill_null(""))


def _media(tables: ExportTables) -> pl.Expr:
    """The video at the second of its MaxN, where it lies for everybody."""
    named = tables.videos.select("video", "video_file")
    files = {video: media_address(tables, file) for video, file in named.iter_rows()}
    rates = dict(tables.videos.select("video", "frames_per_second").iter_rows())
    address = pl.col("max_n_video").replace_strict(files, default=None, return_dtype=pl.String)
    rate = pl.col("max_n_video").replace_strict(rates, default=None, return_dtype=pl.Float64)
    second = pl.format("#t={}", (pl.col("max_n_frame") / rate).round(2)).fill_null("")
    return pl.concat_str(address, second)


def measurement_table(tables: ExportTables, rows: pl.DataFrame, occurrences: pl.DataFrame) -> pl.DataFrame:
    """What was measured of each event that was searched, and of each taxon that is present."""
    events = searched_events(rows)
    of_events = [_measured(events, column, told, pl.lit(None, pl.String)) for column, told in EFFORT.items()]
    kept = rows.filter(pl.col("left_out").is_null()).sort("event", "kind")
    kept = kept.with_columns(occurrences["occurrenceID"]).filter(pl.col("max_n") > 0)
    of_taxa = [_measured(kept, column, told, pl.col("occurrenceID")) for column, told in MEASURED.items()]
    return pl.concat([*of_events, *of_taxa]).sort("eventID", "occurrenceID", "measurementType", nulls_last=False)


def _measured(rows: pl.DataFrame, column: str, told: tuple, occurrence: pl.Expr) -> pl.DataFrame:
    kind, kind_id, unit, unit_id, method = told
    owner = pl.coalesce(occurrence, "event")
    return rows.drop_nulls(column).select(
        pl.col("event").alias("eventID"),
        pl.concat_str(owner, pl.lit(f":{short(kind)}")).alias("measurementID"),
        occurrence.alias("occurrenceID"),
        _said(kind, "measurementType"),
        _said(kind_id, "measurementTypeID"),
        pl.col(column).cast(pl.Float64).alias("measurementValue"),
        _said(unit, "measurementUnit"),
        _said(unit_id, "measurementUnitID"),
        (pl.lit(method) + (MAX_N_RULES if column == "max_n" else pl.lit(""))).alias("measurementMethod"),
    )
