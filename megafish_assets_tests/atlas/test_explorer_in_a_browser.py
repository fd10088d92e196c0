"""The explorer's page as a person has it: opened from its folder, in a real browser without a GPU."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from megafish_assets_tests import test_page_in_a_browser as ui
from megafish_assets_tests.atlas.explored import COLOURS_RGB, CORNERS, HOSTILE, HOSTILE_FILE, N_EACH, written
from megafish_assets_tests.videos import write

if TYPE_CHECKING:
    from playwright.sync_api import Page

browser = ui.browser
PATIENCE_MS = 20_000
GROUND = [16, 22, 28]

METADATA = """film => new Promise(done => {
    const tell = () => done(film.videoWidth);
    if (film.readyState) tell(); else film.addEventListener("loadedmetadata", tell);
})"""
"""The width of a video that the page has begun to play."""

Opened = Callable[..., "Page"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a collection with a hostile name, a hostile file, and a video that browsers don't play."""
    root = tmp_path_factory.mktemp("dive 1#")
    frames = [np.full((72, 128, 3), 40 + 8 * number, np.uint8) for number in range(N_EACH)]
    (root / "recordings").mkdir()
    write(root / "recordings" / HOSTILE_FILE, frames, "libx264")
    write(root / "recordings" / "b.avi", frames, "mpeg4")
    return written(root, a=HOSTILE_FILE, b="b.avi")


@pytest.fixture
def opened(browser, folder: Path) -> Iterator[Opened]:
    """Opens the page; an error of its own, a blocked file or a script that ran out of a name fails the test."""
    pages, said = [], []

    def open_page(ratio: float = 1) -> "Page":
        context = browser.new_context(viewport={"width": 1400, "height": 800}, device_scale_factor=ratio)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.goto((folder / "index.html").as_uri())
        page.wait_for_selector("html[data-drawn]")
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        assert page.evaluate("window.harmed") is None
        page.context.close()
    assert said == []


def at(page: "Page", place: int) -> tuple[float, float]:
    """Where a crop lies in the window."""
    x, y = page.evaluate(f"megafish.screen({place})")
    box = page.locator("#points").bounding_box()
    return box["x"] + x, box["y"] + y


def pixel(page: "Page", place: int) -> list[int]:
    """The colour on the map where a crop lies."""
    read = """place => {
        const at = megafish.screen(place).map(side => side * devicePixelRatio);
        return [...document.getElementById("points").getContext("2d").getImageData(...at, 1, 1).data];
    }"""
    return page.evaluate(read, place)[:3]


