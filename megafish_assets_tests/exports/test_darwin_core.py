"""The Darwin Core archive, as python-dwca-reader reads it, and what it refuses."""

import tomllib
import zipfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from dwca.darwincore.utils import qualname
from dwca.read import DwCAReader
from pydantic import ValidationError

from megafish_assets.exports.darwin_core_archive import (
    ARCHIVE,
    missing_for_archive,
    write_darwin_core,
)
from megafish_assets.exports.darwin_core_rules import read_darwin_core
from megafish_assets.exports.sighted import BRIEF
from megafish_assets.exports.tables import ExportTables
from megafish_assets.exports.taxa import SAME_TAXON
from megafish_assets.footage.recordings import owners_table
from megafish_assets.footage.site import Site
from megafish_assets_tests.exports.small import (
    MADE_AT,
    NOON,
    OTHER,
    SERGEANT,
    SERGEANT_MAJOR,
    SITE,
    TANG,
    glimpsed,
    tables,
    with_two_names,
)
from megafish_assets_tests.sightings.made import tracklet

OBIS = "http://rs.iobis.org/obis/terms/"
OCCURRENCE, MEASUREMENT = "http://rs.tdwg.org/dwc/terms/Occurrence", f"{OBIS}ExtendedMeasurementOrFact"
LISBON_IN_JUNE = timedelta(hours=1)


def short(data: dict[str, str]) -> dict[str, str]:
    return {term.rpartition("/")[2]: value for term, value in data.items()}


def read(folder: Path) -> dict[str, dict]:
    """Every event by its id, with its occurrences by their kind's name and all measurements."""
    with DwCAReader(folder / ARCHIVE) as archive:
        found = {}
        for row in archive:
            extensions = [(one.rowtype, short(one.data)) for one in row.extensions]
            occurrences = {one["verbatimIdentification"]: one for kind, one in extensions if kind == OCCURRENCE}
            measured = [one for kind, one in extensions if kind == MEASUREMENT]
            event = row.data[qualname("eventID")]
            found[event] = {"event": short(row.data), "occurrences": occurrences, "measured": measured}
        return found


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExportTables, dict[str, dict], Path]:
    given, folder = tables(), tmp_path_factory.mktemp("dwc")
    assert missing_for_archive(given) == []
    write_darwin_core(given, folder)
    return given, read(folder), folder


def values(measured: list[dict], occurrence: str) -> dict[str, float]:
    own = (one for one in measured if one["occurrenceID"] == occurrence)
    return {one["measurementType"]: float(one["measurementValue"]) for one in own}


def test_every_number_of_an_event_is_the_one_of_abundance(written) -> None:
    given, events, _ = written
    names = {SERGEANT: SERGEANT, TANG: TANG, "kind 3": "Actinopterygii sp. reefcam-kind3"}
    names["unnamed"] = "Actinopterygii indet."
    rows = given.abundance.filter(window_kind="clip").rows(named=True)
    assert len(rows) == 12
    seen = 0
    for row in rows:
        event = events[f"IMAR:reefcam:clip:{row['window']}"]
        assert float(event["event"]["sampleSizeValue"]) == row["seconds_searched"] == 1
        assert values(event["measured"], "") == {"sampling duration": 1, "frames searched": 30}
        occurrence = event["occurrences"].get(names[row["kind"]])
        if occurrence is None:
            assert row["max_n"] == 0 and row["kind"] in ("kind 3", "unnamed")
            continue
        seen += 1
        assert int(occurrence["individualCount"]) == row["max_n"]
        assert occurrence["occurrenceStatus"] == ("present" if row["max_n"] else "absent")
        measured = values(event["measured"], occurrence["occurrenceID"])
        if row["max_n"]:
            assert measured["MaxN"] == row["max_n"]
            assert measured["MeanCount"] == pytest.approx(row["mean_count"], rel=1e-12)
        else:
            assert measured == {}
    assert seen == sum(len(event["occurrences"]) for event in events.values()) == 8


def test_a_clip_lies_in_its_deployment_at_its_place_and_hour(written) -> None:
    _, events, _ = written
    clip = events["IMAR:reefcam:clip:v1"]["event"]
    start, end = (datetime.fromisoformat(part) for part in clip["eventDate"].split("/"))
    assert start.replace(tzinfo=None) == NOON + timedelta(seconds=10) and start.utcoffset() == LISBON_IN_JUNE
    assert end - start == timedelta(seconds=1)
    parent = events[clip["parentEventID"]]["event"]
    assert parent["eventType"] == "Deployment" and parent["parentEventID"] == ""
    for event in (clip, parent):
        assert (event["decimalLatitude"], event["decimalLongitude"]) == ("38.69", "-9.21")
        assert (event["minimumDepthInMeters"], event["geodeticDatum"]) == ("4.5", "EPSG:4326")
    assert clip["license"] == "http://creativecommons.org/licenses/by/4.0/legalcode"


