"""What labels mean today: after new tracklets, after a detector that ran again, among people who disagree."""

from datetime import UTC, datetime, timedelta

import polars as pl

from megafish_assets.labels.columns import LABELS
from megafish_assets.labels.resolving import current_words, middles, resolved, with_places
from megafish_assets.labels.said import SAID
from megafish_assets.labels.species import species_list
from megafish_assets.labels.taking import free_names, labels_table, repeated, said_of_table

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def detections(rows: list[tuple[str, int, list[float]]]) -> pl.LazyFrame:
    """`raw_detections` from id, frame and box."""
    sides = ["x_1024", "y_1024", "width_1024", "height_1024"]
    table = [("v", detection_id, frame, *map(float, box)) for detection_id, frame, box in rows]
    return pl.LazyFrame(table, schema=["video", "detection_id", "frame_id", *sides], orient="row")


def tracked(ids: dict[str, str]) -> pl.LazyFrame:
    table = pl.LazyFrame({"detection_id": list(ids), "tracklet_id": list(ids.values())})
    return table.with_columns(position=pl.int_range(pl.len()).over("tracklet_id"))


def said(**rows: list) -> pl.DataFrame:
    n = len(next(iter(rows.values())))
    usual = {
        "status": ["approved"] * n,
        "labelled_by": ["anna"] * n,
        "labelled_at": [NOON] * n,
        "line": range(2, 2 + n),
    }
    given = usual | rows
    columns = [
        pl.Series(name, list(given[name]) if name in given else [None] * n, dtype=column.dtype)
        for name, column in SAID.items()
    ]
    return pl.DataFrame(columns)


def stored(table: pl.DataFrame, species: pl.DataFrame | None = None) -> pl.DataFrame:
    return labels_table(table, "a.csv", b"content", species_list(b"") if species is None else species)


BOX, NEAR, FAR = [100.0, 100.0, 40.0, 20.0], [102.0, 101.0, 40.0, 20.0], [120.0, 100.0, 40.0, 20.0]
RAW = detections([("v/7/0", 7, BOX), ("v/7/1", 7, [500.0, 500.0, 30.0, 30.0]), ("v/8/0", 8, BOX)])
TRACKS = tracked({"v/7/0": "v/t0", "v/8/0": "v/t0", "v/7/1": "v/t1"})


def test_a_label_keeps_its_fish_under_other_tracklets_and_other_ids() -> None:
    labels = stored(said(detection_id=["v/7/0"], video=["v"], frame_id=[7], box=[BOX], label=["tang"]))
    today = resolved(labels, RAW, TRACKS)
    assert today.select("detection_id", "tracklet_id").rows() == [("v/7/0", "v/t0")]
    cut = tracked({"v/7/0": "v/t7", "v/8/0": "v/t8", "v/7/1": "v/t1"})
    assert resolved(labels, RAW, cut)["tracklet_id"].to_list() == ["v/t7"]
    # The detector ran again: the id is another fish's now, and this one's box moved a little.
    again = detections([("v/7/0", 7, [500.0, 500.0, 30.0, 30.0]), ("v/7/1", 7, NEAR)])
    tracks = tracked({"v/7/0": "v/t0", "v/7/1": "v/t1"})
    assert resolved(labels, again, tracks).select("detection_id", "tracklet_id").rows() == [("v/7/1", "v/t1")]
    gone = detections([("v/7/0", 7, FAR), ("v/9/0", 9, BOX)])
    assert resolved(labels, gone, tracks).select("detection_id", "tracklet_id").rows() == [(None, None)]


def test_a_label_without_a_box_is_known_by_its_ids_alone() -> None:
    labels = stored(
        said(detection_id=["v/8/0", "v/9/9", None, None], tracklet_id=[None, None, "v/t1", "v/t9"], label=["a"] * 4)
    )
    today = resolved(labels, RAW, TRACKS)
    assert today["tracklet_id"].to_list() == ["v/t0", None, "v/t1", None]
    assert today["label_id"].to_list() == labels["label_id"].to_list()
    assert dict(today.schema) == {name: column.dtype for name, column in LABELS.items()}
    assert resolved(labels.clear(), RAW, TRACKS).height == 0


