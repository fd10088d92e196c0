"""When a video was recorded: by its owner's table, its name, or its container. No file is opened here."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from megafish_assets.footage.columns import Column, Columns

OWNERS_TABLE: Columns = {
    "file": Column(pl.String, "file as the detector named it"),
    "start": Column(pl.Datetime("us"), "local time of its first frame, as 2025-12-12T13:30:00, from 1950 on"),
    "station": Column(pl.String, "where the camera stood, by name"),
    "latitude": Column(pl.Float64, "degrees north, -90 to 90"),
    "longitude": Column(pl.Float64, "degrees east, -180 to 180"),
    "depth": Column(pl.Float64, "metres below the surface, 0 or more"),
}
"""`recordings.csv`, which may leave out every column but the first, and hold others, which nobody reads."""

BOUNDS = {"latitude": (-90.0, 90.0), "longitude": (-180.0, 180.0), "depth": (0.0, 11_000.0)}
"""The deepest sea floor lies at 10,935 m."""

NAMED = 5
"""Lines in one sentence."""

YEARS = range(1950, 2100)
"""Of a start: others are slips of the pen, or a camera's clock that was never set."""

TIMES: Columns = {
    "video_file": Column(pl.String, "file as the detector named it"),
    "frames_per_second": Column(pl.Float64, "its average frame rate; null where it can't be read"),
    "owner_start": Column(pl.Datetime("us"), "local time of its first frame, as its owner says"),
    "file_start": Column(pl.Datetime("us"), "the same as its name or its container says"),
}


def owners_table(content: bytes) -> pl.DataFrame:
    """The columns `OWNERS_TABLE`, those that are left out as nulls, of a file of comma-separated values.

    Raises ValueError that names the line and what it may hold.
    """
    header, lines, cells = _read(content)
    if not header:
        return pl.DataFrame(schema={name: column.dtype for name, column in OWNERS_TABLE.items()})
    if len(set(header)) < len(header):
        raise ValueError(f"a column stands twice in {header}")
    if "file" not in header:
        raise ValueError(f"no column 'file', only {header}; columns are {', '.join(OWNERS_TABLE)}, with commas")
    ragged = [line for line, row in zip(lines, cells, strict=True) if len(row) != len(header)]
    if ragged:
        raise ValueError(
            f"no comma-separated values: lines {_named(ragged)} have not the {len(header)} cells of the header"
        )
    given = pl.DataFrame(cells, dict.fromkeys(header, pl.String), orient="row")
    if (wrong := _where(lines, given["file"].is_null())) or (wrong := _where(lines, given["file"].is_duplicated())):
        raise ValueError(f"lines {wrong}: a line needs a file, and a file has one line")
    said = given.select(_typed(given, lines, name, column) for name, column in OWNERS_TABLE.items())
    if halves := _where(lines, said["latitude"].is_null() != said["longitude"].is_null()):
        raise ValueError(f"lines {halves}: a place needs latitude and longitude, or neither: give the other one too")
    return said


def unread_columns(content: bytes) -> list[str]:
    """The columns of such a file that are none of `OWNERS_TABLE`: notes, or one that was misspelt."""
    return [name for name in _read(content)[0] if name not in OWNERS_TABLE]


def _read(content: bytes) -> tuple[list[str], list[int], list[list[str | None]]]:
    """The header in small letters, and of each line that says anything its number, from 1, and its cells."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"no comma-separated values in UTF-8: {error}") from None
    reader = csv.reader(io.StringIO(text, newline=None), strict=True)
    try:
        rows = [(reader.line_num, [cell.strip() or None for cell in row]) for row in reader]
    except csv.Error as error:
        raise ValueError(f"no comma-separated values: {error} in line {reader.line_num}") from None
    rows = [(line, row) for line, row in rows if any(row)]
    header = [(name or "").lower() for name in rows[0][1]] if rows else []
    while header and not header[-1] and all(len(row) < len(header) or not row[-1] for _, row in rows[1:]):
        header.pop()  # a spreadsheet's empty columns, at the end of each line
        rows = [(line, row[: len(header)]) for line, row in rows]
    return header, [line for line, _ in rows[1:]], [row for _, row in rows[1:]]


def _typed(given: pl.DataFrame, lines: Sequence[int], name: str, column: Column) -> pl.Series:
    if name not in given.columns:
        return pl.Series(name, [None] * given.height, column.dtype)
    if column.dtype == pl.String:
        return given[name]
    texts = given[name].to_list()
    found = [text if text is None else _moment(text) if name == "start" else _number(text, name) for text in texts]
    typed = pl.Series(name, found, column.dtype)
    if wrong := _where(lines, typed.is_null() & given[name].is_not_null()):
        raise ValueError(f"{name} in lines {wrong} is not {column.meaning}")
    return typed


def _where(lines: Sequence[int], wrong: pl.Series) -> str:
    """The lines of a file of which something is wrong."""
    return _named([lines[place] for place in wrong.arg_true().to_list()])


def _named(lines: Sequence[int]) -> str:
    return ", ".join(map(str, lines[:NAMED]))


def _number(text: str, name: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    low, high = BOUNDS[name]
    return number if low <= number <= high else None


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    is_whole = moment.tzinfo is None and len(text) > len("2025-12-12")
    return moment if is_whole and moment.year in YEARS else None


IGNORED, LOCAL = "ignored", "local"
"""What a container's creation time is taken for, besides UTC, which is named by the zone that it is turned into."""


def after(start: datetime | None, durations_seconds: list[float | None]) -> datetime | None:
    """The start and all these durations later; None where one of them is not known."""
    if start is None or None in durations_seconds:
        return None
    return start + timedelta(seconds=sum(durations_seconds))
