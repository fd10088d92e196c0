"""Groups and the sweep over k against scikit-learn."""

import numpy as np
import polars as pl
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score

from megafish_assets.clusters.columns import SWEEP
from megafish_assets.clusters.grouping import SWEEP_STARTS, grouped, shared_sample, sweep

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


def test_the_sweep_is_scikit_learns() -> None:
    rows, ks = blobs(), [2, 3, 5, 8]
    called = []
    found = sweep(rows, ks, seed=42, on_k=lambda: called.append(1))
    assert dict(found.schema) == {name: column.dtype for name, column in SWEEP.items()}
    assert (found["k"].to_list(), len(called)) == (ks, len(ks))
    for k, inertia, silhouette, n_rows in found.rows():
        expected = KMeans(n_clusters=k, n_init=SWEEP_STARTS, random_state=42).fit(rows)
        assert inertia == pytest.approx(expected.inertia_)
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
