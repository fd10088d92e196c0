"""The assets of rows: `inference`, `raw_detections`, `tracklets`, `size_limits`, `filtered_detections`,
`sampled_detections` and `small_detections`."""

from collections.abc import Iterator
from typing import Literal

import dagster as dg
import polars as pl
from pydantic import Field

from megafish_assets.detections import checks, measures, sampling
from megafish_assets.detections.columns import FILTERED, LIMITS, RAW, SAMPLED, SMALL, TRACKLETS
from megafish_assets.detections.faults import valid_rows
from megafish_assets.detections.filtering import filtered_detections as filtered_rows
from megafish_assets.detections.plots import filter_histograms
from megafish_assets.detections.raw import raw_detections as raw_rows
from megafish_assets.detections.size_limits import SizeLimits, largest_move, settled
from megafish_assets.detections.size_limits import size_limits as limits_of
from megafish_assets.detections.tracklets import tracklets as tracklets_of
from megafish_assets.orchestration.arrivals import FINGERPRINT, VIDEO_BYTES
from megafish_assets.orchestration.policy import MAY_LACK, seed_knob
from megafish_assets.orchestration.sources import Inference, Recordings
from megafish_assets.reporting.figures import Figures, figure_metadata
from megafish_assets.reporting.metadata import column_lineage, coverage, per_video, table_metadata, versions_read
from megafish_assets.reporting.progress import Progress
from megafish_assets.reporting.verdicts import Tally, judged, specs, verdict
from megafish_assets.reporting.wording import faults_text
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.partitions import ROW_RUNS, VIDEOS
from megafish_assets.storage.parts import COMMIT_VIDEOS, Part, Parts, pending_videos

INFERENCE = dg.AssetSpec(
    "inference",
    description="The detector's own Delta table: `video_file`, `frame_id`, `box` (`[x, y, w, h]` in the frame "
    "stretched to 1024 x 1024), `score`. Other programs write it, video by video.",
    kinds={"deltalake"},
)


@dg.asset(
    deps=[INFERENCE],
    partitions_def=VIDEOS,
    backfill_policy=ROW_RUNS,
    check_specs=specs("raw_detections", checks.RAW),
    metadata=table_metadata(RAW),
    kinds={"polars", "deltalake"},
)
def raw_detections(context: dg.AssetExecutionContext, inference: Inference, recordings: Recordings):
    """Every row of the video, typed, keyed and timed; of a video file its header is read."""
    detected = inference.detected(pending_videos(context))
    sizes = {video: recordings.size_bytes(file) or 0 for video, file in detected.files.items()}
    rows = raw_rows(detected.rows, recordings.clock(), recordings.times(sorted(detected.files.values())))
    context.log.info(f"{rows['fault'].count()} of {rows.height} rows have a fault\n{faults_text(rows)}".rstrip())
    counts = measures.raw_counts(detected.counts, rows)
    prints = detected.fingerprints.items()
    per_video(context, {video: {FINGERPRINT: fingerprint, VIDEO_BYTES: sizes[video]} for video, fingerprint in prints})
    return dg.MaterializeResult(
        value=rows,
        metadata={"inference_version": detected.version}
        | column_lineage({"inference": ["video_file", "frame_id", "score"]}),
        check_results=[judged(context, checks.RAW, counts, measures.raw_numbers)],
    )


@dg.asset(
    partitions_def=VIDEOS,
    backfill_policy=ROW_RUNS,
    check_specs=specs("tracklets", checks.TRACKLETS),
    metadata=table_metadata(TRACKLETS),
    kinds={"polars", "deltalake"},
)
def tracklets(context: dg.AssetExecutionContext, raw_detections: pl.DataFrame):
    """Short, safe pieces of each animal's track, and the camera's pan, from the boxes alone; opens no video."""
    videos, tally = pending_videos(context), Tally(context, checks.TRACKLETS, measures.tracklet_numbers)
    progress = Progress(context.log.info, "rows tracked", raw_detections.height)

    def parts() -> Iterator[Part]:
        for first in range(0, max(1, len(videos)), COMMIT_VIDEOS):
            some = videos[first : first + COMMIT_VIDEOS]
            rows = raw_detections.filter(pl.col("video").is_in(some))
            tracked = tracklets_of(rows)
            yield Part(some, tracked, tally.add(some, measures.tracklet_counts(valid_rows(rows), tracked)))
            progress.step(rows.height)

    yield dg.MaterializeResult(
        value=Parts(parts), metadata=column_lineage({"raw_detections": ["video", "detection_id"]})
    )
    yield tally.result()