def test_who_named_what_and_how_surely_is_told(written) -> None:
    _, events, _ = written
    sergeant = events["IMAR:reefcam:clip:v0"]["occurrences"][SERGEANT]
    assert (sergeant["identificationVerificationStatus"], sergeant["identifiedBy"]) == ("ValidatedByHuman", "A. Person")
    assert sergeant["scientificNameID"] == "urn:lsid:marinespecies.org:taxname:159288"
    tang = events["IMAR:reefcam:clip:v1"]["occurrences"][TANG]
    assert (
        tang["identificationVerificationStatus"] == "PredictedByMachine"
        and "probability" in (tang["identificationRemarks"])
    )
    assert "0.9;" in tang["identificationRemarks"] and "labels l1" in tang["identificationRemarks"]
    assert tang["associatedMedia"] == "https://media.example.org/reefcam/v1.mp4#t=0.0"
    cluster = events["IMAR:reefcam:clip:v0"]["occurrences"]["Actinopterygii sp. reefcam-kind3"]
    assert (cluster["scientificName"], cluster["identificationQualifier"]) == ("Actinopterygii", "sp. reefcam-kind3")
    assert "probability" not in cluster["identificationRemarks"]


def test_one_sighting_that_a_machine_named_makes_the_count_a_prediction(tmp_path: Path) -> None:
    given = tables()
    one = pl.col("tracklet_id") == "v0/t00002"
    mixed = given.sightings.with_columns(
        pl.when(one).then(pl.lit("classified")).otherwise("name_source").alias("name_source")
    )
    write_darwin_core(replace(given, sightings=mixed), tmp_path)
    sergeant = read(tmp_path)["IMAR:reefcam:clip:v0"]["occurrences"][SERGEANT]
    assert sergeant["identificationVerificationStatus"] == "PredictedByMachine"
    assert "1 of 2 sightings named by a person" in sergeant["identificationRemarks"]


def test_counts_by_the_hour_are_those_of_abundance(tmp_path: Path) -> None:
    given = tables(SITE.model_copy(update={"events": "hour"}))
    write_darwin_core(given, tmp_path)
    events = {event: one for event, one in read(tmp_path).items() if one["event"]["eventType"] == "Hour"}
    hours = {event.rpartition(":")[2]: one for event, one in events.items()}
    assert set(hours) == {"2025-06-01T12", "2025-06-01T13"}
    assert {name: one["individualCount"] for name, one in hours["2025-06-01T12"]["occurrences"].items()} == {
        SERGEANT: "2",
        TANG: "1",
        "Actinopterygii sp. reefcam-kind3": "1",
    }
    assert hours["2025-06-01T12"]["event"]["sampleSizeValue"] == "2.0"
    assert read_darwin_core(tmp_path).faults == []


def test_hours_of_a_camera_whose_station_nobody_named_are_written(tmp_path: Path) -> None:
    given = tables(SITE.model_copy(update={"events": "hour", "station": None}))
    assert missing_for_archive(given) == []
    write_darwin_core(given, tmp_path)
    hours = [one for one in read(tmp_path).values() if one["event"]["eventType"] == "Hour"]
    assert len(hours) == 2 and all(one["occurrences"] for one in hours)
    assert {one["event"]["decimalLatitude"] for one in hours} == {"38.69"} and read_darwin_core(tmp_path).faults == []


def test_what_has_no_scientific_name_and_what_nobody_named_is_left_out_and_counted(tmp_path: Path) -> None:
    given = tables(SITE.model_copy(update={"taxon": None}))
    nameless = given.kinds.with_columns(
        pl.when(pl.col("kind") != TANG).then("scientific_name").alias("scientific_name")
    )
    parts = {part.holds: part for part in write_darwin_core(replace(given, kinds=nameless), tmp_path)}
    left_out = parts["occurrence"].left_out
    assert sum(left_out.values()) == 9 and parts["occurrence"].n_given == 12
    assert [n for why, n in left_out.items() if "MEGAFISH_SPECIES" in why] == [3]
    assert [n for why, n in left_out.items() if "`taxon`" in why] == [6]
    assert read_darwin_core(tmp_path).n_rows["occurrence"] == 3


