"""The review as a person works on it, from a folder without a server, in real browsers."""

import csv
import io
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import polars as pl
import pytest

from megafish_assets.labels.said import LONGEST_NAME, clean_text
from megafish_assets_tests.conftest import FORCED
from megafish_assets_tests.labels.reviewed import (
    CLUSTERS,
    FILES,
    FORMULA,
    HOSTILE,
    LENS_PLACES,
    RTL,
    SCRIPT,
    VIDEOS,
    classes,
    made,
    tables,
)
from megafish_assets_tests.marionette import ENTER, FIREFOX, RIGHT, Firefox

try:
    from playwright.sync_api import Browser, Page, expect, sync_playwright
except ImportError:  # a browser is no part of the package; the tests that need one say so
    sync_playwright = None

CHROMIUM = "/usr/bin/chromium"

HEADER = (
    "detection_id,tracklet_id,video,frame_id,x_1024,y_1024,width_1024,height_1024,cluster,kind_id,place_id,backbone,"
    "recipe,fit_version,label,scientific_name,aphia_id,status,labelled_by,labelled_at,note"
)


def require(*missing: str) -> None:
    if missing:
        reason = f"no {' and no '.join(missing)}: the review can't be looked at"
        pytest.fail(reason) if FORCED else pytest.skip(reason)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Chromium; a test without it skips, or fails where CI forces it."""
    require(
        *[what for what, there in ((CHROMIUM, shutil.which(CHROMIUM)), ("playwright", sync_playwright)) if not there]
    )
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--no-first-run"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A review of everything that can be known, with hostile names wherever a name can stand."""
    folder = tmp_path_factory.mktemp("collection") / "figures" / "review"
    made(folder, classes=classes(tables()[2]), lens_places=LENS_PLACES)
    return folder


@pytest.fixture
def page(browser: "Browser", folder: Path) -> Iterator["Page"]:
    """A fresh profile on the first sheet, as Ana; anything refused, thrown or run by the data fails the test."""
    context = browser.new_context(viewport={"width": 1300, "height": 800}, accept_downloads=True)
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.add_init_script("window.ran = () => { document.documentElement.dataset.ran = 'yes'; };")
    page.goto(folder.joinpath("index.html").as_uri())
    expect(page.locator("#asking")).to_be_visible()
    page.keyboard.type("Ana")
    page.keyboard.press("Enter")
    expect(page.locator("#asking")).to_be_hidden()
    yield page
    assert page.evaluate("document.documentElement.dataset.ran ?? null") is None, "a name of the data ran"
    context.close()
    assert not wrong


def go_to(page: "Page", sheet: str) -> None:
    """Opens a sheet by its words in the list."""
    page.locator("#sheets button").filter(has_text=sheet).first.click()
    expect(page.locator("#title")).to_contain_text(sheet)


