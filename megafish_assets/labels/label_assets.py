"""The assets of what people say: `labels`, which only ever grows, and `words`, what stands of it today."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import polars as pl

from megafish_assets.footage.columns import empty_table
from megafish_assets.labels import label_checks
from megafish_assets.labels.columns import LABELS, WORDS
from megafish_assets.labels.label_files import LabelFile, read_labels
from megafish_assets.labels.label_measures import label_numbers
from megafish_assets.labels.resolving import current_words, resolved, with_places
from megafish_assets.labels.said import SAID, LabelFileError
from megafish_assets.labels.species import read_species
from megafish_assets.labels.taking import labels_table, news_of_table, said_of_table, with_keys, with_written
from megafish_assets.orchestration.labels import Labels
from megafish_assets.orchestration.sources import Recordings
from megafish_assets.reporting.metadata import table_metadata
from megafish_assets.reporting.verdicts import specs, verdict
from megafish_assets.storage.catalog import Tables, named
from megafish_assets.storage.delta import Table

MOST_BYTES = 256 * 2**20
"""Of a file of labels, which is read whole: half a million are 10 MB, and a larger one is a video in a wrong folder."""


@dataclass(frozen=True)
class Reader:
    """Reads files of labels with what the collection knows."""

    tables: Tables
    recordings: Recordings
    species: pl.DataFrame
    backbone: str
    """Whose kinds a sheet names that does not say."""

    def rows(self, path: Path) -> pl.DataFrame:
        """The labels of a file, in the columns `LABELS`. Raises LabelFileError that names the line."""
        known, now, name = path.stat(), datetime.now(UTC), path.name.encode("utf-8", "replace").decode()
        if known.st_size > MOST_BYTES:
            megabytes = known.st_size / 2**20
            raise LabelFileError(f"a file of {megabytes:.0f} MB, at most {MOST_BYTES // 2**20}: split it, if it is one")
        content, changed = path.read_bytes(), min(now, datetime.fromtimestamp(known.st_mtime, UTC))
        said = read_labels(LabelFile(name, content, changed, self._fits, self._size_of, now))
        return labels_table(self._placed(said), name, content, self.species)

    def of_table(self, table: pl.DataFrame, name: str, stored: pl.DataFrame) -> pl.DataFrame:
        """The labels of the table that MEGAFISH_LABELS names, but for what it has said last of the same ids already.

        `stored` holds all labels so far. Raises ValueError that names the table and the row.
        """
        now = datetime.now(UTC)
        try:
            said = with_written(said_of_table(table, name, now))
        except LabelFileError as wrong:
            raise ValueError(f"{name}: {wrong}") from None
        # As it is written: were it compared as it resolves today, a tracklet that is cut anew, or a species that is
        # spelled anew, would say it again, and outrank whoever has corrected it since.
        news = news_of_table(said, name, stored)
        rows = labels_table(self._placed(news.select(*SAID)), name, now.isoformat().encode(), self.species)
        return with_keys(rows, news)

    def _placed(self, said: pl.DataFrame) -> pl.DataFrame:
        stored = (self.tables.of("detections", name) for name in ("raw_detections", "tracklets"))
        return with_places(said, *(table.scan() for table in stored))

    def _fits(self, backbone: str | None) -> pl.DataFrame | None:
        return self.tables.rows("clusters", named("kinds", backbone or self.backbone))

    def _size_of(self, video: str) -> tuple[str, tuple[int, int]] | None:
        """A video by its key, its file's name or that without the ending."""
        raw = self.tables.of("detections", "raw_detections")
        stem = pl.col("video_file").str.replace(r"\.[^./]+$", "")
        is_it = (pl.col("video") == video) | (pl.col("video_file") == video) | (stem == video)
        found = raw.scan().filter(is_it).select("video", "video_file").unique().sort("video").collect()
        size = self.recordings.size_wh_px(found["video_file"][0]) if found.height == 1 else None
        return None if size is None else (found["video"][0], size)


