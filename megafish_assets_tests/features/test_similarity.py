"""The most similar other tracklets are those that a plain search over all pairs finds."""

import numpy as np
import polars as pl
import pytest

from megafish_assets.features import similarity
from megafish_assets.features.columns import NEIGHBORS
from megafish_assets.features.similarity import neighbor_numbers, neighbor_tables, similar_elsewhere


def plain(features: np.ndarray, units: np.ndarray, row: int, n: int) -> list[tuple[float, int]]:
    """Distance and place of the nearest crop of each other tracklet, by one cosine at a time."""
    best: dict[int, tuple[float, int]] = {}
    for other in range(len(features)):
        if units[other] != units[row]:
            one, two = features[row].astype(float), features[other].astype(float)
            apart = 1 - one @ two / np.linalg.norm(one) / np.linalg.norm(two)
            best[units[other]] = min(best.get(units[other], (np.inf, -1)), (apart, other))
    return sorted(best.values())[:n]


def ids(n: int) -> np.ndarray:
    return np.array([f"v/{frame:06d}/000" for frame in range(n)], dtype=object)


@pytest.mark.parametrize("n", [3, 50])
def test_neighbors_are_of_other_tracklets_one_of_each_and_those_of_a_plain_search(
    n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similarity, "CROPS_AT_A_TIME", 7)
    rng = np.random.default_rng(0)
    features, units = (
        rng.normal(size=(40, 5)).astype(np.float32),
        rng.permutation(np.r_[np.arange(12), [3] * 20, [5] * 8]),
    )
    done: list[int] = []
    found = list(similar_elsewhere(features, units, n, done.append))
    places, distances = (np.concatenate([getattr(part, name) for part in found]) for name in ("places", "distances"))
    assert sum(done) == 40 and places.shape == (40, min(n, 11))
    for row in range(40):
        expected = plain(features, units, row, n)
        assert places[row].tolist() == [place for _, place in expected]
        assert distances[row] == pytest.approx([apart for apart, _ in expected], abs=1e-5)


@pytest.mark.parametrize(("n_crops", "n_lists"), [(0, 0), (1, 1), (3, 3)])
def test_crops_without_other_tracklets_have_empty_lists(n_crops: int, n_lists: int) -> None:
    units = np.zeros(n_crops, dtype=np.int64)
    table = pl.concat(neighbor_tables(ids(n_crops), similar_elsewhere(np.ones((n_crops, 4)), units, 50)))
    assert dict(table.schema) == {name: column.dtype for name, column in NEIGHBORS.items()}
    assert table["neighbor_ids"].to_list() == [[]] * n_lists


def test_the_table_names_crops_and_keeps_their_distances() -> None:
    features = np.array([[1, 0], [1, 0.1], [0, 1]], dtype=np.float32)
    table = pl.concat(neighbor_tables(ids(3), similar_elsewhere(features, np.array([0, 1, 2]), 50)))
    assert table["video"].to_list() == ["v"] * 3
    assert table["neighbor_ids"][0].to_list() == ["v/000001/000", "v/000002/000"]
    assert table["distances"][0].to_list() == pytest.approx([1 - 1 / np.sqrt(1.01), 1.0], abs=1e-6)


def test_lists_of_the_own_tracklet_of_one_twice_out_of_order_or_missing_are_counted() -> None:
    units = np.array([0, 0, 1, 1, 2])
    names = ids(5).tolist()

    def numbers(lists: list[list[int]], distances: list[list[float]]) -> dict[str, int]:
        rows = {"detection_id": names[: len(lists)], "neighbor_ids": [[names[k] for k in one] for one in lists]}
        table = pl.DataFrame(rows | {"distances": distances})
        told = neighbor_numbers(table, np.array(names, dtype=object), units)
        return {name: number for name, number in told.items() if number and name != "n_neighbors"}

    good = [[2, 4], [2, 4], [0, 4], [0, 4], [0, 2]]
    rising = [[0.1, 0.2]] * 5
    assert numbers(good, rising) == {}
    assert numbers([[1, 4], *good[1:]], rising) == {"n_of_own_tracklet": 1}
    assert numbers([[2, 3], *good[1:]], rising) == {"n_of_one_tracklet": 1}
    assert numbers(good, [[0.2, 0.1], *rising[1:]]) == {"n_out_of_order": 1}
    assert numbers(good[:4], rising[:4]) == {"n_without_list": 1}
