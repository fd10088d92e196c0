"""Clouds that any grouping must tell apart."""

import numpy as np

SIZES = (30, 120, 70)
TRUTH = np.repeat(range(3), SIZES)


def blobs(seed: int = 0) -> np.ndarray:
    """Three separate clouds of different sizes, float32 `(220, 6)`."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(len(TRUTH), 6)) + 12 * np.eye(3, 6)[TRUTH]).astype(np.float32)
