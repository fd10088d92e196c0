"""What an export for other people's databases needs: places, times with their zone, ids that last, and terms.

Nothing is guessed: `missing` tells all that is not known, each with where to say it.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote

import polars as pl

from megafish_assets.exports.tables import ExportTables
from megafish_assets.footage.site import LICENCES
from megafish_assets.sightings.windows import CLIP

NAMED = 3
"""Videos in one sentence."""

AHEAD = timedelta(days=1)
"""How far behind now a start may lie: clocks differ, and those of an unknown zone by up to 14 hours."""

ANEW = "materialise sightings and abundance again"

SITE = "in the section `site` of megafish.toml"

SAID_ONCE = {
    "datum": "the datum of the coordinates, such as EPSG:4326",
    "time_zone": "the time zone of the camera's clock, such as Europe/Lisbon",
    "licence": f"the licence, out of {', '.join(LICENCES)}",
    "institution": "the institution whose data these are",
    "collection": "the collection, a short code that all ids begin with",
    "protocol": "the protocol, how was sampled",
    "title": "the title of the data set",
    "contact": "the contact, who answers for the data",
    "email": "the email of that person",
}
"""What `site` alone can say, and in which words it is asked for."""


def missing(tables: ExportTables) -> list[str]:
    """All that has to be said before data are handed to others, in sentences."""
    said = [f"{what}: `{name}` {SITE}" for name, what in SAID_ONCE.items() if getattr(tables.site, name) is None]
    said += missing_places(tables) + missing_times(tables) + missing_counts(tables)
    if tables.videos.is_empty():
        said.append("a video with boxes")
    return said


def missing_places(tables: ExportTables) -> list[str]:
    """Of which videos nobody knows where the camera stood."""
    said, videos, latitude, longitude = [], tables.videos, pl.col("latitude"), pl.col("longitude")
    placeless = videos.filter(latitude.is_null() | longitude.is_null())
    at_zero = videos.filter((latitude == 0) & (longitude == 0))
    if placeless.height:
        said.append(f"the place of {_some(placeless)}: `latitude` and `longitude` {SITE}, or in recordings.csv")
    if at_zero.height:
        said.append(f"the place of {_some(at_zero)}: 0, 0 lies off Africa, and is what an empty field becomes")
    return said


def missing_times(tables: ExportTables) -> list[str]:
    """Of which videos nobody knows when they were recorded."""
    said, timeless = [], tables.videos.filter(pl.col("starts_at").is_null())
    if timeless.height:
        said.append(f"the time of day of {_some(timeless)}: `start` in recordings.csv, or see docs/recordings.md")
    timed = tables.videos.drop_nulls("starts_at")
    skipped = timed.filter(zoned("starts_at", tables).is_null())
    if skipped.height:
        said.append(true_zone(f"{_some(skipped)} stand at an hour", tables))
    ahead = timed.filter(zoned("starts_at", tables).dt.convert_time_zone("UTC") > tables.made_at + AHEAD)
    if ahead.height:
        said.append(
            f"the true date of {_some(ahead)}: they begin after today, {tables.made_at:%Y-%m-%d}, by the camera's "
            "clock: `start` in recordings.csv"
        )
    return said


def true_zone(what: str, tables: ExportTables) -> str:
    """What is asked where something stands at an hour that never was."""
    return (
        f"the true time zone: {what} that {tables.site.time_zone} skips, so that the camera's clock keeps another, "
        f"such as Etc/GMT-1: `time_zone` {SITE}"
    )


def missing_counts(tables: ExportTables) -> list[str]:
    """Of which videos sightings or counts stand under another station than recordings.csv says today, or are left of
    videos that are gone: joined with today's places they would lie elsewhere, or nowhere."""
    clips = tables.abundance.filter(window_kind=CLIP).select("station", video="window")
    counted = pl.concat([clips, tables.sightings.select("station", "video")]).unique()
    known = counted.select("video", counted_at=pl.coalesce("station", pl.lit(tables.site.station, pl.String)))
    videos = tables.videos.join(known, on="video", maintain_order="left")
    moved = videos.filter(pl.col("station").ne_missing(pl.col("counted_at"))).unique("video", maintain_order=True)
    gone = known.join(tables.videos, on="video", how="anti").select(video_file="video").unique().sort("video_file")
    said = []
    if moved.height:
        said.append(
            f"the counts of {_some(moved)} by their stations of today: recordings.csv has said others since, so {ANEW}"
        )
    if gone.height:
        said.append(f"the counts without those of {_some(gone)}, which have no boxes any more, so {ANEW}")
    return said


