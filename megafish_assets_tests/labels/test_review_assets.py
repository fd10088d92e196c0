"""The asset of the review sheets, through real runs over real Delta tables."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from megafish_assets.labels.label_files import LabelFile, read_labels
from megafish_assets.labels.review_assets import review_asset
from megafish_assets.orchestration.policy import grouped
from megafish_assets.orchestration.sources import Recordings
from megafish_assets.reporting.figures import Figures
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.delta import Table
from megafish_assets.storage.io_manager import GpuDeltaLakeIOManager
from megafish_assets.storage.partitions import VIDEOS
from megafish_assets_tests.labels.reviewed import CLUSTERS, LENS_PLACES, classes, kinds, tables
from megafish_assets_tests.labels.reviewed import VIDEOS as KEYS

STABILITY = pl.DataFrame({"cluster": [0, 1], "stable": [True, False]})


class Collection:
    """Tables that the review is made from, and what else is stored, without the assets that make them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        crops, sampled, clusters = tables()
        self.write("crops/crops", crops)
        self.write("detections/sampled_detections", sampled)
        self.write("clusters/clusters_b", clusters)
        self.write("clusters/stability_b", STABILITY)
        vectors = clusters.select("video", "detection_id", pl.lit("v1").alias("vectors_version"))
        self.write("embeddings/embeddings_b", vectors)
        self.write("features/features_b", vectors)

    def write(self, place: str, rows: pl.DataFrame) -> None:
        Table(str(self.root / "tables" / place)).replace(rows)

    def make(self, species: Path | None = None) -> dg.ExecuteInProcessResult:
        given = {"clusters_b": "clusters", "stability_b": "clusters", "crops": "crops"}
        given |= {"sampled_detections": "detections", "embeddings_b": "embeddings"}
        upstream = [spec for key, group in given.items() for spec in grouped(group, [dg.AssetSpec(key)])]
        with dg.DagsterInstance.ephemeral() as instance:
            instance.add_dynamic_partitions(VIDEOS.name, KEYS)
            for key in KEYS:
                instance.report_runless_asset_event(dg.AssetMaterialization("embeddings_b", partition=key))
            return dg.materialize(
                [*upstream, *grouped("labels", [review_asset("b", species)])],
                instance=instance,
                resources={
                    "io_manager": GpuDeltaLakeIOManager(root_uri=str(self.root / "tables"), device="cpu"),
                    "figures": Figures(folder=str(self.root / "figures")),
                    "tables": Tables(root=str(self.root / "tables")),
                    "recordings": Recordings(folder=str(self.root / "recordings")),
                },
                raise_on_error=False,
            )

    @property
    def folder(self) -> Path:
        return self.root / "figures" / "review"

    def index(self) -> dict:
        return json.loads((self.folder / "data" / "index.js").read_text().split("megafish.collection(")[1][:-3])


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    return Collection(tmp_path)


def test_the_review_is_made_checked_stored_and_found_by_its_metadata(collection: Collection) -> None:
    result = collection.make()
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert check.passed, check.description
    metadata = result.asset_materializations_for_node("review")[0].metadata
    assert Path(metadata["page"].value) == collection.folder / "index.html"
    assert metadata["n_tracklets"].value == sum(CLUSTERS.values()) and metadata["n_compared_tiles"].value == 43
    stored = pl.read_delta(str(collection.root / "tables" / "labels" / "review"))
    assert stored["sheet"].unique().sort().to_list() == ["c000", "c001", "c002", "noise"]
    crops = tables()[0]
    assert stored.join(crops, on=["detection_id", "tracklet_id", "frame_id"], how="inner").height == stored.height


def test_what_later_stages_know_is_on_the_sheets_once_they_know_it(collection: Collection, tmp_path: Path) -> None:
    clusters = tables()[2]
    of_fit = kinds(clusters, {0: 7, 1: 3, 2: 8})
    collection.write("clusters/kinds_b", of_fit)
    collection.write("labels/classes_b", classes(clusters))
    collection.write("detections/lens_places", LENS_PLACES)
    species = tmp_path / "species.csv"
    species.write_text("name,scientific_name\nTrumpetfish,Aulostomus maculatus\n")
    assert collection.make(species).success
    index = collection.index()
    assert [sheet["name"] for sheet in index["sheets"]] == ["places", "c000", "c001", "c002", "noise", "unsure"]
    assert {sheet["name"]: sheet["kind_id"] for sheet in index["sheets"]} | {"c000": 7, "c001": 3} == {
        sheet["name"]: sheet["kind_id"] for sheet in index["sheets"]
    }
    stored = pl.read_delta(str(collection.root / "tables" / "labels" / "review"))
    assert set(stored.drop_nulls("name")["backbone"]) == {"b"}
    assert index["fit_version"] == of_fit.filter("is_latest")["fit_version"][0]
    assert [name[0] for name in index["names"]][1:] == ["Trumpetfish"]
    assert {sheet["name"]: sheet["is_stable"] for sheet in index["sheets"]}["c001"] is False


