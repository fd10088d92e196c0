"""The IO manager against real Delta tables, read back outside it. Data loss first."""

import multiprocessing
from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl
import pytest
import torch
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from megafish_assets.crops.batches import CropBatches
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.embeddings.tables import vectors_table
from megafish_assets.orchestration.policy import grouped
from megafish_assets.storage import delta
from megafish_assets.storage.delta import ForeignRowsError, MissingTableError, Table, UnreadableTableError, to_arrow
from megafish_assets.storage.io_manager import GpuDeltaLakeIOManager
from megafish_assets.storage.io_types import VECTORS_VERSION, Fitted, MixedFitError
from megafish_assets.storage.partitions import ROW_RUNS, VIDEOS
from megafish_assets_tests.storage.small_platform import doubled, everything, run, write_one

KEYS = ["v1", "v2", "v3", "v4"]


def stored(root: Path, *key: str) -> pl.DataFrame:
    return pl.read_delta(str(root.joinpath("small", *(key or ("rows",)))))


def values(root: Path) -> dict[str, list[int]]:
    frame = stored(root).sort("detection_id")
    return {key: rows["value"].to_list() for (key,), rows in frame.partition_by("video", as_dict=True).items()}


def test_a_range_run_leaves_the_other_partitions_alone(tmp_path: Path) -> None:
    for number, key in enumerate(KEYS):
        run(tmp_path, [key], value=number)
    run(tmp_path, KEYS, range_of=("v1", "v2"), value=7)
    assert values(tmp_path) == {"v1": [7, 7], "v2": [7, 7], "v3": [2, 2], "v4": [3, 3]}


def test_rerunning_one_video_leaves_the_others(tmp_path: Path) -> None:
    run(tmp_path, KEYS, range_of=("v1", "v4"), value=1)
    run(tmp_path, ["v3"], value=9, n_rows=1)
    assert values(tmp_path) == {"v1": [1, 1], "v2": [1, 1], "v3": [9], "v4": [1, 1]}


@pytest.mark.parametrize("keys", [[f"v{n}" for n in range(8)], ["same"] * 8], ids=["eight videos", "one video"])
def test_eight_spawned_first_writers_lose_nothing(tmp_path: Path, keys: list[str]) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=write_one, args=(str(tmp_path), key, n)) for n, key in enumerate(keys)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 8
    kept = values(tmp_path)
    assert sorted(kept) == sorted(set(keys))
    assert all(len(rows) == 2 and len(set(rows)) == 1 for rows in kept.values())


def test_a_table_that_fails_to_open_is_an_error_and_stays_as_it_was(tmp_path: Path) -> None:
    run(tmp_path, ["v1"], value=1)
    log = tmp_path / "small" / "rows" / "_delta_log"
    broken = sorted(log.glob("*.json"))[-1]
    whole = broken.read_text()
    broken.write_text("not a log")
    with pytest.raises(UnreadableTableError):
        run(tmp_path, ["v2"], value=2)
    broken.write_text(whole)
    assert values(tmp_path) == {"v1": [1, 1]}


def test_rows_of_another_partition_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ForeignRowsError, match="somebody-else"):
        run(tmp_path, ["v1"], foreign_rows=True)


def test_an_asset_over_all_videos_reads_them_in_the_order_of_their_ids(tmp_path: Path) -> None:
    instance = dg.DagsterInstance.ephemeral()
    run(tmp_path, ["v2", "v1"], range_of=("v2", "v1"), instance=instance, value=1)
    run(tmp_path, ["v2", "v1"], asset=everything, instance=instance)
    frame = stored(tmp_path, "everything").sort("place")
    assert frame["detection_id"].to_list() == ["v1/000000/000", "v1/000001/000", "v2/000000/000", "v2/000001/000"]
    assert frame.columns == ["place", "detection_id", "value"]


def test_a_range_run_downstream_reads_only_its_own_partitions(tmp_path: Path) -> None:
    instance = dg.DagsterInstance.ephemeral()
    run(tmp_path, KEYS, range_of=("v1", "v4"), instance=instance, value=3)
    run(tmp_path, KEYS, asset=doubled, range_of=("v2", "v3"), instance=instance)
    frame = stored(tmp_path, "doubled")
    assert set(frame["video"]) == {"v2", "v3"} and set(frame["value"]) == {6}


