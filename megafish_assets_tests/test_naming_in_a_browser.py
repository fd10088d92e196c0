"""A person names a reef in a browser, his labels are read, and names are there still after more videos have come."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from deltalake import write_deltalake

from megafish_assets.atlas.assets import MontagesConfig
from megafish_assets.atlas.montage import HEADER_PX, draw_sheet, sheet_title
from megafish_assets.crops.batches import decoded_rgb
from megafish_assets.features.fits import kinds_by_cluster
from megafish_assets.features.plots import colour_of
from megafish_assets.reef.plan import ReefPlan
from megafish_assets.reef.recording import write_reef
from megafish_assets.reef.truth import kinds as true_kinds
from megafish_assets_tests.conftest import REPOSITORY, bring_up_to_date, collection_environment
from megafish_assets_tests.labels.test_review_in_browsers import CHROMIUM, expect, name, require, sync_playwright

N_VIDEOS, N_LATE = 7, 3


def table(root: Path, name: str) -> pl.DataFrame:
    return pl.read_delta(str(root / "tables" / name))


def run(root: Path, *arguments: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-m", "megafish_assets", *arguments],
        cwd=REPOSITORY,
        env=collection_environment(root, backbones="reef_tiny"),
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def reef(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten videos of a reef, of which the detector has looked at seven, brought up to date."""
    root = tmp_path_factory.mktemp("named")
    write_reef(root, ReefPlan(videos=N_VIDEOS + N_LATE, frames=90, seed=5))
    detected = pl.read_delta(str(root / "inference"))
    shutil.move(root / "inference", root / "all")
    late = [f"megalab_{number:04d}.mp4" for number in range(N_VIDEOS, N_VIDEOS + N_LATE)]
    first = detected.filter(~pl.col("video_file").is_in(late))
    write_deltalake(str(root / "inference"), first.to_arrow())
    run(root, "materialise")
    return root


def kind_of_truth(root: Path) -> dict[int, str]:
    """What most tracklets of each kind really show."""
    raw, truth = table(root, "detections/raw_detections"), pl.read_delta(str(root / "truth"))
    classes = table(root, "labels/classes_reef_tiny").join(true_kinds(raw, truth), on="detection_id")
    counts = classes.drop_nulls("kind_id").group_by("kind_id", "kind").len().sort("len", "kind", descending=True)
    return dict(counts.unique("kind_id", keep="first", maintain_order=True).select("kind_id", "kind").iter_rows())


@pytest.fixture(scope="module")
def labels_file(reef: Path) -> Path:
    """What a person saves who names every kind after what most of it shows."""
    require(
        *[what for what, there in ((CHROMIUM, shutil.which(CHROMIUM)), ("playwright", sync_playwright)) if not there]
    )
    truth, saved = kind_of_truth(reef), reef / "labels.csv"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--no-first-run"])
        page = chromium.new_context(accept_downloads=True).new_page()
        page.goto((reef / "figures" / "review" / "index.html").as_uri())
        expect(page.locator("#asking")).to_be_visible()
        page.keyboard.type("Ana")
        page.keyboard.press("Enter")
        expect(page.locator("#asking")).to_be_hidden()
        buttons = page.locator("#sheets button")
        for number in range(buttons.count()):
            buttons.nth(number).click()
            found = re.match(r"Kind (\d+)", page.locator("#title").text_content())
            if found:
                page.keyboard.press("n")
                name(page, truth[int(found[1])])
        with page.expect_download() as download:
            page.keyboard.press("s")
        download.value.save_as(saved)
        chromium.close()
    return saved


