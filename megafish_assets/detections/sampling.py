"""Which detections are looked at: a seeded share of each video."""

import zlib
from collections.abc import Callable

import numpy as np
import polars as pl

SHARE = 0.1
"""Of each video's filtered rows: the notebook's."""

AT_LEAST = 1
"""Rows of a video that has any: the notebook's rule (0) loses every video with fewer than ten rows."""

SEED = 42
"""The notebook's."""


def random_rows(n_rows: int, n_wanted: int, rng: np.random.Generator) -> np.ndarray:
    """`n_wanted` different row numbers, all sets alike likely: the notebook's way."""
    return rng.choice(n_rows, size=n_wanted, replace=False)


def spread_rows(n_rows: int, n_wanted: int, rng: np.random.Generator) -> np.ndarray:
    """`n_wanted` row numbers at even steps from a random start: fewest neighbours in time.

    Source: systematic sampling, Cochran 1977, Sampling Techniques, chapter 8.
    """
    if n_wanted == 0:
        return np.empty(0, dtype=np.int64)
    step = n_rows / n_wanted
    return np.floor(rng.uniform(0, step) + step * np.arange(n_wanted)).astype(np.int64).clip(max=n_rows - 1)


STRATEGIES: dict[str, Callable[[int, int, np.random.Generator], np.ndarray]] = {
    "random": random_rows,
    "spread": spread_rows,
}


def sample_size(n_rows: int, share: float, at_least: int) -> int:
    """Rows to draw from a video with `n_rows`: the share rounded down, yet `at_least`, never more than all."""
    # A share such as 0.1 is a hair above its decimal, 0.29 a hair below: 0.29 * 100 must still give 29.
    by_share = int(np.floor(n_rows * share + 1e-9))
    return min(n_rows, max(by_share, at_least))


def sampled_detections(
    filtered: pl.DataFrame,
    share: float = SHARE,
    at_least: int = AT_LEAST,
    seed: int = SEED,
    strategy: str = "random",
) -> pl.DataFrame:
    """The sampled rows of every video, sorted by `detection_id`.

    A video's draw depends on the seed, its key and its own rows only, so it is the same in any run.
    Raises KeyError for an unknown strategy.
    """
    draw = STRATEGIES[strategy]
    rows = filtered.sort("detection_id")
    parts = [_drawn(video, draw, share, at_least, seed) for video in rows.partition_by("video", maintain_order=True)]
    return pl.concat(parts) if parts else rows


def _drawn(video: pl.DataFrame, draw: Callable, share: float, at_least: int, seed: int) -> pl.DataFrame:
    rng = np.random.default_rng([seed, zlib.crc32(video["video"][0].encode())])
    return video[np.sort(draw(video.height, sample_size(video.height, share, at_least), rng))]