def press(page: "Page", *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def name(page: "Page", text: str) -> None:
    """Types a name into the open panel, to the letter, and confirms what was typed."""
    expect(page.locator("#naming")).to_be_visible()
    page.locator("#name").fill(text)
    typed = page.locator("#known li").filter(has_text="as typed")
    typed.click() if typed.count() else page.keyboard.press("Enter")
    expect(page.locator("#naming")).to_be_hidden()


def rows(text: str) -> list[dict[str, str]]:
    """The labels in a file as it was downloaded, after its frame was looked at."""
    assert text.startswith(HEADER + "\r\n")
    lines = text.split("\r\n")
    found = list(csv.DictReader(io.StringIO("\r\n".join(lines[:-2]), newline="")))
    assert lines[-2:] == [f"# end, {len(found)} labels", ""]
    return found


def saved(page: "Page") -> list[dict[str, str]]:
    with page.expect_download() as download:
        page.keyboard.press("s")
    assert download.value.suggested_filename == "labels.csv"
    return rows(Path(download.value.path()).read_bytes().decode("utf-8"))


def statuses(labels: list[dict[str, str]]) -> dict[str, int]:
    return {status: sum(row["status"] == status for row in labels) for status in {row["status"] for row in labels}}


def test_a_cluster_is_named_by_keys_alone_and_the_file_says_what_was_said(page: "Page") -> None:
    go_to(page, "Cluster 0")
    press(page, "Home", "ArrowRight", "Space", "ArrowRight", "u", "ArrowRight", "x", "ArrowRight", "t")
    name(page, "Ghost fish")
    press(page, "n")
    page.locator("#name").fill("VIRIDIS")  # by its scientific name, whatever its capitals
    press(page, "Enter")
    labels = saved(page)
    assert statuses(labels) == {"approved": 17, "rejected": 1, "unsure": 1, "not_fish": 1}
    by_status = {row["status"]: row for row in labels}
    assert by_status["rejected"]["label"] == "Blue-green chromis"
    assert by_status["unsure"]["label"] == by_status["not_fish"]["label"] == ""
    names = [row["label"] for row in labels if row["status"] == "approved"]
    assert sorted(names) == ["Blue-green chromis"] * 16 + ["Ghost fish"]
    chromis = next(row for row in labels if row["label"] == "Blue-green chromis")
    ghost = next(row for row in labels if row["label"] == "Ghost fish")
    assert (chromis["scientific_name"], chromis["aphia_id"], chromis["note"]) == ("Chromis viridis", "212682", "")
    assert (ghost["scientific_name"], ghost["aphia_id"], ghost["note"]) == ("", "", "free name")
    assert {row["labelled_by"] for row in labels} == {"Ana"}
    assert all(row["labelled_at"].endswith("Z") and row["cluster"] == "0" for row in labels)
    assert {(row["backbone"], row["fit_version"]) for row in labels} == {("vit", "fit1")}
    assert all(json.loads(row["recipe"])["grouping"] == "consensus" for row in labels)


def test_a_label_stores_the_detection_the_frame_and_the_box_of_its_tile(page: "Page") -> None:
    go_to(page, "Cluster 2")
    press(page, "n")
    name(page, "A")
    crops, sampled, clusters = tables()
    known = crops.join(sampled.drop("video", "tracklet_id"), on="detection_id").rows_by_key("detection_id", named=True)
    labels = saved(page)
    assert {row["tracklet_id"].lstrip("'") for row in labels} == set(
        clusters.filter(pl.col("cluster") == 2)["tracklet_id"].unique()
    )
    for row in labels:
        detection = row["detection_id"].removeprefix("'")  # a key that begins with a dash is guarded
        (crop,) = known[detection]
        assert (int(row["frame_id"]), row["video"].removeprefix("'")) == (crop["frame_id"], crop["video"])
        assert float(row["x_1024"]) == round(crop["x_1024"], 3) and float(row["height_1024"]) == 40.0
        assert crop["frame_id"] % 30 == 20  # the third crop is the largest


def test_work_of_several_sheets_survives_a_reload_and_is_saved_together(page: "Page") -> None:
    go_to(page, "Cluster 0")
    press(page, "n")
    name(page, "A")
    go_to(page, "In no cluster")
    press(page, "Home", "Space", "ArrowRight", "Space", "n")
    name(page, "B")
    before = page.locator("#counted").text_content()
    page.reload()
    expect(page.locator("#title")).to_have_text("In no cluster")
    assert page.locator("#counted").text_content() == before
    expect(page.locator("#asking")).to_be_hidden()  # the name is asked once
    labels = saved(page)
    assert sorted(row["label"] for row in labels) == ["A"] * CLUSTERS[0] + ["B"] * 2
    assert {row["cluster"] for row in labels if row["label"] == "B"} == {"-1"}
    assert labels == saved(page)  # times are of the decision: a second file repeats the first to the letter


def test_a_tile_ticked_again_after_a_save_is_later_than_its_rejection(page: "Page") -> None:
    go_to(page, "Cluster 2")
    press(page, "Home", "Space", "n")
    name(page, "A")
    (rejected,) = [row for row in saved(page) if row["status"] == "rejected"]
    press(page, "Home", "Space")
    (again,) = [row for row in saved(page) if row["detection_id"] == rejected["detection_id"]]
    assert again["status"] == "approved" and again["labelled_at"] > rejected["labelled_at"]


def test_naming_the_unticked_splits_a_sheet(page: "Page") -> None:
    go_to(page, "Cluster 0")
    press(page, "Home", "Space", "ArrowRight", "Space", "m")
    name(page, "B")
    press(page, "n")
    name(page, "A")
    assert sorted(row["label"] for row in saved(page)) == ["A"] * (CLUSTERS[0] - 2) + ["B"] * 2


def test_what_a_person_named_before_is_offered_and_the_rest_of_the_sheet_takes_it(page: "Page") -> None:
    page.locator("#sheets button").filter(has_text=HOSTILE).click()
    expect(page.locator("#actions")).to_contain_text(f"Yes, {HOSTILE}")
    expect(page.locator("#counted")).to_have_text("4 of 43 tracklets named")
    press(page, "Enter")
    expect(page.locator("#counted")).to_have_text(f"{CLUSTERS[1]} of 43 tracklets named")
    labels = saved(page)
    assert statuses(labels) == {"approved": CLUSTERS[1]} and {row["label"] for row in labels} == {HOSTILE}
    press(page, "Enter")
    expect(page.locator("#title")).not_to_contain_text("Cluster 1")


def test_the_least_sure_are_confirmed_one_by_one(page: "Page") -> None:
    go_to(page, "The least sure")
    press(page, "Home", "Enter", "Enter")
    labels = saved(page)
    assert [row["label"] for row in labels] == ["Trumpetfish"] * 2
    # The classifier's own order: the least probable two.
    least = classes(tables()[2]).filter(pl.col("name") == "Trumpetfish").sort("probability")["unit_id"].head(2)
    assert {row["tracklet_id"].removeprefix("'") for row in labels} == set(least)
    # The cluster's sheet leaves alone what was said of a tile itself.
    go_to(page, "Cluster 2")
    press(page, "n")
    name(page, "Something else")
    names = [row["label"] for row in saved(page)]
    assert sorted(names) == ["Something else"] * (CLUSTERS[2] - 2) + ["Trumpetfish"] * 2


def test_a_place_on_the_lens_is_marked_with_its_crop_or_with_its_own_box(page: "Page") -> None:
    go_to(page, "On the lens?")
    assert page.locator(".tile").count() == 2
    press(page, "Home", "x", "ArrowRight", "x")
    bare, seen = sorted(saved(page), key=lambda row: row["detection_id"])
    assert (bare["place_id"], bare["detection_id"], bare["x_1024"]) == ("p002", "", "900")
    assert (seen["place_id"], seen["status"], seen["x_1024"]) == ("p001", "not_fish", "10.123")


def test_what_a_place_is_and_what_its_crop_is_are_two_words(page: "Page") -> None:
    go_to(page, "On the lens?")
    press(page, "Home", "x", "ArrowRight", "x")
    counted = page.locator("#counted").text_content()
    press(page, "ArrowRight", "t")
    name(page, "A")
    assert page.locator("#counted").text_content() == counted.replace("2 not fish", "1 not fish")  # no tracklet's name
    press(page, "x")
    (place,) = [row for row in saved(page) if row["place_id"] == "p001"]
    clusters = dict(tables()[2].select("detection_id", "cluster").iter_rows())
    go_to(page, f"Cluster {clusters[place['detection_id'].lstrip(chr(39))]}")
    press(page, "n")
    name(page, "A")
    both = [row for row in saved(page) if row["detection_id"] == place["detection_id"]]
    told = {(row["place_id"], row["status"], row["label"], row["video"]) for row in both}
    assert told == {("p001", "not_fish", "", place["video"]), ("", "approved", "A", place["video"])}


def test_hostile_names_are_shown_saved_and_run_nothing(page: "Page", folder: Path) -> None:
    go_to(page, "Cluster 0")
    shown = set(page.locator(".from").all_text_contents())
    assert shown == set(FILES)
    for text in (SCRIPT, HOSTILE, FORMULA, "'already", RTL, 'a "quoted", name'):
        press(page, "Home", "t")
        name(page, text)
        press(page, "ArrowDown", "Home")
        (label,) = [row for row in saved(page) if row["status"] == "approved"]
        wanted = text.replace("\u202e", "").strip()  # what turns writing round is no part of a name
        guarded = f"'{wanted}" if wanted[0] in "=+-@'" else wanted
        assert label["label"] == guarded
        press(page, "Home", "Backspace")
    assert page.locator("img[src=x]").count() == 0


def test_the_page_takes_no_name_that_the_import_would_refuse_or_write_otherwise(page: "Page") -> None:
    assert page.locator("#name").get_attribute("maxlength") == str(LONGEST_NAME)
    go_to(page, "Cluster 0")
    written = "\u200bpoisson  pe\u0302che\u2062 \u2066\ufeffx\u2028y\u00a0z\u200f\t"
    press(page, "Home", "t")
    name(page, written)
    (label,) = [row for row in saved(page) if row["status"] == "approved"]
    assert label["label"] == clean_text(written) == "poisson p\u00eache x y z"


TRIES = """
async () => {
  window.ran = () => { document.documentElement.dataset.ran = "yes"; };
  const refused = [];
  const attempt = (name, act) => { try { act(); } catch { refused.push(name); } };
  attempt("markup", () => { document.body.innerHTML = "<img src=x onerror=ran()>"; });
  attempt("handler", () => document.body.setAttribute("onclick", "ran()"));
  attempt("address", () => { document.createElement("script").src = "data/other.js"; });
  return refused;
}
"""


def test_the_pages_policy_refuses_markup_and_addresses_that_would_run(browser: "Browser", folder: Path) -> None:
    page = browser.new_page()
    page.goto(folder.joinpath("index.html").as_uri())
    assert page.evaluate(TRIES) == ["markup", "handler", "address"]
    assert page.evaluate("document.documentElement.dataset.ran ?? null") is None
    page.close()


def test_a_tile_leads_to_its_video_at_its_second_or_shows_the_crop_enlarged(page: "Page") -> None:
    go_to(page, "Cluster 0")
    addresses = page.locator(".caption a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert any(one.startswith("../../recordings/%3Cimg%20src%3Dx%20onerror%3Dran%28%29%3E.mp4#t=") for one in addresses)
    assert any("%20%231%3F.mp4#t=" in one for one in addresses)
    place = page.locator(".tile").filter(has_text="plain.avi").first
    place.locator("a").click()
    expect(page.locator("#player-said")).to_contain_text("no browser plays .avi files")
    assert page.locator("#screen img").evaluate("image => image.complete && image.naturalWidth > 0")
    press(page, "Escape")
    expect(page.locator("#player")).to_be_hidden()


def test_a_video_under_a_hostile_name_plays_from_its_second(page: "Page", folder: Path) -> None:
    recordings = folder.parents[1] / "recordings"
    recordings.mkdir()
    with av.open(str(recordings / FILES[0]), "w", format="mp4") as container:  # VP9, which every browser plays
        stream = container.add_stream("libvpx-vp9", rate=10, options={"deadline": "realtime", "cpu-used": "8"})
        stream.width = stream.height = 64
        for _ in range(100):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    go_to(page, "Cluster 0")
    # The tracklet's third crop, at frame 5 x 30 + 20 of 30 a second: after 5.667 seconds.
    page.locator(".caption a", has_text="12:00:05").click()
    video = page.locator("#screen video")
    page.wait_for_function("video => video.readyState >= 2", arg=video.element_handle())
    assert video.evaluate("video => video.currentTime") == pytest.approx(5.667, abs=0.01)
    press(page, "Escape")
    expect(video).to_have_count(0)
    shutil.rmtree(recordings)


def test_every_tile_is_heard_and_seen_without_its_colour(page: "Page") -> None:
    go_to(page, "Cluster 0")
    press(page, "Home", "Space", "ArrowRight", "u", "ArrowRight", "x")
    faces = page.locator(".face").evaluate_all(
        "faces => faces.map(face => [face.getAttribute('role'), face.getAttribute('aria-checked'), "
        "face.querySelector('img').alt, face.querySelector('.word').textContent])"
    )
    assert {role for role, *_ in faces} == {"checkbox"} and all(alt for _, _, alt, _ in faces)
    assert [words for *_, words in faces[:4]] == ["not it", "unsure", "not a fish", "ticked"]
    assert [checked for _, checked, *_ in faces[:4]] == ["false", "false", "false", "true"]
    assert page.locator(".face[tabindex='0']").count() == 1
    assert page.evaluate("document.activeElement.dataset.place") == "2"


CONTRAST = """
() => {
  const light = rgb => {
    const [r, g, b] = rgb.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const colour = text => text.match(/[\\d.]+/g).map(Number);
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const rgba = colour(getComputedStyle(at).backgroundColor);
      if (rgba.length === 3 || rgba[3] > 0.99) return rgba.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const isText = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!isText || !element.checkVisibility() || element.closest(".heard, noscript")) continue;
    const [a, b] = [light(colour(getComputedStyle(element).color).slice(0, 3)), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${element.tagName}.${element.className} ${element.textContent}: ${ratio.toFixed(2)}`);
  }
  return poor;
}
"""
"""Texts whose contrast with their ground is below 4.5. Source: WCAG 2.2, 1.4.3."""


def test_every_text_has_contrast(page: "Page") -> None:
    go_to(page, "Cluster 0")
    press(page, "Home", "Space", "ArrowRight", "u", "ArrowRight", "x", "ArrowRight", "t")
    name(page, "Ghost fish")
    assert page.evaluate(CONTRAST) == []
    press(page, "n")
    assert page.evaluate(CONTRAST) == []
    press(page, "Escape", "?")
    assert page.evaluate(CONTRAST) == []


def test_sheets_made_anew_meanwhile_are_not_mixed_and_old_work_is_kept(browser: "Browser", tmp_path: Path) -> None:
    folder = tmp_path / "figures" / "review"
    made(folder)
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    page.goto(folder.joinpath("index.html").as_uri())
    page.keyboard.type("Ana")
    press(page, "Enter", "n")
    name(page, "A")
    shutil.rmtree(folder)
    again = tables()[2].with_columns(pl.lit("fit2").alias("fit_version"))
    made(folder, clusters=again)
    press(page, "j", "j")
    expect(page.locator("#warning")).to_contain_text("made anew")
    page.reload()
    go_to(page, "Cluster 0")
    expect(page.locator("#title")).to_have_text("Cluster 0")  # without the name that it had in the fit before
    press(page, "u")
    assert sorted(row["fit_version"] for row in saved(page)) == ["fit1"] * (CLUSTERS[0] - 1) + ["fit2"]
    page.reload()  # what is in a file of another fit's sheets is let go
    expect(page.locator("#title")).to_have_text("Cluster 0")
    assert [row["fit_version"] for row in saved(page)] == ["fit2"]
    context.close()


def test_a_browser_that_keeps_nothing_says_so_and_asks_before_it_closes(browser: "Browser", folder: Path) -> None:
    context = browser.new_context()
    page, asked = context.new_page(), []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    refuse = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})"
    page.add_init_script(refuse)
    page.goto(folder.joinpath("index.html").as_uri())
    page.keyboard.type("Ana")
    press(page, "Enter", "u")
    expect(page.locator("#warning")).to_contain_text("keeps no work")
    page.reload()
    assert asked == ["beforeunload"]
    context.close()


