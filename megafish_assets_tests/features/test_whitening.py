"""Whitening: by hand, by its defining property, and on real fish."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from benchmarks.quality import listed, vectors_of
from megafish_assets.evaluation.metrics import neighbor_accuracy
from megafish_assets.features.columns import MODEL
from megafish_assets.features.reduction import fit_projection
from megafish_assets.features.tables import model_parts, model_table
from megafish_assets.features.whitening import (
    BORDER_RIDGE,
    BORDER_WEIGHT,
    FEWEST_TRACKLETS,
    KEPT_DIRECTIONS,
    PRIOR_CROPS,
    Whitening,
    fit_whitening,
)


def swimmers(n_tracklets: int = 120, n_crops: int = 4, dim: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Vectors whose first two dimensions tell fish apart while the third, ten times larger, is pose; and tracklets."""
    rng = np.random.default_rng(seed)
    fish = np.zeros((n_tracklets, dim))
    fish[:, :2] = rng.normal(size=(n_tracklets, 2)) * 3
    rows = np.repeat(fish, n_crops, axis=0) + 0.3 * rng.normal(size=(n_tracklets * n_crops, dim))
    rows[:, 2] += 30 * rng.normal(size=len(rows))
    return rows.astype(np.float32), np.repeat([f"t{i:03d}" for i in range(n_tracklets)], n_crops)


def fitted(vectors: np.ndarray, tracklets: np.ndarray) -> Whitening:
    """In blocks of seven rows."""
    return fit_whitening([vectors[start : start + 7] for start in range(0, len(vectors), 7)], tracklets)


@pytest.mark.parametrize(("n_tracklets", "n_crops", "counted"), [(1, 2, 1), (19, 4, 19), (300, 1, 0)])
def test_of_too_few_tracklets_nothing_is_turned_down_and_it_says_so(
    n_tracklets: int, n_crops: int, counted: int
) -> None:
    rows, tracklets = swimmers(n_tracklets, n_crops)
    model = fitted(rows, tracklets)
    assert (model.n_tracklets, model.is_fitted) == (counted, False)
    # A rotation about the mean: cosines are those of the centred vectors.
    centred = rows - rows.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=1)
    cosines = centred @ centred.T / np.outer(lengths, lengths)
    assert model.project(rows) @ model.project(rows).T == pytest.approx(cosines, abs=1e-4)


@pytest.mark.parametrize("with_borders", [False, True])
def test_cosines_are_those_under_the_inverse_of_what_is_turned_down(with_borders: bool) -> None:
    rows, tracklets = swimmers()
    borders = np.random.default_rng(1).normal(size=(len(rows), 3)) + rows[:, :3]
    model = fit_whitening(np.array_split(rows, 9), tracklets, borders if with_borders else None)
    # All rows at once in double precision, tracklet by tracklet, and the regression by scikit-learn.
    centred = rows - rows.mean(axis=0, dtype=np.float64)
    scatters = [np.cov(centred[tracklets == one].T) * 3 for one in np.unique(tracklets)]  # of 4 crops each
    n_free = len(rows) - len(scatters)
    turned_down = sum(scatters) / n_free
    if with_borders:
        seen = StandardScaler().fit_transform(borders)
        said = Ridge(alpha=BORDER_RIDGE * len(rows)).fit(seen, centred).predict(seen)
        turned_down = turned_down + BORDER_WEIGHT * said.T @ said / len(rows)
    share = PRIOR_CROPS / (PRIOR_CROPS + n_free)
    turned_down = (1 - share) * turned_down + share * np.trace(turned_down) / 12 * np.eye(12)
    products = centred @ np.linalg.inv(turned_down) @ centred.T
    lengths = np.sqrt(products.diagonal())
    found = model.project(rows)
    assert found @ found.T == pytest.approx(products / np.outer(lengths, lengths), abs=1e-4)


def test_untracked_rows_are_no_tracklet() -> None:
    rows, _ = swimmers(100)
    assert not fitted(rows, np.full(len(rows), "")).is_fitted


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_rows_are_refused(n: int) -> None:
    with pytest.raises(ValueError, match=f"at least 2 vectors, given {n}"):
        fitted(swimmers(1)[0][:n], np.array(["t"] * n))


def test_tracklets_that_never_vary_are_refused() -> None:
    rows, tracklets = swimmers(30, 1)
    with pytest.raises(ValueError, match="each of 30 tracklets are equal"):
        fitted(np.repeat(rows, 3, axis=0), np.repeat(tracklets, 3))


def test_the_fewest_are_enough() -> None:
    assert fitted(*swimmers(FEWEST_TRACKLETS)).n_tracklets == FEWEST_TRACKLETS