def test_empty_partitions_keep_the_schema_in_both_orders(tmp_path: Path) -> None:
    run(tmp_path, ["v1"], n_rows=0)
    assert stored(tmp_path).height == 0 and "value" in stored(tmp_path).columns
    run(tmp_path, ["v2"], value=4)
    run(tmp_path, ["v2"], n_rows=0)
    run(tmp_path, ["v3"], value=5)
    assert values(tmp_path) == {"v3": [5, 5]}


def test_a_new_column_is_merged_in(tmp_path: Path) -> None:
    run(tmp_path, ["v1"], value=1)
    run(tmp_path, ["v2"], value=2, extra_column=True)
    assert stored(tmp_path).sort("detection_id")["extra"].to_list() == [None, None, 1.5, 1.5]


def test_keys_with_quotes_stay_within_their_own_predicate(tmp_path: Path) -> None:
    run(tmp_path, ["v1"], value=1)
    run(tmp_path, ["it's') OR ('1'='1"], value=2)
    assert values(tmp_path)["v1"] == [1, 1]
    assert len(values(tmp_path)) == 2


def test_events_carry_row_counts_a_partition_and_a_short_statement(tmp_path: Path) -> None:
    instance = dg.DagsterInstance.ephemeral()
    keys = [f"v{number:03d}" for number in range(40)]
    result = run(tmp_path, keys, range_of=("v000", "v039"), instance=instance, n_rows=3)
    events = result.asset_materializations_for_node("rows")
    assert sorted(event.partition for event in events) == keys
    for event in events:
        assert event.metadata["dagster/partition_row_count"].value == 3
        assert "dagster/row_count" not in event.metadata  # it would be the run's, not the table's
        assert event.metadata["Query"].value == f'pl.read_delta("{tmp_path}/small/rows")'


def test_a_missing_table_names_the_asset_to_materialise(tmp_path: Path) -> None:
    with pytest.raises(MissingTableError, match="materialise rows first"):
        run(tmp_path, ["v1"], asset=doubled)


def test_a_write_that_cannot_commit_gives_up_with_the_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise CommitFailedError("another writer, always")

    monkeypatch.setattr(delta, "write_deltalake", never)
    monkeypatch.setattr(delta, "FIRST_PAUSE_SECONDS", 0.0)
    with pytest.raises(CommitFailedError, match="another writer"):
        Table(str(tmp_path / "t")).replace_partitions(pl.DataFrame({"video": ["v1"]}), "video", ["v1"])


@pytest.mark.parametrize("dtype", [pl.Float16, pl.UInt8, pl.UInt64, pl.List(pl.Float16), pl.Categorical])
def test_types_that_delta_would_change_or_refuse_are_refused_by_name(dtype: pl.DataType) -> None:
    with pytest.raises(TypeError, match="'odd'"):
        to_arrow(pl.DataFrame(schema={"odd": dtype}))


def test_fixed_size_lists_come_back_as_lists(tmp_path: Path) -> None:
    frame = pl.DataFrame({"video": ["v1"], "vector": pl.Series([[1.0, 2.0]], dtype=pl.Array(pl.Float32, 2))})
    Table(str(tmp_path / "t")).replace_partitions(frame, "video", ["v1"])
    assert pl.scan_delta(str(tmp_path / "t")).collect()["vector"].to_list() == [[1.0, 2.0]]
    assert "list" in str(DeltaTable(str(tmp_path / "t")).schema().to_arrow().field("vector").type).lower()


