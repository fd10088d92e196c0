"""Names from a few labelled units to all."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from megafish_assets.labels.classifying import Seen, Taught, classified, neighborhoods, represented
from megafish_assets_tests.labels.fish import Clouds


def test_one_label_a_kind_names_all_others() -> None:
    fish = Clouds()
    found = classified(fish.seen, fish.taught(fish.first(1)), np.arange(fish.n))
    assert (found.names == fish.names).all()


def test_where_kinds_blur_the_neighborhood_of_a_single_label_tells_more_than_its_own_place() -> None:
    fish = Clouds(n_a_kind=60, noise=0.3)
    taught, everybody = fish.taught(fish.first(1)), np.arange(fish.n)
    blind = Seen(fish.seen.own, np.zeros_like(fish.seen.around))
    told = [(classified(seen, taught, everybody).names == fish.names).mean() for seen in (blind, fish.seen)]
    assert told[1] > told[0] + 0.1


def test_one_kind_alone_is_all_that_can_be_said() -> None:
    fish = Clouds()
    found = classified(fish.seen, fish.taught(fish.first(3, (2,))), np.arange(fish.n))
    assert set(found.names) == {"kind 2"} and np.isfinite(found.signs).all()


def test_the_nearest_labelled_is_scikit_learns_and_never_oneself() -> None:
    fish = Clouds(noise=0.4)
    taught = fish.taught(np.arange(0, fish.n, 3))
    found = classified(fish.seen, taught, np.arange(fish.n))
    search = NearestNeighbors(n_neighbors=2, metric="cosine").fit(fish.features[taught.places])
    apart, near = search.kneighbors(fish.features)
    own = taught.places[near[:, 0]] == np.arange(fish.n)
    assert own.sum() == len(taught)
    assert (found.nearest == taught.places[np.where(own, near[:, 1], near[:, 0])]).all()
    assert found.nearest_similarity == pytest.approx(1 - np.where(own, apart[:, 1], apart[:, 0]), abs=1e-5)


def test_what_a_unit_is_not_it_does_not_become_and_nothing_else_gains_by_it() -> None:
    fish = Clouds()
    taught = fish.taught(fish.first(2))
    free, bound = (classified(fish.seen, taught, np.arange(fish.n), never) for never in (None, {19: "kind 0"}))
    assert free.names[19] == "kind 0" != bound.names[19]
    assert bound.signs[19, 0] < 0 < free.signs[19, 0]
    others = np.arange(fish.n) != 19
    assert (bound.signs[others] == free.signs[others]).all()


def test_nobody_taught_is_an_error_and_nobody_asked_is_none() -> None:
    fish = Clouds()
    nobody = np.empty(0, np.int64)
    assert len(classified(fish.seen, fish.taught(fish.first(1)), nobody).names) == 0
    with pytest.raises(ValueError, match="needs one label at least"):
        classified(fish.seen, Taught(nobody, np.empty(0, str), np.empty(0, str)), np.arange(3))


def test_fewer_units_than_neighbors_are_their_own_neighborhood_or_that_of_all() -> None:
    two = np.eye(4, dtype=np.float32)[:2]
    assert (neighborhoods(two) == two).all()
    assert neighborhoods(np.empty((0, 4), np.float32)).shape == (0, 4)
    assert np.linalg.norm(neighborhoods(Clouds(2, 2).features), axis=1) == pytest.approx(np.ones(4), abs=1e-5)


def test_a_label_stands_for_the_units_that_it_is_the_nearest_of() -> None:
    angles = np.deg2rad([0, 1, 2, 3, 80, 90])
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    seen = Seen(rows.astype(np.float32), rows.astype(np.float32))
    assert represented(seen, Taught(np.array([0, 5]), np.array(["a", "b"]), np.array(["v", "v"]))).tolist() == [4, 2]
