"""Bad rows and bad tables: every row is kept and named, nothing after raw uses a faulty one."""

import math
import os
import re
from datetime import datetime
from pathlib import Path
from random import Random

import polars as pl
import pytest
from deltalake import write_deltalake
from hypothesis import example, given, settings
from hypothesis import strategies as st

from megafish_assets.detections.columns import RAW
from megafish_assets.detections.faults import valid_rows
from megafish_assets.detections.filtering import filtered_detections
from megafish_assets.detections.raw import raw_detections
from megafish_assets.detections.sampling import sampled_detections
from megafish_assets.detections.size_limits import size_limits
from megafish_assets.detections.tracklets import tracklets
from megafish_assets.footage.clocks import Clock
from megafish_assets.orchestration.detector_table import InferenceContractError, require_readable
from megafish_assets.orchestration.sources import Inference, Recordings
from megafish_assets.reporting.wording import faults_text
from megafish_assets.storage.delta import MissingTableError

CLOCK = Clock(10, 300, datetime(2025, 12, 12, 13, 30))
SCHEMA = {"video_file": pl.String, "frame_id": pl.Int64, "box": pl.List(pl.Float64), "score": pl.Float64}
SOUND = ("a_1.mp4", 5, [10.0, 20.0, 40.0, 50.0], 0.5)


def raw(*rows: tuple) -> pl.DataFrame:
    return raw_detections(pl.DataFrame(rows, schema=SCHEMA, orient="row"), CLOCK)


def with_part(**parts: object) -> tuple:
    return tuple(parts.get(name, value) for name, value in zip(SCHEMA, SOUND, strict=True))


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        ({}, None),
        ({"frame_id": None}, "frame_id is null"),
        ({"frame_id": -7}, None),  # known only at decoding
        ({"box": None}, "box is null"),
        ({"box": [1.0, 2.0, 3.0]}, "box has not 4 numbers"),
        ({"box": [1.0, 2.0, 3.0, 4.0, 5.0]}, "box has not 4 numbers"),
        ({"box": []}, "box has not 4 numbers"),
        ({"box": [1.0, None, 40.0, 50.0]}, "box holds a null"),
        ({"box": [1.0, math.nan, 40.0, 50.0]}, "box is not finite"),
        ({"box": [1.0, 2.0, math.inf, 50.0]}, "box is not finite"),
        ({"box": [1.0, 2.0, -40.0, 50.0]}, "box has no size"),
        ({"box": [1.0, 2.0, 40.0, 0.0]}, "box has no size"),
        ({"box": [1.0, 2.0, 40.0, 1e-310]}, "box has no size"),
        ({"box": [1.0, 2.0, 40.0, 1e308]}, "box reaches outside the frame"),
        ({"video_file": "dir/"}, "video_file names no file"),
        ({"video_file": "a/.."}, "video_file names no file"),
        ({"box": [2000.0, 2.0, 40.0, 50.0]}, "box is outside the frame"),
        ({"box": [-90.0, 2.0, 40.0, 50.0]}, "box is outside the frame"),
        ({"box": [-20.0, 2.0, 40.0, 50.0]}, "box reaches outside the frame"),
        ({"box": [1000.0, 2.0, 40.0, 50.0]}, "box reaches outside the frame"),
        ({"box": [-0.4, 0.0, 1024.9, 1024.0]}, None),  # a detector's rounding
        ({"score": None}, "score is null"),
        ({"score": math.nan}, "score is not in 0 to 1"),
        ({"score": 1.2}, "score is not in 0 to 1"),
        ({"score": -0.1}, "score is not in 0 to 1"),
        ({"score": 0.0}, None),
        ({"score": 1.0}, None),
    ],
)
def test_a_row_is_kept_with_its_reason(parts: dict, fault: str | None) -> None:
    rows = raw(with_part(**parts))
    assert rows["fault"].to_list() == [fault]
    assert dict(rows.schema) == {name: column.dtype for name, column in RAW.items()}
    assert rows["detection_id"].null_count() == 0
    assert valid_rows(rows).height == (fault is None)


def test_exact_repeats_are_kept_and_all_but_one_named() -> None:
    near = with_part(score=0.51)
    rows = raw(SOUND, SOUND, near, SOUND)
    assert sorted(rows["fault"].to_list(), key=str) == [None, None, "repeats another row", "repeats another row"]
    assert rows["detection_id"].n_unique() == 4
    assert faults_text(rows) == "2 x repeats another row"


N_TABLES = int(os.environ.get("MEGAFISH_TEST_TABLES", "500"))
EXTREMES = st.sampled_from([0.0, -0.0, 5e-324, 1e-310, 1e-9, 1e-3, 1024.0, 1025.0, 1e308, -1e308])
numbers = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.floats(0, 1024), st.none(), EXTREMES)
sides = st.one_of(st.floats(1, 500), EXTREMES)
boxes = st.one_of(st.none(), st.lists(numbers, max_size=6), st.lists(sides, min_size=4, max_size=4))
names = st.sampled_from(["a_1.mp4", "b 2.MP4", "sub/c_3.mov", "é.mp4", "v_20230115120000.mp4", "dir/", ".."])
inference_rows = st.lists(
    st.tuples(names, st.one_of(st.none(), st.integers(-5, 400), st.integers(-(2**62), 2**62)), boxes, numbers),
    min_size=0,
    max_size=40,
)


