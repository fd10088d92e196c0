"""A workbook and a CSV a table, for Excel, LibreOffice and R.

The workbook is for people: dates are dates, the header stays, and a sheet explains every column. The CSVs are for
programs: all rows, UTF-8 without a mark, times as ISO 8601.
"""

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from megafish_assets.exports.columns import KINDS
from megafish_assets.exports.tables import ExportTables
from megafish_assets.exports.writing import Part, ReadAgain
from megafish_assets.footage.columns import Columns
from megafish_assets.labels.columns import WORDS
from megafish_assets.sightings.columns import ABUNDANCE, SIGHTINGS

SHEETS: dict[str, Columns] = {"sightings": SIGHTINGS, "abundance": ABUNDANCE, "kinds": KINDS, "labels": WORDS}
"""In their order; `columns`, which explains them, is the first."""

WORKBOOK = "megafish.xlsx"

SHEET_ROWS = 1_048_576
"""Of a sheet, its header included: Excel's limit, and LibreOffice's."""

CELL_CHARACTERS = 32_767
"""Of a cell, likewise."""

UNSEEN = r"[^\t\n\r\x20-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}]"
"""What XML 1.0 can't hold; it is shown as U+FFFD."""

FORMULA = r"^[=+\-@\t\r]"
"""How a text begins that a spreadsheet would compute when it opens a CSV."""

WIDEST, SAMPLED_ROWS = 48, 200
"""Of a column, in characters, by so many of its first rows."""

TYPES = {pl.Int64: "whole number", pl.Float64: "number", pl.Boolean: "TRUE or FALSE", pl.String: "text"}


def write_spreadsheet(tables: ExportTables, folder: Path) -> list[Part]:
    """`megafish.xlsx`, and each of its sheets as CSV, which alone is whole where a table has more rows than a sheet."""
    sheets = {name: getattr(tables, name) for name in SHEETS}
    parts = [_of_workbook(name, table.height) for name, table in sheets.items()]
    explained = columns_sheet(tables, parts)
    write_workbook(folder / WORKBOOK, {"columns": explained, **sheets})
    for name, table in {"columns": explained, **sheets}.items():
        csv_table(table).write_csv(folder / f"{name}.csv")
    parts.append(Part(WORKBOOK, "sheet columns", explained.height))
    return parts + [Part(f"{name}.csv", name, table.height) for name, table in {"columns": explained, **sheets}.items()]


def _of_workbook(name: str, n_rows: int) -> Part:
    n_beyond = max(0, n_rows - (SHEET_ROWS - 1))
    return Part(WORKBOOK, f"sheet {name}", n_rows, {f"beyond the {SHEET_ROWS:,} rows of a sheet": n_beyond})


def columns_sheet(tables: ExportTables, parts: list[Part]) -> pl.DataFrame:
    """`sheet`, `column`, `type` and `meaning`: first what the file is made of, then every column of every sheet."""
    about = [
        ("written at", f"{tables.made_at:%Y-%m-%d %H:%M} UTC"),
        ("labels_version", tables.origin.labels_version or "none: nobody has named anything yet"),
        ("recipe", tables.origin.recipe or "none"),
        ("backbone", tables.origin.backbone or "none"),
        ("max_n", "the fewest animals that there were: never add it up over windows"),
        ("n_tracklets", "sightings, which are more than animals: one that is lost and found again is two"),
        ("empty cell", "not known, or none; zero is written as 0"),
        ("texts in the CSVs", "have an apostrophe before them where they begin with = + - or @"),
    ]
    for part in parts:
        if part.n_left_out:
            name = part.holds.removeprefix("sheet ")
            about.append((name, f"the first {SHEET_ROWS - 1:,} of {part.n_given:,} rows; all are in {name}.csv"))
    rows = [("this file", name, "text", said) for name, said in about]
    for sheet, columns in SHEETS.items():
        rows += [(sheet, name, _type(column.dtype), column.meaning) for name, column in columns.items()]
    return pl.DataFrame(rows, ["sheet", "column", "type", "meaning"], orient="row")


def _type(dtype: pl.DataType | type[pl.DataType]) -> str:
    if dtype in TYPES:
        return TYPES[dtype]
    return "date and time, UTC" if dtype.time_zone else "date and time, local"


