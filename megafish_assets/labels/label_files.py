"""Any file of labels that people bring, told by what it holds, as the columns `SAID`."""

import codecs
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import PurePath

import polars as pl

from megafish_assets.labels.annotation_files import SizeOf, cvat_labels, label_studio_labels, viame_labels
from megafish_assets.labels.contradictions import contradicting
from megafish_assets.labels.said import LabelFileError, clean_text
from megafish_assets.labels.table_files import (
    WIDE,
    Fits,
    cluster_labels,
    csv_rows,
    header_of,
    id_labels,
    review_labels,
)
from megafish_assets.labels.workbook_files import sheets_of

SLOW_CLOCK = timedelta(days=1)
"""A label may be so far in the future: clocks are wrong by hours where zones are. Further, it would outrank every later
word until that day."""

READ = (
    "labels.csv of the review sheets; a spreadsheet (.csv, .xlsx) with columns cluster and name, or tracklet_id or "
    "detection_id and label; Label Studio JSON; VIAME CSV; CVAT for video XML"
)
"""What is read, in words."""


@dataclass(frozen=True)
class LabelFile:
    """A file of labels, and what is known besides its content."""

    name: str
    content: bytes
    at: datetime
    """When it was written, for labels that do not say when they were given."""
    fits: Fits
    size_of: SizeOf
    now: datetime
    """When it is read: no label was given later."""

    @property
    def by(self) -> str:
        """Who speaks where the labels do not say."""
        return clean_text(PurePath(self.name).stem) or "unknown"


def read_labels(file: LabelFile) -> pl.DataFrame:
    """Every label of a file, in the columns `SAID`, in its order.

    Raises LabelFileError that names the line, also where lines contradict each other.
    """
    # Every line may ask for the same table, or the same video's header.
    said = _read(replace(file, fits=cache(file.fits), size_of=cache(file.size_of)))
    late = said.filter(pl.col("labelled_at") > file.now + SLOW_CLOCK)
    if late.height:
        line, at = late.select("line", "labelled_at").row(0)
        raise LabelFileError(f"line {line}: labelled_at = {at:%Y-%m-%dT%H:%M:%SZ} is yet to come: correct it")
    if contradiction := contradicting(said):
        raise LabelFileError(contradiction)
    return said


def _read(file: LabelFile) -> pl.DataFrame:
    head = file.content[:4096].removeprefix(codecs.BOM_UTF8).lstrip()
    if head.startswith(WIDE):
        head = file.content[:4096].decode("utf-16", "ignore").lstrip().encode()
    if not head:
        raise LabelFileError("the file is empty")
    for begins, read in BY_BEGIN.items():
        if head.startswith(begins):
            return read(file)
    return _of_table(csv_rows(file.content), file)


def _of_table(rows: list[tuple[int, list[str]]], file: LabelFile) -> pl.DataFrame:
    read = _reader_of(rows)
    if read is not None:
        return read(rows, file)
    if _is_viame(rows):
        return viame_labels(file.content, file.name, file.by, file.at, file.size_of)
    columns = ", ".join(name for name in sorted(header_of(rows)) if name.isprintable() and name) or "none in writing"
    raise LabelFileError(f"nobody knows these columns: {columns[:200]}. What is read: {READ}")


def _reader_of(rows: list[tuple[int, list[str]]]) -> Callable[[list, LabelFile], pl.DataFrame] | None:
    """What reads a table with this header."""
    columns = header_of(rows)
    if {"detection_id", "status", "labelled_by", "x_1024"} <= columns:
        return lambda rows, file: review_labels(rows, file.by, file.at)
    if {"tracklet_id", "detection_id"} & columns and "label" in columns:
        return lambda rows, file: id_labels(rows, file.by, file.at)
    if {"cluster", "label"} <= columns:
        return lambda rows, file: cluster_labels(rows, file.by, file.at, file.fits)
    return None


def _of_workbook(file: LabelFile) -> pl.DataFrame:
    """The labels of a workbook's only sheet that holds any."""
    sheets = sheets_of(file.content)
    holding = [sheet for sheet in sheets if _reader_of(sheet.rows)]
    if len(holding) > 1:
        titles = ", ".join(repr(sheet.title) for sheet in holding)
        raise LabelFileError(f"the sheets {titles} all hold labels: save each as a file of its own")
    sheet = next(iter(holding or sheets), None)
    if sheet is not None and sheet.unsaved:
        raise LabelFileError(f"cell {sheet.unsaved} is a formula without a saved value: paste its value")
    return _of_table([] if sheet is None else sheet.rows, file)


def _of_old_workbook(file: LabelFile) -> pl.DataFrame:
    raise LabelFileError("a workbook of before 2007, or one with a password: save it as .xlsx without one")


def _is_viame(rows: list[tuple[int, list[str]]]) -> bool:
    said = next((cells for _, cells in rows if not cells[0].lstrip().startswith("#")), [])
    return len(said) >= 9 and all(_is_number(cell) for cell in (said[0], *said[2:9]))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


BY_BEGIN: dict[bytes, Callable[[LabelFile], pl.DataFrame]] = {
    b"PK": _of_workbook,
    b"\xd0\xcf\x11\xe0": _of_old_workbook,
    b"[": lambda file: label_studio_labels(file.content, file.by, file.at),
    b"{": lambda file: label_studio_labels(file.content, file.by, file.at),
    b"<": lambda file: cvat_labels(file.content, file.name, file.by, file.at, file.size_of),
}
"""Formats that are told by their first bytes; all others are tables of text."""