def test_what_was_seen_too_briefly_to_count_is_no_absence(tmp_path: Path) -> None:
    given = glimpsed()
    [brief] = given.sightings.filter(tracklet_id="v1/t00002").rows(named=True)
    assert (brief["name"], brief["not_fish"], brief["is_counted"], brief["n_frames_seen"]) == (SERGEANT, None, False, 5)
    parts = {part.holds: part for part in write_darwin_core(given, tmp_path)}
    events = read(tmp_path)
    assert set(events["IMAR:reefcam:clip:v1"]["occurrences"]) == {TANG}
    assert events["IMAR:reefcam:clip:v2"]["occurrences"][SERGEANT]["occurrenceStatus"] == "absent"
    assert parts["occurrence"].left_out[BRIEF] == 1
    assert (
        read_darwin_core(tmp_path).n_rows["occurrence"] == parts["occurrence"].n_given - parts["occurrence"].n_left_out
    )


def test_two_names_of_one_species_are_one_occurrence_an_event_and_no_absence_of_it(tmp_path: Path) -> None:
    parts = {part.holds: part for part in write_darwin_core(with_two_names(), tmp_path)}
    found = {
        event[-2:]: [
            (name, one["occurrenceStatus"], one["individualCount"])
            for name, one in told["occurrences"].items()
            if one["scientificName"] == "Abudefduf saxatilis"
        ]
        for event, told in read(tmp_path).items()
        if told["event"]["eventType"] == "Clip"
    }
    assert found == {
        "v0": [(SERGEANT, "present", "2")],
        "v1": [(SERGEANT_MAJOR, "present", "1")],
        "v2": [(SERGEANT, "absent", "0")],
    }
    assert parts["occurrence"].left_out[SAME_TAXON] == 3 and read_darwin_core(tmp_path).faults == []
    assert (
        read_darwin_core(tmp_path).n_rows["occurrence"] == parts["occurrence"].n_given - parts["occurrence"].n_left_out
    )


def test_a_brief_one_by_another_name_of_the_species_is_no_absence_either(tmp_path: Path) -> None:
    given = glimpsed()  # a sergeant in v1 that is too brief to count
    other = pl.when(kind="kind 3").then(pl.lit("Abudefduf saxatilis")).otherwise("scientific_name")
    kinds = given.kinds.with_columns(other.alias("scientific_name"), kind_id=pl.lit(None, pl.Int64))
    write_darwin_core(replace(given, kinds=kinds), tmp_path)
    assert set(read(tmp_path)["IMAR:reefcam:clip:v1"]["occurrences"]) == {TANG}


def test_what_was_seen_over_the_hour_is_absent_in_neither(tmp_path: Path) -> None:
    given = tables(SITE.model_copy(update={"events": "hour"}))
    over = pl.when(video="v1").then(datetime(2025, 6, 1, 12, 59, 59, 500_000)).otherwise("recorded_at")
    brief = (pl.col("is_counted") & (pl.col("video") != "v1")).alias("is_counted")
    seen = given.sightings.with_columns(over.alias("recorded_at"), brief)
    write_darwin_core(replace(given, sightings=seen), tmp_path)
    hours = {event.rpartition(":")[2]: one["occurrences"] for event, one in read(tmp_path).items()}
    assert hours["2025-06-01T13"][SERGEANT]["occurrenceStatus"] == "absent"
    assert TANG not in hours["2025-06-01T13"]


def test_a_sighting_that_a_machine_named_in_the_hour_before_makes_its_next_hour_a_prediction(tmp_path: Path) -> None:
    late = datetime(2025, 6, 1, 12, 59, 59, 500_000)  # 0.97 s: half of it in the next hour
    first = tracklet(1, range(30), start=late)
    second = tracklet(2, range(16, 30), OTHER, start=late)
    given = tables(SITE.model_copy(update={"events": "hour"}), pl.concat([first, second]))
    by_machine = pl.when(tracklet_id="v0/t00001").then(pl.lit("classified")).otherwise("name_source")
    write_darwin_core(replace(given, sightings=given.sightings.with_columns(name_source=by_machine)), tmp_path)
    said = {
        event.rpartition(":")[2]: (one["identificationVerificationStatus"], one["identificationRemarks"])
        for event, found in read(tmp_path).items()
        for name, one in found["occurrences"].items()
        if name == SERGEANT and one["occurrenceStatus"] == "present"
    }
    assert {status for status, _ in said.values()} == {"PredictedByMachine"}
    assert "0 of 1 sightings named by a person" in said["2025-06-01T12"][1]
    assert "1 of 2 sightings named by a person" in said["2025-06-01T13"][1]


