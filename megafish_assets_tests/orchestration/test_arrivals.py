"""What has arrived in the detector's table, whoever wrote it, and when a video counts as complete."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake
from pyarrow import parquet

from megafish_assets.orchestration.arrivals import Completeness, arrivals
from megafish_assets.orchestration.detector_table import InferenceContractError
from megafish_assets.orchestration.sources import Inference

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


def fingerprints(place: Path) -> dict[str, str]:
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


ODD_NAMES = (
    "dive 1.mp4",
    "T10:30.mp4",
    "50% reef.mp4",
    "Fähre.mp4",
    "site/a.mp4",
    "100%25.mp4",
    "q'u\"o.mp4",
    "x+y.mp4",
)


@pytest.mark.parametrize("folder", ["plain", "with space", "Übung", "a#b"])
@pytest.mark.parametrize("partitioned", [False, True])
def test_every_name_is_found_in_every_folder(tmp_path: Path, folder: str, partitioned: bool) -> None:
    place, how = tmp_path / folder, {"partition_by": ["video_file"]} if partitioned else {}
    for name in ODD_NAMES:
        write(place, rows(name), **how)
    write(place, rows(*ODD_NAMES, "other.mp4", n=2, score=0.7), **how)
    found = arrivals(DeltaTable(str(place)))
    assert dict(found.select("video_file", "n_rows").iter_rows()) == dict.fromkeys(ODD_NAMES, 5) | {"other.mp4": 2}
    assert found["arrived_ms"].null_count() == 0
    own = Inference(uri=str(place)).detected(found["video"].to_list())
    assert own.rows["video_file"].value_counts().sort("video_file").rows() == sorted(
        (dict.fromkeys(ODD_NAMES, 5) | {"other.mp4": 2}).items()
    )
    assert own.fingerprints == dict(found.select("video", "fingerprint").iter_rows())


def test_names_that_the_log_cuts_to_one_are_told_apart(tmp_path: Path) -> None:
    """Writers may keep the first letters of both ends, which are the same."""
    names = [f"{'a' * 60}{number}.mp4" for number in (1, 2)]
    write(tmp_path, rows(*names))
    (log,) = (tmp_path / "_delta_log").glob("*.json")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        if "add" in line:
            stats = json.loads(line["add"]["stats"])
            stats["minValues"]["video_file"] = stats["maxValues"]["video_file"] = "a" * 32
            line["add"]["stats"] = json.dumps(stats)
    log.write_text("\n".join(map(json.dumps, lines)))
    found = arrivals(DeltaTable(str(tmp_path)))
    assert found["video_file"].to_list() == names and found["arrived_ms"].null_count() == 0


def test_letters_that_are_none_are_refused_in_a_sentence(tmp_path: Path) -> None:
    """Spark writes whatever bytes a name has."""
    write(tmp_path, rows("fish.mp4"))
    (file,) = tmp_path.glob("*.parquet")
    parquet.write_table(
        parquet.read_table(file), file, compression="none", use_dictionary=False, write_statistics=False
    )
    data = file.read_bytes()
    assert data.count(b"fish.mp4") == 3
    file.write_bytes(data.replace(b"fish.mp4", b"\xffish.mp4"))
    log = next((tmp_path / "_delta_log").glob("*.json"))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        if "add" in line:
            line["add"] |= {"size": file.stat().st_size, "stats": None}
    log.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(InferenceContractError, match="can't be read"):
        arrivals(DeltaTable(str(tmp_path)))


def test_the_time_of_a_video_is_of_the_last_file_with_rows_of_it(tmp_path: Path) -> None:
    write(tmp_path, rows("a.mp4", "c.mp4"))
    write(tmp_path, rows("b.mp4", LONG))
    (first, second) = sorted(
        pl.from_arrow(DeltaTable(str(tmp_path)).get_add_actions(flatten=True))
        .struct.unnest()["modification_time"]
        .cast(pl.Int64)
    )
    found = dict(arrivals(DeltaTable(str(tmp_path))).select("video_file", "arrived_ms").iter_rows())
    assert found == {"a.mp4": first, "c.mp4": first, "b.mp4": second, LONG: second}


def test_columns_that_older_files_lack_are_null(tmp_path: Path) -> None:
    write(tmp_path, rows("a.mp4").drop("score"))
    write_deltalake(str(tmp_path), rows("b.mp4").to_arrow(), mode="append", schema_mode="merge")
    assert arrivals(DeltaTable(str(tmp_path))).select("video", "n_rows").rows() == [("a", 3), ("b", 3)]
    assert Inference(uri=str(tmp_path)).detected(["a"]).rows["score"].to_list() == [None] * 3


@pytest.mark.parametrize(
    "change",
    [
        pl.col("frame_id") + 1,
        pl.col("score") + 1e-9,
        pl.col("box").list.eval(pl.element() + pl.int_range(pl.len()) * 1e-9),
        pl.col("box").list.reverse(),
        pl.col("box").list.head(3),
        pl.lit(None, pl.List(pl.Float64)).alias("box"),
        pl.when(pl.col("frame_id") > 0).then("frame_id"),
        pl.when(pl.col("score") > 0.1).then("score"),
        pl.col("frame_id").reverse(),
    ],
)
def test_any_change_of_a_row_changes_the_fingerprint(tmp_path: Path, change: pl.Expr) -> None:
    scores = pl.Series("score", [0.1, 0.2, 0.3])
    write(tmp_path / "before", rows("a.mp4").with_columns(scores))
    write(tmp_path / "after", rows("a.mp4").with_columns(scores).with_columns(change))
    write(tmp_path / "shuffled", rows("a.mp4").with_columns(scores).reverse())
    assert fingerprints(tmp_path / "before") == fingerprints(tmp_path / "shuffled") != fingerprints(tmp_path / "after")


def test_null_minus_one_and_nan_are_not_the_same(tmp_path: Path) -> None:
    prints = set()
    for number, change in enumerate(
        [
            pl.lit(None, pl.Int64).alias("frame_id"),
            pl.lit(-1, pl.Int64).alias("frame_id"),
            pl.lit(0, pl.Int64).alias("frame_id"),
            pl.lit(None, pl.Float64).alias("score"),
            pl.lit(float("nan")).alias("score"),
            pl.lit(0.0).alias("score"),
        ]
    ):
        write(tmp_path / str(number), rows("a.mp4", n=1, score=0.5).with_columns(change))
        prints |= set(fingerprints(tmp_path / str(number)).values())
    assert len(prints) == 6


def test_a_restored_table_is_not_taken_for_the_one_that_was_there(tmp_path: Path) -> None:
    place, copy = tmp_path / "t", tmp_path / "copy"
    write(place, rows("a.mp4"))
    shutil.copytree(place, copy)
    write(place, rows("b.mp4"))
    assert list(fingerprints(place)) == ["a", "b"]
    shutil.rmtree(place)
    shutil.copytree(copy, place)
    write(place, rows("z.mp4"))
    assert list(fingerprints(place)) == ["a", "z"]


@pytest.mark.parametrize("broken", ["gone", "empty", "cut"])
def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path, broken: str) -> None:
    write(tmp_path, rows("a.mp4"))
    (file,) = tmp_path.glob("*.parquet")
    content = file.read_bytes()
    if broken == "gone":
        file.unlink()
    else:
        file.write_bytes(b"" if broken == "empty" else content[:-20])
    with pytest.raises(InferenceContractError, match="can't be read"):
        Inference(uri=str(tmp_path)).arrivals()


def protocol(place: Path, *features: str, **configuration: str) -> None:
    """Declares reader features of a table, as Spark does."""
    place.joinpath("_delta_log").mkdir(parents=True, exist_ok=True)
    first = place / "_delta_log" / f"{0:020d}.json"
    actions = [json.loads(line) for line in first.read_text().splitlines()]
    for action in actions:
        if "protocol" in action:
            action["protocol"] = {
                "minReaderVersion": 3,
                "minWriterVersion": 7,
                "readerFeatures": list(features),
                "writerFeatures": list(features),
            }
        if "metaData" in action:
            action["metaData"]["configuration"] = configuration
            schema = json.loads(action["metaData"]["schemaString"])
            for number, column in enumerate(schema["fields"]):
                column["metadata"] = {
                    "delta.columnMapping.id": number,
                    "delta.columnMapping.physicalName": column["name"],
                }
            action["metaData"]["schemaString"] = json.dumps(schema)
    first.write_text("\n".join(map(json.dumps, actions)) + "\n")


@pytest.mark.parametrize(
    ("feature", "configuration", "words"),
    [
        ("columnMapping", {"delta.columnMapping.mode": "name"}, "column mapping"),
        ("typeWidening", {"delta.enableTypeWidening": "true"}, "type widening"),
    ],
)
def test_a_feature_that_cannot_be_read_is_named_with_what_to_do(
    tmp_path: Path, feature: str, configuration: dict[str, str], words: str
) -> None:
    write(tmp_path, rows("a.mp4"))
    protocol(tmp_path, feature, **configuration)
    with pytest.raises(InferenceContractError, match=rf"uses {words}.*write it once anew.*MEGAFISH_INFERENCE"):
        Inference(uri=str(tmp_path)).arrivals()


def test_a_table_partitioned_by_video_is_read_from_its_log(tmp_path: Path) -> None:
    write(tmp_path, rows("a.mp4", "it's b.mp4"), partition_by=["video_file"])
    assert arrivals(DeltaTable(str(tmp_path))).select("video", "n_rows").rows() == [("a", 3), ("it-s-b", 3)]


def test_compaction_changes_no_fingerprint_and_another_detection_does(tmp_path: Path) -> None:
    for file in ("a.mp4", "b.mp4"):
        write(tmp_path, rows(file))
    before = fingerprints(tmp_path)
    DeltaTable(str(tmp_path)).optimize.compact()
    DeltaTable(str(tmp_path)).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    assert fingerprints(tmp_path) == before
    DeltaTable(str(tmp_path)).delete("video_file = 'a.mp4'")
    write(tmp_path, rows("a.mp4", score=0.6))
    after = fingerprints(tmp_path)
    assert after["a"] != before["a"] and after["b"] == before["b"]


def test_rows_that_name_no_file_are_no_video(tmp_path: Path) -> None:
    write(tmp_path, pl.concat([rows("a.mp4"), rows("").with_columns(pl.lit(None, pl.String).alias("video_file"))]))
    write(tmp_path, rows(""))
    assert list(fingerprints(tmp_path)) == ["a"]


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
