"""Counts for GlobalArchive, read again as CheckEM's R does it, and compared with the tables."""

import csv
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from megafish_assets.exports.global_archive import (
    missing_for_global_archive,
    names_of_kinds,
    read_global_archive,
    write_global_archive,
)
from megafish_assets.exports.sighted import BRIEF
from megafish_assets.exports.tables import ExportTables
from megafish_assets.exports.taxa import SAME_TAXON
from megafish_assets.exports.writing import Part
from megafish_assets.footage.recordings import owners_table
from megafish_assets.footage.site import Site
from megafish_assets_tests.exports.small import SERGEANT, TANG, glimpsed, tables

TAXON = ("family", "genus", "species")
SERGEANTS, TANGS = ("Unknown", "Abudefduf", "saxatilis"), ("Acanthuridae", "Zebrasoma", "flavescens")
KIND, UNNAMED = ("Unknown", "Unknown", "kind 3"), ("Unknown", "Unknown", "spp")


def written(given: ExportTables, folder: Path) -> dict[str, Part]:
    return {part.holds: part for part in write_global_archive(given, folder)}


def rows(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(path.open(encoding="utf-8", newline=""), delimiter=delimiter))


def max_n_of_points(points: list[dict[str, str]]) -> dict[tuple[str, ...], int]:
    """CheckEM's way: numbers added up over a frame, then the largest sum of a sample and species."""
    sums: dict[tuple[str, ...], int] = defaultdict(int)
    frames = ("opcode", "filename", "periodtime", "frame", "family", "genus", "species")
    for row in points:
        sums[tuple(row[name] for name in frames)] += int(row["number"])
    largest: dict[tuple[str, ...], int] = {}
    for (opcode, _, _, _, *taxon), number in sums.items():
        largest[opcode, *taxon] = max(number, largest.get((opcode, *taxon), 0))
    return largest


def max_n_of_counts(counts: list[dict[str, str]]) -> dict[tuple[str, ...], int]:
    return {(row["opcode"], row["family"], row["genus"], row["species"]): int(row["count"]) for row in counts}


def test_counts_are_the_max_n_of_every_clip_and_species_with_its_zeros(tmp_path: Path) -> None:
    parts = written(tables(), tmp_path)
    counts = max_n_of_counts(rows(tmp_path / "count/reefcam_Count.csv"))
    seen = {("v0", *SERGEANTS): 2, ("v0", *KIND): 1, ("v1", *TANGS): 1, ("v2", *UNNAMED): 1}
    assert {key: n for key, n in counts.items() if n} == seen
    assert set(counts) == {
        (video, *taxon) for video in ("v0", "v1", "v2") for taxon in (SERGEANTS, TANGS, KIND, UNNAMED)
    }
    assert parts["count"].n_given == 12 and parts["count"].n_left_out == 0 and parts["points"].n_left_out == 8
    assert read_global_archive(tmp_path).n_rows == {
        "count": 12,
        "points": 4,
        "metadata of count": 3,
        "metadata of points": 3,
    }
    assert read_global_archive(tmp_path).faults == []


def test_points_give_the_same_max_n_and_its_frame(tmp_path: Path) -> None:
    given = tables()
    written(given, tmp_path)
    points = rows(tmp_path / "points/reefcam_Points.txt", "\t")
    counts = max_n_of_counts(rows(tmp_path / "count/reefcam_Count.csv"))
    assert list(points[0]) == ["opcode", "period", "periodtime", "filename", "frame", *TAXON, "number"]
    assert max_n_of_points(points) == {key: n for key, n in counts.items() if n}
    [kind] = [row for row in points if row["species"] == "kind 3"]
    clip = given.abundance.filter(window_kind="clip", window="v0", kind="kind 3")
    assert (kind["filename"], int(kind["frame"])) == ("v0.mp4", clip["max_n_frame"].item())
    # 30 frames a second, minutes as EventMeasure has them.
    assert float(kind["periodtime"]) == pytest.approx(clip["max_n_frame"].item() / 30 / 60, abs=1e-5)


