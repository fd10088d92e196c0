"""When a video was recorded: by its owner's table, its name, or its container. No file is opened here."""

import io
from datetime import datetime, timedelta

import polars as pl

from megafish_assets.footage.columns import Column, Columns

OWNERS_TABLE: Columns = {
    "file": Column(pl.String, "file as the detector named it"),
    "start": Column(pl.Datetime("us"), "local time of its first frame, as 2025-12-12T13:30:00"),
    "station": Column(pl.String, "where the camera stood, by name"),
    "latitude": Column(pl.Float64, "degrees north, -90 to 90"),
    "longitude": Column(pl.Float64, "degrees east, -180 to 180"),
    "depth": Column(pl.Float64, "metres below the surface, 0 or more"),
}
"""`recordings.csv`, which may leave out every column but the first, and hold others, which nobody reads."""

BOUNDS = {"latitude": (-90.0, 90.0), "longitude": (-180.0, 180.0), "depth": (0.0, 11_000.0)}
"""The deepest sea floor lies at 10,935 m."""

TIMES: Columns = {
    "video_file": Column(pl.String, "file as the detector named it"),
    "frames_per_second": Column(pl.Float64, "its average frame rate; null where it can't be read"),
    "owner_start": Column(pl.Datetime("us"), "local time of its first frame, as its owner says"),
    "file_start": Column(pl.Datetime("us"), "the same as its name or its container says"),
}


def owners_table(csv: bytes) -> pl.DataFrame:
    """The columns `OWNERS_TABLE`, those that are left out as nulls, of a file of comma-separated values.

    Raises ValueError that names the line and what it may hold.
    """
    try:
        given = pl.read_csv(io.BytesIO(csv), infer_schema=False, truncate_ragged_lines=False)
    except pl.exceptions.NoDataError:
        return pl.DataFrame(schema={name: column.dtype for name, column in OWNERS_TABLE.items()})
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise ValueError(f"no comma-separated values in UTF-8: {str(error).splitlines()[0]}") from None
    names = [name.strip().lower() for name in given.columns]
    if len(set(names)) < len(names):
        raise ValueError(f"a column stands twice in {names}")
    given.columns = names
    if "file" not in given.columns:
        raise ValueError(f"no column 'file', only {given.columns}; columns are {', '.join(OWNERS_TABLE)}, with commas")
    given = given.select(pl.all().str.strip_chars().replace("", None)).filter(pl.any_horizontal(pl.all().is_not_null()))
    if (lines := _lines(given["file"].is_null())) or (lines := _lines(given["file"].is_duplicated())):
        raise ValueError(f"lines {lines}: a line needs a file, and a file has one line")
    return given.select(_typed(given, name, column) for name, column in OWNERS_TABLE.items())


def _typed(given: pl.DataFrame, name: str, column: Column) -> pl.Series:
    if name not in given.columns:
        return pl.Series(name, [None] * given.height, column.dtype)
    if column.dtype == pl.String:
        return given[name]
    texts = given[name].to_list()
    found = [text if text is None else _moment(text) if name == "start" else _number(text, name) for text in texts]
    typed = pl.Series(name, found, column.dtype)
    if lines := _lines(typed.is_null() & given[name].is_not_null()):
        raise ValueError(f"{name} in lines {lines} is not {column.meaning}")
    return typed


def _lines(wrong: pl.Series) -> str:
    """The lines of a file of which something is wrong, the first few; the header is line 1."""
    lines = [str(place + 2) for place in wrong.arg_true().to_list()]
    return ", ".join(lines[:5])


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
    return moment if moment.tzinfo is None and len(text) > len("2025-12-12") else None


IGNORED, LOCAL = "ignored", "local"
"""What a container's creation time is taken for, besides UTC, which is named by the zone that it is turned into."""


def after(start: datetime | None, durations_seconds: list[float | None]) -> datetime | None:
    """The start and all these durations later; None where one of them is not known."""
    if start is None or None in durations_seconds:
        return None
    return start + timedelta(seconds=sum(durations_seconds))
