"""Boxes as COCO, read again by pycocotools and supervision and compared row by row."""

import contextlib
import io
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
import supervision as sv
from pycocotools.coco import COCO

from megafish_assets.exports.coco import FILE, read_coco, write_coco
from megafish_assets.exports.columns import BOXES
from megafish_assets.exports.fish_boxes import CUT, OUTSIDE, UNREADABLE
from megafish_assets.exports.tables import BoxStream, ExportTables
from megafish_assets.exports.writing import Part
from megafish_assets_tests.exports.small import SERGEANT, TANG, tables


def written(given: ExportTables, folder: Path) -> tuple[COCO, dict[str, Part]]:
    parts = {part.holds: part for part in write_coco(given, folder)}
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(folder / FILE)), parts


def all_boxes(given: ExportTables) -> pl.DataFrame:
    return pl.concat(boxes for _, boxes in given.boxes)


def with_boxes(given: ExportTables, boxes: pl.DataFrame) -> ExportTables:
    """The same videos with other boxes."""
    boxes = boxes.select(list(BOXES))
    keys = boxes["video"].unique().sort().to_list()
    counts = dict(boxes.group_by("video").len().iter_rows())
    videos = given.videos.with_columns(
        pl.col("video").replace_strict(counts, default=0, return_dtype=pl.Int64).alias("n_boxes")
    )

    def read(of_videos: list[str]) -> pl.DataFrame:
        return boxes.filter(pl.col("video").is_in(list(of_videos)))

    return replace(given, videos=videos, boxes=BoxStream([[key] for key in keys], read))


def test_pycocotools_reads_every_box_that_may_be_a_fish_as_the_tables_hold_it(tmp_path: Path) -> None:
    given = tables()
    coco, parts = written(given, tmp_path)
    found = {one["detection_id"]: one for one in coco.loadAnns(coco.getAnnIds())}
    boxes = all_boxes(given).filter(pl.col("not_fish").is_null())
    assert len(found) == boxes.height == 130  # 160 boxes, 30 of them growth on the lens
    kinds = {category["id"]: category["name"] for category in coco.dataset["categories"]}
    assert [*kinds.values()] == [SERGEANT, TANG, "kind 3", "unnamed"]
    for row in boxes.iter_rows(named=True):
        one = found[row["detection_id"]]
        image = coco.loadImgs(one["image_id"])[0]
        [track] = [track for track in coco.dataset["tracks"] if track["id"] == one["track_id"]]
        video = coco.dataset["videos"][image["video_id"] - 1]
        assert one["bbox"] == pytest.approx([row[f"{side}_px"] for side in ("x", "y", "width", "height")], abs=0.01)
        assert (image["frame_index"], image["timestamp"]) == (row["frame_id"], pytest.approx(row["seconds"], abs=1e-6))
        assert (track["name"], video["name"], video["fps"]) == (row["tracklet_id"], row["video"], 30)
        assert (one["score"], one["name_source"], one["is_counted"]) == (0.5, row["name_source"], row["is_counted"])
        assert kinds[one["category_id"]] == (row["name"] or ("unnamed" if row["kind_id"] is None else "kind 3"))
    assert read_coco(tmp_path).n_rows["annotations"] == 130
    assert parts["annotations"].left_out == {"taken for no fish: on_lens": 30}
    assert sorted(path.name for path in tmp_path.iterdir()) == [FILE] and read_coco(tmp_path).faults == []


def test_supervision_reads_the_same_boxes_beside_their_pictures(tmp_path: Path) -> None:
    given = tables()
    coco, _ = written(given, tmp_path)
    for image in coco.dataset["images"]:
        cv2.imwrite(str(tmp_path / image["file_name"]), np.zeros((image["height"], image["width"], 3), np.uint8))
    found = sv.DetectionDataset.from_coco(str(tmp_path), str(tmp_path / FILE))
    boxes = all_boxes(given).filter(pl.col("not_fish").is_null())
    assert found.classes == [SERGEANT, TANG, "kind 3", "unnamed"] and len(found) == 90
    for (video, frame), own in boxes.group_by("video", "frame_id"):
        seen = found.annotations[str(tmp_path / f"{video}_{frame:06d}.jpg")]
        left, top, width, height = own.select("x_px", "y_px", "width_px", "height_px").to_numpy().T
        expected = np.stack([left, top, left + width, top + height], axis=1)
        assert np.abs(np.sort(seen.xyxy, axis=0) - np.sort(expected, axis=0)).max() < 0.02


