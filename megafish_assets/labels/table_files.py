"""Labels in tables: the review sheets' CSV, a spreadsheet of clusters (CSV or XLSX), and ids beside names."""

import codecs
import csv
import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import polars as pl

from megafish_assets.footage.boxes import BOX
from megafish_assets.labels.said import (
    MOST_WHOLE,
    LabelFileError,
    clean_name,
    clean_text,
    moment_of,
    said_table,
    status_of,
)

Lines = Sequence[tuple[int, Mapping[str, str]]]
"""Line number and cells by column, of every line that holds anything."""

WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""What a file in UTF-16 begins with."""

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

MISSING = {"na", "n/a", "#n/a", "<na>", "nan", "nat", "none", "null", "#ref!", "#name?", "#value!", "#div/0!"}
"""What R, pandas and spreadsheets write, in small letters, where there is no name: as one it would be a species."""

GUARDED = re.compile(r"'(?=[=+\-@])")
"""What stands before a formula that is meant as text."""


def text_of(content: bytes) -> str:
    """The file's text, of UTF-8, or of the UTF-16 that a spreadsheet saves as Unicode. Raises LabelFileError."""
    try:
        return content.decode("utf-16" if content.startswith(WIDE) else "utf-8-sig")
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


def with_header(rows: list[tuple[int, list[str]]]) -> Lines:
    """Lines by the names of the first one; columns without a name are left out. Raises LabelFileError for none."""
    if not rows:
        raise LabelFileError("the file holds no line")
    header = [column_name(cell) for cell in rows[0][1]]
    _require_one_each(header, rows[0][1])
    lines = []
    for line, cells in rows[1:]:
        if not cells[0].lstrip().startswith("#"):
            if any(cell.strip() for cell in cells[len(header) :]):
                raise LabelFileError(
                    f"line {line}: {len(cells)} cells under {len(header)} columns, "
                    f"the last {cells[-1].strip()[:30]!r}: put a text that holds a separator within quotes"
                )
            lines.append((line, {name: cell.strip() for name, cell in zip(header, cells, strict=False) if name}))
    return lines


def _require_one_each(header: list[str], written: list[str]) -> None:
    """Raises LabelFileError where two columns mean the same: which of them holds the names, nobody can tell."""
    for name in header:
        twice = [cell.strip() for column, cell in zip(header, written, strict=True) if name and column == name]
        if len(twice) > 1:
            raise LabelFileError(f"line 1: the columns {' and '.join(twice)} both mean {name}: leave one of them out")


def header_of(rows: list[tuple[int, list[str]]]) -> set[str]:
    """The columns that the first line names."""
    return {column_name(cell) for cell in rows[0][1]} if rows else set()


def column_name(cell: str) -> str:
    """The column that a header's cell means, whatever its capitals and spaces."""
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
    if None in box and any(side is not None for side in box):
        raise LabelFileError(
            f"line {line}: half a box, {dict(zip(BOX, box, strict=True))}: a saved sheet has all sides"
        )
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
        "labelled_at": moment_of(given["labelled_at"], f"line {line}: labelled_at") if given.get("labelled_at") else at,
        "note": clean_text(given.get("note")),
    }


def _number(given: Mapping[str, str], name: str, line: int, kind: Callable) -> float | int | None:
    text = given.get(name) or None
    if text is None:
        return None
    try:
        number = float(text)
        if not math.isfinite(number) or (kind is int and not (number.is_integer() and abs(number) < MOST_WHOLE)):
            raise ValueError
    except ValueError:
        raise LabelFileError(f"line {line}: {name} = {text!r}, expected a {'whole ' * (kind is int)}number") from None
    return kind(number)


def _typed(line: int, given: Mapping[str, str]) -> Mapping[str, str]:
    """The cells of a row that a person or a program wrote: texts without the guard of a formula, ids without marks that
    nobody sees. Raises LabelFileError for a name that says that there is none."""
    if (given.get("label") or "").lower() in MISSING:
        raise LabelFileError(f"line {line}: {given['label']!r} is no name: where there is none, leave the cell empty")
    ids = {name: clean_text(given[name]) for name in ("tracklet_id", "detection_id") if name in given}
    return {name: GUARDED.sub("", cell, count=1) if cell[:1] == "'" else cell for name, cell in given.items()} | ids


def id_labels(rows: list[tuple[int, list[str]]], by: str, at: datetime) -> pl.DataFrame:
    """Ids beside names (`tracklet_id` or `detection_id`, `label`, and more if there is), in the columns `SAID`."""
    found = []
    for line, cells in with_header(rows):
        given = _typed(line, cells)
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
    for line, cells in with_header(rows):
        given = _typed(line, cells)
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
        last = fit["cluster"].max()
        known = f"out of 0 to {last}" if last >= 0 else "where all is noise"
        raise LabelFileError(f"line {line}: no cluster {cluster} in fit {fit['fit_version'][0]}, {known}")
    tracked = pl.col("tracklet_id").is_not_null()
    ids = rows.select("tracklet_id", "fit_version", "kind_id", pl.when(~tracked).then("unit_id").alias("detection_id"))
    return ids.to_dicts()
