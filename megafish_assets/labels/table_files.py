"""Labels in tables: the review sheets' CSV, a spreadsheet of clusters (CSV or XLSX), and ids beside names."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import polars as pl

from megafish_assets.footage.boxes import BOX
from megafish_assets.labels.said import LabelFileError, clean_name, clean_text, said_table, status_of

Lines = Sequence[tuple[int, Mapping[str, str]]]
"""Line number and cells by column, of every line that holds anything."""

END = re.compile(r"#\s*end[,;\t ]*\"?\s*(\d+)\s+labels?")
"""Last line of the review sheets' file, also as a spreadsheet saves it again."""

ALSO_CALLED = {
    "aphiaid": "aphia_id",
    "scientificname": "scientific_name",
    "species": "label",
    "name": "label",
    "labeled_by": "labelled_by",
    "labeled_at": "labelled_at",
    "comment": "note",
}
"""Other headers for the same columns."""


def text_of(content: bytes) -> str:
    """The file's text. Raises LabelFileError for what is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabelFileError(f"no text in UTF-8 ({error.reason} at byte {error.start}): save it as CSV UTF-8") from None


def csv_rows(content: bytes) -> list[tuple[int, list[str]]]:
    """Cells of every line that holds any, with the number of its first line; separated by comma, semicolon or tab.

    Raises LabelFileError for what is not UTF-8, or ends within quotes.
    """
    text = text_of(content)
    head = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t", key=head.count)
    reader, rows, first = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), [], 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((first, cells))
            first = reader.line_num + 1
    except csv.Error as error:
        raise LabelFileError(f"line {first}: {error}: the file ends too early, or its quotes do") from None
    return rows


def xlsx_rows(content: bytes) -> list[tuple[int, list[str]]]:
    """The same of a workbook's first sheet; a merged cell holds for all that it covers.

    Of a formula the value counts that was saved with it. Raises LabelFileError, naming the cell, for one without, and
    for what is no workbook.
    """
    from zipfile import BadZipFile

    import openpyxl

    try:
        values = openpyxl.load_workbook(io.BytesIO(content), data_only=True).worksheets[0]
        formulas = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    except (BadZipFile, KeyError, IndexError, ValueError, OSError) as error:
        raise LabelFileError(f"no workbook that can be read: {error}") from None
    cells = {(cell.row, cell.column): cell.value for row in values.iter_rows() for cell in row}
    for row in formulas.iter_rows():
        for cell in row:
            if cell.data_type == "f" and cells.get((cell.row, cell.column)) is None:
                raise LabelFileError(f"cell {cell.coordinate} is a formula without a saved value: paste its value")
    for merged in values.merged_cells.ranges:
        for place in merged.cells:
            cells[place] = cells.get((merged.min_row, merged.min_col))
    n_columns = max((column for _, column in cells), default=0)
    rows = {row for row, _ in cells}
    found = [(row, [_text(cells.get((row, column))) for column in range(1, n_columns + 1)]) for row in sorted(rows)]
    return [(row, texts) for row, texts in found if any(text.strip() for text in texts)]


def _text(value: object) -> str:
    """A cell as CSV would have it: 12.0 is 12."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, datetime) else str(value)


def with_header(rows: list[tuple[int, list[str]]]) -> Lines:
    """Lines by the names of the first one; columns without a name are left out. Raises LabelFileError for none."""
    if not rows:
        raise LabelFileError("the file holds no line")
    header = [_column(cell) for cell in rows[0][1]]
    lines = []
    for line, cells in rows[1:]:
        if not cells[0].lstrip().startswith("#"):
            lines.append((line, {name: cell.strip() for name, cell in zip(header, cells, strict=False) if name}))
    return lines


def header_of(rows: list[tuple[int, list[str]]]) -> set[str]:
    """The columns that the first line names."""
    return {_column(cell) for cell in rows[0][1]} if rows else set()


def _column(cell: str) -> str:
    name = "_".join(cell.strip().lower().split())
    return ALSO_CALLED.get(name, name)


def review_labels(rows: list[tuple[int, list[str]]], by: str, at: datetime) -> pl.DataFrame:
    """What the review sheets have saved, in the columns `SAID`.

    Raises LabelFileError, with the line, for what is no label, and for a file without its last line.
    """
    last = END.match(",".join(rows[-1][1]).strip())
    lines = with_header(rows)
    if last is None:
        raise LabelFileError(f"line {rows[-1][0]} is the last, and not `# end, ...`: the file was saved half-way")
    if int(last[1]) != len(lines):
        raise LabelFileError(f"it ends with {last[1]} labels and holds {len(lines)}: the file was saved half-way")
    return said_table([_review_row(line, cells, by, at) for line, cells in lines])


