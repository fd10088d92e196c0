"""A film of a video with its tracklets drawn: where eyes see whether a box stays with its animal."""

from pathlib import Path

import cv2
import numpy as np
import polars as pl

from megafish_assets.crops.cutting import pixel_box
from megafish_assets.features.plots import cluster_colour
from megafish_assets.footage.boxes import BOX
from megafish_assets.footage.decoding import wanted_frames
from megafish_assets.footage.ids import tracklet_number

FPS = 30
TRAIL_FRAMES = 20
"""Of a tracklet's way, drawn behind its box."""

ALONE_BGR = (150, 150, 150)
"""Of a box that is alone in its tracklet."""


def tracklet_film(video: Path, rows: pl.DataFrame, film: Path, width_px: int = 1280) -> int:
    """Writes the video's frames that could be decoded, with every box in its tracklet's colour and the way it came.

    `rows` holds the columns `RAW` of one video and `tracklet_id`. Returns the number of frames; raises
    UnreadableVideoError, and OSError where the film can't be written.
    """
    lengths = pl.len().over("tracklet_id").alias("length")
    by_frame = rows.with_columns(lengths).partition_by("frame_id", as_dict=True)
    ways: dict[str, list[tuple[int, tuple[int, int]]]] = {}
    film.parent.mkdir(parents=True, exist_ok=True)
    writer, n_frames = None, 0
    for frame in wanted_frames(video, (), every=1):
        picture = frame.square_bgr
        boxes = by_frame.get((frame.frame_id,), rows.clear())
        for row in boxes.iter_rows(named=True):
            _draw(picture, frame.frame_id, row, ways)
        if writer is None:  # a film has one size, whatever sizes its video changes to
            height, width = picture.shape[:2]
            size_wh = min(width, width_px), max(2, round(height * min(width, width_px) / width) // 2 * 2)
            writer = cv2.VideoWriter(str(film), cv2.VideoWriter_fourcc(*"mp4v"), FPS, size_wh)
            if not writer.isOpened():
                raise OSError(f"{film} can't be written: is the disk full, or something else in its place?")
        writer.write(cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA))
        n_frames += 1
    if writer is not None:
        writer.release()
    return n_frames


def _draw(picture: np.ndarray, frame_id: int, row: dict, ways: dict[str, list[tuple[int, tuple[int, int]]]]) -> None:
    """One box with its number, and the way of its tracklet."""
    height, width = picture.shape[:2]
    box = pixel_box(tuple(row[name] for name in BOX), (width, height))
    if box is None:
        return
    thick, number = max(1, width // 640), tracklet_number(row["tracklet_id"])
    red, green, blue = (round(255 * channel) for channel in cluster_colour(number))
    colour = ALONE_BGR if row["length"] == 1 else (blue, green, red)
    way = ways.setdefault(row["tracklet_id"], [])
    way.append((frame_id, ((box.left_px + box.right_px) // 2, (box.top_px + box.bottom_px) // 2)))
    recent = np.array([place for seen, place in way if frame_id - seen <= TRAIL_FRAMES], dtype=np.int32)
    cv2.polylines(picture, [recent], False, colour, thick, cv2.LINE_AA)
    cv2.rectangle(picture, (box.left_px, box.top_px), (box.right_px - 1, box.bottom_px - 1), colour, thick, cv2.LINE_AA)
    at = (box.left_px, max(12 * thick, box.top_px - 4 * thick))
    cv2.putText(picture, str(number), at, cv2.FONT_HERSHEY_SIMPLEX, 0.4 * thick, colour, thick, cv2.LINE_AA)
