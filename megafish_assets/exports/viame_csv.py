"""VIAME's and DIVE's CSV of tracks, a file a video, which opens beside its video.

A line: track, video, frame from 0, x1, y1, x2, y2 in px, score, length (-1: not known), then the name with its
probability, and in brackets what DIVE shows as attributes. A fish that is unnamed has no name there, which DIVE shows
as `unknown`; `kind 7` is one, to be renamed in DIVE, and says nothing when the file is read again as labels.

Source: viame.readthedocs.io (detection and track CSV); github.com/Kitware/dive, server/dive_utils/serializers/viame.py.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path

import polars as pl

from megafish_assets.exports.fish_boxes import CUT, Video, categories, fish_boxes_by_video
from megafish_assets.exports.tables import ExportTables
from megafish_assets.exports.writing import Part, ReadAgain
from megafish_assets.footage.ids import tracklet_number
from megafish_assets.labels.naming import UNNAMED

COLUMNS = (
    "# 1: Detection or Track-id", "2: Video or Image Identifier", "3: Unique Frame Identifier", "4-7: Img-bbox(TL_x",
    "TL_y", "BR_x", "BR_y)", "8: Detection or Length Confidence", "9: Target Length (0 or -1 if invalid)",
    "10-11+: Repeated Species", "Confidence Pairs or Attributes",
)  # fmt: skip
"""As VIAME and DIVE head their own files."""


def write_viame_csv(tables: ExportTables, folder: Path) -> list[Part]:
    """`<video>.csv` of every video that has valid boxes, also where none of them is a fish."""
    written, parts = _written_names(categories(tables)["kind"]), []
    for video, boxes in fish_boxes_by_video(tables):
        name = f"{video.key}.csv"
        with (folder / name).open("wb") as file:
            file.write(_header(tables, video).encode())
            lines = boxes.rows.select(_line(video, boxes.rows, written))
            lines.write_csv(file, include_header=False, quote_style="never")
        n_given = boxes.rows.height + boxes.left_out.total()
        parts.append(Part(name, f"boxes of {video.key}", n_given, boxes.left_out, {CUT: boxes.n_cut}))
    return parts


def _header(tables: ExportTables, video: Video) -> str:
    """Two lines; DIVE looks for `Fps` right behind the mark, and writes `fps` itself."""
    rate = video.frames_per_second
    said = [] if rate is None else [f"Fps: {rate:.6g}", f"fps: {rate:.6g}"]
    said += [
        f"name: {json.dumps(video.file, ensure_ascii=False)}",
        'exported_by: "megafish"',
        f'exported_time: "{tables.made_at:%Y-%m-%dT%H:%M:%SZ}"',
        f'labels_version: "{tables.origin.labels_version or "none"}"',
        f'version: "{tables.version}"',
        f"recipe: {json.dumps(tables.origin.recipe or 'none', ensure_ascii=False)}",
    ]
    return _csv_line(COLUMNS) + _csv_line(["# metadata", *said])


def _csv_line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _written_names(kinds: pl.Series) -> dict[str, str]:
    """Every name as it stands in a cell.

    A bracket at its beginning would make it an attribute: a space before it does not, and readers take it away.
    """
    spaced = {kind: f" {kind}" if kind.startswith("(") else kind for kind in kinds if kind != UNNAMED}
    return {kind: _csv_line([name]).rstrip("\n") for kind, name in spaced.items()}


def _line(video: Video, rows: pl.DataFrame, written: Mapping[str, str]) -> pl.Expr:
    ids, name = _track_ids(rows["unit_id"].unique().sort()), _csv_line([video.file]).rstrip("\n")
    certainty = pl.coalesce("probability", "score").round(6)
    cells = [
        pl.col("unit_id").replace_strict(ids, return_dtype=pl.Int64),
        pl.lit(name),
        pl.col("frame_id"),
        *("left", "top", "right", "bottom"),
        pl.col("score").round(6),
        pl.lit(-1),
        pl.concat_str(pl.col("kind").replace_strict(written, default=None, return_dtype=pl.String), certainty,
                      separator=","),
        pl.format("(trk-atr) name_source {}", "name_source"),
        pl.format("(atr) is_counted {}", "is_counted"),
    ]  # fmt: skip
    return pl.concat_str(cells, separator=",", ignore_nulls=True)


def _track_ids(units: pl.Series) -> dict[str, int]:
    """Of a tracklet its number in the video; what is in none is numbered behind them."""
    tracklets = {unit: tracklet_number(unit) for unit in units if "/t" in unit}
    alone = count(max(tracklets.values(), default=-1) + 1)
    return tracklets | {unit: next(alone) for unit in units if unit not in tracklets}


def read_viame_csv(folder: Path) -> ReadAgain:
    """Rows of every file, without its head, and what DIVE refuses: an id, a frame or a corner that is no number, frames
    that go back, a box without a size."""
    n_rows: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    for path in sorted(folder.glob("*.csv")):
        holds, last_frame = f"boxes of {path.stem}", 0
        n_rows[holds] = 0
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                if not row[0].startswith("#"):
                    n_rows[holds] += 1
                    broken["lines that hold no track, frame and box"] += not _is_box(row)
                    frame = int(row[2]) if row[2].isdigit() else last_frame
                    broken["frames that go back"] += frame < last_frame
                    last_frame = frame
    return ReadAgain(n_rows, [f"{what}: {n}" for what, n in broken.items() if n])


def _is_box(row: list[str]) -> bool:
    try:
        left, top, right, bottom = map(float, row[3:7])
        return int(row[0]) >= 0 and int(row[2]) >= 0 and left < right and top < bottom and float(row[8]) == -1
    except (ValueError, IndexError):
        return False
