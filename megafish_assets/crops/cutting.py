"""One video's boxes cut out of its frames."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

from megafish_assets.crops.borders import border_of
from megafish_assets.footage.boxes import STRETCHED_PX, Boxes
from megafish_assets.footage.containers import MOST_MEGAPIXELS, UnreadableVideoError
from megafish_assets.footage.decoding import Frame, FrameIndex, wanted_frames
from megafish_assets.footage.picture import squared

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


@dataclass(frozen=True)
class Cut:
    """What became of one box: a crop, or the reason why there is none."""

    fault: str | None = None
    """Why there is no crop; then all else is None."""
    presentation_seconds: float | None = None
    """When its frame is shown, from the start of the video."""
    width_px: int | None = None
    height_px: int | None = None
    """Both of the crop, at native resolution; pixels that are shown wide or high are made square."""
    clipped_share: float | None = None
    """As in `PixelBox`."""
    jpeg: bytes | None = None
    """The crop at native resolution."""
    border: bytes | None = None
    """Its rim, as `border_of` gives it."""


def pixel_box(box_xywh_1024: tuple[float, float, float, float], frame_wh_px: tuple[int, int]) -> PixelBox | None:
    """The whole pixels that a stretched box touches, clipped to the frame; None where it touches none."""
    x, y, width, height = map(float, box_xywh_1024)
    scale_x, scale_y = frame_wh_px[0] / STRETCHED_PX, frame_wh_px[1] / STRETCHED_PX
    edges = x * scale_x, y * scale_y, (x + width) * scale_x, (y + height) * scale_y
    if not all(map(math.isfinite, edges)):
        return None
    # A detector's float noise must not add a column: 64.0000001 ends at 64, not at 65.
    left, top = math.floor(edges[0] + 1e-6), math.floor(edges[1] + 1e-6)
    right, bottom = math.ceil(edges[2] - 1e-6), math.ceil(edges[3] - 1e-6)
    inside = max(left, 0), max(top, 0), min(right, frame_wh_px[0]), min(bottom, frame_wh_px[1])
    area, kept = (right - left) * (bottom - top), (inside[2] - inside[0]) * (inside[3] - inside[1])
    if inside[2] <= inside[0] or inside[3] <= inside[1]:
        return None
    return PixelBox(*inside, clipped_share=1 - kept / area)


def cuts(
    path: Path | None,
    boxes: Boxes,
    see: Callable[[Frame], None] | None = None,
    every: int = 0,
    most_megapixels: float = MOST_MEGAPIXELS,
) -> list[Cut]:
    """What became of every box of one video, in their order; None for a file outside the recordings folder.

    `see` is shown every frame with a box, and every n-th besides, if `every` is not 0: what else is wanted of whole
    frames needs no second pass. `most_megapixels` as in `wanted_frames`.
    """
    found: list[Cut | None] = [None] * len(boxes)
    try:
        if path is None:
            raise UnreadableVideoError("the video file lies outside the recordings folder")
        index = FrameIndex()
        frames = wanted_frames(path, set(boxes.frame_ids.tolist()), every, index, most_megapixels)
        _cut_all(frames, boxes, found, see)
    except UnreadableVideoError as error:
        return [Cut(str(error))] * len(boxes)
    except cv2.error as error:
        return [Cut(f"OpenCV failed: {error.err}")] * len(boxes)
    except av.error.FFmpegError as error:
        return [Cut(f"FFmpeg failed: {error.strerror}")] * len(boxes)
    numbered = zip(found, boxes.frame_ids, strict=True)
    return [cut or Cut(_why_no_frame(int(frame_id), index)) for cut, frame_id in numbered]


def _cut_all(
    frames: Iterable[Frame], boxes: Boxes, found: list[Cut | None], see: Callable[[Frame], None] | None
) -> None:
    """Fills in the boxes of these frames."""
    rows: dict[int, list[int]] = {}
    for row, frame_id in enumerate(boxes.frame_ids.tolist()):
        rows.setdefault(frame_id, []).append(row)
    for frame in frames:
        for row in rows.get(frame.frame_id, ()):
            found[row] = _cut(frame, boxes.box_xywh_1024[row])
        if see is not None:
            see(frame)


def _why_no_frame(frame_id: int, index: FrameIndex) -> str:
    if frame_id < 0:
        return "frame_id is negative"
    if frame_id < index.n_frames:
        return "frame is damaged, or leans on a damaged one"
    end = f"; the file ends there: {index.ended_by}" if index.ended_by else ""
    return f"frame is past the video's end ({index.n_frames} frames{end})"


def _cut(frame: Frame, box_xywh_1024: np.ndarray) -> Cut:
    width, height = frame.picture.size_wh_px
    box = pixel_box(tuple(box_xywh_1024), (width, height))
    if box is None:
        return Cut(f"box outside the frame of {width} x {height} px")
    edges_px = box.left_px, box.top_px, box.right_px, box.bottom_px
    pixels = squared(frame.picture.region_bgr(edges_px), frame.pixel_aspect)
    encoded, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not encoded:
        return Cut(f"OpenCV could not encode {pixels.shape[1]} x {pixels.shape[0]} px as JPEG")
    return Cut(
        presentation_seconds=frame.presentation_seconds,
        width_px=pixels.shape[1],
        height_px=pixels.shape[0],
        clipped_share=box.clipped_share,
        jpeg=jpeg.tobytes(),
        border=border_of(pixels),
    )
