"""The three tables of a Camera Trap Data Package (Camtrap DP 1.0.2, camtrap-dp.tdwg.org): deployments, media and
observations.

An observation of an event is a kind in a clip with its MaxN; one of a medium is a sighting with its best box. The
format knows neither frames nor tracklets nor MaxN: they stand in tags and comments. It counts no absence: a clip in
which nothing was seen is `blank`, and one with fish none of which counts `unclassified`. Not here: how they become
files, see `camtrap_package.py`.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from megafish_assets.exports.darwin_core import by_people, software
from megafish_assets.exports.publication import iso, media_address, placed_videos, prefix, short
from megafish_assets.exports.sighted import BRIEF
from megafish_assets.exports.tables import ExportTables
from megafish_assets.exports.taxa import taxa_of_kinds
from megafish_assets.footage.boxes import STRETCHED_PX
from megafish_assets.labels.naming import PERSON
from megafish_assets.sightings.naming import counted

MEDIA_TYPES = {
    **dict.fromkeys((".mp4", ".m4v"), "video/mp4"),
    **dict.fromkeys((".mts", ".m2ts", ".ts"), "video/mp2t"),
    **dict.fromkeys((".mpg", ".mpeg"), "video/mpeg"),
    ".mov": "video/quicktime",
    ".avi": "video/x-msvideo",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
    ".wmv": "video/x-ms-wmv",
    ".ogv": "video/ogg",
    ".3gp": "video/3gpp",
}
"""By the ending of a file's name, in small letters; of others `video/x-` and their ending, since the standard takes
nothing but pictures, video and sound."""

UNKNOWN_TYPE = "video/x-unknown"
"""Of a file without an ending."""

DEPLOYMENTS = (
    "deploymentID", "locationID", "locationName", "latitude", "longitude", "coordinateUncertainty", "deploymentStart",
    "deploymentEnd", "setupBy", "cameraID", "cameraModel", "cameraDelay", "cameraHeight", "cameraDepth", "cameraTilt",
    "cameraHeading", "detectionDistance", "timestampIssues", "baitUse", "featureType", "habitat", "deploymentGroups",
    "deploymentTags", "deploymentComments",
)  # fmt: skip
MEDIA = (
    "mediaID", "deploymentID", "captureMethod", "timestamp", "filePath", "filePublic", "fileName", "fileMediatype",
    "exifData", "favorite", "mediaComments",
)  # fmt: skip
OBSERVATIONS = (
    "observationID", "deploymentID", "mediaID", "eventID", "eventStart", "eventEnd", "observationLevel",
    "observationType", "cameraSetupType", "scientificName", "count", "lifeStage", "sex", "behavior", "individualID",
    "individualPositionRadius", "individualPositionAngle", "individualSpeed", "bboxX", "bboxY", "bboxWidth",
    "bboxHeight", "classificationMethod", "classifiedBy", "classificationTimestamp", "classificationProbability",
    "observationTags", "observationComments",
)  # fmt: skip
"""The fields of the three tables in the standard's order, which readers go by."""

WHOLE_SECONDS = ""
"""Camtrap DP's times have no fractions."""


def whole(names: tuple[str, ...], table: pl.DataFrame) -> pl.DataFrame:
    """All fields in their order, those that are not known empty."""
    return table.select(
        (pl.col(name) if name in table.columns else pl.lit(None, pl.String).alias(name)) for name in names
    )


def deployment_table(tables: ExportTables, places: pl.DataFrame) -> pl.DataFrame:
    """The columns `DEPLOYMENTS`."""
    uncertainty = None if tables.site.uncertainty_m is None else max(1, round(tables.site.uncertainty_m))
    known = places.select(
        pl.col("deployment").alias("deploymentID"),
        pl.col("deployment").alias("locationID"),
        pl.col("station").alias("locationName"),
        "latitude",
        "longitude",
        pl.lit(uncertainty, pl.Int64).alias("coordinateUncertainty"),
        iso(pl.col("start"), WHOLE_SECONDS).alias("deploymentStart"),
        iso(pl.col("end"), WHOLE_SECONDS).alias("deploymentEnd"),
        pl.lit(tables.site.institution, pl.String).alias("setupBy"),
        pl.col("depth").alias("cameraDepth"),
    )
    return whole(DEPLOYMENTS, known)