def labels_asset(backbone: str) -> dg.AssetsDefinition:
    """All that people ever said; `backbone` is the one whose kinds a sheet names that does not say."""

    @dg.asset(
        deps=["tracklets"],
        pool="labels",
        check_specs=specs("labels", label_checks.LABELS),
        metadata=table_metadata(LABELS),
        kinds={"polars", "deltalake"},
        description="Every label that people gave, with the frame and the box that it was given to: a run reads the "
        "files of `labels/inbox` and MEGAFISH_LABELS, and appends what is new. Nothing is ever overwritten.",
    )
    def labels(
        context: dg.AssetExecutionContext, labels: Labels, tables: Tables, recordings: Recordings
    ) -> dg.MaterializeResult:
        table, inbox = tables.of("labels", "labels"), labels.inbox  # the resource: what reaches the platform
        reader = Reader(tables, recordings, read_species(labels.species_path), backbone)
        taken = []
        for path, rows in read_files(inbox.waiting(), reader, inbox.refused, context.log.warning):
            n_new = append_new(table, rows)
            context.log.info(f"{path.name}: {rows.height} labels, {n_new} of them new")
            taken.append(path)
        append_new(table, empty_table(LABELS))
        spoken = labels.read_file()
        if spoken is not None:
            append_new(table, reader.of_table(spoken, "MEGAFISH_LABELS", table.scan().collect()))
        # Only what is in the table leaves the inbox: a run that is killed reads it again, and adds nothing.
        for path in taken:
            inbox.taken(path)
        numbers = told(table, tables, reader.species) | {"n_files": len(taken), "n_refused_files": inbox.n_refused()}
        return dg.MaterializeResult(
            metadata={name: number for name, number in numbers.items() if number is not None},
            check_results=[verdict(label_checks.LABELS, numbers)],
        )

    return labels


@dg.asset(
    ins={"said": dg.AssetIn("labels")},
    metadata=table_metadata(WORDS),
    kinds={"polars", "deltalake"},
    description="The current word on each tracklet of today, from all that people ever said: of each person the last, "
    "among people the last person's.",
)
def words(
    said: pl.DataFrame, raw_detections: pl.LazyFrame, tracklets: pl.LazyFrame
) -> dg.MaterializeResult[pl.DataFrame]:
    """What people say of each tracklet now."""
    found = current_words(said, raw_detections, tracklets)
    # Of what is said, and not of the run: what reads the names is out of date where a name is another, and else not.
    digest = hashlib.sha256(repr(found.rows()).encode()).hexdigest()[:12]
    return dg.MaterializeResult(
        value=found, data_version=dg.DataVersion(digest), metadata={"n_tracklets": found.height}
    )


def read_files(
    paths: list[Path], reader: Reader, refuse: Callable[[Path, str], None], say: Callable[[str], None]
) -> Iterator[tuple[Path, pl.DataFrame]]:
    """The files that could be read and their labels; the others are refused by name."""
    for path in paths:
        try:
            yield path, reader.rows(path)
        except FileNotFoundError:
            say(f"{path.name} was taken away before it was read")
        except (LabelFileError, OSError) as wrong:
            why = f"it can't be read: {wrong.strerror}" if isinstance(wrong, OSError) else str(wrong)
            say(f"{path.name} was refused: {why}")
            refuse(path, why)


def append_new(table: Table, rows: pl.DataFrame) -> int:
    """Adds the labels that the table does not have; how many those were."""
    if not table.exists():
        table.append(rows)
        return rows.height
    known = table.scan().select("label_id").collect()
    new = rows.join(known, on="label_id", how="anti", maintain_order="left")
    if new.height:
        table.append(new)
    return new.height


def told(table: Table, tables: Tables, species: pl.DataFrame) -> dict[str, float | int | str | None]:
    """What the whole table holds, for its check."""
    rows = table.scan().collect()
    raw, tracklets = (tables.of("detections", name).scan() for name in ("raw_detections", "tracklets"))
    return label_numbers(rows, resolved(rows, raw, tracklets), current_words(rows, raw, tracklets), species)
