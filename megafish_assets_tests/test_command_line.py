"""The commands behind `make`: whose settings they take, and a page that runs what is launched from it."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl
import psutil
import pytest
from deltalake import write_deltalake

from megafish_assets.orchestration.upkeep import Marks
from megafish_assets_tests.conftest import FORCED, REPOSITORY, bring_up_to_date, collection_environment
from megafish_assets_tests.deployment import wait_for

PATIENCE_SECONDS = 150
"""The UI's processes start in about 15 s on two idle cores."""

PREPARED = """
import json, os
from megafish_assets.orchestration.home import chosen, made_home
made_home(chosen(os.environ, own_collection={own}))
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


SIZE_PX = (640, 360)


def aquarium(root: Path, real_data: Path, mistake: str) -> None:
    """The real clip with its detector's boxes, as somebody wrote them who has made one mistake."""
    (root / "recordings").mkdir(parents=True)
    shutil.copy(real_data / "aquarium-fish-video" / "fish.mp4", root / "recordings")
    source = pl.read_csv(real_data / "aquarium-fish-video" / "fish_detections.csv")
    numbers = [pl.col(f"{side}_px") * 1024 / SIZE_PX[i % 2] for i, side in enumerate("xywh")]
    x, y, w, h = numbers
    boxes = {
        "source pixels": [pl.col(f"{side}_px") for side in "xywh"],
        "corners": [x, y, x + w, y + h],
        "centres": [x + w / 2, y + h / 2, w, h],
        "shares": [number / 1024 for number in numbers],
    }.get(mistake, numbers)
    table = source.select(
        pl.lit("day1/fish.mp4" if mistake == "another folder" else "fish.mp4").alias("video_file"),
        (pl.col("frame_id") + (mistake == "frames from 1")).alias("frame_id"),
        pl.concat_list(boxes).alias("box"),
        "score",
    )
    write_deltalake(str(root / "inference"), table.to_arrow())


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ("source pixels", "in px of the video.*b(0) * 1024 / 640, b(1) * 1024 / 360"),
        ("corners", "fit as [x1, y1, x2, y2] in the frame stretched.*(b(2) - b(0))"),
        ("centres", "fit as [centre x, centre y, w, h].*(b(0) - b(2) / 2)"),
        ("shares", "shares of the frame, 0 to 1.*b(0) * 1024 / 1"),
        ("frames from 1", "the frame ids count from 1.*pl.col('frame_id') - 1"),
        ("another folder", "1 of 1 video files are not there: 'day1/fish.mp4'.*{root}/recordings/day1/fish.mp4"),
        ("no weights", "no weights for backbone mobilenetv2.*MEGAFISH_WEIGHTS"),
    ],
)
def test_a_mistake_that_everybody_makes_is_told_before_anything_is_made(
    tmp_path: Path, real_data: Path, mistake: str, said: str
) -> None:
    aquarium(tmp_path, real_data, mistake)
    weights = tmp_path if mistake == "no weights" else real_data / "mobilenetv2-imagenet"
    finished = bring_up_to_date(tmp_path, backbones="mobilenetv2", weights=weights)
    assert finished.returncode == 1
    pattern = ".*".join(re.escape(part) for part in said.format(root=tmp_path).split(".*"))
    assert re.search(pattern, finished.stderr, re.DOTALL), finished.stderr
    assert "Traceback" not in finished.stderr
    assert not (tmp_path / "tables").exists() and not (tmp_path / "dagster").exists()


def test_the_first_stage_that_has_nothing_says_so_with_its_numbers(tmp_path: Path, real_data: Path) -> None:
    aquarium(tmp_path, real_data, "none")
    places = np.random.default_rng(0).random((300, 2)) * 1010
    tiny = pl.DataFrame(
        {
            "video_file": ["fish.mp4"] * 300,
            "frame_id": list(range(300)),
            "box": [[x, y, 10 + y / 1000, 10 + x / 1000] for x, y in places.tolist()],
            "score": [0.5] * 300,
        }
    )
    write_deltalake(str(tmp_path / "inference"), tiny.to_arrow(), mode="overwrite")
    finished = bring_up_to_date(tmp_path, "--json", backbones="reef_tiny")
    assert finished.returncode == 1
    assert re.search(r"filtered_detections +has no rows, of 300 in raw_detections", finished.stdout)
    assert re.search(r"embeddings_reef_tiny +left out", finished.stdout)
    failed = json.loads(finished.stdout.splitlines()[-1])["failed"]
    assert {"filtered_detections", "crops", "embeddings_reef_tiny", "montages_reef_tiny"} <= set(failed)


