"""What a write leaves: after one that the disk refuses the last version, after many a log that is soon read."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from megafish_assets.storage.delta import CHECKPOINT_COMMITS, Table, masked
from megafish_assets_tests.conftest import REPOSITORY

WRITE = """
import resource, sys
import numpy as np, polars as pl
from megafish_assets.storage.delta import Table
# No file of this process may pass 64 kB: the kernel then refuses to write on, as it does on a full disk.
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
noise = np.random.default_rng(0).bytes(1_000_000)
frame = pl.DataFrame({"video": ["v2"], "detection_id": ["v2/000000/000"], "blob": [noise]})
Table(sys.argv[1]).replace_partitions(frame, "video", ["v2"])
"""


def test_a_full_disk_leaves_the_table_at_its_last_version(tmp_path: Path) -> None:
    table = Table(str(tmp_path / "t"))
    first = pl.DataFrame({"video": ["v1", "v2"], "detection_id": ["v1/0", "v2/0"], "blob": [b"a", b"b"]})
    table.replace_partitions(first, "video", ["v1", "v2"])
    version = table.open().version()
    done = subprocess.run(
        [sys.executable, "-c", WRITE, table.uri], cwd=REPOSITORY, capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0
    assert "File too large" in done.stderr
    assert table.open().version() == version
    assert table.scan().collect().sort("video").equals(first)
    table.replace_partitions(first.filter(pl.col("video") == "v2"), "video", ["v2"])
    assert table.scan().collect().sort("video").equals(first)


def test_streamed_frames_are_one_commit_and_nothing_is_refused(tmp_path: Path) -> None:
    table = Table(str(tmp_path / "t"))
    version = table.replace_streamed(lambda: (pl.DataFrame({"a": [n, n + 1]}) for n in (0, 2, 4)))
    assert (version, sorted(pl.read_delta(table.uri)["a"])) == (0, [0, 1, 2, 3, 4, 5])
    with pytest.raises(ValueError, match="no rows and no columns"):
        table.replace_streamed(lambda: [])
    assert table.open().version() == 0


def test_a_commit_returns_its_own_version_and_the_log_is_summarised_as_it_grows(tmp_path: Path) -> None:
    table = Table(str(tmp_path / "t"))
    n_commits = 2 * CHECKPOINT_COMMITS + 3
    frames = [pl.DataFrame({"video": [f"v{n}"], "n": [n]}) for n in range(n_commits)]
    versions = [table.replace_partitions(frame, "video", frame["video"].to_list()) for frame in frames]
    assert versions == list(range(1, n_commits + 1))  # the creation is version 0
    log = tmp_path / "t" / "_delta_log"
    last = json.loads((log / "_last_checkpoint").read_text())["version"]
    assert n_commits - CHECKPOINT_COMMITS < last <= n_commits
    assert table.scan().collect()["n"].sort().to_list() == list(range(n_commits))


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("s3://key:canary@host:9000/bucket/t", "s3://key:***@host:9000/bucket/t"),
        ("no table at https://u:canary@host/t?sig=canary&x=1: gone", "no table at https://u:***@host/t?*** gone"),
        ("postgresql+psycopg2://fish:canary@db/fish", "postgresql+psycopg2://fish:***@db/fish"),
        ("s3://AKIA:canary/canary+x@bucket/x", "s3://AKIA:***@bucket/x"),
        ("postgresql://u:canary@canary@host/db", "postgresql://u:***@host/db"),
        ("https://canary@host/x", "https://***@host/x"),
        ("s3://me@corp:canary@host/p", "s3://***:***@host/p"),
        ("https://canary@host:8080/a@b", "https://***:***@b"),
        ("https://host/t#token=canary", "https://host/t#***"),
        ("AccountName=fish;AccountKey=canary+/==;Suffix=x", "AccountName=fish;AccountKey=***;Suffix=x"),
        ("secret=canary password=canary, sig=canary", "secret=*** password=***, sig=***"),
        (
            "{'aws_secret_access_key': 'canary', \"token\": canary, n",
            "{'aws_secret_access_key': '***', \"token\": ***, n",
        ),
        ("password: canary", "password: ***"),
        ("no rows of partition_key=reef_0001", "no rows of partition_key=reef_0001"),
        ("s3://bucket/a@b", "s3://bucket/a@b"),
        ("/data/reef/t?x", "/data/reef/t?x"),
    ],
)
def test_an_address_is_shown_without_its_secrets(address: str, shown: str) -> None:
    assert masked(address) == shown


@pytest.mark.parametrize("folder", ["with space", "Übung", "(1)", "a#b", "it's"])
def test_a_table_is_found_again_in_any_folder(tmp_path: Path, folder: str) -> None:
    table = Table(str(tmp_path / folder / "t"))
    rows = pl.DataFrame({"video": ["v1", "v2"], "n": [1, 2]})
    for _ in range(2):
        table.replace_partitions(rows, "video", ["v1", "v2"])
    assert table.scan().sort("video").collect().select("video", "n").equals(rows)
    assert table.delete("video = 'v1'") == 1 and table.scan().collect()["n"].to_list() == [2]
    assert [path.name for path in tmp_path.iterdir()] == [folder]
