"""`coco`: boxes with their tracks, videos and names, as COCO's JSON with the `videos` and `tracks` of kwcoco.

One record a line, so that millions of boxes are written, and read again, a line at a time.
"""

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TextIO

import polars as pl

from megafish_assets.exports.drawn_boxes import categories, drawn_boxes
from megafish_assets.exports.tables import ExportTables
from megafish_assets.exports.writing import Part

FILE = "boxes.json"
SECTIONS = ("videos", "categories", "tracks", "images", "annotations")
DECIMALS = 2
"""Of a box's edges, px: a detector is off by more."""


def write_coco(tables: ExportTables, folder: Path) -> list[Part]:
    """`boxes.json`; an image is a frame with boxes, whose `file_name` is where its picture would lie."""
    numbers, left_out, n_written = categories(tables), Counter(), Counter()
    tracks: dict[str, int] = {}
    with (
        (folder / FILE).open("w", encoding="utf-8") as file,
        tempfile.TemporaryFile("w+", dir=folder, encoding="utf-8") as kept,
    ):
        file.write(f'{{"info": {json.dumps(_info(tables))}')
        videos = _videos(tables)
        n_written["videos"] = _section(file, "videos", videos.values())
        named = ({"id": number, "name": name, **_taxon(tables, name)} for name, number in numbers.items())
        n_written["categories"] = _section(file, "categories", named)
        images = _images(tables, videos, numbers, tracks, kept, left_out, n_written)
        n_written["images"] = _section(file, "images", images)
        n_written["tracks"] = _section(file, "tracks", ({"id": n, "name": name} for name, n in tracks.items()))
        kept.seek(0)
        file.write(',\n"annotations": [\n')
        shutil.copyfileobj(kept, file)
        file.write("\n]}\n")
    n_left_out = sum(left_out.values())
    given = {name: n_written[name] + (n_left_out if name == "annotations" else 0) for name in SECTIONS}
    return [Part(FILE, name, given[name], dict(left_out) if name == "annotations" else {}) for name in SECTIONS]


def _info(tables: ExportTables) -> dict[str, str]:
    return {
        "description": "Boxes of sightings that count, by megafish: found by a detector, named by people and likeness",
        "date_created": tables.made_at.isoformat(timespec="seconds"),
        "version": tables.version,
        "labels_version": tables.origin.labels_version or "none",
        "backbone": tables.origin.backbone or "none",
    }


def _videos(tables: ExportTables) -> dict[str, dict]:
    rows = tables.videos.iter_rows(named=True)
    return {
        row["video"]: {
            "id": number,
            "name": row["video"],
            "file_name": row["video_file"],
            "width": row["width_px"],
            "height": row["height_px"],
            "fps": row["frames_per_second"],
        }
        for number, row in enumerate(rows, start=1)
    }


def _taxon(tables: ExportTables, name: str) -> dict[str, str | int]:
    known = tables.kinds.filter(pl.col("kind") == name).select("scientific_name", "aphia_id").rows(named=True)
    return {key: value for row in known for key, value in row.items() if value is not None}


def _images(
    tables: ExportTables,
    videos: Mapping[str, dict],
    numbers: Mapping[str, int],
    tracks: dict[str, int],
    kept: TextIO,
    left_out: Counter[str],
    n_written: Counter[str],
) -> Iterator[dict]:
    """The frames with boxes, whose annotations go into `kept` meanwhile."""
    n_images = 0
    for row, boxes in drawn_boxes(tables, left_out):
        video = videos[row["video"]]
        for (frame_id,), own in boxes.partition_by("frame_id", as_dict=True, maintain_order=True).items():
            n_images += 1
            for box in own.iter_rows(named=True):
                n_written["annotations"] += 1
                track = tracks.setdefault(box["tracklet_id"], len(tracks) + 1)
                record = _annotation(box, n_written["annotations"], n_images, track, numbers[box["kind"]])
                kept.write((",\n" if n_written["annotations"] > 1 else "") + _line(record))
            yield {
                "id": n_images,
                "video_id": video["id"],
                "frame_index": frame_id,
                "timestamp": own["seconds"][0],
                "file_name": f"{row['video']}/{frame_id:06d}.jpg",
                "width": video["width"],
                "height": video["height"],
            }


def _annotation(box: Mapping, number: int, image: int, track: int, category: int) -> dict:
    xywh_px = [round(box[side], DECIMALS) for side in ("x_px", "y_px", "width_px", "height_px")]
    return {
        "id": number,
        "image_id": image,
        "track_id": track,
        "category_id": category,
        "bbox": xywh_px,
        "area": round(xywh_px[2] * xywh_px[3], DECIMALS),
        "iscrowd": 0,
        "score": box["score"],
        "name_source": box["name_source"],
        "name_probability": box["probability"],
        "detection_id": box["detection_id"],
    }


def _line(record: Mapping) -> str:
    return json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _section(file: TextIO, name: str, records: Iterable[Mapping]) -> int:
    file.write(f',\n"{name}": [')
    n = 0
    for n, record in enumerate(records, start=1):
        file.write((",\n" if n > 1 else "\n") + _line(record))
    file.write("\n]")
    return n


def read_coco(folder: Path) -> Mapping[str, int]:
    """Records of each section, each line parsed by itself."""
    counts, section = Counter(), None
    with (folder / FILE).open(encoding="utf-8") as file:
        for line in file:
            text = line.strip().strip(",").removesuffix("}") if line.startswith("]") else line.strip()
            if text.startswith('"') and text.endswith("["):
                section = text.split('"')[1]
            elif section is not None and text.startswith("{"):
                json.loads(text.removesuffix(","))
                counts[section] += 1
    return counts