def test_what_is_wanted_again_stays_so_until_it_is_made(tmp_path: Path) -> None:
    marks = Marks(tmp_path / "marks")
    assert marks.kept() == {}
    marks.keep({dg.AssetKey("crops"): 7, dg.AssetKey("pca_vit"): 7})
    assert Marks(tmp_path / "marks").kept() == {dg.AssetKey("crops"): 7, dg.AssetKey("pca_vit"): 7}
    marks.keep({})
    assert marks.kept() == {}


def command(name: str, environment: dict[str, str]) -> subprocess.CompletedProcess:
    words = [sys.executable, "-m", "megafish_assets", name]
    return subprocess.run(words, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=100)


def test_the_page_of_a_mistyped_root_is_refused_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = command("up", collection_environment(tmp_path / "typo"))
    assert done.returncode == 1 and f"no folder {tmp_path}/typo" in done.stderr
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize(
    ("knobs", "settings", "said"),
    [("[clusters]\nk = 1\n", {}, r"megafish.toml: \[clusters\] k = 1"), ("", {"backbones": "vti"}, "vti")],
)
def test_a_page_that_could_not_be_served_is_refused_in_a_sentence(
    tmp_path: Path, knobs: str, settings: dict[str, str], said: str
) -> None:
    (tmp_path / "megafish.toml").write_text(knobs)
    done = command("up", collection_environment(tmp_path, **settings))
    assert done.returncode == 1 and re.search(said, done.stderr)
    assert "Traceback" not in done.stderr and "code server" not in done.stdout


def test_a_look_says_what_a_run_would_refuse_and_makes_nothing(tmp_path: Path, real_data: Path) -> None:
    aquarium(tmp_path, real_data, "source pixels")
    done = command("check", collection_environment(tmp_path, backbones="reef_tiny"))
    assert done.returncode == 1 and "px of the video" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inference", "recordings"]


def test_a_refusal_is_json_too_where_json_is_asked_for(tmp_path: Path) -> None:
    finished = bring_up_to_date(tmp_path, "--json", backbones="reef_tiny")
    assert finished.returncode == 1
    assert json.loads(finished.stdout.splitlines()[-1])["refused"] == finished.stderr.strip()


def test_an_export_that_does_not_exist_is_one_line_with_those_that_do(tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "megafish_assets", "export", "clusters"],
        cwd=REPOSITORY,
        env=collection_environment(tmp_path),
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 1
    assert finished.stderr.startswith("no export 'clusters', out of: spreadsheet, darwin_core, camtrap_dp")


