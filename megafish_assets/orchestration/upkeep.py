"""Brings a collection up to date from the command line, and says in the end what came of it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Collection as Some
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

import dagster as dg
import polars as pl

from megafish_assets.orchestration.backfills import CROPS
from megafish_assets.orchestration.home import alone, made_home
from megafish_assets.orchestration.materialise import (
    Collection,
    asset_named,
    asset_order,
    failure,
    from_here_on,
    run_work,
)
from megafish_assets.orchestration.orphans import end_orphaned_runs
from megafish_assets.orchestration.settings import Settings
from megafish_assets.orchestration.sources import Inference
from megafish_assets.reporting.wording import faults_text, many
from megafish_assets.storage.delta import MissingTableError, Table, masked
from megafish_assets.storage.partitions import VIDEOS, add_videos

NAMED = 10
"""Names in one line."""

STOPPED = 128 + signal.SIGINT
"""What a shell takes for Ctrl-C."""


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


@dataclass
class Summary:
    """What the collection holds once it is up to date."""

    n_videos: int
    n_detections: int
    """Rows that the detector wrote."""
    n_faulty: int
    """Of them, rows that can't be believed."""
    n_crops: int
    n_set_aside: int
    """Sampled rows without a crop."""
    backbones: dict[str, dict[str, float]] = field(default_factory=dict)
    """By name: `n_clusters`, and `n_kinds` with `n_kinds_low` and `n_kinds_high`."""
    broken: list[str] = field(default_factory=list)
    """Checks whose last result is outside its limits, in words."""
    failed: list[str] = field(default_factory=list)
    """Assets that failed, or were left out because what they are made from failed."""
    figures: str = ""
    """Folder of plots and montages."""

    def lines(self) -> Iterator[str]:
        """The same for a person."""
        faulty = f" ({self.n_faulty} with a fault)" if self.n_faulty else ""
        detections = f"{many(self.n_detections, 'detection')}{faulty}"
        yield f"{many(self.n_videos, 'video')}, {detections}, {many(self.n_crops, 'crop')}"
        if self.n_set_aside:
            yield f"without a crop: {many(self.n_set_aside, 'sampled detection')}; the events of `crops` say why"
        for name, told in self.backbones.items():
            kinds = f", {told['n_kinds_low']:g} to {told['n_kinds_high']:g} kinds" if "n_kinds" in told else ""
            yield f"{name}: {many(told['n_clusters'], 'cluster')}{kinds}"
        yield from (f"check: {one}" for one in self.broken)
        yield from (f"NOT MADE: {one}" for one in self.failed)
        yield f"montages and plots: {self.figures}"
        yield "next: `make up` shows all of it in the page"


def stopping_at_once(command: Sequence[str]) -> int:
    """Runs a command so that Ctrl-C, a closed terminal or a SIGTERM end it and all that it has started at once.

    Whatever it was in the middle of: tables are whole after every commit, and what a run leaves open is ended at the
    next start.
    """
    worker = subprocess.Popen(command, start_new_session=True)
    for ending in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(ending, signal.default_int_handler)
    try:
        code = worker.wait()
    except KeyboardInterrupt:
        for ending in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(ending, signal.SIG_IGN)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        print("\nstopped: what is done stays, and `materialise` goes on from there", file=sys.stderr, flush=True)
        return STOPPED
    if code < 0:
        why = "; out of memory, if nobody did it" if -code == signal.SIGKILL else ""
        print(f"the work was ended by {signal.Signals(-code).name}{why}", file=sys.stderr, flush=True)
        return 128 - code
    return code


def end_with(parent: int) -> None:
    """Ends this process, and its group, once the one that started it is gone without a word."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def bring_up_to_date(defs: dg.Definitions, settings: Settings, wishes: Wishes, preflight: Look) -> Summary:
    """Makes everything that is missing, with a line a run, once `preflight` has looked at what it is made from.

    Raises RefusedError before anything is made.
    """
    begin = _to_begin_with(defs, wishes)
    inference, videos = _looked_at(settings, wishes, preflight)
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
        _registered(instance, arrived, inference, settings.root)
        collection = Collection(defs, instance, str(settings.tables), arrived, again)
        summary = _summary(collection, settings, failed=_made(collection))
        if not summary.failed:
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


def _looked_at(settings: Settings, wishes: Wishes, preflight: Look) -> tuple[Inference, pl.DataFrame]:
    """The detector's table and what has arrived in it, after everything that can be known before was looked at."""
    inference, place = (
        Inference(uri=settings.inference_uri, owners_table=str(settings.owners_table)),
        masked(settings.inference_uri),
    )
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


