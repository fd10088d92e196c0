"""Exports of a reef, through a real Dagster instance and real Delta tables."""

from collections.abc import Callable, Mapping
from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl
import pytest

from megafish_assets.exports.assets import ExportConfig, YoloConfig, export_asset
from megafish_assets.exports.columns import FILES
from megafish_assets.exports.formats import EXPORTS
from megafish_assets.exports.tables import ExportTables
from megafish_assets.exports.writing import Export, Part, ReadAgain
from megafish_assets.footage.site import Site
from megafish_assets.orchestration.policy import grouped
from megafish_assets.orchestration.sources import Recordings
from megafish_assets.reporting.figures import Figures
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.io_manager import GpuDeltaLakeIOManager
from megafish_assets.storage.partitions import VIDEOS
from megafish_assets_tests.sightings.test_assets import KEYS, Collection
from megafish_assets_tests.videos import write_h264


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    collection = Collection(tmp_path_factory.mktemp("counted"), "file,station\nmegalab_0001.mp4,north\n")
    collection.store("labels/classes_vit", collection.classes)
    assert collection.made().success
    (collection.root / "recordings").mkdir()
    for key in KEYS:  # shorter than what was detected in them
        write_h264(collection.root / f"recordings/{key}.mp4", [np.zeros((90, 160, 3), np.uint8)] * 20)
    return collection


def exported(
    collection: Collection, export: Export, knobs: Mapping[str, object] | None = None
) -> dg.ExecuteInProcessResult:
    root, config = collection.root, YoloConfig if export.name == "yolo" else ExportConfig
    parents = {"detections": ["raw_detections", "tracklets", "not_fish"]}
    specs = [dg.AssetSpec(name, partitions_def=VIDEOS) for name in parents["detections"]]
    counts = [dg.AssetSpec(name) for name in ("sightings", "abundance")]
    return dg.materialize(
        [
            *grouped("detections", specs),
            *grouped("sightings", counts),
            *grouped("labels", [dg.AssetSpec("words")]),
            *grouped("exports", [export_asset(export, Site(), knobs=config)]),
        ],
        selection=[export.name],
        run_config={"ops": {export.name: {"config": dict(knobs)}}} if knobs else None,
        instance=collection.instance,
        raise_on_error=False,
        resources={
            "io_manager": GpuDeltaLakeIOManager(root_uri=str(root / "tables"), device="cpu"),
            "tables": Tables(root=str(root / "tables")),
            "recordings": Recordings(folder=str(root / "recordings"), owners_table=str(root / "recordings.csv")),
            "exports": Figures(folder=str(root / "exports")),
        },
    )


def listed(collection: Collection, name: str) -> pl.DataFrame:
    return pl.read_delta(str(collection.root / "tables/exports" / name))


def test_a_reef_becomes_a_spreadsheet_and_its_files_are_listed(counted: Collection) -> None:
    result = exported(counted, EXPORTS["spreadsheet"])
    assert result.success and all(check.passed for check in result.get_asset_check_evaluations())
    table = listed(counted, "spreadsheet")
    assert table.columns == list(FILES) and set(table["labels_version"]) == {"l1"}
    sightings = pl.read_csv(counted.root / "exports/spreadsheet/sightings.csv")
    assert sightings.height == counted.read("sightings").height
    assert table.filter(holds="sheet sightings")["n_read"].item() == sightings.height
    for file, n_bytes in table.select("file", "n_bytes").iter_rows():
        assert (counted.root / "exports/spreadsheet" / file).stat().st_size == n_bytes


def text_of_boxes(tables: ExportTables, folder: Path) -> list[Part]:
    lines = [box for _, boxes in tables.boxes for box in boxes["detection_id"]]
    (folder / "boxes.txt").write_text("\n".join(lines))
    return [Part("boxes.txt", "boxes", len(lines))]


def lines_of(folder: Path) -> ReadAgain:
    return ReadAgain({"boxes": len((folder / "boxes.txt").read_text().splitlines())})


