"""Brings a collection up to date from the command line."""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Collection as Some
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import dagster as dg
import polars as pl

from megafish_assets.orchestration.backfills import CROPS, LABELS
from megafish_assets.orchestration.home import alone, made_home
from megafish_assets.orchestration.label_inbox import LabelInbox
from megafish_assets.orchestration.materialise import (
    asset_named,
    asset_order,
    failure,
    from_here_on,
    refusal,
    run_step,
)
from megafish_assets.orchestration.orphans import end_orphaned_runs
from megafish_assets.orchestration.policy import MAY_LACK, ON_REQUEST
from megafish_assets.orchestration.settings import Settings
from megafish_assets.orchestration.sources import (
    Inference,
    Recordings,
    read_owners_table,
    read_stations,
    stations_version,
)
from megafish_assets.orchestration.staleness import Collection
from megafish_assets.orchestration.summary import Outcome, Summary, broken_checks, summary_of
from megafish_assets.reporting.wording import faults_text, many
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.delta import MissingTableError, masked
from megafish_assets.storage.partitions import VIDEOS, add_videos

NAMED = 10
"""Names in one line."""


class Found(Protocol):
    """What was found before anything is made."""

    refusals: list[str]
    warnings: list[str]
    sheet: Path | None


Look = Callable[[pl.DataFrame, Inference, Settings, bool], Found]
"""Given what has arrived, where from, how it is set up, and whether the boxes are trusted."""


class RefusedError(RuntimeError):
    """Nothing was made, and this is why."""


@dataclass(frozen=True)
class Wishes:
    """What a person asked for on the command line."""

    begin: str | None = None
    """The asset from which on everything is made again."""
    trusts_boxes: bool = False
    """Whether boxes that look wrong are right."""
    only: Sequence[str] | None = None
    """The assets that are wanted, with all that they are made from, and nothing else; None: everything but what is
    made on request."""
    anew: bool = False
    """Whether these are made again though they are up to date."""
    exports: bool = False
    """Whether everything is what is made on request too."""


def bring_up_to_date(defs: dg.Definitions, settings: Settings, wishes: Wishes, preflight: Look) -> Summary:
    """Makes everything that is missing, with a line a run, once `preflight` has looked at what it is made from.

    Raises RefusedError before anything is made.
    """
    begin = _to_begin_with(defs, wishes)
    inference, videos = looked_at(settings, wishes, preflight)
    arrived = dict(videos.select("video", "fingerprint").iter_rows())
    try:
        home = made_home(settings)
    except OSError as error:
        raise RefusedError(f"no place for Dagster's storage: {error}") from error
    with alone(home), dg.DagsterInstance.get() as instance:
        end_orphaned_runs(instance, workers=False)
        marks = Marks(home / ".again.json")
        again = marks.kept() | ({} if begin is None else from_here_on(defs, instance, begin))
        marks.keep(again)
        again |= _unread_labels(instance, settings)
        for name in wishes.only or () if wishes.anew else ():
            again |= from_here_on(defs, instance, asset_named(defs, name))
        _registered(instance, arrived, inference, settings.root)
        files = dict(videos.select("video", "video_file").iter_rows())
        video_bytes = Recordings.of(settings).sizes_bytes(files)
        collection = Collection(
            defs.resolve_asset_graph(),
            instance,
            str(settings.catalog.tables),
            arrived,
            video_bytes,
            stations_version(read_stations(str(settings.catalog.owners_table))),
            again,
        )
        summary = summary_of(defs, collection, settings, made(defs, collection, _wanted(defs, wishes)))
        if not summary.failed and wishes.only is None:
            marks.keep({})
        return summary


@dataclass(frozen=True)
class Marks:
    """What is to be made again and is not yet: whoever stops half-way goes on from there, not from the beginning."""

    path: Path

    def kept(self) -> dict[dg.AssetKey, int]:
        """`Collection.again` as it was kept last; empty after a command that made everything."""
        if not self.path.exists():
            return {}
        try:
            marks = json.loads(self.path.read_text())
        except json.JSONDecodeError:  # written by a full disk
            return {}
        return {dg.AssetKey.from_user_string(name): storage_id for name, storage_id in marks.items()}

    def keep(self, again: Mapping[dg.AssetKey, int]) -> None:
        """Keeps these instead."""
        beside = self.path.with_suffix(".partial")
        beside.write_text(json.dumps({key.to_user_string(): storage_id for key, storage_id in again.items()}))
        beside.replace(self.path)


def looked_at(settings: Settings, wishes: Wishes, preflight: Look) -> tuple[Inference, pl.DataFrame]:
    """The detector's table and what has arrived in it, after everything that can be known before was looked at."""
    place, owners_table = masked(settings.inference_uri), str(settings.catalog.owners_table)
    try:
        read_owners_table(owners_table)
    except ValueError as error:
        raise RefusedError(str(error)) from error
    inference = Inference.of(settings)
    try:
        videos = inference.arrivals().videos
    except (MissingTableError, ValueError) as error:
        raise RefusedError(f"{place}: {error}") from error
    if videos.is_empty():
        raise RefusedError(f"the inference table at {place} has no rows yet: let the detector finish a video")
    if not settings.recordings.is_dir():
        raise RefusedError(f"no folder of video files at {settings.recordings}: name it in MEGAFISH_RECORDINGS")
    found = preflight(videos, inference, settings, wishes.trusts_boxes)
    for warning in found.warnings:
        print(f"warning: {warning}", flush=True)
    if found.sheet is not None:
        print(f"some frames with their boxes, to look at first: {found.sheet}", flush=True)
    if found.refusals:
        raise RefusedError("\n".join(found.refusals))
    return inference, videos


