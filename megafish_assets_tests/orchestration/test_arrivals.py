"""What the Delta log says of the detector's table, and when a video counts as complete."""

from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from megafish_assets.orchestration.arrivals import Completeness, arrivals
from megafish_assets.orchestration.resources import Inference

LONG = "a" * 60 + ".mp4"
"""Longer than the statistics of a Delta log keep."""


def rows(*files: str, n: int = 3, score: float = 0.5) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "video_file": [file for file in files for _ in range(n)],
            "frame_id": list(range(n)) * len(files),
            "box": [[1.0, 2.0, 30.0, 40.0]] * (n * len(files)),
            "score": [score] * (n * len(files)),
        }
    )


def write(place: Path, frame: pl.DataFrame, **options: object) -> None:
    write_deltalake(str(place), frame.to_arrow(), mode="append", **options)


def seals(place: Path) -> dict[str, str]:
    return dict(arrivals(DeltaTable(str(place))).select("video", "fingerprint").iter_rows())


def test_files_of_one_video_of_several_and_of_long_names_are_counted_alike(tmp_path: Path) -> None:
    write(tmp_path, rows("b.mp4", n=4))
    write(tmp_path, rows("a.mp4", "c.MOV"))
    write(tmp_path, rows("b.mp4", LONG, n=2))
    found = arrivals(DeltaTable(str(tmp_path)))
    assert found.select("video", "n_rows", "last_frame").rows() == [
        ("a", 3, 2),
        ("a" * 60, 2, 1),
        ("b", 6, 3),
        ("c", 3, 2),
    ]


def test_a_file_of_one_video_is_not_opened(tmp_path: Path) -> None:
    write(tmp_path, rows("a.mp4"))
    for file in tmp_path.glob("*.parquet"):
        file.write_bytes(b"unreadable")
    assert arrivals(DeltaTable(str(tmp_path)))["n_rows"].to_list() == [3]


def test_a_table_partitioned_by_video_is_read_from_its_log(tmp_path: Path) -> None:
    write(tmp_path, rows("a.mp4", "it's b.mp4"), partition_by=["video_file"])
    assert arrivals(DeltaTable(str(tmp_path))).select("video", "n_rows").rows() == [("a", 3), ("it-s-b", 3)]


def test_compaction_changes_no_fingerprint_and_another_detection_does(tmp_path: Path) -> None:
    for file in ("a.mp4", "b.mp4"):
        write(tmp_path, rows(file))
    before = seals(tmp_path)
    DeltaTable(str(tmp_path)).optimize.compact()
    DeltaTable(str(tmp_path)).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    assert seals(tmp_path) == before
    DeltaTable(str(tmp_path)).delete("video_file = 'a.mp4'")
    write(tmp_path, rows("a.mp4", score=0.6))
    after = seals(tmp_path)
    assert after["a"] != before["a"] and after["b"] == before["b"]


def test_rows_that_name_no_file_are_no_video(tmp_path: Path) -> None:
    write(tmp_path, pl.concat([rows("a.mp4"), rows("").with_columns(pl.lit(None, pl.String).alias("video_file"))]))
    write(tmp_path, rows(""))
    assert list(seals(tmp_path)) == ["a"]


ARRIVED = pl.DataFrame({"video": ["a", "b", "c"], "last_frame": [10, 299, None], "arrived_ms": [1000, 3000, 2000]})


@pytest.mark.parametrize(
    ("signs", "now_ms", "complete"),
    [
        (["later"], 3000, [True, False, True]),
        (["last_frame"], 3000, [False, True, False]),
        (["quiet"], 62_000, [True, False, True]),
        (["quiet"], 59_000, [False, False, False]),
        (["later", "last_frame", "quiet"], 3000, [True, True, True]),
    ],
)
def test_a_video_is_complete_at_the_first_of_its_signs(signs: list[str], now_ms: float, complete: list[bool]) -> None:
    assert Completeness(signs, 60, 300).complete(ARRIVED, now_ms).to_list() == complete


def test_videos_of_one_write_are_in_the_order_of_their_names() -> None:
    together = ARRIVED.with_columns(pl.lit(5).alias("arrived_ms"))
    assert Completeness(["later"], 60, 300).complete(together, 5).to_list() == [True, True, False]


def test_no_video_and_an_unknown_sign() -> None:
    assert Completeness(["later"], 60, 300).complete(ARRIVED.clear(), 0).to_list() == []
    with pytest.raises(ValueError, match="'soon'"):
        Completeness(["soon"], 60, 300)


def test_rows_are_counted_at_the_version_that_they_are_read_at(tmp_path: Path) -> None:
    write(tmp_path, rows("a.mp4", "b.mp4", "c.mp4"))
    found = Inference(uri=str(tmp_path)).detected(["a", "c"])
    assert found.counts.sort("video").rows() == [("a", 3), ("c", 3)]
    assert sorted(found.rows["video_file"].unique()) == ["a.mp4", "c.mp4"] and found.version == 0


def test_a_video_without_a_single_sound_score_does_not_hide_the_others(tmp_path: Path) -> None:
    write(tmp_path, rows("a.mp4"), partition_by=["video_file"])
    write(tmp_path, rows("b.mp4", score=float("nan")), partition_by=["video_file"])
    assert arrivals(DeltaTable(str(tmp_path))).select("video", "n_rows").rows() == [("a", 3), ("b", 3)]
