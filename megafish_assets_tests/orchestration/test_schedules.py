"""Nights: the gate before the fitted assets, the schedule, the care of the tables, and the removal of videos."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import polars as pl
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator
from deltalake import DeltaTable

from megafish_assets.embeddings.checks import READY
from megafish_assets.embeddings.measures import readiness
from megafish_assets.orchestration.jobs import remove_videos
from megafish_assets.orchestration.knobs import Knobs
from megafish_assets.orchestration.schedules import nightly, table_maintenance
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.delta import Table
from megafish_assets.storage.partitions import VIDEOS
from megafish_assets_tests.conftest import REPOSITORY, bring_up_to_date, collection_environment


def frame(ids: str, **columns: list) -> pl.LazyFrame:
    return pl.DataFrame({"detection_id": list(ids)} | columns).lazy()


def broken_rows(
    raw="abcdef", filtered="abcd", sampled="abc", tracked="abcde", crops="abc", vectors="ab", aside="c", infinite=""
) -> dict:
    """The gate's numbers that are not 0; ids are single letters."""
    faults = [None if letter != "f" else "box has no size" for letter in raw]
    cut = [None if letter not in aside else "frame can't be decoded" for letter in crops]
    numbers = [[float("inf") if letter in infinite else 1.0, 2.0] for letter in vectors]
    found = readiness(
        raw=frame(raw, fault=pl.Series(faults, dtype=pl.String)),
        filtered=frame(filtered),
        sampled=frame(sampled),
        tracklets=frame(tracked),
        crops=frame(crops, fault=pl.Series(cut, dtype=pl.String)),
        vectors=frame(vectors, vector=pl.Series(numbers, dtype=pl.List(pl.Float32))),
    )
    assert found.keys() | {"n_missing_videos"} == READY.limits.keys()
    return {name: number for name, number in found.items() if number}


@pytest.mark.parametrize(
    ("broken", "seen"),
    [
        ({}, {}),
        ({"raw": "abcdeff"}, {"n_repeated_raw_ids": 1}),
        ({"raw": "bcdef"}, {"n_filtered_without_valid_row": 1}),
        ({"filtered": "abcdf"}, {"n_filtered_without_valid_row": 1}),
        ({"filtered": "abd"}, {"n_sampled_without_filtered_row": 1}),
        ({"tracked": "ab"}, {"n_sampled_without_tracklet": 1}),
        ({"crops": "ab"}, {"n_sampled_without_crop_row": 1}),
        ({"crops": "abcd", "aside": "cd"}, {"n_crop_rows_without_sample": 1}),
        ({"vectors": "a"}, {"n_crops_without_vector": 1}),
        ({"vectors": "abc"}, {"n_vectors_without_crop": 1}),
        ({"vectors": "abb"}, {"n_repeated_vector_ids": 1}),
        ({"infinite": "b"}, {"n_nonfinite_rows": 1}),
    ],
)
def test_rows_that_the_stage_before_cannot_answer_for_are_counted(broken: dict, seen: dict) -> None:
    assert broken_rows(**broken) == seen


@dg.job
def analysis() -> None:
    pass


SCHEDULE = nightly(analysis, Knobs("").cron("nightly"), "Europe/Lisbon")


def ticks(month: int, day: int) -> list[datetime]:
    """The moments of two days in which the schedule fires, from a local midnight."""
    start = datetime(2026, month, day, tzinfo=ZoneInfo("Europe/Lisbon")).timestamp()
    moments = schedule_execution_time_iterator(start, SCHEDULE.cron_schedule, SCHEDULE.execution_timezone)
    return [next(moments), next(moments)]


@pytest.mark.parametrize(("month", "day"), [(3, 29), (10, 25), (7, 1)], ids=["spring", "autumn", "summer"])
def test_a_night_with_or_without_a_change_of_clocks_has_one_run(month: int, day: int) -> None:
    first, second = (moment.astimezone(ZoneInfo("Europe/Lisbon")) for moment in ticks(month, day))
    assert (first.day, second.day) == (day, day + 1)
    # On the spring night 01:00 becomes 02:00; 02:00 itself exists in Lisbon on all of them.
    assert first.hour == second.hour == 2 and first.astimezone(UTC) < second.astimezone(UTC)


def test_a_night_that_is_still_at_work_keeps_the_next_one_out(tmp_path: Path) -> None:
    instance = dg.DagsterInstance.local_temp(str(tmp_path))

    def tick() -> list:
        context = dg.build_schedule_context(instance, scheduled_execution_time=datetime(2026, 7, 1, 2, tzinfo=UTC))
        return SCHEDULE.evaluate_tick(context).run_requests

    assert len(tick()) == 1
    run = instance.create_run_for_job(analysis)
    instance.report_dagster_event(dg.DagsterEvent("PIPELINE_START", analysis.name), run_id=run.run_id)
    assert tick() == []
    instance.report_run_failed(run)
    assert len(tick()) == 1


