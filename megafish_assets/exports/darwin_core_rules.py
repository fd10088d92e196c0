"""The rules of OBIS and GBIF that can be checked without a network, of an archive as it was written.

Sources: OBIS manual (manual.obis.org: required terms, imagery, dates, coordinates), GBIF's archive validator (unique
ids, core ids that resolve), Darwin Core's quick reference (vocabularies). Not here: whether a name is in WoRMS, and
whether it is marine, which the network alone tells.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from megafish_assets.exports.darwin_core_archive import ARCHIVE, ROW_TYPES, ArchiveTable, read_archive
from megafish_assets.exports.taxa import LSID
from megafish_assets.exports.writing import ReadAgain
from megafish_assets.footage.site import LICENCES

Row = dict[str, str]

REQUIRED = {
    "event": ("eventID", "eventDate", "decimalLatitude", "decimalLongitude", "geodeticDatum", "license"),
    "occurrence": (
        *("eventID", "occurrenceID", "occurrenceStatus", "basisOfRecord", "scientificName"),
        *("identifiedBy", "identificationVerificationStatus", "identificationReferences"),
    ),
    "extendedmeasurementorfact": ("eventID", "measurementID", "measurementType", "measurementValue"),
}
"""What OBIS requires, of Darwin Core and of imagery; and what of a measurement says anything."""

IDS = {"event": "eventID", "occurrence": "occurrenceID", "extendedmeasurementorfact": "measurementID"}

VOCABULARIES = {
    "basisOfRecord": {"MachineObservation", "HumanObservation"},
    "occurrenceStatus": {"present", "absent"},
    "identificationVerificationStatus": {"PredictedByMachine", "ValidatedByHuman"},
    "license": set(LICENCES.values()),
}

SHOWN = 3
"""Rows of one broken rule in a sentence."""


def read_darwin_core(folder: Path) -> ReadAgain:
    """Rows of each table of the archive, and the rules that it breaks, each with how many rows break it and the first
    of them."""
    tables, eml = read_archive(folder / ARCHIVE)
    return ReadAgain({name: len(table.rows) for name, table in tables.items()}, _faults(tables, eml))


def _faults(tables: dict[str, ArchiveTable], eml: ET.Element) -> list[str]:
    if tables.keys() != ROW_TYPES.keys():
        return [f"tables {sorted(tables)}, expected {sorted(ROW_TYPES)}"]
    return [*_of_tables(tables), *_of_links(tables), *_of_values(tables), *_of_eml(eml)]


def _told(rule: str, broken: Sequence[object]) -> Iterator[str]:
    if broken:
        yield f"{rule}: {len(broken)}, {', '.join(map(repr, broken[:SHOWN]))}"


def _of_tables(tables: dict[str, ArchiveTable]) -> Iterator[str]:
    for name, table in tables.items():
        if table.row_type != ROW_TYPES[name]:
            yield f"{name} holds rows of {table.row_type}, expected {ROW_TYPES[name]}"
        for term in REQUIRED[name]:
            yield from _told(f"{name} without {term}", [row["id"] for row in table.rows if not row.get(term)])
        ids = Counter(row[IDS[name]] for row in table.rows)
        yield from _told(f"{name} whose {IDS[name]} stands twice", [one for one, n in ids.items() if n > 1])


def _of_links(tables: dict[str, ArchiveTable]) -> Iterator[str]:
    events = {row["eventID"] for row in tables["event"].rows}
    occurrences = {row["occurrenceID"] for row in tables["occurrence"].rows}
    links = {
        "event": ("parentEventID", events),
        "occurrence": ("id", events),
        "extendedmeasurementorfact": ("id", events),
    }
    for name, (term, there) in links.items():
        lost = [row[term] for row in tables[name].rows if row[term] and row[term] not in there]
        yield from _told(f"{name} whose {term} is no event", lost)
    measured = [row["occurrenceID"] for row in tables["extendedmeasurementorfact"].rows if row["occurrenceID"]]
    yield from _told("measurement of no occurrence", [one for one in measured if one not in occurrences])


def _of_values(tables: dict[str, ArchiveTable]) -> Iterator[str]:
    events, occurrences, measurements = (tables[name].rows for name in ROW_TYPES)
    for rows in (events, occurrences):
        for term, allowed in VOCABULARIES.items():
            yield from _told(
                f"{term} out of its vocabulary", [r[term] for r in rows if term in r and r[term] not in allowed]
            )
    yield from _told("eventDate that is no span in ISO 8601 with its zone", _of(events, "eventDate", _is_span))
    yield from _told("place out of range, or 0, 0", [row["eventID"] for row in events if not _is_place(row)])
    yield from _told("depths the wrong way round", [row["eventID"] for row in events if not _are_depths(row)])
    yield from _told(
        "uncertainty that is no number of metres", _of(events, "coordinateUncertaintyInMeters", _is_length)
    )
    yield from _told("sampleSizeValue without its unit", [
        row["eventID"] for row in events if bool(row["sampleSizeValue"]) != bool(row["sampleSizeUnit"])
    ])  # fmt: skip
    yield from _told("individualCount that contradicts its status", [
        row["occurrenceID"] for row in occurrences if not _is_count(row)
    ])  # fmt: skip
    taxa = Counter(
        (row["id"], row[term].lower(), row["identificationQualifier"])
        for term in ("scientificName", "scientificNameID")
        for row in occurrences
        if row[term]
    )
    yield from _told("taxon that stands twice in an event", [taxon for taxon, n in taxa.items() if n > 1])
    known = [row for row in occurrences if row["scientificNameID"]]
    yield from _told("scientificNameID that is no LSID of WoRMS", _of(known, "scientificNameID", _is_lsid))
    yield from _told("measurementValue that is no number", _of(measurements, "measurementValue", _is_number))


def _of(rows: Sequence[Row], term: str, holds) -> list[str]:
    return [row[term] for row in rows if row[term] and not holds(row[term])]


def _is_span(text: str) -> bool:
    try:
        moments = [datetime.fromisoformat(part) for part in text.split("/")]
    except ValueError:
        return False
    return len(moments) == 2 and all(moment.tzinfo for moment in moments) and moments[0] <= moments[1]


def _is_place(row: Row) -> bool:
    if not (_is_number(row["decimalLatitude"]) and _is_number(row["decimalLongitude"])):
        return False
    latitude, longitude = float(row["decimalLatitude"]), float(row["decimalLongitude"])
    return -90 <= latitude <= 90 and -180 <= longitude <= 180 and (latitude, longitude) != (0, 0)


def _are_depths(row: Row) -> bool:
    low, high = row["minimumDepthInMeters"], row["maximumDepthInMeters"]
    return (not low and not high) or (_is_number(low) and _is_number(high) and 0 <= float(low) <= float(high))


def _is_count(row: Row) -> bool:
    count = row["individualCount"]
    return count.isdigit() and (int(count) > 0) == (row["occurrenceStatus"] == "present")


def _is_lsid(text: str) -> bool:
    return re.fullmatch(re.escape(LSID) + r"[1-9]\d*", text) is not None


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False


def _is_length(text: str) -> bool:
    return _is_number(text) and float(text) > 0


def _of_eml(eml: ET.Element) -> Iterator[str]:
    wanted = ("title", "creator", "contact", "abstract/para", "intellectualRights/para", "pubDate")
    absent = [name for name in wanted if eml.find(f"dataset/{name}") is None]
    yield from _told("eml.xml without", absent)
    address = eml.find("dataset/intellectualRights/para/ulink")
    if address is None or address.attrib["url"] not in LICENCES.values():
        yield "eml.xml under no licence that GBIF takes"
