"""Labels out of programs for annotation: Label Studio's JSON, VIAME's and DIVE's CSV, CVAT's XML."""

import json
import math
from collections.abc import Callable
from datetime import datetime
from pathlib import PurePath

import polars as pl

from megafish_assets.footage.boxes import STRETCHED_PX
from megafish_assets.labels.said import RESERVED, LabelFileError, clean_name, clean_text, moment_of, said_table
from megafish_assets.labels.table_files import csv_rows

SizeOf = Callable[[str], tuple[str, tuple[int, int]] | None]
"""Given a video as a file names it: its key, and the width and height of its frames in px; None for an unknown one."""


def label_studio_labels(content: bytes, by: str, at: datetime) -> pl.DataFrame:
    """The choices of finished annotations (JSON, or JSON-MIN), in the columns `SAID`; `line` is the task's number.

    A task's `data` holds `detection_id` or `tracklet_id`. Raises LabelFileError.
    """
    try:
        tasks = json.loads(content)
    except (ValueError, RecursionError) as error:  # also numbers of thousands of digits
        raise LabelFileError(f"no JSON: {error}") from None
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise LabelFileError("no list of tasks, as Label Studio exports JSON")
    rows = []
    for number, task in enumerate(tasks, start=1):
        data = task.get("data") if isinstance(task.get("data"), dict) else task
        ids = {name: clean_text(data[name]) for name in ("detection_id", "tracklet_id") if data.get(name)}
        for word in _choices(task, number):
            if not ids:
                raise LabelFileError(f"task {number}: its data hold neither detection_id nor tracklet_id")
            rows.append({"line": number, "labelled_by": by, "labelled_at": at, "status": "approved"} | ids | word)
    return said_table(rows)


def _choices(task: dict, number: int) -> list[dict]:
    """Name, person and time of each annotation of a task that chose one. Raises LabelFileError for another form."""
    words = []
    if "choice" in task:
        words.append({"label": _name(task["choice"], number)})
    elif "annotation_id" in task:  # JSON-MIN writes each control under its own name
        known = ", ".join(sorted(task))[:200]
        raise LabelFileError(f"task {number} is annotated and has no `choice`, only {known}: call the control so")
    for annotation in _list(task, "annotations", number):
        if annotation.get("was_cancelled"):
            continue
        values = [result.get("value") for result in _list(annotation, "result", number)]
        chosen = [choice for value in values if isinstance(value, dict) for choice in _chosen(value, number)]
        if len(chosen) > 1:
            raise LabelFileError(f"task {number}: an annotation chose {len(chosen)} names, {chosen[:3]}: one is wanted")
        if chosen:
            words.append({"label": _name(chosen[0], number)} | _author(annotation, number))
    return words


def _list(holder: dict, name: str, number: int) -> list[dict]:
    found = holder.get(name) or []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise LabelFileError(f"task {number}: {name} = {str(found)[:50]}, expected a list, as Label Studio exports it")
    return found


def _chosen(value: dict, number: int) -> list:
    """The choices of a result. Raises LabelFileError for a name that was given in another way, which would be lost."""
    if other := [name for name in value if name.endswith("labels") or name == "taxonomy"]:
        raise LabelFileError(
            f"task {number}: named by {other[0]}, and only choices are read: export a project of these"
        )
    choices = value.get("choices") or []
    return choices if isinstance(choices, list) else [choices]


def _name(choice: object, number: int) -> str | None:
    if not isinstance(choice, str):
        raise LabelFileError(f"task {number}: the choice {str(choice)[:50]} is no text: one name is wanted")
    return clean_name(choice, number)


def _author(annotation: dict, number: int) -> dict:
    person, moment = annotation.get("completed_by"), annotation.get("updated_at") or annotation.get("created_at")
    if isinstance(person, dict):
        person = person.get("email") or person.get("id")
    name = None if person is None else clean_name(person, number)
    found = {} if name is None else {"labelled_by": name}
    return found if moment is None else found | {"labelled_at": moment_of(str(moment), f"task {number}: updated_at")}


