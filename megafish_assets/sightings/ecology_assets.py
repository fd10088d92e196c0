"""The assets of what sightings add up to beyond counts: `richness`, `movements` and `schools`."""

from collections.abc import Iterator

import dagster as dg
import polars as pl
from pydantic import Field

from megafish_assets.detections.faults import valid_rows
from megafish_assets.detections.scene import scene_paths
from megafish_assets.footage.columns import KEY
from megafish_assets.orchestration.policy import seed_knob
from megafish_assets.reporting.metadata import column_lineage, coverage, last_told, table_metadata
from megafish_assets.reporting.progress import Progress
from megafish_assets.reporting.verdicts import specs, verdict
from megafish_assets.sightings import checks, measures
from megafish_assets.sightings.collecting import batches, looks_of_videos, usual_step_of
from megafish_assets.sightings.columns import MOVEMENTS, RICHNESS, SCHOOLS
from megafish_assets.sightings.movements import MOMENT_SECONDS, STRETCH_SECONDS, aspects, movements
from megafish_assets.sightings.naming import taxon
from megafish_assets.sightings.richness import SureKinds, richness, sure_kinds
from megafish_assets.sightings.schools import CHAIN_BODY_LENGTHS, FEWEST_MEMBERS, LONGEST_CHAIN, schools
from megafish_assets.sightings.windows import CLIP
from megafish_assets.storage.catalog import Tables, named
from megafish_assets.storage.io_types import TableStream
from megafish_assets.storage.partitions import VIDEO_COLUMN

OF_ROW = [
    *KEY, "video_file", "frame_id", "x_1024", "y_1024", "width_1024", "height_1024",
    "seconds_in_video", "timestamp_seconds", "recorded_at", "fault",
]  # fmt: skip
"""Columns of `raw_detections` that are read."""


class RichnessConfig(dg.Config):
    """How the intervals of rarefied richness are drawn."""

    seed: int = seed_knob(42, "Another seed draws other communities for the intervals.")


def richness_asset(backbone: str, knobs: type[RichnessConfig] = RichnessConfig) -> dg.AssetsDefinition:
    """How many kinds there are, by this backbone's kinds and their names."""

    @dg.asset(
        key="richness",
        check_specs=specs("richness", checks.RICHNESS),
        deps=[named("stability", backbone), named("kinds", backbone)],
        metadata=table_metadata(RICHNESS),
        kinds={"polars", "deltalake"},
    )
    def estimated(
        context: dg.AssetExecutionContext,
        config: knobs,
        sightings: pl.LazyFrame,
        abundance: pl.LazyFrame,
        tables: Tables,
    ):
        """How many kinds were seen at each station and at all, how many there are at least (Chao2), how complete that
        is, and how many a like coverage shows; clips are the units, and only named and sure kinds are counted."""
        searched = (pl.col("window_kind") == CLIP) & (pl.col("n_frames_searched") > 0)
        clips = abundance.filter(searched).select(pl.col("window").alias("video"), "station").unique().collect()
        counted = sightings.filter("is_counted").select("video", "name", "kind_id").unique().collect()
        clips = clips.sort("video")
        table = richness(clips, counted, stored_sure_kinds(context.instance, tables, backbone), config.seed)
        numbers = measures.richness_numbers(table) | coverage(context, "not_fish")
        return dg.MaterializeResult(
            value=table,
            metadata={name: number for name, number in numbers.items() if number is not None}
            | column_lineage({"sightings": ["station"]}),
            check_results=[verdict(checks.RICHNESS, numbers)],
        )

    return estimated


def stored_sure_kinds(instance: dg.DagsterInstance, tables: Tables, backbone: str) -> SureKinds:
    """What is stored of the sure kinds, and what `stability` last told of how many there are."""
    stability, clusters = named("stability", backbone), named("clusters", backbone)
    ends = [last_told(instance, stability, end, of=clusters) for end in ("n_kinds_low", "n_kinds_high")]
    stored = (tables.rows("clusters", table) for table in (stability, named("kinds", backbone)))
    return SureKinds(sure_kinds(*stored), *ends)


class MovementsConfig(dg.Config):
    """At which moments groups are told."""

    moment_seconds: float = Field(
        default=MOMENT_SECONDS,
        ge=STRETCH_SECONDS,
        le=600,
        description="From one moment at which groups are told to the next, seconds.",
    )