def test_a_package_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "cv2.py").write_text("raise ModuleNotFoundError(\"No module named 'cv2'\", name='cv2')")
    done = command("check", collection_environment(tmp_path) | {"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr.strip() == "No module named 'cv2': run make again, or pip install -e ."


def test_a_mistyped_root_leaves_nothing_behind(tmp_path: Path) -> None:
    assert bring_up_to_date(tmp_path / "typo").returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_a_relative_root_is_meant_from_where_the_person_stands(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "megafish_assets", "materialise"]
    environment = collection_environment(Path("here"))
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert f"expected a Delta table at {tmp_path}/here/inference" in done.stderr
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", REPOSITORY, "materialise"],
        cwd=tmp_path,
        env=environment | {"PWD": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert f"expected a Delta table at {tmp_path}/here/inference" in done.stderr


def test_ctrl_c_stops_at_once_with_every_child_and_the_same_command_goes_on(tmp_path: Path) -> None:
    plan = ["--videos", "2", "--frames", "60", "--size", "640x360"]
    reef = [sys.executable, "-m", "megafish_assets.reef", str(tmp_path), *plan]
    subprocess.run(reef, cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)
    command = subprocess.Popen(
        [sys.executable, "-m", "megafish_assets", "materialise"],
        cwd=REPOSITORY,
        env=collection_environment(tmp_path, backbones="reef_tiny"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in command.stdout:
        if line.startswith("raw_detections"):
            break
    children = psutil.Process(command.pid).children(recursive=True)
    assert children
    command.send_signal(signal.SIGINT)
    rest, said = command.communicate(timeout=10)
    assert command.returncode == 130
    assert said.endswith("stopped: what is done stays, and `materialise` goes on from there\n")
    assert "FAILED" not in said + rest and "Traceback" not in said
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)
    finished = bring_up_to_date(tmp_path, backbones="reef_tiny")
    assert finished.returncode == 0, finished.stderr
    assert re.search(r"raw_detections +up to date", finished.stdout)


def test_the_storage_is_for_nobody_else_to_read(tmp_path: Path) -> None:
    prepared(collection_environment(tmp_path, backbones="vit"), own=True)
    assert (tmp_path / "dagster").stat().st_mode & 0o777 == 0o700


@pytest.fixture(scope="module")
def two_videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection of which nothing is made."""
    root = tmp_path_factory.mktemp("two")
    rows = {
        "video_file": ["b.mp4", "a.mp4"],
        "frame_id": [0, 0],
        "box": [[1.0, 2.0, 40.0, 50.0]] * 2,
        "score": [0.5, 0.6],
    }
    write_deltalake(str(root / "inference"), pl.DataFrame(rows).to_arrow())
    return root


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture(scope="module")
def page(two_videos: Path) -> Iterator[str]:
    """`python -m megafish_assets up`, with a proxy's name; the address of its GraphQL."""
    port = free_port()
    with (two_videos / "page.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "megafish_assets", "up", "--port", str(port)],
            cwd=REPOSITORY,
            env=collection_environment(two_videos, backbones="reef_tiny", hosts="fish.example.org"),
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


def test_what_is_launched_from_the_page_runs(page: str, two_videos: Path) -> None:
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
    assert done["runOrError"]["status"] == "SUCCESS", (two_videos / "page.log").read_text()[-3000:]
    keys = ask(
        page, '{ assetNodeOrError(assetKey: {path: ["raw_detections"]}) { ... on AssetNode { partitionKeys } } }'
    )
    assert keys["assetNodeOrError"]["partitionKeys"] == ["a", "b"]


NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
WHOLE = (
    "user root; pid {folder}/pid; error_log {folder}/log; events {{}} http {{ access_log off; include {folder}/site; }}"
)
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==",
    "Sec-WebSocket-Protocol": "graphql-ws",
}


@pytest.fixture(scope="module")
def proxy(page: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """nginx as `docs/nginx.conf` has it, before the UI; its port."""
    if NGINX is None:
        pytest.fail("no nginx") if FORCED else pytest.skip("no nginx")
    eventually(page, "{ version }", lambda answer: answer["version"])
    folder, port = tmp_path_factory.mktemp("proxy"), free_port()
    secret = subprocess.run(["openssl", "passwd", "-6", "sesame"], capture_output=True, text=True, check=True).stdout
    (folder / "passwords").write_text(f"ada:{secret}")
    site = (REPOSITORY / "docs" / "nginx.conf").read_text().replace("listen 80;", f"listen 127.0.0.1:{port};")
    site = site.replace("http://127.0.0.1:3000", page.removesuffix("/graphql"))
    (folder / "site").write_text(site.replace("/etc/nginx/megafish.passwords", f"{folder}/passwords"))
    (folder / "nginx.conf").write_text(WHOLE.format(folder=folder))
    process = subprocess.Popen([NGINX, "-c", folder / "nginx.conf", "-g", "daemon off;"])
    try:
        wait_for(lambda: (folder / "pid").exists() or process.poll() is not None or None, lambda: "nginx has no pid")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def status(port: int, path: str, secret: str | None, method: str = "GET", body: str = "", **headers: str) -> int:
    """What a request to the proxy is answered with."""
    given = {"Host": "fish.example.org"} | {name.replace("_", "-"): value for name, value in headers.items()}
    if secret is not None:
        given["Authorization"] = f"Basic {b64encode(f'ada:{secret}'.encode()).decode()}"
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request(method, path, body, given)
        return connection.getresponse().status


def test_the_proxy_of_the_documents_asks_for_a_password_and_gives_the_page(proxy: int, page: str) -> None:
    assert status(proxy, "/", None) == status(proxy, "/", "guessed") == 401
    assert status(proxy, "/server_info", "sesame") == 200
    asked = {"method": "POST", "body": json.dumps({"query": "{ version }"}), "Content_Type": "application/json"}
    assert status(proxy, "/graphql", "sesame", Origin="http://fish.example.org", **asked) == 200
    assert status(proxy, "/graphql", "sesame", Origin="http://evil.example", **asked) == 403
    assert status(proxy, "/graphql", "sesame", Origin="http://fish.example.org", **HANDSHAKE) == 101
    assert status(proxy, "/graphql", "sesame", Origin="http://evil.example", **HANDSHAKE) == 403
    # Without the proxy, a page that has its own name point to this machine.
    own_port = int(page.split(":")[2].split("/")[0])
    assert status(own_port, "/server_info", None, Host="rebound.example") == 403
    assert status(own_port, "/server_info", None, Host=f"127.0.0.1:{own_port}") == 200
