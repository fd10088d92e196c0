"""What a table is made of: the columns of a stage, once: name, type, unit. Every stage lists its own."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    dtype: pl.DataType | type[pl.DataType]
    """How it is held in memory and in Delta."""
    meaning: str
    """What it says, with its unit; shown in the UI."""


Columns = dict[str, Column]


def require_one_length(owner: object, *names: str) -> None:
    """Raises ValueError, naming them, where the arrays of a dataclass that belong together row for row do not."""
    lengths = {name: len(getattr(owner, name)) for name in names if getattr(owner, name) is not None}
    if len(set(lengths.values())) > 1:
        lengths_text = ", ".join(f"{n} {name}" for name, n in lengths.items())
        raise ValueError(f"{type(owner).__name__} of {lengths_text}: expected as many of each")


def empty_table(columns: Columns) -> pl.DataFrame:
    """A frame of these columns without a row."""
    return pl.DataFrame(schema={name: column.dtype for name, column in columns.items()})


def typed(table: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """These columns of a table, in their order and of their types, which may hold others."""
    return table.select(pl.col(name).cast(column.dtype) for name, column in columns.items())


KEY: Columns = {
    "video": Column(pl.String, "partition key of the video: its file's place and name without the ending, made safe"),
    "detection_id": Column(pl.String, "`<video>/<frame:06d>/<rank:03d>`, one key from raw row to montage tile"),
}
