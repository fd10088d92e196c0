"""What is worth a look, of movements made by hand."""

import re
from datetime import datetime
from html import unescape
from urllib.parse import unquote, urljoin, urlsplit

import polars as pl
from markdown_it import MarkdownIt

from megafish_assets.orchestration.sources import Recordings
from megafish_assets.sightings.columns import MOMENTS, MOVEMENTS, SCHOOLS
from megafish_assets.sightings.moments import bursts, first_of_kinds, moments, opened, place_and_second
from megafish_assets.sightings.movement_assets import look_here


def movements(speeds: list[float | None], name: str = "t0", video: str = "v0", steady: bool = True, looks: int = 10):
    rows = [
        {"video": video, "tracklet_id": name, "moment": n, "seconds": n / 3, "frame_id": 10 * n, "n_looks": looks,
         "is_whole_moment": n % 3 == 0, "speed_x": speed, "speed_y": None if speed is None else 0.0,
         "is_steady": steady}
        for n, speed in enumerate(speeds)
    ]  # fmt: skip
    return pl.DataFrame(rows, {name: column.dtype for name, column in MOVEMENTS.items()})


def sighting(name: str, kind: str, second: float = 0.0, video: str = "v0", at: datetime | None = None) -> dict:
    return {
        "video": video, "tracklet_id": name, "kind": kind, "first_frame": int(30 * second), "first_second": second,
        "recorded_at": at,
    }  # fmt: skip


def sightings(*rows: dict) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema_overrides={"recorded_at": pl.Datetime("us")})


def groups(*rows: tuple[str, float, str, str | None, list[str]]) -> pl.DataFrame:
    full = [
        {"video": video, "seconds": second, "frame_id": int(30 * second), "of": of, "kind": kind,
         "n_members": len(members), "members": members}
        for video, second, of, kind, members in rows
    ]  # fmt: skip
    return pl.DataFrame(full, {name: column.dtype for name, column in SCHOOLS.items()})


def test_a_burst_is_twice_as_fast_as_the_fish_is_else() -> None:
    assert bursts(movements([1.0, 1.0, 1.0, 1.0, 2.5]))["seconds"].to_list() == [4 / 3]
    assert bursts(movements([1.0, 1.0, 1.0, 1.0, 1.9])).is_empty()
    # Fast all the time, twice as fast as very slow, and too short to know what is usual.
    assert bursts(movements([3.0] * 8)).is_empty()
    assert bursts(movements([0.1, 0.1, 0.1, 0.1, 1.4])).is_empty()
    assert bursts(movements([1.0, 1.0, 1.0, 2.5])).is_empty()


def test_a_box_that_leaps_is_no_burst() -> None:
    assert bursts(movements([1.0, 1.0, 1.0, 1.0, 2.5], steady=False)).is_empty()
    assert bursts(movements([1.0, 1.0, 1.0, 1.0, 2.5], looks=2)).is_empty()


def test_of_a_tracklet_the_fastest_burst_is_listed_and_the_fastest_tracklet_first() -> None:
    found = bursts(pl.concat([movements([1, 1, 1, 1, 1, 2.5, 3.0]), movements([1, 1, 1, 1, 4.0], "t1")]))
    assert found["tracklet_id"].to_list() == ["t1", "t0"] and found["number"].to_list() == [4.0, 3.0]


def test_the_rarest_kind_comes_first_and_the_unnamed_is_no_kind() -> None:
    found = first_of_kinds(
        sightings(
            sighting("t0", "chromis", 3.0),
            sighting("t1", "chromis", 1.0),
            sighting("t2", "ray", 5.0),
            sighting("t3", "unnamed"),
        )
    )
    assert found.select("kind", "tracklet_id", "seconds", "number").rows() == [
        ("ray", "t2", 5.0, 1.0),
        ("chromis", "t1", 1.0, 2.0),
    ]


def test_the_first_is_by_the_time_of_day_where_all_have_one() -> None:
    early, late = datetime(2025, 1, 1, 6), datetime(2025, 1, 1, 7)
    two = [sighting("t0", "ray", 5.0, "v0", late), sighting("t1", "ray", 5.0, "v1", early)]
    assert first_of_kinds(sightings(*two))["tracklet_id"].to_list() == ["t1"]
    two[1]["recorded_at"] = None
    assert first_of_kinds(sightings(*two))["tracklet_id"].to_list() == ["t0"]