def _some(videos: pl.DataFrame) -> str:
    names = videos["video_file"].head(NAMED).to_list()
    more = ", ..." if videos.height > NAMED else ""
    return f"{videos.height} of the videos ({', '.join(names)}{more})"


def zoned(column: str, tables: ExportTables) -> pl.Expr:
    """The local times of a column with the zone of the camera's clock, UTC where nobody says it; of an hour that comes
    twice the first, null in one that is skipped."""
    return pl.col(column).dt.replace_time_zone(
        tables.site.time_zone or "UTC", ambiguous="earliest", non_existent="null"
    )


def at_doubled_hours(local: pl.Series, tables: ExportTables) -> dict[str, int]:
    """How many of these local times lie in an hour that the zone has twice, by what was made of them."""
    zone = tables.site.time_zone
    if zone is None:
        return {}
    first, last = (
        local.dt.replace_time_zone(zone, ambiguous=which, non_existent="null") for which in ("earliest", "latest")
    )
    return {f"at an hour that {zone} has twice, taken for the first": (first != last).sum()}


def media_address(tables: ExportTables, video_file: str) -> str | None:
    """Where a video lies for everybody; None where it does for nobody."""
    return None if tables.site.media is None else f"{tables.site.media.rstrip('/')}/{quote(video_file)}"


def iso(moment: pl.Expr, fraction: str = "%.3f") -> pl.Expr:
    """Moments with a zone as ISO 8601 with its offset, as 2025-06-01T12:00:00.000+01:00."""
    return moment.dt.to_string(f"%Y-%m-%dT%H:%M:%S{fraction}%:z")


def prefix(tables: ExportTables) -> str:
    """What all ids of a collection begin with."""
    return f"{short(tables.site.institution)}:{tables.site.collection}"


def short(name: str) -> str:
    """A name as a part of an id: letters, digits and hyphens; with six digits that tell it from others where it had
    to be changed."""
    safe = _safe(name)
    return safe if safe == name else f"{safe}-{_digits(name)}".lstrip("-")


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-")


def _digits(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]


PLACE = ("station", "latitude", "longitude", "depth")


def placed_videos(tables: ExportTables) -> pl.DataFrame:
    """`VIDEOS` with `deployment`, the part of an id that lasts as long as the camera stays where it is, `event`, the id
    of the clip, and the moments `begun`, of the first frame, `start` and `end`, of what was searched."""
    keys = [_deployment(place) for place in tables.videos.select(PLACE).iter_rows()]
    start, end = ("start_seconds", "end_seconds")
    timed = tables.videos.with_columns(
        pl.Series("deployment", keys, pl.String),
        pl.format("{}:clip:{}", pl.lit(prefix(tables)), "video").alias("event"),
        zoned("starts_at", tables).alias("begun"),
    )
    seconds = [pl.duration(microseconds=(pl.col(name).fill_null(0) * 1e6).round()) for name in (start, end)]
    return timed.with_columns(
        (pl.col("begun") + seconds[0]).alias("start"), (pl.col("begun") + seconds[1]).alias("end")
    )


def _deployment(place: Sequence[object]) -> str:
    return f"{_safe(str(place[0] or 'camera'))}-{_digits(repr(place))}".lstrip("-")


def deployments(tables: ExportTables) -> pl.DataFrame:
    """A row a place that the camera stood at: `deployment`, `PLACE`, and the moments `start` and `end`, in order."""
    placed = placed_videos(tables)
    of_place = placed.group_by("deployment", *PLACE).agg(pl.col("start").min(), pl.col("end").max())
    return of_place.sort("start", "deployment")
