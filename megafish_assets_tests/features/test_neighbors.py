"""Nearest neighbors are scikit-learn's."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from megafish_assets.features import neighbors
from megafish_assets.features.neighbors import nearest


def rows(n: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, 12)).astype(np.float32) + 50


@pytest.mark.parametrize("n", [0, 4])
def test_fewer_rows_than_neighbors_are_refused(n: int) -> None:
    with pytest.raises(ValueError, match=f"5 neighbors of {n} rows"):
        nearest(rows(n), 5)


@pytest.mark.parametrize("n", [5, 301])
def test_neighbors_and_distances_are_those_of_a_tree(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbors, "BLOCK_ROWS", 7)
    done: list[int] = []
    places, distances = nearest(rows(n), 5, on_rows=done.append)
    tree = NearestNeighbors(n_neighbors=5, algorithm="kd_tree").fit(rows(n).astype(np.float64))
    expected_distances, expected = tree.kneighbors(rows(n))
    assert np.array_equal(places, expected)
    assert distances == pytest.approx(expected_distances, abs=1e-4)
    assert (places[:, 0] == np.arange(n)).all() and sum(done) == n


def test_equal_rows_are_at_no_distance() -> None:
    places, distances = nearest(np.repeat(rows(4), 3, axis=0), 3)
    assert (np.sort(places) // 3 == np.repeat(np.arange(4), 3)[:, None]).all()
    assert (distances == 0).all()