def test_without_clocks_videos_come_as_people_count() -> None:
    seen = sightings(sighting("t0", "ray", video="clip_10"), sighting("t1", "ray", video="clip_2"))
    assert first_of_kinds(seen)["video"].to_list() == ["clip_2"]


def test_reasons_take_turns_and_each_video_has_its_largest_group() -> None:
    school = groups(
        ("v0", 1.0, "any", None, ["t0", "t1", "t2"]), ("v0", 2.0, "any", None, ["t0", "t1", "t2", "t3"]),
        ("v1", 1.0, "any", None, ["t5", "t6", "t7"]), ("v1", 1.0, "kind", "chromis", ["t5", "t6", "t7"]),
    )  # fmt: skip
    seen = sightings(*[sighting(f"t{n}", "chromis" if n else "ray") for n in range(8)])
    found = moments(seen, movements([1.0, 1.0, 1.0, 1.0, 2.5], "t4"), school)
    assert found["reason"].to_list() == ["dense_group", "first_of_kind", "burst", "dense_group", "first_of_kind"]
    assert found["rank"].to_list() == [1, 2, 3, 4, 5]
    large = found.filter(reason="dense_group")
    assert large.select("video", "seconds", "number", "kind").rows() == [
        ("v0", 2.0, 4.0, None),
        ("v1", 1.0, 3.0, "chromis"),
    ]
    assert moments(seen, movements([1.0] * 5), school, n_a_reason=1).height == 2


def test_bursts_stay_in_order_when_they_get_their_kinds() -> None:
    names = [f"t{n:02d}" for n in range(30)]
    moved = pl.concat([movements([1.0, 1.0, 1.0, 1.0, 2.0 + n / 10], name) for n, name in enumerate(names)])
    found = moments(sightings(*[sighting(name, "ray") for name in names]), moved, groups()).filter(reason="burst")
    assert found["tracklet_id"].to_list() == names[:9:-1]


def test_a_video_opens_a_second_before() -> None:
    seen = sightings(sighting("t0", "ray", 0.4), sighting("t1", "eel", 7.25))
    found = opened(moments(seen, movements([]), groups()), {"v0": "dive/v0.mp4"}, {"v0": "tracklets/v0.mp4"})
    assert found.columns == list(MOMENTS)
    assert found["open"].to_list() == ["dive/v0.mp4#t=6.2", "dive/v0.mp4#t=0.0"]
    assert found["film"].to_list() == ["tracklets/v0.mp4#t=6.2", "tracklets/v0.mp4#t=0.0"]


def test_a_file_of_any_name_opens() -> None:
    file = "dive #3/50%25 é?.mp4"
    found = opened(moments(sightings(sighting("t0", "ray", 3)), movements([]), groups()), {"v0": file}, {})
    address = urljoin("https://reef.example/recordings/", found["open"].item())
    parts = urlsplit(address)
    assert unquote(parts.path) == f"/recordings/{file}" and parts.fragment == "t=2.0" and not parts.query
    assert place_and_second(found["open"].item()) == (file, "2.0")


def test_names_do_not_become_markdown() -> None:
    kind = "[win](https://x.example) | *tang* <b>"
    found = opened(moments(sightings(sighting("t0", kind, 3)), movements([]), groups()), {"v0": "a|b.mp4"}, {})
    reader = MarkdownIt().enable("table")
    reader.validateLink = lambda address: True  # it takes none to a file
    cells = re.findall(r"<td>(.*?)</td>", reader.render(look_here(found, Recordings(folder="/nowhere"))))
    assert len(cells) == 5 and unescape(cells[3]) == kind
    assert re.fullmatch(r'<a href="file:///nowhere/a%7Cb.mp4#t=2.0">a\|b.mp4, 2.0 s</a>', cells[4])


def test_of_nothing_there_is_nothing_to_look_at() -> None:
    none = sightings(sighting("t0", "ray")).clear()
    assert opened(moments(none, movements([]), groups()), {}, {}).is_empty()
