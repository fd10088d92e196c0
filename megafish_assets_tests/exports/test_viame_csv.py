"""Boxes as VIAME's CSV, read again by a parse of its own, and by the reader of labels."""

import csv
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from megafish_assets.exports.fish_boxes import CUT, OUTSIDE
from megafish_assets.exports.tables import ExportTables
from megafish_assets.exports.viame_csv import read_viame_csv, write_viame_csv
from megafish_assets.labels.annotation_files import viame_labels
from megafish_assets_tests.exports.small import SERGEANT, TANG, tables
from megafish_assets_tests.exports.test_coco import all_boxes, with_boxes

AT = datetime(2026, 1, 1, tzinfo=UTC)


def parsed(path: Path) -> list[dict]:
    """The lines by VIAME's manual."""
    found = []
    for cells in csv.reader(path.open(encoding="utf-8", newline="")):
        if cells[0].startswith("#"):
            continue
        named = len(cells) > 9 and not cells[9].startswith("(")
        found.append(
            {
                "track": int(cells[0]),
                "video": cells[1],
                "frame": int(cells[2]),
                "corners": [float(cell) for cell in cells[3:7]],
                "score": float(cells[7]),
                "length": float(cells[8]),
                "pair": (cells[9].strip(), float(cells[10])) if named else None,
                "attributes": cells[11:] if named else cells[9:],
            }
        )
    return found


def written(given: ExportTables, folder: Path) -> dict[str, list[dict]]:
    write_viame_csv(given, folder)
    return {path.stem: parsed(path) for path in sorted(folder.iterdir())}


def test_every_line_is_a_box_of_the_tables(tmp_path: Path) -> None:
    given = tables()
    found = written(given, tmp_path)
    boxes = all_boxes(given).filter(pl.col("not_fish").is_null())
    assert {key: len(lines) for key, lines in found.items()} == {"v0": 70, "v1": 30, "v2": 30}
    lines = [line for key in found for line in found[key]]
    for row, line in zip(boxes.iter_rows(named=True), lines, strict=True):
        left, top = row["x_px"], row["y_px"]
        assert line["video"] == f"{row['video']}.mp4" and line["frame"] == row["frame_id"] and line["length"] == -1
        assert row["tracklet_id"] == f"{row['video']}/t{line['track']:05d}"
        expected = [left, top, left + row["width_px"], top + row["height_px"]]
        assert line["corners"] == pytest.approx(expected, abs=0.01) and line["score"] == row["score"]
        name = row["name"] or (None if row["kind_id"] is None else f"kind {row['kind_id']}")
        # As VIAME's own lines hold it: the probability of the name, 1 of what a person said.
        certain = {SERGEANT: 1.0, TANG: 0.9, "kind 3": 0.3}
        assert line["pair"] == (None if name is None else (name, certain[name]))
        counted = "true" if row["is_counted"] else "false"
        assert line["attributes"] == [f"(trk-atr) name_source {row['name_source']}", f"(atr) is_counted {counted}"]
    assert read_viame_csv(tmp_path).n_rows == {"boxes of v0": 70, "boxes of v1": 30, "boxes of v2": 30}
    assert read_viame_csv(tmp_path).faults == []


def test_the_head_says_the_frame_rate_where_dive_looks_for_it(tmp_path: Path) -> None:
    write_viame_csv(tables(), tmp_path)
    _, metadata = [row for row in csv.reader((tmp_path / "v0.csv").open()) if row[0].startswith("#")]
    assert metadata[:2] == ["# metadata", "Fps: 30"] and 'name: "v0.mp4"' in metadata
    assert metadata[-3:-1] == ['labels_version: "l1"', f'version: "{tables().version}"']


def size_of(name: str) -> tuple[str, tuple[int, int]] | None:
    return (name, (1920, 1080)) if name in ("v0", "v1", "v2") else None


def test_our_own_reader_of_labels_finds_the_same_boxes_and_names_and_no_name_where_there_is_none(
    tmp_path: Path,
) -> None:
    given = tables()
    write_viame_csv(given, tmp_path)
    for video, boxes in given.boxes:
        said = viame_labels((tmp_path / f"{video}.csv").read_bytes(), f"{video}.csv", "me", AT, size_of)
        known = boxes.filter(pl.col("not_fish").is_null() & pl.col("name").is_not_null())
        assert said["frame_id"].to_list() == known["frame_id"].to_list() and set(said["video"]) <= {video}
        assert said["label"].to_list() == known["name"].to_list()
        boxes_1024 = known.select("x_1024", "y_1024", "width_1024", "height_1024").rows()
        for box, expected in zip(said["box"], boxes_1024, strict=True):
            assert box.to_list() == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    "name", ['rock, "big" one', "Größe \U0001f41f 鱼", "(juvenile) sergeant", "#1 of them", "it's"]
)
def test_names_come_back_as_they_are_said(tmp_path: Path, name: str) -> None:
    found = written(tables(name=name), tmp_path)
    assert {line["pair"] for line in found["v0"]} == {(name, 1.0), ("kind 3", 0.3)}
    said = viame_labels((tmp_path / "v0.csv").read_bytes(), "v0.csv", "me", AT, size_of)
    assert set(said["label"]) == {name} and said.height == 50


def test_a_name_of_a_file_with_a_comma_is_one_cell(tmp_path: Path) -> None:
    given = tables()
    videos = given.videos.with_columns(pl.col("video_file").replace("v2.mp4", 'a, "b".mp4'))
    assert {line["video"] for line in written(replace(given, videos=videos), tmp_path)["v2"]} == {'a, "b".mp4'}


def test_a_box_without_a_tracklet_has_a_number_of_its_own(tmp_path: Path) -> None:
    given = tables()
    alone = pl.col("frame_id") < 2
    boxes = all_boxes(given).with_columns(pl.when(~alone).then("tracklet_id").alias("tracklet_id"))
    found = written(with_boxes(given, boxes), tmp_path)["v2"]
    assert [line["track"] for line in found[:4]] == [2, 3, 1, 1]


def test_cut_and_left_out_boxes_are_counted_and_a_file_without_a_fish_is_there(tmp_path: Path) -> None:
    given = tables()
    boxes = all_boxes(given).filter(pl.col("video") == "v1").head(2).with_columns(pl.Series("x_px", [-10.0, 5000.0]))
    none = all_boxes(given).filter(pl.col("video") == "v2").with_columns(not_fish=pl.lit("wiper"))
    parts = {part.file: part for part in write_viame_csv(with_boxes(given, pl.concat([boxes, none])), tmp_path)}
    assert (parts["v1.csv"].left_out, parts["v1.csv"].changed) == ({OUTSIDE: 1}, {CUT: 1})
    assert parts["v2.csv"].left_out == {"taken for no fish: wiper": 30}
    assert read_viame_csv(tmp_path).n_rows == {"boxes of v1": 1, "boxes of v2": 0}


def test_what_dive_refuses_is_named(tmp_path: Path) -> None:
    write_viame_csv(tables(), tmp_path)
    lines = (tmp_path / "v1.csv").read_text().splitlines()
    lines[3] = lines[3].replace(",1,", ",x,", 1)
    (tmp_path / "v1.csv").write_text("\n".join([*lines[:5], *reversed(lines[5:])]))
    assert read_viame_csv(tmp_path).faults == ["lines that hold no track, frame and box: 1", "frames that go back: 26"]
