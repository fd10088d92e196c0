"""Whole recipes on made-up tracklets, and the neighbors they look at."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors

from megafish_assets.clusters.recipes import DEFAULT, NOTEBOOK, RECIPES, Recipe, at_k, run_recipe
from megafish_assets.features.layout import neighbors_elsewhere

N_KINDS, N_TRACKLETS = 4, 80


def reef(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors `(320, 16)` of 80 tracklets of four crops, their kinds hidden under a larger pose; tracklets; kinds."""
    rng = np.random.default_rng(seed)
    kind = np.arange(N_TRACKLETS) % N_KINDS
    rows = np.repeat(4 * np.eye(N_KINDS, 16)[kind], 4, axis=0) + 0.2 * rng.normal(size=(4 * N_TRACKLETS, 16))
    rows[:, 8:12] += 8 * rng.normal(size=(len(rows), 4))
    tracklets = np.repeat([f"v{i % 8}/t{i:02d}" for i in range(N_TRACKLETS)], 4)
    return rows.astype(np.float32), tracklets, np.repeat(kind, 4)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_no_crops_are_refused(recipe: Recipe) -> None:
    with pytest.raises(ValueError, match="at least 2 vectors, given 0"):
        run_recipe(recipe, np.empty((0, 16), dtype=np.float32), np.array([], dtype=str))


def test_too_few_crops_for_a_layout_are_grouped_as_they_are() -> None:
    rows, tracklets, _ = reef()
    laid_out = replace(DEFAULT, space="umap", grouping="hdbscan")
    few = run_recipe(laid_out, rows[:9], tracklets[:9])
    assert (few.space, len(few.positions), len(few.cluster_ids)) == ("features", 3, 9)
    assert run_recipe(laid_out, rows[:40], tracklets[:40]).space == "umap"


def test_the_default_finds_the_kinds_among_tracklets_and_the_notebooks_recipe_groups_crops() -> None:
    rows, tracklets, kinds = reef()
    ours, theirs = run_recipe(DEFAULT, rows, tracklets), run_recipe(at_k(NOTEBOOK, N_KINDS), rows, tracklets)
    assert adjusted_rand_score(kinds, ours.cluster_ids) > 0.95
    assert ours.cluster_ids.max() + 1 == N_KINDS
    assert len(ours.positions) == N_TRACKLETS
    assert len(theirs.positions) == len(rows)


def test_every_crop_of_a_tracklet_has_its_label_and_a_seed_repeats_them() -> None:
    rows, tracklets, _ = reef()
    found = run_recipe(at_k(DEFAULT, 6), rows, tracklets)
    assert (found.cluster_ids.reshape(-1, 4) == found.cluster_ids[::4, None]).all()
    assert np.array_equal(found.cluster_ids, run_recipe(at_k(DEFAULT, 6), rows, tracklets).cluster_ids)


def test_an_untracked_crop_is_grouped_by_itself() -> None:
    rows, tracklets, kinds = reef()
    tracklets = np.where(np.arange(len(rows)) % 40 < 4, None, tracklets.astype(object))
    found = run_recipe(replace(DEFAULT, space="features", grouping="kmeans", k=N_KINDS), rows, tracklets)
    assert len(found.positions) == len(set(tracklets)) - 1 + sum(name is None for name in tracklets)
    assert adjusted_rand_score(kinds, found.cluster_ids) > 0.95


def test_k_by_stability_resamples_the_given_groups() -> None:
    rows, tracklets, kinds = reef()
    recipe = replace(DEFAULT, space="features", grouping="stable_kmeans")
    videos = np.array([tracklet.partition("/")[0] for tracklet in tracklets])
    found = run_recipe(recipe, rows, tracklets, groups=videos)
    assert adjusted_rand_score(kinds, found.cluster_ids) > 0.9
    with pytest.raises(ValueError, match="given no groups"):
        run_recipe(recipe, rows, tracklets)


def test_neighbors_are_the_nearest_of_other_tracklets() -> None:
    rows, tracklets, _ = reef()
    units = np.unique(tracklets, return_inverse=True)[1]
    places, distances = neighbors_elsewhere(rows, units, 6)
    for row in (0, 17, 319):
        others = np.flatnonzero(units != units[row])
        near = NearestNeighbors(n_neighbors=5, metric="cosine").fit(rows[others])
        expected, found = near.kneighbors(rows[[row]])
        assert places[row].tolist() == [row, *others[found[0]]]
        assert distances[row] == pytest.approx([0, *expected[0]], abs=1e-5)
