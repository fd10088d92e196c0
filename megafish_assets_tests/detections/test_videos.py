"""Partition keys of video files."""

import re

import polars as pl
import pytest

from megafish_assets.detections.videos import ClashingVideosError, keyed_videos, video_key, video_number

ODD_NAMES = [
    "a,b.mp4",
    "it's.mp4",
    'say "hi".mp4',
    "two  words.mp4",
    "méduse.mp4",
    "魚.mp4",
    "a|b;c$(d).mkv",
    "x\ty.mp4",
]


def keys(*files: str) -> list[str]:
    return pl.DataFrame({"file": files}).select(video_key(pl.col("file")))["file"].to_list()


def test_no_files_have_no_keys() -> None:
    assert keyed_videos(pl.Series([], dtype=pl.String)) == {}


@pytest.mark.parametrize(
    ("file", "key"),
    [
        ("megalab_0012.mp4", "megalab_0012"),
        ("2025/12/megalab_0012.mp4", "megalab_0012"),
        (r"D:\reef\megalab_0012.MP4", "megalab_0012"),
        ("1_2025-08-14_19-28-47.mp4", "1_2025-08-14_19-28-47"),
        ("clip.v2.mp4", "clip.v2"),
        ("clip", "clip"),
        ("a, b.mp4", "a-b"),
    ],
)
def test_the_key_is_the_stem_made_safe(file: str, key: str) -> None:
    assert keys(file) == [key]


@pytest.mark.parametrize("file", ODD_NAMES)
def test_odd_characters_never_reach_a_key(file: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", keys(file)[0])


@pytest.mark.parametrize("file", [".mp4", "reef/.mp4"])
def test_a_key_is_never_empty(file: str) -> None:
    assert keys(file)[0]


def test_the_number_is_the_only_one_in_the_key() -> None:
    """A date and a time have many: taking one of them would give a plausible, wrong time."""
    frame = pl.DataFrame({"key": ["megalab_0012", "0031-b", "reef", "9" * 30, "1_2025-08-14_22-36-47"]})
    assert frame.select(video_number(pl.col("key")))["key"].to_list() == [12, 31, None, None, None]


def test_files_are_keyed_in_the_sorted_order_of_their_keys() -> None:
    files = pl.Series(["z/b.mp4", "c.mp4", None, "y/a.mp4", "c.mp4"])
    assert list(keyed_videos(files).items()) == [("a", "y/a.mp4"), ("b", "z/b.mp4"), ("c", "c.mp4")]


@pytest.mark.parametrize("twins", [("a.mp4", "a.mkv"), ("one/a.mp4", "two/a.mp4"), ("a b.mp4", "a,b.mp4")])
def test_two_files_with_one_key_are_refused_by_name(twins: tuple[str, str]) -> None:
    with pytest.raises(ClashingVideosError) as refusal:
        keyed_videos(pl.Series([*twins, "other.mp4"]))
    assert all(repr(name) in str(refusal.value) for name in twins)
    assert "other.mp4" not in str(refusal.value)
