"""`yolo`: pictures with their boxes, as Ultralytics trains on them: one frame a second, some thousand at most.

```
data.yaml                       names and folders
images/train/<video>_000030.jpg  a frame
labels/train/<video>_000030.txt  its boxes: class from 0, then middle, width and height as shares of the frame
```

Videos, not frames, are parted into `train` and `val`: of two frames of one clip each would give the other away.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from megafish_assets.exports.drawn_boxes import categories, drawn_boxes
from megafish_assets.exports.tables import ExportTables
from megafish_assets.exports.writing import Part

DATA = "data.yaml"
SPLITS = ("train", "val")

VAL_SHARE = 0.2
"""Of the videos, drawn by their names: a video that is added moves none of the others."""

FRAME_SECONDS = 1.0
"""From one frame of a video to the next: what follows it sooner teaches little more."""

MOST_FRAMES = 2_000
"""In all, spread evenly over the videos: about 400 MB."""

NOT_DRAWN, NOT_DECODED = "boxes of frames that are not drawn", "boxes of frames that can't be decoded"


def write_yolo(tables: ExportTables, folder: Path) -> list[Part]:
    """The folder; frames are those with boxes, and every counted box of a drawn frame is on it."""
    numbers, left_out, n_boxes = categories(tables), Counter(), Counter()
    split_of = splits(tables.videos["video"].to_list())
    most = max(1, MOST_FRAMES // max(1, tables.videos.height))
    for split in SPLITS:
        for kind in ("images", "labels"):
            (folder / kind / split).mkdir(parents=True)
    for row, boxes in drawn_boxes(tables, left_out):
        chosen = chosen_frames(boxes, most)
        wanted = boxes.filter(pl.col("frame_id").is_in(chosen))
        left_out[NOT_DRAWN] += boxes.height - wanted.height
        drawn, split = set(), split_of[row["video"]]
        for frame_id, jpeg in tables.pictures(row["video_file"], chosen):
            own = wanted.filter(pl.col("frame_id") == frame_id)
            name = f"{row['video']}_{frame_id:06d}"
            (folder / "images" / split / f"{name}.jpg").write_bytes(jpeg)
            lines = [_line(box, row, numbers) for box in own.iter_rows(named=True)]
            (folder / "labels" / split / f"{name}.txt").write_text("".join(lines), encoding="utf-8")
            drawn.add(frame_id)
            n_boxes[split] += own.height
        left_out[NOT_DECODED] += wanted.filter(~pl.col("frame_id").is_in(sorted(drawn))).height
    (folder / DATA).write_text(_data(numbers, n_boxes), encoding="utf-8")
    n_left_out = sum(left_out.values())
    return [
        Part(DATA, "train", n_boxes["train"] + n_left_out, dict(left_out)),
        Part(DATA, "val", n_boxes["val"]),
    ]


def splits(videos: list[str]) -> dict[str, str]:
    """`train` or `val` of each video; of two or more at least one is in each."""
    drawn = {video: int.from_bytes(hashlib.sha256(video.encode()).digest()[:8], "big") / 2**64 for video in videos}
    found = {video: "val" if draw < VAL_SHARE else "train" for video, draw in drawn.items()}
    if len(videos) > 1:
        order = sorted(videos, key=drawn.__getitem__)
        found[order[0]], found[order[-1]] = "val", "train"
    return found


def chosen_frames(boxes: pl.DataFrame, most: int) -> list[int]:
    """The frames of one video that are drawn: the first with boxes of each second, at most so many, evenly spread."""
    second = (pl.col("seconds").fill_null(pl.col("frame_id") / 30) / FRAME_SECONDS).floor()
    firsts = boxes.group_by(second.alias("second")).agg(pl.col("frame_id").min()).sort("frame_id")["frame_id"].to_list()
    step = max(1.0, len(firsts) / most)
    return [firsts[int(place * step)] for place in range(min(most, len(firsts)))]


def _line(box: Mapping, video: Mapping, numbers: Mapping[str, int]) -> str:
    width, height = video["width_px"], video["height_px"]
    middle = (box["x_px"] + box["width_px"] / 2) / width, (box["y_px"] + box["height_px"] / 2) / height
    sides = box["width_px"] / width, box["height_px"] / height
    return f"{numbers[box['kind']] - 1} " + " ".join(f"{share:.6f}" for share in (*middle, *sides)) + "\n"


def _data(numbers: Mapping[str, int], n_boxes: Mapping[str, int]) -> str:
    """JSON, which YAML is more than: whatever a name holds, it stays a name."""
    val = "images/val" if n_boxes["val"] else "images/train"
    names = {number - 1: name for name, number in numbers.items()}
    lines = ["path: .", "train: images/train", f"val: {val}", "names:"]
    return "\n".join([*lines, *(f"  {number}: {json.dumps(name)}" for number, name in names.items())]) + "\n"


def read_yolo(folder: Path) -> Mapping[str, int]:
    """Boxes of each split that lie within their picture; those of a file without a picture count for nothing."""
    counts = Counter()
    for split in SPLITS:
        for path in (folder / "labels" / split).glob("*.txt"):
            if (folder / "images" / split / f"{path.stem}.jpg").is_file():
                counts[split] += sum(_is_box(line) for line in path.read_text(encoding="utf-8").splitlines())
    return counts


def _is_box(line: str) -> bool:
    x, y, width, height = map(float, line.split()[1:])
    edges = (x - width / 2, y - height / 2, 1 - x - width / 2, 1 - y - height / 2)
    return min(edges) > -1e-5 and width > 0 and height > 0