def test_absences_can_be_kept_back(tmp_path: Path) -> None:
    write_darwin_core(tables(SITE.model_copy(update={"absences": False})), tmp_path)
    status = [one["occurrenceStatus"] for event in read(tmp_path).values() for one in event["occurrences"].values()]
    assert status == ["present"] * 4


def test_the_same_tables_give_the_same_bytes(tmp_path: Path) -> None:
    archives = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_darwin_core(tables(), tmp_path / name)
        archives.append((tmp_path / name / ARCHIVE).read_bytes())
    assert archives[0] == archives[1]


def test_odd_names_stay_in_their_cells(tmp_path: Path) -> None:
    odd = 'a "quoted", fish\nof two lines & <b>'
    write_darwin_core(tables(SITE.model_copy(update={"title": odd}), name=odd), tmp_path)
    assert read_darwin_core(tmp_path).faults == []
    names = read(tmp_path)["IMAR:reefcam:clip:v0"]["occurrences"]
    assert 'a "quoted", fish of two lines & <b>' in names


def test_letters_that_xml_can_not_hold_are_spaces(tmp_path: Path) -> None:
    said = {name: "Reef\vcamera\x00" for name in ("title", "abstract", "institution", "contact", "protocol", "station")}
    write_darwin_core(tables(SITE.model_copy(update=said), name="a\x0bfish"), tmp_path)
    assert read_darwin_core(tmp_path).faults == []
    with DwCAReader(tmp_path / ARCHIVE) as archive:
        assert archive.metadata.findtext("dataset/title") == "Reef camera "
    assert all("\v" not in text for one in read(tmp_path).values() for text in one["event"].values())


@pytest.mark.parametrize(
    ("longitudes", "box"),
    [
        ((179.9, -179.9), ("179.9", "-179.9")),  # 21 km apart off Fiji, at 17 degrees south
        ((-9.2, -9.2), ("-9.2", "-9.2")),
        ((-31.1, -9.2), ("-31.1", "-9.2")),
        ((-60.0, 100.0), ("-60.0", "100.0")),
        ((-90.0, 90.0), ("-90.0", "90.0")),
    ],
)
def test_the_box_of_all_places_is_the_narrower_one(
    tmp_path: Path, longitudes: tuple[float, float], box: tuple[str, str]
) -> None:
    first, second = longitudes
    said = owners_table(f"file,latitude,longitude\nv0.mp4,-17,{first}\nv1.mp4,-17,{second}\n".encode())
    write_darwin_core(tables(SITE.model_copy(update={"longitude": first}), owners=said), tmp_path)
    with DwCAReader(tmp_path / ARCHIVE) as archive:
        place = archive.metadata.find("dataset/coverage/geographicCoverage/boundingCoordinates")
    assert tuple(place.findtext(f"{side}BoundingCoordinate") for side in ("west", "east")) == box


@pytest.mark.parametrize("name", ["latitude", "longitude", "depth", "uncertainty_m"])
@pytest.mark.parametrize("value", ["inf", "-inf", "nan"])
def test_a_site_has_finite_numbers(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match=name):
        Site(**tomllib.loads(f"{name} = {value}"))


def test_everything_that_is_missing_is_named_at_once() -> None:
    said = "\n".join(missing_for_archive(tables(Site())))
    for name in (
        *("datum", "time_zone", "licence", "institution", "collection", "protocol", "title", "contact", "email"),
        *("latitude", "longitude"),
    ):
        assert f"`{name}`" in said, name


def timeless() -> ExportTables:
    given = tables()
    return replace(given, videos=given.videos.with_columns(pl.lit(None, pl.Datetime("us")).alias("starts_at")))


def at_zero() -> ExportTables:
    return tables(SITE.model_copy(update={"latitude": 0.0, "longitude": 0.0}))


def in_a_skipped_hour() -> ExportTables:
    given, skipped = tables(), datetime(2025, 3, 30, 1, 30)  # Lisbon goes from 01:00 to 02:00
    return replace(given, videos=given.videos.with_columns(pl.lit(skipped).alias("starts_at")))


def of_a_station_that_moves() -> ExportTables:
    said = owners_table(b"file,station,latitude,longitude\nv0.mp4,reef,1,2\nv1.mp4,reef,3,4\n")
    return tables(SITE.model_copy(update={"events": "hour"}), owners=said)


