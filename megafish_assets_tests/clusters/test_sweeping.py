"""The sweep over k, and the sample that all backbones share, against scikit-learn."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads

from megafish_assets.clusters.columns import SWEEP
from megafish_assets.clusters.sweeping import shared_sample, sweep
from megafish_assets.clusters.tables import sweep_table
from megafish_assets_tests.clusters.blobs import SIZES, blobs


def test_the_sweep_finds_what_ten_starts_of_scikit_learn_find() -> None:
    rows, ks = blobs(), [2, 3, 5, 8]
    told: dict[str, list[int]] = {}

    def progress(what: str, total: int) -> Callable[[int], None]:
        assert total == {"values of k": len(ks), "rows' silhouettes": len(rows)}[what]
        return told.setdefault(what, []).append

    swept = sweep(rows, ks, seed=42, progress=progress)
    found = sweep_table(swept, len(rows))
    assert {what: sum(counts) for what, counts in told.items()} == {
        "values of k": len(ks),
        "rows' silhouettes": len(rows),
    }
    assert dict(found.schema) == {name: column.dtype for name, column in SWEEP.items()}
    assert found["k"].to_list() == ks
    for k, inertia, silhouette, n_rows in found.rows():
        expected = KMeans(n_clusters=k, n_init=10, random_state=0).fit(rows)
        assert inertia == pytest.approx(expected.inertia_, rel=0.05)
        if k == len(SIZES):  # elsewhere two groupings of nearly one inertia may have quite different silhouettes
            assert silhouette == pytest.approx(silhouette_score(rows, expected.labels_))
        assert n_rows == len(rows)
    assert (np.diff(found["inertia"]) < 0).all()
    assert found.sort("silhouette")["k"][-1] == len(SIZES)
    assert sweep(rows, ks, seed=42) == swept


def test_each_fit_keeps_to_one_thread_so_that_a_seed_gives_the_same_on_any_number_of_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fit, n_threads = KMeans.fit, []

    def spied(model: KMeans, rows: np.ndarray) -> KMeans:
        n_threads.append(_openmp_effective_n_threads())
        return fit(model, rows)

    monkeypatch.setattr(KMeans, "fit", spied)
    before = _openmp_effective_n_threads()
    sweep(blobs(), [2, 3, 5, 8], seed=42)
    assert set(n_threads) == {1}
    assert _openmp_effective_n_threads() == before


@pytest.mark.parametrize(("n_rows", "ks"), [(0, []), (2, []), (3, [2]), (5, [2, 3, 4])])
def test_the_sweep_tries_only_what_the_rows_allow(n_rows: int, ks: list[int]) -> None:
    found = sweep_table(sweep(blobs()[:n_rows], range(2, 41), seed=42), n_rows)
    assert found["k"].to_list() == ks
    assert dict(found.schema) == {name: column.dtype for name, column in SWEEP.items()}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_near_duplicates_do_not_stop_the_sweep() -> None:
    rows = np.repeat(blobs()[:3], 4, axis=0)
    assert [one.k for one in sweep(rows, range(2, 6), seed=42)] == [2, 3, 4, 5]


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
