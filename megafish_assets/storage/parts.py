"""What is done stays done: a run over many videos stores some at a time, and the attempt after a crash goes on.

Here: which videos of a run an earlier attempt has stored, and the parts in which an asset hands over the others. Not
here: how a part is written, which is the IO manager's. An asset that makes its videos some at a time looks so:

```python
@dg.asset(partitions_def=VIDEOS, backfill_policy=PIXEL_RUNS)
def lengths(context: dg.AssetExecutionContext, crops: pl.DataFrame):
    videos = pending_videos(context)               # those that no earlier attempt of this run has stored

    def parts() -> Iterator[Part]:
        for video in videos:                       # made when the one before is stored
            yield Part([video], length_of(crops.filter(pl.col("video") == video)), {video: {"n_fish": 3}})

    return dg.MaterializeResult(value=Parts(parts))
```

```
make v1..v8  ->  one commit  ->  their events  ->  make v9..v16  ->  one commit  ->  killed
the next attempt: `stored_earlier` reads the events of v1..v16, and `pending_videos` begins with v17
```
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import polars as pl

from megafish_assets.storage.dagster_internals import (
    ASSET_RESUME_RETRY_TAG,
    RESUME_RETRY_TAG,
    AssetExecutionType,
    StepExecutionContext,
    log_only,
    output_asset_events,
    partition_loading_context,
)
from megafish_assets.storage.delta import Table
from megafish_assets.storage.io_types import table_of

CODE_VERSION_TAG = "dagster/code_version"

KNOBS_VERSION = "knobs "
"""What the code version of an asset begins with whose knobs a collection has set."""


def is_current(event: dg.AssetMaterialization, code_version: str | None) -> bool:
    """Whether an asset's event is of its code version; one without any has no event of knobs that have been set."""
    made_by_version = (event.tags or {}).get(CODE_VERSION_TAG, "")
    return made_by_version == code_version if code_version else not made_by_version.startswith(KNOBS_VERSION)


COMMIT_VIDEOS = 8
"""Videos in one commit of a run that makes them one by one: a commit costs about 50 ms, and as many videos are lost
at most when the run is killed."""


@dataclass(frozen=True)
class Part:
    """Whole videos, made and ready to be stored."""

    videos: Sequence[str]
    """Partition keys; one without rows has none in `value`."""
    value: Any
    """Their rows, in a form that the IO manager can store."""
    metadata: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By video, for its event."""
    beside: Mapping[str, "Part"] = field(default_factory=dict)
    """By output name: the same videos in other assets that the same step makes, stored just before this part."""


class Parts:
    """Parts that are made while they are stored, so that memory holds a few at a time.

    An object and not a generator, which Dagster would take for the asset's own events.
    """

    def __init__(self, make: Callable[[], Iterable[Part]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[Part]:
        return iter(self._make())


class StoredBeside:
    """The value of an output whose rows were stored beside another's, part by part."""


def by_commit(parts: Iterable[Part]) -> Iterator[tuple[list[Part], bool]]:
    """The parts in groups of `COMMIT_VIDEOS` or more videos, and whether the group is the last; one, empty, of none."""
    group: list[Part] = []
    for part in parts:
        if sum(len(held.videos) for held in group) >= COMMIT_VIDEOS:
            yield group, False
            group = []
        group.append(part)
    yield group, True


def pending_videos(context: dg.AssetExecutionContext) -> list[str]:
    """The run's videos that no earlier attempt of it has stored."""
    done = stored_earlier(context.op_execution_context.get_step_execution_context())
    return [key for key in context.partition_keys if key not in done]


def made_by(assets: dg.AssetsDefinition) -> dg.AssetKey:
    """The asset that this step makes; of several, the one that bears the step's name, which is stored last."""
    return assets.key if len(assets.keys) == 1 else assets.keys_by_output_name[assets.node_def.name]


def stored_earlier(step: StepExecutionContext, asset: dg.AssetKey | None = None) -> dict[str, dg.AssetMaterialization]:
    """The videos that earlier attempts of this run stored for an asset, with their events; by default `made_by`'s.

    Where one step makes several assets, those that all of them have: a run can be killed between two tables. None for a
    first attempt, or for one that a person wants whole; a change of code version makes all again.
    """
    if step.assets_def is None or not step.assets_def.keys:
        return {}
    versions = step.assets_def.code_versions_by_key
    events: dict[dg.AssetKey, dict[str, dg.AssetMaterialization]] = {key: {} for key in step.assets_def.keys}
    for run_id in reversed(_earlier_attempts(step)):
        for record in step.instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION):
            event = record.dagster_event.step_materialization_data.materialization
            if event.asset_key in events and is_current(event, versions.get(event.asset_key)):
                events[event.asset_key][event.partition] = event
    everywhere = set.intersection(*map(set, events.values()))
    of_asset = events[asset or made_by(step.assets_def)]
    return {video: event for video, event in of_asset.items() if video in everywhere}


