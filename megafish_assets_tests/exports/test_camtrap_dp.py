"""The Camera Trap Data Package, as frictionless reads it, and what it refuses."""

import json
import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from frictionless import Package, Report

from megafish_assets.exports.camtrap_dp import media_table
from megafish_assets.exports.camtrap_package import (
    FIELDS,
    missing_for_package,
    read_camtrap_dp,
    write_camtrap_dp,
)
from megafish_assets.exports.taxa import SAME_TAXON
from megafish_assets.footage.recordings import owners_table
from megafish_assets.footage.site import Site
from megafish_assets_tests.exports.camtrap_schemas import DESIGNS, REQUIRED, SCHEMAS
from megafish_assets_tests.exports.small import (
    OTHER,
    SERGEANT,
    SERGEANT_MAJOR,
    SITE,
    TANG,
    rows,
    tables,
    with_two_names,
)


def validated(folder: Path) -> Report:
    """The whole package, by the standard's schemas, which lie here instead of at the addresses that it names."""
    described = json.loads((folder / "datapackage.json").read_text())
    resources = [
        {name: told for name, told in one.items() if name != "profile"} | {"schema": SCHEMAS[one["name"]]}
        for one in described["resources"]
    ]
    own = {name: told for name, told in described.items() if name != "profile"}
    return Package.from_descriptor(own | {"resources": resources}, basepath=str(folder)).validate()


def observations(folder: Path) -> pl.DataFrame:
    return pl.read_csv(folder / "observations.csv", infer_schema_length=None)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("camtrap")
    assert missing_for_package(tables()) == []
    write_camtrap_dp(tables(), folder)
    return folder


def test_frictionless_finds_the_tables_valid(written: Path) -> None:
    report = validated(written)
    assert report.valid, report.flatten(["rowNumber", "fieldName", "type", "message"])
    assert {name: [one["name"] for one in SCHEMAS[name]["fields"]] for name in SCHEMAS} == {
        name: list(fields) for name, fields in FIELDS.items()
    }


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("observations.csv", "north-pier-", "south-"),
        ("observations.csv", ",animal,", ",fish,"),
        ("media.csv", "+01:00", ""),
        ("media.csv", "v1,north", "v0,north"),
        ("deployments.csv", "38.69", "138.69"),
    ],
)
def test_frictionless_sees_a_table_that_is_not(written: Path, tmp_path: Path, file: str, old: str, new: str) -> None:
    for path in written.iterdir():
        (tmp_path / path.name).write_text(path.read_text())
    text = (tmp_path / file).read_text()
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new))
    assert not validated(tmp_path).valid


def test_what_the_profile_asks_for_is_there(written: Path) -> None:
    package = json.loads((written / "datapackage.json").read_text())
    assert package.keys() >= REQUIRED
    assert re.fullmatch(r"[-a-z0-9._/]+", package["name"]) and package["profile"].endswith(
        "/1.0.2/camtrap-dp-profile.json"
    )
    project = package["project"]
    assert project["samplingDesign"] in DESIGNS and project["captureMethod"] == ["timeLapse"]
    assert {one["scope"] for one in package["licenses"]} == {"data", "media"}
    assert package["temporal"] == {"start": "2025-06-01", "end": "2025-06-01"}
    assert package["spatial"] == {"type": "Point", "coordinates": [-9.21, 38.69]}
    names = {one["scientificName"] for one in package["taxonomic"]}
    assert names == {"Abudefduf saxatilis", "Zebrasoma flavescens", "Actinopterygii"}


def test_events_hold_the_max_n_of_abundance(written: Path) -> None:
    given = tables().abundance.filter(window_kind="clip").filter(pl.col("max_n") > 0)
    events = observations(written).filter(observationLevel="event")
    counts = sorted(zip(events["eventID"].str.split(":").list.last(), events["count"], strict=True))
    assert counts == sorted(zip(given["window"], given["max_n"], strict=True))
    assert counts == [("v0", 1), ("v0", 2), ("v1", 1), ("v2", 1)]


def test_media_hold_every_sighting_that_counts_with_a_box_in_shares_of_the_frame(written: Path) -> None:
    seen = observations(written).filter(observationLevel="media")
    assert seen.height == tables().sightings.filter("is_counted").height == 5
    second = seen.filter(pl.col("observationTags").str.contains("v0/t00002")).row(0, named=True)
    box = [second[name] for name in ("bboxX", "bboxY", "bboxWidth", "bboxHeight")]
    assert box == [side / 1024 for side in OTHER]
    assert (second["classificationMethod"], second["classifiedBy"]) == ("human", "A. Person")
    tang = seen.filter(mediaID="v1").row(0, named=True)
    assert (tang["classificationMethod"], tang["classificationProbability"]) == ("machine", 0.9)
    assert seen["individualID"].null_count() == seen.height