@pytest.mark.parametrize("separator", [",", ";"])
def test_the_spreadsheet_of_clusters_is_filled_in_and_read_after_another_fit(
    collection: Collection, separator: str
) -> None:
    clusters = tables()[2]
    of_fit = kinds(clusters, {0: 7, 1: 3, 2: 8})
    collection.write("clusters/kinds_b", of_fit)
    assert collection.make().success
    lines = list(csv.DictReader(io.StringIO((collection.folder / "clusters.csv").read_text(encoding="utf-8-sig"))))
    assert [(line["cluster"], line["kind_id"], line["n_tracklets"], line["n_videos"]) for line in lines] == [
        (str(cluster), str(kind), str(CLUSTERS[cluster]), "5") for cluster, kind in ((0, 7), (1, 3), (2, 8))
    ]
    untouched = (collection.folder / "clusters.csv").read_bytes()
    lines[2] |= {"name": "Crème, brûlée", "scientific_name": "Cremus", "aphia_id": "12", "note": "sure"}
    filled = io.StringIO(newline="")
    writer = csv.DictWriter(filled, list(lines[0]), delimiter=separator)
    writer.writeheader()
    writer.writerows(lines)
    # Since then the clusters have been made anew, and bear other numbers.
    later = of_fit.with_columns(cluster=2 - pl.col("cluster"), fit_version=pl.lit("later"))
    stored = pl.concat([of_fit.with_columns(is_latest=False), later.filter("is_latest")])
    assert read(untouched, stored).is_empty()
    rows = read(filled.getvalue().encode(), stored)
    assert set(rows["tracklet_id"]) == set(clusters.filter(pl.col("cluster") == 2)["tracklet_id"])
    said = rows.select("label", "scientific_name", "aphia_id", "note", "cluster", "kind_id", "backbone").unique().rows()
    assert said == [("Crème, brûlée", "Cremus", 12, "sure", 2, 8, "b")]
    assert rows["recipe"].unique().to_list() == clusters["recipe"].unique().to_list()
    assert rows["fit_version"].unique().to_list() == of_fit.filter("is_latest")["fit_version"].unique().to_list()


def read(content: bytes, stored: pl.DataFrame) -> pl.DataFrame:
    """What a file of labels says where these kinds of the backbone `b` are kept."""
    now = datetime(2026, 5, 1, tzinfo=UTC)
    fits = {"b": stored}.get
    return read_labels(LabelFile("clusters.csv", content, now, fits, lambda video: None, now))


def test_kinds_of_another_fit_than_the_clusters_are_refused(collection: Collection) -> None:
    clusters = tables()[2]
    moved = clusters.with_columns(cluster=pl.when(pl.col("cluster") == 2).then(1).otherwise("cluster"))
    collection.write("clusters/kinds_b", kinds(moved, {0: 7, 1: 3}))
    (failed,) = [event for event in collection.make().all_events if event.is_step_failure]
    assert "materialise kinds" in str(failed.step_failure_data.error)


def test_a_second_review_takes_the_place_of_the_first_and_a_failed_one_leaves_it(collection: Collection) -> None:
    assert collection.make().success
    first = (collection.folder / "index.html").read_text()
    crops = tables()[0]
    collection.write("crops/crops", crops.filter(pl.col("tracklet_id") != crops["tracklet_id"][0]))
    result = collection.make()
    assert not result.success
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    assert "1 tracklets have no crop" in str(failed.step_failure_data.error)
    assert (collection.folder / "index.html").read_text() == first
    assert [path.name for path in collection.folder.parent.iterdir()] == ["review"]
    clusters = tables()[2]
    collection.write("crops/crops", crops)
    collection.write("clusters/clusters_b", clusters.filter(pl.col("cluster") != 2))
    assert collection.make().success
    assert not (collection.folder / "data" / "c002.js").exists()


def test_a_list_of_species_that_is_none_fails_with_its_place(collection: Collection, tmp_path: Path) -> None:
    species = tmp_path / "species.csv"
    species.write_text("fish\n")
    (failed,) = [event for event in collection.make(species).all_events if event.is_step_failure]
    assert f"{species}: line 1 has no column name" in str(failed.step_failure_data.error)