def movements_asset(knobs: type[MovementsConfig] = MovementsConfig) -> dg.AssetsDefinition:
    """How each sighting swims."""

    @dg.asset(
        key="movements",
        check_specs=specs("movements", checks.MOVEMENTS),
        metadata=table_metadata(MOVEMENTS),
        kinds={"polars", "deltalake"},
    )
    def swum(
        context: dg.AssetExecutionContext,
        config: knobs,
        raw_detections: pl.LazyFrame,
        tracklets: pl.LazyFrame,
        camera_motion: pl.LazyFrame,
        crops: pl.LazyFrame,
        sightings: pl.LazyFrame,
    ):
        """Where each sighting is, and how fast and whither it swims over the scene, in each third of a second."""
        usual, n_made = usual_step_of(raw_detections), {}
        sizes = crops.filter(pl.col("fault").is_null() & (pl.col("clipped_share") == 0))

        def frames() -> Iterator[pl.DataFrame]:
            n_made.clear()
            chosen = batches(raw_detections)
            progress = Progress(context.log.info, "videos followed", sum(map(len, chosen)))
            for videos in chosen:
                valid, motion = (
                    valid_rows(of_videos(videos, raw_detections.select(OF_ROW))),
                    of_videos(videos, camera_motion),
                )
                known = of_videos(videos, tracklets.select(VIDEO_COLUMN, "detection_id", "tracklet_id")).drop(
                    VIDEO_COLUMN
                )
                counted = of_videos(videos, sightings.filter("is_counted").select(VIDEO_COLUMN, "tracklet_id"))
                cut = of_videos(videos, sizes.select(VIDEO_COLUMN, "detection_id", "width_px", "height_px"))
                shapes = aspects(cut.drop(VIDEO_COLUMN).join(valid, on="detection_id"))
                rows = valid.join(known, on="detection_id").join(counted, on="tracklet_id", how="semi")
                looks = looks_of_videos(valid, motion, usual)
                made = movements(rows, looks, scene_paths(motion), shapes, config.moment_seconds)
                counts = measures.movement_counts(made)
                counts |= {"n_videos": len(videos), "n_assumed_aspects": len(set(videos) - set(shapes))}
                n_made.update({name: n_made.get(name, 0) + n for name, n in counts.items()})
                yield made
                progress.step(len(videos))

        yield dg.MaterializeResult(
            value=TableStream(frames), metadata=column_lineage({"sightings": [VIDEO_COLUMN, "tracklet_id"]})
        )
        numbers = measures.movement_numbers(**(n_made or dict.fromkeys(measures.COUNTED, 0)))
        yield verdict(checks.MOVEMENTS, numbers | coverage(context, "not_fish"))

    return swum


class SchoolsConfig(dg.Config):
    """What a group is."""

    chain_body_lengths: float = Field(
        default=CHAIN_BODY_LENGTHS,
        gt=0,
        le=LONGEST_CHAIN,
        description="How far a member is from its nearest one at most, in body lengths.",
    )
    fewest_members: int = Field(default=FEWEST_MEMBERS, ge=2, description="Groups of fewer are left out.")


def schools_asset(knobs: type[SchoolsConfig] = SchoolsConfig) -> dg.AssetsDefinition:
    """Who swims with whom."""

    @dg.asset(
        key="schools",
        check_specs=specs("schools", checks.SCHOOLS),
        metadata=table_metadata(SCHOOLS),
        kinds={"polars", "scipy", "deltalake"},
    )
    def gathered(context: dg.AssetExecutionContext, config: knobs, movements: pl.LazyFrame, sightings: pl.LazyFrame):
        """Groups of fish once a second: their members, how near each other, how alike they head, whither and how fast.
        Numbers with the size of each group; whether that is a school, a person says."""
        moments = movements.filter("is_whole_moment").collect()
        table = schools(moments, counted_kinds(sightings), config.chain_body_lengths, config.fewest_members)
        numbers = measures.school_numbers(table) | coverage(context, "not_fish")
        return dg.MaterializeResult(
            value=table,
            metadata={name: number for name, number in numbers.items() if number is not None}
            | column_lineage({"movements": [VIDEO_COLUMN, "seconds", "frame_id"]}),
            check_results=[verdict(checks.SCHOOLS, numbers)],
        )

    return gathered


def of_videos(videos: list[str], table: pl.LazyFrame) -> pl.DataFrame:
    """A table's rows of these videos."""
    return table.filter(pl.col(VIDEO_COLUMN).is_in(videos)).collect()


def counted_kinds(sightings: pl.LazyFrame) -> pl.DataFrame:
    """The `tracklet_id` and `kind` of every sighting that counts."""
    return sightings.filter("is_counted").select("tracklet_id", taxon().alias("kind")).collect()
