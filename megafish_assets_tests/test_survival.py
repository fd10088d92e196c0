"""What a night may bring, with real processes: killed workers, daemons and web servers, overlapping backfills, and a
detector's table that is rewritten meanwhile. CI runs the first two with a few kills, `make faults` all with many.
"""

import os
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from itertools import product
from pathlib import Path

import dagster as dg
import polars as pl
import psutil
import pytest
from deltalake import DeltaTable

from megafish_assets.storage.parts import COMMIT_VIDEOS
from megafish_assets_tests.conftest import REPOSITORY, collection_environment
from megafish_assets_tests.deployment import Deployment, kill_if_it_lives, wait_for

KILLS = int(os.environ.get("MEGAFISH_TEST_KILLS", "2"))
ROWS = ["raw_detections", "tracklets", "filtered_detections", "sampled_detections", "small_detections"]
PIXELS = ["crops", "small_crops", "camera_motion"]
CHAIN = [*ROWS, *PIXELS]
STORED = {name: f"detections/{name}" for name in ROWS} | {name: f"crops/{name}" for name in PIXELS}

UNDISTURBED = """
import os
from megafish_assets.orchestration.home import chosen, made_home
made_home(chosen(os.environ, own_collection=True))
import dagster as dg
from megafish_assets.definitions import defs
from megafish_assets.orchestration.materialise import run_step
from megafish_assets.storage.partitions import add_videos
job = defs.resolve_implicit_global_asset_job_def()
keys = {keys!r}
with dg.DagsterInstance.get() as instance:
    add_videos(instance, keys)
    for name in {assets!r}:
        of = () if name == "size_limits" else keys
        assert run_step(job, dg.AssetKey(name), of, instance).success, name
"""


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 short videos and their boxes."""
    folder = tmp_path_factory.mktemp("footage")
    plan = ["--videos", "60", "--frames", "30", "--size", "640x360"]
    subprocess.run([sys.executable, "-m", "megafish_assets.reef", str(folder), *plan], cwd=REPOSITORY, check=True)
    return folder


KEYS = [f"megalab_{number:04d}" for number in range(60)]


def settings(footage: Path) -> dict[str, object]:
    """Of a collection over this footage whose sensor starts nothing by itself."""
    own = {"recordings": footage / "recordings", "inference": footage / "inference"}
    return own | {"backbones": "reef_tiny", "complete_when": "last_frame", "clip_frames": 100_000}


def make(root: Path, footage: Path, keys: list[str], assets: list[str]) -> None:
    """Makes assets one after the other, undisturbed, in a process of its own."""
    code = UNDISTURBED.format(keys=keys, assets=assets)
    environment = collection_environment(root, **settings(footage))
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, env=environment, check=True, capture_output=True)


def tables(root: Path) -> dict[str, pl.DataFrame]:
    stored = {name: pl.read_delta(str(root / "tables" / place)) for name, place in STORED.items()}
    return {
        name: table.sort("video", "frame_id" if name == "camera_motion" else "detection_id")
        for name, table in stored.items()
    }


@pytest.fixture(scope="module")
def undisturbed(footage: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    """The tables of a run that nothing has disturbed."""
    root = tmp_path_factory.mktemp("undisturbed")
    make(root, footage, KEYS, ["raw_detections", "size_limits", *ROWS[1:], "crops"])
    return tables(root)


@pytest.fixture
def collection(tmp_path: Path, footage: Path) -> Deployment:
    """A deployment over the footage, with size limits from all its rows, and none of its other tables."""
    make(tmp_path, footage, KEYS, ["raw_detections", "size_limits"])
    return Deployment(tmp_path, **settings(footage))


def assert_equal(found: dict[str, pl.DataFrame], expected: dict[str, pl.DataFrame]) -> None:
    for name, table in expected.items():
        assert found[name].equals(table), f"{name}: {found[name].height} rows, expected {table.height}"


def commits(instance: dg.DagsterInstance, asset: str, backfill: str) -> dict[str, set[int]]:
    """The Delta versions in which each video was stored by the runs of a backfill."""
    runs = {run.run_id for run in instance.get_runs(dg.RunsFilter(tags={"dagster/backfill": backfill}))}
    found, records = defaultdict(set), instance.fetch_materializations(dg.AssetKey(asset), limit=1000).records
    for record in records:
        if record.run_id in runs:
            found[record.partition_key].add(record.asset_materialization.metadata["delta_version"].value)
    return found


def test_a_worker_killed_at_random_moments_goes_on_where_it_was(
    collection: Deployment, undisturbed: dict[str, pl.DataFrame]
) -> None:
    moments = random.Random(20261123)
    with collection as up, up.instance() as instance:
        killed, backfills = 0, []
        while killed < KILLS:
            if not backfills or up.end_of(backfills[-1]) is not None:
                backfills.append(up.backfill(CHAIN, KEYS, **{"dagster/max_retries": str(10 * KILLS)}))
            worker = wait_for(lambda: next(iter(up.workers()), None) or up.end_of(backfills[-1]), up.log)
            if isinstance(worker, str):
                continue  # it ended before the last kill: another one follows
            try:
                worker.wait(timeout=moments.uniform(2.0, 9.0))
            except psutil.TimeoutExpired:
                killed += kill_if_it_lives(worker)
        assert [up.ended(backfill) for backfill in backfills] == ["COMPLETED_SUCCESS"] * len(backfills), up.log()
        for asset, backfill in product(CHAIN, backfills):
            stored = commits(instance, asset, backfill)
            twice = [video for video, versions in stored.items() if len(versions) > 1]
            # What is stored beside another table is stored again where the kill came between the two.
            allowed = COMMIT_VIDEOS * killed if asset == "camera_motion" else 0
            assert sorted(stored) == KEYS and len(twice) <= allowed, (asset, twice)
    assert_equal(tables(collection.root), undisturbed)


def daemon_and_web_server_are_killed(up: Deployment) -> None:
    up.kill("dagster-daemon", "orchestration.webserver")  # the supervisor starts them again


def the_power_fails_and_comes_back(up: Deployment) -> None:
    up.kill_everything()
    up.start()


@pytest.mark.parametrize(
    "fault", [daemon_and_web_server_are_killed, pytest.param(the_power_fails_and_comes_back, marks=pytest.mark.faults)]
)
def test_a_backfill_ends_by_itself_after(
    fault: Callable[[Deployment], None], collection: Deployment, undisturbed: dict[str, pl.DataFrame]
) -> None:
    with collection as up:
        backfill = up.backfill(CHAIN, KEYS)
        wait_for(lambda: next(iter(up.workers()), None), up.log)
        fault(up)
        assert up.ended(backfill) == "COMPLETED_SUCCESS", up.log()
        assert " - DEBUG - " not in (collection.root / "up.log").read_text()
    assert_equal(tables(collection.root), undisturbed)


@pytest.mark.faults
def test_two_backfills_over_the_same_videos_lose_and_double_no_row(
    collection: Deployment, undisturbed: dict[str, pl.DataFrame]
) -> None:
    with collection as up:
        both = [up.backfill(CHAIN, KEYS[:40]), up.backfill(CHAIN, KEYS[20:])]
        assert [up.ended(backfill) for backfill in both] == ["COMPLETED_SUCCESS"] * 2, up.log()
    assert_equal(tables(collection.root), undisturbed)


@pytest.mark.faults
def test_an_inference_table_that_is_rewritten_meanwhile_gives_one_version_of_each_video(
    collection: Deployment, footage: Path, undisturbed: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    copy = tmp_path / "inference"
    pl.read_delta(str(footage / "inference")).write_delta(str(copy))
    collection.settings["inference"] = copy
    with collection as up:
        backfill, n_rewritten = up.backfill(CHAIN, KEYS), 0
        while up.end_of(backfill) is None:  # the same rows in another order and other files, the old ones gone at once
            rows = pl.read_delta(str(copy)).sample(fraction=1.0, shuffle=True, seed=n_rewritten)
            rows.write_delta(str(copy), mode="overwrite")
            DeltaTable(str(copy)).optimize.compact()
            DeltaTable(str(copy)).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
            n_rewritten += 1
        assert n_rewritten > 20
        if up.end_of(backfill) != "COMPLETED_SUCCESS":
            assert "No such file" in up.errors(), up.errors()
            assert up.ended(up.backfill(CHAIN, KEYS)) == "COMPLETED_SUCCESS", up.log()
    assert_equal(tables(collection.root), undisturbed)
