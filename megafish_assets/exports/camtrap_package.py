"""The Camera Trap Data Package as files: its three tables with `datapackage.json`, and what can be checked of them."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from megafish_assets.exports.camtrap_dp import (
    DEPLOYMENTS,
    MEDIA,
    OBSERVATIONS,
    deployment_table,
    event_observations,
    file_path,
    media_observations,
    media_table,
    whole,
)
from megafish_assets.exports.darwin_core import software
from megafish_assets.exports.event_rows import event_rows
from megafish_assets.exports.publication import NAMED, SITE, at_doubled_hours, deployments, missing, prefix
from megafish_assets.exports.tables import ExportTables
from megafish_assets.exports.taxa import SAME_TAXON, taxa_of_kinds
from megafish_assets.exports.writing import Part, ReadAgain
from megafish_assets.sightings.windows import CLIP

SCHEMAS = "https://raw.githubusercontent.com/tdwg/camtrap-dp/1.0.2"

WGS84 = ("EPSG:4326", "WGS84", "WGS 84")
"""What Camtrap DP's coordinates are in, as people write it."""

PATTERNS = {"filePath": r"^(?=^[^./~])(^((?!\.{2}).)*$).*$", "fileMediatype": r"^(image|video|audio)/.*$"}
"""What the standard's schema of media takes for an address or a path, and for a type."""

LICENCE_NAME = r"[-A-Za-z0-9._]+"
"""What a Data Package takes for a licence's name; a path is an address."""

UNCOUNTED = "sightings that do not count: parts, too short, or no fish"
NOT_SEEN = "kinds that were not seen, or too briefly to count, which the format has no word for"


def missing_for_package(tables: ExportTables) -> list[str]:
    """All that has to be said first."""
    site, said = tables.site, missing(tables)
    asked = {
        "media_licence": "the licence of the video files",
        "sampling_design": "the sampling design, how places were chosen",
        "capture_method": "the capture method, what started the camera",
    }
    said += [f"{what}: `{name}` {SITE}" for name, what in asked.items() if getattr(site, name) is None]
    if site.datum is not None and site.datum not in WGS84:
        said.append(f"coordinates in WGS84, which Camtrap DP is written in: `datum` is {site.datum!r}")
    licence = site.media_licence
    if licence is not None and "path" not in _licence(licence) and not re.fullmatch(LICENCE_NAME, licence):
        said.append(f"the licence of the video files as a code or an address: `media_licence` is {licence!r}")
    files = tables.videos["video_file"]
    unportable = [file for file in files if not re.match(PATTERNS["filePath"], file_path(tables, file))]
    if unportable:
        names = ", ".join(map(repr, unportable[:NAMED]))
        said.append(
            f"another name of {len(unportable)} of the videos ({names}): Camtrap DP takes none that holds two dots in "
            "a row or a line's end, or begins with a dot, a slash or ~"
        )
    return said


def write_camtrap_dp(tables: ExportTables, folder: Path) -> list[Part]:
    """`datapackage.json` and its three tables."""
    of_clips = tables.with_site(events=CLIP)
    rows, places = event_rows(of_clips), deployments(tables)
    events, sightings = event_observations(of_clips, rows), media_observations(tables)
    written = {
        "deployments": deployment_table(tables, places),
        "media": media_table(tables),
        "observations": whole(OBSERVATIONS, pl.concat([events, sightings], how="diagonal")),
    }
    for name, table in written.items():
        table.write_csv(folder / f"{name}.csv")
    package = data_package(tables, places, written["observations"])
    (folder / "datapackage.json").write_text(json.dumps(package, indent=2, ensure_ascii=False), encoding="utf-8")
    seen = rows.filter(pl.col("max_n") > 0)
    n_other_names = seen["is_other_name"].sum()
    n_uncounted = events.height - (seen.height - n_other_names)  # clips, blank or with fish none of which counts
    left_out = {
        NOT_SEEN: rows.height - seen.height,
        SAME_TAXON: n_other_names,
        UNCOUNTED: tables.sightings.height - sightings.height,
    }
    given = rows.height + n_uncounted + tables.sightings.height
    return [
        Part("deployments.csv", "deployments", places.height),
        Part("media.csv", "media", tables.videos.height, changed=at_doubled_hours(tables.videos["starts_at"], tables)),
        Part("observations.csv", "observations", given, left_out),
    ]


