"""Boxes for other programs, read back by those programs' own readers."""

import csv
import dataclasses
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
import supervision
from pycocotools.coco import COCO

from megafish_assets.exports.coco import read_coco, write_coco
from megafish_assets.exports.drawn_boxes import drawn_boxes
from megafish_assets.exports.formats import EXPORTS
from megafish_assets.exports.global_archive import (
    faults_of_global_archive,
    missing_for_archive_of_counts,
    read_global_archive,
    write_global_archive,
)
from megafish_assets.exports.tables import ExportTables
from megafish_assets.exports.viame_csv import read_viame_csv, write_viame_csv
from megafish_assets.exports.writing import Part
from megafish_assets.exports.yolo import chosen_frames, read_yolo, splits, write_yolo
from megafish_assets.footage.site import Site
from megafish_assets.labels.label_files import LabelFile, read_labels
from megafish_assets_tests.exports.small import FAR, OTHER, SERGEANT, TANG, rows, tables
from megafish_assets_tests.sightings.made import FISH, tracklet

COUNTED = {SERGEANT: 30 + 20, "kind 3": 20, TANG: 30, "unnamed": 30}
"""Boxes of each kind in the small collection; 30 more are of growth on the lens."""

SIZE = (1920, 1080)


def px(box: tuple[float, float, float, float]) -> list[float]:
    return [box[0] * 1920 / 1024, box[1] * 1080 / 1024, box[2] * 1920 / 1024, box[3] * 1080 / 1024]


def accounted(parts: list[Part], read: dict[str, int]) -> None:
    """Every row that was given is read again, or told why not."""
    for part in parts:
        assert part.n_given - part.n_left_out == read.get(part.holds, 0), part


def pictures(video_file: str, frame_ids: list[int]):
    jpeg = cv2.imencode(".jpg", np.full((54, 96, 3), 90, np.uint8))[1].tobytes()
    return iter([(frame_id, jpeg) for frame_id in frame_ids])


def test_what_is_no_fish_and_what_does_not_count_is_left_out_and_told() -> None:
    short = tracklet(9, range(3), (200.0, 800.0, 30.0, 30.0)).with_columns(pl.lit("v0").alias("video"))
    left_out = Counter()
    drawn = {row["video"]: boxes for row, boxes in drawn_boxes(tables(given=pl.concat([rows(), short])), left_out)}
    assert left_out == {
        "boxes of no fish": 30,
        "boxes of sightings that do not count": 3,
        "boxes outside their frame": 0,
    }
    assert Counter(kind for boxes in drawn.values() for kind in boxes["kind"]) == COUNTED


def test_a_box_is_cut_at_its_frames_edge() -> None:
    over = tracklet(1, range(30), (-20.0, 1000.0, 40.0, 60.0))
    (_, boxes), *_ = drawn_boxes(tables(given=over), Counter())
    assert boxes.select("x_px", "y_px", "width_px", "height_px").row(0) == pytest.approx(
        (0, 1000 * 1080 / 1024, 20 * 1920 / 1024, 24 * 1080 / 1024)
    )


def test_pycocotools_reads_every_box_with_its_name_track_and_video(tmp_path: Path) -> None:
    parts = write_coco(tables(), tmp_path)
    accounted(parts, read_coco(tmp_path))
    coco = COCO(str(tmp_path / "boxes.json"))
    names = {category["id"]: category["name"] for category in coco.loadCats(coco.getCatIds())}
    found = coco.loadAnns(coco.getAnnIds())
    assert Counter(names[one["category_id"]] for one in found) == COUNTED
    sergeant = coco.loadCats(coco.getCatIds(catNms=[SERGEANT]))[0]
    assert (sergeant["scientific_name"], sergeant["aphia_id"]) == ("Abudefduf saxatilis", 159288)
    image = next(one for one in coco.loadImgs(coco.getImgIds()) if one["file_name"] == "v0/000004.jpg")
    assert (image["frame_index"], image["timestamp"], image["width"]) == (4, pytest.approx(4 / 30), 1920)
    boxes = [one["bbox"] for one in coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))]
    assert sorted(boxes) == sorted(
        [pytest.approx(px(box), abs=0.01) for box in (FISH, OTHER)], key=lambda box: box.expected
    )
    whole = json.loads((tmp_path / "boxes.json").read_text(encoding="utf-8"))
    assert [video["file_name"] for video in whole["videos"]] == ["v0.mp4", "v1.mp4", "v2.mp4"]
    assert len(whole["tracks"]) == 5 and whole["info"]["labels_version"] == "l1"
    assert {one["track_id"] for one in whole["annotations"]} == {track["id"] for track in whole["tracks"]}


