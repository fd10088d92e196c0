"""What the report says of behavior, groups and moments, of tables that are there, poor, hostile or absent."""

import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import dagster as dg
import pytest

from megafish_assets.atlas.report_doing import MOST_GROUPS, MOST_MOMENTS, MOST_ROWS, doing_of, polarization_at_random
from megafish_assets.sightings.columns import BEHAVIOR, MOMENTS, SCHOOLS
from megafish_assets_tests.atlas.reported import Collection, typed
from megafish_assets_tests.atlas.test_report import words

HOSTILE = '</script><img src=x onerror="window.harmed=3">{{ 7*7 }}'


def swims(kind: str | None, **numbers: float | str | None) -> dict:
    """A row of `behavior` with plenty behind it."""
    known = {"n_moving": 249, "left_share": 0.64, "right_share": 0.2, "n_speeds": 330, "speed_median": 0.83}
    known |= {"speed_p90": 1.39, "n_moments": 111, "grouped_share": 0.27, "group_size_largest": 4}
    known |= {"note": "no stay: fewer than 10 arrivals (8); no interval of the right share: fewer than 20 clips"}
    return {"of": "any" if kind is None else "kind", "kind": kind} | known | numbers


def group(kind: str | None, n: int, **numbers: float | str | None) -> dict:
    place = {"video": "cam_0001", "seconds": 4.0, "of": "any" if kind is None else "kind", "kind": kind}
    return place | {"n_members": n, "n_moving": n, "polarization": 0.8, "neighbor_body_lengths": 1.2} | numbers


def moment(rank: int, reason: str, number: float, kind: str | None, file: str | None = "cam_0001.mp4") -> dict:
    place = {"video": "cam_0001", "seconds": 4.5, "open": file and f"{file}#t=3.5"}
    return place | {
        "rank": rank,
        "reason": reason,
        "number": number,
        "kind": kind,
        "film": "tracklets/cam_0001.mp4#t=3.5",
    }


def stored(root: Path, behavior: list[dict], schools: list[dict], moments: list[dict]) -> Collection:
    made = Collection(root, ["yellow tang", "kind 7"], n_videos=4, with_videos=True)
    made.store("sightings/behavior", typed(behavior, BEHAVIOR))
    made.store("sightings/schools", typed(schools, SCHOOLS))
    made.store("sightings/moments", typed(moments, MOMENTS))
    return made


def section(made: Collection) -> str:
    return re.search(r'(?s)<section id="doing">.*?</section>', made.page.read_text()).group()


def links(made: Collection) -> list[str]:
    return [unescape(href) for href in re.findall(r'href="([^"]*)"', section(made))]


def test_the_page_says_what_the_tables_hold(tmp_path: Path) -> None:
    stay = {"stay_median_seconds": 5.25, "stay_median_low": 3.0, "note": None, "right_share_low": 0.15}
    behavior = [
        swims("kind 7", n_moving=2, n_speeds=9, grouped_share=0.0, n_moments=30, group_size_largest=None),
        swims("yellow tang", **stay, right_share_high=0.26),
        swims(None, grouped_share=0.8, stay_quarter_seconds=2.97, note="no median stay: 26 of 92 were seen to leave"),
    ]
    schools = [
        group("yellow tang", 12, n_moving=10, polarization=0.28),
        group("yellow tang", 11, polarization=1.0),
        group("kind 7", 3, n_moving=2, polarization=None),
        group(None, 28),
    ]
    moments = [
        moment(1, "dense_group", 28, None),
        moment(2, "first_of_kind", 1, "kind 7"),
        moment(3, "burst", 3.6759, "yellow tang"),
    ]
    made = stored(tmp_path / "reef", behavior, schools, moments)
    (tmp_path / "reef/figures/tracklets").mkdir(parents=True)
    (tmp_path / "reef/figures/tracklets/cam_0001.mp4").write_bytes(b"")
    assert made.made().success
    text = words(made)
    for sentence in (
        "yellow tang ← 64 % 20 % (15 % to 26 %) → 0.8 a tenth over 1.4 27 % up to 4 5.2 s at least 3.0 s",
        "kind 7 too few that swim: 2 stretches not known 0 % no stay: fewer than 10 arrivals (8)",
        "80 % of any kinds no median stay: 26 of 92 were seen to leave; a quarter has left after 3.0 s",
        "yellow tang 12 0.28 of 10 that swim 0.28 1.2 cam_0001 at 0:04.0",
        "kind 7 3 2 of them swim: too few 1.2",
        "28 of several kinds cam_0001 at 0:04.5 · with tracklets",
        "kind 7: 1 sighting in all",
        "yellow tang: 3.7 body lengths a second",
    ):
        assert sentence in text, sentence
    assert text.count("no rate of feeding can be told from boxes") == 1
    # The commonest kind is first, as in the table of kinds; all together last.
    assert re.findall('data-doing="(.*?)"', section(made)) == ["kind 7", "yellow tang", ""]
    assert links(made) == ["../../recordings/cam_0001.mp4#t=3.5", "../tracklets/cam_0001.mp4#t=3.5"] * 3
    assert (made.page.parent / "../../recordings/cam_0001.mp4").is_file()