def test_within_a_tracklet_every_direction_varies_alike_up_to_the_prior() -> None:
    rows, tracklets = swimmers(2_000)
    model = fitted(rows, tracklets)
    moved = (rows - model.mean) @ model.directions.T
    about = moved.reshape(-1, 4, moved.shape[1])
    about = (about - about.mean(axis=1, keepdims=True)).reshape(len(rows), -1)
    covariance = about.T @ about / (len(rows) - 2_000)
    # By hand: W has eigenvalues 900.09 (pose) and 11 of 0.09, so its mean diagonal is 75.09.
    level = (900.09 + 11 * 0.09) / 12
    share = PRIOR_CROPS / (PRIOR_CROPS + 6_000)
    shrunk = [value / ((1 - share) * value + share * level) for value in (0.09, 900.09)]
    assert sorted(np.linalg.eigvalsh(covariance)) == pytest.approx([shrunk[0]] * 11 + [shrunk[1]], rel=0.1)


def test_what_tells_tracklets_apart_comes_first_and_pose_is_turned_down() -> None:
    rows, tracklets = swimmers()
    fish = rows.reshape(-1, 4, rows.shape[1])[:, 0, :2]
    features = fitted(rows, tracklets).project(rows)
    assert features.dtype == np.float32
    assert np.linalg.norm(features, axis=1) == pytest.approx(np.ones(len(rows)), abs=1e-5)
    pose, told = np.abs(np.corrcoef(features[:, 0], rows[:, 2])[0, 1]), np.corrcoef(features[::4, 0], fish.T)[0, 1:]
    assert pose < 0.2
    assert np.abs(told).max() > 0.6


def test_what_the_border_foretells_is_turned_down_too() -> None:
    rows, tracklets = swimmers(2_000)
    water = np.repeat(np.random.default_rng(5).integers(0, 2, 2_000), 4)  # the same all along a tracklet
    rows[:, 3] += 30 * water
    borders = (water[:, None] + 0.01 * np.random.default_rng(6).normal(size=(len(rows), 5))).astype(np.float32)

    def counted(known: np.ndarray | None) -> float:
        """What a step of 1 along the water's direction counts, squared."""
        return float((fit_whitening([rows], tracklets, known).directions[:, 3] ** 2).sum())

    # By hand: within tracklets 0.09, of which all but the shrinkage counts; five equal borders foretell the water's
    # variance of 900 / 4, less what a penalty of 1 against 5 takes.
    level, foretold = (900.09 + 11 * 0.09) / 12, BORDER_WEIGHT * 225 * (5 / 6) ** 2
    share = PRIOR_CROPS / (PRIOR_CROPS + 6_000)
    blind = (1 - share) * 0.09 + share * level
    seen = (1 - share) * (0.09 + foretold) + share * (level + foretold / 12)
    assert counted(None) == pytest.approx(1 / blind, rel=0.1)
    assert counted(borders) == pytest.approx(1 / seen, rel=0.1)


def test_no_more_directions_are_kept_than_there_are() -> None:
    assert fitted(*swimmers(dim=12)).directions.shape == (12, 12)
    assert fitted(*swimmers(dim=300)).directions.shape == (KEPT_DIRECTIONS, 300)


def test_a_model_from_its_table_puts_new_rows_in_the_same_place() -> None:
    model, (new, _) = fitted(*swimmers()), swimmers(seed=9)
    frame = model_table(model.to_parts())
    assert dict(frame.schema) == {name: column.dtype for name, column in MODEL.items()}
    again = Whitening.from_parts(model_parts(frame.sample(fraction=1.0, shuffle=True, seed=3)))
    assert np.array_equal(again.project(new), model.project(new))
    assert (again.n_tracklets, again.between.tolist()) == (model.n_tracklets, model.between.tolist())


def test_no_rows_are_projected_to_none() -> None:
    model = fitted(*swimmers())
    assert model.project(np.empty((0, 12), dtype=np.float32)).shape == (0, 12)


def test_on_real_fish_the_nearest_crop_of_another_trajectory_is_more_often_of_the_same_species(real_data: Path) -> None:
    # The ten species with most trajectories: half of the folder, embedded in half of the time.
    index = listed(real_data / "fish4knowledge")
    commonest = index.group_by("species").agg(pl.col("trajectory").n_unique()).sort("trajectory", "species")[-10:]
    chosen = index.filter(pl.col("species").is_in(commonest["species"].implode()))
    vectors = vectors_of(
        real_data / "fish4knowledge",
        chosen["path"].to_list(),
        real_data / "mobilenetv2-imagenet",
        "mobilenetv2",
        "letterbox",
    )
    species, trajectories = chosen["species"].to_numpy(), chosen["trajectory"].to_numpy()
    reduced = fit_projection([vectors]).project(vectors)
    whitened = fit_whitening([vectors], trajectories).project(vectors)
    before, after = (neighbor_accuracy(rows, species, trajectories) for rows in (reduced, whitened))
    # Measured on the whole folder: 0.75 and 0.86.
    assert after > before + 0.05
