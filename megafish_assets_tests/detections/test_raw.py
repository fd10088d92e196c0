"""The detector's rows, keyed and timed."""

from datetime import datetime

import numpy as np
import polars as pl
import pytest

from megafish_assets.detections.columns import RAW
from megafish_assets.detections.raw import raw_detections
from megafish_assets.footage.clocks import Clock

INFERENCE = {"video_file": pl.String, "frame_id": pl.Int64, "box": pl.List(pl.Float64), "score": pl.Float64}
CLOCK = Clock(clip_seconds=10, frames_per_clip=300, recording_start=None)


def inference(*rows: tuple) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=INFERENCE, orient="row")


def crowded(n_rows: int = 3_000) -> pl.DataFrame:
    """Rows whose values repeat so often that ranks are decided by every part of a box, and some rows are twins."""
    rng = np.random.default_rng(1)
    names = [f"megalab_{number:04d}.mp4" for number in rng.integers(0, 3, n_rows)]
    boxes = rng.integers(1, 4, (n_rows, 4)).astype(float).tolist()
    frames = rng.integers(0, 20, n_rows).tolist()
    return inference(*zip(names, frames, boxes, rng.integers(1, 4, n_rows) / 4, strict=True))


def test_no_rows_give_the_empty_table_with_its_columns() -> None:
    rows = raw_detections(inference(), CLOCK)
    assert rows.height == 0
    assert dict(rows.schema) == {name: column.dtype for name, column in RAW.items()}


def test_every_row_comes_out_once() -> None:
    given, rows = crowded(), raw_detections(crowded(), CLOCK)
    assert dict(rows.schema) == {name: column.dtype for name, column in RAW.items()}
    assert rows["detection_id"].n_unique() == given.height
    boxes = pl.concat_list("x_1024", "y_1024", "width_1024", "height_1024").alias("box")
    found = rows.select("video_file", "frame_id", boxes, "score")
    assert sorted(found.rows()) == sorted(given.rows())


def test_the_key_is_video_frame_and_rank() -> None:
    row = ("tank/megalab_0012.mp4", 7, [1.0, 1.0, 5.0, 5.0], 0.5)
    rows = raw_detections(inference(row, row), CLOCK)
    assert rows["detection_id"].to_list() == ["tank-megalab_0012/000007/000", "tank-megalab_0012/000007/001"]
    assert rows["video_file"].unique().to_list() == ["tank/megalab_0012.mp4"]
    assert rows["video_number"].unique().to_list() == [12]


def test_the_same_rows_get_the_same_ids_in_any_order() -> None:
    expected = raw_detections(crowded(), CLOCK)
    for seed in range(3):
        shuffled = crowded().sample(fraction=1.0, shuffle=True, seed=seed)
        assert raw_detections(shuffled, CLOCK).equals(expected)


@pytest.mark.parametrize("decisive", range(5), ids=["x", "y", "w", "h", "score"])
def test_ranks_follow_x_then_y_then_w_then_h_then_score(decisive: int) -> None:
    low = [2.0, 2.0, 2.0, 2.0, 0.5]
    high = [*low[:decisive], low[decisive] + 1, *[value / 2 for value in low[decisive + 1 :]]]
    given = inference(*[("a_1.mp4", 0, row[:4], row[4]) for row in (high, low)])
    assert raw_detections(given, CLOCK)["score"].to_list() == [low[4], high[4]]
    assert raw_detections(given, CLOCK)["x_1024"].to_list() == [low[0], high[0]]


def test_more_than_a_thousand_boxes_in_a_frame_keep_different_ids() -> None:
    rows = raw_detections(inference(*[("a_1.mp4", 0, [float(x), 0, 9, 9], 0.5) for x in range(1_100)]), CLOCK)
    assert rows["detection_id"].n_unique() == 1_100


def test_times_follow_the_notebooks_rule() -> None:
    pairs = [(video, frame) for video in (0, 7, 1588) for frame in (0, 1, 150, 299)]
    given = inference(*[(f"megalab_{video:04d}.mp4", frame, [0.0] * 4, 0.5) for video, frame in pairs])
    found = raw_detections(given, CLOCK)["timestamp_seconds"].to_list()
    assert found == [video * 10 + frame * (10 / 300) for video, frame in pairs]
    assert raw_detections(given, CLOCK)["recorded_at"].null_count() == len(pairs)


def test_a_known_start_gives_the_time_of_day() -> None:
    clock = Clock(10, 300, datetime(2025, 12, 12, 23, 59, 50))
    rows = raw_detections(inference(("megalab_0003.mp4", 151, [0.0] * 4, 0.5)), clock)
    # 3 clips of 10 s and 151 / 30 s after ten to midnight.
    assert rows["recorded_at"].to_list() == [datetime(2025, 12, 13, 0, 0, 25, 33_333)]


def test_a_video_without_a_number_has_no_time() -> None:
    clock = Clock(10, 300, datetime(2025, 12, 12))
    row = raw_detections(inference(("reef.mp4", 3, [0.0] * 4, 0.5)), clock).row(0, named=True)
    assert row["detection_id"] == "reef/000003/000"
    assert [row[name] for name in ("video_number", "timestamp_seconds", "recorded_at")] == [None] * 3


@pytest.mark.parametrize(("seconds", "frames"), [(0, 300), (-10, 300), (float("nan"), 300), (10, 0)])
def test_a_clock_that_stands_still_is_refused(seconds: float, frames: int) -> None:
    with pytest.raises(ValueError, match="both must be above 0"):
        Clock(seconds, frames, None)