def media_table(tables: ExportTables) -> pl.DataFrame:
    """The columns `MEDIA`."""
    files = tables.videos["video_file"].to_list()
    known = placed_videos(tables).select(
        pl.col("video").alias("mediaID"),
        pl.col("deployment").alias("deploymentID"),
        pl.lit(tables.site.capture_method, pl.String).alias("captureMethod"),
        iso(pl.col("begun"), WHOLE_SECONDS).alias("timestamp"),
        pl.Series("filePath", [file_path(tables, file) for file in files], pl.String),
        pl.lit(tables.site.media is not None).alias("filePublic"),
        pl.col("video_file").alias("fileName"),
        pl.Series("fileMediatype", [_media_type(file) for file in files], pl.String),
    )
    return whole(MEDIA, known)


def file_path(tables: ExportTables, video_file: str) -> str:
    """The address of a video, else its path, which is no address: readers open it as it stands."""
    return media_address(tables, video_file) or video_file


def _media_type(file: str) -> str:
    ending = Path(file).suffix.lower()
    other = f"video/x-{ending[1:]}" if re.fullmatch(r"\.[a-z0-9]+", ending) else UNKNOWN_TYPE
    return MEDIA_TYPES.get(ending, other)


def event_observations(tables: ExportTables, rows: pl.DataFrame) -> pl.DataFrame:
    """A row a clip and taxon that was seen in it, of the rows of `event_rows`, and one for a clip without: blank, or
    unclassified where a fish was seen that does not count."""
    seen = by_people(tables, rows.filter(pl.col("max_n") > 0, ~pl.col("is_other_name")))
    is_fish = pl.col("is_sighted") | (pl.col("n_tracklets") > 0) | (pl.col("mean_count") > 0).fill_null(False)
    clips = rows.with_columns(is_fish.any().over("window").alias("has_fish")).filter("is_event")
    others = clips.join(seen, on="window", how="anti").unique("window").sort("window")
    tags = pl.format("meanCount:{} | sightings:{}", pl.col("mean_count").round(4), "n_tracklets")
    said = pl.format("{}: count is MaxN, never to be added up over events", pl.coalesce("verbatim", "kind"))
    common = ("deployment", "window", "start", "end")
    ids = {kind: short(kind) for kind in tables.kinds["kind"]}
    known = seen.select(
        pl.format("{}:{}", "event", pl.col("kind").replace_strict(ids, return_dtype=pl.String)).alias("observationID"),
        *_of_event(),
        _type().alias("observationType"),
        pl.col("taxon").alias("scientificName"),
        pl.col("max_n").alias("count"),
        pl.when("by_person").then(pl.lit("human")).otherwise(pl.lit("machine")).alias("classificationMethod"),
        pl.col("identified_by").alias("classifiedBy"),
        pl.when("is_searched").then("mean_probability").alias("classificationProbability"),
        tags.alias("observationTags"),
        said.alias("observationComments"),
    )
    called = pl.when("has_fish").then(pl.lit("unclassified")).otherwise(pl.lit("blank"))
    uncounted = others.select("event", "has_fish", *common).select(
        pl.format("{}:({})", "event", called).alias("observationID"),
        *_of_event(),
        called.alias("observationType"),
        pl.when("has_fish").then(pl.lit(BRIEF)).alias("observationComments"),
    )
    return pl.concat([known, uncounted], how="diagonal").sort("eventID", "observationID")


def _of_event() -> Iterator[pl.Expr]:
    yield pl.col("deployment").alias("deploymentID")
    yield pl.col("event").alias("eventID")
    yield iso(pl.col("start"), WHOLE_SECONDS).alias("eventStart")
    yield iso(pl.col("end"), WHOLE_SECONDS).alias("eventEnd")
    yield pl.lit("event").alias("observationLevel")


