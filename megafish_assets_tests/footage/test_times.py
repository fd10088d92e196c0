"""When a video was recorded: what names and an owner's table say, and nothing that is only likely."""

from datetime import datetime

import polars as pl
import pytest

from megafish_assets.detections.raw import raw_detections
from megafish_assets.footage.clocks import Clock
from megafish_assets.footage.file_names import chapters_before, start_in_name
from megafish_assets.footage.recordings import TIMES, owners_table, unread_columns

MOMENT = datetime(2024, 12, 31, 13, 30, 5)


@pytest.mark.parametrize(
    "name",
    [
        "20241231_133005.mp4",
        "reef_20241231133005.mp4",
        "VID_20241231_133005.mp4",
        "DJI_20241231133005_0001_D.MP4",
        "2024-12-31 13.30.05.mkv",
        "2024-12-31T13:30:05.mov",
        "camera2_2024_12_31_13_30_05_left.avi",
        "dive/2024-12-31_13h30m05.mp4",
        "20241231_133005123.mp4",
        "DJI_20241231133005_0042_D.MP4",
    ],
)
def test_a_date_and_a_time_in_a_name_are_its_start(name: str) -> None:
    assert start_in_name(name) == MOMENT


@pytest.mark.parametrize("name", ["20241231000012.mp4", "20241231T000012.mp4", "2024-12-31_00-00-12.mp4"])
def test_the_hour_after_midnight_is_one_where_nothing_else_could_be_meant(name: str) -> None:
    assert start_in_name(name) == datetime(2024, 12, 31, 0, 0, 12)


@pytest.mark.parametrize(
    "name",
    [
        "reef.mp4",
        "20241231.mp4",
        "20241231_1330.mp4",  # a time, or a number
        "20241331_133005.mp4",
        "20240230_133005.mp4",
        "20241231_253005.mp4",
        "99920241231_133005.mp4",
        "20241231_133005_20241231_134005.mp4",  # from and to, or to and from
        "PXL_20241231_133005123.mp4",  # UTC, wherever the phone was
        "reef_PXL_20241231_133005123.mp4",
        "deploy_20241231_1330_07.mp4",  # clip 7 of half past one
        "20241231_13_0042.mp4",
        "2024-12-31 01.30.05 PM.mp4",
        "2024-12-31_11-30-05pm.mp4",
        "CODE_20241231T133005Z.mp4",
        "CODE_20241231T133005.000Z.mp4",
        "20241231_133005_UTC.mp4",
        "20241231_133005+0200.mp4",
        "rec_20241231_133005_002.mp4",  # the second part of what began then
        "20241231_133005-part2.mp4",
        "rec_20241231_133005_0002.mp4",
        "cam_20241231_000001.mp4",  # the first clip of that day, or a second past midnight
        "megalab_20241231_000012.mp4",
        "site_20241231_200000ft.mp4",
        "20241231_133005/reef.mp4",  # of the dive
        "GX010042.MP4",
    ],
)
def test_a_name_that_holds_less_or_more_tells_no_time(name: str) -> None:
    assert start_in_name(name) is None


def test_chapters_of_a_gopro_follow_those_before_them() -> None:
    assert chapters_before("day1/GX030042.MP4") == ["day1/GX010042.MP4", "day1/GX020042.MP4"]
    assert chapters_before("GX020050 east.MP4") == ["GX010050 east.MP4"]
    assert chapters_before("pier-GX020042.MP4") == ["pier-GX010042.MP4"]
    assert chapters_before("gp010007.mp4") == ["gopr0007.mp4"]
    assert chapters_before("GP020042.mp4") == ["GOPR0042.mp4", "GP010042.mp4"]
    assert chapters_before("GX010042.MP4") == chapters_before("GOPR0042.MP4") == chapters_before("reef.mp4") == []


def test_an_owners_table_may_leave_out_columns_and_hold_others() -> None:
    found = owners_table(
        b"\xef\xbb\xbfFile, start ,notes,depth\na.mp4,2024-12-31 13:30:05,rain,12.5\nb.mp4,,,\n,,,\n\n"
    )
    assert found.to_dict(as_series=False) == {
        "file": ["a.mp4", "b.mp4"],
        "start": [MOMENT, None],
        "station": [None, None],
        "latitude": [None, None],
        "longitude": [None, None],
        "depth": [12.5, None],
    }
    assert owners_table(b"").height == owners_table(b"file,start\n").height == 0


