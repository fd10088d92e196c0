"""What the detector missed, from the draw of frames over a person in a real browser to the recall."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest

from megafish_assets.detections.looks import Looks
from megafish_assets.footage.columns import empty_table
from megafish_assets.labels.columns import LABELS
from megafish_assets.labels.label_files import LabelFile, read_labels
from megafish_assets.labels.label_measures import label_numbers
from megafish_assets.labels.resolving import current_words, resolved
from megafish_assets.labels.said import LabelFileError
from megafish_assets.labels.species import SPECIES
from megafish_assets.labels.taking import labels_table
from megafish_assets.sightings.gap import clustered_interval, precision, recall, with_answers
from megafish_assets.sightings.gap_folder import decoded_frames, write_page
from megafish_assets.sightings.gap_frames import first_draws, frame_draws
from megafish_assets_tests.conftest import FORCED

try:
    from playwright.sync_api import Page, expect, sync_playwright
except ImportError:  # a browser is no part of the package; the tests that need one say so
    sync_playwright = None

CHROMIUM = "/usr/bin/chromium"
WHEN = datetime(2026, 5, 1, 12, tzinfo=UTC)
HEADER = (
    "detection_id,tracklet_id,video,frame_id,x_1024,y_1024,width_1024,height_1024,cluster,kind_id,place_id,backbone,"
    "recipe,fit_version,label,scientific_name,aphia_id,status,labelled_by,labelled_at,note"
)
BOXES = pl.DataFrame(
    [
        ("v/000007/000", "v/t00001", "v", 7, 100.0, 100.0, 80.0, 60.0),
        ("v/000007/001", "v/t00002", "v", 7, 110.0, 110.0, 20.0, 20.0),
        ("v/000007/002", None, "v", 7, 600.0, 600.0, 40.0, 40.0),
        ("v/000009/000", "v/t00001", "v", 9, 120.0, 100.0, 80.0, 60.0),
    ],
    ["detection_id", "tracklet_id", "video", "frame_id", "x_1024", "y_1024", "width_1024", "height_1024"],
    orient="row",
)
FRAMES = pl.DataFrame({"video": ["v", "v", "w"], "frame_id": [9, 7, 3]})
COUNTED = ["looked_by", "n_boxes", "n_unjudged", "n_found", "n_missed", "n_no_animal", "n_twice"]


def looks(video: str, n: int = 100, wiped: range = range(0)) -> Looks:
    is_wiped = np.zeros(n, dtype=bool)
    is_wiped[list(wiped)] = True
    return Looks(video, np.arange(n), 1, 1 / 30, is_wiped)


def said(*lines: str, name: str = "frames.csv", end: int | None = None) -> pl.DataFrame:
    """The columns `LABELS` of a file with these lines."""
    content = "\r\n".join([HEADER, *lines, f"# end, {len(lines) if end is None else end} labels", ""]).encode()
    read = read_labels(LabelFile(name, content, WHEN, lambda backbone: None, lambda video: None, datetime.now(UTC)))
    return labels_table(read, name, content, empty_table(SPECIES))


def line(status: str, frame: int = 7, video: str = "v", detection: str = "", box: str = ",,,", at: int = 10) -> str:
    return f"{detection},,{video},{frame},{box},,,,,,,,,,{status},Ana,2026-05-01T{at}:00:00.000Z,"


def found(*boxes: int, frame: int = 7, at: int = 10) -> list[str]:
    """Lines that call these of the frame's boxes animals."""
    rows = BOXES.filter(frame_id=frame)
    sides = ["x_1024", "y_1024", "width_1024", "height_1024"]
    texts = [",".join(f"{side:g}" for side in rows.select(sides).row(number)) for number in boxes]
    ids = [rows["detection_id"][number] for number in boxes]
    return [line("found", frame, detection=name, box=box, at=at) for name, box in zip(ids, texts, strict=True)]


