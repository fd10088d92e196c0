"""Small pictures of all crops on sheets, as a page shows them."""

import io
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from PIL import Image

A_SIDE = 16
"""Thumbs beside and below each other: a sheet of 256 is 150 kB, so that a page of tiles loads little besides."""

LARGE_PX, SMALL_PX = 96, 64
MOST_LARGE = 40_000
"""Crops up to which thumbs are large: 41 MB of real fish. 100,000 small ones are 57 MB."""

MARGIN_PX = 2
"""Left empty round each: WebP mixes the colours of two neighboring pixels, and a page that scales a sheet does too."""

QUALITY = 60
"""Of WebP: 0.57 kB a small thumb of real reef fish, 0.22 kB of the synthetic reef; at 75 a sixth more."""

EMPTY_RGB = (18, 24, 30)

MOST_APART = 20.0
"""Mean difference of a thumb's levels, 0 to 255, from its crop's: 3 to 8 of real fish, and 28 or more to 99 % of
other crops."""


def thumb_px(n_crops: int) -> int:
    """Longest side of a thumb in a collection of so many crops."""
    return LARGE_PX if n_crops <= MOST_LARGE else SMALL_PX


def thumb(pixels_rgb: np.ndarray, side_px: int) -> np.ndarray:
    """uint8 RGB `(side_px, side_px, 3)`: the crop in the middle, its aspect kept; small crops are enlarged."""
    height, width = pixels_rgb.shape[:2]
    scale = (side_px - 2 * MARGIN_PX) / max(height, width)
    size_wh = max(1, round(width * scale)), max(1, round(height * scale))
    fitted = cv2.resize(pixels_rgb, size_wh, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    square = np.full((side_px, side_px, 3), EMPTY_RGB, np.uint8)
    top, left = (side_px - size_wh[1]) // 2, (side_px - size_wh[0]) // 2
    square[top : top + size_wh[1], left : left + size_wh[0]] = fitted
    return square


def sheets(thumbs: Iterable[np.ndarray], side_px: int) -> Iterator[bytes]:
    """WebP sheets of `A_SIDE ** 2` thumbs, row by row; the last one may be part empty."""
    held: list[np.ndarray] = []
    for one in thumbs:
        held.append(one)
        if len(held) == A_SIDE**2:
            yield _sheet(held, side_px)
            held = []
    if held:
        yield _sheet(held, side_px)


def _sheet(held: list[np.ndarray], side_px: int) -> bytes:
    empty = np.full((side_px, side_px, 3), EMPTY_RGB, np.uint8)
    grid = np.stack([*held, *[empty] * (A_SIDE**2 - len(held))]).reshape(A_SIDE, A_SIDE, side_px, side_px, 3)
    pixels = np.ascontiguousarray(grid.transpose(0, 2, 1, 3, 4)).reshape(A_SIDE * side_px, A_SIDE * side_px, 3)
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "WEBP", quality=QUALITY)
    return written.getvalue()


def thumb_on_sheet(sheet: bytes, place: int, side_px: int) -> np.ndarray:
    """uint8 RGB `(side_px, side_px, 3)`: the thumb at this place of a sheet."""
    row, column = divmod(place, A_SIDE)
    pixels = np.asarray(Image.open(io.BytesIO(sheet)).convert("RGB"))
    return pixels[row * side_px : (row + 1) * side_px, column * side_px : (column + 1) * side_px]
