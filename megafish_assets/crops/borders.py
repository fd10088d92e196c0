"""The rim of a crop, where the water is and mostly not the fish, kept small beside it."""

from collections.abc import Sequence

import cv2
import numpy as np

BORDER_CELLS = 16
"""A crop is squeezed to so many cells a side; its border is the outermost ring of them."""

N_BORDER = 3 * 4 * (BORDER_CELLS - 1)
"""Numbers in a border: three colours of each cell of the ring."""

_RING = np.ones((BORDER_CELLS, BORDER_CELLS), bool)
_RING[1:-1, 1:-1] = False


def border_of(pixels_bgr: np.ndarray) -> bytes:
    """`N_BORDER` bytes, the colours of the outermost ring of a picture squeezed to 16 x 16 cells; uint8 BGR."""
    cells = cv2.resize(pixels_bgr, (BORDER_CELLS, BORDER_CELLS), interpolation=cv2.INTER_AREA)
    return cells[_RING].tobytes()


def border_matrix(borders: Sequence[bytes]) -> np.ndarray:
    """float32 `(n, N_BORDER)` of 0 to 1, from what `border_of` gave of each of n crops."""
    joined = np.frombuffer(b"".join(borders), np.uint8).reshape(len(borders), N_BORDER)
    return joined.astype(np.float32) / 255