def test_every_searched_frame_is_drawn_alike_and_none_behind_the_wiper() -> None:
    drawn = pl.concat(
        [frame_draws([looks("a", 10), looks("b", 30, range(10))], seed, 5).head(5) for seed in range(2000)]
    )
    counts = drawn.group_by("video", "frame_id").len()
    assert counts.height == 10 + 20  # the first ten of b are wiped
    expected = 2000 * 5 / 30
    assert ((counts["len"] - expected) ** 2 / expected).sum() < 58.3  # chi squared, 29 degrees of freedom, 0.1 %


def test_a_video_that_is_added_leaves_the_other_frames_and_their_order() -> None:
    few, more = frame_draws([looks("a"), looks("b")], 1, 5), frame_draws([looks("a"), looks("b"), looks("c")], 1, 5)
    assert more.filter(pl.col("video") != "c").equals(few.head(more.filter(pl.col("video") != "c").height))
    apart = first_draws([frame_draws([looks(video)], 1, 5) for video in "cba"], 5)
    assert apart.equals(more) and frame_draws([], 1, 5).is_empty()


def test_what_was_said_of_a_frame_becomes_found_missed_no_animal_and_twice() -> None:
    labels = said(
        line("missed", box="400,400,50,50"),
        line("missed", box="10,10,5,5"),
        *found(0),
        line("not_fish", detection="v/000007/002", box="600,600,40,40"),
        line("twice", detection="v/000007/001", box="110,110,20,20"),
        line("looked_at"),
        line("looked_at", frame=3, video="w"),
        line("missed", frame=9, box="1,1,9,9"),  # nobody says that he has seen all of this frame
    )
    table = with_answers(FRAMES, BOXES, labels)
    assert table.rows() == [
        ("v", 9, None, 1, 0, None, None, None, None),
        ("v", 7, "Ana", 3, 0, 1, 2, 1, 1),
        ("w", 3, "Ana", 0, 0, 0, 0, 0, 0),
    ]
    assert table.columns[2:] == COUNTED
    assert recall(table).share == 1 / 3 and precision(table).share == 2 / 3
    assert "2 frames" in recall(table).note and recall(table).low is None


def test_a_file_saved_again_replaces_what_it_said_before() -> None:
    first = said(line("missed", box="400,400,50,50"), *found(0, 1, 2), line("looked_at"))
    again = said(*found(0, 1, 2, at=11), line("looked_at", at=11))
    for labels in (pl.concat([first, again]), pl.concat([again, first])):
        table = with_answers(FRAMES, BOXES, labels)
        assert table.filter(frame_id=7)["n_missed"].item() == 0


def test_an_animal_that_the_detector_finds_when_it_runs_again_is_missed_no_more() -> None:
    labels = said(line("missed", box="600,602,44,40"), *found(0, 1), line("looked_at"))
    before = with_answers(FRAMES, BOXES.filter(pl.col("detection_id") != "v/000007/002"), labels)
    after = with_answers(FRAMES, BOXES, labels)
    assert before.filter(frame_id=7).select("n_found", "n_missed").row(0) == (2, 1)
    assert after.filter(frame_id=7).select("n_found", "n_missed").row(0) == (3, 0)


def test_words_on_boxes_follow_their_places_when_the_detector_runs_again() -> None:
    rock = line("not_fish", detection="v/000007/000", box="100,100,80,60")
    labels = said(rock, *found(1, 2), line("looked_at"))
    # It boxes the rock no more, and the others a little otherwise and under other numbers.
    later = BOXES.filter(pl.col("detection_id") != "v/000007/000").with_columns(
        pl.col("x_1024") + 2, detection_id=pl.col("detection_id").replace({"v/000007/001": "v/000007/000"})
    )
    told = with_answers(FRAMES, later, labels).filter(frame_id=7).select(COUNTED).row(0)
    assert told == ("Ana", 2, 0, 2, 0, 0, 0)
    without = with_answers(FRAMES, later.filter(pl.col("x_1024") < 500), labels).filter(frame_id=7).select(COUNTED)
    assert without.row(0) == ("Ana", 1, 0, 1, 1, 0, 0)  # an animal that it had, and lost


