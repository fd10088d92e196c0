"""A decoded picture whose colours are converted only where they are wanted.

Here: where a region of the upright picture lies in the decoder's planes, and its colours. Not here: decoding, and what
is cut out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import av
import cv2
import numpy as np

BLOCK_PX = 16
"""Regions are converted in whole blocks of so many pixels, a multiple of every chroma subsampling and of what swscale's
vector code takes at once: so the chroma at a region's edge is what it is in the whole picture."""

MARGIN_PX = 8
"""Round a region: further than any filter of swscale reaches into chroma of half the resolution."""

LEAST_STRETCH = 0.02
"""Of a pixel that is not square; less comes from a coded size that is rounded to whole blocks."""

FINEST_CHROMA = 2
"""Columns or rows to a sample of chroma, at most, that swscale reads without a filter. Of others, and of samples deeper
than a byte, it needs to know where they lie, which PyAV can't tell a part of the picture: those are converted whole."""


@dataclass(frozen=True)
class Turn:
    """How a stored picture becomes an upright one: transposed first, then flipped."""

    transposed: bool = False
    flipped_x: bool = False
    flipped_y: bool = False

    def applied(self, pixels: np.ndarray) -> np.ndarray:
        """The upright view of stored pixels `(height, width, ...)`."""
        upright = pixels.swapaxes(0, 1) if self.transposed else pixels
        return upright[:: -1 if self.flipped_y else 1, :: -1 if self.flipped_x else 1]

    def size_wh_px(self, stored_wh_px: tuple[int, int]) -> tuple[int, int]:
        """Size of the upright picture."""
        return stored_wh_px[::-1] if self.transposed else stored_wh_px

    def stored_edges(self, edges_px: tuple[int, int, int, int], stored_wh_px: tuple[int, int]) -> tuple[int, ...]:
        """Where an upright region (left, top, right, bottom; half-open) lies in the stored picture."""
        width, height = self.size_wh_px(stored_wh_px)
        left, top, right, bottom = edges_px
        if self.flipped_x:
            left, right = width - right, width - left
        if self.flipped_y:
            top, bottom = height - bottom, height - top
        return (top, left, bottom, right) if self.transposed else (left, top, right, bottom)


ROTATED = Turn(), Turn(True, False, True), Turn(False, True, True), Turn(True, True, False)
"""By quarter turns against the clock."""


@dataclass(frozen=True)
class Picture:
    """One picture as its decoder left it."""

    stored: av.VideoFrame
    """Any format, any orientation, any colour matrix and range."""
    turn: Turn = Turn()
    """What its container or codec asks for."""

    @classmethod
    def of_bgr(cls, pixels_bgr: np.ndarray) -> Picture:
        """A picture of pixels that are there already, uint8 `(height, width, 3)`."""
        return cls(av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels_bgr), format="bgr24"))

    @property
    def size_wh_px(self) -> tuple[int, int]:
        """Of the upright picture, in stored pixels, square or not."""
        return self.turn.size_wh_px((self.stored.width, self.stored.height))

    def bgr(self) -> np.ndarray:
        """uint8 `(height, width, 3)`, upright: all of it."""
        return np.ascontiguousarray(self.turn.applied(converted_bgr(self.stored)))

    def region_bgr(self, edges_px: tuple[int, int, int, int]) -> np.ndarray:
        """uint8 `(bottom - top, right - left, 3)` of the upright picture's left, top, right and bottom (half-open).

        Only the region's own colours are converted, where each plane holds samples of one byte, as nearly all cameras
        write them; deeper and packed formats are converted whole.
        """
        stored_wh_px = self.stored.width, self.stored.height
        left, top, right, bottom = self.turn.stored_edges(edges_px, stored_wh_px)
        samples = _samples(self.stored.format.name)
        if samples is None:
            region = converted_bgr(self.stored)[top:bottom, left:right]
        else:
            x0, x1 = _blocks(left, right, stored_wh_px[0])
            y0, y1 = _blocks(top, bottom, stored_wh_px[1])
            part = _part(self.stored, samples, (x0, y0, x1, y1))
            region = converted_bgr(part)[top - y0 : bottom - y0, left - x0 : right - x0]
        return np.ascontiguousarray(self.turn.applied(region))

    def small_luma(self, width_px: int) -> np.ndarray:
        """uint8 `(h, width_px)`: the upright picture's brightness scaled down, its stored aspect kept.

        The luma plane as it lies, in its own range; of formats without one, or deeper than a byte, what swscale makes
        of it.
        """
        width, height = self.size_wh_px
        upright_wh = width_px, max(1, round(height * width_px / width))
        stored_wh = self.turn.size_wh_px(upright_wh)  # a quarter turn swaps the sides either way
        luma = _luma_plane(self.stored)
        if luma is None:
            grey = self.stored.reformat(*stored_wh, format="gray", interpolation="AREA", threads=1)
            small = _rows(grey.planes[0], stored_wh[0])
        else:
            small = cv2.resize(_halved(luma, stored_wh), stored_wh, interpolation=cv2.INTER_AREA)
        return np.ascontiguousarray(self.turn.applied(small))