class LimitsConfig(dg.Config):
    """When limits count as moved."""

    tolerance: float = Field(
        default=0.02,
        ge=0,
        description="Limits keep their values and version while none moves by more than this share of its size, so "
        "that one more video doesn't restate every partition. 0 takes every change.",
    )


def size_limits_asset(knobs: type[LimitsConfig] = LimitsConfig) -> dg.AssetsDefinition:
    """The sizes that are believed, from all videos."""

    @dg.asset(
        check_specs=specs("size_limits", checks.SIZE_LIMITS),
        metadata=table_metadata(LIMITS),
        kinds={"polars", "deltalake"},
    )
    def size_limits(
        context: dg.AssetExecutionContext,
        config: knobs,
        raw_detections: pl.LazyFrame,
        inference: Inference,
        tables: Tables,
        figures: Figures,
    ):
        """The notebook's four limits from all raw rows, and the floor of 32 px in the stretched frame."""
        before = tables.stored(context)
        old = None if before is None or before.is_empty() else SizeLimits.from_table(before)
        valid = valid_rows(raw_detections)
        new = limits_of(valid)
        limits = settled(old, new, config.tolerance)
        used = versions_read(context.instance, "filtered_detections", "size_limits")
        seen = coverage(context, "raw_detections")
        numbers = {
            "drift_share": largest_move(limits, new),
            "kept_share": measures.overall_kept_share(valid, limits),
            "n_partitions_of_old_limits": sum(version != limits.limits_version for version in used.values()),
            "n_rows_without_video": inference.n_rows_without_video(),
            "n_valid_rows": new.n_rows,
        }
        return dg.MaterializeResult(
            value=limits.to_table(),
            data_version=dg.DataVersion(limits.limits_version),
            metadata=limits.in_1024_px()
            | {"limits_version": limits.limits_version}
            | numbers
            | seen
            | figure_metadata(figures, context.asset_key, "filter", filter_histograms(valid, limits)),
            check_results=[verdict(checks.SIZE_LIMITS, numbers | seen)],
        )

    return size_limits


@dg.asset(
    partitions_def=VIDEOS,
    backfill_policy=ROW_RUNS,
    check_specs=specs("filtered_detections", checks.FILTERED),
    metadata=table_metadata(FILTERED),
    kinds={"polars", "deltalake"},
)
def filtered_detections(context: dg.AssetExecutionContext, raw_detections: pl.DataFrame, size_limits: pl.DataFrame):
    """The rows of a believable size: the notebook's filter exactly, with the version of the limits used."""
    limits, valid = SizeLimits.from_table(size_limits), valid_rows(raw_detections)
    kept = filtered_rows(valid, limits)
    counts = measures.filtered_counts(valid, kept, limits)
    return dg.MaterializeResult(
        value=kept,
        metadata=column_lineage({"raw_detections": valid.columns, "size_limits": ["limits_version"]}),
        check_results=[judged(context, checks.FILTERED, counts, measures.filtered_numbers)],
    )


