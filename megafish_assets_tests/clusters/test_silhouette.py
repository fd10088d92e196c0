"""Silhouettes of many labellings at once are scikit-learn's of each."""

import math

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from megafish_assets.clusters import silhouette
from megafish_assets.clusters.silhouette import silhouettes


def rows(n: int = 300, d: int = 20) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)


def labellings(n: int) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.permutation(np.arange(n) % k) for k in (2, 3, 17, 40)]


@pytest.mark.parametrize("labels", [[], [0], [0, 0, 0], [0, 1, 2]], ids=["none", "one", "one cluster", "all alone"])
def test_without_two_clusters_there_is_no_number(labels: list[int]) -> None:
    (found,) = silhouettes(rows(len(labels)), [np.array(labels, dtype=int)])
    assert math.isnan(found)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_one_number_that_is_none_leaves_no_silhouette(wrong: float) -> None:
    broken = rows()
    broken[7, 3] = wrong
    assert all(math.isnan(found) for found in silhouettes(broken, labellings(300)))


def test_the_callers_rows_stay_as_they_are() -> None:
    given = rows().astype(np.float64) + 5
    before = given.copy()
    silhouettes(given, labellings(300))
    assert np.array_equal(given, before)


def test_no_labelling_has_no_silhouette() -> None:
    assert silhouettes(rows(), []) == []


def test_each_labelling_has_its_own_silhouette(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silhouette, "BLOCK_DISTANCES", 7 * 300)  # 300 is no multiple of 7: the last block is short
    done: list[int] = []
    found = silhouettes(rows(), labellings(300), on_rows=done.append)
    expected = [silhouette_score(rows().astype(float), labels) for labels in labellings(300)]
    assert found == pytest.approx(expected, abs=1e-5)
    assert sum(done) == 300


def test_close_rows_far_from_the_origin_keep_their_distances() -> None:
    close = rows() * 1e-3 + 100
    expected = [silhouette_score(close.astype(float), labels) for labels in labellings(300)]
    assert silhouettes(close, labellings(300)) == pytest.approx(expected, abs=1e-5)


def test_single_rows_equal_rows_and_unused_labels_count_as_in_scikit_learn() -> None:
    points = np.repeat(rows(6), [5, 4, 3, 2, 1, 1], axis=0)
    labels = np.array([0] * 5 + [2] * 4 + [2] * 3 + [5] * 2 + [7] + [9])
    expected = silhouette_score(points.astype(float), labels)
    assert silhouettes(points, [labels]) == pytest.approx([expected], abs=1e-5)
