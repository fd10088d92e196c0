"""What a person said of fish, as one checked row, and how his words are made fit to be kept.

Here: names and statuses, and the table that every reader of a file gives. Not here: the files themselves
(`label_files.py` and its formats), and which tracklet a row means today (`resolving.py`).
"""

import math
import re
import unicodedata
from datetime import UTC, datetime

import polars as pl

from megafish_assets.footage.boxes import STRETCHED_PX
from megafish_assets.footage.columns import Column, Columns
from megafish_assets.labels.columns import LABELS
from megafish_assets.labels.current import APPROVED, FRAME_STATUSES, LOOKED_AT, NOT_FISH, STATUSES, UNSURE

LONGEST_NAME = 100
"""Characters: the longest accepted species name of WoRMS is about half as long; more is a pasted paragraph."""

SAID: Columns = {name: column for name, column in LABELS.items() if name not in ("label_id", "source")} | {
    "line": Column(pl.Int64, "where it stands in its file, from 1")
}
"""What a reader gives: `LABELS` but for what names the file."""

UNSEEN = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Marks without a width, and those that turn the direction of writing: a name that ends in one would turn around
whatever stands behind it on every page. Letters of right-to-left scripts need none."""


STATUS_NAMES = {
    "not a fish": NOT_FISH,
    "not fish": NOT_FISH,
    "not_fish": NOT_FISH,
    "no fish": NOT_FISH,
    "unsure": UNSURE,
}
"""Names, in small letters, that say a status: among the choices of an annotation program they stand beside the species,
and would be counted as one."""

RESERVED = re.compile(r"(unnamed|noise|(kind|cluster) \d+)", re.IGNORECASE)
"""What tables and pictures call what has no name: as one it would be counted together with those."""

MOST_WHOLE = 2**53
"""Above it a number in a spreadsheet is no longer exact."""


class LabelFileError(ValueError):
    """A file of labels that can't be taken, and why, by its line."""


def clean_text(text: str | None) -> str | None:
    """The text as it is kept: composed (NFC), without control characters, spaces single; None for nothing."""
    if text is None:
        return None
    text = str(text).encode("utf-8", "replace").decode()  # half a letter, as JSON may hold it, no table keeps
    composed = unicodedata.normalize("NFC", UNSEEN.sub("", text))
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


def moment_of(text: str, where: str) -> datetime:
    """The time that a text of ISO 8601 says, in UTC, and as UTC where it names no zone. Raises LabelFileError."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise LabelFileError(f"{where} = {text!r}, expected as 2026-01-31T12:00:00Z") from None


def said_table(rows: list[dict]) -> pl.DataFrame:
    """The columns `SAID` of rows by name; what a row does not name is null, and a name that says a status is one.

    Raises LabelFileError for an approved row without a name, one that speaks of nothing, and for a box, frame or number
    that nothing can have.
    """
    rows = [_with_status(row) for row in rows]
    for row in rows:
        _require_possible(row)
        if row.get("status") in FRAME_STATUSES:
            _require_frame(row)
            continue
        require_free(row["line"], row.get("label"))
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
    if row["status"] != LOOKED_AT and row.get("box") is None:
        raise LabelFileError(f"line {row['line']}: {row['status']} speaks of an animal in a frame: give its box")


def require_free(line: int, name: str | None) -> None:
    """Raises LabelFileError for a name in `RESERVED`."""
    if name is not None and RESERVED.fullmatch(name):
        raise LabelFileError(f"line {line}: {name!r} is how what has no name is called: choose another")


def _with_status(row: dict) -> dict:
    said = STATUS_NAMES.get((row.get("label") or "").lower())
    is_name = said is not None and row.get("status", APPROVED) == APPROVED
    return row | {"label": None, "status": said} if is_name else row


def _require_possible(row: dict) -> None:
    """Raises LabelFileError for what no fish has: it would find no detection, or the wrong one."""
    line, box, frame_id, aphia_id = row["line"], row.get("box"), row.get("frame_id"), row.get("aphia_id")
    if frame_id is not None and not 0 <= frame_id < MOST_WHOLE:
        raise LabelFileError(f"line {line}: frame {frame_id}, expected a whole number from 0")
    if aphia_id is not None and not 0 < aphia_id < MOST_WHOLE:
        raise LabelFileError(f"line {line}: aphia_id = {aphia_id}, expected a whole number such as 212682")
    if box is None:
        return
    if not all(map(math.isfinite, box)) or min(box[2:]) <= 0:
        raise LabelFileError(f"line {line}: a box of x, y, width, height = {box}: sides are above 0")
    ends = [start + side for start, side in zip(box[:2], box[2:], strict=True)]
    if max(box[:2]) >= STRETCHED_PX or min(ends) <= 0:
        raise LabelFileError(
            f"line {line}: a box of x, y, width, height = {box}, in a frame of 0 to {STRETCHED_PX} it lies outside"
        )
