"""The UI as a person sees it: a real browser over a real `up`, and what is launched there ends green."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import dagster as dg
import polars as pl
import pytest

from megafish_assets_tests.conftest import FORCED, REPOSITORY, bring_up_to_date, collection_environment
from megafish_assets_tests.deployment import Deployment

try:
    from playwright.sync_api import Browser, Dialog, Page, expect, sync_playwright
except ImportError:  # a browser is no part of the package; the tests that need one say so
    sync_playwright = None

CHROMIUM = "/usr/bin/chromium"
QUIET = ("quic", "gpu", "background-networking", "component-update", "sync")
"""What Chromium would do on the network or the display without being asked."""

SCREENSHOTS = REPOSITORY / "data" / "screenshots"
PAGE_PX, GROUP_PX = (1600, 1800), (3000, 2600)
"""Of the window. In a narrower one the graph shows names only, and in a lower one the catalogue leaves out the last."""

SECONDS = 1000
"""Playwright counts in milliseconds."""
BACKFILL_SECONDS = 420
"""The backfill daemon looks every 30 s, and this chain takes three of its looks."""

HOSTILE = "<img src=x onerror=alert(1)>.mp4"
HOSTILE_KEY = "-img-src-x-onerror-alert-1-"
GONE, LATE = "megalab_0001", ("megalab_0004", "megalab_0005")

ON_REQUEST = ["darwin_core", "camtrap_dp", "coco", "viame_csv", "yolo", "global_archive"]
"""Exports that nobody has asked for here."""

ASSETS = {
    "detections": [
        "inference",
        "raw_detections",
        "tracklets",
        "size_limits",
        "lens_places",
        "filtered_detections",
        "sampled_detections",
        "small_detections",
        "place_reasons",
        "not_fish",
        "tracklet_motion",
    ],
    "crops": ["crops", "small_crops", "camera_motion"],
    "embeddings": ["embeddings_reef_tiny", "small_embeddings_reef_tiny"],
    "features": [f"{name}_reef_tiny" for name in ("pca", "whitening", "features", "umap", "neighbors")],
    "clusters": [
        f"{name}_reef_tiny" for name in ("kmeans_sweep", "clusters", "kinds", "kind_events", "stability", "kind_tree")
    ],
    "evaluation": ["confounders_reef_tiny", "leaderboard"],
    "labels": ["labels", "words", "classes_reef_tiny", "name_next_reef_tiny", "review"],
    "sightings": [
        *("sightings", "linked_tracklets", "abundance", "animals_gap", "richness"),
        *("movements", "schools", "behavior", "moments"),
    ],
    "atlas": ["montages_reef_tiny", "explorer", "report"],
    "exports": ["spreadsheet", *ON_REQUEST],
}
"""By the group that the UI shows them in."""

EVERY = [name for names in ASSETS.values() for name in names]

PER_VIDEO = [
    "raw_detections",
    "tracklets",
    "filtered_detections",
    "sampled_detections",
    "small_detections",
    "crops",
    "small_crops",
    "camera_motion",
    "embeddings_reef_tiny",
    "small_embeddings_reef_tiny",
]


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Chromium; a test without it skips, or fails where CI forces it."""
    missing = [
        what for what, there in ((CHROMIUM, shutil.which(CHROMIUM)), ("playwright", sync_playwright)) if not there
    ]
    if missing:
        reason = f"no {' and no '.join(missing)}: the UI can't be looked at"
        pytest.fail(reason) if FORCED else pytest.skip(reason)
    flags = ["--no-sandbox", "--no-first-run", *(f"--disable-{what}" for what in QUIET)]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def reef(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A materialised reef: one video's file is gone, one has a hostile name, two come later."""
    root = tmp_path_factory.mktemp("reef")
    command = [sys.executable, "-m", "megafish_assets.reef", str(root), "--videos", "6", "--frames", "60"]
    command += ["--size", "640x360"]
    subprocess.run(command, cwd=REPOSITORY, env=collection_environment(root), check=True, stdout=subprocess.DEVNULL)
    (root / "recordings" / f"{GONE}.mp4").unlink()
    inference = str(root / "inference")
    detected = pl.read_delta(inference)
    hostile = detected.filter(pl.col("video_file") == f"{GONE}.mp4").with_columns(video_file=pl.lit(HOSTILE))
    is_late = detected["video_file"].is_in([f"{video}.mp4" for video in LATE])
    pl.concat([detected.filter(~is_late), hostile]).write_delta(inference, mode="overwrite")
    finished = bring_up_to_date(root, backbones="reef_tiny")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    detected.filter(is_late).write_delta(inference, mode="append")
    return root


@pytest.fixture(scope="module")
def address(reef: Path) -> Iterator[str]:
    """Of `python -m megafish_assets up`, whose sensor takes no video for complete, so that a person starts them."""
    with Deployment(reef, backbones="reef_tiny", complete_when="last_frame", clip_frames=100000) as deployment:
        yield deployment.address


@pytest.fixture
def page(browser: "Browser", address: str) -> Iterator["Page"]:
    """A fresh window, without what the UI remembers of another; a script of the data's that runs fails the test."""
    width, height = PAGE_PX
    context = browser.new_context(base_url=address, viewport={"width": width, "height": height})
    context.set_default_timeout(60 * SECONDS)
    expect.set_options(timeout=60 * SECONDS)
    page, said = context.new_page(), []

    def hear(dialog: "Dialog") -> None:
        said.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", hear)
    yield page
    context.close()
    assert not said, f"the UI ran a script that came with the data: {said}"


def keep(page: "Page", name: str) -> None:
    """A screenshot for a person; no test reads it."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled")


def open_group(page: "Page", group: str) -> None:
    """The graph of one group, in a window that has room for what each asset tells."""
    width, height = GROUP_PX
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f'/asset-groups~group%3A"{group}"')


def picture_behind(page: "Page", name: str) -> None:
    """Opens the picture in the asset's metadata under this name, and sees that the browser could draw it."""
    row = page.get_by_role("row").filter(has=page.get_by_text(name, exact=True))
    row.get_by_text("[Show Markdown]").click()
    picture = page.get_by_role("dialog").locator("img")
    expect(picture).to_be_visible()
    page.wait_for_function("picture => picture.complete && picture.naturalWidth > 100", arg=picture.element_handle())


def test_the_graph_of_every_group_shows_its_assets_and_none_as_failed(page: "Page") -> None:
    node = page.locator("foreignObject").filter(has_text="Latest event")
    made = re.compile(r"Materialized|\d+ partitions")
    for group, names in ASSETS.items():
        open_group(page, group)
        for name in names:
            shown = node.filter(has=page.get_by_text(name, exact=True))
            expect(shown).to_be_visible()
            if name not in ("inference", *ON_REQUEST):
                expect(shown).to_have_text(made)
        expect(node).to_have_count(len(names))
        expect(node.filter(has_text=re.compile("failed|error", re.IGNORECASE))).to_have_count(0)
        if group == "crops":
            expect(node.filter(has=page.get_by_text("crops", exact=True))).to_contain_text("0 / 1 Passed")
        keep(page, f"graph_{group}")


def test_the_catalogue_names_every_asset_in_full_with_its_group(page: "Page") -> None:
    page.set_viewport_size({"width": PAGE_PX[0], "height": 60 * len(EVERY)})  # rows out of sight are not there
    page.goto("/assets")
    for group, names in ASSETS.items():
        for name in names:
            expect(page.locator(f'a[href="/assets/{name}"]')).to_contain_text(name)
            in_its_group = page.locator(f'a[href^="/asset-groups~group"][href$="/{quote(name, safe="")}"]')
            expect(in_its_group).to_have_text(group)
    expect(page.get_by_text("Loading...")).to_have_count(0)
    keep(page, "catalogue")


@pytest.mark.parametrize(
    ("asset", "column", "meaning", "checks", "picture"),
    [
        (
            "size_limits",
            "floor_1024",
            "smallest kept width and height, px in the stretched frame",
            ["limits_fit_the_collection"],
            "filter",
        ),
        (
            "embeddings_reef_tiny",
            "vectors_version",
            "model, weights and preprocessing that made the vector",
            ["vectors_are_usable", "ready_for_analysis"],
            None,
        ),
        (
            "kmeans_sweep_reef_tiny",
            "silhouette",
            "mean silhouette coefficient in PCA space, -1 to 1",
            ["curves_are_valid"],
            "inertia_silhouette",
        ),
        (
            "stability_reef_tiny",
            "n_videos",
            "videos, or whatever was resampled, that those tracklets come from",
            ["kinds_are_found_again"],
            "stability",
        ),
        (
            "kinds_reef_tiny",
            "kind_id",
            "the cluster's number over all fits, from 1, never given twice; null for noise",
            ["kinds_keep_their_identity"],
            "nights",
        ),
        (
            "kind_tree_reef_tiny",
            "height",
            "mean distance of the clusters' means on the two sides",
            ["no_kind_is_split"],
            "tree",
        ),
        (
            "leaderboard",
            "border_leak",
            "how far the crops' borders tell the cluster, 0 as by chance to 1",
            ["backbones_are_compared_on_the_same_crops"],
            "leaderboard",
        ),
        (
            "classes_reef_tiny",
            "name_source",
            "where the name is from: person, classified, kind or unnamed",
            ["names_can_be_trusted"],
            "label_budget",
        ),
        (
            "montages_reef_tiny",
            "row",
            "row of the tile on its sheet, from 0 at the top",
            ["tiles_show_their_detections"],
            "all_clusters",
        ),
    ],
)
def test_an_asset_shows_its_columns_its_checks_and_its_picture(
    page: "Page", asset: str, column: str, meaning: str, checks: list[str], picture: str | None
) -> None:
    shown_as = asset.replace("/", "_")
    page.goto(f"/assets/{asset}?view=overview")
    described = page.get_by_role("row").filter(has=page.get_by_text(column, exact=True))
    expect(described.get_by_text(meaning, exact=True)).to_be_visible()
    if picture:
        picture_behind(page, picture)
    keep(page, f"asset_{shown_as}")
    page.goto(f"/assets/{asset}?view=checks")
    for check in checks:
        expect(page.get_by_text(check, exact=True).filter(visible=True).first).to_be_visible()
    keep(page, f"checks_{shown_as}")


def test_a_videos_crops_show_their_columns_and_the_boxes_on_a_frame(page: "Page") -> None:
    page.goto("/assets/crops?view=overview")
    described = page.get_by_role("row").filter(has=page.get_by_text("width_px", exact=True))
    expect(
        described.get_by_text("width of the crop, px of the real frame; oblong pixels are made square", exact=True)
    ).to_be_visible()
    keep(page, "asset_crops")
    page.goto("/assets/crops?view=partitions&partition=megalab_0000")
    picture_behind(page, "boxes")
    keep(page, "boxes_of_a_video")


def test_a_failed_check_reads_as_number_limit_and_reason_and_names_the_video(page: "Page", reef: Path) -> None:
    page.goto("/assets/crops?view=checks")
    sentence = "set_aside_share = 1, allowed at most 0.01 (a whole video loses no frame)"
    shown = page.get_by_text("every_sampled_box_is_accounted_for", exact=True).filter(visible=True)
    expect(shown.first).to_be_visible()
    expect(page.get_by_text("Evaluation result", exact=True)).to_be_visible()
    keep(page, "failed_check")
    # The history keeps the verdict, whatever is made later.
    page.get_by_text("Execution history", exact=True).click()
    expect(page.get_by_text(f"2 of 5 videos: {HOSTILE_KEY}, {GONE}. {sentence}")).to_be_visible()
    keep(page, "failed_check_history")
    page.goto(f"/assets/crops?view=partitions&partition={GONE}")
    expect(page.get_by_text(f"no video file {GONE}.mp4 in {reef / 'recordings'}")).to_be_visible()
    keep(page, "video_without_file")


def test_a_hostile_file_name_is_shown_and_does_nothing(page: "Page", reef: Path) -> None:
    page.goto(f"/assets/crops?view=partitions&partition={HOSTILE_KEY}")
    expect(page.get_by_text(f"no video file {HOSTILE} in {reef / 'recordings'}")).to_be_visible()
    expect(page.locator('img[src="x"]')).to_have_count(0)
    keep(page, "hostile_name")


def test_two_new_videos_are_backfilled_from_the_page_and_end_green(page: "Page") -> None:
    page.goto("/locations/__repository__@megafish/jobs/register_videos/playground")
    page.get_by_role("button", name="Launch run").click()
    expect(page.get_by_text("Success", exact=True)).to_be_visible(timeout=BACKFILL_SECONDS * SECONDS)

    page.goto("/asset-groups")
    page.locator(".CodeMirror").first.click()
    page.keyboard.insert_text(" or ".join(f'key:"{name}"' for name in PER_VIDEO))
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Launch runs to materialize {len(PER_VIDEO)} assets")
    dialog.get_by_role("button", name="Missing", exact=True).click()
    expect(dialog).to_contain_text("2 partitions")
    for video in LATE:
        expect(dialog).to_contain_text(video)
    keep(page, "backfill_dialog")
    dialog.get_by_role("button", name="Launch backfill").click()
    page.get_by_role("link", name="View", exact=True).click()

    expect(page.get_by_text("100% completed")).to_have_count(len(PER_VIDEO), timeout=BACKFILL_SECONDS * SECONDS)
    expect(page.get_by_text("In progress", exact=True)).to_have_count(1)  # the heading of a column
    expect(page.get_by_text("Succeeded", exact=True)).to_have_count(2)  # the heading of another, and the verdict
    keep(page, "backfill_done")

    page.goto("/assets/embeddings_reef_tiny?view=partitions")
    expect(page.get_by_text("Materialized (7)")).to_be_visible()
    expect(page.get_by_text("Failed (0)")).to_be_visible()
    keep(page, "partitions_after_backfill")


ADD = """
mutation Add($key: String!) {
  addDynamicPartition(
    repositorySelector: {repositoryName: "__repository__", repositoryLocationName: "megafish"}
    partitionsDefName: "videos"
    partitionKey: $key
  ) { __typename }
}
"""
TRIES = """
async ({page, add}) => {
  const body = key => JSON.stringify({query: add, variables: {key}});
  const ask = async () => {
    const image = new Image();
    await new Promise(ended => {
      image.onload = image.onerror = ended;
      image.src = `${page}/graphql?${new URLSearchParams({query: add, variables: '{"key": "by-image"}'})}`;
    });
    const plain = {method: "POST", mode: "no-cors", body: body("by-form")};
    await fetch(`${page}/graphql`, plain).catch(() => 0);
    const json = {method: "POST", headers: {"Content-Type": "application/json"}, body: body("by-json")};
    await fetch(`${page}/graphql`, json).catch(() => 0);
    return await new Promise(ended => {
      const socket = new WebSocket(`${page.replace("http", "ws")}/graphql`, "graphql-ws");
      socket.onopen = () => ended("open");
      socket.onerror = () => ended("refused");
    });
  };
  return await Promise.race([ask(), new Promise(late => setTimeout(late, 60000, "no answer"))]);
}
"""


def test_a_foreign_page_changes_nothing(browser: "Browser", address: str, reef: Path) -> None:
    def videos() -> set[str]:
        with dg.DagsterInstance.from_config(str(reef / "dagster")) as instance:
            return set(instance.get_dynamic_partitions("videos"))

    before = videos()
    # A thread a connection: a browser also opens some on which it asks for nothing.
    with ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as foreign:
        Thread(target=foreign.serve_forever, daemon=True).start()
        page = browser.new_page()
        page.goto(f"http://localhost:{foreign.server_port}/README.md")
        assert page.evaluate(TRIES, {"page": address, "add": ADD}) == "refused"
        foreign.shutdown()
    assert videos() == before
    # The same mutation from the UI's own origin does its work: what was turned away would have done it too.
    page.goto(address)
    own = page.request.post(f"{address}/graphql", data={"query": ADD, "variables": {"key": "by-its-own-page"}})
    assert own.json()["data"]["addDynamicPartition"]["__typename"] == "AddDynamicPartitionSuccess"
    assert videos() == before | {"by-its-own-page"}
    with dg.DagsterInstance.from_config(str(reef / "dagster")) as instance:
        instance.delete_dynamic_partition("videos", "by-its-own-page")
    page.close()
