"""Resamples by video, and clusters known to be there or not."""

import numpy as np
import polars as pl
import pytest
from sklearn.cluster import KMeans

from megafish_assets.clusters.columns import STABILITY
from megafish_assets.clusters.stability import (
    ABSENT,
    OWN_ERROR,
    RESAMPLES,
    agreement,
    agreement_by_k,
    best_agreement,
    cluster_support,
    kinds_sentence,
    most_stable_k,
    overlaps,
    pairs_together,
    partitions,
    resamples,
    stability,
)
from megafish_assets.features.crop_rows import CropRows

VIDEOS = np.repeat([f"v{i}" for i in range(12)], 10)


def kinds(n_kinds: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Well separated kinds, all of them in every video."""
    truth = np.arange(len(VIDEOS)) % n_kinds
    return np.random.default_rng(0).normal(size=(len(VIDEOS), 3)) + 20 * np.eye(n_kinds, 3)[truth], truth


def behind(labels: np.ndarray) -> CropRows:
    """Each row a tracklet."""
    return CropRows(np.arange(len(labels)).astype(str), VIDEOS, cluster_ids=labels)


def k_means(rows: np.ndarray, k: int = 4) -> np.ndarray:
    return KMeans(k, n_init=3, random_state=0).fit(rows).labels_


@pytest.mark.parametrize("videos", [[], ["a", "a", "a"], ["a", "b", "a"]])
def test_two_videos_cannot_be_resampled(videos: list[str]) -> None:
    with pytest.raises(ValueError, match="needed 3"):
        list(resamples(np.array(videos), seed=0))


def test_resamples_take_whole_videos_each_row_once_and_repeat_with_the_seed() -> None:
    drawn = list(resamples(VIDEOS, seed=3))
    assert len(drawn) == RESAMPLES >= 20
    for places in drawn:
        assert (np.diff(places) > 0).all()
        assert all(np.isin(np.flatnonzero(video == VIDEOS), places).all() for video in set(VIDEOS[places]))
    # A video of twelve is missed with (11/12)^12 = 0.352.
    assert np.mean([len(places) for places in drawn]) / len(VIDEOS) == pytest.approx(0.648, abs=0.06)
    assert all(np.array_equal(*pair) for pair in zip(drawn, resamples(VIDEOS, seed=3), strict=True))


def test_rows_that_were_not_drawn_have_no_label() -> None:
    rows, _ = kinds()
    labels = partitions(rows, VIDEOS, k_means, seed=3)
    for row, places in zip(labels, resamples(VIDEOS, seed=3), strict=True):
        assert np.array_equal(np.flatnonzero(row != ABSENT), places)


def test_partitions_that_only_swap_names_agree() -> None:
    labels = np.array([[0, 0, 1, 1, ABSENT], [1, 1, 0, 0, 2], [5, 5, 3, 3, 3]])
    assert agreement(labels)[0] == pytest.approx(1)
    assert agreement(labels)[1] < 1


def test_partitions_that_tell_nothing_apart_agree_on_nothing() -> None:
    labels = np.array([[-1, -1, ABSENT, ABSENT], [-1, -1, -1, ABSENT], [ABSENT, ABSENT, ABSENT, 0]])
    assert np.isnan(agreement(labels)).all()
    none = agreement_by_k(np.zeros((120, 1)), VIDEOS, [2], lambda rows, k: np.zeros(len(rows), int), seed=0)
    assert none.height == 0


def test_the_true_number_of_separate_kinds_is_the_most_stable() -> None:
    rows, _ = kinds(4)
    found = agreement_by_k(rows, VIDEOS, range(2, 8), k_means, seed=0)
    assert found["k"].to_list() == [2, 3, 4, 5, 6, 7]
    assert found.filter(pl.col("k") == 4)["ami"][0] == pytest.approx(1)
    assert most_stable_k(found) == 4


def test_among_equals_the_largest_k_is_taken() -> None:
    table = pl.DataFrame({"k": [2, 3, 4, 5], "ami": [0.99, 0.98, 0.975, 0.9], "ami_error": [0.02, 0.1, 0.1, 0.1]})
    assert most_stable_k(table) == 4
    with pytest.raises(ValueError, match="no k could be tried"):
        most_stable_k(table.clear())


def test_overlap_by_hand() -> None:
    full = np.array([0, 0, 0, 1, 1, -1, 2])
    labels = np.array([[7, 7, 3, 3, 3, 3, ABSENT], [0, 0, ABSENT, -1, -1, 0, 1]])
    # First: {0,1,2} against {0,1} is 2/3; {3,4} against {2,3,4,5} is 2/4; cluster 2 was not drawn.
    # Second: {0,1} against {0,1,5} is 2/3; {3,4} became noise.
    assert overlaps(full, labels, 3) == pytest.approx(np.array([[2 / 3, 1 / 2, np.nan], [2 / 3, 0, 1]]), nan_ok=True)
    assert np.isnan(overlaps(full, labels, 4)[:, 3]).all()


def test_a_kind_needs_tracklets_videos_and_overlap() -> None:
    full = np.repeat([0, 1, 2, 3, -1], [5, 4, 5, 5, 2])
    videos = np.array([*"abcaa", *"abca", *"aabbb", *"abcde", *"ab"])
    tracklets = np.arange(len(full)).astype(str)
    found = cluster_support(
        CropRows(tracklets, videos, cluster_ids=full), np.array([[0.8, 1, 1, 0.7], [0.7, 1, 1, 0.7]])
    )
    assert dict(found.schema) == {name: column.dtype for name, column in STABILITY.items()}
    assert found.select("n_tracklets", "n_videos", "stable").rows() == [
        (5, 3, True),
        (4, 3, False),
        (5, 2, False),
        (5, 5, False),
    ]
    assert found["jaccard"].to_list() == pytest.approx([0.75, 1, 1, 0.7])


def test_crops_of_one_tracklet_are_one_fish_and_untracked_ones_no_tracklet() -> None:
    behind = CropRows(np.array([*"aaabb", None, None]), np.array([*"vvvwxyz"]), cluster_ids=np.zeros(7, int))
    assert cluster_support(behind, np.ones((2, 1))).row(0) == (0, 1.0, 2, 5, False, None)


def test_the_best_agreement_is_told_with_its_k() -> None:
    table = pl.DataFrame({"k": [2, 3], "ami": [0.4, 0.6], "ami_error": [0.1, 0.1]})
    assert best_agreement(table) == {"k_of_best_agreement": 3, "best_agreement_ami": 0.6}
    assert best_agreement(table.clear()) == {"k_of_best_agreement": None, "best_agreement_ami": None}


def test_separate_kinds_are_counted_and_halves_of_one_are_not() -> None:
    rows, truth = kinds(4)
    found = stability(rows, truth, VIDEOS, k_means, 0, behind(truth))
    assert (found.n_kinds, found.n_sure, found.n_kinds_low, found.n_kinds_high) == (4, 4, 4, 4)
    assert found.ami == pytest.approx(1) and found.sentence() == "4 kinds; 4 sure"
    noise = np.random.default_rng(1).normal(size=rows.shape)
    full = k_means(noise, 8)
    split = stability(noise, full, VIDEOS, lambda part: k_means(part, 8), 0, behind(full))
    assert split.n_sure <= 2
    assert split.n_kinds_low <= split.n_kinds <= split.n_kinds_high <= 8


def eight_clusters_of_four_kinds() -> tuple[np.ndarray, np.ndarray]:
    """Rows, and clusters of which 2 i and 2 i + 1 are kind i, each in all videos."""
    rows, truth = kinds(4)
    return rows, 2 * truth + np.arange(len(truth)) // 4 % 2


def test_clusters_of_one_kind_count_once_in_every_draw() -> None:
    rows, full = eight_clusters_of_four_kinds()
    # Grouped anew each time into the four kinds, no half of which is found again.
    found = stability(rows, full, VIDEOS, k_means, 0, behind(full), as_kinds=lambda places, labels: labels // 2)
    assert (found.n_kinds, found.n_sure, found.clusters.height) == (4, 0, 8)
    # 4 / 1.25 and 4 * 1.25: the draws agree, and the method errs.
    assert (found.n_kinds_low, found.n_kinds_high) == (3, 5)


def test_the_draws_in_which_clusters_are_more_kinds_or_fewer_make_the_interval() -> None:
    rows, full = eight_clusters_of_four_kinds()
    draws = iter(range(1000))

    def as_kinds(places: np.ndarray, labels: np.ndarray) -> np.ndarray:
        return labels if next(draws) % 2 else np.zeros_like(labels)  # eight kinds, or one

    found = stability(rows, full, VIDEOS, k_means, 0, behind(full), as_kinds=as_kinds)
    assert (found.n_kinds_low, found.n_kinds_high) == (1, 8)


def test_a_kind_of_two_clusters_has_the_tracklets_and_videos_of_both() -> None:
    rows, _ = kinds(4)
    # A cluster of each two videos: none has three, and any two of them do.
    full = np.arange(len(rows)) // 20
    alone = stability(rows, full, VIDEOS, k_means, 0, behind(full))
    assert (alone.n_kinds, alone.n_kinds_high) == (0, 0)
    pairs = stability(rows, full, VIDEOS, k_means, 0, behind(full), as_kinds=lambda places, labels: labels // 2)
    assert 0 < pairs.n_kinds <= 3


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ((11.0, 13.0, 9), "11 to 13 kinds; 9 sure"),
        ((0.9, 1.1, 0), "0 to 2 kinds; 0 sure"),
        ((1, 1, 1), "1 kind; 1 sure"),
    ],
)
def test_how_many_kinds_is_one_sentence(numbers: tuple[float, float, float], told: str) -> None:
    assert kinds_sentence(*numbers) == told


def test_two_videos_say_so_in_words() -> None:
    rows, truth = kinds(4)
    found = stability(rows, truth, np.arange(len(rows)) % 2, k_means, 0, behind(truth))
    assert np.isnan(found.n_kinds_low) and found.sentence().startswith("too few videos")


def test_a_part_of_the_crops_tells_no_fewer_kinds_than_all_of_them() -> None:
    """Of forty kinds of 40 tracklets a twentieth is looked at, in which most have too few to be supported."""
    rng, n = np.random.default_rng(0), 1_600
    truth, videos = np.arange(n) % 40, rng.integers(0, 12, n)
    drawn = rng.permutation(n)[:80]
    crops = CropRows(np.array([f"t{row}" for row in range(n)]), videos.astype(str), cluster_ids=truth)
    found = stability(np.eye(40)[truth[drawn]], truth[drawn], videos[drawn], lambda part: part.argmax(1), 0, crops)
    assert (found.n_kinds, found.n_kinds_high) == (40, 40)
    assert 40 / OWN_ERROR <= found.n_kinds_low <= 40  # by the method's error, as far as none is found again


def test_everything_noise_holds_no_kind() -> None:
    rows, _ = kinds()
    none = np.full(len(rows), -1)
    found = stability(rows, none, VIDEOS, lambda part: np.full(len(part), -1), 0, behind(none))
    assert np.isnan(found.ami)
    assert (found.clusters.height, found.n_sure, found.n_kinds_low, found.n_kinds_high) == (0, 0, 0, 0)


def test_pairs_that_resamples_put_together_are_counted_over_those_that_they_drew() -> None:
    full = np.array([0, 0, 1, 1, 2, -1])
    labels = np.array([[7, 7, 7, 3, ABSENT, 7], [0, ABSENT, 0, 1, -1, 0]])
    # Of 0 and 1: two of four pairs in the first, one of two in the second; 2 was drawn once, and was noise then.
    found = pairs_together(full, labels, 4)
    assert found[0, 1] == found[1, 0] == pytest.approx(3 / 6)
    assert found[0, 2] == found[2, 2] == 0
    assert found[0, 0] == 1 and found[1, 1] == pytest.approx((2 + 2) / (4 + 4))
    assert np.isnan(found[3]).all() and np.isnan(found[:, 3]).all()