def stored(root: Path) -> Tables:
    """Two tables with a column `video`, written video by video, and one without."""
    for name in ("detections/rows", "clusters/groups/b"):
        for video in ("a", "b", "c"):
            rows = pl.DataFrame({"video": [video] * 2, "detection_id": [f"{video}/0", f"{video}/1"]})
            Table(f"{root}/{name}").replace_partitions(rows, "video", [video])
    Table(f"{root}/clusters/sweep").replace(pl.DataFrame({"k": [2, 3]}))
    return Tables(root=str(root))


def test_removed_videos_are_in_no_table_and_no_partition(tmp_path: Path) -> None:
    tables, instance = stored(tmp_path), dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, ["a", "b", "c"])

    def remove(*videos: str) -> dg.ExecuteInProcessResult:
        config = {"ops": {"delete_videos": {"config": {"videos": list(videos)}}}}
        return remove_videos.execute_in_process(
            run_config=config, resources={"tables": tables}, instance=instance, raise_on_error=False
        )

    assert not remove("a", "not there").success
    assert remove("a", "c").success
    assert instance.get_dynamic_partitions(VIDEOS.name) == ["b"]
    for name in ("detections/rows", "clusters/groups/b"):
        assert set(pl.read_delta(f"{tmp_path}/{name}")["video"]) == {"b"}
    assert pl.read_delta(f"{tmp_path}/clusters/sweep").height == 2


def test_maintenance_merges_files_and_changes_no_row(tmp_path: Path) -> None:
    tables = stored(tmp_path)
    for _ in range(3):
        Table(f"{tmp_path}/clusters/sweep").replace(pl.DataFrame({"k": [2, 3]}))
    before = pl.read_delta(f"{tmp_path}/detections/rows").sort("detection_id")
    assert table_maintenance.execute_in_process(resources={"tables": tables}).success
    assert pl.read_delta(f"{tmp_path}/detections/rows").sort("detection_id").equals(before)
    assert (tmp_path / "detections/rows/_delta_log/_last_checkpoint").exists()
    # Files of a week are kept for whoever reads them now.
    assert DeltaTable(f"{tmp_path}/clusters/sweep", version=0).to_pyarrow_table().num_rows == 2


NIGHT = """
import os
from megafish_assets.orchestration.home import chosen, made_home
made_home(chosen(os.environ, own_collection=True))
import dagster as dg
from megafish_assets.definitions import defs
with dg.DagsterInstance.get() as instance:
    result = defs.resolve_job_def("nightly_analysis").execute_in_process(instance=instance, raise_on_error=False)
    for event in result.all_events:
        if event.is_step_failure or event.event_type_value in ("STEP_SUCCESS", "STEP_SKIPPED"):
            print(event.event_type_value, event.step_key)
    for check in result.get_asset_check_evaluations():
        print("CHECK", check.check_name, check.passed, check.description)
"""


def night(root: Path) -> str:
    environment = collection_environment(root, backbones="reef_tiny")
    done = subprocess.run(
        [sys.executable, "-c", NIGHT], cwd=REPOSITORY, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_broken_raw_rows_keep_the_night_from_fitting_and_a_missing_video_does_not(tmp_path: Path) -> None:
    plan = ["--videos", "4", "--frames", "60", "--size", "640x360"]
    subprocess.run([sys.executable, "-m", "megafish_assets.reef", str(tmp_path), *plan], cwd=REPOSITORY, check=True)
    finished = bring_up_to_date(tmp_path, backbones="reef_tiny")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster")) as instance:
        instance.add_dynamic_partitions(VIDEOS.name, ["megalab_9999"])
    told = night(tmp_path)
    assert "STEP_SUCCESS pca_reef_tiny" in told and "STEP_SUCCESS montages_reef_tiny" in told
    assert "CHECK ready_for_analysis False n_missing_videos = 1, allowed at most 0" in told
    sample = tmp_path / "tables" / "detections" / "sampled_detections"
    before = pl.read_delta(str(sample))
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster")) as instance:  # a video sampled anew, not yet cut
        instance.report_runless_asset_event(dg.AssetMaterialization("sampled_detections", partition="megalab_0001"))
    before.filter(pl.col("video") != "megalab_0001").write_delta(str(sample), mode="overwrite")
    told = night(tmp_path)
    assert "CHECK ready_for_analysis False n_missing_videos = 2, allowed at most 0" in told
    assert "STEP_SUCCESS pca_reef_tiny" in told and "STEP_FAILURE" not in told
    raw = tmp_path / "tables" / "detections" / "raw_detections"
    rows = pl.read_delta(str(raw))
    again = rows.filter(pl.col("video") == "megalab_0000").head(1)  # a table has no order, and 0001 is on its way
    pl.concat([rows, again]).write_delta(str(raw), mode="overwrite")
    told = night(tmp_path)
    assert "n_repeated_raw_ids = 1, allowed at most 0" in told
    assert "STEP_SUCCESS size_limits" in told and "STEP_SUCCESS pca_reef_tiny" not in told
    assert "STEP_SUCCESS montages_reef_tiny" not in told
