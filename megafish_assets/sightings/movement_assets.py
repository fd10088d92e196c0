"""The assets of how fish swim: `movements`, `schools`, `behavior` and `moments`."""

import json
from collections.abc import Iterator

import dagster as dg
import polars as pl
from pydantic import Field

from megafish_assets.detections.faults import valid_rows
from megafish_assets.detections.scene import scene_paths
from megafish_assets.footage.columns import KEY
from megafish_assets.orchestration.policy import seed_knob
from megafish_assets.orchestration.sources import Recordings
from megafish_assets.reporting.figures import Figures
from megafish_assets.reporting.metadata import column_lineage, coverage, table_metadata
from megafish_assets.reporting.progress import Progress
from megafish_assets.reporting.verdicts import specs, verdict
from megafish_assets.reporting.wording import markdown_text
from megafish_assets.sightings import checks, measures
from megafish_assets.sightings.behavior import SIGHTED, SWUM, behavior
from megafish_assets.sightings.collecting import batches, looks_of_videos, of_videos, usual_step_of, video_files
from megafish_assets.sightings.columns import BEHAVIOR, MOMENTS, MOVEMENTS, SCHOOLS
from megafish_assets.sightings.moments import N_A_REASON, moments, opened, place_and_second
from megafish_assets.sightings.movements import MOMENT_SECONDS, STRETCH_SECONDS, aspects, movements
from megafish_assets.sightings.naming import counted
from megafish_assets.sightings.schools import CHAIN_BODY_LENGTHS, FEWEST_MEMBERS, LONGEST_CHAIN, schools
from megafish_assets.storage.catalog import figure_folder
from megafish_assets.storage.io_types import TableStream
from megafish_assets.storage.partitions import VIDEO_COLUMN

OF_ROW = [
    *KEY, "video_file", "frame_id", "x_1024", "y_1024", "width_1024", "height_1024",
    "seconds_in_video", "timestamp_seconds", "recorded_at", "fault",
]  # fmt: skip
"""Columns of `raw_detections` that are read."""


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
                wanted = of_videos(videos, sightings.filter("is_counted").select(VIDEO_COLUMN, "tracklet_id"))
                cut = of_videos(videos, sizes.select(VIDEO_COLUMN, "detection_id", "width_px", "height_px"))
                shapes = aspects(cut.drop(VIDEO_COLUMN).join(valid, on="detection_id"))
                rows = valid.join(known, on="detection_id").join(wanted, on="tracklet_id", how="semi")
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
        table = schools(
            moments,
            counted(sightings).select("tracklet_id", "kind").collect(),
            config.chain_body_lengths,
            config.fewest_members,
        )
        numbers = measures.school_numbers(table) | coverage(context, "not_fish")
        return dg.MaterializeResult(
            value=table,
            metadata={name: number for name, number in numbers.items() if number is not None}
            | column_lineage({"movements": [VIDEO_COLUMN, "seconds", "frame_id"]}),
            check_results=[verdict(checks.SCHOOLS, numbers)],
        )

    return gathered


class BehaviorConfig(dg.Config):
    """How the intervals of shares are drawn."""

    seed: int = seed_knob(42, "Another seed draws other clips for the intervals.")


def behavior_asset(knobs: type[BehaviorConfig] = BehaviorConfig) -> dg.AssetsDefinition:
    """What each kind does."""

    @dg.asset(
        key="behavior",
        check_specs=specs("behavior", checks.BEHAVIOR),
        metadata=table_metadata(BEHAVIOR),
        kinds={"polars", "scipy", "deltalake"},
    )
    def told(
        context: dg.AssetExecutionContext,
        config: knobs,
        sightings: pl.LazyFrame,
        movements: pl.LazyFrame,
        schools: pl.LazyFrame,
    ):
        """How fast and whither each kind swims, how often in a group, and how long it stays in view by Kaplan-Meier,
        with the share that a clip's start or end cuts. No rate of feeding: boxes can't tell it."""
        sighted = counted(sightings).select(SIGHTED).collect()
        swum = movements.select(SWUM).collect()
        table = behavior(sighted, swum, schools.select("of", "kind", "n_members").collect(), config.seed)
        numbers = measures.behavior_numbers(table) | coverage(context, "not_fish")
        return dg.MaterializeResult(
            value=table,
            metadata={name: number for name, number in numbers.items() if number is not None}
            | column_lineage({"schools": ["of", "kind"]}),
            check_results=[verdict(checks.BEHAVIOR, numbers)],
        )

    return told


class MomentsConfig(dg.Config):
    """How much there is to look at."""

    n_a_reason: int = Field(default=N_A_REASON, ge=1, le=1000, description="Moments of each reason, at most.")


def moments_asset(knobs: type[MomentsConfig] = MomentsConfig) -> dg.AssetsDefinition:
    """Where to look."""

    @dg.asset(
        key="moments",
        check_specs=specs("moments", checks.MOMENTS),
        metadata=table_metadata(MOMENTS),
        kinds={"polars", "deltalake"},
    )
    def ranked(
        context: dg.AssetExecutionContext,
        config: knobs,
        raw_detections: pl.LazyFrame,
        sightings: pl.LazyFrame,
        movements: pl.LazyFrame,
        schools: pl.LazyFrame,
        recordings: Recordings,
        figures: Figures,
    ):
        """The densest groups, the first of each kind and the fastest bursts, ranked, each with the video at its second:
        what is worth a look. A burst is no bite until a person says so."""
        found = moments(counted(sightings).collect(), movements.collect(), schools.collect(), config.n_a_reason)
        file_of = video_files(raw_detections, found["video"])
        table = opened(found, file_of, {video: f"tracklets/{video}.mp4" for video in file_of})
        numbers = measures.moment_numbers(table) | coverage(context, "not_fish")
        return dg.MaterializeResult(
            value=table,
            metadata=numbers
            | {
                "look_here": dg.MetadataValue.md(look_here(table, recordings)),
                "films": dg.MetadataValue.md(films_asked(table, figures)),
            }
            | column_lineage({"sightings": [VIDEO_COLUMN, "tracklet_id"]}),
            check_results=[verdict(checks.MOMENTS, numbers)],
        )

    return ranked


LINKS_SHOWN = 10
"""Of moments in the UI; the table has all."""

FILMS_SHOWN = 3
"""Videos in the config that is offered: a film takes about as long as its video."""


def look_here(table: pl.DataFrame, recordings: Recordings) -> str:
    """The first moments, each with a link to its video at that second."""
    lines = ["| rank | reason | number | kind | video |", "|---|---|---|---|---|"]
    for row in table.head(LINKS_SHOWN).iter_rows(named=True):
        file, second = place_and_second(row["open"])
        path, shown = recordings.path(file), markdown_text(f"{file}, {second} s")
        link = shown if path is None else f"[{shown}]({path.as_uri()}#t={second})"
        kind = markdown_text(row["kind"] or "")
        lines.append(f"| {row['rank']} | {row['reason']} | {row['number']:.3g} | {kind} | {link} |")
    return "\n".join(lines)


def films_asked(table: pl.DataFrame, figures: Figures) -> str:
    """What to launch the job `draw_tracklets` with, so that the videos of the first moments have films, and where."""
    videos = table["video"].unique(maintain_order=True).head(FILMS_SHOWN).to_list()
    config = json.dumps({"ops": {"film_tracklets": {"config": {"videos": videos}}}})
    folder = figure_folder(figures.folder, "tracklets")
    return f"Job `draw_tracklets`, in its launchpad:\n\n```\n{config}\n```\n\nFilms: `{folder}/<video>.mp4`"
