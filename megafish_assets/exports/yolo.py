"""Pictures and labels as Ultralytics reads them, to train a detector: some frames, not all.

```
data.yaml                               classes, and where the pictures lie
images/train/megalab_0004_000123.jpg    the frame, in stored px, upright
labels/train/megalab_0004_000123.txt    a line a box: class, middle x, middle y, width, height, as shares of the frame
frames.csv                              which frame of which video each picture is
```

Source: docs.ultralytics.com/datasets/detect: labels lie where `images` in the picture's path is `labels`.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import polars as pl

from megafish_assets.exports.fish_boxes import CUT, Video, categories, fish_boxes, picture_name, videos_by_key
from megafish_assets.exports.frame_choice import LABELLED, TRAIN, VALIDATION, chosen_frames, learned_boxes, split_of
from megafish_assets.exports.tables import ExportTables
from megafish_assets.exports.writing import Part, ReadAgain
from megafish_assets.labels.naming import PERSON

DATA, FRAMES = "data.yaml", "frames.csv"

WRITE, LEAVE_OUT = "write", "leave_out"
"""What may be done with the pictures."""

AT_MOST, APART_SECONDS, VALIDATION_SHARE = 500, 1.0, 0.2
"""500 frames of 1080p are about 300 MB. Within a second little has moved, and pictures that are alike teach little."""

QUALITY = 95
"""Of the JPEGs, as of crops."""

SHARE_DECIMALS = 6

COLUMNS = ("picture", "split", "video", "video_file", "frame_id", "seconds", "n_boxes")
"""Of `frames.csv`."""

UNREAD = "that can't be read"
ELSEWHERE = "in other frames"
NOT_LEARNED = "in these frames: parts, seen for less than a third of a second, or no fish"


def missing_for_yolo(tables: ExportTables, frames: str = LABELLED, **_: object) -> list[str]:
    """A name, where only frames with one are wanted."""
    named = tables.sightings.filter(pl.col("not_fish").is_null() & (pl.col("name_source") == PERSON))
    if frames == LABELLED and named.is_empty():
        return ['the name of a fish (docs/names.md), or `frames = "any"` in the section `yolo` of megafish.toml']
    return []


def write_yolo(
    tables: ExportTables,
    folder: Path,
    frames: str = LABELLED,
    at_most: int = AT_MOST,
    apart_seconds: float = APART_SECONDS,
    pictures: str = WRITE,
    validation_share: float = VALIDATION_SHARE,
) -> list[Part]:
    """The chosen frames with all that is to be learned of them; where `pictures` are left out their labels alone, for
    whoever has the frames as files."""
    kinds, videos = categories(tables)["kind"].to_list(), videos_by_key(tables)
    chosen = chosen_frames(tables, frames == LABELLED, apart_seconds, at_most)
    splits, rows, counts = split_of(list(chosen), validation_share), [], Counter()
    for place in (TRAIN, VALIDATION):
        for kind in ("images", "labels"):
            (folder / kind / place).mkdir(parents=True)
    for key, frame_ids in chosen.items():
        boxes, split = tables.boxes.of(key), splits[key]
        labels = learned_boxes(fish_boxes(boxes, videos[key]).rows).filter(pl.col("frame_id").is_in(frame_ids))
        written = (
            _pictures(tables, folder / "images" / split, videos[key], frame_ids) if pictures == WRITE else frame_ids
        )
        for frame_id in written:
            own, name = labels.filter(frame_id=frame_id), _name(key, frame_id)
            text = "".join(label_lines(own, videos[key], kinds))
            (folder / "labels" / split / name).with_suffix(".txt").write_text(text)
            there = boxes.filter(frame_id=frame_id)
            rows.append((name, split, key, videos[key].file, frame_id, there["seconds"][0], own.height))
            counts += Counter({"boxes": own.height, "cut": own["is_cut"].sum(), "there": there.height})
    _write_frames(folder / FRAMES, rows)
    text = data_yaml(tables, kinds, is_split=VALIDATION in splits.values(), has_pictures=pictures == WRITE)
    (folder / DATA).write_text(text, encoding="utf-8")
    n_chosen, n_given = sum(map(len, chosen.values())), tables.videos["n_boxes"].sum()
    left_out = {ELSEWHERE: n_given - counts["there"], NOT_LEARNED: counts["there"] - counts["boxes"]}
    return [
        Part(FRAMES, "frames", n_chosen, {UNREAD: n_chosen - len(rows)}),
        Part(FRAMES, "boxes", n_given, left_out, {CUT: counts["cut"]}),
        Part(DATA, "classes", len(kinds)),
    ]


def _name(video: str, frame_id: int) -> str:
    return pl.select(picture_name(pl.lit(video), pl.lit(frame_id))).item()


def _pictures(tables: ExportTables, folder: Path, video: Video, frame_ids: Sequence[int]) -> Iterator[int]:
    """Writes the frames that can be read, and yields their numbers."""
    for frame in tables.frames(video.file, frame_ids):
        path = folder / _name(video.key, frame.frame_id)
        path.write_bytes(cv2.imencode(".jpg", frame.pixels_bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes())
        yield frame.frame_id


def label_lines(rows: pl.DataFrame, video: Video, kinds: Sequence[str]) -> list[str]:
    """A line a row of `FishBoxes`."""
    sides = (("left", "right", video.width_px), ("top", "bottom", video.height_px))
    middles = [(pl.col(low) + pl.col(high)) / 2 / end for low, high, end in sides]
    lengths = [(pl.col(high) - pl.col(low)) / end for low, high, end in sides]
    numbers = {kind: number for number, kind in enumerate(kinds)}
    cells = [pl.col("kind").replace_strict(numbers, return_dtype=pl.Int64)]
    cells += [share.round(SHARE_DECIMALS) for share in (*middles, *lengths)]
    return rows.select(pl.concat_str(cells, separator=" ") + "\n").to_series().to_list()


def data_yaml(tables: ExportTables, kinds: Sequence[str], is_split: bool, has_pictures: bool) -> str:
    """What Ultralytics is told. Without `path` it looks for the pictures in the folder of this file."""
    validation = VALIDATION if is_split else TRAIN
    told = [
        f"# megafish {tables.made_at:%Y-%m-%d}, {tables.source}",
        f"# {tables.recipe}",
        "# Names are people's, or computed from theirs; kind <number> and unnamed are fish that nobody has named.",
        "# What is taken for no fish has no box. Which frame of which video a picture is: frames.csv.",
    ]
    if not is_split:
        told.append("# All pictures are of one video, or none was to be set aside: what is judged here was learned.")
    if not has_pictures:
        told.append("# Labels alone: put the frames into images/ under the names in frames.csv before you train.")
    names = [f"  {number}: {json.dumps(kind, ensure_ascii=False)}" for number, kind in enumerate(kinds)]
    return "\n".join([*told, f"train: images/{TRAIN}", f"val: images/{validation}", "names:", *names, ""])


def _write_frames(path: Path, rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def read_yolo(folder: Path) -> ReadAgain:
    """Files of labels, lines in them and classes, and what Ultralytics refuses or leaves out."""
    told = (folder / DATA).read_text(encoding="utf-8").splitlines()
    n_classes, broken = len(told) - told.index("names:") - 1, Counter()
    labels = {path: path.read_text().splitlines() for path in sorted(folder.glob("labels/*/*.txt"))}
    names = {path.relative_to(folder / "labels").with_suffix("") for path in labels}
    pictures = {path.relative_to(folder / "images").with_suffix("") for path in folder.glob("images/*/*.jpg")}
    if pictures:  # else the labels alone were wanted
        broken["pictures without labels, or labels without a picture"] = len(pictures ^ names)
    lines = [line for of_picture in labels.values() for line in of_picture]
    broken["lines that are no class and four shares of the frame"] = sum(
        not _is_label(line.split(), n_classes) for line in lines
    )
    n_rows = {"frames": len(labels), "boxes": len(lines), "classes": n_classes}
    return ReadAgain(n_rows, [f"{what}: {n}" for what, n in broken.items() if n])


def _is_label(cells: Sequence[str], n_classes: int) -> bool:
    try:
        kind, *shares = int(cells[0]), *map(float, cells[1:])
    except (ValueError, IndexError):
        return False
    return len(shares) == 4 and 0 <= kind < n_classes and all(0 <= share <= 1 for share in shares)