def test_boxes_that_nobody_judged_send_the_frame_back_to_be_looked_at() -> None:
    labels = said(*found(0, 1), line("looked_at"), *found(0, frame=9), line("looked_at", frame=9))
    table = with_answers(FRAMES, BOXES, labels)
    assert table.select("looked_by", "n_unjudged", "n_found").rows() == [
        ("Ana", 0, 1),
        (None, 1, None),
        (None, 0, None),
    ]
    for share in (recall(table), precision(table)):  # of the other frame alone it would be 1
        assert share.share is None and share.note == "1 of 2 frames hold boxes that nobody judged: look at them again"


def test_a_line_that_is_pasted_twice_is_one_animal() -> None:
    missed = line("missed", box="400,400,50,50")
    table = with_answers(FRAMES, BOXES, said(missed, missed, *found(0, 1, 2), *found(0), line("looked_at")))
    assert table.filter(frame_id=7).select(COUNTED).row(0) == ("Ana", 3, 0, 3, 1, 0, 0)


def test_the_interval_is_wilsons_where_animals_are_alone_and_wider_where_schools_are_missed_together() -> None:
    found = np.array([1] * 45 + [0] * 5)
    alone = clustered_interval(found, np.ones(50))
    expected = binomtest(45, 50).proportion_ci(0.95, "wilson")
    # Residuals of fifty groups: the sample's variance, 50/49 of the binomial one.
    assert np.allclose(alone, (expected.low, expected.high), atol=3e-3)
    schools = clustered_interval(np.repeat([10, 0], [18, 2]), np.full(20, 10))
    assert schools[1] - schools[0] > 1.3 * (alone[1] - alone[0]) and schools[0] < 0.9 < schools[1]
    assert clustered_interval(np.ones(30), np.ones(30))[1] == pytest.approx(1)


def test_nothing_is_told_of_the_detector_before_anybody_has_looked() -> None:
    table = with_answers(FRAMES, BOXES, empty_table(LABELS))
    assert recall(table).share is None and recall(table).note == "nobody has looked yet"
    assert table["n_boxes"].to_list() == [1, 3, 0] and table["n_found"].null_count() == 3
    seen = with_answers(FRAMES, BOXES, said(line("looked_at", frame=3, video="w")))
    assert recall(seen).share is None and "nothing was seen" in recall(seen).note


def test_words_on_frames_name_no_tracklet_and_are_no_lost_labels() -> None:
    twice = line("twice", detection="v/000007/001", box="110,110,20,20")
    labels = said(line("missed", box="100,100,80,60"), twice, *found(0), line("looked_at"))
    raw, tracklets = BOXES.lazy(), BOXES.drop_nulls("tracklet_id").lazy().with_columns(pl.lit(0).alias("position"))
    words = current_words(labels, raw, tracklets)
    assert words.is_empty()
    told = label_numbers(labels, resolved(labels, raw, tracklets), words, empty_table(SPECIES))
    assert told["unresolved_share"] == 0 and told["n_labels"] == 4


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (line("missed"), "line 2: missed speaks of an animal in a frame: give its box"),
        (line("missed", video="", box="1,2,3,4"), "line 2: missed speaks of a frame"),
        (f",,v,,,,,,,,,,,,,,,looked_at,Ana,{WHEN.isoformat()},", "line 2: looked_at speaks of a frame"),
        (line("twice"), "line 2: twice speaks of an animal in a frame"),
    ],
)
def test_words_on_frames_that_lack_what_they_speak_of_are_refused_by_line(wrong: str, says: str) -> None:
    with pytest.raises(LabelFileError, match=says):
        said(wrong)


