"""What many partitions agree on: trees against SciPy's, groups against their truth, no cluster that swallows all."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from megafish_assets.clusters import consensus
from megafish_assets.clusters.consensus import FEWEST_TRACKLETS, _cut, _tree, consensus_labels
from megafish_assets.clusters.partitions import tracklet_graph
from megafish_assets.features.layout import neighbors_elsewhere

N_KINDS, N_TRACKLETS, N_CROPS = 6, 120, 3


def fish(seed: int = 0, spread: float = 0.35) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Crops `(360, 24)` of 120 tracklets of six kinds that lie along lines, as animals that turn do; units; kinds."""
    rng = np.random.default_rng(seed)
    kinds = np.arange(N_TRACKLETS) % N_KINDS
    along = rng.uniform(-1, 1, (N_TRACKLETS, 1)) * np.eye(N_KINDS, 24, k=N_KINDS)[kinds]
    tracklets = 1.5 * np.eye(N_KINDS, 24)[kinds] + along + 0.05 * rng.normal(size=(N_TRACKLETS, 24))
    crops = np.repeat(tracklets, N_CROPS, axis=0) + spread * 0.1 * rng.normal(size=(N_TRACKLETS * N_CROPS, 24))
    return crops.astype(np.float32), np.repeat(np.arange(N_TRACKLETS), N_CROPS), kinds


def test_nothing_and_one_tracklet_are_in_no_cluster() -> None:
    assert consensus_labels(np.empty((0, 4), np.float32), np.empty(0, int), 0).tolist() == []
    assert consensus_labels(np.ones((3, 4), np.float32), np.zeros(3, int), 0).tolist() == [-1]
    assert consensus_labels(np.ones((3, 4), np.float32), np.zeros(3, int), 0, k=4).tolist() == [0]


def test_groups_hold_one_kind_each_and_a_seed_repeats_them() -> None:
    features, units, kinds = fish()
    found = consensus_labels(features, units, seed=1)
    for cluster in range(found.max() + 1):
        assert len(set(kinds[found == cluster])) == 1
    assert (found >= 0).mean() > 0.95
    assert np.array_equal(found, consensus_labels(features, units, seed=1))


def test_two_seeds_agree() -> None:
    features, units, _ = fish()
    one, other = (consensus_labels(features, units, seed) for seed in (1, 101))
    assert adjusted_mutual_info_score(one, other) > 0.95


@pytest.mark.parametrize("k", [3, 4, 6, 10])
def test_a_given_k_is_met_without_noise_and_swallows_nothing(k: int) -> None:
    features, units, kinds = fish()
    found = consensus_labels(features, units, seed=1, k=k)
    assert sorted(set(found)) == list(range(k))
    # Equal kinds: joining them by twos leaves no crowd beside a few stragglers.
    assert np.bincount(found).max() <= 0.75 * N_TRACKLETS
    if k == N_KINDS:
        assert adjusted_rand_score(kinds, found) > 0.95


@pytest.mark.parametrize("sizes", [(60,), (40, 40, 6), (12, 12, 12, 12)])
def test_a_cloud_without_structure_is_one_cluster(sizes: tuple[int, ...]) -> None:
    kinds = np.repeat(range(len(sizes)), sizes)
    rows = np.random.default_rng(0).normal(size=(len(kinds), 16)) * 0.05 + np.eye(16)[kinds]
    found = consensus_labels(rows.astype(np.float32), np.arange(len(kinds)), 42)
    clear = found >= 0
    assert found.max() + 1 == len(sizes) and clear.mean() > 0.8
    assert adjusted_rand_score(kinds[clear], found[clear]) == 1


def test_more_atoms_than_can_be_held_are_told_by_the_coarsest_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    features, units, kinds = fish()
    monkeypatch.setattr(consensus, "MOST_ATOMS", 8)
    found = consensus_labels(features, units, seed=1)
    assert found.max() + 1 >= N_KINDS - 2
    assert adjusted_mutual_info_score(kinds, found) > 0.8