def _earlier_attempts(step: StepExecutionContext) -> list[str]:
    """The runs that this one goes on from, the last first: back to the one that began anew."""
    earlier, run = [], step.dagster_run
    while run is not None and any(run.tags.get(tag) == "true" for tag in (RESUME_RETRY_TAG, ASSET_RESUME_RETRY_TAG)):
        run = step.instance.get_run_by_id(run.parent_run_id)
        earlier += [run.run_id] if run is not None else []
    return earlier


@dataclass(frozen=True)
class Destination:
    """Where an asset's videos are stored, and the events that say so."""

    context: dg.OutputContext
    table: Table
    column: str
    """Of the partitions' keys."""
    logged: set[str]
    """Videos whose events of this run are logged, which grows with each commit."""

    def keep_earlier(self) -> list[str]:
        """Puts what earlier attempts' events said on those that Dagster will log; the videos of this run left over."""
        done = stored_earlier(self.context.step_context, self.context.asset_key)
        for key in self.context.asset_partition_keys:
            if key in done:
                self.context.step_context.add_asset_metadata(done[key].metadata, self.context.asset_key, key)
        return [key for key in self.context.asset_partition_keys if key not in done]

    def store(self, group: Sequence[Part], is_last: bool) -> None:
        """These videos in one commit, with their events at once unless they are the last, which Dagster's follow."""
        videos = [video for part in group for video in part.videos]
        frame = pl.concat([table_of(part.value) for part in group])
        version = self.table.replace_partitions(frame, self.column, videos)
        counts = dict(frame.group_by(self.column).len().iter_rows())
        notes = {video: note for part in group for video, note in part.metadata.items()}
        for video in videos:
            note = {"dagster/partition_row_count": counts.get(video, 0), "delta_version": version}
            note |= dict(notes.get(video, {}))
            self.context.step_context.add_asset_metadata(note, self.context.asset_key, video)
        if not is_last:
            _log_stored(self.context, self.table, videos)
            self.logged.update(videos)

    def leave_the_rest_to_dagster(self) -> None:
        """Once all is stored Dagster logs every video that the context names: those that have their event of this run
        are taken out, so that no video has two. One is left to it in any case: of none it would log the asset as a
        whole."""
        keys = self.context.asset_partition_keys
        rest = [key for key in keys if key not in self.logged] or keys[-1:]
        log_only(self.context, set(rest))


def store_parts(destination: Destination, beside: Callable[[str], Destination], obj: Any) -> None:
    """Stores the run's videos that no earlier attempt has stored, commit by commit, each with its events at once.

    `beside` tells where another output of the same step is stored, by its name. Raises ValueError where a video is in
    no part or in two.
    """
    step = destination.context.step_context
    with partition_loading_context(dynamic_partitions_store=step.instance):  # else each note asks for all keys
        left = destination.keep_earlier()
        for group, is_last in by_commit(obj if isinstance(obj, Parts) else [Part(left, obj)]):
            videos = [video for part in group for video in part.videos]
            if sorted(set(videos) & set(left)) != sorted(videos):
                raise ValueError(f"parts of {videos[:5]}, which are not of this run or were stored before")
            left = [key for key in left if key not in videos]
            if destination.context.asset_partition_keys and not videos:
                continue
            for name in sorted({name for part in group for name in part.beside}):
                beside(name).store([part.beside[name] for part in group], is_last)
            destination.store(group, is_last)
    if left:
        raise ValueError(f"{len(left)} videos of this run are in no part, {left[0]} first")
    destination.leave_the_rest_to_dagster()


def _log_stored(context: dg.OutputContext, table: Table, videos: Sequence[str]) -> None:
    """The events that Dagster itself would log of these videos once the whole run is stored."""
    for event in output_asset_events(
        context.asset_key,
        videos,
        dg.Output(None, metadata=context.output_metadata),
        output_def=None,
        io_manager_metadata={"dagster/uri": dg.MetadataValue.text(table.uri)},
        step_context=context.step_context,
        execution_type=AssetExecutionType.MATERIALIZATION,
    ):
        context.log_event(event)
