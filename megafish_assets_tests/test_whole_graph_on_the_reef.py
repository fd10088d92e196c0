"""What `make demo` does, on a smaller reef of another seed, through the same two processes."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from benchmarks.reef_tiny import labelled_crops, measured
from megafish_assets_tests.conftest import REPOSITORY, bring_up_to_date, collection_environment

N_VIDEOS, N_FRAMES = 10, 90


def record(root: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "megafish_assets.reef", str(root), "--seed", "5"]
    return subprocess.run(
        [*command, "--videos", str(N_VIDEOS), "--frames", str(N_FRAMES)],
        cwd=REPOSITORY,
        env=collection_environment(root),
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.fixture(scope="module")
def reef(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small reef, recorded and materialised with the embedded backbone."""
    root = tmp_path_factory.mktemp("reef")
    record(root)
    finished = bring_up_to_date(root, backbones="reef_tiny")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    (root / "said.txt").write_text(finished.stdout)
    return root


def test_it_says_what_it_made_and_names_the_pictures_that_are_there(reef: Path) -> None:
    lines = (reef / "said.txt").read_text().splitlines()
    assert any(line.startswith("crops") and f"{N_VIDEOS} videos" in line for line in lines)
    named = [Path(line) for line in lines if line.endswith(".png")]
    assert reef / "figures" / "montages" / "reef_tiny" / "cluster_00_random.png" in named
    assert reef / "figures" / "umap" / "reef_tiny" / "pairs.png" in named
    assert all(path.is_file() for path in named)


def test_a_second_call_records_and_makes_nothing(reef: Path) -> None:
    videos = {path: path.stat().st_mtime_ns for path in (reef / "recordings").iterdir()}
    record(reef)
    assert {path: path.stat().st_mtime_ns for path in (reef / "recordings").iterdir()} == videos
    finished = bring_up_to_date(reef, backbones="reef_tiny")
    assert finished.returncode == 0
    assert finished.stdout.count("up to date") == 17


def test_every_crop_has_a_kind_in_the_reefs_truth(reef: Path) -> None:
    labelled = labelled_crops(reef)
    sampled = pl.read_delta(str(reef / "tables" / "detections" / "sampled_detections"))
    assert set(labelled["detection_id"]) == set(sampled["detection_id"])
    assert labelled["kind"].null_count() == 0
    assert labelled["kind"].n_unique() >= 8


def test_the_embedded_backbone_knows_a_tenth_more_ami_than_an_untrained_one(reef: Path) -> None:
    figures = measured(reef)
    assert figures["ami_gain"] >= 0.10, figures
