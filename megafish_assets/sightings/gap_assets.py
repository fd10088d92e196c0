"""The asset of what the detector misses: `animals_gap`, a page of random frames and what people saw in them."""

import dagster as dg
import polars as pl
from pydantic import Field

from megafish_assets.detections.faults import valid_rows
from megafish_assets.footage.boxes import BOX
from megafish_assets.footage.columns import empty_table, typed
from megafish_assets.labels.columns import LABELS
from megafish_assets.orchestration.policy import seed_knob
from megafish_assets.orchestration.sources import Recordings
from megafish_assets.reporting.figures import Figures
from megafish_assets.reporting.metadata import coverage, table_metadata
from megafish_assets.reporting.progress import Progress
from megafish_assets.reporting.verdicts import specs, verdict
from megafish_assets.sightings import checks, measures
from megafish_assets.sightings.collecting import batches, looks_of_videos, of_videos, usual_step_of, video_files
from megafish_assets.sightings.columns import ANIMALS_GAP
from megafish_assets.sightings.gap import precision, recall, with_answers
from megafish_assets.sightings.gap_folder import decoded_frames, write_page
from megafish_assets.sightings.gap_frames import first_draws, frame_draws
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.partitions import VIDEO_COLUMN

OF_LOOKS = [
    "video", "detection_id", "frame_id", *BOX, "score", "seconds_in_video", "timestamp_seconds", "fault",
]  # fmt: skip
"""Columns of `raw_detections` that tell which frames were searched."""


class GapConfig(dg.Config):
    """Which frames a person is asked to look at."""

    n_frames: int = Field(
        default=50,
        ge=1,
        le=500,
        description="As many random frames stand on the page. With 50, a recall of 0.9 is known to about 0.05.",
    )
    seed: int = seed_knob(42, "Another seed draws other frames, and what was said of these no longer counts.")


def animals_gap_asset(knobs: type[GapConfig] = GapConfig) -> dg.AssetsDefinition:
    """The detector's recall and precision, as people tell them."""

    @dg.asset(
        key="animals_gap",
        deps=["labels"],
        check_specs=specs("animals_gap", checks.ANIMALS_GAP),
        metadata=table_metadata(ANIMALS_GAP),
        kinds={"opencv", "deltalake"},
        description="Random frames with the detector's boxes, on a page where a person marks what it missed, and the "
        "recall that follows from what people marked. No count is ever corrected by it.",
    )
    def gap(
        context: dg.AssetExecutionContext,
        config: knobs,
        raw_detections: pl.LazyFrame,
        tracklets: pl.LazyFrame,
        not_fish: pl.LazyFrame,
        camera_motion: pl.LazyFrame,
        tables: Tables,
        figures: Figures,
        recordings: Recordings,
    ):
        draws = _draws(context, config, raw_detections, camera_motion)
        files = video_files(raw_detections, draws[VIDEO_COLUMN].unique())
        paths = {video: recordings.path(file) for video, file in files.items()}
        shown = list(decoded_frames(draws, paths, config.n_frames, recordings.most_megapixels))
        frames = pl.DataFrame([row for row, _ in shown], schema=draws.schema)
        boxes = _boxes(frames, raw_detections, tracklets, not_fish)
        labels = tables.rows("labels", "labels")
        table = with_answers(frames, boxes, empty_table(LABELS) if labels is None else labels)
        table = table.with_row_index("rank", offset=1)
        is_seen = (row["looked_by"] is not None for row in table.iter_rows(named=True))
        with figures.new_folder(context.asset_key) as folder:
            answered = [(row | {"is_seen": seen}, picture) for (row, picture), seen in zip(shown, is_seen, strict=True)]
            write_page(folder, answered, boxes)
        numbers = measures.gap_numbers(table, recall(table), precision(table)) | coverage(context, "not_fish")
        page = figures.place(context.asset_key) / "index.html"
        return dg.MaterializeResult(
            value=typed(table, ANIMALS_GAP),
            metadata={name: number for name, number in numbers.items() if number is not None}
            | {"n_unreadable_frames": _passed_over(draws, frames), "page": dg.MetadataValue.path(str(page))},
            check_results=[verdict(checks.ANIMALS_GAP, numbers)],
        )

    return gap


def _draws(
    context: dg.AssetExecutionContext, config: GapConfig, raw: pl.LazyFrame, camera_motion: pl.LazyFrame
) -> pl.DataFrame:
    """See `frame_draws`, of all videos, some in memory at a time."""
    usual, chosen, drawn = usual_step_of(raw), batches(raw), []
    progress = Progress(context.log.info, "videos looked through", sum(map(len, chosen)))
    for videos in chosen:
        valid = valid_rows(of_videos(videos, raw.select(OF_LOOKS)))
        looks = looks_of_videos(valid, of_videos(videos, camera_motion), usual)
        drawn.append(frame_draws(looks.values(), config.seed, config.n_frames))
        progress.step(len(videos))
    return first_draws(drawn, config.n_frames)


def _boxes(frames: pl.DataFrame, raw: pl.LazyFrame, tracklets: pl.LazyFrame, not_fish: pl.LazyFrame) -> pl.DataFrame:
    """The valid boxes of these frames that nothing takes for an artefact, with their tracklets."""
    keys = ["video", "frame_id"]
    videos = pl.col(VIDEO_COLUMN).is_in(frames[VIDEO_COLUMN].unique().implode())
    rows = valid_rows(raw.filter(videos).join(frames.lazy().select(keys), on=keys, how="semi").collect())
    artefacts = not_fish.filter(videos & pl.col("reason").is_not_null()).select("detection_id").collect()
    known = tracklets.filter(videos).select("detection_id", "tracklet_id").collect()
    own = rows.join(artefacts, on="detection_id", how="anti").join(known, on="detection_id", how="left")
    return own.select(*keys, "detection_id", "tracklet_id", *BOX).sort("video", "frame_id", "detection_id")


def _passed_over(draws: pl.DataFrame, frames: pl.DataFrame) -> int:
    """Frames that were drawn before the last shown one and could not be decoded; all of them where none could."""
    if frames.is_empty():
        return draws.height
    return draws.filter(pl.col("draw") <= frames["draw"].max()).height - frames.height