def test_firefox_names_a_cluster_and_keeps_it(folder: Path, tmp_path: Path) -> None:
    require(*([] if shutil.which(FIREFOX) else [FIREFOX]))
    with Firefox(tmp_path) as firefox:
        firefox.send("WebDriver:Navigate", url=folder.joinpath("index.html").as_uri())
        firefox.wait_for("document.querySelector('#asking[open]') !== null")
        firefox.press("Ana", ENTER)
        firefox.wait_for("document.querySelector('.face[tabindex=\"0\"]') === document.activeElement")
        while firefox.evaluate("document.querySelector('#title').textContent") != "Cluster 0":
            title = firefox.evaluate("document.querySelector('#title').textContent")
            firefox.press("j")
            firefox.wait_for(f"document.querySelector('#title').textContent !== {json.dumps(title)}")
        firefox.press(RIGHT, " ", RIGHT, "x", "n")
        firefox.press("chromis", ENTER)
        firefox.wait_for("document.querySelector('#title').textContent === 'Cluster 0: Blue-green chromis'")
        assert firefox.evaluate("[...document.images].slice(0, 5).every(one => one.complete && one.naturalWidth > 100)")
        firefox.press("s")
        file = firefox.downloads / "labels.csv"
        late = time.monotonic() + 30
        while not (file.exists() and "# end" in file.read_text()):
            assert time.monotonic() < late
            time.sleep(0.05)
        assert statuses(rows(file.read_bytes().decode())) == {"approved": 18, "rejected": 1, "not_fish": 1}
        firefox.send("WebDriver:Refresh")
        firefox.wait_for("document.querySelector('#title').textContent === 'Cluster 0: Blue-green chromis'")
        assert firefox.evaluate("document.querySelector('#warning').hidden")
        assert firefox.evaluate("document.querySelectorAll('img[src=x]').length") == 0


def test_the_page_names_no_place_on_a_network(folder: Path) -> None:
    for path in [folder / "index.html", *folder.glob("page/*"), *folder.glob("data/*.js")]:
        assert "http" not in path.read_text().replace("http-equiv", "").replace("https?", ""), path.name
    assert {path.name for path in folder.iterdir()} == {"index.html", "clusters.csv", "page", "data"}
    assert all(f"{video}/" in (folder / "data" / "c000.js").read_text() for video in VIDEOS)
