"""Detections joined into tracklets, some videos at a time, beside the usual tracker by overlap of boxes.

The reef's fish, as many boxes a video as the notebook's table has; its truth says how pure the tracklets are.
"""

from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.operation import ROWS, VIDEOS
from benchmarks.ways import Result, Stage
from megafish_assets.detections.raw import raw_detections
from megafish_assets.detections.tracklets import tracklets
from megafish_assets.footage.boxes import BOX
from megafish_assets.footage.clocks import Clock
from megafish_assets.reef.plan import ReefPlan, video_name
from megafish_assets.reef.tables import simulate_video
from megafish_assets.reef.truth import kinds
from megafish_assets.storage.partitions import ROW_RUNS
from megafish_assets.storage.parts import COMMIT_VIDEOS

SCENES = 40
"""Different videos of the reef; the others repeat them under other names."""

CLOCK = Clock(clip_seconds=10, frames_per_clip=300, recording_start=None)
LEAST_OVERLAP = 0.3
"""Intersection over union that the usual tracker asks for. Source: Bewley et al. 2016, arXiv:1602.00763."""


def write(folder: Path, n_videos: int) -> None:
    """Raw rows in files of as many videos as a run takes, and what each row shows."""
    scenes = [scene(number) for number in range(min(SCENES, n_videos))]
    for part, start in enumerate(range(0, n_videos, ROW_RUNS.max_partitions_per_run)):
        numbers = range(start, min(start + ROW_RUNS.max_partitions_per_run, n_videos))
        named = [renamed(scenes[number % len(scenes)], number) for number in numbers]
        pl.concat(named).write_parquet(folder / f"{part:04d}.parquet")


def scene(number: int) -> pl.DataFrame:
    """Raw rows of one video with the `thing` that each shows: whole tracks, as many as the notebook's videos hold."""
    video = simulate_video(ReefPlan(), number)
    raw = raw_detections(video.inference, CLOCK)
    shown = kinds(raw, video.truth).select("detection_id", pl.coalesce("track_id", "kind").alias("thing"))
    things = shown["thing"].unique().sort().shuffle(seed=number)
    counts = shown.group_by("thing").len()
    enough = pl.DataFrame({"thing": things}).join(counts, on="thing", maintain_order="left")
    kept = enough.filter(pl.col("len").cum_sum() - pl.col("len") < ROWS / VIDEOS)
    return raw.join(shown, on="detection_id").join(kept.select("thing"), on="thing", how="semi")


def renamed(rows: pl.DataFrame, number: int) -> pl.DataFrame:
    """The rows as those of another video."""
    key = video_name(number).removesuffix(".mp4")
    return rows.with_columns(
        pl.lit(key).alias("video"),
        pl.lit(video_name(number)).alias("video_file"),
        pl.col("detection_id").str.replace(r"^[^/]+", key),
        pl.format("{}/{}", pl.lit(key), "thing").alias("thing"),
    )


def ours(folder: Path) -> Result:
    """As the asset does it."""
    return _of_files(folder, lambda rows: tracklets(rows).select("detection_id", "tracklet_id"))


def overlap(folder: Path) -> Result:
    """The usual way: each box to the one of the frame before that it overlaps most, the best assignment of all."""
    return _of_files(folder, by_overlap)


def _of_files(folder: Path, track) -> Result:
    figures = np.zeros(3)
    for file in sorted(folder.glob("*.parquet")):
        rows = pl.read_parquet(file)
        for some in _in_commits(rows):
            found = track(some).join(some.select("detection_id", "thing"), on="detection_id")
            is_own = pl.len().over("tracklet_id", "thing") * 2 > pl.len().over("tracklet_id")
            figures += found.select(pl.len(), is_own.sum().alias("own"), pl.n_unique("tracklet_id")).row(0)
    n_rows, n_own, n_tracklets = figures
    return {"purity": np.array([n_own / n_rows]), "mean_length": np.array([n_rows / n_tracklets])}


def _in_commits(rows: pl.DataFrame):
    videos = rows["video"].unique().sort().to_list()
    for first in range(0, len(videos), COMMIT_VIDEOS):
        yield rows.filter(pl.col("video").is_in(videos[first : first + COMMIT_VIDEOS]))


def by_overlap(rows: pl.DataFrame) -> pl.DataFrame:
    """`video`, `detection_id` and `tracklet_id` of every row, where plain overlap links neighboring frames."""
    parts = []
    for video in rows.sort("video", "frame_id", "detection_id").partition_by("video"):
        number = _linked_by_overlap(video["frame_id"].to_numpy(), video.select(BOX).to_numpy())
        names = pl.format("{}/{}", "video", pl.Series(number))
        parts.append(video.select("video", "detection_id", names.alias("tracklet_id")))
    return pl.concat(parts)


def _linked_by_overlap(frame_ids: np.ndarray, box_xywh: np.ndarray) -> np.ndarray:
    from scipy.optimize import linear_sum_assignment

    number, n_begun = np.full(len(frame_ids), -1), 0
    frames = np.split(np.arange(len(frame_ids)), np.flatnonzero(np.diff(frame_ids)) + 1)
    for before, now in zip([np.empty(0, int), *frames], frames, strict=False):
        follows = len(before) and frame_ids[now[0]] - frame_ids[before[0]] == 1
        if follows:
            shared = _overlaps(box_xywh[before], box_xywh[now])
            one, other = linear_sum_assignment(-shared)
            overlapping = shared[one, other] >= LEAST_OVERLAP
            number[now[other[overlapping]]] = number[before[one[overlapping]]]
        alone = now[number[now] < 0]
        number[alone] = n_begun + np.arange(len(alone))
        n_begun += len(alone)
    return number


def _overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, :2] + a[:, None, 2:], b[None, :, :2] + b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    return shared / (a[:, None, 2:].prod(-1) + b[None, :, 2:].prod(-1) - shared)


def compare(ours: Result, other: Result) -> dict[str, float]:
    """Ours first: share of detections that are with their own, and mean length; then how much less the other's are."""
    return {
        "purity": ours["purity"][0],
        "less_purity": ours["purity"][0] - other["purity"][0],
        "mean_length": ours["mean_length"][0],
        "less_length": ours["mean_length"][0] - other["mean_length"][0],
    }


STAGE = Stage(
    write=write,
    load=lambda folder, device: folder,
    ways={"ours": ours, "overlap": overlap},
    compare=compare,
    size=200,
    unit="n_videos",
    growth=(100, 200, 400, 800),
    full=VIDEOS,
    repeats={"ours": 1},
)