def clip(path: Path, n_frames: int = 12) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(n_frames):
            picture = np.full((180, 320, 3), 20 * number % 256, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def test_frames_that_can_not_be_decoded_are_passed_over(tmp_path: Path) -> None:
    draws = pl.DataFrame(
        {"video": ["gone", "v", "broken", "v", "v"], "frame_id": [1, 90, 0, 7, 9], "seconds": 0.0, "draw": 0.0}
    )
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    paths = {"v": clip(tmp_path / "v.mp4"), "broken": tmp_path / "broken.mp4", "gone": tmp_path / "gone.mp4"}
    found = list(decoded_frames(draws, paths, 2))
    assert [row["frame_id"] for row, _ in found] == [7, 9] and all(picture[:2] == b"\xff\xd8" for _, picture in found)
    assert [row["frame_id"] for row, _ in decoded_frames(draws, paths, 1)] == [7]


@pytest.fixture
def page(tmp_path: Path) -> Iterator["Page"]:
    """The page of two frames; anything refused or thrown fails the test."""
    missing = [
        what for what, there in ((CHROMIUM, shutil.which(CHROMIUM)), ("playwright", sync_playwright)) if not there
    ]
    if missing:
        reason = f"no {' and no '.join(missing)}: the page can't be looked at"
        pytest.fail(reason) if FORCED else pytest.skip(reason)
    draws = pl.DataFrame({"video": "v", "frame_id": [7, 9], "seconds": [0.23, 0.3], "draw": 0.0})
    frames = [
        (row | {"is_seen": False}, jpeg) for row, jpeg in decoded_frames(draws, {"v": clip(tmp_path / "v.mp4")}, 2)
    ]
    write_page(tmp_path / "page", frames, BOXES)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--no-first-run"])
        page, wrong = browser.new_page(viewport={"width": 1300, "height": 850}, accept_downloads=True), []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda told: wrong.append(told.text) if told.type in ("error", "warning") else None)
        page.goto((tmp_path / "page/index.html").as_uri())
        yield page
        browser.close()
        assert not wrong


def drag(page: "Page", x: float, y: float, width: float, height: float) -> None:
    """Draws a box, given in px of the stretched frame."""
    picture = page.locator("#picture").bounding_box()
    scale = picture["width"] / 1024, picture["height"] / 1024
    page.mouse.move(picture["x"] + x * scale[0], picture["y"] + y * scale[1])
    page.mouse.down()
    page.mouse.move(picture["x"] + (x + width) * scale[0], picture["y"] + (y + height) * scale[1], steps=3)
    page.mouse.up()


def test_a_person_marks_what_was_missed_and_the_file_that_he_saves_tells_it(page: "Page") -> None:
    expect(page.locator("#title")).to_have_text("Frame 1 of 2")
    expect(page.locator("#marks button.found")).to_have_count(3)
    page.fill("#person", "Ana")
    drag(page, 400, 300, 200, 150)
    expect(page.locator("#marks button.missed")).to_have_count(1)
    drag(page, 102, 100, 80, 62)  # the detector's own box
    expect(page.locator("#said")).to_contain_text("detector's own box")
    page.get_by_label("box 2: an animal").click()  # lies within box 1
    page.get_by_label("box 2: no animal").click()
    page.get_by_label("box 3: an animal").click()
    picture = page.locator("#picture").bounding_box()
    page.mouse.click(picture["x"] + picture["width"] * 0.9, picture["y"] + picture["height"] * 0.1)
    expect(page.locator("#marks button.missed")).to_have_count(2)
    page.get_by_label("missed animal 2").click()
    expect(page.locator("#marks button.missed")).to_have_count(1)
    page.locator("#seen").click()
    expect(page.locator("#title")).to_have_text("Frame 2 of 2")
    expect(page.locator("#counted")).to_have_text("1 of 2 frames seen · found 1 of 2 animals")
    page.reload()
    expect(page.locator("#title")).to_have_text("Frame 2 of 2")  # what was said is kept
    with page.expect_download() as download:
        page.keyboard.press("s")
    content = Path(download.value.path()).read_bytes()
    read = read_labels(
        LabelFile("frames.csv", content, WHEN, lambda backbone: None, lambda video: None, datetime.now(UTC))
    )
    table = with_answers(FRAMES, BOXES, labels_table(read, "frames.csv", content, empty_table(SPECIES)))
    assert table.filter(frame_id=7).row(0) == ("v", 7, "Ana", 3, 0, 1, 1, 1, 1)
    assert table.filter(frame_id=9)["looked_by"].item() is None
    box = read.filter(pl.col("status") == "missed")["box"].item().to_list()
    assert np.allclose(box, [400, 300, 200, 150], atol=3)