def _type() -> pl.Expr:
    """An animal, if anybody says so; what has no taxon nobody has classified."""
    return pl.when(pl.col("taxon").is_null()).then(pl.lit("unclassified")).otherwise(pl.lit("animal"))


def media_observations(tables: ExportTables) -> pl.DataFrame:
    """A row a sighting that counts, with its best box, in order of video and tracklet."""
    seen = counted(tables.sightings.lazy()).collect()
    boxes = pl.concat(list(_best_boxes(tables, seen)) or [_no_boxes()])
    placed = placed_videos(tables).select("video", "deployment", "begun", "event")
    seen = seen.join(taxa_of_kinds(tables), on="kind", how="left").join(boxes, on="tracklet_id", how="left")
    seen = seen.join(placed, on="video", how="left").sort("video", "tracklet_id")
    spoken = tables.labels.select("tracklet_id", "labelled_by", "labelled_at")
    seen = seen.join(spoken, on="tracklet_id", how="left", maintain_order="left")
    by_person = pl.col("name_source") == PERSON
    at = pl.when(by_person).then(iso(pl.col("labelled_at").dt.truncate("1s"), WHOLE_SECONDS))
    moments = [
        iso(pl.col("begun") + pl.duration(microseconds=(pl.col(name) * 1e6).round()), WHOLE_SECONDS)
        for name in ("first_second", "last_second")
    ]
    by = pl.when(by_person).then(pl.col("labelled_by").fill_null("a person")).otherwise(pl.lit(software(tables)))
    return seen.select(
        pl.concat_str(pl.lit(f"{prefix(tables)}:sighting:"), "tracklet_id").alias("observationID"),
        pl.col("deployment").alias("deploymentID"),
        pl.col("video").alias("mediaID"),
        pl.col("event").alias("eventID"),
        moments[0].alias("eventStart"),
        moments[1].alias("eventEnd"),
        pl.lit("media").alias("observationLevel"),
        _type().alias("observationType"),
        pl.col("taxon").alias("scientificName"),
        pl.lit(1, pl.Int64).alias("count"),
        *("bboxX", "bboxY", "bboxWidth", "bboxHeight"),
        pl.when(by_person).then(pl.lit("human")).otherwise(pl.lit("machine")).alias("classificationMethod"),
        by.alias("classifiedBy"),
        at.alias("classificationTimestamp"),
        pl.when("is_searched").then("probability").alias("classificationProbability"),
        pl.format("tracklet:{} | frame:{}", "tracklet_id", "frame_id").alias("observationTags"),
        pl.coalesce("verbatim", "kind").alias("observationComments"),
    )


def _best_boxes(tables: ExportTables, seen: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """`tracklet_id`, `frame_id` and the box of each of these sightings, as shares of the frame: that of its best crop,
    else the largest times its score."""
    best = seen.select("tracklet_id", "best_crop")
    is_best = (pl.col("detection_id") == pl.col("best_crop")).fill_null(False)
    worth = pl.col("score") * pl.col("width_1024") * pl.col("height_1024")
    left, top = (pl.col(f"{axis}_1024").clip(0, STRETCHED_PX) for axis in "xy")
    right = (pl.col("x_1024") + pl.col("width_1024")).clip(0, STRETCHED_PX)
    bottom = (pl.col("y_1024") + pl.col("height_1024")).clip(0, STRETCHED_PX)
    sides = {"bboxX": left, "bboxY": top, "bboxWidth": right - left, "bboxHeight": bottom - top}
    for _, boxes in tables.boxes:
        own = boxes.join(best, on="tracklet_id")
        first = own.sort("tracklet_id", is_best, worth, "detection_id", descending=[False, True, True, False])
        first = first.unique("tracklet_id", keep="first", maintain_order=True)
        yield first.select(
            "tracklet_id", "frame_id", *[(side / STRETCHED_PX).alias(name) for name, side in sides.items()]
        )


def _no_boxes() -> pl.DataFrame:
    sides = dict.fromkeys(("bboxX", "bboxY", "bboxWidth", "bboxHeight"), pl.Float64)
    return pl.DataFrame(schema={"tracklet_id": pl.String, "frame_id": pl.Int64} | sides)
