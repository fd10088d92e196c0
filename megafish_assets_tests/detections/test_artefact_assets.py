"""Places of the lens and what follows from them, through a real Dagster instance and real Delta tables."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from deltalake import write_deltalake

from megafish_assets.detections.artefact_assets import lens_places_asset, not_fish, place_reasons, tracklet_motion
from megafish_assets.detections.assets import (
    INFERENCE,
    filtered_detections,
    raw_detections,
    sampled_detections_asset,
    size_limits_asset,
    tracklets,
)
from megafish_assets.orchestration.policy import grouped
from megafish_assets.orchestration.sources import Inference, Recordings
from megafish_assets.reef.plan import ReefPlan
from megafish_assets.reporting.figures import Figures
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.io_manager import GpuDeltaLakeIOManager
from megafish_assets.storage.partitions import VIDEOS
from megafish_assets_tests.conftest import REPOSITORY, collection_environment
from megafish_assets_tests.detections.reefs import reef_motion, reef_rows, videos

REEF = ReefPlan(videos=8, seed=31)
KEYS = [f"megalab_{number:04d}" for number in range(8)]
MOTION = dg.AssetSpec("camera_motion", partitions_def=VIDEOS)
size_limits, lens_places, sampled_detections = size_limits_asset(), lens_places_asset(), sampled_detections_asset()
ASSETS = [
    *grouped(
        "detections",
        [
            INFERENCE,
            raw_detections,
            tracklets,
            size_limits,
            lens_places,
            filtered_detections,
            sampled_detections,
            place_reasons,
            not_fish,
            tracklet_motion,
        ],
    ),
    *grouped("crops", [MOTION]),
]


class Collection:
    """The reef's boxes and its camera's motion, and the assets over them."""

    def __init__(self, root: Path, instance: dg.DagsterInstance | None = None) -> None:
        self.root, self.instance = root, instance or dg.DagsterInstance.ephemeral()
        boxes = pl.concat([video.inference for video in videos(REEF)])
        write_deltalake(str(root / "inference"), boxes.to_arrow())
        write_deltalake(str(root / "tables/crops/camera_motion"), reef_motion(REEF).to_arrow(), partition_by=["video"])
        self.instance.add_dynamic_partitions(VIDEOS.name, KEYS)
        self.resources = {
            "io_manager": GpuDeltaLakeIOManager(root_uri=str(root / "tables"), device="cpu"),
            "tables": Tables(root=str(root / "tables")),
            "figures": Figures(folder=str(root / "figures")),
            "inference": Inference(uri=str(root / "inference")),
            "recordings": Recordings(folder=str(root / "recordings")),
        }

    def make(self, *assets: dg.AssetsDefinition, keys: list[str] = KEYS, **config: object) -> dg.ExecuteInProcessResult:
        tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
        return dg.materialize(
            ASSETS,
            selection=list(assets),
            instance=self.instance,
            resources=self.resources,
            run_config={"ops": {assets[0].key.path[-1]: {"config": config}}} if config else None,
            tags=tags if any(asset.partitions_def for asset in assets) else None,
        )

    def stored(self, asset: str) -> pl.DataFrame:
        table = pl.read_delta(str(self.root / "tables/detections" / asset))
        return table.join(reef_rows(REEF).select("detection_id", "kind", "track_id"), on="detection_id", how="left")

    def sampled_growth(self) -> int:
        return self.stored("sampled_detections").filter(kind="algae").height

    def version(self) -> str:
        event = self.instance.get_latest_materialization_event(dg.AssetKey("lens_places"))
        return event.asset_materialization.tags["dagster/data_version"]


@pytest.fixture(scope="module")
def rows_made(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    made = Collection(tmp_path_factory.mktemp("reef"))
    made.make(raw_detections, tracklets)
    made.make(size_limits)
    made.make(filtered_detections)
    return made


def test_before_the_first_night_all_is_sampled_and_afterwards_growth_is_left_out(rows_made: Collection) -> None:
    rows_made.make(sampled_detections)
    n_growth = rows_made.sampled_growth()
    assert n_growth > 20
    found = rows_made.make(lens_places)
    numbers = found.asset_materializations_for_node("lens_places")[0].metadata
    assert numbers["n_places"].value == pl.read_delta(str(rows_made.root / "tables/detections/lens_places")).height > 3
    # The samples that stand were made without places, and stay until a person has them made again.
    evaluation = found.get_asset_check_evaluations()[0]
    assert not evaluation.passed and "n_partitions_of_old_places = 8, allowed at most 0" in evaluation.description
    assert rows_made.sampled_growth() == n_growth
    fish = rows_made.stored("sampled_detections")["track_id"].count()
    rows_made.make(sampled_detections)
    assert rows_made.sampled_growth() <= 0.1 * n_growth
    assert rows_made.stored("sampled_detections")["track_id"].count() >= fish
    assert rows_made.make(lens_places).get_asset_check_evaluations()[0].passed
    rows_made.make(sampled_detections, lens_places="keep")
    assert rows_made.sampled_growth() == n_growth


def test_places_keep_their_version_while_they_stay_and_change_with_the_tolerance(rows_made: Collection) -> None:
    rows_made.make(lens_places)
    before = rows_made.version()
    later = pl.concat([video.inference for video in videos(ReefPlan(videos=1, seed=31, first_video=8))])
    write_deltalake(str(rows_made.root / "inference"), later.to_arrow(), mode="append")
    rows_made.instance.add_dynamic_partitions(VIDEOS.name, ["megalab_0008"])
    rows_made.make(raw_detections, keys=["megalab_0008"])
    rows_made.make(lens_places)
    assert rows_made.version() == before
    rows_made.make(lens_places, tolerance=0)
    assert rows_made.version() == before  # the ninth video shows no place that the others don't
    raw = rows_made.root / "tables/detections/raw_detections"
    kept = pl.read_delta(str(raw)).filter(pl.col("x_1024") > 512)
    write_deltalake(str(raw), kept.to_arrow(), mode="overwrite")
    rows_made.make(lens_places)
    assert rows_made.version() != before


def test_a_place_that_a_person_called_a_fish_is_one_until_he_says_otherwise(tmp_path: Path) -> None:
    collection = Collection(tmp_path)
    collection.make(raw_detections)
    collection.make(lens_places)
    place = pl.read_delta(str(tmp_path / "tables/detections/lens_places")).row(0, named=True)
    n_places = pl.read_delta(str(tmp_path / "tables/detections/lens_places")).height
    box = [place[side] for side in ("x_1024", "y_1024", "width_1024", "height_1024")]

    def say(status: str, day: int) -> int:
        said = {
            "place_id": ["p009"],
            "box": [box],
            "status": [status],
            "labelled_at": [datetime(2026, 1, day, tzinfo=UTC)],
        }
        write_deltalake(str(tmp_path / "tables/labels/labels"), pl.DataFrame(said).to_arrow(), mode="append")
        collection.make(lens_places, tolerance=1)  # whatever comes or goes, but for what people say
        return pl.read_delta(str(tmp_path / "tables/detections/lens_places")).height

    before = collection.version()
    assert say("approved", 1) == n_places - 1 and collection.version() != before
    assert say("not_fish", 2) == n_places and collection.version() == before


def test_every_valid_row_has_its_verdict_and_every_tracklet_its_motion(tmp_path: Path) -> None:
    collection = Collection(tmp_path)
    collection.make(raw_detections, tracklets)
    result = collection.make(not_fish, tracklet_motion)
    found = collection.stored("not_fish")
    assert set(found["reason"].drop_nulls()) == {"wiper"} and found["lens_score"].null_count() == found.height
    assert all(evaluation.passed for evaluation in result.get_asset_check_evaluations())
    collection.make(lens_places)
    collection.make(place_reasons)
    result = collection.make(not_fish)
    found = collection.stored("not_fish")
    assert found.height == reef_rows(REEF).height == found["lens_score"].count()
    assert set(found["reason"].drop_nulls()) == {"wiper", "on_lens"}
    motion = pl.read_delta(str(tmp_path / "tables/detections/tracklet_motion"))
    of_tracklets = pl.read_delta(str(tmp_path / "tables/detections/tracklets"))["tracklet_id"]
    assert sorted(motion["tracklet_id"]) == sorted(of_tracklets.unique())
    numbers = [event.metadata for event in result.asset_materializations_for_node("not_fish")]
    assert max(event["wiped_share"].value for event in numbers) > 0.05


def test_all_videos_say_the_same_of_a_place_however_much_was_known_when_each_was_made(tmp_path: Path) -> None:
    collection = Collection(tmp_path)
    motion = tmp_path / "tables/crops/camera_motion"
    all_motion = pl.read_delta(str(motion))
    write_deltalake(str(motion), all_motion.clear().to_arrow(), mode="overwrite")
    collection.make(raw_detections, tracklets)
    collection.make(lens_places)
    places_before = collection.version()
    collection.make(place_reasons)
    # The camera's motion comes video by video; what is made meanwhile takes the reasons that were stored last.
    for last in (1, 3):
        known = all_motion.filter(pl.col("video").is_in(KEYS[: last + 1]))
        write_deltalake(str(motion), known.to_arrow(), mode="overwrite")
        collection.make(not_fish, keys=KEYS[last - 1 : last + 1])
    assert set(collection.stored("not_fish").drop_nulls("place_id")["reason"]) - {"wiper"} == {"fixed"}
    numbers = collection.make(place_reasons)
    evaluation = numbers.get_asset_check_evaluations()[0]
    assert not evaluation.passed and "n_partitions_of_old_reasons = 4, allowed at most 0" in evaluation.description
    collection.make(not_fish)
    assert set(collection.stored("not_fish").drop_nulls("place_id")["reason"]) - {"wiper"} == {"on_lens"}
    again = collection.make(place_reasons)
    assert again.get_asset_check_evaluations()[0].metadata["n_partitions_of_old_reasons"].value == 0
    collection.make(lens_places)
    assert collection.version() == places_before


def test_one_job_makes_again_what_was_made_with_other_places_and_leaves_the_filter_alone(tmp_path: Path) -> None:
    """The job runs in a process of its own, as it does when it is launched from the UI."""
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").symlink_to(REPOSITORY / "dagster.yaml")
    collection = Collection(tmp_path, dg.DagsterInstance.from_config(str(home)))
    collection.make(raw_detections, tracklets)
    collection.make(size_limits)
    collection.make(filtered_detections)
    collection.make(sampled_detections, keys=KEYS[:3])
    collection.make(lens_places)
    collection.make(sampled_detections, keys=KEYS[3:])
    dagster = [str(Path(sys.executable).with_name("dagster")), "job", "execute", "-j", "restate_filtered"]
    subprocess.run(
        [*dagster, "-m", "megafish_assets.definitions"],
        cwd=REPOSITORY,
        env=collection_environment(tmp_path, backbones="reef_tiny") | {"DAGSTER_HOME": str(home)},
        check=True,
        capture_output=True,
    )
    started = collection.instance.get_backfills()[0].asset_backfill_data.target_subset.partitions_subsets_by_asset_key
    asked = {key.to_user_string(): set(videos.get_partition_keys()) for key, videos in started.items()}
    assert "filtered_detections" not in asked and asked["sampled_detections"] == asked["crops"] == set(KEYS[:3])
