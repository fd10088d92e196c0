"""Everything of Dagster's that is not its public interface, in one place: what a new version may break.

A test says what is relied on of each. Not here: what they are used for.
"""

import dagster as dg
from dagster._core.definitions.assets.definition.asset_spec import AssetExecutionType
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.definitions.partitions.subset import DefaultPartitionsSubset
from dagster._core.events import DagsterEvent
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus, PartitionBackfill
from dagster._core.execution.context.system import StepExecutionContext
from dagster._core.execution.plan.execute_step import _get_output_asset_events as output_asset_events
from dagster._core.execution.plan.outputs import StepOutputHandle
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES
from dagster._core.storage.db_io_manager import DbIOManager, DbTypeHandler, TableSlice
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    ASSET_RESUME_RETRY_TAG,
    RESUME_RETRY_TAG,
)
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget

__all__ = [
    "ASSET_PARTITION_RANGE_END_TAG",
    "ASSET_PARTITION_RANGE_START_TAG",
    "ASSET_RESUME_RETRY_TAG",
    "IN_PROGRESS_RUN_STATUSES",
    "RESUME_RETRY_TAG",
    "AssetExecutionType",
    "AssetGraphSubset",
    "BaseAssetGraph",
    "BulkActionStatus",
    "BulkActionsFilter",
    "DagsterEvent",
    "DbIOManager",
    "DbTypeHandler",
    "DefaultPartitionsSubset",
    "PartitionBackfill",
    "StepExecutionContext",
    "StepOutputHandle",
    "TableSlice",
    "WorkspaceFileTarget",
    "WorkspaceProcessContext",
    "log_only",
    "output_asset_events",
    "partition_loading_context",
    "whole_graph",
]


def log_only(context: dg.OutputContext, partitions: set[str]) -> None:
    """Makes these the partitions for which Dagster logs an event once the output is stored."""
    context._asset_partitions_subset = DefaultPartitionsSubset(partitions)


def whole_graph(context: dg.AssetExecutionContext) -> BaseAssetGraph:
    """All assets and checks of the platform, of which the running job may be a part."""
    return context.job_def.asset_layer.asset_graph.source_asset_graph