def test_metadata_hold_place_and_time_of_every_clip(tmp_path: Path) -> None:
    written(tables(owners=owners_table(b"file,station,latitude,longitude\nv1.mp4,south,-34.1,114.9\n")), tmp_path)
    found = {row["opcode"]: row for row in rows(tmp_path / "count/reefcam_Metadata.csv")}
    assert (tmp_path / "points/reefcam_Metadata.csv").read_bytes() == (
        tmp_path / "count/reefcam_Metadata.csv"
    ).read_bytes()
    assert (found["v1"]["latitude_dd"], found["v1"]["longitude_dd"], found["v1"]["site"]) == ("-34.1", "114.9", "south")
    # Lisbon keeps summer time in June.
    assert found["v0"]["date_time"] == "2025-06-01T12:00:00+01:00" and found["v0"]["depth_m"] == "4.5"
    assert {row["successful_count"] for row in found.values()} == {"Yes"}
    assert {row["successful_length"] for row in found.values()} == {"No"}
    assert found["v2"]["observer_count"].startswith("megafish ")
    assert f"labels l1, version {tables().version}" in found["v2"]["observer_count"]


def test_a_clip_in_which_nothing_was_searched_has_no_zeros_and_says_so(tmp_path: Path) -> None:
    given = tables()
    unsearched = pl.when(pl.col("window") == "v2").then(0).otherwise("n_frames_searched").alias("n_frames_searched")
    videos = given.videos.with_columns(
        pl.when(pl.col("video") == "v2").then(0).otherwise("n_frames_searched").alias("n_frames_searched")
    )
    parts = written(replace(given, abundance=given.abundance.with_columns(unsearched), videos=videos), tmp_path)
    assert parts["count"].left_out["of clips in which nothing was searched"] == 4
    assert {row["opcode"] for row in rows(tmp_path / "count/reefcam_Count.csv")} == {"v0", "v1"}
    said = {row["opcode"]: row["successful_count"] for row in rows(tmp_path / "count/reefcam_Metadata.csv")}
    assert said == {"v0": "Yes", "v1": "Yes", "v2": "No"} and read_global_archive(tmp_path).faults == []


def test_what_was_seen_too_briefly_to_count_is_no_zero(tmp_path: Path) -> None:
    parts = written(glimpsed(), tmp_path)
    counts = max_n_of_counts(rows(tmp_path / "count/reefcam_Count.csv"))
    assert ("v1", *SERGEANTS) not in counts and counts["v2", *SERGEANTS] == 0 and counts["v0", *SERGEANTS] == 2
    assert len(counts) == 11 and parts["count"].left_out[BRIEF] == parts["points"].left_out[BRIEF] == 1
    assert parts["points"].n_given - parts["points"].n_left_out == 4 and read_global_archive(tmp_path).faults == []


def test_a_brief_one_by_another_name_of_the_species_makes_it_no_zero_either(tmp_path: Path) -> None:
    given = glimpsed()
    kinds = given.kinds.with_columns(
        pl.when(pl.col("kind").is_in([SERGEANT, "kind 3"]))
        .then(pl.lit("Abudefduf saxatilis"))
        .otherwise("scientific_name")
        .alias("scientific_name"),
        family=pl.lit("Pomacentridae"),
    )
    written(replace(given, kinds=kinds), tmp_path)
    counts = max_n_of_counts(rows(tmp_path / "count/reefcam_Count.csv"))
    assert ("v1", "Pomacentridae", "Abudefduf", "saxatilis") not in counts


def test_two_names_of_one_species_are_the_larger_max_n_and_never_their_sum(tmp_path: Path) -> None:
    given = tables()
    one = pl.when(pl.col("kind") == TANG).then(pl.lit("Abudefduf saxatilis")).otherwise("scientific_name")
    kinds = given.kinds.with_columns(one.alias("scientific_name"), family=pl.lit("Pomacentridae"))
    parts = written(replace(given, kinds=kinds), tmp_path)
    counts = max_n_of_counts(rows(tmp_path / "count/reefcam_Count.csv"))
    assert [counts[video, "Pomacentridae", "Abudefduf", "saxatilis"] for video in ("v0", "v1", "v2")] == [2, 1, 0]
    assert parts["count"].left_out[SAME_TAXON] == 3 and read_global_archive(tmp_path).faults == []


