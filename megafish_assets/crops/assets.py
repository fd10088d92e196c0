"""The asset of pixels: `crops`."""

import dagster as dg
import polars as pl

from megafish_assets.crops import checks
from megafish_assets.crops.columns import CROPS
from megafish_assets.crops.extraction import VideoTask, extracted
from megafish_assets.crops.measures import crop_counts, crop_numbers, faults_text
from megafish_assets.crops.overlay import FILE_WIDTH_PX, PAGE_WIDTH_PX, busiest_frames, jpeg
from megafish_assets.detections.columns import empty_frame
from megafish_assets.orchestration.metadata import column_lineage, picture, table_metadata
from megafish_assets.orchestration.partitions import PIXEL_RUNS, VIDEOS
from megafish_assets.orchestration.progress import Progress
from megafish_assets.orchestration.resources import Figures, Recordings
from megafish_assets.orchestration.verdicts import judged, specs

PICTURES_A_RUN = 4
"""In the event log, at 20 kB each and kept twice; every video has its picture as a file."""


@dg.asset(
    partitions_def=VIDEOS,
    backfill_policy=PIXEL_RUNS,
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
    tasks = video_tasks(sampled_detections, raw_detections, recordings)
    progress = Progress(context.log.info, "videos decoded", len(tasks))
    parts, pictures = [empty_frame(CROPS)], {}
    for result in extracted(tasks):
        parts.append(result.crops)
        if result.overlay_bgr is not None:
            figures.save(context.asset_key, f"{result.key}.jpg", jpeg(result.overlay_bgr, FILE_WIDTH_PX))
            pictures[result.key] = jpeg(result.overlay_bgr, PAGE_WIDTH_PX)
        progress.step()
    table = pl.concat(parts).sort("detection_id")
    show(context, table, pictures)
    return dg.MaterializeResult(
        value=table,
        metadata=column_lineage({"sampled_detections": ["video", "detection_id", "frame_id"]}),
        check_results=[judged(context, checks.CROPS, crop_counts(sampled_detections, table), crop_numbers)],
    )


def video_tasks(sampled: pl.DataFrame, raw: pl.LazyFrame, recordings: Recordings) -> list[VideoTask]:
    """One task for every video that has sampled rows."""
    busiest = busiest_frames(sampled)
    drawn = raw.join(busiest.lazy(), on=["video", "frame_id"]).collect()
    frames, boxes = dict(busiest.iter_rows()), drawn.partition_by("video", as_dict=True)
    return [
        VideoTask(key, recordings.path(rows["video_file"][0]), rows, frames[key], boxes.get((key,), drawn.clear()))
        for (key,), rows in sampled.partition_by("video", as_dict=True, maintain_order=True).items()
    ]


def show(context: dg.AssetExecutionContext, table: pl.DataFrame, pictures: dict[str, bytes]) -> None:
    """What was set aside in the run's log, and the first pictures on their videos' events."""
    why = faults_text(table)
    if why:
        context.log.warning(f"{table['fault'].count()} of {table.height} rows set aside:\n{why}")
    for key, boxes in sorted(pictures.items())[:PICTURES_A_RUN]:
        context.add_asset_metadata({"boxes": picture(boxes, f"boxes on a frame of {key}")}, partition_key=key)
