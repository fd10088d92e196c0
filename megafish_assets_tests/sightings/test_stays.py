"""Stays beside the published remission times of Freireich et al. 1963, and by hand."""

import numpy as np
import polars as pl
import pytest

from megafish_assets.sightings.stays import mean_stay, stays, stays_of

# Freireich et al. 1963, Blood 21:699, weeks of remission; as in Kalbfleisch & Prentice, table 1.1.
UNDER_6MP = [6, 6, 6, 7, 10, 13, 16, 22, 23]
STILL_IN_REMISSION = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
UNDER_PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def sighting(seconds: tuple[float, float], begins: str, ends: str) -> dict:
    return {"first_second": seconds[0], "last_second": seconds[1], "begins": begins, "ends": ends}


def test_of_published_times_the_median_is_the_published_one() -> None:
    times = np.array(UNDER_6MP + STILL_IN_REMISSION, dtype=float)
    found = stays(times, np.arange(len(times)) < len(UNDER_6MP))
    assert (found.n_arrivals, found.n_stays, found.median) == (21, 9, 23.0)
    # SAS's LIFETEST, whose interval is log-log too: 13 weeks, and no upper end; a quarter by 13 weeks.
    assert (found.quarter, found.low, found.high) == (13.0, 13.0, None)
    found = stays(np.array(UNDER_PLACEBO, dtype=float), np.ones(21, dtype=bool))
    assert (found.median, found.low, found.high) == (8.0, 4.0, 11.0)


def test_where_fewer_than_half_leave_there_is_no_median_but_maybe_a_quarter() -> None:
    found = stays(np.array([1.0, 2.0, 5.0, 5.0]), np.array([True, False, False, False]))
    assert found.quarter == 1.0 and found.median is None and found.longest == 5.0


def test_of_nobody_that_leaves_nothing_is_told() -> None:
    for times in ([], [4.0, 2.0]):
        found = stays(np.array(times), np.zeros(len(times), dtype=bool))
        assert (found.n_arrivals, found.n_stays, found.median, found.low) == (len(times), 0, None, None)


def test_only_those_whose_coming_was_seen_tell_a_stay_and_the_lost_have_not_left() -> None:
    rows = [
        sighting((0.0, 9.0), "cut", "edge"),
        sighting((2.0, 4.0), "inside", "edge"),
        sighting((1.0, 4.0), "edge", "edge"),
        sighting((1.0, 3.0), "edge", "inside"),
        sighting((5.0, 10.0), "edge", "cut"),
    ]
    found = stays_of(pl.DataFrame(rows))
    # At 2 s one is lost; of the two that are left one leaves at 3 s.
    assert (found.n_arrivals, found.n_stays, found.quarter, found.median) == (3, 1, 3.0, 3.0)


def test_the_mean_stay_is_all_time_in_view_by_those_that_leave() -> None:
    rows = [
        sighting((0.0, 6.0), "cut", "edge"),
        sighting((1.0, 5.0), "edge", "inside"),
        sighting((0.0, 10.0), "cut", "cut"),
    ]
    assert mean_stay(pl.DataFrame(rows)) == pytest.approx(20.0)
    assert mean_stay(pl.DataFrame(rows[2:])) is None
