"""COCO with the `videos` and `tracks` of kwcoco, one JSON file, of which only some videos are in memory at once.

```
{"info": {...},
"categories": [
{"id": 1, "name": "sergeant", ...}         a row a line, so that it is read again line by line
],
"videos": [ ... ], "tracks": [ ... ],
"images": [ ... ],                         every frame with a valid box, also where none of them is a fish
"annotations": [ ... ]}
```

Source: cocodataset.org (data format), gitlab.kitware.com/computer-vision/kwcoco (videos, tracks, frame_index).
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import polars as pl

from megafish_assets.exports.fish_boxes import (
    CUT,
    FishBoxes,
    Video,
    categories,
    fish_boxes_by_video,
    picture_name,
)
from megafish_assets.exports.tables import ExportTables
from megafish_assets.exports.writing import Part, ReadAgain

FILE = "megafish.coco.json"

LISTS = ("categories", "videos", "tracks", "images", "annotations")
"""In their order in the file."""

TOLERANCE_PX = 0.02
"""By which the sum of two rounded numbers may pass a frame's edge."""

SCORE_DECIMALS = 6


def write_coco(tables: ExportTables, folder: Path) -> list[Part]:
    """`megafish.coco.json`; of its pictures only the names, which are those that `yolo` writes."""
    names = categories(tables)
    ids = {kind: number for number, kind in enumerate(names["kind"], start=1)}
    n_rows, left_out, n_cut = Counter({"categories": names.height}), Counter(), 0
    with ExitStack() as stack:
        lists = {name: _List(stack.enter_context(_partial(folder, name).open("w+b"))) for name in LISTS}
        lists["categories"].add(_category_rows(names))
        for video, boxes in fish_boxes_by_video(tables):
            left_out, n_cut = left_out + boxes.left_out, n_cut + boxes.n_cut
            for name, rows in _rows_of_video(video, boxes, ids, n_rows).items():
                lists[name].add(rows)
                n_rows[name] += rows.height
        _join(folder / FILE, _info(tables, left_out, n_cut), lists)
    for name in LISTS:
        _partial(folder, name).unlink()
    given = {name: n_rows[name] for name in LISTS} | {"annotations": tables.videos["n_boxes"].sum()}
    changed = {"annotations": {CUT: n_cut}}
    return [
        Part(FILE, name, given[name], left_out if name == "annotations" else {}, changed.get(name, {}))
        for name in LISTS
    ]


def _partial(folder: Path, name: str) -> Path:
    return folder / f".{name}.partial"


@dataclass
class _List:
    """A list of the file, while it is not yet known where it begins."""

    file: IO[bytes]
    is_empty: bool = True

    def add(self, rows: pl.DataFrame) -> None:
        """Rows as lines of JSON, commas between them; no letter of JSON's is a line's end."""
        if rows.height:
            lines = rows.write_ndjson().rstrip("\n").replace("\n", ",\n")
            self.file.write((("" if self.is_empty else ",\n") + lines).encode())
            self.is_empty = False


def _join(path: Path, info: Mapping[str, object], lists: Mapping[str, _List]) -> None:
    with path.open("wb") as file:
        file.write(b'{"info": ' + json.dumps(info, ensure_ascii=False).encode())
        for name, rows in lists.items():
            file.write(f',\n"{name}": [\n'.encode())
            rows.file.seek(0)
            shutil.copyfileobj(rows.file, file, 1 << 20)
            file.write(b"\n]")
        file.write(b"}\n")


def _info(tables: ExportTables, left_out: Mapping[str, int], n_cut: int) -> dict[str, object]:
    return {
        "description": tables.site.title or "megafish",
        "date_created": tables.made_at.isoformat(),
        "version": tables.version,
        "labels_version": tables.origin.labels_version,
        "recipe": tables.origin.recipe,
        "bbox": "x, y, width, height in px of the upright frame, from its top left",
        "frame_index": "from 0",
        "timestamp": "seconds from the video's first frame",
        "left_out": dict(left_out),
        "n_cut_at_the_edge": n_cut,
    }


def _category_rows(names: pl.DataFrame) -> pl.DataFrame:
    known = names.select(pl.col("kind").alias("name"), "kind_id", "scientific_name", "aphia_id")
    return known.with_row_index("id", offset=1)


