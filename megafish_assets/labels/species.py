"""The list of species that a person offers for naming: a file of comma-separated values."""

from pathlib import Path

import polars as pl

from megafish_assets.footage.columns import Column, Columns, empty_table
from megafish_assets.labels.said import MOST_WHOLE, clean_name, require_free
from megafish_assets.labels.table_files import csv_rows

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
    rows = csv_rows(content)
    if not rows:
        return empty_table(SPECIES)
    header = [_column(cell) for cell in rows[0][1]]
    if not {"name", "scientific_name"} & set(header):
        raise ValueError(f"line 1 has no column name or scientific_name, only {rows[0][1]}; columns: {list(SPECIES)}")
    if twice := [name for name in SPECIES if header.count(name) > 1]:
        raise ValueError(f"line 1 has {twice[0]} twice, in {rows[0][1]}: leave one of them out")
    species = [_species(line, header, cells) for line, cells in rows[1:]]
    found = pl.DataFrame(species, schema=empty_table(SPECIES).schema, orient="row")
    # Names that differ in capitals alone are one: a label is spelled as here, whatever its capitals.
    if twice := found.filter(pl.col("name").str.to_lowercase().is_duplicated())["name"].to_list():
        raise ValueError(f"names that stand twice: {', '.join(dict.fromkeys(twice[:5]))}; a name has one line")
    return found


def _species(line: int, header: list[str], cells: list[str]) -> tuple[str, str | None, int | None, str | None]:
    if any(cell.strip() for cell in cells[len(header) :]):
        raise ValueError(
            f"line {line}: {len(cells)} cells under {len(header)} columns: put names with commas in quotes"
        )
    given = dict(zip(header, cells, strict=False))
    scientific_name = clean_name(given.get("scientific_name"), line)
    name = clean_name(given.get("name"), line) or scientific_name
    if name is None:
        raise ValueError(f"line {line} names nothing: {','.join(cells)}")
    require_free(line, name)
    number = _aphia_id((given.get("aphia_id") or "").strip(), line)
    return name, scientific_name, number, clean_name(given.get("family"), line)


def _column(cell: str) -> str:
    name = "_".join(cell.strip().lower().split())
    return ALSO_CALLED.get(name, name)


def _aphia_id(cell: str | None, line: int) -> int | None:
    if not cell:
        return None
    number = cell.removesuffix(".0")  # as a spreadsheet writes a column in which some are missing
    if not number.isascii() or not number.isdigit() or not 0 < int(number[:20]) < MOST_WHOLE:
        raise ValueError(f"line {line}: aphia_id = {cell!r}, expected a whole number such as 212682")
    return int(number)


def species_key(column: str) -> pl.Expr:
    """By which names are one on the list and on a label: without capitals, and without spaces around it."""
    return pl.col(column).str.to_lowercase().str.strip_chars()
