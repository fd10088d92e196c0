"""Limits, filter and a tenth of each video: as the platform runs it, beside the notebook's whole-table steps."""

from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.operation import ROWS, VIDEOS, video_rows
from benchmarks.ways import Result, Stage
from megafish_assets.detections.filtering import filtered_detections
from megafish_assets.detections.raw import raw_detections
from megafish_assets.detections.sampling import SEED, SHARE, sampled_detections
from megafish_assets.detections.size_limits import size_limits
from megafish_assets.footage.clocks import Clock
from megafish_assets.storage.partitions import ROW_RUNS

CLOCK = Clock(clip_seconds=10, frames_per_clip=300, recording_start=None)


def write(folder: Path, n: int) -> None:
    """Raw rows in files of as many videos as a run takes, of videos as long as the notebook's."""
    rng, n_videos = np.random.default_rng(0), max(1, round(n * VIDEOS / ROWS))
    sizes = rng.multinomial(n, np.full(n_videos, 1 / n_videos))
    for part, numbers in enumerate(
        np.array_split(np.arange(n_videos), -(-n_videos // ROW_RUNS.max_partitions_per_run))
    ):
        detected = pl.concat([video_rows(rng, int(number), int(sizes[number])) for number in numbers])
        raw_detections(detected, CLOCK).write_parquet(folder / f"{part:04d}.parquet")


def ours(folder: Path) -> Result:
    """Limits over a lazy table, then a run's videos at a time."""
    files, drawn = sorted(folder.glob("*.parquet")), []
    limits = size_limits(pl.scan_parquet(files))
    for file in files:
        kept = filtered_detections(pl.read_parquet(file), limits)
        drawn.append(sampled_detections(kept, at_least=0).select("video", "width_1024"))
    return _figures(pl.concat(drawn))


def notebook(folder: Path) -> Result:
    """The whole table in memory: log limits, both masks, and a seeded share of each group."""
    rows = pl.concat(pl.read_parquet(file) for file in sorted(folder.glob("*.parquet"))).sort("video", "frame_id")
    kept = pl.lit(True)
    for side in ("width_1024", "height_1024"):
        logs = rows[side].log()
        median, deviation = logs.median(), logs.std()
        kept = kept & pl.col(side).log().is_between(median - 2 * deviation, median + 2 * deviation)
        kept = kept & (pl.col(side) >= 32)
    groups = rows.filter(kept).partition_by("video")
    return _figures(pl.concat(group.sample(fraction=SHARE, seed=SEED) for group in groups))


def _figures(sample: pl.DataFrame) -> Result:
    counts = sample.group_by("video").len().sort("video")
    return {"counts": counts["len"].to_numpy(), "mean_width": np.array([sample["width_1024"].mean()], dtype=float)}


def compare(ours: Result, other: Result) -> dict[str, float]:
    """Videos of another sample size, and the difference of the mean width, which the draw moves by chance."""
    return {
        "n_videos_of_another_size": float((ours["counts"] != other["counts"]).sum()),
        "mean_width_share": abs(float(ours["mean_width"][0] / other["mean_width"][0]) - 1),
    }


STAGE = Stage(
    write=write,
    load=lambda folder, device: folder,
    ways={"ours": ours, "notebook": notebook},
    compare=compare,
    size=ROWS,
    unit="n_rows",
    growth=(ROWS // 4, ROWS // 2, ROWS, 2 * ROWS),
    full=10 * ROWS,
)
