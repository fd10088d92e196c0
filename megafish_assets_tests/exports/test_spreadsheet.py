"""The workbook and its CSVs, as openpyxl and LibreOffice read them."""

import csv
import shutil
import subprocess
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from megafish_assets.exports import spreadsheet
from megafish_assets.exports.spreadsheet import SHEETS, WORKBOOK, read_spreadsheet, write_spreadsheet
from megafish_assets.exports.tables import ExportTables
from megafish_assets_tests.conftest import FORCED
from megafish_assets_tests.exports.small import NOON, RECIPE, SERGEANT, tables

ALL_SHEETS = ["columns", *SHEETS]
DANGEROUS = ["=1+1", "+351 fish", "-fish", "@SUM(A1)", "#N/A", "'quoted", "0012", "a\x07b", "TRUE", "1/2"]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExportTables, Path]:
    folder, given = tmp_path_factory.mktemp("spreadsheet"), tables()
    write_spreadsheet(given, folder)
    return given, folder


def sheet_of(folder: Path, name: str) -> list[tuple]:
    return list(openpyxl.load_workbook(folder / WORKBOOK)[name].iter_rows(values_only=True))


def as_shown(row: tuple) -> list:
    """Numbers to twelve digits: a sheet keeps fifteen, and 1 for 1.0."""
    is_number = [isinstance(value, int | float) and not isinstance(value, bool) for value in row]
    return [f"{value:.12g}" if number else value for value, number in zip(row, is_number, strict=True)]


def test_every_sheet_holds_every_value_of_its_table(written: tuple[ExportTables, Path]) -> None:
    given, folder = written
    assert openpyxl.load_workbook(folder / WORKBOOK).sheetnames == ALL_SHEETS
    for name in SHEETS:
        table = getattr(given, name)
        found = sheet_of(folder, name)
        assert found[0] == tuple(table.columns)
        expected = table.with_columns(
            pl.col(column).dt.replace_time_zone(None).dt.round("1ms")
            for column, dtype in table.schema.items()
            if isinstance(dtype, pl.Datetime)
        )
        assert [as_shown(row) for row in found[1:]] == [as_shown(row) for row in expected.rows()], name


def test_times_are_dates_and_the_header_stays(written: tuple[ExportTables, Path]) -> None:
    sheet = openpyxl.load_workbook(written[1] / WORKBOOK)["sightings"]
    column = sheet_of(written[1], "sightings")[0].index("recorded_at") + 1
    cell = sheet.cell(2, column)
    assert cell.is_date and cell.value == NOON and sheet.freeze_panes == "A2"
    widths = [dimension.width for dimension in sheet.column_dimensions.values()]
    assert min(widths) >= len("name") and max(widths) <= spreadsheet.WIDEST


def test_every_column_of_every_sheet_is_explained_with_the_versions(written: tuple[ExportTables, Path]) -> None:
    given, folder = written
    explained = sheet_of(folder, "columns")[1:]
    named = {(sheet, column) for sheet, column, _, _ in explained}
    assert {(name, column) for name in SHEETS for column in getattr(given, name).columns} <= named
    assert all(meaning for *_, meaning in explained)
    about = {column: meaning for sheet, column, _, meaning in explained if sheet == "this file"}
    assert (about["labels_version"], about["recipe"], about["backbone"]) == ("l1", RECIPE, "vit")


def libreoffice(path: Path, folder: Path) -> dict[str, list[list[str]]]:
    """Each sheet as LibreOffice shows it, by name."""
    if shutil.which("soffice") is None:
        reason = "no soffice command: install Debian's libreoffice-calc-nogui"
        pytest.fail(reason) if FORCED else pytest.skip(reason)
    each_sheet_as_shown = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    subprocess.run(
        [
            *("soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless"),
            *("--convert-to", each_sheet_as_shown, "--outdir", str(folder), str(path)),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    files = {path.stem.partition("-")[2]: path for path in folder.glob("*.csv")}
    return {name: list(csv.reader(path.open(encoding="utf-8", newline=""))) for name, path in files.items()}


def test_libreoffice_shows_every_row_and_computes_no_text(tmp_path: Path) -> None:
    given = tables()
    labels = pl.concat([given.labels.head(1)] * len(DANGEROUS)).with_columns(pl.Series("label", DANGEROUS))
    write_spreadsheet(replace(given, labels=labels), tmp_path)
    (tmp_path / "seen").mkdir()
    seen = libreoffice(tmp_path / WORKBOOK, tmp_path / "seen")
    assert {name: len(rows) - 1 for name, rows in seen.items() if name != "columns"} == {
        "sightings": given.sightings.height,
        "abundance": given.abundance.height,
        "kinds": given.kinds.height,
        "labels": len(DANGEROUS),
    }
    place = seen["labels"][0].index("label")
    assert [row[place] for row in seen["labels"][1:]] == [name.replace("\x07", "\ufffd") for name in DANGEROUS]
    names = {row[seen["sightings"][0].index("name")] for row in seen["sightings"][1:]}
    assert names == {SERGEANT, "yellow tang", ""}
    at = [row[seen["sightings"][0].index("recorded_at")] for row in seen["sightings"][1:]]
    assert at[0] == f"{NOON:%Y-%m-%d %H:%M:%S}"


def test_a_csv_guards_texts_that_would_be_computed_and_leaves_numbers_alone(tmp_path: Path) -> None:
    given = tables()
    labels = pl.concat([given.labels.head(1)] * len(DANGEROUS)).with_columns(pl.Series("label", DANGEROUS))
    sightings = given.sightings.with_columns(x_1024=pl.lit(-5.5))
    write_spreadsheet(replace(given, labels=labels, sightings=sightings), tmp_path)
    read = pl.read_csv(tmp_path / "labels.csv", infer_schema=False)
    assert read["label"].to_list()[:5] == ["'=1+1", "'+351 fish", "'-fish", "'@SUM(A1)", "#N/A"]
    assert set(pl.read_csv(tmp_path / "sightings.csv")["x_1024"]) == {-5.5}
    assert datetime.fromisoformat(read["labelled_at"][0]) == given.labels["labelled_at"][0]


def test_a_table_with_more_rows_than_a_sheet_is_whole_in_its_csv_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreadsheet, "SHEET_ROWS", 5)
    given = tables()
    assert given.sightings.height == 6
    parts = {part.holds: part for part in write_spreadsheet(given, tmp_path)}
    assert parts["sheet sightings"].n_left_out == 2 and parts["sightings"].n_left_out == 0
    read = read_spreadsheet(tmp_path).n_rows
    assert (read["sheet sightings"], read["sightings"]) == (4, 6)


def test_a_collection_without_a_row_is_a_workbook_too(tmp_path: Path) -> None:
    given = tables()
    bare = {name: getattr(given, name).clear() for name in SHEETS}
    write_spreadsheet(replace(given, **bare), tmp_path)
    assert {name: len(sheet_of(tmp_path, name)) for name in SHEETS} == dict.fromkeys(SHEETS, 1)
    assert read_spreadsheet(tmp_path).n_rows["sheet sightings"] == 0
