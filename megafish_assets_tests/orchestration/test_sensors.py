"""The sensors, evaluated at given moments over a real inference table and a real instance."""

import json
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from megafish_assets.detections.assets import (
    INFERENCE,
    filtered_detections,
    raw_detections,
    sampled_detections_asset,
    size_limits_asset,
    tracklets,
)
from megafish_assets.orchestration import sensors
from megafish_assets.orchestration.policy import grouped
from megafish_assets.orchestration.sensors import RETRY_PAUSES_MINUTES, new_videos, retry_set_aside_videos
from megafish_assets.orchestration.sources import Inference
from megafish_assets.storage.partitions import VIDEOS

size_limits, sampled_detections = size_limits_asset(), sampled_detections_asset()


@dg.asset(partitions_def=VIDEOS, deps=[sampled_detections])
def crops() -> None:
    """Stands where the sensors look for crops; their events are written by hand."""


ROWS = [INFERENCE, raw_detections, tracklets, size_limits, filtered_detections, sampled_detections]
DEFS = dg.Definitions(
    assets=[*grouped("detections", ROWS), *grouped("crops", [crops])],
    sensors=[new_videos, retry_set_aside_videos],
    resources={name: dg.ResourceDefinition.none_resource() for name in ("figures", "tables", "recordings", "inference")}
    | {"io_manager": dg.mem_io_manager},
)
CHAIN = {"raw_detections", "tracklets", "filtered_detections", "sampled_detections", "crops"}


class Camera:
    """A detector's table that grows, and an instance that watches it."""

    def __init__(self, root: Path, *signs: str) -> None:
        self.instance, self.place, self.cursor = dg.DagsterInstance.ephemeral(), root / "inference", None
        self.inference = Inference(uri=str(self.place), complete_when=list(signs) or ["later"], frames_per_clip=300)

    def detect(self, *files: str, n: int = 3, last_frame: int = 250) -> None:
        """One commit of rows."""
        frame = {
            "video_file": [file for file in files for _ in range(n)],
            "frame_id": [*range(n - 1), last_frame] * len(files),
            "box": [[1.0, 2.0, 30.0, 40.0]] * (n * len(files)),
            "score": [0.5] * (n * len(files)),
        }
        write_deltalake(str(self.place), pl.DataFrame(frame).to_arrow(), mode="append")

    def tick(self) -> list[dg.SensorResult | dg.SkipReason]:
        """One evaluation of `new_videos`; the backfills that it started."""
        before = {backfill.backfill_id for backfill in self.instance.get_backfills()}
        context = dg.build_sensor_context(self.instance, cursor=self.cursor, definitions=DEFS)
        result = new_videos(context, inference=self.inference)
        if isinstance(result, dg.SensorResult):
            self.cursor = result.cursor
        return [started for started in self.instance.get_backfills() if started.backfill_id not in before]


def targets(backfill) -> dict[str, list[str]]:
    subset = backfill.asset_backfill_data.target_subset
    videos = {
        key.to_user_string(): sorted(keys.get_partition_keys())
        for key, keys in subset.partitions_subsets_by_asset_key.items()
    }
    return videos | {key.to_user_string(): [] for key in subset.non_partitioned_asset_keys}