@pytest.mark.parametrize(
    ("csv", "said"),
    [
        ("video;start\na;b\n", r"no column 'file', only \['video;start'\]"),
        (
            "file,start\na.mp4,31.12.2024 13:30\n",
            "start in lines 2 is not local time of its first frame, as 2025-12-12T",
        ),
        ("file,start\na.mp4,2024-12-31\n", "start in lines 2"),
        ("file,start\na.mp4,2024-12-31T13:30:05Z\n", "start in lines 2"),
        ("file,start\na.mp4,0001-01-01T00:00:00\n", "start in lines 2"),
        ("file,start\na.mp4,9999-12-31T00:00:00\n", "start in lines 2"),
        ("file,latitude\na.mp4,1\n\n,\nb.mp4,91\n", "latitude in lines 5 is not degrees north, -90 to 90"),
        ("file,longitude\na.mp4,nan\n", "longitude in lines 2"),
        ('file,depth\na.mp4,"12,5"\n', "depth in lines 2 is not metres below the surface"),
        ("file,depth\na.mp4,-3\n", "depth in lines 2"),
        (
            "file,latitude,longitude\na.mp4,1,2\nb.mp4,1,\nc.mp4,,2\n",
            "lines 3, 4: a place needs latitude and longitude",
        ),
        ("file,latitude\na.mp4,1\n", "lines 2: a place needs latitude and longitude"),
        ("file\na.mp4\na.mp4\n", "lines 2, 3: a line needs a file, and a file has one line"),
        ("File,file\na.mp4,b.mp4\n", "a column stands twice"),
        ("file,start, start\na.mp4,,\n", "a column stands twice"),
        ("file,depth\n,3\n", "lines 2: a line needs a file"),
        ("file,depth\na.mp4,3,4,5\n", "no comma-separated values"),
    ],
)
def test_an_owners_table_that_can_not_be_is_refused_by_line(csv: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        owners_table(csv.encode())


def test_line_ends_of_old_macintoshes_are_line_ends() -> None:
    assert owners_table(b"file,depth\ra.mp4,1\rb.mp4,2\r")["depth"].to_list() == [1, 2]


def test_a_spreadsheets_empty_columns_are_none() -> None:
    found = owners_table(b"file,depth,,\na.mp4,1,,\nb.mp4,2,,\n")
    assert (found["depth"].to_list(), unread_columns(b"file,depth,,\na.mp4,1,,\n")) == ([1, 2], [])
    with pytest.raises(ValueError, match="a column stands twice"):
        owners_table(b"file,depth,,\na.mp4,1,rain,cold\n")


def test_columns_that_nobody_reads_are_named() -> None:
    csv = b"file,strat,Station,notes\na.mp4,2024-12-31 13:30:05,pier,rain\n"
    assert unread_columns(csv) == ["strat", "notes"]
    assert unread_columns(b"") == []


def test_letters_in_another_encoding_are_refused() -> None:
    with pytest.raises(ValueError, match="no comma-separated values in UTF-8"):
        owners_table("file,station\na.mp4,Riff Süd\n".encode("latin-1"))


def times(**of_file: object) -> pl.DataFrame:
    row = {"video_file": "reef_0002.mp4", "frames_per_second": 25.0} | of_file
    return pl.DataFrame([row], {name: column.dtype for name, column in TIMES.items()})


def row(clock: Clock, known: pl.DataFrame | None) -> dict:
    given = {"video_file": ["reef_0002.mp4"], "frame_id": [50], "box": [[1.0, 2.0, 40.0, 50.0]], "score": [0.5]}
    return raw_detections(pl.DataFrame(given), clock, known).row(0, named=True)


def test_seconds_in_the_video_come_from_its_own_rate() -> None:
    assert row(Clock(10, 300, None), times())["seconds_in_video"] == 2.0
    assert row(Clock(10, 300, None), None)["seconds_in_video"] is None
    assert row(Clock(10, 300, None), times(frames_per_second=None))["seconds_in_video"] is None


def test_a_persons_word_goes_before_the_files() -> None:
    owner, file, first = datetime(2024, 1, 1, 10), datetime(2023, 1, 1, 10), datetime(2022, 1, 1)
    silent, started = Clock(10, 300, None), Clock(10, 300, first)
    assert row(silent, times(file_start=file))["recorded_at"] == datetime(2023, 1, 1, 10, 0, 2)
    # 2 clips of 10 s and 50 of 300 frames of one.
    assert row(started, times(file_start=file))["recorded_at"] == datetime(2022, 1, 1, 0, 0, 21, 666_667)
    assert row(started, times(file_start=file, owner_start=owner))["recorded_at"] == datetime(2024, 1, 1, 10, 0, 2)
    # Where the rate of an owner's file is not known, another source would contradict him.
    assert row(started, times(owner_start=owner, frames_per_second=None))["recorded_at"] is None
    assert row(silent, times())["recorded_at"] is None
