"""UMAP is seeded, and silhouettes are scikit-learn's."""

import math
import re

import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from sklearn.metrics import silhouette_score

from megafish_assets.clusters.silhouette import sampled_silhouette
from megafish_assets.features.layout import umap_positions

TRUTH = np.repeat(range(3), 20)


def blobs() -> np.ndarray:
    """Three separate clouds, float32 `(60, 8)`."""
    rng = np.random.default_rng(0)
    return (rng.normal(size=(60, 8)) + 20 * np.eye(3, 8)[TRUTH]).astype(np.float32)


@pytest.mark.parametrize(("n_rows", "n_neighbors", "n_components"), [(0, 15, 4), (15, 15, 4), (5, 2, 4)])
def test_too_few_rows_are_refused_with_what_would_do(n_rows: int, n_neighbors: int, n_components: int) -> None:
    with pytest.raises(ValueError, match=f"at least {n_rows + 1 if n_rows else 16} rows, given {n_rows}"):
        umap_positions(blobs()[:n_rows], n_neighbors, n_components, seed=42)


def test_the_same_seed_gives_the_same_positions_and_separate_clouds_stay_so() -> None:
    positions = umap_positions(blobs(), 15, 4, seed=42)
    assert positions.shape == (60, 4)
    assert positions.dtype == np.float32
    assert np.array_equal(umap_positions(blobs(), 15, 4, seed=42), positions)
    assert silhouette_score(positions, TRUTH) > 0.5


def test_neighborhoods_are_kept_as_well_as_by_umap_alone() -> None:
    from umap import UMAP

    rows = np.random.default_rng(1).normal(size=(600, 3)) @ np.random.default_rng(2).normal(size=(3, 12))
    rows = (rows + 0.1 * np.random.default_rng(3).normal(size=rows.shape)).astype(np.float32)
    alone = UMAP(n_neighbors=15, n_components=4, random_state=42, n_jobs=1).fit_transform(rows)
    kept = trustworthiness(rows, umap_positions(rows, 15, 4, seed=42), n_neighbors=15)
    assert kept >= trustworthiness(rows, alone, n_neighbors=15) - 0.01 > 0.9


def test_a_layout_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("megafish_assets.features.layout.SAID_EVERY_SECONDS", 0)
    said: list[str] = []
    umap_positions(blobs(), 15, 4, seed=42, say=said.append)
    assert re.fullmatch(r"\d+ of 200 epochs, .*/s, about \S+ left", said[len(said) // 2])
    assert said[-1].startswith("200 of 200 epochs")


@pytest.mark.parametrize(("n_rows", "n_neighbors", "n_components"), [(16, 15, 4), (6, 2, 4)])
def test_the_fewest_rows_allowed_are_enough(n_rows: int, n_neighbors: int, n_components: int) -> None:
    positions = umap_positions(blobs()[::3][:n_rows], n_neighbors, n_components, seed=42)
    assert positions.shape == (n_rows, n_components)
    assert np.isfinite(positions).all()


def test_a_silhouette_of_few_rows_is_scikit_learns() -> None:
    assert sampled_silhouette(blobs(), TRUTH, seed=42) == pytest.approx(silhouette_score(blobs(), TRUTH))


def test_a_silhouette_of_many_rows_is_that_of_a_seeded_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 2_000)
    positions = rng.normal(size=(2_000, 2)) + 1.5 * labels[:, None]
    monkeypatch.setattr("megafish_assets.clusters.silhouette.SILHOUETTE_ROWS", 500)
    found = sampled_silhouette(positions, labels, seed=42)
    assert found == sampled_silhouette(positions, labels, seed=42) != sampled_silhouette(positions, labels, seed=43)
    assert found == pytest.approx(silhouette_score(positions, labels), abs=0.05)


@pytest.mark.parametrize("labels", [[], [0], [0, 0, 0], [0, 1, 2]], ids=["none", "one", "one cluster", "all alone"])
def test_a_silhouette_without_two_clusters_is_no_number(labels: list[int]) -> None:
    assert math.isnan(sampled_silhouette(blobs()[: len(labels)], np.array(labels, dtype=int), seed=42))