class SampleConfig(dg.Config):
    """How many rows of each video are looked at, and which."""

    share: float = Field(default=sampling.SHARE, ge=0, le=1, description="Of each video's filtered rows, rounded down.")
    at_least: int = Field(
        default=sampling.AT_LEAST,
        ge=0,
        description="Rows of a video that has any; 0 is the notebook's own rule.",
    )
    seed: int = seed_knob(sampling.SEED, "Another seed draws another sample.")
    strategy: Literal[*sampling.STRATEGIES, "per_tracklet"] = Field(
        default=sampling.STRATEGY,
        description="`per_tracklet`: a few moments of each animal, fewest near-duplicates, and no share; `random`: the "
        "share, as in the notebook; `spread`: the share at even steps through the video.",
    )
    at_most: int = Field(
        default=sampling.AT_MOST_A_TRACKLET, ge=1, description="Rows of a tracklet; for `per_tracklet` only."
    )
    apart_frames: int = Field(
        default=sampling.APART_FRAMES,
        ge=1,
        description="Least distance of two rows of a tracklet; for `per_tracklet` only.",
    )
    lens_places: Literal["leave_out", "keep"] = Field(
        default="leave_out",
        description="What becomes of boxes that lie at a place of `lens_places`, which is growth on the lens and no "
        "fish; before the first night none is known.",
    )


def sampled_detections_asset(knobs: type[SampleConfig] = SampleConfig) -> dg.AssetsDefinition:
    """The rows that are looked at."""

    @dg.asset(
        deps=["lens_places"],  # as it was stored last, if at all: a new video does not wait for the night
        partitions_def=VIDEOS,
        backfill_policy=ROW_RUNS,
        check_specs=specs("sampled_detections", checks.SAMPLED),
        metadata=table_metadata(SAMPLED),
        kinds={"polars", "deltalake"},
    )
    def sampled_detections(
        context: dg.AssetExecutionContext,
        config: knobs,
        filtered_detections: pl.DataFrame,
        tracklets: pl.LazyFrame,
        tables: Tables,
    ):
        """A seeded share of each video's rows, or a few of each tracklet."""
        places = tables.model("detections", "lens_places") if config.lens_places == "leave_out" else None
        rows, on_lens = sampling.without_lens(filtered_detections, places)
        known = tracklets.select("video", "detection_id", "tracklet_id").collect()
        if config.strategy == "per_tracklet":
            sample = sampling.sampled_from_tracklets(rows, known, config.at_most, config.apart_frames, config.seed)
            counts = measures.drawn_counts(rows, sample, known, config.at_most, config.apart_frames)
        else:
            drawn = sampling.sampled_detections(
                rows, config.share, config.at_least, config.seed, strategy=config.strategy
            )
            sample = sampling.tracked(drawn, known)
            counts = measures.sampled_counts(rows, sample, config.share, config.at_least)
        counts = measures.with_left_out(counts, filtered_detections, on_lens)
        return dg.MaterializeResult(
            value=sample,
            metadata=column_lineage({"filtered_detections": list(FILTERED), "tracklets": ["tracklet_id"]}),
            check_results=[judged(context, checks.SAMPLED, counts, measures.sampled_numbers)],
        )

    return sampled_detections


@dg.asset(
    partitions_def=VIDEOS,
    backfill_policy=ROW_RUNS,
    check_specs=specs("small_detections", checks.SMALL),
    tags=MAY_LACK,
    metadata=table_metadata(SMALL),
    kinds={"polars", "deltalake"},
)
def small_detections(
    context: dg.AssetExecutionContext,
    raw_detections: pl.DataFrame,
    filtered_detections: pl.DataFrame,
    tracklets: pl.LazyFrame,
):
    """A few boxes of each tracklet that counts but is too small for the filter: cut and embedded so that it can be
    named, and grouped with nothing."""
    valid = valid_rows(raw_detections)
    known = tracklets.select("video", "detection_id", "tracklet_id").collect()
    small = sampling.small_detections(valid, filtered_detections, known)
    counts = measures.small_counts(filtered_detections, small, known)
    return dg.MaterializeResult(
        value=small,
        metadata=column_lineage({"raw_detections": list(RAW), "tracklets": ["tracklet_id"]}),
        check_results=[judged(context, checks.SMALL, counts, measures.small_numbers)],
    )
