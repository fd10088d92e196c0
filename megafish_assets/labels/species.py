"""The list of species that a person offers for naming: a file of comma-separated values."""

import csv
import io
from pathlib import Path

import polars as pl

from megafish_assets.footage.columns import Column, Columns, empty_table

SPECIES: Columns = {
    "name": Column(pl.String, "name as people say it"),
    "scientific_name": Column(pl.String, "its scientific name; null where none is given"),
    "aphia_id": Column(pl.Int64, "its number in the World Register of Marine Species; null where none is given"),
    "family": Column(pl.String, "its family, which exports for GlobalArchive hold; null where none is given"),
}
"""Of the list, which may leave out all but one of the first two columns, and hold others, which nobody reads."""

ALSO_CALLED = {"aphiaid": "aphia_id", "scientificname": "scientific_name", "species": "scientific_name"}
"""Headers as WoRMS and Darwin Core write them, in small letters."""


def read_species(path: Path | None) -> pl.DataFrame:
    """The list in a file, see `species_list`; without a row where none is named. Raises ValueError that names it."""
    try:
        return species_list(b"" if path is None else path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def species_list(content: bytes) -> pl.DataFrame:
    """The columns `SPECIES` of such a file, in its order; a line without a name goes by its scientific one.

    Raises ValueError that names the line, what it holds and what it may hold.
    """
    rows = _lines(content)
    if not rows:
        return empty_table(SPECIES)
    header = [_column(cell) for cell in rows[0][1]]
    if not {"name", "scientific_name"} & set(header):
        raise ValueError(f"line 1 has no column name or scientific_name, only {rows[0][1]}; columns: {list(SPECIES)}")
    species = []
    for line, cells in rows[1:]:
        given = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        name = given.get("name") or given.get("scientific_name")
        if not name:
            raise ValueError(f"line {line} names nothing: {','.join(cells)}")
        number = _aphia_id(given.get("aphia_id"), line)
        species.append((name, given.get("scientific_name") or None, number, given.get("family") or None))
    found = pl.DataFrame(species, schema=empty_table(SPECIES).schema, orient="row")
    if twice := found.filter(pl.col("name").is_duplicated())["name"].unique(maintain_order=True).to_list():
        raise ValueError(f"names that stand twice: {', '.join(twice[:5])}; a name has one line")
    return found


def _lines(content: bytes) -> list[tuple[int, list[str]]]:
    """The lines that hold anything, with their numbers from 1."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"no comma-separated values in UTF-8: {error}") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise ValueError(f"no comma-separated values: {error} in line {reader.line_num}") from None
    return [(line, row) for line, row in rows if any(cell.strip() for cell in row)]


def _column(cell: str) -> str:
    name = "_".join(cell.strip().lower().split())
    return ALSO_CALLED.get(name, name)


def _aphia_id(cell: str | None, line: int) -> int | None:
    if not cell:
        return None
    number = cell.removesuffix(".0")  # as a spreadsheet writes a column in which some are missing
    if not number.isascii() or not number.isdigit():
        raise ValueError(f"line {line}: aphia_id = {cell!r}, expected a whole number such as 212682")
    return int(number)
