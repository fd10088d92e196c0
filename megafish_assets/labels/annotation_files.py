"""Labels out of programs for annotation: Label Studio's JSON, VIAME's and DIVE's CSV, CVAT's XML."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import PurePath

import polars as pl

from megafish_assets.footage.boxes import STRETCHED_PX
from megafish_assets.labels.said import LabelFileError, clean_name, said_table
from megafish_assets.labels.table_files import csv_rows

SizeOf = Callable[[str], tuple[str, tuple[int, int]] | None]
"""Given a video as a file names it: its key, and the width and height of its frames in px; None for an unknown one."""

NO_NAME = re.compile(r"kind \d+|unnamed")
"""What megafish itself calls what nobody has named, in the files that it writes for others."""


def label_studio_labels(content: bytes, by: str, at: datetime) -> pl.DataFrame:
    """The choices of finished annotations (JSON, or JSON-MIN), in the columns `SAID`; `line` is the task's number.

    A task's `data` holds `detection_id` or `tracklet_id`. Raises LabelFileError.
    """
    try:
        tasks = json.loads(content)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise LabelFileError(f"no JSON: {error}") from None
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise LabelFileError("no list of tasks, as Label Studio exports JSON")
    rows = []
    for number, task in enumerate(tasks, start=1):
        data = task.get("data") if isinstance(task.get("data"), dict) else task
        ids = {name: str(data[name]) for name in ("detection_id", "tracklet_id") if data.get(name)}
        for word in _choices(task, number):
            if not ids:
                raise LabelFileError(f"task {number}: its data hold neither detection_id nor tracklet_id")
            rows.append({"line": number, "labelled_by": by, "labelled_at": at, "status": "approved"} | ids | word)
    return said_table(rows)


def _choices(task: dict, number: int) -> list[dict]:
    """Name, person and time of each annotation of a task that chose one."""
    words = []
    if isinstance(task.get("choice"), str):
        words.append({"label": clean_name(task["choice"], number)})
    for annotation in task.get("annotations") or []:
        if not isinstance(annotation, dict) or annotation.get("was_cancelled"):
            continue
        chosen = [
            choice
            for result in annotation.get("result") or []
            if isinstance(result, dict) and isinstance(result.get("value"), dict)
            for choice in result["value"].get("choices") or []
        ]
        if len(chosen) > 1:
            raise LabelFileError(f"task {number}: an annotation chose {len(chosen)} names, {chosen[:3]}: one is wanted")
        if chosen:
            words.append({"label": clean_name(chosen[0], number)} | _author(annotation))
    return words


def _author(annotation: dict) -> dict:
    person, moment = annotation.get("completed_by"), annotation.get("updated_at") or annotation.get("created_at")
    if isinstance(person, dict):
        person = person.get("email") or person.get("id")
    found = {} if person is None else {"labelled_by": str(person)}
    try:
        known = datetime.fromisoformat(moment) if isinstance(moment, str) else None
    except ValueError:
        known = None
    return found if known is None else found | {"labelled_at": _utc(known)}


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def viame_labels(content: bytes, file_name: str, by: str, at: datetime, size_of: SizeOf) -> pl.DataFrame:
    """The most likely type of every box, in the columns `SAID`; the video is named by the file, or by column 2.

    Source: VIAME's manual, detection and track CSV: column 1 track, 2 video or image, 3 frame from 0, 4 to 7 corners in
    px, 8 confidence, 9 length, then pairs of type and confidence. What megafish called so for want of a name says
    nothing. Raises LabelFileError.
    """
    rows = []
    for line, cells in csv_rows(content):
        if cells[0].lstrip().startswith("#"):
            continue
        if len(cells) < 9:
            raise LabelFileError(f"line {line}: {len(cells)} columns, VIAME writes 9 and the types")
        pairs = [(cells[i].strip(), cells[i + 1]) for i in range(9, len(cells) - 1, 2) if cells[i][:1] != "("]
        numbers = _numbers([*cells[2:7], *[likely for _, likely in pairs]], line)
        best = max(range(len(pairs)), key=lambda i: numbers[5 + i], default=None)
        if best is not None and not NO_NAME.fullmatch(pairs[best][0]):
            video = _video([PurePath(file_name).stem, cells[1].strip()], size_of, line)
            frame, left, top, right, bottom = numbers[:5]
            word = {"line": line, "label": clean_name(pairs[best][0], line), "status": "approved"}
            rows.append(word | _seen(video, int(frame), (left, top, right, bottom)))
    return said_table([row | {"labelled_by": by, "labelled_at": at} for row in rows])


def _numbers(cells: list[str], line: int) -> list[float]:
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        raise LabelFileError(f"line {line}: {cells} are not all numbers") from None


def _video(names: list[str], size_of: SizeOf, line: int) -> tuple[str, tuple[int, int]]:
    for name in names:
        found = size_of(name)
        if found is not None:
            return found
    raise LabelFileError(f"line {line}: no video of the collection is called {' or '.join(map(repr, names))}")


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
    except (ParseError, DefusedXmlException) as error:
        raise LabelFileError(f"no XML that can be read: {error}") from None
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
            rows.append(word | _seen(video, int(corners[0]), tuple(corners[1:])))
    return said_table([row | {"labelled_by": by, "labelled_at": at} for row in rows])