BEFORE_THE_SKIP = datetime(2025, 3, 30, 0, 59, 50)
"""Ten seconds before Lisbon goes from 01:00 to 02:00."""


def of_two_minutes(start: datetime, **said: object) -> ExportTables:
    """A clip of two minutes, and one of half an hour five hours later."""
    later = tracklet(1, range(900), video="v2", start=start + timedelta(hours=5))
    return tables(SITE.model_copy(update=said), pl.concat([tracklet(1, range(3600), start=start), later]))


def of_hours_into_which_a_clip_lasts() -> ExportTables:
    return of_two_minutes(BEFORE_THE_SKIP, events="hour")


def yet_to_come() -> ExportTables:
    given = tables()
    far = pl.lit(datetime(2090, 6, 1, 12)).alias("starts_at")
    return replace(given, videos=given.videos.with_columns(far))


SAID_LATER = owners_table(b"file,station,latitude,longitude\nv0.mp4,north,10,10\nv1.mp4,north,10,10\n")


def of_stations_that_were_said_later() -> ExportTables:
    hours, before = SITE.model_copy(update={"events": "hour", "station": None}), tables()
    return replace(tables(hours, owners=SAID_LATER), sightings=before.sightings, abundance=before.abundance)


def of_a_video_that_is_gone() -> ExportTables:
    given = tables()
    return replace(given, videos=given.videos.filter(pl.col("video") != "v2"))


def of_sightings_that_are_older() -> ExportTables:
    said, before = owners_table(b"file,station\nv1.mp4,south\n"), tables()
    return replace(tables(owners=said), sightings=before.sightings)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (timeless, "the time of day of 3 of the videos (v0.mp4, v1.mp4, v2.mp4)"),
        (at_zero, "0, 0 lies off Africa"),
        (in_a_skipped_hour, "an hour that Europe/Lisbon skips"),
        (of_hours_into_which_a_clip_lasts, "2025-03-30T01 are hours that Europe/Lisbon skips"),
        (yet_to_come, "the true date of 3 of the videos (v0.mp4, v1.mp4, v2.mp4): they begin after today, 2026-01-02"),
        (of_stations_that_were_said_later, "materialise sightings and abundance again"),
        (of_sightings_that_are_older, "the counts of 1 of the videos (v1.mp4) by their stations of today"),
        (of_a_video_that_is_gone, "the counts without those of 1 of the videos (v2), which have no boxes any more"),
        (of_a_station_that_moves, "one place for station 'reef'"),
    ],
)
def test_times_and_places_that_can_not_be_are_refused(given, said: str) -> None:
    [only] = missing_for_archive(given())
    assert said in only


def test_a_day_before_today_ends_everywhere_a_clip_may_begin() -> None:
    given = tables(SITE.model_copy(update={"time_zone": "Pacific/Kiritimati"}))  # 14 hours before UTC
    now = MADE_AT.replace(tzinfo=None)
    for hours, n in ((14, 0), (37, 0), (39, 1)):
        begun = given.videos.with_columns(pl.lit(now + timedelta(hours=hours)).alias("starts_at"))
        assert len(missing_for_archive(replace(given, videos=begun))) == n, hours


def test_stations_that_are_counted_are_written_at_their_places(tmp_path: Path) -> None:
    given = tables(SITE.model_copy(update={"events": "hour", "station": None}), owners=SAID_LATER)
    assert missing_for_archive(given) == []
    write_darwin_core(given, tmp_path)
    hours = [one["event"] for one in read(tmp_path).values() if one["event"]["eventType"] == "Hour"]
    places = [(hour["eventDate"][11:13], hour["decimalLatitude"], hour["locality"]) for hour in hours]
    assert sorted(places) == [("12", "10.0", "north"), ("13", "38.69", "")] and read_darwin_core(tmp_path).faults == []


def test_a_clip_that_lasts_over_a_skipped_hour_ends_as_many_seconds_after_it_began(tmp_path: Path) -> None:
    given = of_two_minutes(BEFORE_THE_SKIP)
    assert missing_for_archive(given) == []
    write_darwin_core(given, tmp_path)
    dates = read(tmp_path)["IMAR:reefcam:clip:v0"]["event"]["eventDate"]
    assert dates == "2025-03-30T00:59:50.000+00:00/2025-03-30T02:01:50.000+01:00"


