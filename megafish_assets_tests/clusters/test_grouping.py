"""Groups against scikit-learn and scipy."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.cluster import DBSCAN, HDBSCAN
from sklearn.metrics import adjusted_rand_score, homogeneity_score

from megafish_assets.clusters.grouping import GROUPINGS, Choice, by_size, fewest_in_cluster, grouped
from megafish_assets_tests.clusters.blobs import SIZES, TRUTH, blobs


@pytest.mark.parametrize("n_rows", [0, 3])
def test_fewer_rows_than_clusters_are_refused(n_rows: int) -> None:
    with pytest.raises(ValueError, match=f"k = 4 clusters of {n_rows} rows"):
        grouped(blobs()[:n_rows], 4, seed=42)


def test_labels_count_from_the_largest_cluster() -> None:
    labels, _, centres = grouped(blobs(), 3, seed=42)
    assert np.bincount(labels).tolist() == sorted(SIZES, reverse=True)
    assert adjusted_rand_score(TRUTH, labels) == 1
    for label, centre in enumerate(centres):
        assert centre == pytest.approx(blobs()[labels == label].mean(axis=0), abs=1e-4)


def test_a_distance_is_that_to_the_own_centre_which_is_the_nearest() -> None:
    rows = blobs()
    labels, distances, centres = grouped(rows, 5, seed=42)
    to_all = np.sqrt(((rows[:, None].astype(float) - centres[None]) ** 2).sum(axis=2))
    assert distances == pytest.approx(to_all[np.arange(len(rows)), labels], rel=1e-5)
    assert (to_all.argmin(axis=1) == labels).all()


def test_the_same_seed_gives_the_same_groups() -> None:
    for one, other in zip(grouped(blobs(), 6, seed=7), grouped(blobs(), 6, seed=7), strict=True):
        assert np.array_equal(one, other)


def test_as_many_clusters_as_rows_have_one_each() -> None:
    labels, distances, _ = grouped(blobs()[:4], 4, seed=42)
    assert sorted(labels) == [0, 1, 2, 3]
    assert distances == pytest.approx(np.zeros(4), abs=1e-5)


@pytest.mark.parametrize("name", ["hdbscan", "dbscan"])
@pytest.mark.parametrize("n_rows", [0, 1, 2])
def test_too_few_rows_to_be_dense_are_noise(name: str, n_rows: int) -> None:
    assert GROUPINGS[name](blobs()[:n_rows], Choice()).tolist() == [-1] * n_rows


@pytest.mark.parametrize("name", ["kmeans", "average_linkage"])
def test_a_grouping_that_does_not_find_k_must_be_given_it(name: str) -> None:
    with pytest.raises(ValueError, match="k"):
        GROUPINGS[name](blobs(), Choice())
    with pytest.raises(ValueError, match="3 rows"):
        GROUPINGS[name](blobs()[:3], Choice(k=4))


@pytest.mark.parametrize("name", GROUPINGS)
def test_every_grouping_finds_separate_clouds_and_counts_from_the_largest(name: str) -> None:
    k = 3 if name in ("kmeans", "average_linkage") else None
    labels = GROUPINGS[name](blobs(), Choice(k=k, groups=np.arange(len(TRUTH)) % 11))
    clear = labels >= 0
    if name == "consensus":  # takes dense clouds apart, and never two together
        assert homogeneity_score(TRUTH[clear], labels[clear]) == pytest.approx(1)
    else:
        assert adjusted_rand_score(TRUTH[clear], labels[clear]) == 1
    assert clear.mean() > 0.8
    assert (np.diff(np.bincount(labels[clear])) <= 0).all()


def test_dense_groupings_are_scikit_learns() -> None:
    rows = np.concatenate([blobs(), np.random.default_rng(1).uniform(-20, 30, (30, 6))])
    expected = HDBSCAN(min_cluster_size=7, min_samples=4, copy=True).fit_predict(rows)
    found = GROUPINGS["hdbscan"](rows, Choice(min_cluster_size=7, min_samples=4))
    assert (found == -1).tolist() == (expected == -1).tolist()
    assert adjusted_rand_score(expected, found) == 1
    # By hand: the distance to the second other row, which nine tenths of the rows stay within.
    apart = np.sort(np.linalg.norm(rows[:, None] - rows[None], axis=2), axis=1)[:, 2]
    assert adjusted_rand_score(
        DBSCAN(eps=np.quantile(apart, 0.9), min_samples=3).fit_predict(rows), GROUPINGS["dbscan"](rows, Choice())
    ) == pytest.approx(1)


def test_average_linkage_is_scipys() -> None:
    expected = fcluster(linkage(blobs(), "average"), 9, "maxclust")
    assert adjusted_rand_score(expected, GROUPINGS["average_linkage"](blobs(), Choice(k=9))) == 1


def test_noise_stays_noise_when_clusters_are_counted_anew() -> None:
    assert by_size(np.array([-1, 0, 1, 1, 4, 4, 4])).tolist() == [-1, 2, 1, 1, 0, 0, 0]
    assert by_size(np.array([], dtype=int)).tolist() == []


def test_a_cluster_of_many_rows_needs_more_of_them() -> None:
    assert [fewest_in_cluster(n) for n in (0, 10, 400, 1_386, 90_000)] == [5, 5, 5, 9, 75]
