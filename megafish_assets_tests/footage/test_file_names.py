"""Partition keys of video files."""

import re

import polars as pl
import pytest

from megafish_assets.footage.file_names import Number, clashing_videos, keyed_videos, video_key, video_number

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


def test_no_files_have_no_keys() -> None:
    assert keyed_videos(pl.Series([], dtype=pl.String)) == {}


@pytest.mark.parametrize(
    ("file", "key"),
    [
        ("megalab_0012.mp4", "megalab_0012"),
        ("2025/12/megalab_0012.mp4", "2025-12-megalab_0012"),
        (r"D:\reef\megalab_0012.MP4", "D-reef-megalab_0012"),
        ("1_2025-08-14_19-28-47.mp4", "1_2025-08-14_19-28-47"),
        ("clip.v2.mp4", "clip.v2"),
        ("v1.2/clip", "v1.2-clip"),
        ("./../clip.mp4", "clip"),
        ("/data/clip.mp4", "data-clip"),
        ("clip", "clip"),
        ("a, b.mp4", "a-b"),
        (".mp4", ".mp4"),
    ],
)
def test_the_key_is_the_place_without_its_ending_made_safe(file: str, key: str) -> None:
    assert video_key(file) == key


@pytest.mark.parametrize("file", ODD_NAMES)
def test_odd_characters_never_reach_a_key(file: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", video_key(file))


@pytest.mark.parametrize(
    "file", ["dir/", "/", "...", "..", "-", "魚.mp4", "a" * 255, "é" * 127, "reef/.mp4", "\udcff.mp4"]
)
def test_a_key_is_never_empty_nor_too_long_for_a_folder(file: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.-]{3,120}", video_key(file))


def test_names_that_differ_beyond_what_a_key_can_hold_have_keys_of_their_own() -> None:
    files = ["Fähre.mp4", "Führe.mp4", "魚.mp4", "鯨.mp4", "dir/", "dir.mp4", *("a" * 150 + str(n) for n in range(3))]
    assert set(keyed_videos(pl.Series(files)).values()) == set(files)


def test_a_key_stays_the_same_from_one_version_to_the_next() -> None:
    # The first eight hexadecimal digits of `printf 魚.mp4 | sha256sum`.
    assert video_key("魚.mp4") == "9ac8b06b"


def test_files_are_keyed_in_the_sorted_order_of_their_keys() -> None:
    files = pl.Series(["z/b.mp4", "c.mp4", None, "", "y/a.mp4", "c.mp4"])
    assert list(keyed_videos(files).items()) == [("c", "c.mp4"), ("y-a", "y/a.mp4"), ("z-b", "z/b.mp4")]


@pytest.mark.parametrize("twins", [("a.mkv", "a.mp4"), ("one-a.mp4", "one/a.mp4"), ("a b.mp4", "a,b.mp4")])
def test_two_files_with_one_key_are_named_and_stop_no_other(twins: tuple[str, str]) -> None:
    files = pl.Series([*twins, "other.mp4"])
    assert clashing_videos(files) == list(twins)
    assert keyed_videos(files) == {"other": "other.mp4"}


@pytest.mark.parametrize(
    ("file", "number"),
    [
        ("megalab_0012.mp4", Number(12, True)),
        ("2025/12/megalab_0012.mp4", Number(12, True)),
        ("reef 31, b.mp4", Number(31, True)),
        ("0031-b.mp4", Number(None, True)),
        ("depth_25.mp4", Number(None, True)),
        ("pier_cam3.mp4", Number(None, True)),
        ("Site-04.mp4", Number(None, True)),
        ("reef_1080p.mp4", Number(None, True)),
        ("megalab_1080.mp4", Number(1080, True)),
        ("reef_31122024.mp4", Number(None, True)),
        ("reef_240101.mp4", Number(None, True)),
        ("dive_2024.mp4", Number(None, True)),
        ("cam_T101500.mp4", Number(None, True)),
        ("reef_١٢.mp4", Number(None, True)),
        ("2024_01_01.mp4", Number(None, True)),
        ("2024-1-1.mp4", Number(None, True)),
        ("IMG_E0042.MOV", Number(42, False)),
        ("YDXJ0042.mp4", Number(42, False)),
        ("Clip_1.mp4", Number(1, False)),
        ("133000.mp4", Number(None, True)),
        ("IMG_20240101.mp4", Number(None, False)),
        ("reef.mp4", Number(None, True)),
        ("9" * 30 + ".mp4", Number(None, True)),
        ("1_2025-08-14_22-36-47.mp4", Number(None, True)),
        ("20240101.mp4", Number(None, True)),
        ("reef_2024-01-01.mp4", Number(None, True)),
        ("20241399.mp4", Number(None, True)),
        ("00012.MTS", Number(12, False)),
        ("C0012.MP4", Number(12, False)),
        ("IMG_0042.MOV", Number(42, False)),
        ("MVI_0042.MP4", Number(42, False)),
        ("MOV00A.MOD", Number(None, True)),
        ("GX010042-trimmed.mp4", Number(42, False)),
        ("GX010042.MP4", Number(42, False)),
        ("100GOPRO/GX020042.MP4", Number(42, False)),
        ("GOPR0042.MP4", Number(42, False)),
        ("GP010042.MP4", Number(42, False)),
        ("DJI_0042.MP4", Number(42, False)),
        ("DJI_20240101120000_0042_D.MP4", Number(42, False)),
        ("DJI_20251212133000_0042_D_S.MP4", Number(42, False)),
        ("DJI_0042-edited.mp4", Number(42, False)),
    ],
)
def test_the_number_is_the_only_one_and_tells_a_time_only_where_files_follow_without_a_gap(
    file: str, number: Number
) -> None:
    assert video_number(file) == number


@pytest.mark.parametrize(
    ("file", "value"), [("dive_7_cam_2.mp4", 7), ("cam_2.mp4", None), ("dive_x.mp4", None), ("dive_" + "1" * 12, None)]
)
def test_a_pattern_of_ones_own_says_which_number_is_meant(file: str, value: int | None) -> None:
    assert video_number(file, r"dive_(\w+?)(?:_cam|$)") == Number(value, True)
