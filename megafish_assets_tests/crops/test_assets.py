"""Broken videos through a real Dagster run: each is set aside with its reason, the others of its range land."""

from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl
import pytest
from deltalake import write_deltalake

from megafish_assets.crops.assets import CROPS_KEY, MOTION_KEY, SMALL_KEY, crops
from megafish_assets.crops.checks import CROPS, SMALL_CROPS
from megafish_assets.detections.assets import (
    INFERENCE,
    filtered_detections,
    raw_detections,
    sampled_detections_asset,
    size_limits_asset,
    small_detections,
    tracklets,
)
from megafish_assets.orchestration.policy import grouped
from megafish_assets.orchestration.sources import Inference, Recordings
from megafish_assets.reef.plan import ReefPlan
from megafish_assets.reef.recording import write_reef
from megafish_assets.reporting.figures import Figures
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.io_manager import GpuDeltaLakeIOManager
from megafish_assets.storage.partitions import VIDEOS

size_limits, sampled_detections = size_limits_asset(), sampled_detections_asset()
ROWS = [INFERENCE, raw_detections, tracklets, size_limits, filtered_detections, sampled_detections, small_detections]
ASSETS = [*grouped("detections", ROWS), *grouped("crops", [crops])]
REASONS = {
    "megalab_0000": None,
    "megalab_0001": "no video file megalab_0001.mp4 in {recordings}",
    "megalab_0002": "FFmpeg cannot open megalab_0002.mp4 as a video: Invalid data found when processing input",
    "megalab_0003": "the video file lies outside the recordings folder",
    "my-video-s": None,
}

NOTHING = "nothing-seen"
"""A video in which the detector saw nothing: a partition without a row in any table."""


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dg.DagsterInstance, dict]:
    """Five videos (sound, missing, no video, outside the folder, odd name) and one without a row; one run for all."""
    root = tmp_path_factory.mktemp("broken")
    write_reef(root, ReefPlan(videos=5, frames=24, size_wh_px=(640, 360), seed=3))
    names = {"megalab_0003.mp4": "../megalab_0003.mp4", "megalab_0004.mp4": "my video's.MP4"}
    detected = pl.read_delta(str(root / "inference")).with_columns(pl.col("video_file").replace(names))
    write_deltalake(str(root / "inference"), detected.to_arrow(), mode="overwrite")
    (root / "recordings" / "megalab_0003.mp4").rename(root / "megalab_0003.mp4")
    (root / "recordings" / "megalab_0004.mp4").rename(root / "recordings" / "my video's.MP4")
    (root / "recordings" / "megalab_0001.mp4").unlink()
    (root / "recordings" / "megalab_0002.mp4").write_text("not a video")
    instance = dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, [*REASONS, NOTHING])
    resources = {
        "io_manager": GpuDeltaLakeIOManager(root_uri=str(root / "tables"), device="cpu"),
        "tables": Tables(root=str(root / "tables")),
        "figures": Figures(folder=str(root / "figures")),
        "inference": Inference(uri=str(root / "inference")),
        "recordings": Recordings(folder=str(root / "recordings"), clip_seconds=10, frames_per_clip=300),
    }
    whole = {"dagster/asset_partition_range_start": "megalab_0000", "dagster/asset_partition_range_end": NOTHING}
    for asset in (
        raw_detections,
        tracklets,
        size_limits,
        filtered_detections,
        sampled_detections,
        small_detections,
        crops,
    ):
        tags = None if asset is size_limits else whole
        result = dg.materialize(ASSETS, selection=[asset], instance=instance, resources=resources, tags=tags)
        assert result.success
    return root, instance, resources


def test_what_cannot_be_cut_is_kept_with_its_reason_and_the_others_land(collection: tuple) -> None:
    root, _, _ = collection
    made = pl.read_delta(str(root / "tables" / "crops" / "crops"))
    sampled = pl.read_delta(str(root / "tables" / "detections" / "sampled_detections"))
    assert set(made["detection_id"]) == set(sampled["detection_id"])
    assert {video: set(rows["fault"]) for (video,), rows in made.partition_by("video", as_dict=True).items()} == {
        video: {reason and reason.format(recordings=root / "recordings")} for video, reason in REASONS.items()
    }
    assert (made["jpeg"].is_null() == made["fault"].is_not_null()).all()


