"""What a person said of fish, as one checked row, and how his words are made fit to be kept.

Here: names and statuses, and the table that every reader of a file gives. Not here: the files themselves
(`label_files.py` and its formats), and which tracklet a row means today (`resolving.py`).
"""

import re
import unicodedata

import polars as pl

from megafish_assets.footage.columns import Column, Columns
from megafish_assets.labels.columns import LABELS
from megafish_assets.labels.current import APPROVED, FRAME_STATUSES, MISSED, STATUSES, TWICE

LONGEST_NAME = 100
"""Characters: the longest accepted species name of WoRMS is about half as long; more is a pasted paragraph."""

SAID: Columns = {name: column for name, column in LABELS.items() if name not in ("label_id", "source")} | {
    "line": Column(pl.Int64, "where it stands in its file, from 1")
}
"""What a reader gives: `LABELS` but for what names the file."""

UNSEEN = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Marks without a width, and those that turn the direction of writing: a name that ends in one would turn around
whatever stands behind it on every page. Letters of right-to-left scripts need none."""


class LabelFileError(ValueError):
    """A file of labels that can't be taken, and why, by its line."""


def clean_text(text: str | None) -> str | None:
    """The text as it is kept: composed (NFC), without control characters, spaces single; None for nothing."""
    if text is None:
        return None
    composed = unicodedata.normalize("NFC", UNSEEN.sub("", str(text)))
    spaced = "".join(" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter for letter in composed)
    return " ".join(spaced.split()) or None


def clean_name(text: str | None, line: int) -> str | None:
    """A name as it is kept, see `clean_text`. Raises LabelFileError for one longer than `LONGEST_NAME`."""
    name = clean_text(text)
    if name is not None and len(name) > LONGEST_NAME:
        raise LabelFileError(f"line {line}: a name of {len(name)} characters, {name[:30]!r}...: at most {LONGEST_NAME}")
    return name


def status_of(text: str | None, line: int) -> str:
    """One of `STATUSES` or `FRAME_STATUSES`; approved where none is given. Raises LabelFileError."""
    status = (text or "").strip().lower().replace(" ", "_") or APPROVED
    if status not in STATUSES + FRAME_STATUSES:
        raise LabelFileError(f"line {line}: status = {text!r}, allowed: {', '.join(STATUSES + FRAME_STATUSES)}")
    return status


def said_table(rows: list[dict]) -> pl.DataFrame:
    """The columns `SAID` of rows by name; what a row does not name is null.

    Raises LabelFileError for an approved row without a name, and for one that speaks of nothing.
    """
    for row in rows:
        if row.get("status") in FRAME_STATUSES:
            _require_frame(row)
            continue
        if row.get("label") is None and row.get("status", APPROVED) == APPROVED:
            raise LabelFileError(f"line {row['line']}: no name is given, and status is approved")
        known = ("detection_id", "tracklet_id", "place_id", "cluster", "box")
        if all(row.get(name) is None for name in known):
            raise LabelFileError(f"line {row['line']}: it names no detection, tracklet, place, cluster or box")
    columns = {name: [row.get(name) for row in rows] for name in SAID}
    return pl.DataFrame(columns, schema={name: column.dtype for name, column in SAID.items()})


def _require_frame(row: dict) -> None:
    """Raises LabelFileError for a word on a frame that does not say which, or not where in it."""
    if row.get("video") is None or row.get("frame_id") is None:
        raise LabelFileError(f"line {row['line']}: {row['status']} speaks of a frame: give its video and frame_id")
    if row["status"] == MISSED and row.get("box") is None:
        raise LabelFileError(f"line {row['line']}: a missed animal needs its box")
    if row["status"] == TWICE and row.get("detection_id") is None:
        raise LabelFileError(f"line {row['line']}: twice speaks of a box: give its detection_id")