def data_package(tables: ExportTables, places: pl.DataFrame, observations: pl.DataFrame) -> dict:
    """What `datapackage.json` holds."""
    site = tables.site
    names = observations["scientificName"].drop_nulls().unique().sort().to_list()
    ids = dict(taxa_of_kinds(tables).drop_nulls(["taxon", "taxon_id"]).select("taxon", "taxon_id").iter_rows())
    days = [places["start"].min().date().isoformat(), places["end"].max().date().isoformat()]
    return {
        "resources": [
            {
                "name": name,
                "path": f"{name}.csv",
                "profile": "tabular-data-resource",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "schema": f"{SCHEMAS}/{name}-table-schema.json",
            }
            for name in ("deployments", "media", "observations")
        ],
        "profile": f"{SCHEMAS}/camtrap-dp-profile.json",
        "name": site.collection.lower(),
        "id": f"{prefix(tables)}:{tables.version}",
        "created": f"{tables.made_at:%Y-%m-%dT%H:%M:%SZ}",
        "title": site.title,
        "description": site.abstract or site.protocol,
        "version": tables.version,
        "contributors": [
            {"title": site.contact, "email": site.email, "role": "contact", "organization": site.institution},
            {"title": site.institution, "role": "rightsHolder"},
        ],
        "sources": [{"title": software(tables), "version": f"labels {tables.origin.labels_version or 'none'}"}],
        "licenses": [{"name": site.licence, "scope": "data"}, _licence(site.media_licence) | {"scope": "media"}],
        "project": {
            "title": site.title,
            "description": tables.recipe,
            "samplingDesign": site.sampling_design,
            "captureMethod": [site.capture_method],
            "individualAnimals": False,
            "observationLevel": ["event", "media"],
        },
        "spatial": _spatial(places),
        "temporal": {"start": days[0], "end": days[1]},
        "taxonomic": [
            {"scientificName": name} | ({"taxonID": ids[name]} if name in ids else {}) for name in names
        ],
    }  # fmt: skip


def _licence(said: str) -> dict[str, str]:
    return {"path": said} if "://" in said else {"name": said}


def _spatial(places: pl.DataFrame) -> dict:
    """All places, as GeoJSON."""
    points = places.select("longitude", "latitude").unique().sort("longitude", "latitude").rows()
    if len(points) == 1:
        return {"type": "Point", "coordinates": list(points[0])}
    return {"type": "MultiPoint", "coordinates": [list(point) for point in points]}


FIELDS = {"deployments": DEPLOYMENTS, "media": MEDIA, "observations": OBSERVATIONS}

REQUIRED = {
    "deployments": ("deploymentID", "latitude", "longitude", "deploymentStart", "deploymentEnd"),
    "media": ("mediaID", "deploymentID", "timestamp", "filePath", "filePublic", "fileMediatype"),
    "observations": (
        *("observationID", "deploymentID", "eventStart", "eventEnd", "observationLevel", "observationType"),
    ),
}
"""What no row may lack; the first is its id."""


def read_camtrap_dp(folder: Path) -> ReadAgain:
    """Rows of each table that `datapackage.json` names, and the rules of the standard that they break."""
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    paths = {resource["name"]: folder / resource["path"] for resource in package["resources"]}
    tables = {name: pl.read_csv(path, infer_schema=False) for name, path in paths.items()}
    faults = [*_of_fields(tables), *_of_links(tables), *_of_boxes(tables["observations"])]
    return ReadAgain({name: table.height for name, table in tables.items()}, faults)


def _of_fields(tables: Mapping[str, pl.DataFrame]) -> Iterator[str]:
    for name, table in tables.items():
        if tuple(table.columns) != FIELDS[name]:
            yield f"{name} of fields {table.columns}, expected {list(FIELDS[name])}"
        yield from (f"{name} without {field}" for field in REQUIRED[name] if table[field].null_count())
        for field in PATTERNS.keys() & FIELDS[name]:
            other = [value for value in table[field].drop_nulls() if not re.match(PATTERNS[field], value)]
            if other:
                yield f"{name} whose {field} the standard does not take: {len(other)}, {other[0]}"
        twice = [one for one, n in Counter(table[REQUIRED[name][0]]).items() if n > 1]
        if twice:
            yield f"{name} whose id stands twice: {len(twice)}, {twice[0]}"


def _of_links(tables: Mapping[str, pl.DataFrame]) -> Iterator[str]:
    for name, field, other in (
        ("media", "deploymentID", "deployments"),
        ("observations", "deploymentID", "deployments"),
        ("observations", "mediaID", "media"),
    ):
        lost = set(tables[name][field].drop_nulls()) - set(tables[other][field])
        if lost:
            yield f"{name} whose {field} is none of {other}: {len(lost)}, {min(lost)}"


def _of_boxes(observations: pl.DataFrame) -> Iterator[str]:
    x, y, width, height = (pl.col(f"bbox{side}").cast(pl.Float64) for side in ("X", "Y", "Width", "Height"))
    out = (x < 0) | (y < 0) | (width <= 0) | (height <= 0) | (x + width > 1 + 1e-9) | (y + height > 1 + 1e-9)
    n_out = observations.filter(out).height
    if n_out:
        yield f"boxes out of their frame: {n_out}"
