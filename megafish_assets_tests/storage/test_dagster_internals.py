"""What is relied on of Dagster beyond its public interface: a new version breaks these first."""

import inspect

import dagster as dg
import pytest

from megafish_assets.storage import dagster_internals as internals
from megafish_assets.storage.partitions import VIDEOS


def parameters(function) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_the_events_that_dagster_logs_of_an_output_can_be_asked_for() -> None:
    assert parameters(internals.output_asset_events) == [
        "asset_key",
        "asset_partitions",
        "output",
        "output_def",
        "io_manager_metadata",
        "step_context",
        "execution_type",
    ]
    assert internals.AssetExecutionType.MATERIALIZATION


def test_dagster_logs_an_event_for_the_partitions_that_its_context_names_after_storing() -> None:
    class Narrow(dg.IOManager):
        def handle_output(self, context: dg.OutputContext, obj: object) -> None:
            internals.log_only(context, {"b"})

        def load_input(self, context: dg.InputContext) -> None:
            raise AssertionError("nothing is read")

    @dg.asset(partitions_def=VIDEOS, backfill_policy=dg.BackfillPolicy.single_run())
    def rows() -> int:
        return 1

    instance = dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(VIDEOS.name, ["a", "b"])
    tags = {internals.ASSET_PARTITION_RANGE_START_TAG: "a", internals.ASSET_PARTITION_RANGE_END_TAG: "b"}
    result = dg.materialize([rows], instance=instance, resources={"io_manager": Narrow()}, tags=tags)
    assert [event.partition for event in result.asset_materializations_for_node("rows")] == ["b"]


@pytest.mark.parametrize(
    ("of", "names"),
    [
        (internals.StepExecutionContext, ["add_asset_metadata", "get_output_context", "assets_def", "has_partitions"]),
        (internals.DbIOManager, ["_get_table_slice", "handle_output", "load_input"]),
        (internals.DbTypeHandler, ["handle_output", "load_input", "supported_types"]),
        (internals.BaseAssetGraph, ["get", "toposorted_asset_keys", "get_all_asset_keys"]),
        (internals.AssetGraphSubset, ["from_asset_partition_set", "create_empty_subset"]),
        (internals.PartitionBackfill, ["from_asset_graph_subset"]),
        (internals.DagsterEvent, ["asset_check_evaluation"]),
        (internals.WorkspaceProcessContext, ["create_request_context"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_classes_have_what_is_used_of_them(of: type, names: list[str]) -> None:
    assert [name for name in names if not hasattr(of, name)] == []


def test_tags_are_what_dagster_writes_on_runs() -> None:
    assert internals.RESUME_RETRY_TAG == "dagster/is_resume_retry"
    assert internals.ASSET_RESUME_RETRY_TAG == "dagster/is_asset_resume_retry"
    assert internals.ASSET_PARTITION_RANGE_START_TAG == "dagster/asset_partition_range_start"
    assert dg.DagsterRunStatus.STARTED in internals.IN_PROGRESS_RUN_STATUSES
    assert set(internals.TableSlice._fields) >= {"table", "schema", "columns", "partition_dimensions"}


def test_a_job_of_one_asset_knows_the_checks_of_all() -> None:
    @dg.asset(check_specs=[dg.AssetCheckSpec("is_fine", asset="rows")])
    def rows() -> dg.MaterializeResult:
        return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True)])

    @dg.asset(deps=[rows])
    def page(context: dg.AssetExecutionContext) -> None:
        seen.append({key.name for key in internals.whole_graph(context).asset_check_keys})

    seen: list[set[str]] = []
    job = dg.define_asset_job("nightly", selection=["page"])
    defs = dg.Definitions(assets=[rows, page], jobs=[job])
    assert defs.resolve_job_def("nightly").execute_in_process().success
    whole = defs.resolve_implicit_global_asset_job_def()
    assert whole.execute_in_process(asset_selection=[dg.AssetKey("page")]).success
    assert seen == [{"is_fine"}] * 2