def test_of_too_many_tracklets_some_are_grouped_and_the_rest_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    features, units, kinds = fish()
    monkeypatch.setattr(consensus, "MOST_TRACKLETS", 80)
    found = consensus_labels(features, units, seed=1)
    clear = found >= 0
    assert len(found) == N_TRACKLETS and clear.mean() > 0.9
    assert all(len(set(kinds[found == cluster])) == 1 for cluster in range(found.max() + 1))
    assert np.array_equal(found, consensus_labels(features, units, seed=1))


AGREEMENT = """
import sys
import numpy as np
from megafish_assets.clusters.consensus import consensus_labels
from megafish_assets.features.pooling import unit_codes
from megafish_assets.features.whitening import fit_whitening

given = np.load(sys.argv[1], allow_pickle=True)
features = fit_whitening([given["pixels"]], given["tracklets"]).project(given["pixels"])
np.save(sys.argv[3], consensus_labels(features, unit_codes(given["tracklets"]), int(sys.argv[2])))
"""


def test_real_fish_fall_into_the_same_clusters_on_one_thread_and_two_and_by_another_seed(
    real_data: Path, tmp_path: Path
) -> None:
    """Small pictures serve as vectors, for the last digits of products are what differs."""
    folder = real_data / "fish4knowledge"
    index = pl.read_csv(folder / "index.csv", infer_schema=False)
    pixels = [cv2.resize(cv2.imread(str(folder / path)), (16, 16)).ravel() / 255 for path in index["path"]]
    np.savez(tmp_path / "given.npz", pixels=np.float32(pixels), tracklets=index["trajectory"].to_numpy())
    found = []
    for threads, seed in ((1, 42), (2, 42), (1, 7)):
        out = tmp_path / f"{threads}_{seed}.npy"
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        subprocess.run(
            [sys.executable, "-c", AGREEMENT, tmp_path / "given.npz", str(seed), out],
            check=True,
            env={**os.environ, **dict.fromkeys(names, str(threads))},
        )
        found.append(np.load(out))
    assert found[0].max() > 5
    for other in found[1:]:
        assert adjusted_mutual_info_score(found[0], other) >= 0.95
        assert abs(int(found[0].max()) - int(other.max())) <= 1


def test_the_tree_of_weighted_points_is_scipys_of_the_points_themselves() -> None:
    rng = np.random.default_rng(3)
    sizes = rng.integers(1, 5, 12)
    points = rng.random((12, 3))
    apart = np.linalg.norm(points[:, None] - points, axis=2)
    heights, merges = _tree(apart, sizes.astype(float))
    whole = np.repeat(np.arange(12), sizes)
    expected = linkage(squareform(apart[np.ix_(whole, whole)], checks=False), "average")
    assert heights == pytest.approx(expected[-11:, 2])
    for k in range(2, 12):
        ours = _cut(merges, 12 - k, 12)[whole]
        assert adjusted_rand_score(ours, fcluster(expected, k, "maxclust")) == pytest.approx(1)


def test_a_tracklets_crops_do_not_find_each_other_and_the_graph_is_symmetric() -> None:
    features, units, _ = fish()
    graph = tracklet_graph(*neighbors_elsewhere(features, units, 6), units).toarray()
    assert graph.shape == (N_TRACKLETS, N_TRACKLETS)
    assert np.allclose(graph, graph.T) and (graph.diagonal() == 0).all()
    assert graph.min() >= 0 and graph.max() <= 1 and (graph > 0).sum(axis=1).min() >= 1


def test_a_pair_that_lies_alone_is_noise_only_where_no_k_is_given() -> None:
    features, units, _ = fish()
    lonely = np.zeros((2 * N_CROPS, 24), np.float32)
    lonely[:, 23] = 1
    features = np.concatenate([features, lonely + 0.001 * np.random.default_rng(0).normal(size=lonely.shape)])
    units = np.concatenate([units, N_TRACKLETS + np.repeat([0, 1], N_CROPS)])
    found = consensus_labels(features.astype(np.float32), units, seed=1)
    sizes = np.bincount(found[found >= 0])
    assert sizes.min() >= FEWEST_TRACKLETS
    assert (consensus_labels(features.astype(np.float32), units, seed=1, k=7) >= 0).all()
