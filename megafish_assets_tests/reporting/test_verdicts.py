"""The judge: what holds, what is broken, how it says so, and for whom."""

import math

import dagster as dg
import polars as pl
import pytest

from megafish_assets.orchestration.policy import grouped
from megafish_assets.reporting.verdicts import Check, Limit, judged, specs, verdict
from megafish_assets.storage.io_manager import GpuDeltaLakeIOManager
from megafish_assets.storage.partitions import ROW_RUNS, VIDEOS

CHECK = Check(
    "rows_are_sound",
    "Bad rows.",
    {
        "n_bad": Limit("one NaN poisons every later fit", "Look.", at_most=0, broken_contract=True),
        "bad_share": Limit("a few are usual", "Look again.", at_most=0.5),
    },
)


@pytest.mark.parametrize(
    ("limit", "number", "holds"),
    [
        (Limit("", "", at_most=1), 1, True),
        (Limit("", "", at_most=1), 1.0000001, False),
        (Limit("", "", at_least=0, at_most=1), -0.1, False),
        (Limit("", "", at_least=0.3), 0.3, True),
        (Limit("", "", at_most=1), math.nan, False),
        (Limit("", "", at_least=0), None, False),
    ],
)
def test_bounds_are_allowed_and_what_could_not_be_measured_is_not(limit: Limit, number: float, holds: bool) -> None:
    assert limit.holds(number) is holds


def test_a_broken_limit_says_number_allowed_reason_and_remedy() -> None:
    result = verdict(CHECK, {"n_bad": 1, "bad_share": 0.1})
    assert not result.passed and result.severity == dg.AssetCheckSeverity.ERROR
    assert result.description == "n_bad = 1, allowed at most 0 (one NaN poisons every later fit). Look."
    assert result.metadata["n_bad"].value == 1
    shown = {record.data["number"]: record.data for record in result.metadata["limits"].records}
    assert shown["n_bad"]["holds"] == "NO" and shown["bad_share"]["holds"] == "yes"


def test_a_broken_limit_that_is_no_contract_is_a_warning() -> None:
    result = verdict(CHECK, {"n_bad": 0, "bad_share": 0.6})
    assert not result.passed and result.severity == dg.AssetCheckSeverity.WARN
    assert verdict(CHECK, {"n_bad": 0, "bad_share": 0.5}).passed


def test_a_limit_that_nobody_measured_is_an_error_and_not_a_pass() -> None:
    with pytest.raises(KeyError, match="bad_share"):
        verdict(CHECK, {"n_bad": 0})


def judged_run(
    tmp_path, bad: dict[str, int], instance: dg.DagsterInstance | None = None
) -> tuple[dg.ExecuteInProcessResult, dg.DagsterInstance]:
    """A range run over the videos, of four rows each, with so many bad ones."""

    @dg.asset(partitions_def=VIDEOS, backfill_policy=ROW_RUNS, check_specs=specs("rows", CHECK))
    def rows(context: dg.AssetExecutionContext):
        videos = [key for key in context.partition_keys if key != "empty"]
        counts = pl.DataFrame({"video": videos, "n": [4] * len(videos), "n_bad": [bad[key] for key in videos]})
        share = pl.when(pl.col("n") > 0).then(pl.col("n_bad") / pl.col("n")).otherwise(0.0).alias("bad_share")
        table = pl.DataFrame({"video": videos, "detection_id": videos})
        result = judged(context, CHECK, counts, lambda frame: frame.with_columns(share))
        return dg.MaterializeResult(value=table, check_results=[result])

    @dg.asset(partitions_def=VIDEOS, backfill_policy=ROW_RUNS)
    def after(rows: pl.DataFrame) -> pl.DataFrame:
        return rows

    instance = instance or dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, list(bad))
    keys = list(bad)
    result = dg.materialize(
        grouped("small", [rows, after]),
        instance=instance,
        resources={"io_manager": GpuDeltaLakeIOManager(root_uri=str(tmp_path), device="cpu")},
        tags={"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]},
        raise_on_error=False,
    )
    return result, instance


def evaluations(instance: dg.DagsterInstance) -> dict[str | None, dg.AssetCheckEvaluation]:
    asked = dg.EventRecordsFilter(dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    records = instance.get_event_records(asked, ascending=True)  # the last of a partition wins
    found = [record.event_log_entry.dagster_event.event_specific_data for record in records]
    return {evaluation.partition: evaluation for evaluation in found}


def test_a_range_run_leaves_a_result_for_every_video_and_one_for_the_run(tmp_path) -> None:
    result, instance = judged_run(tmp_path, {"a": 0, "b": 0, "empty": 0})
    assert result.success
    found = evaluations(instance)
    assert set(found) == {None, "a", "b", "empty"} and all(evaluation.passed for evaluation in found.values())
    shares = {e.partition: e.metadata["bad_share"].value for e in result.asset_materializations_for_node("rows")}
    assert shares == {"a": 0.0, "b": 0.0, "empty": 0.0}


def test_a_second_range_run_replaces_the_results_of_the_first(tmp_path) -> None:
    _, instance = judged_run(tmp_path, {"a": 0, "b": 0})
    judged_run(tmp_path, {"a": 0, "b": 3}, instance)
    assert not evaluations(instance)["b"].passed and evaluations(instance)["a"].passed


def test_a_broken_contract_names_its_video_and_stops_what_is_downstream(tmp_path) -> None:
    _, instance = judged_run(tmp_path, {"a": 0, "b": 1})
    found = evaluations(instance)
    assert found["a"].passed and not found["b"].passed and not found[None].passed
    assert "b" in found[None].description and found[None].severity == dg.AssetCheckSeverity.ERROR
    assert pl.read_delta(str(tmp_path / "small" / "rows")).height == 2  # the data are there, to be looked at
    assert not (tmp_path / "small" / "after").exists()