def test_names_of_any_letters_stay_as_they_are(tmp_path: Path) -> None:
    name = 'Zé, "o" peixe: 海/魚 </script> #1'
    given = tables(name=name)
    write_coco(given, tmp_path)
    assert name in {one["name"] for one in COCO(str(tmp_path / "boxes.json")).cats.values()}
    folder = tmp_path / "viame"
    folder.mkdir()
    accounted(write_viame_csv(given, folder), read_viame_csv(folder))
    with (folder / "v0.csv").open(encoding="utf-8", newline="") as file:
        assert name in {row[9] for row in csv.reader(file) if not row[0].startswith("#")}


def test_viame_csv_is_read_again_by_megafish_itself_as_the_same_boxes_and_names(tmp_path: Path) -> None:
    parts = write_viame_csv(tables(), tmp_path)
    accounted(parts, read_viame_csv(tmp_path))
    content = (tmp_path / "v1.csv").read_bytes()
    now = datetime.now(UTC)
    read = read_labels(LabelFile("v1.csv", content, now, lambda backbone: None, lambda video: ("v1", SIZE), now))
    assert read["label"].unique().to_list() == [TANG] and read["frame_id"].sort().to_list() == list(range(30))
    assert read["box"][0].to_list() == pytest.approx(FISH, abs=0.02)
    with (tmp_path / "v0.csv").open(newline="") as file:
        lines = list(csv.reader(file))
    assert lines[1][1] == "fps: 30" and lines[2][:3] == ["1", "v0.mp4", "0"]
    assert (tmp_path / "left_out.txt").read_text().splitlines()[1:] == ["30 boxes of no fish"]


def test_supervision_reads_the_frames_that_are_drawn_with_their_boxes(tmp_path: Path) -> None:
    given = dataclasses.replace(tables(), pictures=pictures)
    parts = write_yolo(given, tmp_path)
    accounted(parts, read_yolo(tmp_path))
    found = []
    for split in ("train", "val"):
        data = supervision.DetectionDataset.from_yolo(
            str(tmp_path / "images" / split), str(tmp_path / "labels" / split), str(tmp_path / "data.yaml")
        )
        for path, _, boxes in data:
            scale = np.array([96, 54, 96, 54]) / np.array([*SIZE, *SIZE])
            found += [
                (Path(path).stem, data.classes[kind], (xyxy / scale).tolist())
                for kind, xyxy in zip(boxes.class_id, boxes.xyxy, strict=True)
            ]
    # One frame a second, and every video is one second long.
    x, y, width, height = px(FISH)
    edges = {(picture, kind): xyxy for picture, kind, xyxy in found}
    assert edges["v1_000000", TANG] == pytest.approx((x, y, x + width, y + height), abs=0.01)
    assert edges["v2_000000", "unnamed"] == edges["v1_000000", TANG]
    assert Counter(kind for _, kind, _ in found) == {SERGEANT: 2, TANG: 1, "unnamed": 1}


def test_frames_without_a_picture_have_no_labels_and_are_told(tmp_path: Path) -> None:
    parts = write_yolo(tables(), tmp_path)
    assert read_yolo(tmp_path) == {} and parts[0].left_out["boxes of frames that can't be decoded"] == 4