def montages_of_other_names(root: Path, names: dict[int, str]) -> list[str]:
    """The sheets of kinds above which another title is drawn than one with these names."""
    clusters, kinds = table(root, "clusters/clusters_reef_tiny"), table(root, "clusters/kinds_reef_tiny")
    kind_ids, tiles = kinds_by_cluster(kinds, clusters), table(root, "atlas/montages_reef_tiny")
    fit, seed, others = f"reef_tiny, fit {kinds.filter('is_latest')['fit_version'][0]}", MontagesConfig().seed, []
    for cluster in kind_ids:
        file = f"cluster_{cluster:02d}_random.png"
        title = sheet_title(fit, clusters, kind_ids, cluster, "random", seed, names)
        wanted = draw_sheet(tiles.clear(), {}, title, colour_of(cluster, kind_ids))[:HEADER_PX]
        assert names[kind_ids[cluster]] in title
        if not np.array_equal(
            decoded_rgb((root / "figures/montages_reef_tiny" / file).read_bytes())[:HEADER_PX], wanted
        ):
            others.append(file)
    return others


def names_on_review(root: Path) -> set[str]:
    """The names that the review's page proposes for its sheets."""
    written = (root / "figures/review/data/index.js").read_text()
    index = json.loads(written.split("megafish.collection(")[1].rstrip().removesuffix(");"))
    return {sheet["proposal"] for sheet in index["sheets"] if sheet["kind_id"] is not None}


def names_on_explorer(root: Path) -> set[str]:
    """The names of the points of the explorer's Parquet file that people gave; its page holds each as well."""
    points = pl.read_parquet(root / "figures/embedding_atlas/explorer.parquet", columns=["name", "name_source"])
    names, page = set(points.filter(pl.col("name_source") == "person")["name"]), root / "figures/explorer/data.js"
    assert all(json.dumps(name) in page.read_text() for name in names)
    return names


def test_names_given_in_the_browser_are_borne_by_classes_kinds_and_sheets_and_outlast_more_videos(
    reef: Path, labels_file: Path
) -> None:
    before = table(reef, "labels/classes_reef_tiny")
    assert set(before.drop_nulls("cluster")["name_source"]) == {"unnamed"}  # growth that is too small is known by place
    truth = kind_of_truth(reef)
    told = run(reef, "label", str(labels_file))
    assert re.search(rf"{re.escape(str(labels_file))}: \d+ labels", told) and "share of labels" in told
    run(reef, "materialise")

    said = table(reef, "labels/labels")
    assert set(said["labelled_by"]) == {"Ana"} and said["label"].null_count() == 0
    assert said["box"].null_count() == 0 and said["fit_version"].n_unique() == 1
    named = table(reef, "labels/classes_reef_tiny")
    of_kind = named.filter(pl.col("name_source") == "person").group_by("kind_id").agg(pl.col("name").unique())
    assert {kind: names for kind, names in of_kind.iter_rows()} == {kind: [name] for kind, name in truth.items()}
    assert montages_of_other_names(reef, truth) == []
    assert names_on_review(reef) == set(truth.values()) and names_on_explorer(reef) == set(truth.values())

    # Three more videos: the detector's table grows, everything is fitted again, and nobody says a word.
    shutil.rmtree(reef / "inference")
    shutil.copytree(reef / "all", reef / "inference")
    finished = bring_up_to_date(reef, backbones="reef_tiny")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    later = table(reef, "labels/classes_reef_tiny")
    assert later["video"].n_unique() == N_VIDEOS + N_LATE
    persons = named.filter(pl.col("name_source") == "person").select("tracklet_id", "name")
    kept = persons.join(later, on="tracklet_id", how="left", suffix="_later")
    assert (kept["name_later"] == kept["name"]).all() and set(kept["name_source"]) == {"person"}
    # The new videos' fish are named by what was said of the old ones.
    raw, shown = table(reef, "detections/raw_detections"), pl.read_delta(str(reef / "truth"))
    new = later.filter(pl.col("video") >= f"megalab_{N_VIDEOS:04d}").join(true_kinds(raw, shown), on="detection_id")
    assert new.filter(pl.col("name_source") == "classified").height > 0.3 * new.height
    assert new.drop_nulls("name").select((pl.col("name") == pl.col("kind")).mean()).item() > 0.6
    assert table(reef, "labels/labels").height == said.height