def _rows_of_video(
    video: Video, boxes: FishBoxes, category_ids: Mapping[str, int], n_before: Mapping[str, int]
) -> dict[str, pl.DataFrame]:
    """What a video adds to each list, numbered after what is there."""
    video_id = n_before["videos"] + 1
    known = {"width": video.width_px, "height": video.height_px, "fps": video.frames_per_second}
    known = {name: value for name, value in known.items() if value is not None}
    tracks = boxes.rows.select(pl.col("unit_id").unique().sort().alias("name"))
    tracks = tracks.with_row_index("id", offset=n_before["tracks"] + 1).with_columns(pl.lit(video_id).alias("video_id"))
    images = boxes.frames.with_row_index("id", offset=n_before["images"] + 1)
    return {
        "videos": pl.DataFrame([{"id": video_id, "name": video.key, "file_name": video.file} | known]),
        "tracks": tracks,
        "images": _image_rows(images, video, video_id),
        "annotations": _annotation_rows(boxes.rows, images, tracks, category_ids, n_before["annotations"] + 1),
    }


def _image_rows(images: pl.DataFrame, video: Video, video_id: int) -> pl.DataFrame:
    sides = {"width": video.width_px, "height": video.height_px}
    moment = pl.col("recorded_at").dt.to_string("%Y-%m-%dT%H:%M:%S%.6f")
    return images.select(
        "id",
        picture_name(pl.lit(video.key), pl.col("frame_id")).alias("file_name"),
        *[pl.lit(value).alias(name) for name, value in sides.items() if value is not None],
        pl.lit(video_id).alias("video_id"),
        pl.col("frame_id").alias("frame_index"),
        pl.col("seconds").round(6).alias("timestamp"),
        *([moment] if images["recorded_at"].null_count() == 0 else []),
    )


def _annotation_rows(
    rows: pl.DataFrame, images: pl.DataFrame, tracks: pl.DataFrame, category_ids: Mapping[str, int], first: int
) -> pl.DataFrame:
    width, height = pl.col("right") - pl.col("left"), pl.col("bottom") - pl.col("top")
    numbered = rows.join(images.select("frame_id", image_id="id"), on="frame_id", maintain_order="left").join(
        tracks.select(unit_id="name", track_id="id"), on="unit_id", maintain_order="left"
    )
    return numbered.with_row_index("id", offset=first).select(
        "id",
        "image_id",
        pl.col("kind").replace_strict(category_ids, return_dtype=pl.Int64).alias("category_id"),
        "track_id",
        pl.concat_list("left", "top", width.round(2), height.round(2)).alias("bbox"),
        (width * height).round(2).alias("area"),
        pl.lit(0).alias("iscrowd"),
        pl.col("score").round(SCORE_DECIMALS),
        *("detection_id", "name_source", pl.col("probability").round(SCORE_DECIMALS), "is_counted"),
    )


def rows_again(path: Path) -> Iterator[tuple[str, dict]]:
    """Every row with the name of its list, line by line: the whole may be larger than the memory."""
    name = ""
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.startswith('"'):
                name = json.loads(line[: line.index(":")])
            elif line.startswith("{") and name:
                yield name, json.loads(line.rstrip().removesuffix(","))


def read_coco(folder: Path) -> ReadAgain:
    """Rows of each list, and the rules of the format that they break."""
    n_rows, sizes, broken = Counter(), {}, Counter()
    for name, row in rows_again(folder / FILE):
        n_rows[name] += 1
        if row["id"] != n_rows[name]:
            broken[f"{name} that are not numbered one by one from 1"] += 1
        if name == "images":
            sizes[row["id"]] = row.get("width"), row.get("height")
            broken["images of no video"] += not 1 <= row["video_id"] <= n_rows["videos"]
        elif name == "annotations":
            for field, of in (("image_id", "images"), ("category_id", "categories"), ("track_id", "tracks")):
                broken[f"annotations whose {field} is none of {of}"] += not 1 <= row[field] <= n_rows[of]
            broken["annotations out of their image"] += not _is_within(row["bbox"], sizes.get(row["image_id"]))
    return ReadAgain(n_rows, [f"{what}: {n}" for what, n in broken.items() if n])


def _is_within(bbox: list[float], size: tuple[int | None, int | None] | None) -> bool:
    if size is None or None in size:
        return False
    x, y, width, height = bbox
    over_x, over_y = x + width - size[0], y + height - size[1]
    return min(x, y) >= 0 and min(width, height) > 0 and max(over_x, over_y) <= TOLERANCE_PX
