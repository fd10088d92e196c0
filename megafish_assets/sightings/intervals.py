"""How far a mean count may be off by which clips happened to be recorded: percentile bootstrap over blocks of clips."""

from dataclasses import dataclass

import numpy as np

LEVEL = 0.95
"""Of the interval."""

FEWEST_CLIPS = 20
"""Under which there is no interval: on the reef it covers 90 % at 12 clips, for the 95 % that it says."""

FEWEST_BLOCKS = 10
"""The same of blocks, which are what is drawn: an hour of five-minute blocks has twelve. Measured: docs/read-out.md."""

BLOCK_SECONDS = 300.0
"""Clips within so long of each other are drawn together, for the same fish may be in them: a shoal grazes past a camera
for some minutes."""

N_DRAWS = 1000


@dataclass(frozen=True)
class Intervals:
    """Of the mean counts of one window's kinds."""

    low: np.ndarray | None
    """float64 `(n_kinds,)`; None where refused."""
    high: np.ndarray | None
    """float64 `(n_kinds,)`; None where refused."""
    told: str
    """How they were made, or why there are none."""


def mean_intervals(
    counts: np.ndarray, searched: np.ndarray, blocks: np.ndarray, seed: int, block_seconds: float | None
) -> Intervals:
    """The intervals of the ratio of sums, counts by searched.

    `counts`, float64 `(n_clips, n_kinds)`, are seconds times animals, `searched`, `(n_clips,)`, seconds; `blocks`, int
    `(n_clips,)`, say which clips are drawn together. `block_seconds` is told only; None where the clips' times are not
    known, and each is a block.

    Source: Davison & Hinkley 1997, Bootstrap Methods and their Application, 2.4 and 8.2.3.
    """
    n_clips, (in_order, number) = len(searched), np.unique(blocks, return_inverse=True)
    n_blocks = len(in_order)
    if n_clips < FEWEST_CLIPS:
        return Intervals(None, None, f"refused: fewer than {FEWEST_CLIPS} clips ({n_clips})")
    if n_blocks < FEWEST_BLOCKS:
        told = f"refused: fewer than {FEWEST_BLOCKS} blocks of {block_seconds:g} s ({n_blocks})"
        return Intervals(None, None, told)
    if not searched.any():
        return Intervals(None, None, "refused: nothing was searched")
    low, high = bootstrapped(counts, searched, number, seed)
    of = "clips, taken as independent: their times are not known"
    if block_seconds is not None:
        of = f"blocks of {block_seconds:g} s"
    return Intervals(low, high, f"{LEVEL:.0%} bootstrap of {n_blocks} {of}")


def bootstrapped(
    counts: np.ndarray, searched: np.ndarray, blocks: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends, each float64 `(n_kinds,)`, of whatever number of blocks; they are numbered from 0."""
    n_blocks = int(blocks.max()) + 1
    counts_of_block, searched_of_block = np.zeros((n_blocks, counts.shape[1])), np.zeros(n_blocks)
    np.add.at(counts_of_block, blocks, counts)
    np.add.at(searched_of_block, blocks, searched)
    draws = np.random.default_rng(seed).multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), N_DRAWS)
    sought = draws @ searched_of_block
    means = (draws @ counts_of_block)[sought > 0] / sought[sought > 0, None]
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high
