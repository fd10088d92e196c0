"""What happens by itself as the detector finishes videos, and as video files arrive late."""

import hashlib
import json
import time

import dagster as dg
import polars as pl

from megafish_assets.orchestration.arrivals import are_these
from megafish_assets.orchestration.backfills import CROPS, LENS, LIMITS, RAW, REASONS, per_video_assets, start_backfill
from megafish_assets.orchestration.labels import Labels
from megafish_assets.orchestration.sources import Inference
from megafish_assets.reporting.wording import many
from megafish_assets.storage.delta import MissingTableError
from megafish_assets.storage.partitions import VIDEOS, add_videos, last_made

RETRY_PAUSES_MINUTES = (10, 60, 360)
"""A file that is still being copied is there in ten minutes, a disk that was not mounted by the next shift; what can't
be read after three tries needs a person."""

STARTED = "megafish/new_videos/contents"
"""Where the instance keeps the fingerprint with which each video was started: 45 kB at 1,589 videos, which in a cursor
would be kept for every tick."""

EVENTS_A_TICK = 1000
"""Events that one tick looks through; a longer queue takes the next ticks."""


PER_VIDEO = dg.AssetSelection.groups("detections", "crops", "embeddings") - dg.AssetSelection.assets(
    "inference", LIMITS, LENS, REASONS
)
"""What both sensors have made, which the UI then shows as automated."""


@dg.sensor(
    target=PER_VIDEO,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Adds a partition for every video that the detector has finished, and starts its chain from raw rows "
    "to vectors. A video whose rows change later runs again.",
)
def new_videos(context: dg.SensorEvaluationContext, inference: Inference) -> dg.SensorResult | dg.SkipReason:
    """Its cursor: what was seen last of the table, and whether a video was not complete in it."""
    try:
        state = inference.state()
    except MissingTableError as none_yet:
        return dg.SkipReason(str(none_yet))
    if context.cursor == json.dumps(state | {"waiting": False}):
        return dg.SkipReason(f"nothing new in the inference table since version {state['version']}")
    arrived, store = inference.arrivals(), context.instance.daemon_cursor_storage
    kept = store.get_cursor_values({STARTED}).get(STARTED) if context.cursor else None
    started = json.loads(kept) if kept else _made_before(context.instance, arrived.videos)
    complete = arrived.videos.filter("is_complete")
    fingerprints = complete.select("video", "fingerprint").iter_rows()
    changed = {video: fingerprint for video, fingerprint in fingerprints if started.get(video) != fingerprint}
    if changed:
        _start_chain(context, changed)
    store.set_cursor_values({STARTED: json.dumps(started | changed)})
    n_waiting = arrived.videos.height - complete.height
    # The state of before the rows were read: what was written since is found at the next tick.
    cursor = state | {"waiting": n_waiting > 0}
    message = f"{many(len(changed), 'video')} started, {n_waiting} not complete yet, version {arrived.version}"
    return dg.SensorResult(skip_reason=message, cursor=json.dumps(cursor))


def _made_before(instance: dg.DagsterInstance, arrived: pl.DataFrame) -> dict[str, str]:
    """The fingerprints of videos made by other means from the rows that have arrived."""
    made = {key: record.asset_materialization.metadata for key, record in last_made(instance, RAW).items()}
    fingerprints = arrived.select("video", "fingerprint").iter_rows()
    return {
        key: fingerprint for key, fingerprint in fingerprints if are_these(fingerprint, made.get(key, {}), "n_arrived")
    }


def _start_chain(context: dg.SensorEvaluationContext, changed: dict[str, str]) -> None:
    instance, graph = context.instance, context.repository_def.asset_graph
    add_videos(instance, list(changed))
    first = [] if instance.get_latest_materialization_event(LIMITS) else [LIMITS]
    # A tick that is cut off before its cursor is kept finds the backfill that it has started.
    fingerprint = hashlib.sha256(json.dumps([context.cursor, sorted(changed.items())]).encode()).hexdigest()[:8]
    start_backfill(
        instance,
        {key: changed.keys() for key in per_video_assets(graph)},
        title=f"{len(changed)} new videos",
        backfill_id=f"new-{fingerprint}",
        whole=first,
    )


