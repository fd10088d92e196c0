"""Whether a name is right."""

import numpy as np
import pytest

from megafish_assets.labels.calibration import (
    STRANGERS,
    TIED_PROBABILITY,
    HeldBack,
    calibration_gap,
    crossed_gap,
    fit_doubt,
    fold_groups,
    folds,
    held_back,
    tied_probability,
)
from megafish_assets.labels.classifying import Seen, Taught, classified
from megafish_assets_tests.labels.fish import Clouds


def test_a_video_is_in_one_fold_and_every_kind_in_several() -> None:
    rng = np.random.default_rng(0)
    names, videos = rng.choice(["a", "b", "c"], 200), rng.choice([f"v{i}" for i in range(12)], 200)
    fold_of = folds(names, videos, 5, seed=1)
    assert set(fold_of) == set(range(5))
    assert all(len(set(fold_of[videos == video])) == 1 for video in np.unique(videos))
    assert all(len(set(fold_of[names == name])) == 5 for name in np.unique(names))
    assert set(folds(names[:3], np.array(["v", "v", "w"]), 5, seed=1)) == {0, 1}
    assert len(folds(names[:0], videos[:0], 5, seed=1)) == 0


def test_labels_are_held_back_by_video_unless_kinds_are_named_in_one_video_only() -> None:
    names = np.array(["a", "a", "b", "b"])
    two, one = np.array(["v", "w", "v", "w"]), np.array(["v", "v", "w", "w"])
    assert fold_groups(Taught(np.arange(4), names, two))[1] == "videos"
    assert fold_groups(Taught(np.arange(4), names, one))[1] == "tracklets"


def test_no_label_is_told_by_one_of_its_own_video() -> None:
    fish = Clouds(n_a_kind=10, n_videos=5)
    # One video has a kind of its own: by that video's labels it would be told.
    own = (fish.kinds == 3) & (fish.videos == "v0")
    names = np.where(own, "only in v0", fish.names)
    held = held_back(fish.seen, Taught(np.arange(fish.n), names, fish.videos), seed=0)
    asked = held.names == "only in v0"
    assert asked.any() and held.is_stranger[asked].all() and not held.is_right[asked].any()


def test_strangers_weigh_as_many_as_are_expected() -> None:
    fish = Clouds()
    held = held_back(fish.seen, fish.taught(fish.first(6)), seed=0)
    of_strangers, of_others = (held.weights[rows].sum() for rows in (held.is_stranger, ~held.is_stranger))
    assert of_strangers / of_others == pytest.approx(STRANGERS)


def test_kinds_that_nobody_named_are_doubted() -> None:
    fish = Clouds(n_a_kind=30, n_kinds=8, noise=0.2)
    taught = fish.taught(fish.first(8, (0, 1, 2, 3, 4, 5)))
    found = classified(fish.seen, taught, np.arange(fish.n))
    told = fit_doubt(held_back(fish.seen, taught, seed=0)).probability(found.signs)
    known = fish.kinds < 6
    assert (told[known] > 0.8).mean() > 0.8 and (told[~known] > 0.8).mean() < 0.1


def test_too_few_labels_or_kinds_fit_no_second_model() -> None:
    fish = Clouds()
    for places in (fish.first(1), fish.first(9), fish.first(20, (0, 1)), fish.first(20, (0,)), fish.first(0)):
        held = held_back(fish.seen, fish.taught(places), seed=0)
        assert fit_doubt(held) is None and np.isnan(crossed_gap(held, 0))
    assert fit_doubt(held_back(fish.seen, fish.taught(fish.first(10)), seed=0)) is not None


def test_without_a_second_model_only_each_others_nearest_are_named() -> None:
    angles = np.deg2rad([0, 5, 15, 60, 62, 100])
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    taught = Taught(np.array([0, 5]), np.array(["a", "b"]), np.array(["v", "v"]))
    # 0 and 1 are each other's nearest; 5's nearest is 4, whose nearest is 3.
    guesses = np.array(["a", "a", "a", "b", "b", "b"])
    told = tied_probability(Seen(rows, rows), taught, np.arange(6), guesses)
    assert told[1] == TIED_PROBABILITY and np.isnan(np.delete(told, 1)).all()
    guesses[1] = "b"
    assert np.isnan(tied_probability(Seen(rows, rows), taught, np.arange(6), guesses)).all()


def test_the_calibration_gap_is_what_arithmetic_says() -> None:
    # Five bins of two, in the order of the rows: gaps 0.8, 0.2, 0.3, 0.3, 0.2.
    promised = np.full(10, 0.2)
    right = np.array(([True] * 2 + [False] * 3) * 2)
    assert calibration_gap(promised, right, np.ones(10)) == pytest.approx(0.36)
    even = np.tile([True, False, False, False, False], 20)
    assert calibration_gap(np.full(100, 0.2), even, np.ones(100)) == pytest.approx(0, abs=1e-9)
    assert np.isnan(calibration_gap(promised[:0], right[:0], np.empty(0)))


def test_rows_of_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="2 names"):
        HeldBack(
            np.arange(3), np.array(["a", "b"]), np.array(["a"] * 3), np.zeros((3, 3)), np.zeros(3, bool), np.ones(3)
        )
