"""The commands behind `make`: whose settings they take, and a page that runs what is launched from it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import polars as pl
import pytest
from deltalake import write_deltalake

from megafish_assets_tests.conftest import REPOSITORY, bring_up_to_date, collection_environment

PATIENCE_SECONDS = 150
"""The page's processes start in about 15 s on two idle cores."""

PREPARED = """
import json, os
from megafish_assets.__main__ import prepare
prepare(own_collection={own})
print(json.dumps({{name: value for name, value in os.environ.items() if name.startswith(("MEGAFISH_", "DAGSTER_"))}}))
"""


def prepared(environment: dict[str, str], own: bool) -> dict[str, str]:
    code = PREPARED.format(own=own)
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_blas_is_told_to_wait_less_before_numpy_is_there() -> None:
    code = (
        "import os, sys, megafish_assets.__main__ as command; assert 'numpy' not in sys.modules; "
        "command.keep_blas_from_spinning(); print(os.environ['OPENBLAS_THREAD_TIMEOUT'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("18", "")


def test_the_demo_takes_none_of_a_users_settings(tmp_path: Path) -> None:
    mine = collection_environment(tmp_path, inference="/mine", recordings="/mine", geometry="squash", backbones="vit")
    demo = REPOSITORY / "data" / "demo"
    assert prepared(mine, own=False) == {
        "MEGAFISH_ROOT": str(demo),
        "MEGAFISH_BACKBONES": "reef_tiny",
        "DAGSTER_HOME": str(demo / "dagster"),
    }


def test_a_collection_keeps_its_settings_and_its_own_storage(tmp_path: Path) -> None:
    root = tmp_path / "mine"
    found = prepared(collection_environment(root, backbones="vit"), own=True)
    assert found["MEGAFISH_BACKBONES"] == "vit"
    assert found["DAGSTER_HOME"] == str(root / "dagster")
    assert (root / "dagster" / "dagster.yaml").read_text() == (REPOSITORY / "dagster.yaml").read_text()


def test_no_inference_table_ends_with_one_clear_sentence(tmp_path: Path) -> None:
    finished = bring_up_to_date(tmp_path)
    assert finished.returncode == 1
    assert f"expected a Delta table at {tmp_path / 'inference'}" in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("name", ["k=v", "a[1]", "hash#q?", "pct%20x"])
def test_a_root_that_delta_would_not_find_again_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    finished = bring_up_to_date(tmp_path / name)
    assert finished.returncode == 1
    assert finished.stderr.startswith("MEGAFISH_ROOT = ") and len(finished.stderr.splitlines()) == 1
    assert not (tmp_path / name).exists()


def test_a_wrong_setting_is_one_line(tmp_path: Path) -> None:
    finished = bring_up_to_date(tmp_path, backbones="resnet50")
    assert finished.returncode == 1
    assert "resnet50" in finished.stderr and len(finished.stderr.splitlines()) == 1


def test_no_recordings_are_said_before_anything_is_made(tmp_path: Path) -> None:
    rows = {"video_file": ["a.mp4"], "frame_id": [0], "box": [[1.0, 2.0, 40.0, 50.0]], "score": [0.5]}
    write_deltalake(str(tmp_path / "inference"), pl.DataFrame(rows).to_arrow())
    finished = bring_up_to_date(tmp_path)
    assert finished.returncode == 1 and "MEGAFISH_RECORDINGS" in finished.stderr
    assert not (tmp_path / "tables").exists()


@pytest.fixture
def page(tmp_path: Path):
    """`python -m megafish_assets up` over a collection of two videos; its address."""
    rows = {
        "video_file": ["b.mp4", "a.mp4"],
        "frame_id": [0, 0],
        "box": [[1.0, 2.0, 40.0, 50.0]] * 2,
        "score": [0.5, 0.6],
    }
    write_deltalake(str(tmp_path / "inference"), pl.DataFrame(rows).to_arrow())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (tmp_path / "page.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "megafish_assets", "up", "--port", str(port)],
            cwd=REPOSITORY,
            env=collection_environment(tmp_path, backbones="reef_tiny"),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield f"http://127.0.0.1:{port}/graphql"
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(timeout=60)


def ask(address: str, query: str, **variables: object) -> dict:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"]


def eventually(address: str, query: str, wanted, **variables: object) -> dict:
    """The first answer that is as wanted."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    answer: object = None
    while time.monotonic() < deadline:
        try:
            answer = ask(address, query, **variables)
            if wanted(answer):
                return answer
        except (urllib.error.URLError, ConnectionError) as not_yet:
            answer = not_yet
    raise AssertionError(f"{query} gave {answer} after {PATIENCE_SECONDS} s")


LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) { __typename ... on LaunchRunSuccess { run { runId } } }
}
"""


def test_what_is_launched_from_the_page_runs(page: str, tmp_path: Path) -> None:
    eventually(
        page,
        "{ repositoriesOrError { __typename ... on RepositoryConnection { nodes { name } } } }",
        lambda answer: answer["repositoriesOrError"].get("nodes"),
    )
    selector = {
        "repositoryLocationName": "megafish",
        "repositoryName": "__repository__",
        "pipelineName": "register_videos",
    }
    launched = ask(page, LAUNCH, params={"selector": selector, "runConfigData": {}, "mode": "default"})
    run = launched["launchRun"]["run"]["runId"]
    status = "query Run($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
    done = eventually(page, status, lambda answer: answer["runOrError"]["status"] in ("SUCCESS", "FAILURE"), id=run)
    assert done["runOrError"]["status"] == "SUCCESS", (tmp_path / "page.log").read_text()[-3000:]
    keys = ask(
        page, '{ assetNodeOrError(assetKey: {path: ["raw_detections"]}) { ... on AssetNode { partitionKeys } } }'
    )
    assert keys["assetNodeOrError"]["partitionKeys"] == ["a", "b"]
