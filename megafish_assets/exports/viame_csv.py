"""`viame_csv`: a file a video, for VIAME, DIVE and SEAMAP's tools.

Columns: track, video, frame from 0, left, top, right and bottom edge in px, the detector's confidence, length (-1: not
measured), then name and its probability. Lines that begin with # are notes.
"""

import csv
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from megafish_assets.exports.drawn_boxes import drawn_boxes
from megafish_assets.exports.tables import ExportTables
from megafish_assets.exports.writing import Part

HEADER = (
    "# 1: Detection or Track-id",
    "2: Video or Image Identifier",
    "3: Unique Frame Identifier",
    "4-7: Img-bbox(TL_x",
    "TL_y",
    "BR_x",
    "BR_y)",
    "8: Detection or Length Confidence",
    "9: Target Length (0 or -1 if invalid)",
    "10-11+: Repeated Species",
    "Confidence Pairs or Attributes",
)
"""As VIAME writes it."""

DECIMALS = 2


def write_viame_csv(tables: ExportTables, folder: Path) -> list[Part]:
    """`<video>.csv` of each video with boxes; tracks are numbered within it."""
    left_out, parts = Counter(), []
    for row, boxes in drawn_boxes(tables, left_out):
        name = f"{row['video']}.csv"
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(HEADER)
            file.write(f"# metadata,fps: {row['frames_per_second'] or -1:g},megafish version: {tables.version}\n")
            tracks: dict[str, int] = {}
            for box in boxes.iter_rows(named=True):
                track = tracks.setdefault(box["tracklet_id"], len(tracks) + 1)
                edges = (box["x_px"], box["y_px"], box["x_px"] + box["width_px"], box["y_px"] + box["height_px"])
                px = [round(edge, DECIMALS) for edge in edges]
                # Of a name that no probability was computed of, as a person's, the detector's confidence stands.
                sure = box["score"] if box["probability"] is None else box["probability"]
                named = [box["kind"], round(sure, 4)]
                writer.writerow([track, row["video_file"], box["frame_id"], *px, round(box["score"], 4), -1, *named])
        parts.append(Part(name, row["video"], boxes.height))
    return with_left_out(parts, left_out, folder)


def with_left_out(parts: list[Part], left_out: Mapping[str, int], folder: Path) -> list[Part]:
    """The parts, and one that says what is in none of them, in a file of its own."""
    lines = [f"{n} {why}" for why, n in left_out.items() if n] or ["nothing"]
    (folder / "left_out.txt").write_text("\n".join(["Left out:", *lines]) + "\n", encoding="utf-8")
    return [*parts, Part("left_out.txt", "left out", sum(left_out.values()), dict(left_out))]


def read_viame_csv(folder: Path) -> Mapping[str, int]:
    """Lines of each file that hold a box; one whose numbers are none counts for nothing."""
    counts = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.reader(file) if not row[0].startswith("#")]
        counts[path.name.removesuffix(".csv")] = sum(_is_box(row) for row in rows)
    return counts


def _is_box(row: list[str]) -> bool:
    left, top, right, bottom = map(float, row[3:7])
    return len(row) == 11 and int(row[0]) > 0 and int(row[2]) >= 0 and left < right and top < bottom