@pytest.mark.parametrize("events", ["clip", "hour"])
def test_times_in_an_hour_that_comes_twice_are_told(tmp_path: Path, events: str) -> None:
    # Lisbon's 01:00 to 02:00 of that day comes twice; the clip five hours later is in none such.
    given = of_two_minutes(datetime(2025, 10, 26, 1, 10), events=events)
    assert missing_for_archive(given) == []
    [part] = [part for part in write_darwin_core(given, tmp_path) if part.holds == "event"]
    assert part.changed == {"at an hour that Europe/Lisbon has twice, taken for the first": 1}
    assert read_darwin_core(tmp_path).faults == []


def test_a_file_of_recordings_csv_has_its_own_place_and_deployment(tmp_path: Path) -> None:
    said = owners_table(b"file,station,latitude,longitude,depth\nv1.mp4,south,-10.5,20.25,7\n")
    write_darwin_core(tables(owners=said), tmp_path)
    events = read(tmp_path)
    south = events["IMAR:reefcam:clip:v1"]["event"]
    assert (south["decimalLatitude"], south["locality"], south["maximumDepthInMeters"]) == ("-10.5", "south", "7.0")
    assert south["parentEventID"] != events["IMAR:reefcam:clip:v0"]["event"]["parentEventID"]
    assert read_darwin_core(tmp_path).faults == []


def broken(folder: Path, file: str, old: str, new: str, count: int = -1) -> list[str]:
    """The faults of the archive with some text of one of its files exchanged."""
    with zipfile.ZipFile(folder / ARCHIVE) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert old in files[file]
    files[file] = files[file].replace(old, new, count)
    (folder / "broken").mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / "broken" / ARCHIVE, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return read_darwin_core(folder / "broken").faults


RULES = [
    ("event.csv", "IMAR:reefcam:clip:v1,", "IMAR:reefcam:clip:v0,", "event whose eventID stands twice"),
    ("occurrence.csv", "IMAR:reefcam:clip:v1,", "IMAR:reefcam:clip:v7,", "occurrence whose id is no event"),
    ("occurrence.csv", "MachineObservation", "Video", "basisOfRecord out of its vocabulary"),
    ("occurrence.csv", "present", "seen", "occurrenceStatus out of its vocabulary"),
    ("occurrence.csv", "taxname:159288", "taxname:fish", "scientificNameID that is no LSID"),
    ("occurrence.csv", "Zebrasoma flavescens", "", "occurrence without scientificName"),
    ("occurrence.csv", "Zebrasoma flavescens", "abudefduf Saxatilis", "taxon that stands twice in an event"),
    ("occurrence.csv", "taxname:219674", "taxname:159288", "taxon that stands twice in an event"),
    ("occurrence.csv", ",absent,", ",present,", "individualCount that contradicts its status"),
    ("event.csv", "+01:00", "", "eventDate that is no span"),
    ("event.csv", "38.69,-9.21", "138.69,-9.21", "place out of range"),
    ("event.csv", "38.69,-9.21", "0.0,0.0", "place out of range, or 0, 0"),
    ("event.csv", ",4.5,4.5,", ",4.5,1.5,", "depths the wrong way round"),
    ("event.csv", ",30.0,4.5", ",inf,4.5", "uncertainty that is no number of metres"),
    ("event.csv", ",seconds,", ",,", "sampleSizeValue without its unit"),
    ("extendedmeasurementorfact.csv", ",1.0,", ",one,", "measurementValue that is no number"),
    ("extendedmeasurementorfact.csv", ":sergeant,MaxN", ":nobody,MaxN", "measurement of no occurrence"),
    ("meta.xml", "dwc/terms/Occurrence", "dwc/terms/Taxon", "occurrence holds rows of"),
    ("eml.xml", "title>", "name>", "eml.xml without: 1, 'title'"),
    ("eml.xml", "licenses/by/4.0", "licenses/by-nd/4.0", "under no licence that GBIF takes"),
]


@pytest.mark.parametrize(("file", "old", "new", "said"), RULES)
def test_every_rule_sees_an_archive_that_breaks_it(written, file: str, old: str, new: str, said: str) -> None:
    folder = written[2]
    assert read_darwin_core(folder).faults == []
    assert any(said in fault for fault in broken(folder, file, old, new)), broken(folder, file, old, new)


def test_a_parent_that_is_no_event_is_seen(written) -> None:
    faults = broken(written[2], "event.csv", "IMAR:reefcam:deployment", "IMAR:reefcam:lost", count=1)
    assert any("event whose parentEventID is no event" in fault for fault in faults)
