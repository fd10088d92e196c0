"""Grain that repeats nowhere: noise of many octaves and caustic light. No subject, no colour, no layout."""

import cv2
import numpy as np


def fractal_noise(
    shape_hw: tuple[int, int],
    cells: float,
    rng: np.random.Generator,
    octaves: int = 5,
    stretch_x: float = 1.0,
) -> np.ndarray:
    """Smooth noise in [0, 1], float32 `(h, w)`; `cells` blobs down the height, each octave twice as fine.

    `stretch_x` above 1 draws the blobs out sideways.
    """
    height, width = shape_hw
    total = np.zeros(shape_hw, np.float32)
    for octave in range(octaves):
        n_down = min(height, int(cells * 2**octave) + 2)
        n_across = min(width, int(cells * 2**octave * width / height / stretch_x) + 2)
        grid = rng.random((n_down, n_across), np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * 0.5**octave
    return np.clip((total / (2 - 0.5 ** (octaves - 1)) - 0.5) * 1.6 + 0.5, 0, 1)


def ridged_noise(shape_hw: tuple[int, int], cells: float, rng: np.random.Generator) -> np.ndarray:
    """Winding bright ridges on dark ground in [0, 1], float32 `(h, w)`: brain coral, or light through
    waves."""
    return 1 - np.abs(2 * fractal_noise(shape_hw, cells, rng, octaves=2) - 1)


def endless_noise(side_px: int, cells: int, rng: np.random.Generator, octaves: int = 3) -> np.ndarray:
    """Noise in [0, 1] without seams, float32 `(side, side)`: its edges meet when tiles are laid side by
    side."""
    total = np.zeros((side_px, side_px), np.float32)
    for octave in range(octaves):
        n = cells * 2**octave
        around = np.pad(rng.random((n, n), np.float32), n, mode="wrap")
        wide = cv2.resize(around, (3 * side_px, 3 * side_px), interpolation=cv2.INTER_CUBIC)
        total += wide[side_px : 2 * side_px, side_px : 2 * side_px] * 0.5**octave
    return np.clip((total / (2 - 0.5 ** (octaves - 1)) - 0.5) * 1.6 + 0.5, 0, 1)


def caustic_tile(side_px: int, rng: np.random.Generator) -> np.ndarray:
    """Net of light as waves throw it, uint8 `(side, side)`, without seams."""
    net = 1 - np.abs(2 * endless_noise(side_px, 7, rng, octaves=2) - 1)
    return (net**3 * 255).astype(np.uint8)


def smooth_walk(n: int, period: float, rng: np.random.Generator) -> np.ndarray:
    """Slow wandering about zero, standard deviation about 1, float64 `(n,)`; turns about every `period`
    samples."""
    n_knots = int(np.ceil(n / period)) + 4
    at = np.arange(n) / period + 1
    left = at.astype(int)
    share = at - left
    knots = rng.standard_normal(n_knots)
    ease = share * share * (3 - 2 * share)
    return knots[left] * (1 - ease) + knots[left + 1] * ease
