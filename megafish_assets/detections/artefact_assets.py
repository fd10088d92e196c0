"""The assets of what is no fish: `lens_places`, from all videos, and, by the camera's motion in its pixels,
`place_reasons`, from all videos too, `not_fish` and `tracklet_motion`."""

import dagster as dg
import numpy as np
import polars as pl
from pydantic import Field

from megafish_assets.detections import checks, lens, measures
from megafish_assets.detections.columns import LENS_PLACES, NOT_FISH, PLACE_REASONS, TRACKLET_MOTION
from megafish_assets.detections.faults import valid_rows
from megafish_assets.detections.lens_pictures import median_frame, place_tiles, places_plot
from megafish_assets.detections.not_fish import FIXED, places_on_lens, reasons_version, wiped
from megafish_assets.detections.not_fish import not_fish as not_fish_rows
from megafish_assets.detections.not_fish import place_reasons as place_reason_rows
from megafish_assets.detections.recurrences import recurrences
from megafish_assets.detections.scene import scene_paths
from megafish_assets.detections.tracklet_motion import tracklet_motion as motion_of
from megafish_assets.footage.columns import empty_table
from megafish_assets.orchestration.backfills import NEVER_MADE
from megafish_assets.orchestration.sources import Recordings
from megafish_assets.reporting.figures import FILE_DPI, PAGE_DPI, Figures, png
from megafish_assets.reporting.metadata import column_lineage, coverage, picture, table_metadata, versions_read
from megafish_assets.reporting.progress import Progress
from megafish_assets.reporting.verdicts import judged, specs, verdict
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.io_types import Fitted
from megafish_assets.storage.partitions import ROW_RUNS, VIDEOS

SEEN = ("video", "video_file", "frame_id", "seconds_in_video", "x_1024", "y_1024", "width_1024", "height_1024")
"""Columns by which recurring places are found."""

MOTION = ("video", "frame_id", "elapsed_frames", "pan_x_1024", "pan_y_1024", "n_pan_points")
"""Columns of `camera_motion` by which the scene is followed."""


class LensConfig(dg.Config):
    """When places count as moved."""

    tolerance: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="Places keep their version while no larger share of them has come, gone or grown into another "
        "place, so that one more night doesn't restate every partition. A whole place, or most of one within 50 clips, "
        "always counts as more. 0 takes every change, 1 none.",
    )


def lens_places_asset(knobs: type[LensConfig] = LensConfig) -> dg.AssetsDefinition:
    """Where boxes recur from clip to clip."""

    @dg.asset(
        check_specs=specs("lens_places", checks.LENS),
        metadata=table_metadata(LENS_PLACES),
        kinds={"numpy", "deltalake"},
        description="Places at which boxes recur in clip after clip, from the boxes alone: growth on the lens. The "
        "recurrences of every clip lie beside them, in `lens_places_model`.",
    )
    def lens_places(
        context: dg.AssetExecutionContext,
        config: knobs,
        raw_detections: pl.LazyFrame,
        tables: Tables,
        recordings: Recordings,
        figures: Figures,
    ):
        rows = valid_rows(raw_detections).select(SEEN).collect()
        progress = Progress(context.log.info, "videos looked at", rows["video"].n_unique())
        fish_boxes = places_called_fish(tables.rows("labels", "labels"))
        _, found = lens.lens_places(recurrences(rows, progress.step), fish_boxes)
        before = tables.model("detections", "lens_places")
        if before is not None and "is_spared" not in before.columns:
            before = None  # an earlier version kept nothing of what a person had called a fish
        drift = 0.0 if before is None else lens.moved_share(before, found)
        is_settled = before is not None and drift <= config.tolerance
        found = lens.spared(before, fish_boxes) if is_settled else found
        places = lens.places_table(found)
        version = lens.places_version(found) or NEVER_MADE
        shown = lens.in_force(found)
        lens_rows = shown.drop_nulls("place_id")
        n_looked_at = found.unique(["video", "clip"])["n_looked_at"].sum()
        numbers = {
            "n_places": places.height,
            "drift_share": drift if is_settled else 0.0,
            "n_called_fish": len(fish_boxes),
            "n_partitions_of_old_places": n_of_others(context.instance, "sampled_detections", "lens_places", version),
            "lens_share": lens_rows["n_boxes"].sum() / max(1, n_looked_at),
        } | coverage(context, "raw_detections")
        paths = {
            video: recordings.path(file) for video, file in rows.select("video", "video_file").unique().iter_rows()
        }
        tiles = place_tiles(shown, paths, recordings.most_megapixels)
        plot = places_plot(places, shown, median_frame(paths, recordings.most_megapixels), tiles)
        figures.replace_all(context.asset_key, {"places.png": png(plot, FILE_DPI)} | tiles)
        return dg.MaterializeResult(
            value=Fitted(places, found),
            data_version=dg.DataVersion(version),
            metadata=numbers
            | {
                "places": picture(png(plot, PAGE_DPI), "places of the lens"),
                "tiles": dg.MetadataValue.path(str(figures.place(context.asset_key))),
            },
            check_results=[verdict(checks.LENS, numbers)],
        )

    return lens_places