def test_what_names_a_tracklet_alone_is_given_the_place_that_outlives_its_id() -> None:
    table = said(detection_id=["v/7/1", None, None], tracklet_id=[None, "v/t0", "v/t9"], label=["a", "b", "c"])
    placed = with_places(table, RAW, TRACKS)
    assert placed.select("detection_id", "video", "frame_id", "box").rows() == [
        ("v/7/1", "v", 7, [500.0, 500.0, 30.0, 30.0]),
        ("v/8/0", "v", 8, BOX),
        (None, None, None, None),
    ]
    assert middles(TRACKS, pl.Series(["v/t0"])).rows() == [("v/t0", "v/8/0")]


def test_the_last_word_of_each_person_stands_and_people_who_disagree_are_counted() -> None:
    labels = stored(
        said(
            detection_id=["v/7/0", "v/8/0", "v/7/0", "v/7/1"],
            label=["tang", "chromis", "tang", None],
            status=["approved", "approved", "approved", "not_fish"],
            labelled_by=["anna", "anna", "ben", "ben"],
            labelled_at=[NOON, NOON + timedelta(hours=1), NOON + timedelta(minutes=1), NOON],
        )
    )
    words = current_words(labels, RAW, TRACKS)
    found = words.select("tracklet_id", "label", "status", "labelled_by", "n_people", "n_disagreeing").rows()
    assert found == [("v/t0", "chromis", "approved", "anna", 2, 1), ("v/t1", None, "not_fish", "ben", 1, 0)]
    assert repeated(labels.with_columns(tracklet_id=pl.lit("v/t0"))) == 1


def test_a_file_read_twice_has_the_same_ids_and_another_file_has_others() -> None:
    table = said(detection_id=["v/7/0", "v/7/0"], label=["a", "b"], line=[2, 2])
    first, again = stored(table), stored(table)
    assert first["label_id"].to_list() == again["label_id"].to_list() and first["label_id"].n_unique() == 2
    other = labels_table(table, "a.csv", b"other", species_list(b""))
    assert set(first["label_id"]).isdisjoint(other["label_id"])
    assert first["source"].to_list() == ["a.csv, line 2"] * 2


SPECIES = species_list(b"name,scientific name,AphiaID\nYellow tang,Zebrasoma flavescens,212682\nBlue chromis,,\n")


def test_names_of_the_list_are_spelled_as_there_and_others_are_free() -> None:
    table = said(
        detection_id=["a", "b", "c", "d"], label=["yellow TANG", "zebrasoma flavescens", "Blue chromis", "blob"]
    )
    labels = stored(table, SPECIES)
    assert labels["label"].to_list() == ["Yellow tang", "Yellow tang", "Blue chromis", "blob"]
    assert labels["aphia_id"].to_list() == [212682, 212682, None, None]
    assert labels["scientific_name"].to_list() == ["Zebrasoma flavescens"] * 2 + [None] * 2
    assert free_names(labels, SPECIES) == ["blob"]
    assert free_names(labels, species_list(b"")) == []


def test_the_table_of_megafish_labels_becomes_labels_too() -> None:
    table = pl.DataFrame({"tracklet_id": ["v/t0", " v/t1 ", None, "v/t2"], "label": ["tang", " ", "x", "  chromis"]})
    found = said_of_table(table, "MEGAFISH_LABELS", NOON)
    assert found.select("tracklet_id", "label", "status", "labelled_by", "line").rows() == [
        ("v/t0", "tang", "approved", "MEGAFISH_LABELS", 2),
        ("v/t2", "chromis", "approved", "MEGAFISH_LABELS", 5),
    ]
    assert dict(found.schema) == {name: column.dtype for name, column in SAID.items()}
