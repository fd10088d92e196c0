"""The table of labels through a real Dagster instance, real files and real Delta tables."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from deltalake import write_deltalake

from megafish_assets.labels.columns import LABELS
from megafish_assets.labels.label_assets import Reader, append_new, labels_asset, words
from megafish_assets.labels.species import read_species, species_list
from megafish_assets.orchestration.label_inbox import LabelInbox
from megafish_assets.orchestration.labels import Labels
from megafish_assets.orchestration.policy import grouped
from megafish_assets.orchestration.sensors import new_labels
from megafish_assets.orchestration.sources import Recordings
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.io_manager import GpuDeltaLakeIOManager
from megafish_assets.storage.partitions import VIDEOS

N = 40


class Collection:
    """Forty detections of twenty tracklets, two fits of their clusters, and the asset that reads labels of them."""

    def __init__(self, root: Path, **said: str) -> None:
        self.root = root
        ids = [f"v/{frame:06d}/000" for frame in range(N)]
        raw = {"video": "v", "video_file": "v.mp4", "detection_id": ids, "frame_id": range(N)}
        boxes = {"x_1024": [10.0 * n for n in range(N)], "y_1024": 5.0, "width_1024": 30.0, "height_1024": 20.0}
        tracklets = {"video": "v", "detection_id": ids, "tracklet_id": [f"v/t{n // 2:05d}" for n in range(N)]}
        self.write("detections/raw_detections", pl.DataFrame(raw | boxes))
        self.write("detections/tracklets", pl.DataFrame(tracklets | {"position": [n % 2 for n in range(N)]}))
        self.labels = Labels(folder=str(root / "labels"), **said)
        self.resources = {
            "io_manager": GpuDeltaLakeIOManager(root_uri=str(root / "tables"), device="cpu"),
            "tables": Tables(root=str(root / "tables")),
            "recordings": Recordings(folder=str(root / "recordings")),
            "labels": self.labels,
        }
        tracklets_spec = dg.AssetSpec("tracklets", partitions_def=VIDEOS)
        self.assets = [*grouped("detections", [tracklets_spec]), *grouped("labels", [labels_asset("b"), words])]
        self.assets += grouped("detections", [dg.AssetSpec("raw_detections", partitions_def=VIDEOS)])

    def write(self, table: str, rows: pl.DataFrame) -> None:
        write_deltalake(str(self.root / "tables" / table), rows.to_arrow(), mode="overwrite")

    def lay(self, name: str, text: str, age_seconds: float = 60) -> Path:
        """A file in the inbox that was written so long ago."""
        path = self.labels.inbox.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (time.time() - age_seconds,) * 2)
        return path

    def read(self) -> dict[str, object]:
        """Makes the asset; the numbers of its event, with whether its check holds."""
        selected = [asset for asset in self.assets if isinstance(asset, dg.AssetsDefinition)]
        with dg.DagsterInstance.ephemeral() as instance:
            instance.add_dynamic_partitions(VIDEOS.name, ["v"])
            done = dg.materialize(self.assets, selection=selected, resources=self.resources, instance=instance)
        event = done.asset_materializations_for_node("labels")[0]
        numbers = {name: value.value for name, value in event.metadata.items()}
        return numbers | {"passed": done.get_asset_check_evaluations()[0].passed}

    def words(self) -> pl.DataFrame:
        """What stands of it all, as the last run made it."""
        return pl.read_delta(str(self.root / "tables/labels/words"))

    def stored(self) -> pl.DataFrame:
        return pl.read_delta(str(self.root / "tables/labels/labels"))


NAMES = "tracklet_id,label\nv/t00001,tang\nv/t00002,chromis\n"


def test_without_a_word_there_is_an_empty_table_and_nothing_is_wrong(tmp_path: Path) -> None:
    collection = Collection(tmp_path)
    numbers = collection.read()
    assert numbers["passed"] and numbers["n_labels"] == 0
    assert dict(collection.stored().schema) == {name: column.dtype for name, column in LABELS.items()}


def test_a_file_is_read_once_and_what_it_said_is_never_overwritten(tmp_path: Path) -> None:
    collection = Collection(tmp_path)
    collection.lay("anna.csv", NAMES)
    assert collection.read()["n_files"] == 1 and collection.read()["n_files"] == 0
    rows = collection.stored()
    assert rows.select("tracklet_id", "detection_id", "frame_id", "label", "labelled_by", "source").rows() == [
        ("v/t00001", "v/000003/000", 3, "tang", "anna", "anna.csv, line 2"),
        ("v/t00002", "v/000005/000", 5, "chromis", "anna", "anna.csv, line 3"),
    ]
    assert [path.name for path in (tmp_path / "labels/read").iterdir()] == ["anna.csv"]
    collection.lay("anna.csv", NAMES.replace("tang", "damselfish"))
    numbers = collection.read()
    assert collection.stored().height == 4 and numbers["n_tracklets"] == 2 and numbers["n_names"] == 2
    assert sorted(path.name for path in (tmp_path / "labels/read").iterdir()) == ["anna-2.csv", "anna.csv"]


def test_a_run_that_was_killed_before_the_file_was_moved_adds_nothing_twice(tmp_path: Path) -> None:
    collection = Collection(tmp_path)
    path = collection.lay("anna.csv", NAMES)
    tables = collection.resources["tables"]
    reader = Reader(tables, collection.resources["recordings"], species_list(b""), "b")
    assert append_new(tables.of("labels", "labels"), reader.rows(path)) == 2
    collection.read()
    assert collection.stored().height == 2 and not path.exists()


def test_a_bad_file_changes_nothing_and_lies_refused_beside_the_reason(tmp_path: Path) -> None:
    collection = Collection(tmp_path)
    collection.lay("good.csv", NAMES)
    collection.lay("bad.csv", "tracklet_id,label,status\nv/t00001,tang,approved\nv/t00003,tang,perhaps\n")
    numbers = collection.read()
    assert not numbers["passed"] and numbers["n_refused_files"] == 1 and collection.stored().height == 2
    why = (tmp_path / "labels/refused/bad.csv.why.txt").read_text()
    allowed = "approved, rejected, unsure, not_fish, looked_at, found, missed, twice"
    assert why == f"line 3: status = 'perhaps', allowed: {allowed}\n"


def test_labels_of_what_is_not_there_are_kept_and_counted(tmp_path: Path) -> None:
    collection = Collection(tmp_path)
    collection.lay("anna.csv", NAMES + "v/t99999,ray\n")
    numbers = collection.read()
    assert not numbers["passed"] and numbers["unresolved_share"] == pytest.approx(1 / 3)
    assert collection.stored().height == 3 and numbers["n_tracklets"] == 2


def test_people_who_disagree_and_names_of_no_list_are_told(tmp_path: Path) -> None:
    listed = tmp_path / "species.csv"
    listed.write_text("name,scientific_name,aphia_id\ntang,Zebrasoma,1\n")
    collection = Collection(tmp_path, species=str(listed))
    collection.lay("anna.csv", NAMES, age_seconds=90)
    collection.lay("ben.csv", NAMES.replace("tang", "ray"))
    numbers = collection.read()
    assert not numbers["passed"] and numbers["n_people"] == 2
    assert numbers["n_disagreements"] == 1 and numbers["disagreements"] == "v/t00001"
    assert numbers["n_free_names"] == 2 and numbers["free_names"] == "chromis, ray"
    assert read_species(listed)["name"].to_list() == ["tang"]


def test_two_people_at_once_lose_no_word(tmp_path: Path) -> None:
    table = Tables(root=str(tmp_path)).of("labels", "labels")
    blank = dict.fromkeys(LABELS)
    rows = [
        pl.DataFrame(
            [blank | {"label_id": f"{person}-{n}", "label": "tang", "status": "approved"} for n in range(20)],
            schema={name: column.dtype for name, column in LABELS.items()},
        )
        for person in range(8)
    ]
    append_new(table, rows[0].clear())
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda one: append_new(table, one), rows)) == [20] * 8
    assert table.scan().collect()["label_id"].n_unique() == 160


def test_the_table_of_megafish_labels_is_read_into_it_and_a_changed_name_is_a_new_word(tmp_path: Path) -> None:
    file = tmp_path / "said.csv"
    file.write_text("detection_id,label\nv/000003/000,tang\n")
    collection = Collection(tmp_path, uri=str(file))
    collection.read()
    collection.read()
    assert collection.stored().select("tracklet_id", "detection_id", "label", "labelled_by").rows() == [
        (None, "v/000003/000", "tang", "MEGAFISH_LABELS")
    ]
    for name in ("ray", "tang"):
        file.write_text(f"detection_id,label\nv/000003/000,{name}\n")
        assert collection.read()["n_names"] == 1
    assert collection.stored().sort("labelled_at")["label"].to_list() == ["tang", "ray", "tang"]


def test_the_table_of_megafish_labels_says_nothing_anew_while_nobody_changes_it(tmp_path: Path) -> None:
    file = tmp_path / "said.csv"
    file.write_text("tracklet_id,label\nv/t00001,Tang\nv/t00001,tang\nv/t00002,ray\n")
    collection = Collection(tmp_path, uri=str(file))
    for _ in range(3):
        collection.read()
    assert collection.stored()["label"].sort().to_list() == ["Tang", "ray", "tang"]


def test_a_later_correction_stands_when_tracklets_are_cut_or_species_spelled_anew(tmp_path: Path) -> None:
    file, listed = tmp_path / "said.csv", tmp_path / "species.csv"
    file.write_text("tracklet_id,label\nv/t00001,Tang\n")
    listed.write_text("name\nray\n")
    collection = Collection(tmp_path, uri=str(file), species=str(listed))
    collection.read()
    now = datetime.now(UTC).isoformat()
    collection.lay("anna.csv", f"tracklet_id,label,labelled_at\nv/t00001,ray,{now}\n")
    assert collection.read()["n_disagreements"] == 1
    cut = pl.read_delta(str(tmp_path / "tables/detections/tracklets")).filter(pl.col("position") == 0)
    collection.write("detections/tracklets", cut)
    collection.read()
    listed.write_text("name\nray\ntang\n")
    collection.read()
    assert collection.stored().sort("labelled_at")["label"].to_list() == ["Tang", "ray"]
    file.write_text("tracklet_id,label,status\nv/t00001,Tang,rejected\n")
    collection.read()
    assert collection.stored().sort("labelled_at")["status"].to_list() == ["approved", "approved", "rejected"]


@pytest.mark.parametrize("n", [20_000, pytest.param(500_000, marks=pytest.mark.faults)])
def test_all_labels_of_a_large_file_are_read_in_one_run(tmp_path: Path, n: int) -> None:
    collection = Collection(tmp_path)
    lines = [f"v/t{place % 20:05d},name {place % 20 % 7}" for place in range(n)]
    collection.lay("many.csv", "tracklet_id,label\n" + "\n".join(lines) + "\n")
    numbers = collection.read()
    assert numbers["n_labels"] == n and numbers["n_tracklets"] == 20 and numbers["n_people"] == 1


def test_the_sensor_asks_once_for_files_that_nobody_writes_to_any_more(tmp_path: Path) -> None:
    collection = Collection(tmp_path)
    resources = {"labels": collection.labels}
    nothing = new_labels(dg.build_sensor_context(resources=resources))
    assert isinstance(nothing, dg.SkipReason)
    collection.lay("anna.csv", NAMES, age_seconds=0)
    assert isinstance(new_labels(dg.build_sensor_context(resources=resources)), dg.SkipReason)
    collection.lay("anna.csv", NAMES)
    asked = new_labels(dg.build_sensor_context(resources=resources))
    assert len(asked.run_requests) == 1
    again = new_labels(dg.build_sensor_context(resources=resources, cursor=asked.cursor))
    assert "started already" in again.skip_message


def test_a_file_is_laid_whole_under_a_name_of_its_own_and_keeps_its_time(tmp_path: Path) -> None:
    inbox, source = LabelInbox(tmp_path / "labels"), tmp_path / "labels.csv"
    source.write_text(NAMES)
    first, second = inbox.lay(source), inbox.lay(source)
    assert set(inbox.waiting()) == {first, second} and first.name == second.name == "labels.csv"
    assert source.exists() and first.read_text() == NAMES