def write_workbook(path: Path, sheets: Mapping[str, pl.DataFrame]) -> None:
    """A sheet a table, at most `SHEET_ROWS` of it; texts are texts, whatever they begin with."""
    from openpyxl import Workbook
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    for name, table in sheets.items():
        sheet, cells = book.create_sheet(name), _cells(table.head(SHEET_ROWS - 1))
        sheet.freeze_panes = "A2"
        for number, width in enumerate(_widths(cells), start=1):
            sheet.column_dimensions[get_column_letter(number)].width = width
        sheet.auto_filter.ref = f"A1:{get_column_letter(table.width)}{cells.height + 1}"
        sheet.append(_header(sheet, table.columns))
        for row in _rows(sheet, cells):
            sheet.append(row)
    book.save(path)


def _cells(table: pl.DataFrame) -> pl.DataFrame:
    """The table as a sheet can hold it: no zones, no infinities, no letters that XML lacks."""
    found = []
    for name, dtype in table.schema.items():
        if dtype == pl.String:
            found.append(pl.col(name).str.replace_all(UNSEEN, "\ufffd").str.head(CELL_CHARACTERS))
        elif isinstance(dtype, pl.Datetime):
            found.append(pl.col(name).dt.replace_time_zone(None))
        elif dtype.is_float():
            found.append(pl.when(pl.col(name).is_finite()).then(name).alias(name))
    return table.with_columns(found)


def _widths(cells: pl.DataFrame) -> Iterator[int]:
    head = cells.head(SAMPLED_ROWS)
    for name in cells.columns:
        is_time = isinstance(cells.schema[name], pl.Datetime)
        texts = ["2025-12-12 13:30:00"] if is_time else [f"{value:.6g}" if isinstance(value, float) else str(value)
                                                         for value in head[name].drop_nulls()]  # fmt: skip
        yield min(WIDEST, max([len(name) + 4, *(len(text) + 2 for text in texts)]))


def _header(sheet, names: list[str]) -> list:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    cells = [WriteOnlyCell(sheet, name) for name in names]
    for cell in cells:
        cell.font = Font(bold=True)
    return cells


def _rows(sheet, cells: pl.DataFrame) -> Iterator[tuple]:
    from openpyxl.cell import WriteOnlyCell

    def text(value: str) -> WriteOnlyCell:
        cell = WriteOnlyCell(sheet, value)
        cell.data_type = "s"
        return cell

    # openpyxl takes a text for a formula if it begins with =, and for an error if it looks like one, such as #N/A.
    for row in cells.iter_rows():
        if any(isinstance(value, str) and value[:1] in ("=", "#") for value in row):
            row = tuple(text(value) if isinstance(value, str) else value for value in row)
        yield row


def csv_table(table: pl.DataFrame) -> pl.DataFrame:
    """The table as any program reads it from a CSV: times as ISO 8601, UTC with a Z, no text that would be computed."""
    found = []
    for name, dtype in table.schema.items():
        if dtype == pl.String:
            guarded = pl.when(pl.col(name).str.contains(FORMULA)).then("'" + pl.col(name)).otherwise(name)
            found.append(guarded.alias(name))
        elif isinstance(dtype, pl.Datetime):
            found.append(pl.col(name).dt.to_string(f"%Y-%m-%dT%H:%M:%S%.6f{'Z' if dtype.time_zone else ''}"))
    return table.with_columns(found)


def read_spreadsheet(folder: Path) -> ReadAgain:
    """Rows of each sheet and of each CSV, headers left out."""
    names = ["columns", *SHEETS]
    found = {
        name: pl.scan_csv(folder / f"{name}.csv", infer_schema=False).select(pl.len()).collect().item()
        for name in names
    }
    with zipfile.ZipFile(folder / WORKBOOK) as book:
        for number, name in enumerate(names, start=1):
            found[f"sheet {name}"] = _n_rows(book, f"xl/worksheets/sheet{number}.xml") - 1
    return ReadAgain(found)


def _n_rows(book: zipfile.ZipFile, member: str) -> int:
    """Rows of a sheet, by its XML, which need not fit into memory."""
    n_rows, rest = 0, b""
    with book.open(member) as xml:
        while block := xml.read(1 << 20):
            seen = rest + block
            n_rows += seen.count(b"<row ")
            rest = seen[-4:]
    return n_rows
