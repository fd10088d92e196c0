"""What an export is, and the account that it gives of what it wrote.

```python
def write_boxes(tables: ExportTables, folder: Path) -> list[Part]:
    ...                                       # into `folder`, which becomes the export's only if all goes well
    return [Part("boxes.csv", "boxes", n_given=41_786, left_out={"no video file": 3})]

def read_boxes(folder: Path) -> ReadAgain:
    return ReadAgain({"boxes": 41_783}, faults=["boxes of no video: 3"])    # of one reading, of what is there

EXPORTS["boxes"] = Export("boxes", "Boxes as CSV.", write_boxes, read_boxes)
```
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from megafish_assets.exports.columns import FILES
from megafish_assets.exports.tables import ExportTables
from megafish_assets.footage.columns import empty_table


@dataclass(frozen=True)
class Part:
    """One table of an export, as it should stand in one of its files."""

    file: str
    """Name of the file, below the export's folder."""
    holds: str
    """Which table; no two parts of an export hold the same."""
    n_given: int
    """Rows that there were to write."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Rows that were left out on purpose, by why."""
    changed: Mapping[str, int] = field(default_factory=dict)
    """Rows that stand there otherwise than they were given, by how."""

    @property
    def n_left_out(self) -> int:
        """Of the rows given."""
        return sum(self.left_out.values())


@dataclass(frozen=True)
class ReadAgain:
    """What the files of an export hold when they are read again, by other means than they were written."""

    n_rows: Mapping[str, int]
    """Rows of each part, by what it holds."""
    faults: list[str] = field(default_factory=list)
    """The rules of the format that they break, a sentence a rule."""


def nothing_missing(tables: ExportTables) -> list[str]:
    """Of an export that needs nothing but its tables."""
    return []


@dataclass(frozen=True)
class Export:
    """A format that other programs read."""

    name: str
    """Of the asset and of the folder."""
    sentence: str
    """What it is, and for which program."""
    write: Callable[..., Sequence[Part]]
    """Given tables, an empty folder, and its knobs by name: writes all files, and says what should be in them."""
    read: Callable[[Path], ReadAgain]
    """Reads the files of a folder again."""
    missing: Callable[..., list[str]] = nothing_missing
    """Given tables, and its knobs by name: all that has to be known first and is not, each with where to say it; then
    nothing is written."""
    every_night: bool = False
    """Whether the night writes it too; else only who asks for it gets it."""


def refusal(export: Export, tables: ExportTables, knobs: Mapping[str, object] | None = None) -> str | None:
    """Why an export can't be written, with all that is missing at once; None where it can."""
    missing = export.missing(tables, **(knobs or {}))
    if not missing:
        return None
    listed = "\n".join(f"- {one}" for one in missing)
    return f"{export.name} is not written before a person has said, since nothing is guessed:\n{listed}"


def files_table(folder: Path, parts: Sequence[Part], n_read: Mapping[str, int], tables: ExportTables) -> pl.DataFrame:
    """The columns `FILES`, a row a part. Raises LookupError for a file that was not written."""
    absent = [part.file for part in parts if not (folder / part.file).is_file()]
    if absent:
        raise LookupError(f"{absent} were not written, of {[part.file for part in parts]}")
    digests = {file: _sha256(folder / file) for file in {part.file for part in parts}}
    rows = [
        {
            "file": part.file,
            "holds": part.holds,
            "n_given": part.n_given,
            "n_left_out": part.n_left_out,
            "left_out": _told(part.left_out),
            "changed": _told(part.changed),
            "n_read": n_read.get(part.holds, 0),
            "n_bytes": (folder / part.file).stat().st_size,
            "sha256": digests[part.file],
            "version": tables.version,
            "labels_version": tables.origin.labels_version,
            "recipe": tables.origin.recipe,
            "written_at": tables.made_at,
        }
        for part in parts
    ]
    return pl.DataFrame(rows, empty_table(FILES).schema)


def _told(counts: Mapping[str, int]) -> str | None:
    return "; ".join(f"{n} {why}" for why, n in counts.items() if n) or None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