def viame_labels(content: bytes, file_name: str, by: str, at: datetime, size_of: SizeOf) -> pl.DataFrame:
    """The most likely type of every box, in the columns `SAID`; the video is named by the file, or by column 2.

    Source: VIAME's manual, detection and track CSV: column 1 track, 2 video or image, 3 frame from 0, 4 to 7 corners in
    px, 8 confidence, 9 length, then pairs of type and confidence. What megafish itself calls so for want of a name, as
    its export does, says nothing. Raises LabelFileError.
    """
    rows = []
    for line, cells in csv_rows(content):
        if cells[0].lstrip().startswith("#"):
            continue
        if len(cells) < 9:
            raise LabelFileError(f"line {line}: {len(cells)} columns, VIAME writes 9 and the types")
        pairs = _pairs(cells[9:], line)
        numbers = _numbers([*cells[2:7], *[likely for _, likely in pairs]], line)
        best = max(range(len(pairs)), key=lambda i: numbers[5 + i], default=None)
        if best is not None and not RESERVED.fullmatch(pairs[best][0]):
            video = _video([PurePath(file_name).stem, cells[1].strip()], size_of, line)
            frame, left, top, right, bottom = numbers[:5]
            word = {"line": line, "label": clean_name(pairs[best][0], line), "status": "approved"}
            rows.append(word | _seen(video, _frame(frame, line), (left, top, right, bottom)))
    return said_table([row | {"labelled_by": by, "labelled_at": at} for row in rows])


def _pairs(cells: list[str], line: int) -> list[tuple[str, str]]:
    """Types and their confidences, of what follows the ninth column; attributes, in brackets, end them."""
    texts = [cell.strip() for cell in cells]
    # A name may begin with a bracket too: behind a space, as megafish's own export writes it.
    end = next((place for place, cell in enumerate(cells) if cell.startswith("(")), len(texts))
    while end and not texts[end - 1]:  # a spreadsheet fills short lines up
        end -= 1
    if end % 2:
        raise LabelFileError(f"line {line}: the type {texts[end - 1]!r} has no confidence behind it")
    return list(zip(texts[:end:2], texts[1:end:2], strict=True))


def _numbers(cells: list[str], line: int) -> list[float]:
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError:
        numbers = [math.nan]
    if not all(map(math.isfinite, numbers)):
        raise LabelFileError(f"line {line}: {cells} are not all numbers")
    return numbers


def _frame(number: float, line: int) -> int:
    if not number.is_integer():
        raise LabelFileError(f"line {line}: frame {number}, expected a whole number from 0")
    return int(number)


def _video(names: list[str], size_of: SizeOf, line: int) -> tuple[str, tuple[int, int]]:
    for name in names:
        found = size_of(name)
        if found is not None:
            return found
    called = " or ".join(map(repr, names))
    raise LabelFileError(f"line {line}: no video of the collection is called {called}, or two are, or its file is gone")


def _seen(video: tuple[str, tuple[int, int]], frame_id: int, corners_px: tuple[float, float, float, float]) -> dict:
    key, (width, height) = video
    left, top, right, bottom = corners_px
    across, down = STRETCHED_PX / width, STRETCHED_PX / height
    box = [left * across, top * down, (right - left) * across, (bottom - top) * down]
    return {"video": key, "frame_id": frame_id, "box": box}


def cvat_labels(content: bytes, file_name: str, by: str, at: datetime, size_of: SizeOf) -> pl.DataFrame:
    """The boxes of CVAT for video 1.1, in the columns `SAID`; `line` counts boxes. Raises LabelFileError.

    A box that CVAT has set outside is left out. Entities are refused: a file of ten lines may unfold to gigabytes.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        root = fromstring(content)
    except (ParseError, DefusedXmlException, LookupError, ValueError) as error:  # LookupError: an unknown encoding
        raise LabelFileError(f"no XML that can be read: {error}") from None
    _require_tracks_of_boxes(root)
    names = [PurePath(node.text or "").stem for node in root.iter("source")] + [PurePath(file_name).stem]
    rows, number = [], 0
    for track in root.iter("track"):
        for box in track.iter("box"):
            number += 1
            if box.get("outside") == "1":
                continue
            corners = _numbers([box.get(side) or "" for side in ("frame", "xtl", "ytl", "xbr", "ybr")], number)
            video = _video(names, size_of, number)
            word = {"line": number, "label": clean_name(track.get("label"), number), "status": "approved"}
            rows.append(word | _seen(video, _frame(corners[0], number), tuple(corners[1:])))
    return said_table([row | {"labelled_by": by, "labelled_at": at} for row in rows])


CVAT_SHAPES = ("polygon", "polyline", "points", "mask", "skeleton", "ellipse", "cuboid")
"""What CVAT draws besides boxes."""


def _require_tracks_of_boxes(root) -> None:
    """Raises LabelFileError for what is no export for video, and for shapes that would be lost without a word."""
    if root.tag != "annotations":
        raise LabelFileError(f"XML of <{root.tag[:50]}>, and CVAT for video 1.1 writes <annotations>")
    if root.find("image") is not None:
        raise LabelFileError("an export of CVAT for images: choose CVAT for video 1.1, which names frames by number")
    for track in root.iter("track"):
        if shape := next((name for name in CVAT_SHAPES if track.find(name) is not None), None):
            raise LabelFileError(f"track {track.get('id')} is a {shape}, and only boxes are read: leave it out")