def squared(pixels: np.ndarray, pixel_aspect: float) -> np.ndarray:
    """The picture with square pixels, of which none is lost: the shown side that is longer grows."""
    if abs(pixel_aspect - 1) < LEAST_STRETCH:
        return pixels
    height, width = pixels.shape[:2]
    if pixel_aspect > 1:
        width = round(width * pixel_aspect)
    else:
        height = round(height / pixel_aspect)
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)


def turn_of(stored: av.VideoFrame) -> Turn:
    """The quarter turn and mirroring of a frame's display matrix; none for other angles.

    PyAV's frame then holds itself, until Python collects cycles: ask once a stream. Source: libavutil/display.h,
    `(x', y') = (a x + c y, b x + d y)` for the stored point (x, y).
    """
    try:
        matrix = stored.side_data.get("DISPLAYMATRIX")
    except ValueError:  # beside side data of a kind that PyAV doesn't know
        matrix = None
    if matrix is None:
        return ROTATED[round(stored.rotation / 90) % 4]
    a, b, _, c, d = np.frombuffer(matrix, np.int32)[:5].tolist()
    if b == c == 0:
        return Turn(False, a < 0, d < 0)
    if a == d == 0:
        return Turn(True, c < 0, b < 0)
    return Turn()


def converted_bgr(frame: av.VideoFrame) -> np.ndarray:
    """uint8 `(height, width, 3)`, as stored: by the frame's own matrix and range, alpha left out.

    Without a note of the matrix it is BT.601's, as in FFmpeg and in OpenCV.
    """
    if frame.format.name == "bgr24":  # PyAV gives the frame itself, and it may stand on its head
        return _rows(frame.planes[0], 3 * frame.width).reshape(frame.height, frame.width, 3).copy()
    return frame.to_ndarray(format="bgr24", interpolation="BICUBIC", threads=1)


def _blocks(low: int, high: int, end: int) -> tuple[int, int]:
    """The edges of the whole blocks that hold a span and its margin, within 0 to end."""
    first, last = (low - MARGIN_PX) // BLOCK_PX, -(-(high + MARGIN_PX) // BLOCK_PX)
    return max(0, first * BLOCK_PX), min(end, last * BLOCK_PX)


def _rows(plane: av.video.plane.VideoPlane, n_bytes: int) -> np.ndarray:
    """uint8 `(height, n_bytes)`: a view of the plane's rows from the top, without their padding."""
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, abs(plane.line_size))[:, :n_bytes]
    return rows[::-1] if plane.line_size < 0 else rows


@cache
def _samples(format_name: str) -> tuple[tuple[int, int, int], ...] | None:
    """Of each plane: columns and rows of the picture that a sample stands for, and its bytes.

    None where a region can't be converted by itself.
    """
    side_px = 4 * BLOCK_PX  # any whole number of blocks
    form, found = av.VideoFormat(format_name, side_px, side_px), []
    if form.has_palette or form.is_bit_stream:
        return None
    for number in range(1 + max(part.plane for part in form.components)):
        parts = [part for part in form.components if part.plane == number]
        # Two in one plane: interleaved chroma (NV12, P010). Three or more, or two in the first: packed.
        if len(parts) > (2 if number else 1) or any(part.bits != 8 for part in parts):
            return None
        columns, rows = side_px // parts[0].width, side_px // parts[0].height
        if max(columns, rows) > FINEST_CHROMA:
            return None
        found.append((columns, rows, len(parts)))
    return tuple(found)


def _part(
    frame: av.VideoFrame, samples: tuple[tuple[int, int, int], ...], edges: tuple[int, int, int, int]
) -> av.VideoFrame:
    """A frame of these whole blocks alone, with the colours' meaning of the one it is from."""
    left, top, right, bottom = edges
    part = av.VideoFrame(right - left, bottom - top, frame.format.name)
    part.colorspace, part.color_range = frame.colorspace, frame.color_range
    for source, target, (columns, rows, n_bytes) in zip(frame.planes, part.planes, samples, strict=True):
        span = slice(left // columns * n_bytes, -(-right // columns) * n_bytes)
        _rows(target, span.stop - span.start)[:] = _rows(source, span.stop)[top // rows : -(-bottom // rows), span]
    return part


def _halved(plane: np.ndarray, least_wh: tuple[int, int]) -> np.ndarray:
    """The plane, halved as often as it stays no smaller than this: OpenCV has vector code for halves alone, so 1080p
    comes to 320 px in a third of the time, and within one level of the same."""
    while True:
        (height, width), (least_width, least_height) = plane.shape, least_wh
        if height % 2 or width % 2 or width < 2 * least_width or height < 2 * least_height:
            return plane
        plane = cv2.resize(plane, (width // 2, height // 2), interpolation=cv2.INTER_AREA)


def _luma_plane(frame: av.VideoFrame) -> np.ndarray | None:
    """uint8 `(height, width)`: a view of the plane of brightness; None where there is none of a byte a sample."""
    first = frame.format.components[0]
    if _samples(frame.format.name) is None or not first.is_luma or first.bits != 8:
        return None
    return _rows(frame.planes[0], frame.width)
