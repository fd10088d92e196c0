"""What can be known to go wrong before hours are spent on it: looked at in seconds, before the first asset.

Here: weights, video files, the space of the boxes, the frames' numbers, the disk. Not here: what only the rows
themselves show, which their checks judge.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np
import polars as pl

from megafish_assets.crops.decoding import UnreadableVideoError, video_header, wanted_frames
from megafish_assets.crops.overlay import draw_boxes, jpeg
from megafish_assets.detections.box_space import misread_boxes, misread_frames
from megafish_assets.detections.boxes import Boxes
from megafish_assets.detections.faults import sound_rows
from megafish_assets.detections.raw import Clock, raw_detections
from megafish_assets.embeddings.backbones import Backbone
from megafish_assets.embeddings.weights import find_weights, is_on_the_hub, missing_weights
from megafish_assets.orchestration.resources import Inference, Recordings, read_owners_table
from megafish_assets.orchestration.settings import Settings

LOOKED_AT = 10
"""Videos of which the header is read and some frames are drawn, spread over the collection."""

EARLY_FRAMES = 60
"""Frames to draw are looked for among a video's first: decoding further would take longer than a look."""

SHEET_COLUMNS, TILE_WIDTH_PX = 2, 640

LEAST_FREE_GB = 1.0
"""Of the disk: crops, vectors and the history of a few hundred videos."""

NAMED = 5

CAN_NOT_BE_READ = (UnreadableVideoError, av.error.FFmpegError, cv2.error)
"""What reading a video may end with; it is set aside by name later, and stops no other."""


@dataclass
class Preflight:
    """What was found."""

    refusals: list[str] = field(default_factory=list)
    """Each says what is wrong and what to do; nothing should be made before it is mended."""
    warnings: list[str] = field(default_factory=list)
    sheet: Path | None = None
    """A picture of some frames with the detector's boxes, for a person to look at."""


def preflight(videos: pl.DataFrame, inference: Inference, settings: Settings, trusts_boxes: bool = False) -> Preflight:
    """Looks at everything once; `videos` as `Inference.arrivals` tells them.

    `trusts_boxes` leaves out what the numbers of boxes and frames say. The sheet is drawn before a collection's first
    asset only.
    """
    found = Preflight()
    found.refusals += _weights(settings.backbones, settings.weights)
    _owners_table(settings.owners_table, videos["video_file"], found)
    paths = _paths(videos, Recordings.of(settings.recordings, settings.clock), found)
    some = _spread(sorted(paths), LOOKED_AT)
    sizes, n_frames = {}, {}
    for file in some:
        try:
            header = video_header(paths[file], settings.most_megapixels)
        except CAN_NOT_BE_READ:
            continue
        sizes[file] = header.size_wh_px
        if header.n_frames is not None:
            n_frames[file] = header.n_frames
    rows = inference.rows_of(list(sizes))
    if not trusts_boxes:
        told = misread_boxes(rows, sizes), misread_frames(_ends(rows), n_frames)
        found.refusals += [f"{why}\nIf they are right as they are: make materialise TRUST=boxes" for why in told if why]
    found.refusals += _disk(settings.root)
    if not found.refusals and not settings.tables.exists():
        sheet = _sheet({file: paths[file] for file in sizes}, rows, settings.most_megapixels)
        if sheet is not None:
            found.sheet = settings.figures / "boxes.jpg"
            found.sheet.parent.mkdir(parents=True, exist_ok=True)
            found.sheet.write_bytes(sheet)
    return found


def _weights(backbones: Sequence[Backbone], folder: Path | None) -> Iterator[str]:
    for backbone in backbones:
        weights = find_weights(backbone, folder)
        if weights.path is None and not is_on_the_hub(weights):
            yield missing_weights(weights)
        elif weights.path is not None and not weights.path.is_file():
            yield f"no weights at {weights.path}"


