"""Groups and the sweep over k against scikit-learn."""

import numpy as np
import polars as pl
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.cluster import DBSCAN, HDBSCAN, KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score

from megafish_assets.clusters.columns import SWEEP
from megafish_assets.clusters.grouping import GROUPINGS, Choice, by_size, grouped, shared_sample, sweep

SIZES = (30, 120, 70)
TRUTH = np.repeat(range(3), SIZES)


def blobs(seed: int = 0) -> np.ndarray:
    """Three separate clouds of different sizes, float32 `(220, 6)`."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(len(TRUTH), 6)) + 12 * np.eye(3, 6)[TRUTH]).astype(np.float32)


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


def test_the_sweep_finds_what_ten_starts_of_scikit_learn_find() -> None:
    rows, ks = blobs(), [2, 3, 5, 8]
    called, judged = [], []
    found = sweep(rows, ks, seed=42, on_k=lambda: called.append(1), on_rows=judged.append)
    assert sum(judged) == len(rows)
    assert dict(found.schema) == {name: column.dtype for name, column in SWEEP.items()}
    assert (found["k"].to_list(), len(called)) == (ks, len(ks))
    for k, inertia, silhouette, n_rows in found.rows():
        expected = KMeans(n_clusters=k, n_init=10, random_state=0).fit(rows)
        assert inertia == pytest.approx(expected.inertia_, rel=0.05)
        if k == len(SIZES):  # elsewhere two groupings of nearly one inertia may have quite different silhouettes
            assert silhouette == pytest.approx(silhouette_score(rows, expected.labels_))
        assert n_rows == len(rows)
    assert (np.diff(found["inertia"]) < 0).all()
    assert found.sort("silhouette")["k"][-1] == len(SIZES)
    assert sweep(rows, ks, seed=42).equals(found)


@pytest.mark.parametrize(("n_rows", "ks"), [(0, []), (2, []), (3, [2]), (5, [2, 3, 4])])
def test_the_sweep_tries_only_what_the_rows_allow(n_rows: int, ks: list[int]) -> None:
    found = sweep(blobs()[:n_rows], range(2, 41), seed=42)
    assert found["k"].to_list() == ks
    assert dict(found.schema) == {name: column.dtype for name, column in SWEEP.items()}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_near_duplicates_do_not_stop_the_sweep() -> None:
    rows = np.repeat(blobs()[:3], 4, axis=0)
    assert sweep(rows, range(2, 6), seed=42)["k"].to_list() == [2, 3, 4, 5]


@pytest.mark.parametrize("dtype", [str, object])
def test_the_shared_sample_is_the_same_for_ids_in_any_order(dtype: type) -> None:
    ids = np.array([f"clip_{i % 7}/{i:06d}/000" for i in range(500)], dtype=dtype)
    sample = shared_sample(ids, 100, seed=42)
    assert len(set(sample)) == 100
    assert sample.tolist() == sorted(sample)
    assert set(sample) <= set(ids)
    assert np.array_equal(shared_sample(np.random.default_rng(1).permutation(ids), 100, seed=42), sample)
    assert not np.array_equal(shared_sample(ids, 100, seed=43), sample)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_a_small_sample_is_everything(n: int) -> None:
    ids = np.array([f"v/{i:06d}/000" for i in range(n)], dtype=str)
    assert shared_sample(ids[::-1], 5, seed=42).tolist() == ids.tolist()
    assert pl.Series(shared_sample(ids, 5, seed=42), dtype=pl.String).to_list() == ids.tolist()


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