def forms_platform(version: str) -> list:
    """An asset of vectors of one version, and one reader for every form."""

    @dg.asset(
        key="vectors_tiny",
        partitions_def=VIDEOS,
        backfill_policy=ROW_RUNS,
        metadata={VECTORS_VERSION: version},
    )
    def vectors(context: dg.AssetExecutionContext) -> EmbeddingBatch:
        ids = np.array([f"{key}/{n:06d}/000" for key in context.partition_keys for n in (1, 0)], dtype=object)
        return EmbeddingBatch(ids, torch.arange(4.0 * len(ids)).reshape(-1, 4), version)

    @dg.asset(key="fit_tiny", ins={"batch": dg.AssetIn("vectors_tiny")})
    def fit(context: dg.AssetExecutionContext, batch: EmbeddingBatch) -> Fitted:
        assert (batch.device, batch.on_cpu().dtype) == ("cpu", np.float32)
        ids = batch.detection_ids.tolist()
        assert ids == sorted(ids)
        context.add_asset_metadata({"n_current": len(batch), "n_outdated": batch.n_outdated})
        return Fitted(vectors_table(batch), pl.DataFrame({"mean": [float(batch.on_cpu().sum())]}))

    @dg.asset(key="seen_tiny", ins={"fitted": dg.AssetIn("fit_tiny")})
    def seen(fitted: Fitted) -> pl.DataFrame:
        return pl.DataFrame({"n": [fitted.rows.height], "mean": fitted.model["mean"]})

    return grouped("small", [vectors, fit, seen])


def run_forms(root: Path, instance: dg.DagsterInstance, version: str, asset: int, key: str | None = None):
    platform = forms_platform(version)
    return dg.materialize(
        platform,
        selection=[platform[asset]],
        instance=instance,
        partition_key=key,
        resources={"io_manager": GpuDeltaLakeIOManager(root_uri=str(root), device="cpu")},
    )


def test_device_vectors_leave_and_return_and_only_the_current_version_is_read(tmp_path: Path) -> None:
    instance = dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, ["v1", "v2", "v3"])
    run_forms(tmp_path, instance, "old", 0, "v1")
    for key in ("v2", "v3"):
        run_forms(tmp_path, instance, "new", 0, key)
    event = run_forms(tmp_path, instance, "new", 1).asset_materializations_for_node("fit_tiny")[0]
    assert (event.metadata["n_current"].value, event.metadata["n_outdated"].value) == (4, 2)
    run_forms(tmp_path, instance, "new", 2)
    # Two videos of two rows, 0..7 each: 2 * (0 + 1 + ... + 7) = 56. One table a key, the model beside it.
    assert stored(tmp_path, "seen_tiny").rows() == [(4, 56.0)]
    assert stored(tmp_path, "fit_tiny_model")["mean"].to_list() == [56.0]
    assert stored(tmp_path, "fit_tiny").sort("detection_id")["vector"].to_list()[0] == [4.0, 5.0, 6.0, 7.0]


def test_rows_beside_the_model_of_another_fit_are_refused(tmp_path: Path) -> None:
    instance = dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, ["v1"])
    run_forms(tmp_path, instance, "new", 0, "v1")
    run_forms(tmp_path, instance, "new", 1)
    model = Table(str(tmp_path / "small" / "fit_tiny_model"))
    model.replace(model.scan().collect().with_columns(pl.lit("of a run that was cut off").alias("fit_version")))
    with pytest.raises(MixedFitError, match="materialise fit_tiny first"):
        run_forms(tmp_path, instance, "new", 2)


def test_crops_arrive_as_batches_without_the_ones_set_aside(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "video": ["v1", "v1"],
            "detection_id": ["v1/000001/000", "v1/000000/000"],
            "jpeg": [b"later", None],
            "fault": [None, "no frame"],
        }
    )

    @dg.asset(partitions_def=VIDEOS, backfill_policy=ROW_RUNS)
    def crops() -> pl.DataFrame:
        return frame

    @dg.asset(partitions_def=VIDEOS, backfill_policy=ROW_RUNS)
    def counted(context: dg.AssetExecutionContext, crops: CropBatches) -> pl.DataFrame:
        assert crops.device == "cpu"
        ids = crops.detection_ids.tolist()
        return pl.DataFrame({"video": context.partition_key, "detection_id": ids, "jpeg": list(crops.jpegs)})

    instance = dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, ["v1"])
    manager = GpuDeltaLakeIOManager(root_uri=str(tmp_path), device="cpu")
    assets = grouped("small", [crops, counted])
    dg.materialize(assets, instance=instance, partition_key="v1", resources={"io_manager": manager})
    assert stored(tmp_path, "counted").rows() == [("v1", "v1/000001/000", b"later")]