@pytest.mark.parametrize("is_empty", [False, True])
def test_tables_that_are_absent_or_empty_are_told_as_such(tmp_path: Path, is_empty: bool) -> None:
    made = stored(tmp_path, [], [], []) if is_empty else Collection(tmp_path, ["chromis"], n_videos=4)
    assert made.made().success
    told = (
        ("Nothing was seen that swims.", "No three of one kind were seen close together.", "No moment stands out.")
        if is_empty
        else [f"Not told yet: the table {table} was not made." for table in ("behavior", "schools", "moments")]
    )
    text = words(made)
    assert all(sentence in text for sentence in told)


def test_names_that_are_markup_stay_names(tmp_path: Path) -> None:
    moments = [moment(rank, reason, 3, HOSTILE) | {"video": HOSTILE}
               for rank, reason in enumerate(("dense_group", "first_of_kind", "burst"))]  # fmt: skip
    made = stored(tmp_path, [swims(HOSTILE, note=f"no stay: {HOSTILE}")], [group(HOSTILE, 3, video=HOSTILE)], moments)
    assert made.made().success
    page = section(made)
    assert "<img" not in page and "</script>" not in page
    assert unescape(page).count(HOSTILE) >= 9 and "{{ 7*7 }}" in page


def test_a_recording_is_linked_by_its_name_and_nothing_else_is(tmp_path: Path) -> None:
    strange = '100% "reef" #1 <b>\'?.mp4'
    files = [strange, "gone.mp4", "../outside.mp4", "javascript:alert(1)", "/etc/hostname", "n\0l.mp4", "", None]
    made = stored(tmp_path / "a reef", [], [], [moment(rank, "burst", 2, "chromis", f) for rank, f in enumerate(files)])
    (tmp_path / "a reef/outside.mp4").write_bytes(b"")
    (tmp_path / "a reef/recordings" / strange).write_bytes(b"")
    assert made.made().success
    (link,) = links(made)
    path, _, second = link.partition("#")
    assert second == "t=3.5" and Path(made.page.parent, unquote(path)).resolve().name == strange
    assert words(made).count("cam_0001 at 0:04.5") == len(files)


def test_recordings_out_of_the_collection_are_not_linked_and_the_page_says_so(tmp_path: Path) -> None:
    made = stored(tmp_path / "reef", [], [], [moment(1, "burst", 2, "chromis")])
    (tmp_path / "reef/recordings").rename(tmp_path / "elsewhere")
    assert made.made(recordings=tmp_path / "elsewhere").success
    assert links(made) == [] and "The recordings can't be reached from here" in words(made)
    (tmp_path / "reef/recordings").symlink_to(tmp_path / "elsewhere")
    assert made.made().success
    assert links(made) == ["../../recordings/cam_0001.mp4#t=3.5"], "the folder's name is the collection's"


def test_where_nobody_has_looked_the_page_links_the_frames_to_mark(tmp_path: Path) -> None:
    made = Collection(tmp_path, ["chromis"], n_videos=4)
    link = "../animals_gap/index.html"
    assert made.made().success and link not in made.page.read_text()
    (tmp_path / "figures/animals_gap").mkdir()
    (tmp_path / "figures/animals_gap/index.html").write_text("")
    drawn = {"n_frames": 50, "n_frames_looked_at": 0, "n_found": 0, "n_missed": 0}
    made.instance.report_runless_asset_event(dg.AssetMaterialization("animals_gap", metadata=drawn))
    assert made.made().success and f'href="{link}"' in made.page.read_text()
    assert "Mark what it missed in 50 frames : about 10 minutes." in words(made)


def test_of_many_kinds_the_commonest_are_told_and_the_others_counted() -> None:
    names = [f"species {number:03d}" for number in range(60)]
    behavior = typed([swims(name) for name in reversed(names)], BEHAVIOR)
    schools = typed([group(name, 3 + place) for place, name in enumerate(names)], SCHOOLS).lazy()
    moments = typed([moment(rank, "burst", 2, "chromis") for rank in range(60, 0, -1)], MOMENTS)
    told = doing_of(behavior, schools, moments, names, lambda file: None, lambda file: None)
    assert [one.kind for one in told.behavior] == names[:MOST_ROWS] and told.n_kinds_left_out == 60 - MOST_ROWS
    assert [one.n_members for one in told.groups] == list(range(62, 62 - MOST_GROUPS, -1))
    assert told.n_groups_left_out == 60 - MOST_GROUPS and len(told.moments) == MOST_MOMENTS


def test_of_groups_as_large_the_one_whose_polarization_is_known_is_told() -> None:
    schools = typed(
        [group("chromis", 4, polarization=None, n_moving=1), group("chromis", 4, video="cam_0002")], SCHOOLS
    )
    told = doing_of(None, schools.lazy(), None, [], lambda file: None, lambda file: None)
    assert [(one.video, one.polarization) for one in told.groups] == [("cam_0002", 0.8)]
    assert told.behavior is None and told.moments is None


def test_headings_at_random_are_as_alike_as_a_random_walk_is_long() -> None:
    # Mean distance after n unit steps: Borwein, Nuyens, Straub & Wan 2011, doi:10.1007/s11139-011-9325-y.
    for n, distance in ((3, 1.57460), (4, 1.79909), (5, 2.00816), (6, 2.19386)):
        assert polarization_at_random(n) == pytest.approx(distance / n, abs=0.003)
