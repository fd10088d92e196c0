"""A workbook's sheets as lines of text, as `csv_rows` gives those of a file of text."""

import io
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import ParseError

from megafish_assets.labels.said import LabelFileError

MOST_UNPACKED_BYTES = 256 * 2**20
"""Of all that a workbook holds: half a million labels are 60 MB, and 300 MB that are packed into 0.3 took 1.8 GB."""

DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    EOFError,
    OSError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    NotImplementedError,
    RuntimeError,
)
"""What openpyxl and what it stands on raise of files that are cut, damaged, locked, or no workbook at all: it says of a
broken part whatever its own code stumbled over."""


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook."""

    title: str
    rows: list[tuple[int, list[str]]]
    """Number and cells of every row that holds any; a merged cell holds for all that it covers, and of a formula the
    value counts that was saved with it."""
    unsaved: str | None
    """The first cell with a formula that has no saved value."""


def sheets_of(content: bytes) -> list[Sheet]:
    """The sheets of a workbook that hold anything, in their order. Raises LabelFileError for what is none."""
    import openpyxl

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            n_bytes = sum(part.file_size for part in archive.infolist())
        if n_bytes > MOST_UNPACKED_BYTES:
            most = MOST_UNPACKED_BYTES // 2**20
            raise LabelFileError(f"a workbook of {n_bytes / 2**20:.0f} MB when unpacked, at most {most}: split it")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="openpyxl")  # of styles and the like, which nobody reads
            values = openpyxl.load_workbook(io.BytesIO(content), data_only=True).worksheets
            formulas = openpyxl.load_workbook(io.BytesIO(content)).worksheets
    except LabelFileError:
        raise
    except DAMAGE as error:
        why = (str(error) or type(error).__name__).splitlines()[0]
        raise LabelFileError(f"no workbook that can be read: {why}: save it anew as .xlsx") from None
    sheets = [_sheet(value, formula) for value, formula in zip(values, formulas, strict=True)]
    return [sheet for sheet in sheets if sheet.rows or sheet.unsaved]


def _sheet(values, formulas) -> Sheet:
    of_values = (cell for row in values.iter_rows() for cell in row if cell.value is not None)
    cells = {(cell.row, cell.column): cell.value for cell in of_values}
    unsaved = (
        cell.coordinate
        for row in formulas.iter_rows()
        for cell in row
        if cell.data_type == "f" and (cell.row, cell.column) not in cells
    )
    unsaved_cell = next(unsaved, None)
    for merged in values.merged_cells.ranges:
        first = cells.get((merged.min_row, merged.min_col))
        cells |= {place: first for place in merged.cells if first is not None}
    n_columns = max((column for _, column in cells), default=0)
    rows = sorted({row for row, _ in cells})
    found = [(row, [_text(cells.get((row, column))) for column in range(1, n_columns + 1)]) for row in rows]
    return Sheet(values.title, [(row, texts) for row, texts in found if any(map(str.strip, texts))], unsaved_cell)


def _text(value: object) -> str:
    """A cell as CSV would have it: 12.0 is 12."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, datetime) else str(value)
