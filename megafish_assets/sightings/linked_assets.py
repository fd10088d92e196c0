"""The asset of pieces that belong together: `linked_tracklets`."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from megafish_assets.detections.faults import valid_rows
from megafish_assets.detections.scene import scene_paths
from megafish_assets.footage.boxes import BOX
from megafish_assets.reporting.metadata import column_lineage, coverage, table_metadata
from megafish_assets.reporting.progress import Progress
from megafish_assets.reporting.verdicts import specs, verdict
from megafish_assets.sightings import checks, measures
from megafish_assets.sightings.animals import linked
from megafish_assets.sightings.collecting import batches, of_videos
from megafish_assets.sightings.columns import LINKED
from megafish_assets.storage.io_types import TableStream
from megafish_assets.storage.partitions import VIDEO_COLUMN

OF_BOX = [
    "video", "detection_id", "frame_id", *BOX, "seconds_in_video", "timestamp_seconds", "fault",
]  # fmt: skip
"""Columns of `raw_detections` that are read."""

OF_SIGHTING = ["tracklet_id", "name", "is_part"]


@dg.asset(
    check_specs=specs("linked_tracklets", checks.LINKED),
    metadata=table_metadata(LINKED),
    kinds={"polars", "deltalake"},
    description="Which tracklets are pieces of one animal, by place, way and name: never two that are in one frame. A "
    "row a tracklet that may be a fish.",
)
def linked_tracklets(
    context: dg.AssetExecutionContext,
    raw_detections: pl.LazyFrame,
    tracklets: pl.LazyFrame,
    sightings: pl.LazyFrame,
    camera_motion: pl.LazyFrame,
):
    may_be_fish = sightings.filter(pl.col("not_fish").is_null())
    told = {"n_rows": 0, "n_animals": 0, "n_joined": 0}

    def tables() -> Iterator[pl.DataFrame]:
        told.update(dict.fromkeys(told, 0))
        chosen = batches(raw_detections)
        progress = Progress(context.log.info, "videos linked", sum(map(len, chosen)))
        for videos in chosen:
            own = of_videos(videos, may_be_fish.select(VIDEO_COLUMN, *OF_SIGHTING)).drop(VIDEO_COLUMN)
            known = of_videos(videos, tracklets.select(VIDEO_COLUMN, "detection_id", "tracklet_id")).drop(VIDEO_COLUMN)
            valid = valid_rows(of_videos(videos, raw_detections.select(OF_BOX)))
            rows = valid.join(known.join(own, on="tracklet_id"), on="detection_id")
            paths = scene_paths(of_videos(videos, camera_motion).sort(VIDEO_COLUMN, "frame_id"))
            for (video,), of_video in rows.partition_by(VIDEO_COLUMN, as_dict=True, maintain_order=True).items():
                made = linked(of_video, paths.get(video))
                told["n_rows"] += made.height
                told["n_animals"] += made["animal_id"].n_unique()
                told["n_joined"] += made["link"].count()
                yield made
            progress.step(len(videos))

    yield dg.MaterializeResult(
        value=TableStream(tables), metadata=column_lineage({"sightings": ["video", "tracklet_id"]})
    )
    n_sightings = may_be_fish.select(pl.len()).collect().item()
    numbers = measures.linked_numbers(**told, n_sightings=n_sightings) | coverage(context, "not_fish")
    yield verdict(checks.LINKED, numbers)
