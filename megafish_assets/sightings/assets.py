"""The assets of counts: `sightings`, a row a tracklet, and `abundance`, what they add up to."""

from collections.abc import Iterator

import dagster as dg
import polars as pl
from pydantic import Field

from megafish_assets.detections.faults import valid_rows
from megafish_assets.footage.columns import KEY
from megafish_assets.orchestration.policy import seed_knob
from megafish_assets.orchestration.sources import STATIONS, Recordings, read_stations, stations_version
from megafish_assets.reporting.metadata import column_lineage, coverage, table_metadata
from megafish_assets.reporting.progress import Progress
from megafish_assets.reporting.verdicts import specs, verdict
from megafish_assets.sightings import checks, measures
from megafish_assets.sightings.animals import animals_of_clips, with_animals
from megafish_assets.sightings.collecting import (
    batches,
    counts_of_videos,
    looks_of_videos,
    of_videos,
    usual_step_of,
    video_stations,
    video_times,
    with_tracklets,
)
from megafish_assets.sightings.columns import ABUNDANCE, SIGHTINGS
from megafish_assets.sightings.intervals import BLOCK_SECONDS
from megafish_assets.sightings.naming import TAXON, taxa, tracklet_names
from megafish_assets.sightings.parts import Counts
from megafish_assets.sightings.tracklet_rows import CROP_COLUMNS, sighting_rows
from megafish_assets.sightings.windows import Origin, abundance
from megafish_assets.storage.catalog import Tables, named
from megafish_assets.storage.io_types import TableStream
from megafish_assets.storage.partitions import VIDEO_COLUMN

OF_ROW = [
    *KEY, "video_file", "frame_id", "x_1024", "y_1024", "width_1024", "height_1024", "score",
    "seconds_in_video", "timestamp_seconds", "recorded_at", "fault",
]  # fmt: skip
"""Columns of `raw_detections` that are read."""


def sightings_asset(backbone: str) -> dg.AssetsDefinition:
    """A row a tracklet, named by this backbone's kinds and classes where there are any."""

    @dg.asset(
        check_specs=specs("sightings", checks.SIGHTINGS),
        deps=["words", "small_crops", named("classes", backbone), named("kinds", backbone)],
        metadata=table_metadata(SIGHTINGS),
        kinds={"polars", "deltalake"},
    )
    def sightings(
        context: dg.AssetExecutionContext,
        raw_detections: pl.LazyFrame,
        tracklets: pl.LazyFrame,
        not_fish: pl.LazyFrame,
        tracklet_motion: pl.LazyFrame,
        camera_motion: pl.LazyFrame,
        crops: pl.LazyFrame,
        tables: Tables,
        recordings: Recordings,
    ):
        """Every tracklet of every video: when and where it was seen, what it is called and who says so, how it moves,
        and whether it counts."""
        names, station_of_file = stored_names(tables, backbone), read_stations(recordings.owners_table)
        usual = usual_step_of(raw_detections)
        cut = tables.all_crops(crops).filter(pl.col("fault").is_null()).select(VIDEO_COLUMN, *CROP_COLUMNS)
        told = {"n_rows": 0, "n_not_fish": 0, "n_distinct": 0}

        def frames() -> Iterator[pl.DataFrame]:
            told.update(dict.fromkeys(told, 0))
            chosen = batches(raw_detections)
            progress = Progress(context.log.info, "videos read", sum(map(len, chosen)))
            for videos in chosen:
                valid, motion = (
                    valid_rows(of_videos(videos, raw_detections.select(OF_ROW))),
                    of_videos(videos, camera_motion),
                )
                known = of_videos(videos, tracklets.select(*KEY, "tracklet_id"))
                judged = of_videos(videos, not_fish.select(*KEY, "reason", "place_id"))
                made = sighting_rows(
                    with_tracklets(valid, known, judged),
                    looks_of_videos(valid, motion, usual),
                    names,
                    of_videos(videos, tracklet_motion),
                    of_videos(videos, cut).drop(VIDEO_COLUMN),
                    video_stations(valid, station_of_file),
                    backbone if names.height else None,
                )
                told["n_rows"] += made.height
                told["n_not_fish"] += made["not_fish"].count()
                told["n_distinct"] += made["tracklet_id"].n_unique()
                yield made
                progress.step(len(videos))

        yield dg.MaterializeResult(
            value=TableStream(frames),
            metadata=column_lineage({"tracklets": ["video", "tracklet_id"], "not_fish": ["place_id"]})
            | {STATIONS: stations_version(station_of_file)},
        )
        n_tracklets = tracklets.select(pl.col("tracklet_id").n_unique()).collect().item()
        numbers = measures.sighting_numbers(**told, n_tracklets=n_tracklets) | coverage(context, "not_fish")
        yield verdict(checks.SIGHTINGS, numbers)

    return sightings


