"""Pictures with labels, found as Ultralytics finds them, and read again by supervision and compared with the tables."""

import csv
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
import supervision as sv
import yaml

from megafish_assets.exports.fish_boxes import CUT
from megafish_assets.exports.frame_choice import ANY, split_of, spread
from megafish_assets.exports.tables import ExportTables
from megafish_assets.exports.writing import Part
from megafish_assets.exports.yolo import LEAVE_OUT, missing_for_yolo, read_yolo, write_yolo
from megafish_assets.footage.decoding import Frame, wanted_frames
from megafish_assets_tests.exports.small import SERGEANT, TANG, tables
from megafish_assets_tests.exports.test_coco import all_boxes, with_boxes
from megafish_assets_tests.videos import write

N_FRAMES = 30


def brightness(frame_id: int) -> int:
    return 20 + 7 * frame_id


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 frames of 1920 x 1080, each 7 levels brighter than the one before."""
    path = tmp_path_factory.mktemp("clips") / "v.mp4"
    pictures = (np.full((1080, 1920, 3), brightness(frame), np.uint8) for frame in range(N_FRAMES))
    write(path, pictures, "libx264", preset="ultrafast", crf="10")
    return path


@pytest.fixture
def given(clip: Path) -> ExportTables:
    """v0 to v2, all of them the same clip."""

    def frames(video_file: str, frame_ids: Collection[int]) -> Iterator[Frame]:
        return wanted_frames(clip, frame_ids)

    return replace(tables(), frames=frames)


def written(given: ExportTables, folder: Path, **knobs: object) -> dict[str, Part]:
    return {part.holds: part for part in write_yolo(given, folder, **knobs)}


def label_file(picture: Path) -> Path:
    """Where Ultralytics looks (`img2label_paths`): the last `images` of the path is `labels`, the ending `txt`."""
    return Path("/labels/".join(str(picture).rsplit("/images/", 1)).rsplit(".", 1)[0] + ".txt")


def test_every_picture_is_its_frame_and_has_the_labels_of_the_tables(given: ExportTables, tmp_path: Path) -> None:
    parts = written(given, tmp_path, frames=ANY, apart_seconds=0.2)
    data = yaml.safe_load((tmp_path / "data.yaml").read_text())
    assert [*data["names"].values()] == [SERGEANT, TANG, "kind 3", "unnamed"] and [*data["names"]] == [0, 1, 2, 3]
    head = (tmp_path / "data.yaml").read_text().splitlines()[0]
    assert head == f"# megafish 2026-01-02, labels l1, version {given.version}"
    rows = list(csv.DictReader((tmp_path / "frames.csv").open()))
    boxes = all_boxes(given).filter("is_counted")
    assert len(rows) == 15 and {int(row["frame_id"]) for row in rows} == {0, 6, 12, 18, 24}
    for row in rows:
        picture = tmp_path / data[row["split"]] / row["picture"]
        pixels = cv2.imread(str(picture))
        assert pixels.shape == (1080, 1920, 3) and abs(pixels.mean() - brightness(int(row["frame_id"]))) < 3.5
        own = boxes.filter(video=row["video"], frame_id=int(row["frame_id"]))
        found = sorted(tuple(map(float, line.split())) for line in label_file(picture).read_text().splitlines())
        expected = []
        for box in own.iter_rows(named=True):
            kind = box["name"] or ("unnamed" if box["kind_id"] is None else "kind 3")
            x, y, w, h = (box[f"{side}_1024"] / 1024 for side in ("x", "y", "width", "height"))
            expected.append((list(data["names"].values()).index(kind), x + w / 2, y + h / 2, w, h))
        assert len(found) == int(row["n_boxes"]) == len(expected) > 0
        assert np.array(found) == pytest.approx(np.array(sorted(expected)), abs=1e-5)
    n_boxes = sum(int(row["n_boxes"]) for row in rows)
    assert (
        read_yolo(tmp_path).n_rows == {"frames": 15, "boxes": n_boxes, "classes": 4}
        and read_yolo(tmp_path).faults == []
    )
    assert parts["boxes"].n_given == 160 and parts["boxes"].n_given - parts["boxes"].n_left_out == n_boxes
    assert parts["boxes"].left_out["in these frames: parts, seen for less than a third of a second, or no fish"] == 5


def test_supervision_reads_the_training_half(given: ExportTables, tmp_path: Path) -> None:
    written(given, tmp_path, frames=ANY, apart_seconds=0.2, validation_share=0.0001)
    half = sv.DetectionDataset.from_yolo(
        str(tmp_path / "images/train"), str(tmp_path / "labels/train"), str(tmp_path / "data.yaml")
    )
    rows = [row for row in csv.DictReader((tmp_path / "frames.csv").open()) if row["split"] == "train"]
    assert half.classes == [SERGEANT, TANG, "kind 3", "unnamed"] and len(half) == len(rows) == 10
    for row in rows:
        seen = half.annotations[str(tmp_path / "images/train" / row["picture"])]
        own = all_boxes(given).filter(pl.col("is_counted"), video=row["video"], frame_id=int(row["frame_id"]))
        left, top, width, height = own.select("x_px", "y_px", "width_px", "height_px").to_numpy().T
        expected = np.stack([left, top, left + width, top + height], axis=1)
        assert np.abs(np.sort(seen.xyxy, axis=0) - np.sort(expected, axis=0)).max() < 0.02


def test_by_default_pictures_are_of_frames_with_a_fish_that_a_person_named(given: ExportTables, tmp_path: Path) -> None:
    parts = written(given, tmp_path, apart_seconds=0)
    rows = list(csv.DictReader((tmp_path / "frames.csv").open()))
    assert {row["video"] for row in rows} == {"v0"} and len(rows) == 30  # sergeants: v0, frames 0 to 29
    assert "what is judged here was learned" in (tmp_path / "data.yaml").read_text()
    assert parts["boxes"].left_out == {
        "in other frames": 60,
        "in these frames: parts, seen for less than a third of a second, or no fish": 30,
    }


def test_where_nobody_has_named_a_fish_it_is_asked_for_unless_any_frame_will_do(given: ExportTables) -> None:
    nameless = given.sightings.with_columns(name_source=pl.lit("unnamed"))
    assert missing_for_yolo(given) == []
    [asked] = missing_for_yolo(replace(given, sightings=nameless))
    assert "the name of a fish" in asked and missing_for_yolo(replace(given, sightings=nameless), frames=ANY) == []


def test_growth_and_what_flickers_are_background_and_what_a_person_named_never_is(
    given: ExportTables, tmp_path: Path
) -> None:
    sergeants = pl.col("tracklet_id") == "v0/t00001"
    boxes = all_boxes(given).with_columns(is_counted=~sergeants & pl.col("is_counted"))
    changed = boxes.with_columns(is_counted=pl.col("is_counted") & (pl.col("tracklet_id") != "v0/t00003"))
    written(with_boxes(given, changed), tmp_path, at_most=1)
    [label] = [path for path in (tmp_path / "labels").rglob("*.txt")]
    assert [line.split()[0] for line in label.read_text().splitlines()] == ["0", "0"]


def test_frames_that_can_not_be_read_have_no_labels_and_are_counted(given: ExportTables, tmp_path: Path) -> None:
    def half(video_file: str, frame_ids: Collection[int]) -> Iterator[Frame]:
        return given.frames(video_file, [frame for frame in frame_ids if frame < 15])

    parts = written(replace(given, frames=half), tmp_path, apart_seconds=0.3)
    assert parts["frames"].n_given == 4 and parts["frames"].left_out == {"that can't be read": 2}
    assert read_yolo(tmp_path).n_rows["frames"] == 2 and read_yolo(tmp_path).faults == []


def test_labels_alone_say_that_the_pictures_have_to_be_put_beside_them(given: ExportTables, tmp_path: Path) -> None:
    written(given, tmp_path, pictures=LEAVE_OUT)
    assert not list((tmp_path / "images").rglob("*.jpg")) and read_yolo(tmp_path).n_rows["frames"] == 1
    assert "put the frames into images/" in (tmp_path / "data.yaml").read_text() and read_yolo(tmp_path).faults == []


@pytest.mark.parametrize("name", ['rock, "big" one', "Größe \U0001f41f 鱼", "yes", "12", "a: b # c", "it's\\a {x}"])
def test_names_are_texts_whatever_they_look_like(given: ExportTables, tmp_path: Path, name: str) -> None:
    named = replace(tables(name=name), frames=given.frames)
    written(named, tmp_path)
    assert name in yaml.safe_load((tmp_path / "data.yaml").read_text())["names"].values()
    assert read_yolo(tmp_path).n_rows["classes"] == 4


def test_a_box_over_the_edge_is_cut_and_counted(given: ExportTables, tmp_path: Path) -> None:
    boxes = all_boxes(given).filter(video="v2", frame_id=0)
    over = boxes.with_columns(x_px=pl.lit(-192.0), y_px=pl.lit(540.0), width_px=pl.lit(384.0), height_px=pl.lit(1080.0))
    parts = written(with_boxes(given, over), tmp_path, frames=ANY)
    [label] = [path for path in (tmp_path / "labels").rglob("*.txt")]
    assert label.read_text() == "3 0.05 0.75 0.1 0.5\n" and parts["boxes"].changed == {CUT: 1}


def test_no_frame_to_choose_is_an_empty_set(given: ExportTables, tmp_path: Path) -> None:
    parts = written(with_boxes(given, all_boxes(given).clear()), tmp_path, frames=ANY)
    assert parts["frames"].n_given == 0 and read_yolo(tmp_path).n_rows == {"frames": 0, "boxes": 0, "classes": 4}


def test_a_bound_is_kept_and_videos_share_it() -> None:
    many = {"a": list(range(100)), "b": [1, 2], "c": list(range(50))}
    assert {video: len(own) for video, own in spread(many, 12).items()} == {"a": 5, "b": 2, "c": 5}
    assert spread(many, 12)["a"] == [0, 25, 50, 74, 99] and spread(many, 1000) == many
    assert spread(many, 2) == {"a": [0], "c": [0]} and spread({}, 5) == {}


def test_a_video_stays_in_its_half_when_others_come() -> None:
    before = split_of([f"v{n}" for n in range(50)], 0.2)
    after = split_of([f"v{n}" for n in range(100)], 0.2)
    assert all(after[video] == half for video, half in before.items())
    assert 10 <= sum(half == "val" for half in after.values()) <= 30
    assert (
        sorted(split_of(["a", "b"], 0.01).values()) == sorted(split_of(["a", "b"], 0.99).values()) == ["train", "val"]
    )
    assert split_of(["a"], 0.9) == {"a": "train"} and set(split_of(["a", "b"], 0).values()) == {"train"}


def test_what_ultralytics_leaves_out_is_named(given: ExportTables, tmp_path: Path) -> None:
    written(given, tmp_path, apart_seconds=0.3)
    first, second, *_ = sorted((tmp_path / "labels").rglob("*.txt"))
    first.unlink()
    second.write_text("9 0.5 0.5 0.1 0.1\n0 0.5 0.5 0.1\n0 1.2 0.5 0.1 0.1\n")
    assert read_yolo(tmp_path).faults == [
        "pictures without labels, or labels without a picture: 1",
        "lines that are no class and four shares of the frame: 3",
    ]
