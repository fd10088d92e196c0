"""The assets of looking around, through real runs: neighbors, the explorer's folder, and what is asked for by an id."""

import subprocess
import sys
from pathlib import Path

import cv2
import dagster as dg
import numpy as np
import polars as pl
import pytest
import torch

from megafish_assets.atlas.assets import explorer_asset
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.features.assets import neighbors_asset
from megafish_assets.orchestration.policy import grouped
from megafish_assets.orchestration.sources import Recordings
from megafish_assets.reporting.figures import Figures
from megafish_assets.similar import Lookup, UnknownIdError, shown
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.io_manager import GpuDeltaLakeIOManager
from megafish_assets.storage.partitions import VIDEOS
from megafish_assets_tests.conftest import REPOSITORY, collection_environment
from megafish_assets_tests.videos import write

N, BACKBONE = 24, "reef_tiny"
IDS = [f"v/{frame:06d}/000" for frame in range(N)]
TRACKLETS = [f"v/t{frame // 2:05d}" for frame in range(N)]
FEATURES = np.stack([[np.cos(turn), np.sin(turn), 0.1] for turn in np.linspace(0, 1.5, N)]).astype(np.float32)
"""Crops along a quarter of a circle, so that neighbors are known: the nearest frames."""


def jpeg(place: int) -> bytes:
    pixels = cv2.resize(np.random.default_rng(place).integers(0, 255, (5, 6, 3), dtype=np.uint8), (48, 40))
    return cv2.imencode(".jpg", pixels)[1].tobytes()