def test_videos_are_parted_by_name_and_both_parts_have_some() -> None:
    names = [f"dive_{number:03d}" for number in range(400)]
    found = splits(names)
    assert 0.15 < list(found.values()).count("val") / 400 < 0.25
    more = splits([*names, "dive_400"])
    assert {name: more[name] for name in names} == found
    assert set(splits(["a", "b"]).values()) == {"train", "val"} and splits(["a"])["a"] in ("train", "val")


def test_frames_are_one_a_second_and_no_more_than_asked_for() -> None:
    boxes = pl.DataFrame({"frame_id": range(0, 300, 2), "seconds": [frame / 30 for frame in range(0, 300, 2)]})
    assert chosen_frames(boxes, 100) == list(range(0, 300, 30))
    assert chosen_frames(boxes, 3) == [0, 90, 180] and len(chosen_frames(boxes, 1)) == 1


def test_counts_for_checkem_are_the_clips_max_n_with_zeros(tmp_path: Path) -> None:
    given = tables()
    parts = write_global_archive(given, tmp_path)
    accounted(parts, read_global_archive(tmp_path))
    assert faults_of_global_archive(tmp_path) == [] and missing_for_archive_of_counts(given) == []
    count = pl.read_csv(tmp_path / "reefcam_Count.csv")
    clips = given.abundance.filter(pl.col("window_kind") == "clip")
    assert count.height == clips.height == 3 * 4 and count["count"].sum() == clips["max_n"].sum()
    abudefduf = count.filter(pl.col("genus") == "Abudefduf").sort("opcode")
    assert abudefduf.rows() == [
        (video, "Unknown", "Abudefduf", "saxatilis", n) for video, n in (("v0", 2), ("v1", 0), ("v2", 0))
    ]
    points = pl.read_csv(tmp_path / "reefcam_Points.txt", separator="\t")
    assert points.filter(pl.col("genus") == "Abudefduf").select("opcode", "filename", "number").rows() == [
        ("v0", "v0.mp4", 2)
    ]
    metadata = pl.read_csv(tmp_path / "reefcam_Metadata.csv")
    assert metadata["successful_count"].to_list() == ["Yes"] * 3 and metadata["date_time"][0] == "2025-06-01T12:00:00"


def test_counts_without_a_place_are_refused_and_broken_ones_are_seen(tmp_path: Path) -> None:
    assert any("`latitude`" in said for said in missing_for_archive_of_counts(tables(site=Site())))
    write_global_archive(tables(), tmp_path)
    path = tmp_path / "reefcam_Count.csv"
    path.write_text(path.read_text() + path.read_text().splitlines()[1] + "\n")
    assert "twice" in faults_of_global_archive(tmp_path)[0]


def test_a_collection_of_nothing_is_an_export_of_nothing(tmp_path: Path) -> None:
    given = tables(given=rows().filter(pl.col("reason").is_not_null()))
    for name in ("coco", "viame_csv", "yolo"):
        folder = tmp_path / name
        folder.mkdir()
        parts = EXPORTS[name].write(given, folder)
        accounted(list(parts), dict(EXPORTS[name].read(folder)))
    assert COCO(str(tmp_path / "coco/boxes.json")).anns == {}


def test_a_video_of_unknown_size_has_no_boxes_in_px_and_is_told(tmp_path: Path) -> None:
    given: ExportTables = tables()
    none = pl.lit(None, pl.Float64)
    boxes = dataclasses.replace(
        given.boxes,
        read=lambda videos: given.boxes.read(videos).with_columns(x_px=none, y_px=none, width_px=none, height_px=none),
    )
    parts = write_coco(dataclasses.replace(given, boxes=boxes), tmp_path)
    left_out = next(part for part in parts if part.holds == "annotations").left_out
    assert left_out["boxes of videos whose frame's size is not known"] == 130 and FAR
