"""The report as a person has it: one file, opened by double click in a real browser, on a phone and on paper."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from megafish_assets.sightings.columns import BEHAVIOR, MOMENTS, SCHOOLS
from megafish_assets_tests import test_page_in_a_browser as ui
from megafish_assets_tests.atlas.reported import Collection, count_of, typed
from megafish_assets_tests.atlas.test_report_doing import group, moment, swims

if TYPE_CHECKING:
    from playwright.sync_api import Page

browser = ui.browser
PATIENCE_MS = 20_000
HOSTILE = '</script><script>window.harmed=1</script><img src=x onerror="window.harmed=2">$\\alpha$'
KINDS = ["yellow tang", HOSTILE, "kind 7", "unnamed"]
N_VIDEOS = 30

Opened = Callable[..., "Page"]


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    made = Collection(
        tmp_path_factory.mktemp("report") / "wall & reef #1",
        KINDS,
        n_videos=N_VIDEOS,
        start=datetime(2025, 12, 12, 5),
        with_videos=True,
    )
    made.store("sightings/behavior", typed([swims(kind) for kind in (*KINDS, None)], BEHAVIOR))
    made.store("sightings/schools", typed([group(kind, 3) for kind in KINDS], SCHOOLS))
    reasons = enumerate(("dense_group", "first_of_kind", "burst"), 1)
    made.store("sightings/moments", typed([moment(rank, reason, 3, HOSTILE) for rank, reason in reasons], MOMENTS))
    assert made.made().success
    return made


@pytest.fixture
def opened(collection: Collection, browser) -> Iterator[Opened]:
    """Opens the page; an error of its own, a request to a network or a script that ran out of a name fails the test."""
    pages, said = [], []

    def open_page(width: int = 1280) -> "Page":
        context = browser.new_context(viewport={"width": width, "height": 900})
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith(("file:", "data:")) else said.append(asked.url))
        page.goto(collection.page.as_uri())
        page.wait_for_selector("html[data-drawn]")
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        assert page.evaluate("window.harmed") is None
        page.context.close()
    assert said == []


def test_every_kind_has_its_numbers_its_pictures_and_its_row_in_the_charts(opened: Opened) -> None:
    page = opened()
    rows = page.locator("table.kinds tbody tr")
    for place, kind in enumerate(KINDS):
        of_kind = [count_of(video, place) for video in range(N_VIDEOS)]
        row = rows.filter(has=page.get_by_text("no kind, no name" if kind == "unnamed" else kind, exact=True))
        assert row.locator(".max-n").inner_text() == str(max(of_kind))
        assert row.locator(".mean-count").inner_text() == f"{sum(of_kind) / 2 / N_VIDEOS:.2f}"
        assert row.locator(".sightings").inner_text() == str(sum(of_kind))
        assert f"{sum(n > 0 for n in of_kind)} of {N_VIDEOS} clips" in row.inner_text()
    assert page.locator(".card").count() == 3
    loaded = "images => images.every(image => image.complete && image.naturalWidth > 20)"
    assert page.locator("img").evaluate_all(loaded)
    drawn = page.locator("#when-0 .ytick").all_text_contents()
    assert drawn[0] != "" and len(drawn) == len(KINDS) and "no kind, no name" in drawn
    assert any(HOSTILE[:20] in name for name in drawn)
    heat = page.evaluate("document.getElementById('when-0').data[0].z")
    assert len(heat) == len(KINDS) and all(len(row) == 24 for row in heat)
    assert page.locator("#over-0 .bars .point").count() > N_VIDEOS


def test_what_they_do_is_drawn_and_a_moment_leads_to_its_recording(opened: Opened, collection: Collection) -> None:
    page = opened()
    row = page.locator("table.doing tbody tr").filter(has=page.get_by_text(HOSTILE, exact=True))
    left, right = row.locator(".ways span").all()
    track = row.locator(".ways").bounding_box()
    assert left.bounding_box()["width"] == pytest.approx(0.64 * track["width"], abs=1)
    assert right.bounding_box()["x"] == pytest.approx(track["x"] + 0.8 * track["width"], abs=1)
    hrefs = page.locator(".look a").evaluate_all("links => links.map(link => link.href)")
    assert hrefs == [(collection.root / "recordings/cam_0001.mp4").as_uri() + "#t=3.5"] * 3


def test_a_frame_is_enlarged_by_a_click(opened: Opened) -> None:
    page = opened()
    frame = page.locator(".card .frame").first
    small = frame.bounding_box()["width"]
    frame.click()
    assert frame.bounding_box()["width"] > 2 * small
    frame.click()
    assert frame.bounding_box()["width"] == small


def test_on_a_phone_nothing_is_cut_off(opened: Opened) -> None:
    page = opened(width=390)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    wider = "charts => charts.filter(chart => chart.getBoundingClientRect().right > 390).length"
    assert page.locator(".chart svg.main-svg").evaluate_all(wider) == 0


def test_on_paper_the_charts_fit_and_no_picture_is_cut_by_a_page(opened: Opened, tmp_path: Path) -> None:
    page = opened()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    widths = page.locator(".chart svg.main-svg").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().width)"
    )
    assert widths and max(widths) <= 680
    for what in (".card", ".chart", "table.kinds tr", "table.doing tr"):
        breaks = page.locator(what).evaluate_all("all => all.map(one => getComputedStyle(one).breakInside)")
        assert set(breaks) == {"avoid"}, what
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    pdf = (tmp_path / "report.pdf").read_bytes()
    assert pdf.startswith(b"%PDF") and 2 < pdf.count(b"/Type /Page\n") < 12
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    page.wait_for_function("document.querySelector('#when-0 svg.main-svg').getBoundingClientRect().width > 900")