@settings(max_examples=N_TABLES, deadline=None)
@given(inference_rows, st.randoms(use_true_random=False))
@example([("a_1.mp4", 0, None, 0.5), ("a_1.mp4", 0, [], 0.5)], Random(1))
def test_whatever_arrives_every_row_is_kept_under_its_own_id_and_only_sound_ones_go_on(
    given_rows: list, shuffling: Random
) -> None:
    rows = raw(*given_rows)
    assert rows.equals(raw(*shuffling.sample(given_rows, len(given_rows))), null_equal=True)
    assert rows.height == len(given_rows)
    assert rows["detection_id"].n_unique() == rows.height
    assert rows["detection_id"].str.contains(r"^[A-Za-z0-9_.-]+/(null|-?\d+)/\d{3}$").all()
    assert rows["fault"].count() + valid_rows(rows).height == rows.height
    valid = valid_rows(rows)
    tracked = tracklets(rows)
    assert sorted(tracked["detection_id"]) == sorted(valid["detection_id"])
    assert tracked.select(pl.col("pan_x_1024", "pan_y_1024").is_finite().all()).row(0) == (True, True)
    try:
        limits = size_limits(valid.lazy())
        assert all(map(math.isfinite, limits.in_1024_px().values()))
    except ValueError as refused:
        assert valid.height < 2 and "at least 2" in str(refused)
        return
    kept = filtered_detections(valid, limits)
    sample = sampled_detections(kept, strategy="random")
    assert set(sample["detection_id"]) <= set(kept["detection_id"]) <= set(valid["detection_id"])
    assert set(sample["video"]) == set(kept["video"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"score": None}, "no column score"),
        ({"box": pl.Float64}, "box is Float64"),
        ({"box": pl.List(pl.String)}, r"box is List\(String\)"),
        ({"frame_id": pl.String}, "frame_id is String"),
        ({"frame_id": pl.Float64}, "frame_id is Float64"),
        ({"video_file": pl.Int64}, "video_file is Int64"),
    ],
)
def test_a_table_that_cannot_be_read_says_what_was_expected_and_found(change: dict, told: str) -> None:
    schema = pl.Schema({name: kind for name, kind in (SCHEMA | change).items() if kind is not None})
    with pytest.raises(InferenceContractError, match=told) as refused:
        require_readable(schema, "here")
    assert "Expected video_file (string)" in str(refused.value) and "MEGAFISH_INFERENCE" in str(refused.value)


@pytest.mark.parametrize("change", [{"frame_id": pl.Int32}, {"score": pl.Float32}, {"box": pl.List(pl.Float32)}])
def test_other_types_of_the_same_kind_are_read(tmp_path: Path, change: dict) -> None:
    frame = pl.DataFrame([SOUND], schema=SCHEMA, orient="row").cast(change)
    write_deltalake(str(tmp_path / "inference"), frame.to_arrow())
    rows = Inference(uri=str(tmp_path / "inference")).detected(["a_1"]).rows
    assert raw_detections(rows, CLOCK)["fault"].to_list() == [None]


@pytest.mark.parametrize(("made", "found"), [(None, "nothing"), ("folder", "a folder without a Delta log")])
def test_no_delta_table_says_what_is_there_instead(tmp_path: Path, made: str | None, found: str) -> None:
    place = tmp_path / "inference"
    if made:
        place.mkdir()
        (place / "rows.csv").write_text("a,b")
    with pytest.raises(MissingTableError, match=re.escape(f"found {found}")):
        Inference(uri=str(place)).arrivals()


def test_rows_without_a_video_of_their_own_are_counted(tmp_path: Path) -> None:
    files = ("a_1.mp4", None, "", "b.mp4", "b.avi")
    frame = pl.DataFrame([(file, *SOUND[1:]) for file in files], schema=SCHEMA, orient="row")
    write_deltalake(str(tmp_path / "inference"), frame.to_arrow())
    inference = Inference(uri=str(tmp_path / "inference"))
    assert inference.n_rows_without_video() == 4
    assert inference.clashing() == ["b.avi", "b.mp4"]
    assert inference.arrivals().videos.select("video", "n_rows").rows() == [("a_1", 1)]


def test_a_name_or_a_link_that_leads_out_of_the_recordings_has_no_path(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "secret.mp4").write_text("secret")
    (folder / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    recordings = Recordings(folder=str(folder), clip_seconds=10, frames_per_clip=300)
    for name in ("../secret.mp4", str(tmp_path / "secret.mp4"), "link.mp4", "sub/../../secret.mp4"):
        assert recordings.path(name) is None, name
    assert recordings.path("a\0b.mp4") is None
    for name in ("a.mp4", "sub/a b's.MP4", "é.mp4"):
        assert recordings.path(name) == folder / name
