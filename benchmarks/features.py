"""Vectors as the stages of groups meet them: some clouds of unequal size, and a spectrum that falls."""

from pathlib import Path

import numpy as np

NOTEBOOK_ROWS = 98_454
"""Crops of the notebook's sample."""

N_CLOUDS = 30
DIMENSIONS = 247
"""Components of the notebook's ViT."""


def clouds(n: int, dimensions: int = DIMENSIONS) -> np.ndarray:
    """float32 `(n, dimensions)`, seeded."""
    rng = np.random.default_rng(0)
    falling = np.linspace(3, 0.3, dimensions)
    centres = 0.6 * rng.normal(size=(N_CLOUDS, dimensions)) * falling
    shares = rng.dirichlet(np.full(N_CLOUDS, 2.0))
    rows = np.empty((n, dimensions), np.float32)
    for start in range(0, n, 10_000):
        block = rows[start : start + 10_000]
        block[:] = centres[rng.choice(N_CLOUDS, len(block), p=shares)] + rng.normal(size=block.shape) * falling
    return rows


def write(folder: Path, n: int) -> None:
    """The vectors as a file."""
    np.save(folder / "vectors.npy", clouds(n))


def load(folder: Path, device: str) -> np.ndarray:
    """They."""
    return np.load(folder / "vectors.npy")
