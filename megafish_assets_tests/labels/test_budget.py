"""What more labels would bring, and whom to name next."""

import numpy as np
import polars as pl
import pytest

from megafish_assets.labels import plots
from megafish_assets.labels.budget import (
    LEAST_SURE,
    MEDOID,
    NOISE,
    SMALL,
    UNGROUPED,
    Open,
    budget_curve,
    expected_f1,
    n_curve_fits,
    name_next,
)
from megafish_assets_tests.labels.fish import Clouds


def on_a_circle(*degrees: float) -> np.ndarray:
    angles = np.deg2rad(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


OWN = on_a_circle(0, 10, 20, 30, 100, 110, 120, 200, 280)
CLUSTERS = np.array([1, 1, 1, 1, 0, 0, 0, -1, -1])


def asked(n: int, named: tuple = (), closed: tuple = (), sureness: dict | None = None) -> list[tuple[int, str]]:
    is_named, is_closed, sure = np.zeros(9, bool), np.zeros(9, bool), np.zeros(9)
    is_named[list(named)] = is_closed[list(named + closed)] = True
    for place, value in (sureness or {}).items():
        sure[place] = value
    places, reasons = name_next(OWN, Open(CLUSTERS, is_named, is_closed, sure), n)
    return list(zip(places.tolist(), reasons, strict=True))


def test_medoids_of_the_largest_clusters_come_first_then_noise_then_what_is_least_sure() -> None:
    found = asked(9)
    assert found[0] in ((1, MEDOID), (2, MEDOID)) and found[1] == (5, MEDOID)
    assert [why for _, why in found] == [MEDOID] * 2 + [NOISE] * 2 + [LEAST_SURE] * 5
    assert sorted(place for place, _ in found) == list(range(9))


def test_a_cluster_with_a_name_is_not_asked_for_again_but_one_where_nobody_could_tell_is() -> None:
    assert asked(1, named=(0,)) == [(5, MEDOID)]
    assert asked(1, closed=(5,), named=(0,))[0][0] in (4, 6)


def test_noise_leaves_room_for_what_is_least_sure_and_takes_what_nothing_else_wants() -> None:
    named = (0, 4)
    assert [why for _, why in asked(2, named)] == [NOISE, LEAST_SURE]
    assert [why for _, why in asked(3, named, closed=(1, 2, 3, 5, 6))] == [NOISE, NOISE]


def test_what_is_too_small_for_a_cluster_gets_a_quarter_of_the_room_the_least_sure_first() -> None:
    clusters = np.array([0] * 20 + [-1] * 20 + [UNGROUPED] * 20)
    own, sure = on_a_circle(*range(0, 240, 4)), np.full(60, 0.5)
    sure[40:] = np.linspace(0.99, 0.1, 20)
    is_named = np.zeros(60, bool)
    is_named[0] = True
    places, reasons = name_next(own, Open(clusters, is_named, is_named, sure), 16)
    assert [reasons.count(why) for why in (MEDOID, NOISE, SMALL, LEAST_SURE)] == [0, 6, 4, 6]
    asked_small = places[[why == SMALL for why in reasons]]
    assert (asked_small >= 40).all() and asked_small[0] == 59
    places, reasons = name_next(own, Open(clusters, is_named, is_named, sure), 60)
    assert sorted(places.tolist()) == list(range(1, 60))  # nothing wants the room that they leave
    only_small = Open(clusters, is_named, clusters != UNGROUPED, sure)
    assert name_next(own, only_small, 12)[1] == [SMALL] * 12


def test_the_least_sure_of_different_places_are_asked_for() -> None:
    unsure = {place: 0.9 for place in range(9)} | {2: 0.1, 3: 0.1, 6: 0.3}
    found = asked(2, named=(0, 4), closed=(7, 8), sureness=unsure)
    assert found == [(3, LEAST_SURE), (6, LEAST_SURE)]  # not 2, which is beside 3


def test_nobody_is_asked_for_twice_where_all_are_sure_and_equal() -> None:
    places, _ = name_next(np.ones((6, 1)), Open(np.zeros(6, int), *[np.eye(6, dtype=bool)[0]] * 2, np.ones(6)), 9)
    assert sorted(places) == [1, 2, 3, 4, 5]
    assert len(name_next(np.empty((0, 2)), Open.all_of(np.empty(0, int)))[0]) == 0


def test_the_curve_rises_with_the_labels_and_is_the_same_again() -> None:
    fish = Clouds(n_a_kind=15, noise=0.3)
    taught, fits = fish.taught(fish.first(10)), []
    curve = budget_curve(fish.seen, taught, 3, lambda: fits.append(1))
    assert curve["n_labels"].is_sorted() and curve["n_labels"].max() == pytest.approx(0.8 * 40, abs=1)
    assert curve["macro_f1"][0] < curve["macro_f1"][-1] and curve["macro_f1"][-1] > 0.9
    assert (curve["macro_f1_low"] <= curve["macro_f1"]).all() and (curve["macro_f1"] <= curve["macro_f1_high"]).all()
    assert len(fits) == n_curve_fits(taught)
    assert curve.equals(budget_curve(fish.seen, taught, 3))


@pytest.mark.parametrize("n_a_kind", [0, 1])
def test_labels_that_cannot_be_held_back_draw_an_empty_curve_that_says_why(n_a_kind: int) -> None:
    fish = Clouds()
    curve = budget_curve(fish.seen, fish.taught(fish.first(n_a_kind)), 0)
    assert curve.is_empty() and np.isnan(expected_f1(curve, 100))
    (text,) = plots.budget_plot(curve, "title").axes[0].texts
    assert "name two tracklets of a kind" in text.get_text()


def test_an_error_that_falls_as_a_power_of_the_labels_is_followed_exactly() -> None:
    n = np.array([10, 20, 40, 80])
    curve = pl.DataFrame({"n_labels": n, "macro_f1": 1 - 2 * n**-0.5})
    assert expected_f1(curve, 320) == pytest.approx(1 - 2 * 320**-0.5)
    falling = pl.DataFrame({"n_labels": n, "macro_f1": [0.9, 0.8, 0.7, 0.6]})
    assert expected_f1(falling, 320) <= 0.9  # and never promises that more labels bring less
