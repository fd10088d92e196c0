"""Principal components against scikit-learn's."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from megafish_assets.features.columns import MODEL
from megafish_assets.features.reduction import Projection, fit_projection
from megafish_assets.features.tables import model_parts, model_table


def vectors(n: int = 300, dim: int = 40, seed: int = 0) -> np.ndarray:
    """Correlated float32 rows of different scales."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, 8)) @ rng.normal(size=(8, dim)) + 0.4 * rng.normal(size=(n, dim))
    return (rows * np.geomspace(0.01, 100, dim) + 7).astype(np.float32)


@pytest.mark.parametrize("n_rows", [0, 1])
def test_fewer_than_two_rows_cannot_be_reduced(n_rows: int) -> None:
    with pytest.raises(ValueError, match=f"at least 2 vectors, given {n_rows}"):
        fit_projection([vectors()[:n_rows]])


def test_a_first_block_far_from_the_others_costs_no_digits() -> None:
    far = 1000 + 0.01 * np.random.default_rng(0).normal(size=(6_000, 8)).astype(np.float32)
    rows = np.concatenate([np.zeros((1, 8), np.float32), far])
    reference = PCA().fit(StandardScaler().fit_transform(rows.astype(np.float64)))
    found = fit_projection([rows[:1], rows[1:]], 0.999999)
    assert found.spectrum == pytest.approx(reference.explained_variance_ratio_, abs=1e-8)


def test_vectors_of_two_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="vectors of 1 and of 6 numbers"):
        fit_projection([np.ones((3, 6), np.float32), np.ones((3, 1), np.float32)])


@pytest.mark.parametrize("n_rows", [2, 7, 1_000])
def test_equal_rows_cannot_be_reduced(n_rows: int) -> None:
    with pytest.raises(ValueError, match=f"all {n_rows} vectors are equal"):
        fit_projection([np.repeat(vectors(1) + np.float32(0.1), n_rows, axis=0)])


@pytest.mark.parametrize(("n", "dim"), [(300, 40), (25, 60), (2, 5), (50, 1)])
@pytest.mark.parametrize("variance", [0.5, 0.95, 0.99])
def test_components_and_projected_rows_are_scikit_learns(n: int, dim: int, variance: float) -> None:
    rows = vectors(n, dim)
    scaled = StandardScaler().fit_transform(rows.astype(np.float64))
    reference = PCA(n_components=variance, svd_solver="full").fit(scaled)
    found = fit_projection(np.array_split(rows, 3), variance)
    expected, projected = reference.transform(scaled), found.project(rows)
    assert projected.dtype == np.float32
    assert projected.shape == expected.shape
    signs = np.sign((projected * expected).sum(axis=0))
    assert np.allclose(projected * signs, expected, atol=1e-4)
    assert found.variance_reached == pytest.approx(reference.explained_variance_ratio_.sum())
    assert found.variance_reached >= variance
    assert found.spectrum.sum() == pytest.approx(1)
    assert len(found.spectrum) == min(n, dim)


def test_all_of_the_variance_can_be_kept() -> None:
    found = fit_projection([vectors()], variance=1.0)
    assert found.variance_reached == pytest.approx(1)
    assert len(found.components) <= 40


def test_a_model_from_its_table_puts_new_rows_in_the_same_place() -> None:
    model, new = fit_projection([vectors()]), vectors(50, seed=9)
    frame = model_table(model.to_parts())
    assert dict(frame.schema) == {name: column.dtype for name, column in MODEL.items()}
    again = Projection.from_parts(model_parts(frame.sample(fraction=1.0, shuffle=True, seed=3)))
    assert np.array_equal(again.project(new), model.project(new))
    assert np.array_equal(again.spectrum, model.spectrum)


def test_a_constant_dimension_adds_nothing() -> None:
    rows = vectors()
    constant = np.insert(rows, 3, np.float32(0.1), axis=1)
    assert np.allclose(fit_projection([constant]).project(constant), fit_projection([rows]).project(rows), atol=1e-4)
    found = fit_projection([constant])
    assert found.scale[3] == 1
    assert np.abs(found.components[:, 3]).max() == pytest.approx(0, abs=1e-12)


def test_standardised_rows_have_mean_0_and_deviation_1() -> None:
    rows, model = vectors(), fit_projection([vectors()])
    scaled = model.standardise(rows)
    assert scaled.mean(axis=0) == pytest.approx(np.zeros(40), abs=1e-6)
    assert scaled.std(axis=0) == pytest.approx(np.ones(40), abs=1e-5)
