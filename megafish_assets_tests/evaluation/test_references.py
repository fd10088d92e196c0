"""What a leak is held against: by hand, by scikit-learn, and by every pairing of a few rows."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from megafish_assets.evaluation.crop_rows import Borders, Evidence
from megafish_assets.evaluation.references import FEWEST_NAMED, most_leaks, names_leaks
from megafish_assets.features.crop_rows import CropRows

VIDEOS = np.repeat(["a", "b", "c", "d"], 25)


def test_as_many_clusters_of_the_same_sizes_could_follow_the_videos_without_fail() -> None:
    shuffled = np.random.default_rng(0).permutation(np.repeat(range(4), 25))
    assert most_leaks(shuffled, {"video": VIDEOS})["video"] == pytest.approx(1)


def test_fewer_clusters_could_follow_them_so_far_as_whole_videos_fill_them() -> None:
    halves = np.tile([0, 1], 50)
    expected = adjusted_mutual_info_score(np.repeat([0, 1], 50), np.repeat(range(4), 25))
    assert most_leaks(halves, {"video": VIDEOS})["video"] == pytest.approx(expected)
    assert expected < 0.7


@pytest.mark.parametrize("labels", [[0, 0, 0, 1, 1, 1, 2], [0, 0, 0, 0, 0, 1, 2], [-1, 0, 0, 0, 1, 1, 1]])
def test_no_order_of_the_rows_follows_further(labels: list[int]) -> None:
    bins = np.array(["a", "a", "a", "b", "b", "c", "c"])
    best = max(adjusted_mutual_info_score(order, bins) for order in set(permutations(labels)))
    assert most_leaks(np.array(labels), {"video": bins})["video"] == pytest.approx(best)


def test_what_no_leak_can_be_told_of_has_no_most_either() -> None:
    labels = np.array([0, 0, 1, 1])
    found = most_leaks(
        labels, {"time": np.full(4, np.nan), "video": np.full(4, "a"), "size": np.empty((4, 0))[:, :0].sum(1)}
    )
    assert np.isnan(list(found.values())).all()
    assert np.isnan(most_leaks(np.zeros(100, int), {"video": VIDEOS})["video"])


def named(n: int, n_named: int) -> Evidence:
    """Tracklets of two crops, a kind a half of the hours; the first are named."""
    kinds = np.repeat(np.arange(n) % 2, 2)
    species = np.where(np.repeat(np.arange(n), 2) < n_named, np.array(["cod", "eel"])[kinds], None)
    tracklets, videos = np.repeat(np.arange(n), 2).astype(str), np.repeat(np.arange(n) // 2 % 4, 2).astype(str)
    rng = np.random.default_rng(0)
    pixels = kinds[:, None] + 0.1 * rng.normal(size=(2 * n, 3))
    borders = Borders(np.arange(2 * n), pixels.astype(np.float32))
    time = kinds + rng.random(2 * n) / 2
    return Evidence(CropRows(tracklets, videos, species=species), {}, {"time": time, "video": videos}, borders)


def test_the_leaks_of_the_named_kinds_are_theirs_alone_a_tracklet_once() -> None:
    found = names_leaks(named(2 * FEWEST_NAMED, FEWEST_NAMED))
    assert found["n_named_tracklets"] == FEWEST_NAMED
    # Kinds alternate within every video, and each of the two has four of the eight bins of time to itself.
    assert found["names_leak_video"] == pytest.approx(0, abs=0.02)
    ideal = adjusted_mutual_info_score(
        np.repeat([0, 1], FEWEST_NAMED // 2), np.arange(FEWEST_NAMED) * 8 // FEWEST_NAMED
    )
    assert found["names_leak_time"] == pytest.approx(ideal, abs=0.02)
    assert found["names_border_leak"] == pytest.approx(1)


def test_of_few_named_tracklets_and_of_none_nothing_is_said() -> None:
    few = names_leaks(named(200, FEWEST_NAMED - 1))
    assert few.pop("n_named_tracklets") == FEWEST_NAMED - 1
    assert len(few) == 3 and np.isnan(list(few.values())).all()
    none = named(200, 0)
    assert names_leaks(none)["n_named_tracklets"] == 0
    assert names_leaks(replace(none, crops=replace(none.crops, species=None))) == {}
