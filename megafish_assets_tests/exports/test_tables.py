"""What exports are given: boxes in the video's own pixels, names with their numbers, and videos with their places."""

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from megafish_assets.exports.collecting import boxes_table, species_names, with_scientific_names
from megafish_assets.exports.columns import BOXES, VIDEOS
from megafish_assets.footage.columns import empty_table
from megafish_assets.footage.recordings import owners_table
from megafish_assets.labels.columns import WORDS
from megafish_assets.labels.said import said_table
from megafish_assets.labels.species import species_list
from megafish_assets.labels.taking import labels_table
from megafish_assets_tests.exports.small import MADE_AT, NOON, SERGEANT, SITE, TANG, rows, tables

OF_A_NAME = {"scientific_name": pl.String}


def test_boxes_are_in_px_of_the_video_and_bear_name_kind_and_whether_they_count() -> None:
    box = tables().boxes.of("v0").filter(tracklet_id="v0/t00001", frame_id=3).row(0, named=True)
    assert list(box) == list(BOXES)
    # 100, 100, 40, 20 of 1024 x 1024 in 1920 x 1080.
    assert (box["x_px"], box["y_px"], box["width_px"], box["height_px"]) == (187.5, 105.46875, 75.0, 21.09375)
    assert (box["name"], box["name_source"], box["kind_id"]) == (SERGEANT, "person", 1)
    assert (box["is_counted"], box["not_fish"], box["seconds"]) == (True, None, 0.1)
    assert box["recorded_at"] == NOON + timedelta(seconds=0.1)


def test_growth_and_boxes_without_a_tracklet_are_there_and_do_not_count() -> None:
    growth = tables().boxes.of("v0").filter(tracklet_id="v0/t00004")
    assert growth.height == 30 and not growth["is_counted"].any() and set(growth["not_fish"]) == {"on_lens"}
    loose = rows().with_columns(pl.when(pl.col("video") != "v2").then("tracklet_id").alias("tracklet_id"))
    given, valid = tables(), loose.filter(video="v2").drop("tracklet_id", "reason", "place_id")
    known = loose.drop_nulls("tracklet_id")
    found = boxes_table(valid, known, known, given.sightings, given.videos)
    assert found.height == 30 and not found["is_counted"].any() and set(found["name_source"]) == {"unnamed"}


def as_growth(*tracklets: str, frames: range) -> pl.DataFrame:
    """The rows, some of them taken for growth on the lens."""
    taken = pl.col("tracklet_id").is_in(tracklets) & pl.col("frame_id").is_in(list(frames))
    return rows().with_columns(pl.when(taken).then(pl.lit("on_lens")).otherwise("reason").alias("reason"))


def test_a_fish_that_a_person_named_keeps_the_boxes_that_are_taken_for_growth() -> None:
    given = tables(given=as_growth("v0/t00001", "v0/t00002", "v1/t00001", frames=range(8)))
    boxes = pl.concat(boxes for _, boxes in given.boxes)
    kept = boxes.filter("is_counted", pl.col("not_fish").is_null()).group_by("tracklet_id").len()
    # Both sergeants were named by a person; the tang by a network, which loses eight of its boxes.
    assert dict(kept.iter_rows()) == {
        **{"v0/t00001": 30, "v0/t00002": 20, "v0/t00003": 20},
        **{"v1/t00001": 22, "v2/t00001": 30},
    }
    seen = dict(given.sightings.filter("is_counted").select("tracklet_id", "n_frames_seen").iter_rows())
    assert dict(kept.iter_rows()) == seen


def test_a_fish_all_of_whose_boxes_are_taken_for_growth_is_one_if_a_person_says_so() -> None:
    given = tables(given=as_growth("v0/t00001", frames=range(30)))
    own = given.boxes.of("v0").filter(tracklet_id="v0/t00001")
    assert own.height == 30 and own["is_counted"].all() and own["not_fish"].null_count() == 30


def test_boxes_come_video_by_video_and_all_of_them() -> None:
    streamed = dict(tables().boxes)
    assert list(streamed) == ["v0", "v1", "v2"]
    assert sum(part.height for part in streamed.values()) == rows().height


def test_a_file_without_its_video_has_boxes_without_px() -> None:
    given, here = tables(), rows().filter(video="v1")
    unread = given.videos.with_columns(pl.lit(None, pl.Int64).alias(side) for side in ("width_px", "height_px"))
    found = boxes_table(here.drop("tracklet_id", "reason"), here, here, given.sightings, unread)
    assert found["x_px"].null_count() == found["height_px"].null_count() == found.height == 30
    assert found["x_1024"].to_list() == here["x_1024"].to_list()


def test_recordings_csv_speaks_of_its_file_and_the_site_of_the_others() -> None:
    said = owners_table(b"file,station,latitude,longitude\nv1.mp4,south,10,20\n")
    found = tables(owners=said).videos
    assert found.columns == list(VIDEOS)
    places = found.select("station", "latitude", "longitude", "depth").rows()
    assert places == [
        ("north pier", 38.69, -9.21, 4.5),
        ("south", 10.0, 20.0, 4.5),
        ("north pier", 38.69, -9.21, 4.5),
    ]
    assert found["starts_at"].to_list() == [NOON, NOON + timedelta(seconds=10), NOON + timedelta(hours=1)]
    assert found["n_frames_searched"].to_list() == [30, 30, 30]


