"""The assets of pixels: `crops`, `small_crops` and `camera_motion`, made in one pass through each video."""

from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg
import polars as pl

from megafish_assets.crops import checks
from megafish_assets.crops.columns import CAMERA_MOTION, CROPS
from megafish_assets.crops.extraction import VideoResult, VideoTask, extracted
from megafish_assets.crops.measures import crop_counts, crop_numbers, motion_counts, motion_numbers
from megafish_assets.crops.overlay import FILE_WIDTH_PX, PAGE_WIDTH_PX, jpeg
from megafish_assets.crops.tables import busiest_frames, crops_table, motion_table
from megafish_assets.detections.columns import SMALL
from megafish_assets.detections.faults import valid_rows
from megafish_assets.footage.boxes import Boxes
from megafish_assets.footage.columns import empty_table
from megafish_assets.orchestration.policy import MAY_LACK
from megafish_assets.orchestration.sources import Recordings
from megafish_assets.reporting.figures import Figures
from megafish_assets.reporting.metadata import column_lineage, picture, table_metadata
from megafish_assets.reporting.progress import Progress
from megafish_assets.reporting.verdicts import Tally, specs
from megafish_assets.reporting.wording import faults_text
from megafish_assets.storage.partitions import PIXEL_RUNS, VIDEOS
from megafish_assets.storage.parts import Part, Parts, StoredBeside, pending_videos

PICTURES_A_RUN = 4
"""In the event log, at 20 kB each and kept twice; every video has its picture as a file."""


CROPS_KEY, SMALL_KEY, MOTION_KEY = dg.AssetKey("crops"), dg.AssetKey("small_crops"), dg.AssetKey("camera_motion")


@dg.multi_asset(
    name="crops",
    outs={
        "crops": dg.AssetOut(
            metadata=table_metadata(CROPS),
            kinds={"ffmpeg", "opencv", "deltalake"},
            description="Every sampled box cut out of its video, which is decoded once and in order; after this none "
            "is opened.",
        ),
        "small_crops": dg.AssetOut(
            tags=MAY_LACK,
            metadata=table_metadata(CROPS),
            kinds={"ffmpeg", "opencv", "deltalake"},
            description="The boxes of `small_detections`, cut out in the same pass: fish that can be named, and are "
            "too small to be grouped.",
        ),
        "camera_motion": dg.AssetOut(
            metadata=table_metadata(CAMERA_MOTION),
            kinds={"ffmpeg", "opencv", "deltalake"},
            description="How the scene moves, from points outside the boxes that are followed while the crops are cut: "
            "the camera's pan by its pixels, which judges the one that tracklets guess from boxes.",
        ),
    },
    partitions_def=VIDEOS,
    backfill_policy=PIXEL_RUNS,
    pool="decode",
    check_specs=[
        *specs("crops", checks.CROPS),
        *specs("small_crops", checks.SMALL_CROPS),
        *specs("camera_motion", checks.CAMERA_MOTION),
    ],
)
def crops(
    context: dg.AssetExecutionContext,
    sampled_detections: pl.DataFrame,
    small_detections: pl.DataFrame,
    raw_detections: pl.LazyFrame,
    tracklets: pl.LazyFrame,
    recordings: Recordings,
    figures: Figures,
):
    """The crops of every video and how its scene moves, in one pass through it."""
    videos, tally = pending_videos(context), Tally(context, checks.CROPS, crop_numbers)
    small_tally = Tally(context, checks.SMALL_CROPS, crop_numbers, SMALL_KEY)
    motions = Tally(context, checks.CAMERA_MOTION, motion_numbers, MOTION_KEY)
    cut_out = pl.concat([rows.select(*SMALL) for rows in (sampled_detections, small_detections)])
    tasks, pans = video_tasks(cut_out, raw_detections, recordings), pans_of_boxes(raw_detections, tracklets)

    def beside(keys: list[str], small: pl.DataFrame, motion: pl.DataFrame) -> dict[str, Part]:
        """What is stored beside the crops of these videos: the small crops, and how their scene moves."""
        wanted = small_detections.filter(pl.col("video").is_in(keys))
        return {
            "small_crops": Part(keys, small, small_tally.add(keys, crop_counts(wanted, small))),
            "camera_motion": Part(keys, motion, motions.add(keys, motion_counts(motion, pans))),
        }

    def parts() -> Iterator[Part]:
        with_boxes = {task.key for task in tasks}
        bare, none = [key for key in videos if key not in with_boxes], empty_table(CROPS)
        still = beside(bare, none, empty_table(CAMERA_MOTION))
        yield Part(bare, none, tally.add(bare, crop_counts(none, none)), still)
        progress = Progress(context.log.info, "videos decoded", len(tasks))
        pictures = Pictures(context, figures)
        for result in extracted(tasks):
            made = crops_table(cut_out.filter(video=result.key), result.cuts)
            sampled = sampled_detections.filter(video=result.key)
            crops, small = made.head(sampled.height), made.slice(sampled.height)
            numbers = tally.add([result.key], crop_counts(sampled, crops))[result.key]
            aside = {"n_small_set_aside": small["fault"].count()}  # for which the video is tried again too
            others = beside([result.key], small, motion_table(result.key, result.motion))
            yield Part([result.key], crops, {result.key: numbers | aside | pictures.of(result, made)}, others)
            progress.step()

    lineage = column_lineage({"sampled_detections": ["video", "detection_id", "frame_id"]})
    yield dg.Output(Parts(parts), output_name="crops", metadata=lineage)
    small_lineage = column_lineage({"small_detections": ["video", "detection_id", "frame_id"]})
    yield dg.Output(StoredBeside(), output_name="small_crops", metadata=small_lineage)
    yield dg.Output(StoredBeside(), output_name="camera_motion")
    yield from (of_output.result() for of_output in (tally, small_tally, motions))


def pans_of_boxes(raw: pl.LazyFrame, tracklets: pl.LazyFrame) -> pl.DataFrame:
    """The pan that tracklets took from boxes, a row a frame."""
    frames = raw.select("detection_id", "frame_id")
    pans = tracklets.join(frames, on="detection_id").unique(["video", "frame_id"])
    return pans.select("video", "frame_id", "pan_x_1024", "pan_y_1024", "n_pan_boxes").collect()


def video_tasks(cut_out: pl.DataFrame, raw: pl.LazyFrame, recordings: Recordings) -> list[VideoTask]:
    """One task for every video that has boxes to cut out, in the order in which they are given."""
    drawn_frames, valid = dict(busiest_frames(cut_out).iter_rows()), valid_rows(raw).collect()
    detected, none = valid.partition_by("video", as_dict=True), valid.clear()
    return [
        VideoTask(
            key,
            recordings.path(rows["video_file"][0]),
            Boxes.of(rows),
            Boxes.of(detected.get((key,), none)),
            drawn_frames[key],
            most_megapixels=recordings.most_megapixels,
        )
        for (key,), rows in cut_out.partition_by("video", as_dict=True, maintain_order=True).items()
    ]


@dataclass
class Pictures:
    """What the UI shows of a video, and its picture as a file."""

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
            self.figures.save(CROPS_KEY, f"{result.key}.jpg", jpeg(result.overlay_bgr, FILE_WIDTH_PX))
            if self.n_pictures < PICTURES_A_RUN:
                self.n_pictures += 1
                boxes = jpeg(result.overlay_bgr, PAGE_WIDTH_PX)
                shown["boxes"] = picture(boxes, f"boxes on a frame of {result.key}")
        return shown