def _made(collection: Collection) -> list[str]:
    """Makes what is missing; the assets that failed, and those that were left out because of them."""
    graph, failed = collection.defs.resolve_asset_graph(), set()
    for asset_key in asset_order(collection.defs):
        if failed & graph.get(asset_key).parent_keys:
            failed.add(asset_key)
            print(f"{asset_key.to_user_string():32} left out: what it is made from failed", flush=True)
        elif not _brought_up_to_date(collection, asset_key):
            failed.add(asset_key)
        elif why := _nothing_left(collection, asset_key):
            failed.add(asset_key)
            print(f"{asset_key.to_user_string():32} {why}", flush=True)
    return sorted(key.to_user_string() for key in failed)


def _brought_up_to_date(collection: Collection, asset_key: dg.AssetKey) -> bool:
    """Runs what one asset lacks, a line a run and a line a check that is broken; False once a run has failed."""
    name, job = asset_key.to_user_string(), collection.defs.resolve_implicit_global_asset_job_def()
    runs = list(collection.missing(asset_key))
    if not runs:
        print(f"{name:32} up to date", flush=True)
    for keys in runs:
        started = time.monotonic()
        result = run_work(job, asset_key, keys, collection.instance)
        took = f"{time.monotonic() - started:6.1f} s"
        if not result.success:
            print(
                f"{name:32} FAILED after {took}, run {result.run_id}:\n{failure(result)}", file=sys.stderr, flush=True
            )
            return False
        print(f"{name:32} {many(len(keys), 'video') if keys else 'whole collection':20} {took}", flush=True)
        for line in _broken_checks(collection, [asset_key]):
            print(f"  check: {line}", flush=True)
    return True


def _nothing_left(collection: Collection, asset_key: dg.AssetKey) -> str | None:
    """Why nothing can be made from this asset, whose work went well; None where something can."""
    node = collection.defs.resolve_asset_graph().get(asset_key)
    if node.partitions_def is None:
        return None
    if asset_key == CROPS:
        cut = Table(f"{collection.tables}/crops/crops").scan().select("fault").collect()
        if cut.height and cut["fault"].null_count() == 0:
            return f"none of {many(cut.height, 'sampled detection')} could be cut:\n{faults_text(cut)}"
    if collection.n_rows(asset_key):
        return None
    before = {parent.to_user_string(): collection.n_rows(parent) for parent in collection.per_video_parents(asset_key)}
    told = ", ".join(f"{n} in {parent}" for parent, n in before.items())
    return f"has no rows{f', of {told}' if told else ''}: nothing can be made from it. See its checks"


def _broken_checks(collection: Collection, asset_keys: Sequence[dg.AssetKey]) -> list[str]:
    """What the last results of these assets' checks, and of what the same work makes, are outside of."""
    graph = collection.defs.resolve_asset_graph()
    together = {one for key in asset_keys for one in graph.get(key).execution_set_asset_keys}
    keys = sorted(key for key in graph.asset_check_keys if key.asset_key in together)
    found = collection.instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    lines = []
    for key in keys:
        event = found[key].event.dagster_event if key in found and found[key].event else None
        if event is None or event.event_type != dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            continue  # planned, and not judged in that run
        result = event.asset_check_evaluation_data
        if not result.passed:
            lines.append(f"{key.asset_key.to_user_string()}: {result.description}")
    return lines


def _summary(collection: Collection, settings: Settings, failed: list[str]) -> Summary:
    """What the tables hold now."""

    def rows(name: str, columns: Sequence[str]) -> pl.DataFrame:
        table = Table(f"{settings.tables}/{name}")
        return table.scan().select(columns).collect() if table.exists() else pl.DataFrame(schema=columns)

    raw, crops = rows("detections/raw_detections", ["fault"]), rows("crops/crops", ["fault"])
    backbones = {}
    for backbone in _backbones(collection.defs):
        labels = rows(f"clusters/clusters/{backbone}", ["cluster"])["cluster"]
        backbones[backbone] = {"n_clusters": labels.n_unique()} | _kinds(collection, backbone)
    return Summary(
        n_videos=len(collection.arrived),
        n_detections=raw.height,
        n_faulty=raw["fault"].count(),
        n_crops=crops["fault"].null_count(),
        n_set_aside=crops["fault"].count(),
        backbones=backbones,
        broken=_broken_checks(collection, asset_order(collection.defs)),
        failed=failed,
        figures=str(settings.figures),
    )


def _backbones(defs: dg.Definitions) -> list[str]:
    """Every backbone that crops are embedded by."""
    specs = defs.resolve_all_asset_specs()
    return sorted({spec.metadata["backbone"] for spec in specs if "backbone" in spec.metadata})


def _kinds(collection: Collection, backbone: str) -> dict[str, float]:
    """The number of kinds as `stability` told it last."""
    event = collection.instance.get_latest_materialization_event(dg.AssetKey(["stability", backbone]))
    told = {} if event is None else event.asset_materialization.metadata
    names = ("n_kinds", "n_kinds_low", "n_kinds_high")
    return {name: told[name].value for name in names if name in told}


def shown(summary: Summary, as_json: bool) -> str:
    """The summary as lines, or as one line of JSON."""
    return json.dumps(asdict(summary)) if as_json else "\n".join(["", *summary.lines()])
