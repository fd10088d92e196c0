"""Writes a reef's files: videos, three Delta tables, and last of all the plan, which says that the rest is
whole."""

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

import cv2
import polars as pl

from megafish_assets.reef.picture import draw_frame, set_stage
from megafish_assets.reef.plan import ReefPlan, video_name
from megafish_assets.reef.tables import SimulatedVideo, simulate_video
from megafish_assets.reef.world import simulate_world

N_WORKERS = 2
"""Two painters take about 1 GB together; more would not leave memory on a laptop."""
SMALL_REEF_PIXELS = 60_000_000
"""Fewer pixels than this (a second's work) are not worth the start of other processes."""

Progress = Callable[[str], None]


class OtherReefError(ValueError):
    """The folder holds a reef of another plan."""


def plan_as_dict(plan: ReefPlan) -> dict:
    """The plan as it stands in `reef.json`."""
    return asdict(plan) | {"size_wh_px": list(plan.size_wh_px)}


def is_recorded(folder: Path, plan: ReefPlan) -> bool:
    """Whether the folder holds exactly this reef, whole.

    Raises `OtherReefError` where it holds another one.
    """
    sign = folder / "reef.json"
    if not sign.exists():
        return False
    # One recorded before a knob was there has it at its default.
    there = plan_as_dict(ReefPlan()) | json.loads(sign.read_text())
    if there != plan_as_dict(plan):
        raise OtherReefError(
            f"{folder} holds a reef with the plan {there}, asked for was {plan_as_dict(plan)}; "
            "choose another folder, or remove this one"
        )
    return True


def write_video(plan: ReefPlan, video: int, path: Path) -> None:
    """Draws and encodes one video; under `path` there is a whole file or none."""
    unfinished = path.with_name(f".unfinished-{path.name}")
    stage = set_stage(plan, simulate_world(plan, video))
    writer = cv2.VideoWriter(str(unfinished), cv2.VideoWriter_fourcc(*"mp4v"), plan.fps, plan.size_wh_px)
    if not writer.isOpened():
        raise OSError(f"OpenCV cannot write MPEG-4 to {unfinished}; its FFmpeg is missing or the folder read-only")
    try:
        for frame in range(plan.frames):
            writer.write(draw_frame(stage, frame))
    finally:
        writer.release()
    os.replace(unfinished, path)


def one_thread() -> None:
    """Keeps OpenCV's own threads from fighting with the other workers."""
    cv2.setNumThreads(1)


def record(plan: ReefPlan, recordings: Path) -> Iterator[int]:
    """Writes every video, yielding its number when it is there; in this process if the reef is small."""
    paths = {video: recordings / video_name(video) for video in plan.video_numbers}
    n_pixels = plan.videos * plan.frames * plan.size_wh_px[0] * plan.size_wh_px[1]
    if plan.videos == 1 or n_pixels < SMALL_REEF_PIXELS:
        for video, path in paths.items():
            write_video(plan, video, path)
            yield video
        return
    with ProcessPoolExecutor(N_WORKERS, mp_context=get_context("spawn"), initializer=one_thread) as workers:
        jobs = {video: workers.submit(write_video, plan, video, path) for video, path in paths.items()}
        for video, job in jobs.items():
            job.result()
            yield video


def write_tables(folder: Path, videos: list[SimulatedVideo]) -> None:
    """Writes `inference`, `truth` and `camera`, each in one commit, so that rows keep their order."""
    for name, frames in (
        ("inference", [video.inference for video in videos]),
        ("truth", [video.truth for video in videos]),
        ("camera", [video.camera for video in videos]),
    ):
        pl.concat(frames).write_delta(str(folder / name), mode="overwrite")


def write_reef(folder: Path, reef: ReefPlan, on_progress: Progress | None = None) -> None:
    """Writes a whole reef to `folder`; does nothing where the same one is already there.

    `on_progress` is told one line for each video. Raises `OtherReefError` where another reef is there.
    """
    tell = on_progress or (lambda line: None)
    if is_recorded(folder, reef):
        tell(f"reef is there: {folder}")
        return
    recordings = folder / "recordings"
    recordings.mkdir(parents=True, exist_ok=True)
    simulated = {video: simulate_video(reef, video) for video in reef.video_numbers}
    write_tables(folder, list(simulated.values()))
    for done, video in enumerate(record(reef, recordings), start=1):
        n_boxes = simulated[video].truth.height
        tell(f"{video_name(video)}  {done}/{reef.videos}  {reef.frames} frames, {n_boxes} boxes")
    unfinished = folder / ".unfinished-reef.json"
    unfinished.write_text(json.dumps(plan_as_dict(reef), indent=2) + "\n")
    os.replace(unfinished, folder / "reef.json")