@pytest.mark.parametrize("name", ['rock, "big" one', "Größe \U0001f41f 鱼", "it's\\a {name}", "(juvenile): #1 - & <b>"])
def test_names_stay_as_they_are_said(tmp_path: Path, name: str) -> None:
    coco, _ = written(tables(name=name), tmp_path)
    assert len(coco.getAnnIds(catIds=coco.getCatIds(catNms=[name]))) == 50


def test_a_box_over_the_edge_is_cut_and_one_outside_left_out_and_both_are_counted(tmp_path: Path) -> None:
    given = tables()
    boxes = all_boxes(given).filter(video="v2").head(3)
    moved = boxes.with_columns(
        pl.Series("x_px", [-10.0, 1900.0, 1920.0]),
        pl.Series("y_px", [1070.0, -5.0, 10.0]),
        width_px=40.0,
        height_px=30.0,
    )
    coco, parts = written(with_boxes(given, moved), tmp_path)
    assert [one["bbox"] for one in coco.dataset["annotations"]] == [[0, 1070, 30, 10], [1900, 0, 20, 25]]
    assert [one["area"] for one in coco.dataset["annotations"]] == [300, 500]
    assert parts["annotations"].left_out == {OUTSIDE: 1} and parts["annotations"].changed == {CUT: 2}
    assert coco.dataset["info"]["n_cut_at_the_edge"] == 2 and read_coco(tmp_path).faults == []


def test_boxes_of_a_video_without_a_known_size_are_left_out_and_counted(tmp_path: Path) -> None:
    given = tables()
    unread = pl.col("video") == "v1"
    boxes = all_boxes(given).with_columns(
        pl.when(~unread).then(name).alias(name) for name in ("x_px", "y_px", "width_px", "height_px")
    )
    videos = given.videos.with_columns(
        pl.when(~unread).then(name).alias(name) for name in ("width_px", "height_px", "frames_per_second")
    )
    coco, parts = written(with_boxes(replace(given, videos=videos), boxes), tmp_path)
    assert parts["annotations"].left_out[UNREADABLE] == 30 and len(coco.dataset["annotations"]) == 100
    assert [set(video) for video in coco.dataset["videos"]][1] == {"id", "name", "file_name"}
    assert read_coco(tmp_path).faults == []


def test_videos_of_which_no_box_is_a_fish_have_images_without_annotations(tmp_path: Path) -> None:
    given = tables()
    boxes = all_boxes(given).with_columns(
        pl.when(pl.col("video") == "v2").then(pl.lit("wiper")).otherwise("not_fish").alias("not_fish")
    )
    coco, _ = written(with_boxes(given, boxes), tmp_path)
    empty = [image["id"] for image in coco.dataset["images"] if image["file_name"].startswith("v2")]
    assert len(empty) == 30 and coco.getAnnIds(imgIds=empty) == []


def test_no_box_at_all_is_a_whole_file_too(tmp_path: Path) -> None:
    given = tables()
    coco, parts = written(with_boxes(given, all_boxes(given).clear()), tmp_path)
    assert coco.dataset["annotations"] == coco.dataset["images"] == [] and len(coco.dataset["categories"]) == 4
    assert parts["annotations"].n_given == 0 and read_coco(tmp_path).faults == []


def test_what_a_file_breaks_is_named(tmp_path: Path) -> None:
    write_coco(tables(), tmp_path)
    text = (tmp_path / FILE).read_text()
    broken = text.replace('"image_id":1,', '"image_id":9999,', 1).replace('"category_id":1,', '"category_id":77,', 2)
    (tmp_path / FILE).write_text(broken)
    assert json.loads(broken)
    assert read_coco(tmp_path).faults == [
        "annotations whose image_id is none of images: 1",
        "annotations whose category_id is none of categories: 2",
        "annotations out of their image: 1",
    ]
