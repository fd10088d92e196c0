"""The row assets through a real Dagster instance and real Delta tables."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl
import pytest
from deltalake import write_deltalake

from megafish_assets.detections.assets import (
    INFERENCE,
    filtered_detections,
    raw_detections,
    sampled_detections_asset,
    size_limits_asset,
    tracklets,
)
from megafish_assets.orchestration.jobs import register_videos
from megafish_assets.orchestration.policy import grouped
from megafish_assets.orchestration.sources import Inference, Recordings
from megafish_assets.reporting.figures import Figures
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.delta import MissingTableError
from megafish_assets.storage.io_manager import GpuDeltaLakeIOManager
from megafish_assets.storage.partitions import VIDEOS
from megafish_assets_tests.conftest import REPOSITORY, collection_environment

size_limits, sampled_detections = size_limits_asset(), sampled_detections_asset()
ASSETS = grouped(
    "detections", [INFERENCE, raw_detections, tracklets, size_limits, filtered_detections, sampled_detections]
)


class Collection:
    """An inference table, a Dagster instance, and the row assets over them."""

    def __init__(self, root: Path, instance: dg.DagsterInstance | None = None) -> None:
        self.root, self.instance = root, instance or dg.DagsterInstance.ephemeral()
        self.resources = {
            "io_manager": GpuDeltaLakeIOManager(root_uri=str(root / "tables"), device="cpu"),
            "tables": Tables(root=str(root / "tables")),
            "figures": Figures(folder=str(root / "figures")),
            "inference": Inference(uri=str(root / "inference")),
            "recordings": Recordings(folder=str(root), clip_seconds=10, frames_per_clip=300),
        }

    def detect(self, number: int, width_1024: float, n_rows: int = 400) -> None:
        """The detector finishes a video whose boxes are about this wide."""
        rng = np.random.default_rng(number)
        sides = rng.lognormal(np.log(width_1024), 0.3, size=(n_rows, 2))
        box = [[10.0, 20.0, w, h] for w, h in sides]
        frame = pl.DataFrame(
            {
                "video_file": [f"megalab_{number:04d}.mp4"] * n_rows,
                "frame_id": rng.integers(0, 300, n_rows),
                "box": box,
                "score": rng.uniform(0.2, 0.9, n_rows),
            }
        )
        write_deltalake(str(self.root / "inference"), frame.to_arrow(), mode="append")

    def register(self) -> None:
        """What a person starts in the UI once the detector has finished videos."""
        register_videos.execute_in_process(instance=self.instance, resources={"inference": self.resources["inference"]})

    def make(self, asset: dg.AssetsDefinition, *numbers: int, **config: object) -> dg.ExecuteInProcessResult:
        keys = [f"megalab_{number:04d}" for number in numbers]
        name = asset.key.path[-1]
        return dg.materialize(
            ASSETS,
            selection=[asset],
            instance=self.instance,
            resources=self.resources,
            run_config={"ops": {name: {"config": config}}} if config else None,
            tags={"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
            if keys
            else None,
        )

    def limits(self, **config: object) -> tuple[str, str]:
        """Makes size_limits; their version in the table, and the data version on the event."""
        result = self.make(size_limits, **config)
        event = result.asset_materializations_for_node("size_limits")[0]
        stored = pl.read_delta(str(self.root / "tables" / "detections" / "size_limits"))
        return stored["limits_version"][0], event.tags["dagster/data_version"]

    def stored(self, name: str) -> pl.DataFrame:
        return pl.read_delta(str(self.root / "tables" / "detections" / name)).sort("detection_id")


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    made = Collection(tmp_path)
    for number in (2, 0, 1):
        made.detect(number, 60)
    made.register()
    return made


def test_videos_become_partitions_in_sorted_order_and_once(collection: Collection) -> None:
    keys = ["megalab_0000", "megalab_0001", "megalab_0002"]
    assert list(collection.instance.get_dynamic_partitions(VIDEOS.name)) == keys
    collection.detect(1, 60)
    collection.register()
    assert list(collection.instance.get_dynamic_partitions(VIDEOS.name)) == keys


def test_a_range_that_ends_before_it_begins_says_so(collection: Collection) -> None:
    with pytest.raises(ValueError, match="ends before it begins"):
        collection.make(raw_detections, 2, 0)


def test_one_more_video_like_the_others_keeps_the_limits_and_their_data_version(collection: Collection) -> None:
    collection.make(raw_detections, 0, 1, 2)
    first = collection.limits()
    assert first[0] == first[1]
    collection.detect(3, 60)
    collection.register()
    collection.make(raw_detections, 3)
    assert collection.limits() == first
    assert collection.limits(tolerance=0.0) != first


def test_a_video_of_other_sizes_moves_the_limits(collection: Collection) -> None:
    collection.make(raw_detections, 0, 1, 2)
    first = collection.limits()
    collection.detect(3, 300, n_rows=4000)
    collection.register()
    collection.make(raw_detections, 3)
    moved = collection.limits()
    assert moved[0] == moved[1] != first[0]


def test_the_filtered_rows_carry_the_version_of_their_limits_and_the_sample_is_a_tenth(collection: Collection) -> None:
    collection.make(raw_detections, 0, 1, 2)
    version, _ = collection.limits()
    events = collection.make(filtered_detections, 0, 1, 2).asset_materializations_for_node("filtered_detections")
    filtered = collection.stored("filtered_detections")
    assert set(filtered["limits_version"]) == {version}
    kept = {event.partition: event.metadata["kept_share"].value for event in events}
    counts = dict(filtered.group_by("video").len().iter_rows())
    assert kept == {video: pytest.approx(count / 400) for video, count in counts.items()}
    collection.make(tracklets, 0, 2)
    collection.make(sampled_detections, 0, 2, strategy="random")
    sampled = dict(collection.stored("sampled_detections").group_by("video").len().iter_rows())
    assert sampled == {video: count // 10 for video, count in counts.items()}


def test_every_row_has_a_tracklet_and_a_sample_by_tracklet_has_a_row_of_each(collection: Collection) -> None:
    collection.make(raw_detections, 0, 1, 2)
    collection.make(tracklets, 0, 1, 2)
    held = collection.stored("tracklets")
    assert held["detection_id"].equals(collection.stored("raw_detections")["detection_id"])
    collection.limits()
    collection.make(filtered_detections, 0, 1, 2)
    result = collection.make(sampled_detections, 0, 1, 2, strategy="per_tracklet", at_most=2, apart_frames=3)
    assert all(check.passed for check in result.get_asset_check_evaluations())
    drawn, every = (
        collection.stored(name).join(held, on="detection_id") for name in ("sampled_detections", "filtered_detections")
    )
    assert set(drawn["tracklet_id"]) == set(every["tracklet_id"])
    assert drawn.group_by("tracklet_id").len()["len"].max() <= 2


def test_rerunning_one_video_draws_the_same_sample(collection: Collection) -> None:
    collection.make(raw_detections, 0, 1, 2)
    collection.limits()
    collection.make(filtered_detections, 0, 1, 2)
    collection.make(tracklets, 0, 1, 2)
    collection.make(sampled_detections, 0, 1, 2, strategy="random")
    first = collection.stored("sampled_detections")
    collection.make(sampled_detections, 1, strategy="random")
    assert collection.stored("sampled_detections").equals(first)
    collection.make(sampled_detections, 1, strategy="random", seed=7)
    other = collection.stored("sampled_detections")
    assert not other.equals(first) and other.height == first.height


def test_no_inference_table_says_where_it_was_expected_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MissingTableError, match=r"expected a Delta table at .*nowhere.*MEGAFISH_INFERENCE"):
        Inference(uri=str(tmp_path / "nowhere")).arrivals()


def test_partitions_of_older_limits_are_counted_and_one_job_makes_them_and_what_follows_again(tmp_path: Path) -> None:
    """The job runs in a process of its own, as it does when it is launched from the UI."""
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").symlink_to(REPOSITORY / "dagster.yaml")
    collection = Collection(tmp_path, dg.DagsterInstance.from_config(str(home)))
    for number in (0, 1, 2):
        collection.detect(number, 60)
    collection.register()
    collection.make(raw_detections, 0, 1, 2)
    collection.limits()
    collection.make(filtered_detections, 0, 1, 2)
    collection.detect(3, 300, n_rows=4000)
    collection.register()
    collection.make(raw_detections, 3)
    version, _ = collection.limits()
    collection.make(filtered_detections, 3)
    event = collection.make(size_limits).asset_materializations_for_node("size_limits")[0]
    assert event.metadata["n_partitions_of_old_limits"].value == 3
    dagster = [str(Path(sys.executable).with_name("dagster")), "job", "execute", "-j", "restate_filtered"]
    subprocess.run(
        [*dagster, "-m", "megafish_assets.definitions"],
        cwd=REPOSITORY,
        env=collection_environment(tmp_path, backbones="reef_tiny") | {"DAGSTER_HOME": str(home)},
        check=True,
        capture_output=True,
    )
    started = collection.instance.get_backfills()[0].asset_backfill_data.target_subset.partitions_subsets_by_asset_key
    chain = ["filtered_detections", "sampled_detections", "small_detections", "crops", "small_crops", "camera_motion"]
    chain += ["embeddings_reef_tiny", "small_embeddings_reef_tiny"]
    chain += ["not_fish", "tracklet_motion"]  # they follow the pixels' motion
    old = {"megalab_0000", "megalab_0001", "megalab_0002"}  # the current one is left alone
    assert {key.to_user_string(): set(videos.get_partition_keys()) for key, videos in started.items()} == dict.fromkeys(
        chain, old
    )
    collection.make(filtered_detections, 0, 1, 2)
    assert set(collection.stored("filtered_detections")["limits_version"]) == {version}
    event = collection.make(size_limits).asset_materializations_for_node("size_limits")[0]
    assert event.metadata["n_partitions_of_old_limits"].value == 0
