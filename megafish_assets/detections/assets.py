"""The assets of rows: `inference`, `raw_detections`, `size_limits`, `filtered_detections`, `sampled_detections`."""

from typing import Literal

import dagster as dg
import polars as pl
from pydantic import Field

from megafish_assets.detections import sampling
from megafish_assets.detections.columns import FILTERED, LIMITS, RAW, SAMPLED
from megafish_assets.detections.counting import share_by_video
from megafish_assets.detections.filtering import filtered_detections as filtered_rows
from megafish_assets.detections.limits import SizeLimits, largest_move, settled
from megafish_assets.detections.limits import size_limits as limits_of
from megafish_assets.detections.plots import filter_histograms
from megafish_assets.detections.raw import raw_detections as raw_rows
from megafish_assets.orchestration.figures import figure_metadata
from megafish_assets.orchestration.metadata import column_lineage, coverage, per_video, table_metadata
from megafish_assets.orchestration.partitions import ROW_RUNS, VIDEOS
from megafish_assets.orchestration.resources import Figures, Inference, Recordings, Tables

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
    metadata=table_metadata(RAW),
    kinds={"polars", "deltalake"},
)
def raw_detections(context: dg.AssetExecutionContext, inference: Inference, recordings: Recordings) -> pl.DataFrame:
    """Every row of the video, typed and keyed; opens no video."""
    given, version = inference.rows(context.partition_keys)
    rows = raw_rows(given, recordings.clock())
    context.add_asset_metadata(
        {"inference_version": version} | column_lineage({"inference": ["video_file", "frame_id", "score"]})
    )
    return rows


class LimitsConfig(dg.Config):
    """When limits count as moved."""

    tolerance: float = Field(
        default=0.02,
        ge=0,
        description="Limits keep their values and version while none moves by more than this share of its size, so "
        "that one more video doesn't restate every partition. 0 takes every change.",
    )


@dg.asset(metadata=table_metadata(LIMITS), kinds={"polars", "deltalake"})
def size_limits(
    context: dg.AssetExecutionContext,
    config: LimitsConfig,
    raw_detections: pl.LazyFrame,
    tables: Tables,
    figures: Figures,
) -> dg.Output[pl.DataFrame]:
    """The notebook's four limits from all raw rows, and the floor of 32 px in the stretched frame."""
    before = tables.stored(context)
    old = None if before is None or before.is_empty() else SizeLimits.from_frame(before)
    new = limits_of(raw_detections)
    limits = settled(old, new, config.tolerance)
    return dg.Output(
        limits.to_frame(),
        data_version=dg.DataVersion(limits.limits_version),
        metadata=limits.in_1024_px()
        | {
            "limits_version": limits.limits_version,
            "largest_move_share": 0.0 if old is None else largest_move(old, new),
            "n_raw_rows": new.n_rows,
        }
        | coverage(context, "raw_detections")
        | figure_metadata(figures, context.asset_key, "filter", filter_histograms(raw_detections, limits)),
    )


@dg.asset(
    partitions_def=VIDEOS,
    backfill_policy=ROW_RUNS,
    metadata=table_metadata(FILTERED),
    kinds={"polars", "deltalake"},
)
def filtered_detections(
    context: dg.AssetExecutionContext, raw_detections: pl.DataFrame, size_limits: pl.DataFrame
) -> pl.DataFrame:
    """The rows of a believable size: the notebook's filter exactly, with the version of the limits used."""
    kept = filtered_rows(raw_detections, SizeLimits.from_frame(size_limits))
    per_video(context, share_by_video(raw_detections, kept, "kept_share"))
    context.add_asset_metadata(column_lineage({"raw_detections": list(RAW), "size_limits": ["limits_version"]}))
    return kept


class SampleConfig(dg.Config):
    """How many rows of each video are looked at, and which."""

    share: float = Field(default=sampling.SHARE, ge=0, le=1, description="Of each video's filtered rows, rounded down.")
    at_least: int = Field(
        default=sampling.AT_LEAST,
        ge=0,
        description="Rows of a video that has any; 0 is the notebook's own rule.",
    )
    seed: int = Field(default=sampling.SEED, ge=0, description="Another seed draws another sample.")
    strategy: Literal[*sampling.STRATEGIES] = Field(
        default="random",
        description="`random`, as in the notebook; `spread`: even steps through the video, fewest near-duplicates.",
    )


@dg.asset(
    partitions_def=VIDEOS,
    backfill_policy=ROW_RUNS,
    metadata=table_metadata(SAMPLED),
    kinds={"polars", "deltalake"},
)
def sampled_detections(
    context: dg.AssetExecutionContext, config: SampleConfig, filtered_detections: pl.DataFrame
) -> pl.DataFrame:
    """A seeded share of each video's rows."""
    sample = sampling.sampled_detections(
        filtered_detections, config.share, config.at_least, config.seed, config.strategy
    )
    per_video(context, share_by_video(filtered_detections, sample, "sampled_share"))
    context.add_asset_metadata(column_lineage({"filtered_detections": list(FILTERED)}))
    return sample