def test_only_complete_videos_are_started_and_the_first_limits_with_them(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    camera.detect("v2.mp4", "v1.mp4", "v3.mp4")
    (started,) = camera.tick()
    assert targets(started) == {key: ["v1", "v2"] for key in CHAIN} | {"size_limits": []}
    assert camera.instance.get_dynamic_partitions(VIDEOS.name) == ["v1", "v2"]
    assert camera.tick() == []
    camera.detect("v4.mp4")
    (started,) = camera.tick()
    assert targets(started)["crops"] == ["v3"]


def test_a_video_that_is_detected_again_runs_again_once(tmp_path: Path) -> None:
    camera = Camera(tmp_path, "last_frame")
    camera.detect("v1.mp4", "v2.mp4", last_frame=299)
    camera.tick()
    camera.detect("v1.mp4", last_frame=120)
    (again,) = camera.tick()
    assert targets(again)["raw_detections"] == ["v1"]
    assert camera.tick() == []


def test_a_start_that_an_owner_writes_down_runs_its_video_again(tmp_path: Path) -> None:
    camera, table = Camera(tmp_path, "last_frame"), tmp_path / "recordings.csv"
    camera.inference = Inference(uri=str(camera.place), complete_when=["last_frame"], owners_table=str(table))
    camera.detect("v1.mp4", "v2.mp4", last_frame=299)
    camera.tick()
    table.write_text("file,start\nv2.mp4,2024-12-31 13:30:05\n")
    (again,) = camera.tick()
    assert targets(again)["raw_detections"] == ["v2"]
    assert camera.tick() == []


def test_a_video_that_is_set_back_to_what_it_was_runs_again_too(tmp_path: Path) -> None:
    camera = Camera(tmp_path, "last_frame")
    started = []
    for n in (3, 5, 3):
        if camera.place.exists():
            DeltaTable(str(camera.place)).delete()
        camera.detect("v1.mp4", n=n, last_frame=299)
        started += camera.tick()
    assert [targets(backfill)["raw_detections"] for backfill in started] == [["v1"]] * 3


def test_a_video_becomes_complete_by_silence_without_a_new_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = Camera(tmp_path, "quiet")
    camera.detect("v1.mp4")
    assert camera.tick() == []
    import time

    written = time.time()
    monkeypatch.setattr("megafish_assets.orchestration.sources.time.time", lambda: written + 11 * 60)
    (started,) = camera.tick()
    assert targets(started)["crops"] == ["v1"]


def test_five_hundred_videos_after_a_night_without_a_sensor_are_one_backfill(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    camera.detect(*[f"v{n:04d}.mp4" for n in range(501)])
    (started,) = camera.tick()
    assert len(targets(started)["crops"]) == 500
    assert camera.instance.get_dynamic_partitions(VIDEOS.name) == [f"v{n:04d}" for n in range(500)]


def test_a_tick_that_was_cut_off_before_its_cursor_was_kept_starts_nothing_twice(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    camera.detect("v1.mp4", "v2.mp4")
    assert len(camera.tick()) == 1
    camera.cursor = None
    assert camera.tick() == []


def test_a_cursor_stays_short_however_many_videos_there_are(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    camera.detect(*[f"v{n:04d}.mp4" for n in range(301)])
    camera.tick()
    assert json.loads(camera.cursor) == {"version": 0, "waiting": True}


def test_videos_that_were_made_by_other_means_are_not_new(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    camera.detect("v1.mp4", "v2.mp4", "v3.mp4", "v4.mp4")
    camera.instance.add_dynamic_partitions(VIDEOS.name, ["v1", "v2"])
    # Of v2, one row came later; what v3 was made from, its event does not say.
    for key, numbers in (("v1", {"n_arrived": 3}), ("v2", {"n_arrived": 2}), ("v3", {})):
        event = dg.AssetMaterialization("raw_detections", partition=key, metadata=numbers)
        camera.instance.report_runless_asset_event(event)
    (started,) = camera.tick()
    assert targets(started)["raw_detections"] == ["v2", "v3"]


def test_no_table_yet_is_a_sentence_and_two_files_of_one_key_stop_no_other(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    context = dg.build_sensor_context(camera.instance, definitions=DEFS)
    assert "no inference table" in new_videos(context, inference=camera.inference).skip_message
    camera.detect("a b.mp4", "a-b.mp4", "c.mp4", "d.mp4")
    (started,) = camera.tick()
    assert targets(started)["crops"] == ["c"]


class Later:
    """The retry sensor at given minutes."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.instance, self.cursor, self.monkeypatch = dg.DagsterInstance.ephemeral(), None, monkeypatch
        camera = Camera(root)
        camera.detect("bad.mp4", "good.mp4")
        self.inference = camera.inference
        self.instance.add_dynamic_partitions(VIDEOS.name, ["bad", "good"])

    def cut(self, video: str, n_set_aside: int) -> float:
        """A run of crops ends; when."""
        event = dg.AssetMaterialization("crops", partition=video, metadata={"n_set_aside": n_set_aside})
        self.instance.report_runless_asset_event(event)
        return self.instance.fetch_materializations(dg.AssetKey("crops"), limit=1).records[0].timestamp

    def tick(self, now: float) -> list[list[str]]:
        """The videos of each backfill that this moment starts."""
        before = {backfill.backfill_id for backfill in self.instance.get_backfills()}
        self.monkeypatch.setattr(sensors.time, "time", lambda: now)
        result = retry_set_aside_videos(
            dg.build_sensor_context(self.instance, cursor=self.cursor, definitions=DEFS), inference=self.inference
        )
        self.cursor, self.told = result.cursor, result.skip_reason.skip_message
        return [targets(b)["crops"] for b in self.instance.get_backfills() if b.backfill_id not in before]


def test_a_set_aside_video_is_tried_three_times_with_growing_pauses_and_then_left(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    later = Later(tmp_path, monkeypatch)
    later.cut("good", 0)
    failed_at = later.cut("bad", 5)
    for pause in RETRY_PAUSES_MINUTES:
        assert later.tick(failed_at + 60 * pause - 1) == []
        assert later.tick(failed_at + 60 * pause + 1) == [["bad"]]
        assert later.tick(failed_at + 60 * pause + 2) == []  # while it runs
        failed_at = later.cut("bad", 5)
    assert later.tick(failed_at + 1e6) == []
    assert "1 need a person: bad" in later.told


def test_a_set_aside_video_that_is_read_at_last_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    later = Later(tmp_path, monkeypatch)
    failed_at = later.cut("bad", 5)
    assert later.tick(failed_at + 601) == [["bad"]]
    later.cut("bad", 0)
    assert later.tick(failed_at + 1e6) == []
    assert json.loads(later.cursor)["waiting"] == {}


def test_a_set_aside_video_that_left_the_detectors_table_keeps_what_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = Later(tmp_path, monkeypatch)
    failed_at = later.cut("bad", 5)
    DeltaTable(later.inference.uri).delete("video_file = 'bad.mp4'")
    assert later.tick(failed_at + 601) == []
