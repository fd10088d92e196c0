"""Bootstrap intervals beside what the normal distribution says."""

import numpy as np
import pytest

from megafish_assets.sightings.intervals import bootstrapped, mean_intervals


def test_of_many_clips_the_interval_is_that_of_the_normal_distribution() -> None:
    rng = np.random.default_rng(1)
    counts = rng.poisson(4.0, (400, 1)).astype(float)
    low, high = bootstrapped(counts, np.ones(400), np.arange(400), seed=0)
    half = 1.96 * counts.std() / np.sqrt(400)
    assert low[0] == pytest.approx(counts.mean() - half, abs=0.02)
    assert high[0] == pytest.approx(counts.mean() + half, abs=0.02)


def test_clips_that_share_their_fish_widen_the_interval() -> None:
    counts = np.repeat(np.random.default_rng(2).poisson(4.0, (40, 1)).astype(float), 10, axis=0)
    alone, together = (
        np.ptp(bootstrapped(counts, np.ones(400), blocks, seed=0)) for blocks in (np.arange(400), np.arange(400) // 10)
    )
    # Ten clips that are one: their error is that of a tenth of them, sqrt(10) times as large.
    assert together / alone == pytest.approx(np.sqrt(10), rel=0.15)


def test_longer_clips_weigh_more() -> None:
    counts, searched = np.array([[10.0], [0.0]] * 15), np.array([10.0, 90.0] * 15)
    low, high = bootstrapped(counts, searched, np.repeat(np.arange(15), 2), seed=0)
    assert low[0] == high[0] == pytest.approx(0.1)


def test_the_same_seed_gives_the_same_interval() -> None:
    counts = np.random.default_rng(3).random((30, 2))
    first, again = (mean_intervals(counts, np.ones(30), np.arange(30), 5, None) for _ in range(2))
    assert np.array_equal(first.low, again.low) and np.array_equal(first.high, again.high)


def test_clips_of_which_nothing_was_searched_give_no_number() -> None:
    found = mean_intervals(np.zeros((20, 1)), np.zeros(20), np.arange(20), 0, None)
    assert found.low is None and found.told == "refused: nothing was searched"