def test_half_a_place_is_not_made_whole_by_the_site() -> None:
    said = owners_table(b"file,latitude,longitude\nv1.mp4,-33.9,18.4\n").with_columns(
        longitude=pl.lit(None, pl.Float64)
    )
    assert set(tables(owners=said).videos.select("latitude", "longitude").rows()) == {(38.69, -9.21)}


def test_kinds_explain_all_that_is_counted() -> None:
    found = tables().kinds.rows_by_key("kind", named=True, unique=True)
    assert set(found) == {SERGEANT, TANG, "kind 3", "unnamed"}
    assert (found[TANG]["scientific_name"], found[TANG]["aphia_id"]) == ("Zebrasoma flavescens", 219674)
    assert (found[SERGEANT]["n_sightings"], found[SERGEANT]["n_videos"], found["kind 3"]["kind_id"]) == (2, 1, 3)
    assert found[TANG]["mean_probability"] == pytest.approx(0.9)


def test_tables_that_do_not_fit_are_refused() -> None:
    given = tables()
    with pytest.raises(ValueError, match="sightings of columns"):
        replace(given, sightings=given.sightings.drop("name"))
    with pytest.raises(ValueError, match=f"abundance counts .*{TANG}"):
        replace(given, kinds=given.kinds.filter(pl.col("kind") != TANG))
    with pytest.raises(ValueError, match="expected a time with its zone"):
        replace(given, made_at=NOON)


def test_the_version_changes_with_the_labels_and_not_with_the_hour() -> None:
    given = tables()
    assert given.version == replace(given, made_at=given.made_at + timedelta(days=1), site=SITE).version
    assert given.version != replace(given, origin=replace(given.origin, labels_version="l2")).version


def said_of(*words: tuple[str, str | None, int | None]) -> pl.DataFrame:
    """The columns `WORDS` of label, scientific name and number, each said a day after the one before."""
    rows = [
        (f"v0/t{n:05d}", label, scientific_name, number, "approved", "ana", MADE_AT + timedelta(days=n), 1, 0)
        for n, (label, scientific_name, number) in enumerate(words)
    ]
    return pl.DataFrame(rows, {name: column.dtype for name, column in WORDS.items()}, orient="row")


@pytest.mark.parametrize(
    ("listed", "words", "expected"),
    [
        # Gobius niger is 126892 of the World Register; nobody gave the number of the others.
        ("", [("goby", "Gobius niger", 126892), ("goby", "Gobius cobitis", None)], ("Gobius cobitis", None, None)),
        (
            "goby,Gobius paganellus,,Gobiidae",
            [("goby", "Gobius niger", 126892)],
            ("Gobius paganellus", None, "Gobiidae"),
        ),
        ("", [("goby", "Gobius niger", 126892), ("goby", "Gobius niger", None)], ("Gobius niger", 126892, None)),
        ("goby,,,Gobiidae", [("goby", "Gobius niger", 126892)], ("Gobius niger", 126892, "Gobiidae")),
        ("goby,,126892,", [], (None, 126892, None)),
    ],
)
def test_number_and_family_are_of_the_scientific_name_beside_them(
    listed: str, words: list, expected: tuple[str | None, int | None, str | None]
) -> None:
    species = species_list(f"name,scientific_name,aphia_id,family\n{listed}\n".encode())
    found = species_names(species, said_of(*words) if words else empty_table(WORDS))
    assert found.filter(name="goby").select("scientific_name", "aphia_id", "family").rows() == [expected]


def test_a_kind_that_was_counted_by_another_scientific_name_has_not_the_number_of_the_list() -> None:
    known = species_names(
        species_list(b"name,scientific_name,aphia_id\ngoby,Gobius niger,126892\n"), empty_table(WORDS)
    )
    counted = pl.DataFrame(
        {"kind": ["goby", "Goby"], "scientific_name": ["Gobius cobitis", None]}, {"kind": pl.String} | OF_A_NAME
    )
    found = with_scientific_names(counted, known, "kind")
    assert found.select("scientific_name", "aphia_id").rows() == [("Gobius cobitis", None), ("Gobius niger", 126892)]


@pytest.mark.parametrize("label", ["sergeant", "SERGEANT ", "Sergeant", "abudefduf saxatilis", "Abudefduf saxatilis"])
def test_a_list_of_species_that_is_given_after_the_labels_names_what_it_would_have_named_before(label: str) -> None:
    listed = species_list(b"name,scientific_name,aphia_id\nSergeant,Abudefduf saxatilis,159288\n")
    said = said_table([{"tracklet_id": "v0/t00001", "label": label, "status": "approved", "line": 2}])
    said = said.with_columns(labelled_by=pl.lit("ana"), labelled_at=pl.lit(MADE_AT))
    before = labels_table(said, "labels.csv", b"", listed).row(0, named=True)
    counted = pl.DataFrame({"kind": [label], "scientific_name": [None]}, {"kind": pl.String} | OF_A_NAME)
    known = species_names(listed, said_of((label, None, None)))
    after = with_scientific_names(counted, known, "kind").row(0, named=True)
    assert (after["scientific_name"], after["aphia_id"]) == (before["scientific_name"], before["aphia_id"])
    assert after["scientific_name"] == "Abudefduf saxatilis" and after["aphia_id"] == 159288