def test_boxes_stream_by_video_and_none_is_lost(counted: Collection) -> None:
    result = exported(counted, Export("boxes", "Ids.", text_of_boxes, lines_of))
    raw = pl.read_delta(str(counted.root / "tables/detections/raw_detections"))
    ids = (counted.root / "exports/boxes/boxes.txt").read_text().splitlines()
    assert result.success and ids == sorted(raw["detection_id"])


def broken(tables: ExportTables, folder: Path) -> list[Part]:
    (folder / "boxes.txt").write_text("half of it")
    raise OSError("no space left on device")


def one_line_short(tables: ExportTables, folder: Path) -> list[Part]:
    return [Part(part.file, part.holds, part.n_given + 1) for part in text_of_boxes(tables, folder)]


def test_an_export_that_breaks_or_is_refused_leaves_the_files_of_before(counted: Collection) -> None:
    whole = Export("kept", "Ids.", text_of_boxes, lines_of)
    exported(counted, whole)
    before = (counted.root / "exports/kept/boxes.txt").read_text()
    assert not exported(counted, Export("kept", "Ids.", broken, lines_of)).success
    refusing = Export("kept", "Ids.", text_of_boxes, lines_of, missing=lambda tables: ["a place", "a licence"])
    refused = exported(counted, refusing)
    assert not refused.success
    why = str(next(event for event in refused.all_events if event.is_step_failure).event_specific_data.error)
    assert "kept is not written before a person has said" in why and "- a place" in why and "- a licence" in why
    assert (counted.root / "exports/kept/boxes.txt").read_text() == before
    assert [path.name for path in (counted.root / "exports").iterdir() if path.name.startswith(".")] == []


def with_a_fault(folder: Path) -> ReadAgain:
    return ReadAgain(lines_of(folder).n_rows, ["an id stands twice"])


@pytest.mark.parametrize(
    ("write", "read", "said"),
    [
        (one_line_short, lines_of, "n_lost_rows = 1"),
        (text_of_boxes, with_a_fault, "n_faults = 1"),
        (one_line_short, with_a_fault, "n_faults = 1"),
    ],
)
def test_files_that_lack_a_row_or_break_a_rule_are_told_and_leave_those_of_before(
    counted: Collection, write: Callable, read: Callable, said: str
) -> None:
    exported(counted, Export("judged", "Ids.", text_of_boxes, lines_of))
    path, rows = counted.root / "exports/judged/boxes.txt", listed(counted, "judged")
    path.write_text(before := "\n".join(reversed(path.read_text().splitlines())))  # no other run would write them so
    result = exported(counted, Export("judged", "Ids.", write, read))
    [check] = result.get_asset_check_evaluations()
    assert not result.success and not check.passed and check.severity == dg.AssetCheckSeverity.ERROR
    assert said in check.description
    assert (check.metadata["first_fault"].value == "an id stands twice") if read is with_a_fault else True
    failure = next(event for event in result.all_events if event.is_step_failure).event_specific_data
    assert "judged stays as it was" in str(failure.error) and said in str(failure.error)
    assert path.read_text() == before and listed(counted, "judged").equals(rows)


def test_pictures_to_learn_from_are_cut_out_of_the_videos_by_knobs(counted: Collection) -> None:
    result = exported(counted, EXPORTS["yolo"], {"frames": "any", "at_most": 6})
    assert result.success and all(check.passed for check in result.get_asset_check_evaluations())
    pictures = sorted((counted.root / "exports/yolo/images").rglob("*.jpg"))
    frames = listed(counted, "yolo").row(by_predicate=pl.col("holds") == "frames", named=True)
    assert len(pictures) == frames["n_read"] == 3 and frames["left_out"] == "3 that can't be read"


@pytest.mark.parametrize("name", ["coco", "viame_csv"])
def test_boxes_of_a_reef_are_whole_in_every_format(counted: Collection, name: str) -> None:
    result = exported(counted, EXPORTS[name])
    assert result.success and all(check.passed for check in result.get_asset_check_evaluations())
    boxes = listed(counted, name).filter(pl.col("holds").str.contains("annotations|boxes"))
    n_valid = pl.read_delta(str(counted.root / "tables/detections/raw_detections"))["fault"].null_count()
    assert boxes["n_given"].sum() == n_valid > boxes["n_left_out"].sum()
