"""The Darwin Core archive: three tables, `meta.xml` that says what their columns are, `eml.xml` that says what the data
set is, in one zip, by the standard library alone.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import polars as pl

from megafish_assets.exports.darwin_core import (
    event_table,
    measurement_table,
    occurrence_table,
    software,
)
from megafish_assets.exports.event_rows import event_rows, missing_of_hours, searched_events
from megafish_assets.exports.publication import at_doubled_hours, missing, prefix
from megafish_assets.exports.tables import ExportTables
from megafish_assets.exports.writing import Part
from megafish_assets.footage.site import LICENCES

ARCHIVE = "darwin_core.zip"

DWC, OBIS = "http://rs.tdwg.org/dwc/terms/", "http://rs.iobis.org/obis/terms/"
TEXT, EML = "http://rs.tdwg.org/dwc/text/", "https://eml.ecoinformatics.org/eml-2.2.0"
ELSEWHERE = {
    "license": "http://purl.org/dc/terms/license",
    "measurementTypeID": f"{OBIS}measurementTypeID",
    "measurementUnitID": f"{OBIS}measurementUnitID",
}
"""Terms that are not Darwin Core's own."""

ROW_TYPES = {
    "event": f"{DWC}Event",
    "occurrence": f"{DWC}Occurrence",
    "extendedmeasurementorfact": f"{OBIS}ExtendedMeasurementOrFact",
}
"""By table; the first is the core, whose id begins the rows of the others."""

UNSEEN = r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""What XML 1.0 can't hold, such as the line's end of a text that was pasted from Word: a space stands for it."""

ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""Of the files in the archive, so that the same tables are the same bytes."""


def missing_for_archive(tables: ExportTables) -> list[str]:
    """All that has to be said first."""
    return missing(tables) + missing_of_hours(tables)


def write_darwin_core(tables: ExportTables, folder: Path) -> list[Part]:
    """`darwin_core.zip`."""
    rows = event_rows(tables)
    events, occurrences = event_table(tables, rows), occurrence_table(tables, rows)
    measurements = measurement_table(tables, rows, occurrences)
    written = dict(zip(ROW_TYPES, (events, occurrences, measurements), strict=True))
    with zipfile.ZipFile(folder / ARCHIVE, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, table in written.items():
            _add(archive, f"{name}.csv", _plain(table).write_csv().encode())
        _add(archive, "meta.xml", meta_xml({name: table.columns for name, table in written.items()}))
        _add(archive, "eml.xml", eml_xml(tables, events))
    left_out = dict(rows.drop_nulls("left_out").group_by("left_out").len().sort("left_out").iter_rows())
    return [
        Part(ARCHIVE, "event", events.height, changed=at_doubled_hours(searched_events(rows)["local_start"], tables)),
        Part(ARCHIVE, "occurrence", rows.height, left_out),
        Part(ARCHIVE, "extendedmeasurementorfact", measurements.height),
    ]


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, ZIP_TIME), content, zipfile.ZIP_DEFLATED)


def _plain(table: pl.DataFrame) -> pl.DataFrame:
    """Without line breaks in texts, which readers of archives take for the end of a row, and other controls."""
    texts = [name for name, dtype in table.schema.items() if dtype == pl.String]
    return table.with_columns(pl.col(texts).str.replace_all(r"\s*\p{Cc}+\s*", " "))


def meta_xml(columns: Mapping[str, list[str]]) -> bytes:
    """Which file holds what, of the columns of each table; the first column of each is the event's id."""
    archive = ET.Element("archive", {"xmlns": TEXT, "metadata": "eml.xml"})
    for name, terms in columns.items():
        is_core = name == next(iter(ROW_TYPES))
        told = {"encoding": "UTF-8", "fieldsTerminatedBy": ",", "linesTerminatedBy": "\\n", "fieldsEnclosedBy": '"'}
        told |= {"ignoreHeaderLines": "1", "rowType": ROW_TYPES[name]}
        table = ET.SubElement(archive, "core" if is_core else "extension", told)
        ET.SubElement(ET.SubElement(table, "files"), "location").text = f"{name}.csv"
        ET.SubElement(table, "id" if is_core else "coreid", {"index": "0"})
        for index, term in enumerate(terms):
            ET.SubElement(table, "field", {"index": str(index), "term": ELSEWHERE.get(term, DWC + term)})
    return _xml(archive)