def test_small_fish_are_cut_beside_the_sample_and_stand_in_their_own_table(collection: tuple) -> None:
    root, instance, _ = collection
    small = pl.read_delta(str(root / "tables" / "detections" / "small_detections"))
    made = pl.read_delta(str(root / "tables" / "crops" / "small_crops"))
    crops = pl.read_delta(str(root / "tables" / "crops" / "crops"))
    assert small.height and set(made["detection_id"]) == set(small["detection_id"])
    assert not set(made["tracklet_id"]) & set(crops["tracklet_id"])
    assert set(made.filter(video="megalab_0002")["fault"]) == {REASONS["megalab_0002"]}
    sound = made.filter(video="megalab_0000").join(small, on="detection_id")
    expected = (sound["width_1024"] * 640 / 1024).to_numpy()
    assert (np.abs(sound["width_px"].to_numpy() - expected) <= 2).all() and sound["jpeg"].null_count() == 0
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(
        [dg.AssetCheckKey(SMALL_KEY, SMALL_CROPS.name)]
    )
    assert [record.status.value for record in latest.values()] == ["FAILED"]  # of three files that cannot be read


def test_a_video_without_a_detection_is_an_empty_partition_in_every_table(collection: tuple) -> None:
    _, instance, _ = collection
    rows = [
        asset.key for asset in (raw_detections, tracklets, filtered_detections, sampled_detections, small_detections)
    ]
    for key in (*rows, CROPS_KEY, SMALL_KEY, MOTION_KEY):
        asked = dg.AssetRecordsFilter(key, asset_partitions=[NOTHING])
        event = instance.fetch_materializations(asked, limit=1).records[0].asset_materialization
        assert event.metadata["dagster/partition_row_count"].value == 0


def test_each_broken_video_has_a_warning_of_its_own_and_stops_nothing(collection: tuple) -> None:
    _, instance, _ = collection
    records = instance.get_event_records(dg.EventRecordsFilter(dg.DagsterEventType.ASSET_CHECK_EVALUATION))
    found = [record.event_log_entry.dagster_event.event_specific_data for record in records]
    of_crops = {evaluation.partition: evaluation for evaluation in found if evaluation.asset_key.path == ["crops"]}
    assert {key: of_crops[key].passed for key in REASONS} == {key: reason is None for key, reason in REASONS.items()}
    assert of_crops["megalab_0001"].metadata["set_aside_share"].value == 1.0
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(
        [dg.AssetCheckKey(CROPS_KEY, CROPS.name)]
    )
    assert [record.status.value for record in latest.values()] == ["FAILED"]  # which is what the UI shows of the asset
    assert not of_crops[None].passed and of_crops[None].severity == dg.AssetCheckSeverity.WARN
    assert "3 of 6 videos: megalab_0001, megalab_0002, megalab_0003" in of_crops[None].description


def test_a_mended_video_is_cut_in_a_run_of_its_own_and_leaves_the_others(collection: tuple) -> None:
    root, instance, resources = collection
    before = pl.read_delta(str(root / "tables" / "crops" / "crops")).filter(pl.col("video") != "megalab_0001")
    (root / "recordings" / "megalab_0001.mp4").write_bytes((root / "recordings" / "megalab_0000.mp4").read_bytes())
    assert dg.materialize(
        ASSETS, selection=[crops], instance=instance, resources=resources, partition_key="megalab_0001"
    ).success
    after = pl.read_delta(str(root / "tables" / "crops" / "crops"))
    assert after.filter(pl.col("video") == "megalab_0001")["fault"].null_count() > 0
    assert after.filter(pl.col("video") != "megalab_0001").sort("detection_id").equals(before.sort("detection_id"))
