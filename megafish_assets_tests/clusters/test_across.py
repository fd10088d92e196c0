"""Clusters that are one kind across videos, and those that are not."""

import numpy as np

from megafish_assets.clusters.across import ONE_KIND, _dense_across, as_kinds

N_VIDEOS = 8


def seen(centres: np.ndarray, n: int = 96, spread: float = 0.15) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, videos and clusters of n tracklets of one crop around each centre, in every video."""
    clusters = np.repeat(np.arange(len(centres)), n)
    noise = spread * np.random.default_rng(0).normal(size=(len(clusters), centres.shape[1]))
    return (centres[clusters] + noise).astype(np.float32), np.arange(len(clusters)) % N_VIDEOS, clusters


def kinds_of(features: np.ndarray, videos: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return as_kinds(features, np.arange(len(labels)), videos, labels)


def test_clusters_far_from_each_other_stay_apart() -> None:
    features, videos, clusters = seen(np.eye(12)[:5])
    assert np.array_equal(kinds_of(features, videos, clusters), clusters)


def test_a_kind_that_was_cut_in_two_at_random_is_one() -> None:
    features, videos, clusters = seen(np.eye(12)[:5])
    halves = np.where((clusters == 0) & (np.random.default_rng(1).random(len(clusters)) < 0.5), 5, clusters)
    joined = kinds_of(features, videos, halves)
    assert len(np.unique(joined)) == 5 and len(np.unique(joined[clusters == 0])) == 1


def test_a_kind_that_two_lights_cut_in_two_is_one() -> None:
    features, videos, clusters = seen(np.eye(24)[:5])
    evening = (clusters == 0) & (videos >= N_VIDEOS // 2)
    features[evening, 12] += 0.3
    joined = kinds_of(features, videos, np.where(evening, 5, clusters))
    assert len(np.unique(joined)) == 5 and len(np.unique(joined[clusters == 0])) == 1


def test_noise_stays_noise_and_numbers_that_are_left_out_are_no_clusters() -> None:
    features, videos, clusters = seen(np.eye(12)[:3])
    labels = np.where(clusters == 1, -1, np.where(clusters == 2, 7, clusters))
    assert np.array_equal(kinds_of(features, videos, labels), np.array([0, -1, 1])[clusters])


def test_of_one_cluster_one_video_or_none_nothing_is_joined() -> None:
    features, videos, clusters = seen(np.eye(12)[:2], n=8)
    assert np.array_equal(kinds_of(features, np.zeros_like(videos), clusters), clusters)
    assert kinds_of(features, videos, np.zeros_like(clusters)).tolist() == [0] * 16
    assert kinds_of(features, videos, np.full(16, -1)).tolist() == [-1] * 16
    assert kinds_of(features[:0], videos[:0], clusters[:0]).tolist() == []


def test_what_lies_between_is_measured_by_the_denser_cluster() -> None:
    # Two units each: one pair within, counted from either side; 4 pairs between; the third has one unit.
    between = np.array([[1.6, 0.4, 0.4], [0.4, 0.8, 0.0], [0.4, 0.0, 0.0]])
    found = _dense_across(between, np.array([2.0, 2.0, 1.0]))
    assert found[0, 1] == found[1, 0] == 0.1 / 0.8
    assert (found[2] == 0).all() and (found[:, 2] == 0).all()
    assert 0 < ONE_KIND < 1
