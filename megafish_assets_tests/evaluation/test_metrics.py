"""Measures of a partition against other implementations, and by hand."""

import numpy as np
import pytest
from sklearn import metrics

from megafish_assets.clusters.grouping import noise_share
from megafish_assets.evaluation.metrics import (
    CONFOUNDER_BINS,
    binned,
    confounder_leaks,
    density_validity,
    label_scores,
    neighbor_accuracy,
    track_consistency,
)

NONE = np.array([], dtype=int)


def three_blobs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    blobs = [rng.normal(size=(30, 3)), rng.normal(size=(40, 3)) * 0.5 + 4, rng.normal(size=(25, 3)) * 1.5 + [-6, 3, 0]]
    return np.concatenate(blobs), np.repeat([0, 1, 2], [30, 40, 25])


def test_nothing_has_no_quality() -> None:
    nothing = np.empty((0, 3))
    assert np.isnan([noise_share(NONE), density_validity(nothing, NONE, 0), *label_scores(NONE, NONE).values()]).all()
    assert np.isnan([track_consistency(NONE, NONE.astype(str), 0), neighbor_accuracy(nothing, NONE, NONE)]).all()
    assert np.isnan(confounder_leaks(NONE, {"pan": np.array([])})["pan"])


def test_density_validity_is_that_of_the_hdbscan_package() -> None:
    # hdbscan 0.8.44's `validity_index` of the same rows.
    rows, labels = three_blobs()
    assert density_validity(rows, labels, seed=0) == pytest.approx(0.5926874766689687)
    some_noise = np.where(np.arange(95) % 10 == 0, -1, labels)
    assert density_validity(rows, some_noise, seed=0) == pytest.approx(0.566147248377477)


@pytest.mark.parametrize("labels", [np.zeros(95, int), np.full(95, -1), np.r_[0, 1, np.full(93, -1)]])
def test_density_validity_needs_two_clusters_of_two_rows(labels: np.ndarray) -> None:
    assert np.isnan(density_validity(three_blobs()[0], labels, seed=0))


def test_density_validity_of_equal_rows_and_of_many_dimensions_is_finite() -> None:
    labels = np.repeat([0, 1], 5)
    assert density_validity(np.repeat([[0.0], [1.0]], 5, axis=0), labels, seed=0) == pytest.approx(1)
    assert density_validity(np.zeros((10, 2)), labels, seed=0) == pytest.approx(0)
    wide = np.random.default_rng(0).normal(size=(60, 400)) + 9 * np.repeat([[0], [1]], 30, axis=0)
    assert 0 < density_validity(wide, np.repeat([0, 1], 30), seed=0) < 1


def test_noise_is_a_share() -> None:
    assert noise_share(np.array([-1, 0, 3, -1])) == 0.5


def test_consistency_is_1_for_whole_tracks_and_0_for_shuffled_ones() -> None:
    tracks = np.repeat([f"t{i}" for i in range(300)], 4)
    whole = np.repeat(np.arange(300) % 5, 4)
    assert track_consistency(whole, tracks, seed=0) == pytest.approx(1)
    shuffled = np.random.default_rng(1).permutation(whole)
    assert track_consistency(shuffled, tracks, seed=0) == pytest.approx(0, abs=0.05)
    half = np.where(np.arange(1200) % 2 == 0, whole, shuffled)
    assert 0.2 < track_consistency(half, tracks, seed=0) < 0.8


def test_consistency_needs_tracks_of_two_crops_and_more_than_one_cluster() -> None:
    assert np.isnan(track_consistency(np.array([0, 1, 1, 0]), np.array(["a", "b", None, None]), seed=0))
    assert np.isnan(track_consistency(np.zeros(4, int), np.array(["a", "a", "b", "b"]), seed=0))


def test_a_leak_is_the_ami_with_the_bins_of_a_confounder() -> None:
    rng = np.random.default_rng(0)
    size, labels = rng.lognormal(size=4_000), rng.integers(0, 4, 4_000)
    video = np.array(["left", "right"])[labels % 2]
    leaks = confounder_leaks(labels, {"video": video, "size": size})
    assert leaks["video"] == pytest.approx(metrics.adjusted_mutual_info_score(video, labels))
    assert leaks["video"] > 0.5
    assert leaks["size"] == pytest.approx(0, abs=0.005)
    by_size = np.searchsorted(np.quantile(size, [0.25, 0.5, 0.75]), size)
    assert confounder_leaks(by_size, {"size": size})["size"] > 0.6


def test_bins_hold_as_many_rows_each_places_become_a_grid_and_what_is_unknown_is_left_out() -> None:
    values = np.random.default_rng(0).permutation(800).astype(float)
    assert np.bincount(binned(values)).tolist() == [100] * CONFOUNDER_BINS
    assert binned(np.array([np.nan, 1.0, 2.0]))[0] == -1
    place = np.stack([values, values], axis=1)
    assert len(np.unique(binned(place))) == CONFOUNDER_BINS
    place[0] = np.nan
    assert binned(place)[0] == -1


def test_label_scores_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    truth = rng.choice(["tang", "wrasse", "goby"], 500)
    labels = np.where(rng.random(500) < 0.3, rng.integers(-1, 5, 500), np.unique(truth, return_inverse=True)[1])
    found = label_scores(labels, truth)
    assert found["ami"] == pytest.approx(metrics.adjusted_mutual_info_score(truth, labels))
    assert found["ari"] == pytest.approx(metrics.adjusted_rand_score(truth, labels))
    assert found["v_measure"] == pytest.approx(metrics.v_measure_score(truth, labels))
    assert found["homogeneity"] == pytest.approx(metrics.homogeneity_score(truth, labels))
    assert found["completeness"] == pytest.approx(metrics.completeness_score(truth, labels))


def test_macro_f1_by_hand() -> None:
    truth, labels = np.array(["a", "a", "a", "b", "b", "c"]), np.array([0, 0, 1, 1, 1, -1])
    # Cluster 0 is a, 1 is b. F1: a 2*2/(2+3), b 2*2/(3+2), c 0.
    assert label_scores(labels, truth)["macro_f1"] == pytest.approx((0.8 + 0.8 + 0) / 3)


def test_the_nearest_of_the_same_trajectory_does_not_count() -> None:
    rows = np.array([[0.0], [0.1], [1.0], [5.0], [5.1]])
    truth, tracks = np.array(["a", "a", "a", "b", "a"]), np.array(["1", "1", "2", "3", "4"])
    # Rows 0 and 1 find row 2 (a); row 2 finds row 1 (a); row 3 finds row 4 (a, wrong); row 4 finds row 3 (b, wrong).
    assert neighbor_accuracy(rows, truth, tracks) == 0.6
    assert np.isnan(neighbor_accuracy(rows, truth, np.full(5, "1")))
