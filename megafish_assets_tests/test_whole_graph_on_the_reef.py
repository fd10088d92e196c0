"""What `make demo` does, on a smaller reef of another seed, through the same two processes."""

import json
import re
import subprocess
import sys
from itertools import islice
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from benchmarks import kinds
from benchmarks.reef_tiny import labelled_crops, measured
from megafish_assets_tests.conftest import REPOSITORY, bring_up_to_date, collection_environment

N_VIDEOS, N_FRAMES = 10, 90
KIND_TABLES = "kinds", "clusters"


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


def test_it_says_what_it_made_and_where_the_pictures_are(reef: Path) -> None:
    said = (reef / "said.txt").read_text()
    first = re.search(r"to look at first: (.*)", said)
    assert Image.open(first[1]).size[0] == 1280
    lines = said.splitlines()
    assert any(line.startswith("crops") and f"{N_VIDEOS} videos" in line for line in lines)
    raw = pl.read_delta(str(reef / "tables" / "detections" / "raw_detections"))
    n_crops = pl.read_delta(str(reef / "tables" / "crops" / "crops"))["fault"].null_count()
    faulty = raw["fault"].count()
    told = f"{raw.height} detections ({faulty} with a fault)" if faulty else f"{raw.height} detections"
    summary = lines[lines.index("") :]
    assert f"{N_VIDEOS} videos, {told}, {n_crops} crops" in summary
    assert f"montages and plots: {reef / 'figures'}" in summary and "make up" in summary[-1]
    assert (reef / "figures" / "montages_reef_tiny" / "cluster_00_random.png").is_file()
    assert (reef / "figures" / "umap_reef_tiny" / "pairs.png").is_file()


def test_a_second_call_records_and_makes_nothing(reef: Path) -> None:
    videos = {path: path.stat().st_mtime_ns for path in (reef / "recordings").iterdir()}
    record(reef)
    assert {path: path.stat().st_mtime_ns for path in (reef / "recordings").iterdir()} == videos
    finished = bring_up_to_date(reef, "--json", backbones="reef_tiny")
    assert finished.returncode == 0
    assert finished.stdout.count("up to date") == 42
    summary = json.loads(finished.stdout.splitlines()[-1])
    assert summary["n_videos"] == N_VIDEOS and summary["failed"] == []
    clusters = pl.read_delta(str(reef / "tables" / "clusters" / "clusters_reef_tiny"))["cluster"]
    assert summary["backbones"]["reef_tiny"]["n_clusters"] == clusters.filter(clusters >= 0).n_unique()
    assert [line for line in finished.stdout.splitlines() if "to look at first" in line] == []


def test_the_review_alone_is_brought_up_to_date_with_what_it_is_made_from(reef: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "megafish_assets", "review"],
        cwd=REPOSITORY,
        env=collection_environment(reef, backbones="reef_tiny"),
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
    lines = finished.stdout.splitlines()
    made = {line.split()[0] for line in lines if line.endswith("up to date")}
    assert {"crops", "clusters_reef_tiny", "review"} <= made and not {"montages_reef_tiny", "leaderboard"} & made
    page = Path(lines[-1].removeprefix("open in a browser: "))
    assert page == reef / "figures" / "review" / "index.html" and page.is_file()
    tiles = pl.read_delta(str(reef / "tables" / "labels" / "review"))
    crops, small = (
        pl.read_delta(str(reef / "tables" / "crops" / name)).drop_nulls("jpeg") for name in ("crops", "small_crops")
    )
    of_fish = tiles.filter(pl.col("place_id").is_null())  # the others are places of the lens
    assert set(of_fish["tracklet_id"]) == {*crops["tracklet_id"], *small["tracklet_id"]}
    assert set(of_fish.filter(sheet="small")["tracklet_id"]) == set(small["tracklet_id"])


def exported(reef: Path, *names: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "megafish_assets", "export", *names],
        cwd=REPOSITORY,
        env=collection_environment(reef, backbones="reef_tiny"),
        capture_output=True,
        text=True,
    )


def test_exports_are_written_anew_and_what_has_to_be_said_first_is_named(reef: Path) -> None:
    workbook = reef / "exports" / "spreadsheet" / "megafish.xlsx"
    before = workbook.stat().st_mtime_ns
    finished = exported(reef)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert workbook.stat().st_mtime_ns > before and f"written: {workbook.parent}" in finished.stdout
    assert "darwin_core is not written" in finished.stderr and "`licence`" in finished.stderr
    assert not (reef / "exports" / "darwin_core").exists()
    assert "not written: camtrap_dp" in finished.stdout and "Traceback" not in finished.stderr
    annotated = json.loads((reef / "exports/coco/megafish.coco.json").read_text())["annotations"]
    assert len(annotated) > 1000 and "yolo is not written" in finished.stderr  # nobody has named a fish


def test_an_export_that_is_asked_for_by_name_and_refused_is_a_failure(reef: Path) -> None:
    finished = exported(reef, "darwin_core")
    assert finished.returncode == 1 and "the time of day of 10 of the videos" in finished.stderr
    assert "spreadsheet " not in finished.stdout


def test_every_crop_has_a_kind_in_the_reefs_truth(reef: Path) -> None:
    labelled = labelled_crops(reef)
    sampled = pl.read_delta(str(reef / "tables" / "detections" / "sampled_detections"))
    assert set(labelled["detection_id"]) == set(sampled["detection_id"])
    assert labelled["kind"].null_count() == 0
    assert labelled["kind"].n_unique() >= 8


def test_the_embedded_backbone_knows_a_tenth_more_ami_than_an_untrained_one(reef: Path) -> None:
    figures = measured(reef)
    assert figures["ami_gain"] >= 0.10, figures


def test_kinds_keep_their_numbers_while_videos_are_added(reef: Path) -> None:
    *steps, late = islice(kinds.of_the_reef(reef, n_orders=1), 5)
    assert [line["n_videos"] for line in steps] == [7, 10, 9, 10]
    for line in steps:
        assert line["n_kinds"] == line["n_continued"] + line["n_born"] + line["n_split"]
        # As many as any numbering of these clusters keeps, but for what is below the least Jaccard.
        assert 0.5 < line["most_kept_share"] - 0.03 <= line["kept_kind_share"] <= line["most_kept_share"]
        assert line["kept_name_share"] > 0.85
    assert late["withheld"] and 0 <= late["in_born_share"] <= 1


def test_every_tracklet_has_a_kind_in_the_stored_fit_and_the_sheets_bear_it(reef: Path) -> None:
    stored, clusters = (pl.read_delta(str(reef / "tables" / "clusters" / f"{name}_reef_tiny")) for name in KIND_TABLES)
    both = clusters.join(stored, on=["video", "tracklet_id", "cluster"], how="left")
    assert both.filter(pl.col("cluster") >= 0)["kind_id"].null_count() == 0
    assert (reef / "figures" / "kinds_reef_tiny" / "nights.png").is_file()
    assert (reef / "figures" / "kind_tree_reef_tiny" / "tree.png").is_file()