def eml_xml(tables: ExportTables, events: pl.DataFrame) -> bytes:
    """What the data set is, as GBIF's profile of EML 2.2 asks for it."""
    site = tables.site
    root = ET.Element(
        "eml:eml", {"xmlns:eml": EML, "packageId": prefix(tables), "system": "megafish", "scope": "system"}
    )
    data_set = ET.SubElement(root, "dataset")
    _texts(data_set, {"alternateIdentifier": prefix(tables), "title": site.title})
    for role in ("creator", "metadataProvider"):
        _person(ET.SubElement(data_set, role), tables)
    _texts(data_set, {"pubDate": f"{tables.made_at:%Y-%m-%d}", "language": "en"})
    about = [site.abstract] if site.abstract else []
    about.append(
        f"Fish counted in underwater video by {software(tables)}. individualCount is MaxN, the most individuals of a "
        "taxon in view at once during the event: the fewest that there were. It is never to be added up over events. "
        f"Run {tables.version}, labels {tables.origin.labels_version or 'none'}."
    )
    abstract = ET.SubElement(data_set, "abstract")
    for text in about:
        ET.SubElement(abstract, "para").text = text
    rights = ET.SubElement(ET.SubElement(data_set, "intellectualRights"), "para")
    rights.text = "This work is licensed under "
    address = ET.SubElement(rights, "ulink", {"url": LICENCES[site.licence]})
    ET.SubElement(address, "citetitle").text = site.licence
    _coverage(ET.SubElement(data_set, "coverage"), tables, events)
    _person(ET.SubElement(data_set, "contact"), tables)
    method = ET.SubElement(data_set, "methods")
    step = ET.SubElement(ET.SubElement(method, "methodStep"), "description")
    for text in (site.protocol, tables.recipe):
        ET.SubElement(step, "para").text = text
    sampling = ET.SubElement(method, "sampling")
    ET.SubElement(
        ET.SubElement(ET.SubElement(sampling, "studyExtent"), "description"), "para"
    ).text = f"{tables.videos.height} videos, {tables.videos['seconds_searched'].sum():.0f} seconds searched"
    ET.SubElement(ET.SubElement(sampling, "samplingDescription"), "para").text = site.protocol
    return _xml(root)


def _person(parent: ET.Element, tables: ExportTables) -> None:
    name = ET.SubElement(parent, "individualName")
    given, _, family = (tables.site.contact or "").rpartition(" ")
    _texts(name, {"givenName": given or None, "surName": family})
    _texts(parent, {"organizationName": tables.site.institution, "electronicMailAddress": tables.site.email})


def _coverage(parent: ET.Element, tables: ExportTables, events: pl.DataFrame) -> None:
    place = ET.SubElement(parent, "geographicCoverage")
    stations = ", ".join(events["locality"].drop_nulls().unique().sort()) or tables.site.title
    ET.SubElement(place, "geographicDescription").text = stations
    latitude, (west, east) = events["decimalLatitude"], narrowest(events["decimalLongitude"])
    box = {
        "westBoundingCoordinate": west,
        "eastBoundingCoordinate": east,
        "northBoundingCoordinate": latitude.max(),
        "southBoundingCoordinate": latitude.min(),
    }
    _texts(ET.SubElement(place, "boundingCoordinates"), {name: str(value) for name, value in box.items()})
    dates = events["eventDate"].str.split("/")
    span = ET.SubElement(ET.SubElement(parent, "temporalCoverage"), "rangeOfDates")
    for name, moment in (("beginDate", dates.list.first().min()), ("endDate", dates.list.last().max())):
        _texts(ET.SubElement(span, name), {"calendarDate": moment[:10]})


def narrowest(longitudes: pl.Series) -> tuple[float, float]:
    """West and east of the narrowest span of degrees that holds all of these: west is the larger where it reaches over
    the date line."""
    degrees = longitudes.unique().sort().to_list()
    # The widest gap between neighbors around the globe is what the span leaves out: from `degrees[place]` on.
    gaps = [after - before for before, after in zip(degrees, [*degrees[1:], degrees[0] + 360], strict=True)]
    place = max(range(len(gaps)), key=lambda number: (gaps[number], number))
    return degrees[(place + 1) % len(degrees)], degrees[place]


def _texts(parent: ET.Element, texts: Mapping[str, str | None]) -> None:
    for name, text in texts.items():
        if text is not None:
            ET.SubElement(parent, name).text = text


def _xml(root: ET.Element) -> bytes:
    for element in root.iter():
        element.text = element.text and re.sub(UNSEEN, " ", element.text)
    ET.indent(root)
    return ET.tostring(root, encoding="UTF-8", xml_declaration=True)


@dataclass(frozen=True)
class ArchiveTable:
    """A table of an archive, as its meta.xml describes it."""

    row_type: str
    """What its rows are, an address."""
    is_core: bool
    rows: list[dict[str, str]]
    """By the last part of the term's address; `id` is what ties them to the core."""


def read_archive(path: Path) -> tuple[dict[str, ArchiveTable], ET.Element]:
    """The tables of an archive by the stem of their file, and its EML: by what its own `meta.xml` says alone."""
    with zipfile.ZipFile(path) as archive:
        meta = ET.fromstring(archive.read("meta.xml"))
        tables = dict(_described(archive, table) for table in meta)
        return tables, ET.fromstring(archive.read(meta.attrib["metadata"]))


def _described(archive: zipfile.ZipFile, table: ET.Element) -> tuple[str, ArchiveTable]:
    location = table.findtext(f"{{{TEXT}}}files/{{{TEXT}}}location")
    terms = {int(field.attrib["index"]): field.attrib["term"] for field in table.findall(f"{{{TEXT}}}field")}
    is_core = table.tag.endswith("core")
    key = table.find(f"{{{TEXT}}}{'id' if is_core else 'coreid'}")
    rows = []
    for cells in _cells(archive.read(location).decode(table.attrib["encoding"]), table.attrib):
        row = {term.rpartition("/")[2]: cells[index] for index, term in terms.items()}
        rows.append(row | {"id": cells[int(key.attrib["index"])]})
    return location.removesuffix(".csv"), ArchiveTable(table.attrib["rowType"], is_core, rows)


def _cells(text: str, told: Mapping[str, str]) -> Iterator[list[str]]:
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=told["fieldsTerminatedBy"], quotechar=told["fieldsEnclosedBy"]
    )
    for _ in range(int(told["ignoreHeaderLines"])):
        next(reader, None)
    yield from reader
