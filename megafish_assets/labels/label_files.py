"""Any file of labels that people bring, told by what it holds, as the columns `SAID`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

import polars as pl

from megafish_assets.labels.annotation_files import SizeOf, cvat_labels, label_studio_labels, viame_labels
from megafish_assets.labels.said import LabelFileError
from megafish_assets.labels.table_files import (
    Fits,
    cluster_labels,
    csv_rows,
    header_of,
    id_labels,
    review_labels,
    xlsx_rows,
)

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

    @property
    def by(self) -> str:
        """Who speaks where the labels do not say."""
        return PurePath(self.name).stem


def read_labels(file: LabelFile) -> pl.DataFrame:
    """Every label of a file, in the columns `SAID`, in its order. Raises LabelFileError that names the line."""
    head = file.content[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head:
        raise LabelFileError("the file is empty")
    for begins, read in BY_BEGIN.items():
        if head.startswith(begins):
            return read(file)
    return _of_table(csv_rows(file.content), file)


def _of_table(rows: list[tuple[int, list[str]]], file: LabelFile) -> pl.DataFrame:
    columns = header_of(rows)
    if {"detection_id", "status", "labelled_by", "x_1024"} <= columns:
        return review_labels(rows, file.by, file.at)
    if {"tracklet_id", "detection_id"} & columns and "label" in columns:
        return id_labels(rows, file.by, file.at)
    if {"cluster", "label"} <= columns:
        return cluster_labels(rows, file.by, file.at, file.fits)
    if _is_viame(rows):
        return viame_labels(file.content, file.name, file.by, file.at, file.size_of)
    raise LabelFileError(f"nobody knows these columns: {', '.join(sorted(columns - {''}))[:200]}. What is read: {READ}")


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
    b"PK": lambda file: _of_table(xlsx_rows(file.content), file),
    b"[": lambda file: label_studio_labels(file.content, file.by, file.at),
    b"{": lambda file: label_studio_labels(file.content, file.by, file.at),
    b"<": lambda file: cvat_labels(file.content, file.name, file.by, file.at, file.size_of),
}
"""Formats that are told by their first bytes; all others are tables of text."""
