"""Tables as CSV."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from megafish_assets.exports.tables import ExportTables
from megafish_assets.exports.writing import Part

SHEETS = ("sightings", "abundance", "kinds", "labels")


def write_spreadsheet(tables: ExportTables, folder: Path) -> list[Part]:
    """A CSV a table."""
    for name in SHEETS:
        getattr(tables, name).write_csv(folder / f"{name}.csv")
    return [Part(f"{name}.csv", name, getattr(tables, name).height) for name in SHEETS]


def read_spreadsheet(folder: Path) -> Mapping[str, int]:
    """Rows of each CSV."""
    return {name: pl.read_csv(folder / f"{name}.csv", infer_schema=False).height for name in SHEETS}