class AbundanceConfig(dg.Config):
    """How the intervals of mean counts are made."""

    block_seconds: float = Field(
        default=BLOCK_SECONDS,
        gt=0,
        description="Clips within so long of each other are drawn together, for the same fish may be in them.",
    )
    seed: int = seed_knob(42, "Another seed draws other clips for the intervals.")


def abundance_asset(knobs: type[AbundanceConfig] = AbundanceConfig) -> dg.AssetsDefinition:
    """What the sightings add up to."""

    @dg.asset(
        key="abundance",
        check_specs=specs("abundance", checks.ABUNDANCE),
        metadata=table_metadata(ABUNDANCE),
        kinds={"polars", "deltalake"},
    )
    def counted(
        context: dg.AssetExecutionContext,
        config: knobs,
        raw_detections: pl.LazyFrame,
        camera_motion: pl.LazyFrame,
        sightings: pl.LazyFrame,
        linked_tracklets: pl.DataFrame,
        tables: Tables,
        recordings: Recordings,
    ):
        """MaxN, MeanCount, first arrival and occupancy of every kind in every clip, minute, hour, day and the whole
        collection; zero where it was searched for and not seen."""
        station_of_file = read_stations(recordings.owners_table)
        usual, counts = usual_step_of(raw_detections), []
        chosen = batches(raw_detections)
        progress = Progress(context.log.info, "videos counted", sum(map(len, chosen)))
        for videos in chosen:
            valid, motion = (
                valid_rows(of_videos(videos, raw_detections.select(OF_ROW))),
                of_videos(videos, camera_motion),
            )
            times = video_times(valid, video_stations(valid, station_of_file))
            looks = looks_of_videos(valid, motion, usual)
            counts.append(counts_of_videos(of_videos(videos, sightings), looks, motion, times))
            progress.step(len(videos))
        kinds = taxa(sightings.select(*TAXON).collect())
        origin = stored_origin(tables, sightings.select(pl.col("backbone").first()).collect().item())
        counted_up = abundance(Counts.joined(counts), kinds, origin, config.seed, config.block_seconds)
        table = with_animals(counted_up, animals_of_clips(sightings.collect(), linked_tracklets))
        numbers = measures.abundance_numbers(table, kinds["kind"]) | coverage(context, "not_fish")
        return dg.MaterializeResult(
            value=table,
            metadata=numbers
            | column_lineage({"sightings": ["station", "scientific_name", "backbone"]})
            | {STATIONS: stations_version(station_of_file)},
            check_results=[verdict(checks.ABUNDANCE, numbers)],
        )

    return counted


def stored_names(tables: Tables, backbone: str) -> pl.DataFrame:
    """The columns `NAMES` of what is stored of classes, kinds and words, if anything: counts do not wait for names."""
    classes, kinds = (
        tables.rows("labels", named("classes", backbone)),
        tables.rows("clusters", named("kinds", backbone)),
    )
    return tracklet_names(classes, kinds, tables.rows("labels", "words"))


def stored_origin(tables: Tables, backbone: str | None) -> Origin:
    """Where the names that are stored come from."""
    if backbone is None:
        return Origin()
    recipes = tables.column("clusters", named("clusters", backbone), "recipe", pl.String)
    versions = tables.column("labels", named("classes", backbone), "labels_version", pl.String)
    return Origin(backbone, recipes.first(), versions.first())