def drawn(page: "Page") -> None:
    """Waits until what was asked for is on the canvas."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def rgb(colour: str) -> list[int]:
    return [int(colour[k : k + 2], 16) for k in (1, 3, 5)]


def drag(page: "Page", first: tuple[float, float], second: tuple[float, float]) -> None:
    page.mouse.move(*first)
    page.mouse.down()
    page.mouse.move(*second, steps=5)
    page.mouse.up()
    drawn(page)


def corner(page: "Page", row: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """A box round the crops of a kind, whose first is this row."""
    places = [at(page, place) for place in range(row, row + N_EACH)]
    xs, ys = zip(*places, strict=True)
    return (min(xs) - 15, min(ys) - 15), (max(xs) + 15, max(ys) + 15)


@pytest.mark.parametrize("ratio", [1, 2])
def test_every_crop_is_drawn_where_the_data_say_in_the_colour_of_its_kind(opened: Opened, ratio: float) -> None:
    page = opened(ratio)
    assert page.locator("#points").evaluate("canvas => canvas.width / canvas.clientWidth") == ratio
    data = "megafish.data.colourings[0]"
    assert page.evaluate(f"{data}.labels") == ["kind 7", "kind 8", "kind 30", "noise"]
    colours = page.evaluate(f"{data}.colours")
    for place in range(4 * N_EACH):
        assert pixel(page, place) == rgb(colours[place // N_EACH]), place
    # The corners lie as in the data: x to the right, y downwards, both by one scale.
    first, last = (np.mean([at(page, row + place) for place in range(N_EACH)], axis=0) for row in (0, 3 * N_EACH))
    steps = (last - first) / (CORNERS[3] - CORNERS[0])
    assert steps[0] == pytest.approx(steps[1], rel=0.01) and steps[0] > 300
    page.evaluate("megafish.map.pan(-1e6, 0)")
    drawn(page)
    assert page.evaluate("new Set(new Uint32Array(megafish.map.picture.data.buffer)).size") == 1


def test_colours_of_the_legend_change_and_what_is_clicked_there_is_meant_alone(opened: Opened) -> None:
    page = opened()
    page.get_by_label("Colour").select_option("Time of day")
    assert page.locator("#entries button").all_inner_texts()[0].split("\n")[0] == "07:00 to 08:00"
    page.get_by_label("Colour").select_option("Not fish")
    page.get_by_role("button", name="on the lens").click()
    drawn(page)
    colours = page.evaluate("megafish.data.colourings.find(one => one.name === 'Not fish').colours")
    assert pixel(page, 2 * N_EACH) == rgb(colours[1])
    dim = pixel(page, 0)
    assert all(abs(a - b) < 60 for a, b in zip(dim, GROUND, strict=True)) and dim != rgb(colours[0])
    page.get_by_role("button", name="Show all again").click()
    drawn(page)
    assert pixel(page, 0) == rgb(colours[0])


def test_a_box_and_a_lasso_show_the_tiles_of_what_lies_in_them(opened: Opened) -> None:
    page = opened()
    page.get_by_role("button", name="Box").click()
    drag(page, *corner(page, N_EACH))
    ids = page.locator("#tiles .tile").evaluate_all("tiles => tiles.map(tile => tile.dataset.id)")
    assert ids == [f"v-b/{frame:06d}/001" for frame in range(N_EACH)]
    assert page.locator("#tiles-title").inner_text() == f"{N_EACH} crops"
    assert page.locator("#tiles-note").inner_text() == "of 11 tracklets"
    assert page.locator(".tile .badge").count() == 1
    page.keyboard.press("Escape")
    page.keyboard.press("l")
    (left, top), (right, bottom) = corner(page, 3 * N_EACH)
    page.mouse.move(left, top)
    page.mouse.down()
    for place in ((right, top), (right, bottom), (left, bottom), (left, top + 5)):
        page.mouse.move(*place, steps=4)
    page.mouse.up()
    assert page.locator("#tiles .tile").count() == N_EACH
    assert page.locator("#tiles .tile").first.get_attribute("data-id").startswith("v-d/")


def test_a_tile_shows_the_pixels_of_its_crop(opened: Opened) -> None:
    page = opened()
    for row in (0, N_EACH, 2 * N_EACH, 3 * N_EACH):
        x, y = at(page, row + 10)
        page.mouse.click(x, y)
        shown = page.locator("#card .thumb").screenshot(path=None)
        pixels = ui_picture(shown)
        middle = pixels[pixels.shape[0] // 2 - 20 : pixels.shape[0] // 2 + 20, 5:-5].reshape(-1, 3)
        assert np.median(middle, axis=0) == pytest.approx(COLOURS_RGB[row // N_EACH], abs=14)


def ui_picture(png: bytes) -> np.ndarray:
    """RGB of a screenshot."""
    import cv2

    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def test_hovering_shows_a_crop_and_clicking_leads_to_its_video_at_its_second(opened: Opened, folder: Path) -> None:
    page = opened()
    page.mouse.move(*at(page, 13))
    assert "v-a/000013/001" in page.locator("#hover").inner_text()
    page.mouse.click(*at(page, 13))
    link = page.locator("#video-link")
    address = (folder.parent.parent / "recordings" / HOSTILE_FILE).as_uri()
    assert link.evaluate("link => link.href") == f"{address}#t=1.300".replace("'", "%27")
    assert page.locator("#card video").evaluate("video => video.src") == link.evaluate("link => link.href")
    film = page.locator("#card video")
    assert film.evaluate(METADATA) == 128
    assert HOSTILE in page.locator("#card dl").evaluate("card => card.textContent")


def test_a_video_that_browsers_do_not_play_shows_the_frame_and_its_neighbors(opened: Opened) -> None:
    page = opened()
    page.mouse.click(*at(page, N_EACH + 4))
    assert "Browsers can't play this kind of video" in page.locator("#card").inner_text()
    captions = page.locator("figcaption").all_inner_texts()
    assert captions == ["frame 4: this crop's frame", "frame 3: 1 frame before", "frame 5: 1 frame after"]
    stills = page.locator(".stills img")
    assert (
        stills.evaluate_all("all => Promise.all(all.map(one => one.decode().then(() => one.naturalWidth)))")
        == [128] * 3
    )
    box, still = (page.locator(f".stills figure:first-child {name}").bounding_box() for name in (".box", "img"))
    shares = [(box["x"] - still["x"]) / still["width"], box["width"] / still["width"], box["height"] / still["height"]]
    assert shares == pytest.approx([100 / 1024, 300 / 1024, 400 / 1024], abs=0.01)
    assert page.locator("#card .notice button").count() == 0
    page.mouse.click(*at(page, N_EACH + 5))
    assert page.locator("#card .notice button").inner_text() == "v-b/000002/001"
    page.mouse.click(*at(page, 2 * N_EACH))
    assert "not in the recordings folder" in page.locator("#card").inner_text()


def test_search_finds_ids_names_kinds_and_videos(opened: Opened) -> None:
    page = opened()

    def found(words: str) -> int:
        page.get_by_label("Find").fill(words)
        page.evaluate("words => megafish.search(words)", words)
        return page.locator("#tiles .tile").count()

    assert found("v-c/000004/001") == 1
    assert page.locator("#card h2").inner_text() == "v-c/000004/001"
    assert found("CHROMIS") == found("kind 8") == found("b.avi") == N_EACH
    assert found("v-a/t00002") == 2
    assert found("onerror") == N_EACH
    assert found("no such fish") == 0
    assert "No id, name, kind or video" in page.locator("#tiles-note").inner_text()


def test_more_like_this_shows_the_stored_neighbors_in_their_order(opened: Opened) -> None:
    page = opened()
    page.mouse.click(*at(page, 3))
    page.get_by_role("button", name="More like this").click()
    tiles = page.locator("#tiles .tile")
    ui.expect(tiles).to_have_count(3)  # once the script with the neighbors has come
    assert tiles.evaluate_all("tiles => tiles.map(tile => tile.dataset.id)") == [f"v-a/{n:06d}/001" for n in (5, 7, 9)]
    assert [words.split()[0] for words in tiles.locator("small").all_inner_texts()] == ["0.10", "0.20", "0.30"]
    assert page.evaluate("megafish.map.ringed") == [5, 7, 9]


def test_near_duplicates_can_be_hidden(opened: Opened) -> None:
    page = opened()
    page.get_by_label("show near-duplicates").uncheck()
    drawn(page)
    page.evaluate("megafish.map.zoom(20, ...megafish.screen(25))")
    drawn(page)
    assert pixel(page, 25) == GROUND
    assert pixel(page, 24) != GROUND


def test_keys_move_zoom_and_clear(opened: Opened) -> None:
    page = opened()
    before = at(page, 0)
    page.locator("#points").focus()
    page.keyboard.press("ArrowRight")
    assert at(page, 0) == pytest.approx((before[0] - 60, before[1]))
    page.keyboard.press("0")
    page.keyboard.press("+")
    apart = np.subtract(at(page, 60), at(page, 0))
    page.keyboard.press("0")
    assert apart / np.subtract(at(page, 60), at(page, 0)) == pytest.approx([1.3, 1.3], rel=1e-3)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.type("bl0")
    assert page.locator("#search").input_value() == "bl0" and page.evaluate("megafish.tool") == "move"
    page.keyboard.press("Escape")
    assert page.locator("#search").input_value() == ""


def test_nothing_that_the_page_writes_itself_is_read_as_markup(folder: Path) -> None:
    ways = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc")
    for name in ("page.js", "map.js"):
        assert [way for way in ways if way in (folder / name).read_text()] == [], name
    assert "unsafe" not in (folder / "index.html").read_text()