def places_called_fish(labels: pl.DataFrame | None) -> np.ndarray:
    """float64 `(n, 4)`, the boxes of the places of which people said last that a fish stays there."""
    if labels is None:
        return np.empty((0, 4))
    said = labels.drop_nulls(["place_id", "box"]).sort("labelled_at")
    last = said.unique("box", keep="last", maintain_order=True).filter(pl.col("status") == "approved")
    return np.array(last["box"].to_list(), dtype=float).reshape(-1, 4)


def n_of_others(instance: dg.DagsterInstance, asset: str, upstream: str, version: str) -> int:
    """Partitions of an asset that were made with another version of one over all videos than this."""
    return sum(used != version for used in versions_read(instance, asset, upstream, unmade=NEVER_MADE).values())


@dg.asset(
    deps=["lens_places", "camera_motion"],
    check_specs=specs("place_reasons", checks.REASONS),
    metadata=table_metadata(PLACE_REASONS),
    kinds={"polars", "deltalake"},
)
def place_reasons(context: dg.AssetExecutionContext, tables: Tables):
    """Whether each place sits on the lens or in a scene that stands still, from all videos of it at once, so that all
    say the same: whether the camera pans is seen in whichever videos do, not in the one at hand."""
    found, motion = tables.model("detections", "lens_places"), tables.scan("crops", "camera_motion")
    reasons = empty_table(PLACE_REASONS)
    if found is not None and motion is not None:
        videos = found.drop_nulls("place_id")["video"].unique()
        reasons = place_reason_rows(
            found, motion.select(MOTION).filter(pl.col("video").is_in(videos.implode())).collect()
        )
    version = reasons_version(reasons) or NEVER_MADE
    numbers = {
        "n_places": reasons.height,
        "fixed_share": reasons.select((pl.col("reason") == FIXED).mean()).item() or 0.0,
        "n_partitions_of_old_reasons": n_of_others(context.instance, "not_fish", "place_reasons", version),
    } | coverage(context, "camera_motion")
    return dg.MaterializeResult(
        value=reasons,
        data_version=dg.DataVersion(version),
        metadata=numbers,
        check_results=[verdict(checks.REASONS, numbers)],
    )


@dg.asset(
    deps=["lens_places", "place_reasons"],  # as they were stored last: a new video does not wait for the night
    partitions_def=VIDEOS,
    backfill_policy=ROW_RUNS,
    check_specs=specs("not_fish", checks.NOT_FISH),
    metadata=table_metadata(NOT_FISH),
    kinds={"numpy", "deltalake"},
)
def not_fish(
    context: dg.AssetExecutionContext, raw_detections: pl.DataFrame, camera_motion: pl.DataFrame, tables: Tables
):
    """Every valid row of the video with the reason why it is no fish, if it has one: growth on the lens, what recurs
    in a scene that stands still, the wiper. Nothing is deleted; counts leave these rows out."""
    valid = valid_rows(raw_detections)
    found, reasons = tables.model("detections", "lens_places"), tables.rows("detections", "place_reasons")
    on_lens = set() if found is None or reasons is None else places_on_lens(reasons, found)
    rows = not_fish_rows(valid, found, camera_motion, on_lens)
    counts = measures.not_fish_counts(valid, rows, wiped(valid, camera_motion))
    return dg.MaterializeResult(
        value=rows,
        metadata=column_lineage({"raw_detections": ["video", "detection_id"], "lens_places": ["place_id"]}),
        check_results=[judged(context, checks.NOT_FISH, counts, measures.not_fish_numbers)],
    )


@dg.asset(
    partitions_def=VIDEOS,
    backfill_policy=ROW_RUNS,
    check_specs=specs("tracklet_motion", checks.MOTION),
    metadata=table_metadata(TRACKLET_MOTION),
    kinds={"polars", "deltalake"},
)
def tracklet_motion(
    context: dg.AssetExecutionContext,
    raw_detections: pl.DataFrame,
    tracklets: pl.LazyFrame,
    camera_motion: pl.DataFrame,
):
    """How each tracklet moves in the picture, and over the scene by the camera's pan: growth and rock stay in one of
    them, a fish in neither."""
    known = tracklets.select("detection_id", "tracklet_id").collect()
    rows = valid_rows(raw_detections).join(known, on="detection_id")
    motion = motion_of(rows, scene_paths(camera_motion))
    return dg.MaterializeResult(
        value=motion,
        metadata=column_lineage({"tracklets": ["video", "tracklet_id"]}),
        check_results=[judged(context, checks.MOTION, measures.motion_counts(rows, motion), measures.motion_numbers)],
    )