def test_a_box_that_reaches_over_the_edge_is_cut_there(tmp_path: Path) -> None:
    over = rows().with_columns(pl.lit(-10.0).alias("x_1024"), pl.lit(1020.0).alias("y_1024"))
    write_camtrap_dp(tables(given=over), tmp_path)
    box = observations(tmp_path).filter(mediaID="v1").row(0, named=True)
    assert (box["bboxX"], box["bboxWidth"]) == (0, 30 / 1024)
    assert (box["bboxY"], box["bboxHeight"]) == (1020 / 1024, 4 / 1024)
    assert validated(tmp_path).valid and read_camtrap_dp(tmp_path).faults == []


def test_a_clip_in_which_nothing_was_seen_is_blank(tmp_path: Path) -> None:
    given = tables()
    empty = given.abundance.with_columns(
        pl.when(pl.col("window") == "v2").then(0).otherwise("max_n").alias("max_n").cast(pl.Int64)
    )
    empty = empty.with_columns(
        pl.when(pl.col("window") == "v2").then(0).otherwise(name).cast(dtype).alias(name)
        for name, dtype in (("n_tracklets", pl.Int64), ("mean_count", pl.Float64))
    )
    unseen = given.sightings.filter(pl.col("video") != "v2")
    parts = write_camtrap_dp(replace(given, abundance=empty, sightings=unseen), tmp_path)
    blank = observations(tmp_path).filter(observationType="blank")
    assert blank["eventID"].to_list() == ["IMAR:reefcam:clip:v2"] and blank["count"].null_count() == 1
    assert validated(tmp_path).valid
    [part] = [part for part in parts if part.holds == "observations"]
    assert part.n_given - part.n_left_out == read_camtrap_dp(tmp_path).n_rows["observations"]


def test_a_clip_with_a_fish_that_is_too_brief_to_count_is_unclassified_and_not_blank(tmp_path: Path) -> None:
    given = tables(given=rows().filter((pl.col("video") != "v2") | (pl.col("frame_id") < 5)))
    parts = write_camtrap_dp(given, tmp_path)
    seen = observations(tmp_path).filter(eventID="IMAR:reefcam:clip:v2")
    assert seen.select("observationLevel", "observationType", "count").rows() == [("event", "unclassified", None)]
    assert "less than a third of a second" in seen["observationComments"].item()
    assert validated(tmp_path).valid and read_camtrap_dp(tmp_path).faults == []
    [part] = [part for part in parts if part.holds == "observations"]
    assert part.n_given - part.n_left_out == read_camtrap_dp(tmp_path).n_rows["observations"]


def test_two_names_of_one_species_are_one_observation_of_an_event(tmp_path: Path) -> None:
    given = with_two_names()
    also = given.abundance.with_columns(
        pl.when(window="v0", kind=SERGEANT_MAJOR).then(1).otherwise("max_n").cast(pl.Int64).alias("max_n")
    )
    [part] = [
        part for part in write_camtrap_dp(replace(given, abundance=also), tmp_path) if part.holds == "observations"
    ]
    species = observations(tmp_path).filter(observationLevel="event", scientificName="Abudefduf saxatilis")
    assert species.select(pl.col("eventID").str.slice(-2), "count").rows() == [("v0", 2), ("v1", 1)]
    assert part.left_out[SAME_TAXON] == 1
    assert part.n_given - part.n_left_out == read_camtrap_dp(tmp_path).n_rows["observations"]


@pytest.mark.parametrize(
    ("ending", "media_type"),
    [
        (".MP4", "video/mp4"),
        (".flv", "video/x-flv"),
        (".mxf", "video/x-mxf"),
        (".3gp", "video/3gpp"),
        ("", "video/x-unknown"),
        (".ä", "video/x-unknown"),
    ],
)
def test_every_file_has_a_type_of_video(tmp_path: Path, ending: str, media_type: str) -> None:
    given = tables()
    files = given.videos.with_columns(video_file=pl.col("video") + ending)
    write_camtrap_dp(replace(given, videos=files), tmp_path)
    assert set(pl.read_csv(tmp_path / "media.csv")["fileMediatype"]) == {media_type}
    assert validated(tmp_path).valid and read_camtrap_dp(tmp_path).faults == []