def _review_row(line: int, cells: Mapping[str, str], by: str, at: datetime) -> dict:
    given = {name: cell[1:] if cell.startswith("'") else cell for name, cell in cells.items()}
    box = [_number(given, side, line, float) for side in BOX]
    return {
        **_word(line, given, by, at),
        **{name: given.get(name) or None for name in ("detection_id", "tracklet_id", "video", "place_id", "backbone")},
        **{name: given.get(name) or None for name in ("recipe", "fit_version")},
        **{name: _number(given, name, line, int) for name in ("frame_id", "cluster", "kind_id")},
        "box": None if None in box else box,
    }


def _word(line: int, given: Mapping[str, str], by: str, at: datetime) -> dict:
    """Name, status, person and time of a row."""
    return {
        "line": line,
        "label": clean_name(given.get("label"), line),
        "scientific_name": clean_name(given.get("scientific_name"), line),
        "aphia_id": _number(given, "aphia_id", line, int),
        "status": status_of(given.get("status"), line),
        "labelled_by": clean_name(given.get("labelled_by"), line) or by,
        "labelled_at": _moment(given.get("labelled_at"), line) or at,
        "note": clean_text(given.get("note")),
    }


def _number(given: Mapping[str, str], name: str, line: int, kind: Callable) -> float | int | None:
    text = given.get(name) or None
    if text is None:
        return None
    try:
        number = float(text)
        if kind is int and not number.is_integer():
            raise ValueError
        if abs(number) == float("inf") or number != number:
            raise ValueError
    except ValueError:
        raise LabelFileError(f"line {line}: {name} = {text!r}, expected a {'whole ' * (kind is int)}number") from None
    return kind(number)


def _moment(text: str | None, line: int) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise LabelFileError(f"line {line}: labelled_at = {text!r}, expected as 2026-01-31T12:00:00Z") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def id_labels(rows: list[tuple[int, list[str]]], by: str, at: datetime) -> pl.DataFrame:
    """Ids beside names (`tracklet_id` or `detection_id`, `label`, and more if there is), in the columns `SAID`."""
    found = []
    for line, given in with_header(rows):
        ids = {name: given.get(name) or None for name in ("tracklet_id", "detection_id")}
        if given.get("label") or given.get("status"):  # a row that waits for its name says nothing yet
            found.append(_word(line, given, by, at) | ids)
    return said_table(found)


Fits = Callable[[str | None], pl.DataFrame | None]
"""Given a backbone, or None for the one that names are given by: its table `kinds`, if there is one."""


def cluster_labels(rows: list[tuple[int, list[str]]], by: str, at: datetime, fits: Fits) -> pl.DataFrame:
    """A name for every tracklet that a cluster has held in the fit that the sheet is of, in the columns `SAID`.

    A sheet that does not say its fit is of the last one. Raises LabelFileError for a fit or a cluster that is not kept.
    """
    parts = [said_table([])]
    for line, given in with_header(rows):
        if not given.get("label") and not given.get("status"):
            continue
        word, cluster = _word(line, given, by, at), _number(given, "cluster", line, int)
        if cluster is None:
            raise LabelFileError(f"line {line}: no cluster is given")
        backbone, version = given.get("backbone") or None, given.get("fit_version") or None
        members = _members(fits(backbone), backbone, version, cluster, line)
        known = word | {"cluster": cluster, "backbone": backbone, "recipe": given.get("recipe") or None}
        parts.append(said_table([known | row for row in members]))
    return pl.concat(parts)


def _members(
    kinds: pl.DataFrame | None, backbone: str | None, version: str | None, cluster: int, line: int
) -> list[dict]:
    """What a cluster held in a fit, as ids."""
    if kinds is None:
        raise LabelFileError(f"line {line}: there are no kinds of the backbone {backbone!r}: make them first")
    fit = kinds.filter("is_latest") if version is None else kinds.filter(pl.col("fit_version") == version)
    if fit.is_empty():
        kept = ", ".join(kinds["fit_version"].unique().sort()[-3:])
        raise LabelFileError(f"line {line}: the fit {version!r} is no longer kept; some that are: {kept}")
    rows = fit.filter(pl.col("cluster") == cluster)
    if rows.is_empty():
        known = f"out of 0 to {fit['cluster'].max()}"
        raise LabelFileError(f"line {line}: no cluster {cluster} in fit {fit['fit_version'][0]}, {known}")
    tracked = pl.col("tracklet_id").is_not_null()
    ids = rows.select("tracklet_id", "fit_version", "kind_id", pl.when(~tracked).then("unit_id").alias("detection_id"))
    return ids.to_dicts()
