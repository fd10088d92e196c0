"""How the videos of a run are stored: some at a time, each commit with its events at once.

Here: what a killed run leaves behind is whole videos that say so. Not here: which videos are left to make, see
`landing.py`, and how a table is written, see `delta.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
import polars as pl
from dagster._core.definitions.assets.definition.asset_spec import AssetExecutionType
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.definitions.partitions.subset import DefaultPartitionsSubset
from dagster._core.execution.plan.execute_step import _get_output_asset_events

from megafish_assets.orchestration.delta import Table
from megafish_assets.orchestration.forms import frame_of
from megafish_assets.orchestration.landing import Part, Parts, by_commit, landed


@dataclass(frozen=True)
class Landing:
    """Where an asset's videos are stored, and the events that say so."""

    context: dg.OutputContext
    table: Table
    column: str
    """Of the partitions' keys."""
    logged: set[str]
    """Videos whose events of this run are logged, which grows with each commit."""

    def keep_earlier(self) -> list[str]:
        """Puts what earlier attempts' events said on those that Dagster will log; the videos of this run left over."""
        done = landed(self.context.step_context, self.context.asset_key)
        for key in self.context.asset_partition_keys:
            if key in done:
                self.context.step_context.add_asset_metadata(done[key].metadata, self.context.asset_key, key)
        return [key for key in self.context.asset_partition_keys if key not in done]

    def store(self, group: Sequence[Part], is_last: bool) -> None:
        """These videos in one commit, with their events at once unless they are the last, which Dagster's follow."""
        videos = [video for part in group for video in part.videos]
        frame = pl.concat([frame_of(part.value) for part in group])
        version = self.table.replace_partitions(frame, self.column, videos)
        counts = dict(frame.group_by(self.column).len().iter_rows())
        notes = {video: note for part in group for video, note in part.metadata.items()}
        for video in videos:
            note = {"dagster/partition_row_count": counts.get(video, 0), "delta_version": version}
            note |= dict(notes.get(video, {}))
            self.context.step_context.add_asset_metadata(note, self.context.asset_key, video)
        if not is_last:
            _log_landed(self.context, self.table, videos)
            self.logged.update(videos)

    def leave_the_rest_to_dagster(self) -> None:
        """Once all is stored Dagster logs every video that the context names: those that have their event of this run
        are taken out, so that no video has two. One is left to it in any case: of none it would log the asset as a
        whole."""
        keys = self.context.asset_partition_keys
        rest = [key for key in keys if key not in self.logged] or keys[-1:]
        self.context._asset_partitions_subset = DefaultPartitionsSubset(set(rest))


def land(landing: Landing, beside: Callable[[str], Landing], obj: Any) -> None:
    """Stores the run's videos that no earlier attempt has stored, commit by commit, each with its events at once.

    `beside` tells where another output of the same work is stored, by its name. Raises ValueError where a video is in
    no part or in two.
    """
    step = landing.context.step_context
    with partition_loading_context(dynamic_partitions_store=step.instance):  # else each note asks for all keys
        left = landing.keep_earlier()
        for group, is_last in by_commit(obj if isinstance(obj, Parts) else [Part(left, obj)]):
            videos = [video for part in group for video in part.videos]
            if sorted(set(videos) & set(left)) != sorted(videos):
                raise ValueError(f"parts of {videos[:5]}, which are not of this run or were stored before")
            left = [key for key in left if key not in videos]
            if landing.context.asset_partition_keys and not videos:
                continue
            for name in sorted({name for part in group for name in part.beside}):
                beside(name).store([part.beside[name] for part in group], is_last)
            landing.store(group, is_last)
    if left:
        raise ValueError(f"{len(left)} videos of this run are in no part, {left[0]} first")
    landing.leave_the_rest_to_dagster()


def _log_landed(context: dg.OutputContext, table: Table, videos: Sequence[str]) -> None:
    """The events that Dagster itself would log of these videos once the whole run is stored."""
    for event in _get_output_asset_events(
        context.asset_key,
        videos,
        dg.Output(None, metadata=context.output_metadata),
        output_def=None,
        io_manager_metadata={"dagster/uri": dg.MetadataValue.text(table.uri)},
        step_context=context.step_context,
        execution_type=AssetExecutionType.MATERIALIZATION,
    ):
        context.log_event(event)