@pytest.mark.parametrize(
    ("scientific_name", "taxon"),
    [
        ("Abudefduf saxatilis", ("Unknown", "Abudefduf", "saxatilis")),
        ("Abudefduf", ("Unknown", "Abudefduf", "spp")),
        ("Abudefduf sp.", ("Unknown", "Abudefduf", "spp")),
        ("Pomacentridae", ("Pomacentridae", "Unknown", "spp")),
        ("Chromis (Azurina) cyanea", ("Unknown", "Chromis", "cyanea")),
        ("Salmo trutta fario", ("Unknown", "Salmo", "trutta fario")),
        ("abudefduf saxatilis", ("Unknown", "Abudefduf", "saxatilis")),
        ("pomacentridae", ("Pomacentridae", "Unknown", "spp")),
        ("Actinopterygii", ("Unknown", "Unknown", "Actinopterygii")),
        ("teleostei sp.", ("Unknown", "Unknown", "Teleostei")),
        ("Perciformes", ("Unknown", "Unknown", "Perciformes")),
        ("Labroidei", ("Unknown", "Unknown", "Labroidei")),
        ("Serraninae", ("Unknown", "Unknown", "Serraninae")),
        ("Percoidea", ("Unknown", "Unknown", "Percoidea")),
        (None, ("Unknown", "Unknown", SERGEANT)),
    ],
)
def test_scientific_names_are_taken_apart(scientific_name: str | None, taxon: tuple[str, str, str]) -> None:
    given = tables()
    said = pl.when(pl.col("kind") == SERGEANT).then(pl.lit(scientific_name, pl.String)).otherwise("scientific_name")
    found = names_of_kinds(replace(given, kinds=given.kinds.with_columns(said.alias("scientific_name"))))
    assert found.filter(kind=SERGEANT).row(0)[1:] == taxon


@pytest.mark.parametrize(("name", "species"), [("kind3", "kind3"), ("KIND3", "KIND3"), ("spp", "called spp")])
def test_what_a_person_named_is_counted_with_no_cluster(tmp_path: Path, name: str, species: str) -> None:
    given = tables(name=name)
    given = replace(given, kinds=given.kinds.with_columns(scientific_name=pl.lit(None, pl.String)))
    written(given, tmp_path)
    counts = max_n_of_counts(rows(tmp_path / "count/reefcam_Count.csv"))
    seen = {key: n for key, n in counts.items() if n and key[0] != "v1"}
    assert seen == {("v0", "Unknown", "Unknown", species): 2, ("v0", *KIND): 1, ("v2", *UNNAMED): 1}


@pytest.mark.parametrize("name", ['rock, "big" one', "Größe \U0001f41f 鱼", "=1+1", "it's"])
def test_names_without_a_scientific_one_stay_as_they_are_said(tmp_path: Path, name: str) -> None:
    given = tables(name=name)
    kinds = given.kinds.with_columns(scientific_name=pl.lit(None, pl.String))
    written(replace(given, kinds=kinds), tmp_path)
    for file, delimiter in (("count/reefcam_Count.csv", ","), ("points/reefcam_Points.txt", "\t")):
        assert name in {row["species"] for row in rows(tmp_path / file, delimiter)}
    assert read_global_archive(tmp_path).faults == []


def test_what_checkem_can_not_do_without_is_asked_for_and_no_more() -> None:
    assert missing_for_global_archive(tables()) == []
    asked = missing_for_global_archive(tables(site=Site()))
    assert len(asked) == 2 and "`collection`" in asked[0] and "the place of 3 of the videos" in asked[1]
    given = tables(site=Site(collection="reefcam", latitude=38.7, longitude=-9.2))
    timeless = given.videos.with_columns(starts_at=pl.lit(None, pl.Datetime("us")))
    [asked] = missing_for_global_archive(replace(given, videos=timeless))
    assert "the time of day of 3 of the videos" in asked


def test_stations_that_were_said_later_are_refused() -> None:
    given, before = tables(owners=owners_table(b"file,station\nv1.mp4,south\n")), tables()
    assert missing_for_global_archive(given) == []
    [asked] = missing_for_global_archive(replace(given, abundance=before.abundance))
    assert "(v1.mp4)" in asked and "materialise sightings and abundance again" in asked


def test_without_a_time_zone_the_time_is_local(tmp_path: Path) -> None:
    written(tables(site=Site(collection="reefcam", latitude=38.7, longitude=-9.2)), tmp_path)
    assert rows(tmp_path / "count/reefcam_Metadata.csv")[0]["date_time"] == "2025-06-01T12:00:00"


def test_what_checkem_would_count_wrongly_is_named(tmp_path: Path) -> None:
    written(tables(), tmp_path)
    path = tmp_path / "count/reefcam_Count.csv"
    lines = path.read_text().splitlines()
    twice = next(line for line in lines if line.endswith("saxatilis,2"))
    path.write_text("\n".join([*lines, twice, "v9,A,b,c,1"]))
    assert read_global_archive(tmp_path).faults == [
        "species that stand twice in a clip: 1",
        "counts of clips that were not searched: 1",
        "counts that points do not say, or say otherwise: 1",
    ]
