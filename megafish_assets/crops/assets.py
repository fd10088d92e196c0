"""The asset of pixels: `crops`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import dagster as dg
import polars as pl

from megafish_assets.crops import checks
from megafish_assets.crops.columns import CROPS
from megafish_assets.crops.extraction import VideoResult, VideoTask, extracted
from megafish_assets.crops.frames import busiest_frames, crops_frame
from megafish_assets.crops.measures import crop_counts, crop_numbers, faults_text
from megafish_assets.crops.overlay import FILE_WIDTH_PX, PAGE_WIDTH_PX, jpeg
from megafish_assets.detections.boxes import Boxes
from megafish_assets.detections.columns import empty_frame
from megafish_assets.orchestration.landing import Part, Parts, left_to_make
from megafish_assets.orchestration.metadata import column_lineage, picture, table_metadata
from megafish_assets.orchestration.partitions import PIXEL_RUNS, VIDEOS
from megafish_assets.orchestration.progress import Progress
from megafish_assets.orchestration.resources import Figures, Recordings
from megafish_assets.orchestration.verdicts import Tally, specs

PICTURES_A_RUN = 4
"""In the event log, at 20 kB each and kept twice; every video has its picture as a file."""


@dg.asset(
    partitions_def=VIDEOS,
    backfill_policy=PIXEL_RUNS,
    pool="decode",
    check_specs=specs("crops", checks.CROPS),
    metadata=table_metadata(CROPS),
    kinds={"opencv", "deltalake"},
)
def crops(
    context: dg.AssetExecutionContext,
    sampled_detections: pl.DataFrame,
    raw_detections: pl.LazyFrame,
    recordings: Recordings,
    figures: Figures,
):
    """Every sampled box cut out of its video, which is decoded once and in order; after this none is opened."""
    videos, tally = left_to_make(context), Tally(context, checks.CROPS, crop_numbers)
    sampled = {key: rows for (key,), rows in sampled_detections.partition_by("video", as_dict=True).items()}
    tasks = video_tasks(sampled_detections, raw_detections, recordings)

    def parts() -> Iterator[Part]:
        yield without_rows([key for key in videos if key not in sampled], tally)
        progress = Progress(context.log.info, "videos decoded", len(tasks))
        pages = Pages(context, figures)
        for result in extracted(tasks):
            own = sampled[result.key]
            made = crops_frame(own, result.cuts)
            numbers = tally.add([result.key], crop_counts(own, made))[result.key]
            yield Part([result.key], made, {result.key: numbers | pages.of(result, made)})
            progress.step()

    yield dg.MaterializeResult(
        value=Parts(parts),
        metadata=column_lineage({"sampled_detections": ["video", "detection_id", "frame_id"]}),
    )
    yield tally.result()


def video_tasks(sampled: pl.DataFrame, raw: pl.LazyFrame, recordings: Recordings) -> list[VideoTask]:
    """One task for every video that has sampled rows."""
    busiest = busiest_frames(sampled)
    drawn = raw.join(busiest.lazy(), on=["video", "frame_id"]).collect()
    frames, boxes = dict(busiest.iter_rows()), drawn.partition_by("video", as_dict=True)
    return [
        VideoTask(
            key,
            recordings.path(rows["video_file"][0]),
            Boxes.of(rows),
            frames[key],
            Boxes.of(boxes.get((key,), drawn.clear())),
        )
        for (key,), rows in sampled.partition_by("video", as_dict=True, maintain_order=True).items()
    ]


def without_rows(videos: Sequence[str], tally: Tally) -> Part:
    """Videos of which nothing was sampled: empty partitions."""
    none = empty_frame(CROPS)
    return Part(videos, none, tally.add(videos, crop_counts(none, none)))


@dataclass
class Pages:
    """What the page shows of a video, and its picture as a file."""

    context: dg.AssetExecutionContext
    figures: Figures
    n_pictures: int = 0
    """In the event log so far, at 20 kB each and kept twice."""

    def of(self, result: VideoResult, made: pl.DataFrame) -> dict[str, dg.MetadataValue | str]:
        """Why rows were set aside, if any were, and the boxes on a frame of the run's first videos."""
        why, shown = faults_text(made), {}
        if why:
            self.context.log.warning(f"{result.key}: {why}")
            shown["set_aside_because"] = why
        if result.overlay_bgr is not None:
            key = self.context.asset_key
            self.figures.save(key, f"{result.key}.jpg", jpeg(result.overlay_bgr, FILE_WIDTH_PX))
            if self.n_pictures < PICTURES_A_RUN:
                self.n_pictures += 1
                boxes = jpeg(result.overlay_bgr, PAGE_WIDTH_PX)
                shown["boxes"] = picture(boxes, f"boxes on a frame of {result.key}")
        return shown
