"""The assets of exports, by one factory: an asset each, whose table lists its files."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import dagster as dg
import polars as pl
from pydantic import Field

from megafish_assets.detections.faults import valid_rows
from megafish_assets.exports import checks
from megafish_assets.exports.collecting import RAW_COLUMNS, boxes_table, kinds_table, species_names, videos_table
from megafish_assets.exports.columns import FILES
from megafish_assets.exports.frame_choice import ANY, LABELLED
from megafish_assets.exports.measures import export_numbers
from megafish_assets.exports.tables import BoxStream, ExportTables
from megafish_assets.exports.writing import Export, files_table, refusal
from megafish_assets.exports.yolo import APART_SECONDS, AT_MOST, LEAVE_OUT, VALIDATION_SHARE, WRITE
from megafish_assets.footage.columns import empty_table
from megafish_assets.footage.site import Site
from megafish_assets.labels.columns import WORDS
from megafish_assets.labels.species import read_species
from megafish_assets.orchestration.policy import EVERY_NIGHT, ON_REQUEST, REFUSED
from megafish_assets.orchestration.sources import Recordings, read_owners_table
from megafish_assets.reporting.figures import Figures
from megafish_assets.reporting.metadata import coverage, table_metadata
from megafish_assets.reporting.verdicts import specs, verdict
from megafish_assets.sightings.collecting import batches
from megafish_assets.sightings.windows import Origin
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.partitions import VIDEO_COLUMN


class ExportConfig(dg.Config):
    """Of an export without knobs."""


class YoloConfig(ExportConfig):
    """Which frames become pictures to learn from."""

    frames: Literal[LABELLED, ANY] = Field(
        default=LABELLED,
        description="Which frames become pictures: with a fish that a person named, or with any fish.",
    )
    at_most: int = Field(default=AT_MOST, ge=1, le=100_000, description="Pictures of all videos together.")
    apart_seconds: float = Field(default=APART_SECONDS, ge=0, description="Between two pictures of a video, at least.")
    pictures: Literal[WRITE, LEAVE_OUT] = Field(
        default=WRITE, description="Whether the pictures are written, or their labels alone."
    )
    validation_share: float = Field(
        default=VALIDATION_SHARE,
        ge=0,
        lt=1,
        description="Share of the videos whose pictures are set aside to judge by.",
    )


def export_asset(
    export: Export, site: Site, species: Path | None = None, knobs: type[ExportConfig] = ExportConfig
) -> dg.AssetsDefinition:
    """The files of one export, and the table that lists them.

    `species` is the list of names, see `species_list`. The folder changes as a whole, once every file has been read
    again and holds what it should; a refusal or a broken rule leaves the one of before.
    """

    @dg.asset(
        name=export.name,
        check_specs=specs(export.name, checks.EXPORT),
        deps=["words"],
        metadata=table_metadata(FILES),
        tags={} if export.every_night else ON_REQUEST,
        freshness_policy=EVERY_NIGHT if export.every_night else None,
        kinds={"polars", "deltalake"},
        description=export.sentence,
    )
    def files(
        context: dg.AssetExecutionContext,
        config: knobs,
        raw_detections: pl.LazyFrame,
        tracklets: pl.LazyFrame,
        not_fish: pl.LazyFrame,
        sightings: pl.DataFrame,
        abundance: pl.DataFrame,
        tables: Tables,
        recordings: Recordings,
        exports: Figures,
    ):
        words, raw = tables.rows("labels", "words"), raw_detections.select(RAW_COLUMNS)
        words = empty_table(WORDS) if words is None else words
        stored = Stored(raw, tracklets, not_fish, sightings, abundance, words)
        given = stored.tables(read_species(species), recordings, site)
        chosen = config.model_dump()
        if why := refusal(export, given, chosen):
            raise dg.Failure(why, metadata={REFUSED: True}, allow_retries=False)
        with exports.new_folder(context.asset_key) as folder:
            parts, again = export.write(given, folder, **chosen), export.read(folder)
            listed = files_table(folder, parts, again.n_rows, given)
            numbers = export_numbers(listed, again.faults) | coverage(context, "not_fish")
            judgement = verdict(checks.EXPORT, numbers)
            if not judgement.passed and judgement.severity == dg.AssetCheckSeverity.ERROR:
                yield judgement  # before the error, after which Dagster would know none
                raise dg.Failure(
                    f"{export.name} stays as it was, for the new files are broken: {judgement.description}",
                    metadata={"faults": again.faults},
                    allow_retries=False,
                )
        yield dg.MaterializeResult(
            value=listed,
            check_results=[judgement],
            metadata=numbers
            | {
                "folder": dg.MetadataValue.path(str(exports.place(context.asset_key))),
                "n_bytes": listed.unique("file")["n_bytes"].sum(),
                "version": given.version,
                "left_out": "; ".join(listed["left_out"].drop_nulls()) or "nothing",
            },
        )

    return files


@dataclass(frozen=True)
class Stored:
    """What is stored of a collection, on its way to `ExportTables`."""

    raw: pl.LazyFrame
    """The columns `RAW_COLUMNS`."""
    tracklets: pl.LazyFrame
    not_fish: pl.LazyFrame
    sightings: pl.DataFrame
    abundance: pl.DataFrame
    words: pl.DataFrame
    """The columns `WORDS`."""

    def tables(self, species: pl.DataFrame, recordings: Recordings, site: Site) -> ExportTables:
        """All of it; boxes are read when they are asked for."""
        videos = self._videos(recordings, site)

        def boxes(of_videos: Sequence[str]) -> pl.DataFrame:
            own = pl.col(VIDEO_COLUMN).is_in(list(of_videos))
            raw, *others = (table.filter(own).collect() for table in (self.raw, self.tracklets, self.not_fish))
            return boxes_table(valid_rows(raw), *others, self.sightings, videos)

        return ExportTables(
            videos,
            BoxStream(batches(self.raw), boxes),
            self.sightings,
            self.abundance,
            kinds_table(self.sightings, species_names(species, self.words)),
            self.words,
            site,
            origin_of(self.abundance),
            datetime.now(UTC),
            recordings.frames,
        )

    def _videos(self, recordings: Recordings, site: Site) -> pl.DataFrame:
        files = self.raw.select(pl.col("video_file").unique().sort()).collect()["video_file"].to_list()
        with ThreadPoolExecutor() as pool:  # a network drive answers many at once
            sizes = dict(zip(files, pool.map(recordings.size_wh_px, files), strict=True))
        rates = dict(recordings.times(files).select("video_file", "frames_per_second").iter_rows())
        owners = read_owners_table(recordings.owners_table)
        return videos_table(valid_rows(self.raw), self.abundance, rates, sizes, owners, site)


def origin_of(abundance: pl.DataFrame) -> Origin:
    """Where the names behind the counts come from; nothing of a table without a row."""
    row = abundance.select("backbone", "recipe", "labels_version").head(1)
    return Origin(*row.row(0)) if row.height else Origin()