@dg.sensor(
    target=PER_VIDEO,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tries videos again of which frames were set aside: "
    f"{', '.join(map(str, RETRY_PAUSES_MINUTES))} minutes after the last time, then no more.",
)
def retry_set_aside_videos(context: dg.SensorEvaluationContext, inference: Inference) -> dg.SensorResult:
    """Its cursor: the last event of crops that it has seen, and when each video that waits is due."""
    kept = json.loads(context.cursor) if context.cursor else {"after": None, "waiting": {}}
    asked = dg.AssetRecordsFilter(CROPS, after_storage_id=kept["after"])
    records = context.instance.fetch_materializations(asked, limit=EVENTS_A_TICK, ascending=True).records
    waiting = kept["waiting"]
    for record in records:
        _note(waiting, record)
    for video in waiting.keys() - set(context.instance.get_dynamic_partitions(VIDEOS.name)):
        del waiting[video]  # removed meanwhile
    now = time.time()
    due = sorted(video for video, state in waiting.items() if state["at"] is not None and state["at"] <= now)
    for video in due:
        waiting[video] |= {"tries": waiting[video]["tries"] + 1, "at": None}
    due = _still_detected(inference, due)
    if due:
        _start_again(context, due, {video: waiting[video]["tries"] for video in due})
    after = records[-1].storage_id if records else kept["after"]
    message = f"{len(due)} videos tried again; {_told(waiting)}"
    return dg.SensorResult(skip_reason=message, cursor=json.dumps({"after": after, "waiting": waiting}))


def _still_detected(inference: Inference, due: list[str]) -> list[str]:
    """Those of which the detector's table still holds rows: of the others what was made stays."""
    try:
        detected = set(inference.arrivals().videos["video"]) if due else set()
    except MissingTableError:
        detected = set()
    return [video for video in due if video in detected]


def _note(waiting: dict[str, dict], record: dg.EventLogRecord) -> None:
    """What one event of crops says of its video: none set aside any more, or when to try it next, if ever."""
    video, metadata = record.partition_key, record.asset_materialization.metadata
    if not any(name in metadata and metadata[name].value for name in ("n_set_aside", "n_small_set_aside")):
        waiting.pop(video, None)
        return
    state = waiting.setdefault(video, {"tries": 0, "at": None})
    if state["at"] is None and state["tries"] < len(RETRY_PAUSES_MINUTES):
        state["at"] = record.timestamp + 60 * RETRY_PAUSES_MINUTES[state["tries"]]


def _start_again(context: dg.SensorEvaluationContext, videos: list[str], tries: dict[str, int]) -> None:
    start_backfill(
        context.instance,
        {key: videos for key in per_video_assets(context.repository_def.asset_graph)},  # the file's header tells times
        title=f"{len(videos)} videos set aside, again",
        backfill_id=f"again-{hashlib.sha256(json.dumps([context.cursor, tries]).encode()).hexdigest()[:8]}",
    )


def _told(waiting: dict[str, dict]) -> str:
    given_up = sorted(v for v, s in waiting.items() if s["at"] is None and s["tries"] >= len(RETRY_PAUSES_MINUTES))
    return f"{len(waiting) - len(given_up)} wait, {len(given_up)} need a person: {', '.join(given_up[:10]) or 'none'}"


@dg.sensor(
    target=dg.AssetSelection.groups("labels"),
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reads files that people lay into `labels/inbox`, and names all fish anew by what they say.",
)
def new_labels(context: dg.SensorEvaluationContext, labels: Labels) -> dg.SensorResult | dg.SkipReason:
    """Its cursor: the files, with their times and sizes, for which it has started a run; a run that failed leaves them
    in the inbox, and they wait for the night or for a person."""
    waiting = [(path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in labels.inbox.waiting()]
    seen = json.dumps(waiting)
    if not waiting:
        return dg.SkipReason("no file in labels/inbox")
    if seen == context.cursor:
        return dg.SkipReason(f"{many(len(waiting), 'file')} in labels/inbox, for which a run was started already")
    return dg.SensorResult(run_requests=[dg.RunRequest()], cursor=seen)