class Collection:
    """One video, its crops, features and clusters, and the assets of looking around."""

    def __init__(self, root: Path) -> None:
        self.root, self.instance = root, dg.DagsterInstance.ephemeral()
        self.instance.add_dynamic_partitions(VIDEOS.name, ["v"])

        @dg.asset(key=f"embeddings_{BACKBONE}", partitions_def=VIDEOS)
        def embeddings() -> EmbeddingBatch:
            return EmbeddingBatch(np.array(IDS, dtype=object), torch.tensor(FEATURES), "version")

        @dg.asset(key=f"features_{BACKBONE}", deps=[embeddings])
        def features() -> EmbeddingBatch:
            return EmbeddingBatch(np.array(IDS, dtype=object), torch.tensor(FEATURES), "version")

        @dg.asset(partitions_def=VIDEOS)
        def crops() -> pl.DataFrame:
            seconds = [place / 30 for place in range(N)]
            rows = {"video": "v", "detection_id": IDS, "tracklet_id": TRACKLETS, "presentation_seconds": seconds}
            return pl.DataFrame(rows | {"jpeg": [jpeg(place) for place in range(N)], "border": [b"rim"] * N})

        @dg.asset(partitions_def=VIDEOS)
        def sampled_detections() -> pl.DataFrame:
            side = {name: [100.0] * N for name in ("x_1024", "y_1024", "width_1024", "height_1024")}
            rows = {
                "video": "v",
                "detection_id": IDS,
                "video_file": "v.avi",
                "frame_id": range(N),
                "tracklet_id": TRACKLETS,
            }
            times = {"seconds_in_video": [place / 30 for place in range(N)], "recorded_at": None}
            return pl.DataFrame(rows | side | times).with_columns(pl.col("recorded_at").cast(pl.Datetime("us")))

        @dg.asset(key=f"clusters_{BACKBONE}", deps=[features])
        def clusters() -> pl.DataFrame:
            labels = [place // 12 for place in range(N - 2)] + [-1, -1]
            rows = {"video": "v", "detection_id": IDS, "cluster": labels, "tracklet_id": TRACKLETS}
            return pl.DataFrame(rows)

        self.assets = [
            *grouped("embeddings", [embeddings]),
            *grouped("crops", [crops]),
            *grouped("detections", [sampled_detections]),
            *grouped("features", [features, neighbors_asset(BACKBONE)]),
            *grouped("clusters", [clusters]),
            *grouped("atlas", [explorer_asset(BACKBONE)]),
        ]

    @property
    def folder(self) -> Path:
        return self.root / "figures" / "explorer"

    def make(self, *keys: str, **options: object) -> dg.ExecuteInProcessResult:
        resources = {
            "io_manager": GpuDeltaLakeIOManager(root_uri=str(self.root / "tables"), device="cpu"),
            "figures": Figures(folder=str(self.root / "figures")),
            "tables": Tables(root=str(self.root / "tables")),
            "recordings": Recordings(folder=str(self.root / "recordings")),
        }
        selection = [dg.AssetKey(key) for key in keys]
        return dg.materialize(self.assets, selection=selection, instance=self.instance, resources=resources, **options)

    def explored(self) -> dg.ExecuteInProcessResult:
        return self.make(f"neighbors_{BACKBONE}", "explorer")

    def verdict(self, asset: str) -> dg.AssetCheckEvaluation:
        """Of the first night."""
        found = self.first.get_asset_check_evaluations()
        return next(one for one in found if one.asset_key == dg.AssetKey(asset))

    def table(self, room: str, name: str) -> pl.DataFrame:
        return pl.read_delta(str(self.root / "tables" / room / name)).sort("detection_id")


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    made = Collection(tmp_path_factory.mktemp("reef"))
    (made.root / "recordings").mkdir()
    frames = [np.full((72, 128, 3), 8 * number, np.uint8) for number in range(N)]
    write(made.root / "recordings" / "v.avi", frames, "mpeg4")
    made.make("crops", "sampled_detections", f"embeddings_{BACKBONE}", partition_key="v")
    made.make(f"features_{BACKBONE}", f"clusters_{BACKBONE}")
    made.first = made.explored()
    return made


def test_neighbors_are_stored_by_crop_nearest_first_and_never_of_its_own_tracklet(collection: Collection) -> None:
    table = collection.table("features", f"neighbors_{BACKBONE}")
    assert table["detection_id"].to_list() == IDS
    assert table["neighbor_ids"].list.len().unique().to_list() == [N // 2 - 1]
    # Of frame 4, whose tracklet is frames 4 and 5: frame 3, then 6, then 1, then 8, each the nearer of its tracklet.
    assert table["neighbor_ids"][4].to_list()[:4] == [IDS[3], IDS[6], IDS[1], IDS[8]]
    assert all(
        check.passed for check in collection.first.get_asset_check_evaluations() if "neighbors" in check.check_name
    )


def test_the_explorer_shows_every_crop_links_its_folder_and_passes_its_check(collection: Collection) -> None:
    table = collection.table("atlas", "explorer")
    assert table["detection_id"].to_list() == IDS
    assert table.select(pl.col("x", "y").is_between(0, 1).all()).row(0) == (True, True)
    (check,) = [
        one for one in collection.first.get_asset_check_evaluations() if one.asset_key == dg.AssetKey("explorer")
    ]
    assert check.passed, check.description
    told = collection.first.asset_materializations_for_node("explorer")[0].metadata
    assert told["open"].value == str(collection.folder / "index.html")
    assert told["n_points"].value == N and told["n_videos_without_player"].value == 1
    assert Path(told["embedding_atlas"].value).is_file()
    assert len(list(collection.folder.glob("still_*.jpg"))) == N


def test_the_next_night_writes_the_same_folder_and_nothing_of_the_one_before_stays(collection: Collection) -> None:
    first = {path.name: path.read_bytes() for path in collection.folder.iterdir()}
    (collection.folder / "thumbs_0123456789_0000.webp").write_bytes(b"of an older night")
    before = collection.table("atlas", "explorer")
    assert collection.explored().success
    assert {path.name: path.read_bytes() for path in collection.folder.iterdir()} == first
    assert collection.table("atlas", "explorer").equals(before)


def test_the_log_says_how_far_it_has_come(collection: Collection) -> None:
    said = [entry.user_message for entry in collection.instance.all_logs(collection.first.run_id)]
    for line in (
        f"{N} of {N} crops compared with all others",
        f"{N} of {N} crops laid out by their neighbors",
        f"{N} of {N} crops drawn small",
        "1 of 1 videos without a player in browsers",
    ):
        assert any(line in words for words in said), line


def test_similar_crops_are_looked_up_by_the_id_of_a_crop_or_a_tracklet(collection: Collection) -> None:
    lookup = Lookup(Tables(root=str(collection.root / "tables")), BACKBONE)
    found = lookup.similar(IDS[4], 2)
    assert found["detection_id"].to_list() == [IDS[3], IDS[6]]
    apart = 1.0 - float(FEATURES[4] @ FEATURES[3]) / float(np.linalg.norm(FEATURES[4]) * np.linalg.norm(FEATURES[3]))
    assert found.row(0) == (IDS[3], TRACKLETS[3], pytest.approx(apart, abs=0.001), "v.avi", 0.1, "cluster 0")
    assert lookup.similar(TRACKLETS[4], 2).equals(found)
    with pytest.raises(UnknownIdError, match="'v/000099/000' has no neighbors in neighbors_reef_tiny"):
        lookup.similar("v/000099/000", 2)
    for n in (0, 51):
        with pytest.raises(ValueError, match="expected 1 to 50"):
            lookup.similar(IDS[4], n)


def test_a_name_can_not_steer_the_terminal() -> None:
    lines = shown(pl.DataFrame({"name": ["\x1b[2Jcod\n"], "seconds": [None]})).splitlines()
    assert [line.split() for line in lines] == [["name", "seconds"], ["\\x1b[2Jcod\\n"]]


def test_the_command_line_prints_the_table_says_what_is_unknown_and_where_the_page_lies(collection: Collection) -> None:
    def asked(*words: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "megafish_assets", *words]
        environment = collection_environment(collection.root, backbones=f"mobilenetv2,{BACKBONE}")
        return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)

    (collection.root / "megafish.toml").write_text(f'[names]\nbackbone = "{BACKBONE}"\n')
    listed = asked("similar", IDS[4], "--n", "3")
    lines = listed.stdout.splitlines()
    assert listed.returncode == 0, listed.stderr
    assert lines[0].split() == ["detection_id", "tracklet_id", "distance", "video_file", "seconds", "name"]
    assert [line.split()[0] for line in lines[1:]] == [IDS[3], IDS[6], IDS[1]]
    unknown = asked("similar", "nobody")
    assert unknown.returncode == 1 and "'nobody' has no neighbors" in unknown.stderr and not unknown.stdout
    where = asked("explore", "--print")
    assert where.returncode == 0 and where.stdout.strip() == str(collection.folder / "index.html")
