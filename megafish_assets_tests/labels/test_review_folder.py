"""What the files of the review hold, whatever stands in the data."""

import json
from pathlib import Path

import polars as pl
import pytest

from megafish_assets.labels.review_folder import (
    offered_names,
    page_html,
    recordings_address,
    script,
    video_address,
)
from megafish_assets_tests.labels.reviewed import SPECIES, kinds, made, tables


@pytest.mark.parametrize("text", ["</script><script>", "<!--", "\u2028\u2029", '"\\', "🐟\u202e", "]]>&amp;"])
def test_a_script_holds_any_text_as_plain_json(text: str) -> None:
    written = script("megafish.sheet", {"name": text}).decode("ascii")
    assert not set("<>&") & set(written)
    inner = written.removeprefix("megafish.sheet(").removesuffix(");\n")
    assert json.loads(inner) == {"name": text}


def test_a_number_that_json_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError):
        script("megafish.sheet", {"seconds": float("nan")})


def test_the_page_has_its_policy_and_every_script_its_nonce() -> None:
    html = page_html("N0nce")
    assert "{" not in html
    assert html.count("<script ") == html.count('<script nonce="N0nce"') == 10
    assert "script-src 'nonce-N0nce';" in html and "default-src 'none'" in html and "unsafe" not in html


def test_two_folders_have_two_nonces(tmp_path: Path) -> None:
    pages = []
    for name in ("a", "b"):
        made(tmp_path / name)
        pages.append((tmp_path / name / "index.html").read_text())
    assert pages[0] != pages[1]


def test_videos_of_the_collection_are_reached_from_within_and_others_by_their_whole_address() -> None:
    folder = Path("/data/reef/figures/review")
    assert recordings_address(Path("/data/reef/recordings"), folder) == "../../recordings"
    assert recordings_address(Path("/data/reef/my videos"), folder) == "../../my%20videos"
    assert recordings_address(Path("/mnt/a b"), folder) == "file:///mnt/a%20b"


def test_a_videos_address_is_encoded_and_stays_within_its_folder() -> None:
    assert video_address("../../recordings", "dive 1/a#1?.mp4") == "../../recordings/dive%201/a%231%3F.mp4"
    assert video_address("r", "javascript:alert(1)") == "r/javascript%3Aalert%281%29"
    assert [video_address("r", name) for name in ("../x.mp4", "/etc/passwd", "a/../../x", "")] == [None] * 4


def test_names_of_people_come_before_the_list_and_take_its_scientific_names() -> None:
    classes = pl.DataFrame(
        {
            "name": ["B", "B", "Trumpetfish", "C", None],
            "scientific_name": ["Bus bus", None, None, None, None],
            "name_source": ["person", "person", "person", "classified", "unnamed"],
        }
    )
    names = offered_names(classes, SPECIES.head(2)).rows()
    assert names == [
        ("B", "Bus bus", None, 2, False),
        ("Trumpetfish", "Aulostomus maculatus", 159427, 1, True),
        ("Blue-green chromis", "Chromis viridis", 212682, 0, True),
    ]
    assert offered_names(None, SPECIES.clear()).height == 0


def test_a_sprite_a_sheet_and_a_script_are_there_for_every_sheet(tmp_path: Path) -> None:
    sheets, tiles = made(tmp_path / "review")
    files = {path.name for path in (tmp_path / "review" / "data").iterdir()}
    assert files == {"index.js"} | {f"{sheet.name}{end}" for sheet in sheets for end in (".js", "_00.jpg")}
    assert tiles.height == tables()[2]["tracklet_id"].n_unique()


def test_a_sheet_has_the_colour_that_its_kind_has_on_montages(tmp_path: Path) -> None:
    sheets, _ = made(tmp_path / "review", kinds=kinds(tables()[2], {0: 2}))
    call = (tmp_path / "review" / "data" / "index.js").read_text().splitlines()[-1]
    index = json.loads(call.removeprefix("megafish.collection(").removesuffix(");"))
    colours = {sheet.cluster: told["colour"] for sheet, told in zip(sheets, index["sheets"], strict=True)}
    # tab20's second hue for the second kind, the greys of no kind and of noise.
    assert (colours[0], colours[1], colours.get(-1, "#8a8a8a")) == ("#ff7f0e", "#c9c9c9", "#8a8a8a")