def _owners_table(path: Path, video_files: pl.Series, found: Preflight) -> None:
    """Whether `recordings.csv` can be read, and meets the files that it should."""
    try:
        said = read_owners_table(str(path))
    except ValueError as error:
        found.refusals.append(str(error))
        return
    strange = said["file"].filter(~said["file"].is_in(video_files.to_list())).to_list()
    if strange:
        named = ", ".join(map(repr, strange[:NAMED]))
        found.warnings.append(f"{path}: {len(strange)} of {said.height} files are not in the inference table: {named}")


def _disk(root: Path) -> Iterator[str]:
    place = next(folder for folder in (root, *root.parents) if folder.exists())
    if not os.access(place, os.W_OK):
        yield f"{place} can't be written to by this user: tables and pictures would lie below it"
    free_gb = shutil.disk_usage(place).free / 1e9
    if free_gb < LEAST_FREE_GB:
        yield f"{place} has {free_gb:.2f} GB left, less than {LEAST_FREE_GB:g}: free some first"


def _paths(videos: pl.DataFrame, recordings: Recordings, found: Preflight) -> dict[str, Path]:
    """The video files that are there."""
    paths = {file: recordings.path(file) for file in videos["video_file"]}
    there = {file: path for file, path in paths.items() if path is not None and path.is_file()}
    gone = sorted(paths.keys() - there.keys())
    if gone:
        told = f"{len(gone)} of {len(paths)} video files are not there: {', '.join(map(repr, gone[:NAMED]))}"
        first = paths[gone[0]]
        place = f"{gone[0]!r} was looked for at {first}" if first else f"{gone[0]!r} lies outside {recordings.folder}"
        told = f"{told}. {place}; names are paths below MEGAFISH_RECORDINGS ({recordings.folder})"
        (found.warnings if there else found.refusals).append(told)
    return there


def _spread(files: list[str], most: int) -> list[str]:
    """At most so many, at even steps through all."""
    steps = np.linspace(0, len(files) - 1, min(most, len(files))) if files else []
    return [files[round(step)] for step in steps]


def _ends(rows: pl.DataFrame) -> pl.DataFrame:
    """The first and last frame of each video with a box."""
    frame = pl.col("frame_id").cast(pl.Int64, strict=False)
    ends = rows.group_by("video_file").agg(frame.min().alias("first_frame"), frame.max().alias("last_frame"))
    return ends.drop_nulls()


def _sheet(paths: dict[str, Path], rows: pl.DataFrame, most_megapixels: float) -> bytes | None:
    """Some early frames of these videos with their boxes, as one JPEG; None where there are none."""
    tiles: list[np.ndarray] = []
    sound = sound_rows(raw_detections(rows, Clock(1, 1, None))).filter(pl.col("frame_id").is_between(0, EARLY_FRAMES))
    n_each = -(-LOOKED_AT // max(1, len(paths)))
    for file, path in paths.items():
        own = sound.filter(pl.col("video_file") == file)
        chosen = _spread(sorted(own["frame_id"].unique().to_list()), n_each)
        try:
            for frame in wanted_frames(path, chosen, most_megapixels=most_megapixels):
                pixels, boxes = frame.square_bgr, Boxes.of(own.filter(pl.col("frame_id") == frame.frame_id))
                draw_boxes(pixels, boxes, set(boxes.detection_ids))
                height = round(TILE_WIDTH_PX * pixels.shape[0] / pixels.shape[1])
                tiles.append(cv2.resize(pixels, (TILE_WIDTH_PX, height), interpolation=cv2.INTER_AREA))
        except CAN_NOT_BE_READ:
            continue
    tiles = tiles[:LOOKED_AT]
    if not tiles:
        return None
    tall = max(tile.shape[0] for tile in tiles)
    tiles = [cv2.copyMakeBorder(tile, 0, tall - tile.shape[0], 0, 0, cv2.BORDER_CONSTANT) for tile in tiles]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % SHEET_COLUMNS)
    lines = [np.hstack(tiles[first : first + SHEET_COLUMNS]) for first in range(0, len(tiles), SHEET_COLUMNS)]
    return jpeg(np.vstack(lines), SHEET_COLUMNS * TILE_WIDTH_PX)