def _unread_labels(instance: dg.DagsterInstance, settings: Settings) -> dict[dg.AssetKey, int]:
    """`Collection.again` for the labels, if a file waits in their inbox, or the one of MEGAFISH_LABELS has changed."""
    last = instance.fetch_materializations(LABELS, limit=1).records
    table = Path(settings.labels) if settings.labels is not None and "://" not in settings.labels else None
    changed = table is not None and table.is_file() and bool(last) and table.stat().st_mtime > last[0].timestamp
    if not last or not (changed or LabelInbox(settings.catalog.labels).waiting(settled_seconds=0)):
        return {}
    return {LABELS: last[0].storage_id}


def _to_begin_with(defs: dg.Definitions, wishes: Wishes) -> dg.AssetKey | None:
    if wishes.begin is None:
        return None
    try:
        return asset_named(defs, wishes.begin)
    except ValueError as error:
        raise RefusedError(str(error)) from error


def _registered(instance: dg.DagsterInstance, arrived: Some[str], inference: Inference, root: Path) -> None:
    """Adds partitions for new videos, and says what there is and what is left out."""
    new = add_videos(instance, list(arrived))
    print(f"{root}: {many(len(arrived), 'video')}, {len(new)} of them new", flush=True)
    gone = sorted(set(instance.get_dynamic_partitions(VIDEOS.name)) - set(arrived))
    if gone:
        named = ", ".join(gone[:NAMED])
        print(f"no longer in the inference table, and left as made: {many(len(gone), 'video')}, {named}", flush=True)
    clashing = inference.clashing()
    if clashing:
        named = ", ".join(clashing[:NAMED])
        print(f"left out, since nothing tells their names apart: {named}: rename one of each", flush=True)


def _wanted(defs: dg.Definitions, wishes: Wishes) -> list[dg.AssetKey]:
    """The assets that are to be up to date, in the order of the data's flow."""
    order = asset_order(defs)
    graph = defs.resolve_asset_graph()
    if wishes.only is None:
        return [key for key in order if wishes.exports or not ON_REQUEST.items() <= graph.get(key).tags.items()]
    needed = dg.AssetSelection.assets(*[asset_named(defs, name) for name in wishes.only]).upstream().resolve(graph)
    # Of several assets that one step makes, the order names one.
    return [key for key in order if graph.get(key).execution_set_asset_keys & needed]


def made(defs: dg.Definitions, collection: Collection, wanted: Sequence[dg.AssetKey]) -> Outcome:
    """Makes what is missing; what was not made."""
    graph, failed, refused = collection.graph, set(), set()
    for asset_key in wanted:
        needed = {
            key for key in graph.get(asset_key).parent_keys if not MAY_LACK.items() <= graph.get(key).tags.items()
        }
        if failed & needed:
            failed.add(asset_key)
            print(f"{asset_key.to_user_string():32} left out: what it is made from failed", flush=True)
        elif not _brought_up_to_date(defs, collection, asset_key, refused):
            failed.add(asset_key)
        elif why := _nothing_left(collection, asset_key):
            failed.add(asset_key)
            print(f"{asset_key.to_user_string():32} {why}", flush=True)
    return Outcome(*(sorted(key.to_user_string() for key in keys) for keys in (failed - refused, refused)))


def _brought_up_to_date(
    defs: dg.Definitions, collection: Collection, asset_key: dg.AssetKey, refused: set[dg.AssetKey]
) -> bool:
    """Runs what one asset lacks, a line a run and a line a check that is broken; False once a run has failed.

    An asset before which a person has to say something is added to `refused`.
    """
    name, job = asset_key.to_user_string(), defs.resolve_implicit_global_asset_job_def()
    runs = list(collection.missing(asset_key))
    if not runs:
        print(f"{name:32} up to date", flush=True)
    for keys in runs:
        started = time.monotonic()
        result = run_step(job, asset_key, keys, collection.instance)
        took = f"{time.monotonic() - started:6.1f} s"
        if why := refusal(result):
            refused.add(asset_key)
            print(f"{name:32} {why}", file=sys.stderr, flush=True)
            return False
        if not result.success:
            print(
                f"{name:32} FAILED after {took}, run {result.run_id}:\n{failure(result)}", file=sys.stderr, flush=True
            )
            return False
        print(f"{name:32} {many(len(keys), 'video') if keys else 'whole collection':20} {took}", flush=True)
        for line in broken_checks(collection, [asset_key]):
            print(f"  check: {line}", flush=True)
    return True


def _nothing_left(collection: Collection, asset_key: dg.AssetKey) -> str | None:
    """Why nothing can be made from this asset, whose step went well; None where something can."""
    node = collection.graph.get(asset_key)
    if node.partitions_def is None or MAY_LACK.items() <= node.tags.items():
        return None
    if asset_key == CROPS:
        cut = Tables(root=collection.tables).of("crops", "crops").scan().select("fault").collect()
        if cut.height and cut["fault"].null_count() == 0:
            return f"none of {many(cut.height, 'sampled detection')} could be cut:\n{faults_text(cut)}"
    if collection.n_rows(asset_key):
        return None
    before = {parent.to_user_string(): collection.n_rows(parent) for parent in collection.per_video_parents(asset_key)}
    counts = ", ".join(f"{n} in {parent}" for parent, n in before.items())
    return f"has no rows{f', of {counts}' if counts else ''}: nothing can be made from it. See its checks"
