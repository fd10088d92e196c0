"""Some frames of a collection with the detector's boxes, on one picture for a person to look at first."""

from collections.abc import Mapping
from pathlib import Path

import av
import cv2
import numpy as np
import polars as pl

from megafish_assets.crops.overlay import draw_boxes, jpeg
from megafish_assets.footage.boxes import Boxes
from megafish_assets.footage.containers import UnreadableVideoError
from megafish_assets.footage.decoding import wanted_frames

N_FRAMES = 10

EARLY_FRAMES = 60
"""Frames to draw are looked for among a video's first: decoding further would take longer than a look."""

SHEET_COLUMNS, TILE_WIDTH_PX = 2, 640

CAN_NOT_BE_READ = (UnreadableVideoError, av.error.FFmpegError, cv2.error)
"""What reading a video may end with; it is set aside by name later, and stops no other."""


def spread(files: list, most: int) -> list:
    """At most so many, at even steps through all."""
    steps = np.linspace(0, len(files) - 1, min(most, len(files))) if files else []
    return [files[round(step)] for step in steps]


def contact_sheet(paths: Mapping[str, Path], rows: pl.DataFrame, most_megapixels: float) -> bytes | None:
    """A JPEG of early frames of the videos at these paths, by `video_file`, with their boxes out of `rows`, which hold
    the columns `RAW`; None where no frame with a box can be read."""
    tiles: list[np.ndarray] = []
    early = rows.filter(pl.col("frame_id").is_between(0, EARLY_FRAMES))
    n_each = -(-N_FRAMES // max(1, len(paths)))
    for file, path in paths.items():
        tiles += _tiles(path, early.filter(pl.col("video_file") == file), n_each, most_megapixels)
    tiles = tiles[:N_FRAMES]
    if not tiles:
        return None
    tall = max(tile.shape[0] for tile in tiles)
    tiles = [cv2.copyMakeBorder(tile, 0, tall - tile.shape[0], 0, 0, cv2.BORDER_CONSTANT) for tile in tiles]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % SHEET_COLUMNS)
    lines = [np.hstack(tiles[first : first + SHEET_COLUMNS]) for first in range(0, len(tiles), SHEET_COLUMNS)]
    return jpeg(np.vstack(lines), SHEET_COLUMNS * TILE_WIDTH_PX)


def _tiles(path: Path, rows: pl.DataFrame, most: int, most_megapixels: float) -> list[np.ndarray]:
    """Up to so many frames of one video, uint8 `(height, TILE_WIDTH_PX, 3)`, as far as it can be read."""
    chosen, tiles = spread(sorted(rows["frame_id"].unique().to_list()), most), []
    try:
        for frame in wanted_frames(path, chosen, most_megapixels=most_megapixels):
            pixels, boxes = frame.square_bgr, Boxes.of(rows.filter(pl.col("frame_id") == frame.frame_id))
            draw_boxes(pixels, boxes, set(boxes.detection_ids))
            height = round(TILE_WIDTH_PX * pixels.shape[0] / pixels.shape[1])
            tiles.append(cv2.resize(pixels, (TILE_WIDTH_PX, height), interpolation=cv2.INTER_AREA))
    except CAN_NOT_BE_READ:
        return tiles
    return tiles
