"""One video's sampled boxes cut out of its frames."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import polars as pl

from megafish_assets.crops.columns import CROPS
from megafish_assets.crops.decoding import Frame, UnreadableVideoError, frame_index, wanted_frames
from megafish_assets.detections.columns import BOX, STRETCHED_PX, empty_frame

JPEG_QUALITY = 95
"""6.9 kB for a median crop of 91 x 103 px, a third of PNG's."""


@dataclass(frozen=True)
class PixelBox:
    """A box in a real frame."""

    left_px: int
    top_px: int
    right_px: int
    """One past the last column."""
    bottom_px: int
    """One past the last row."""
    clipped_share: float
    """Share of the box's area outside the frame."""


def pixel_box(box_xywh_1024: tuple[float, float, float, float], frame_wh_px: tuple[int, int]) -> PixelBox | None:
    """The whole pixels that a stretched box touches, clipped to the frame; None where it touches none."""
    x, y, width, height = box_xywh_1024
    scale_x, scale_y = frame_wh_px[0] / STRETCHED_PX, frame_wh_px[1] / STRETCHED_PX
    edges = np.array([x * scale_x, y * scale_y, (x + width) * scale_x, (y + height) * scale_y])
    if not np.isfinite(edges).all():
        return None
    # A detector's float noise must not add a column: 64.0000001 ends at 64, not at 65.
    left, top = np.floor(edges[:2] + 1e-6).astype(int)
    right, bottom = np.ceil(edges[2:] - 1e-6).astype(int)
    inside = max(left, 0), max(top, 0), min(right, frame_wh_px[0]), min(bottom, frame_wh_px[1])
    area, kept = (right - left) * (bottom - top), (inside[2] - inside[0]) * (inside[3] - inside[1])
    if inside[2] <= inside[0] or inside[3] <= inside[1]:
        return None
    return PixelBox(*map(int, inside), clipped_share=float(1 - kept / area))


def video_crops(path: Path | None, sampled: pl.DataFrame, see: Callable[[Frame], None] | None = None) -> pl.DataFrame:
    """One row of the columns `CROPS` for every sampled row of one video, in their order.

    What can't be cut keeps its row with the reason in `fault`. `see` is shown every frame that was decoded for
    the sample, so that pictures of whole frames need no second pass.
    """
    rows = {frame: group for (frame,), group in sampled.partition_by("frame_id", as_dict=True).items()}
    cut: dict[str, dict] = {}
    unreadable = None
    try:
        if path is None:
            raise UnreadableVideoError("the video file lies outside the recordings folder")
        for frame in wanted_frames(path, rows.keys()):
            for row in rows[frame.frame_id].iter_rows(named=True):
                cut[row["detection_id"]] = _cut(frame, row)
            if see is not None:
                see(frame)
    except UnreadableVideoError as error:
        unreadable = str(error)
    except cv2.error as error:
        unreadable = f"OpenCV failed: {error.err}"
    records = []
    n_frames = None if unreadable or len(cut) == sampled.height else len(frame_index(path).stamps_us)
    for row in sampled.iter_rows(named=True):
        found = cut.get(row["detection_id"])
        fault = unreadable or (None if found else _why_no_frame(row["frame_id"], n_frames))
        records.append(_record(row, {"fault": fault} | (found or {})))
    return pl.DataFrame(records, schema=empty_frame(CROPS).schema)


def _why_no_frame(frame_id: int, n_frames: int) -> str:
    if frame_id < 0:
        return "frame_id is negative"
    return f"frame is past the video's end ({n_frames} frames)" if frame_id >= n_frames else "frame can't be decoded"


def _record(row: dict, cut: dict) -> dict:
    blank = dict.fromkeys(CROPS)
    return blank | {name: row[name] for name in ("video", "detection_id", "frame_id")} | cut


def _cut(frame: Frame, row: dict) -> dict:
    height, width = frame.pixels_bgr.shape[:2]
    box = pixel_box(tuple(row[name] for name in BOX), (width, height))
    if box is None:
        return {"fault": f"box outside the frame of {width} x {height} px"}
    pixels = frame.pixels_bgr[box.top_px : box.bottom_px, box.left_px : box.right_px]
    encoded, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not encoded:
        return {"fault": f"OpenCV could not encode {pixels.shape[1]} x {pixels.shape[0]} px as JPEG"}
    return {
        "presentation_seconds": frame.presentation_seconds,
        "width_px": pixels.shape[1],
        "height_px": pixels.shape[0],
        "clipped_share": box.clipped_share,
        "jpeg": jpeg.tobytes(),
    }