@pytest.mark.parametrize("name", ["reef..v0.mp4", ".reef.mp4", "~reef.mp4", "one\nreef.mp4"])
def test_a_path_that_the_standard_does_not_take_is_refused_and_is_a_fault(tmp_path: Path, name: str) -> None:
    given = tables(SITE.model_copy(update={"media": None}))
    files = given.videos.with_columns(video_file=pl.col("video_file").replace("v0.mp4", name))
    given = replace(given, videos=files)
    [asked] = missing_for_package(given)
    assert "another name of 1 of the videos" in asked and repr(name) in asked
    write_camtrap_dp(given, tmp_path)
    assert not validated(tmp_path).valid
    [fault] = read_camtrap_dp(tmp_path).faults
    assert "media whose filePath the standard does not take: 1" in fault


def test_file_names_are_quoted_in_addresses_alone() -> None:
    file, given = "north pier/été 1#2.mp4", tables()
    videos = given.videos.with_columns(video_file=pl.lit(file))
    assert set(media_table(replace(given.with_site(media=None), videos=videos))["filePath"]) == {file}
    at = "https://media.example.org/reefcam/north%20pier/%C3%A9t%C3%A9%201%232.mp4"
    assert set(media_table(replace(given, videos=videos))["filePath"]) == {at}


def test_what_nobody_named_is_unclassified_where_the_site_says_no_taxon(tmp_path: Path) -> None:
    write_camtrap_dp(tables(SITE.model_copy(update={"taxon": None, "media": None})), tmp_path)
    assert validated(tmp_path).valid
    unnamed = observations(tmp_path).filter(pl.col("scientificName").is_null())
    assert set(unnamed["observationType"]) == {"unclassified"} and unnamed.height == 4
    media = pl.read_csv(tmp_path / "media.csv")
    assert media["filePath"].to_list() == ["v0.mp4", "v1.mp4", "v2.mp4"] and not media["filePublic"].any()


def test_each_place_is_a_deployment(tmp_path: Path) -> None:
    said = owners_table(b"file,station,latitude,longitude,depth\nv1.mp4,south,-10.5,20.25,7\n")
    write_camtrap_dp(tables(owners=said), tmp_path)
    places = pl.read_csv(tmp_path / "deployments.csv")
    assert sorted(places.select("locationName", "latitude", "cameraDepth").rows()) == [
        ("north pier", 38.69, 4.5),
        ("south", -10.5, 7.0),
    ]
    assert validated(tmp_path).valid


def test_everything_that_is_missing_is_named_at_once() -> None:
    said = "\n".join(missing_for_package(tables(Site())))
    for name in ("media_licence", "sampling_design", "capture_method", "licence", "time_zone", "latitude"):
        assert f"`{name}`" in said, name
    [other] = missing_for_package(tables(SITE.model_copy(update={"datum": "EPSG:4258"})))
    assert "WGS84" in other and "EPSG:4258" in other
    [other] = missing_for_package(tables(SITE.model_copy(update={"media_licence": "CC BY 4.0"})))
    assert "`media_licence` is 'CC BY 4.0'" in other
    at = "https://creativecommons.org/licenses/by/4.0/"
    assert missing_for_package(tables(SITE.model_copy(update={"media_licence": at}))) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("observations.csv", "north-pier-", "south-", "observations whose deploymentID is none of deployments"),
        ("observations.csv", f"clip:v0:{SERGEANT}", "clip:v1:yellow-tang-cd2f3c", "observations whose id stands twice"),
        ("media.csv", ",video/mp4", ",", "media without fileMediatype"),
        ("media.csv", ",video/mp4", ",application/mxf", "media whose fileMediatype the standard does not take: 3"),
        ("media.csv", "reefcam/v1", "reefcam/../v1", "media whose filePath the standard does not take: 1, https"),
        ("observations.csv", "0.390625", "0.99", "boxes out of their frame"),
        ("deployments.csv", "cameraDepth", "depth", "deployments of fields"),
    ],
)
def test_our_own_rules_see_a_table_that_breaks_them(
    written: Path, tmp_path: Path, file: str, old: str, new: str, said: str
) -> None:
    for path in written.iterdir():
        (tmp_path / path.name).write_text(path.read_text())
    text = (tmp_path / file).read_text()
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new))
    assert any(said in fault for fault in read_camtrap_dp(tmp_path).faults)


def test_names_of_kinds_are_told(written: Path) -> None:
    comments = " ".join(observations(written)["observationComments"])
    assert SERGEANT in comments and TANG in comments and "reefcam-kind3" in comments
