"""How large a box may be."""

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from megafish_assets.detections.columns import LIMITS
from megafish_assets.detections.filtering import filtered_detections
from megafish_assets.detections.size_limits import SizeLimits, settled, size_limits

LIMIT_NAMES = ("width_low_log", "width_high_log", "height_low_log", "height_high_log")
OLD = SizeLimits(3.5, 6.5, 3.25, 6.25, floor_1024=32.0, n_rows=1_000)


def boxes(widths: list[float | None], heights: list[float | None]) -> pl.DataFrame:
    return pl.DataFrame({"width_1024": widths, "height_1024": heights}).cast(pl.Float64)


@pytest.mark.parametrize("n_rows", [0, 1])
def test_fewer_than_two_rows_have_no_limits(n_rows: int) -> None:
    with pytest.raises(ValueError, match=f"at least 2 raw detections, given {n_rows}"):
        size_limits(boxes([50.0] * n_rows, [50.0] * n_rows).lazy())


def test_limits_are_two_sample_standard_deviations_from_the_median() -> None:
    # Logs 3, 4, 5: median 4, sample standard deviation 1. Logs 1, 2, 3, 6: median 2.5, variance 14 / 3.
    limits = size_limits(boxes([math.exp(v) for v in (3, 5, 4)], [math.exp(v) for v in (4, 4, 4)]).lazy())
    assert [getattr(limits, name) for name in LIMIT_NAMES] == pytest.approx([2, 6, 4, 4])
    even = size_limits(boxes([math.exp(v) for v in (1, 2, 3, 6)], [50.0] * 4).lazy())
    reach = 2 * math.sqrt(14 / 3)
    assert [even.width_low_log, even.width_high_log] == pytest.approx([2.5 - reach, 2.5 + reach])
    assert (limits.floor_1024, even.n_rows) == (32, 4)


@pytest.mark.parametrize("size", [0.0, -3.0, math.nan, math.inf, None])
def test_a_box_without_a_size_takes_itself_out_and_no_other(size: float | None) -> None:
    sizes = [40.0, 50.0, 60.0]
    raw = boxes([*sizes, size], [*sizes, size])
    limits = size_limits(raw.lazy())
    expected = size_limits(boxes(sizes, sizes).lazy())
    assert [getattr(limits, name) for name in LIMIT_NAMES] == [getattr(expected, name) for name in LIMIT_NAMES]
    assert filtered_detections(raw, limits)["width_1024"].to_list() == sizes


def test_one_sized_box_is_too_few_for_limits() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        size_limits(boxes([50.0, None], [50.0, None]).lazy())


def test_limits_come_back_from_their_table_bit_for_bit() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        limits = SizeLimits(*map(float, rng.normal(5, 1, 4)), floor_1024=float(rng.uniform(1, 99)), n_rows=7)
        frame = limits.to_table()
        assert dict(frame.schema) == {name: column.dtype for name, column in LIMITS.items()}
        again = SizeLimits.from_table(frame)
        assert again == limits
        assert frame["limits_version"].to_list() == [again.limits_version]


@pytest.mark.parametrize("name", [*LIMIT_NAMES, "floor_1024"])
def test_the_version_changes_with_the_last_bit_of_every_value(name: str) -> None:
    moved = replace(OLD, **{name: math.nextafter(getattr(OLD, name), math.inf)})
    assert moved.limits_version != OLD.limits_version


def test_the_version_does_not_change_with_the_number_of_rows() -> None:
    assert replace(OLD, n_rows=2).limits_version == OLD.limits_version


def test_sizes_for_people_are_pixels() -> None:
    limits = SizeLimits(*map(math.log, (40, 400, 50, 500)), floor_1024=32, n_rows=9)
    named = {"width_low_1024": 40, "width_high_1024": 400, "height_low_1024": 50, "height_high_1024": 500}
    assert limits.in_1024_px() == pytest.approx(named)


def test_first_limits_are_taken() -> None:
    assert settled(None, OLD, tolerance=0.02) is OLD


@pytest.mark.parametrize("name", LIMIT_NAMES)
@pytest.mark.parametrize("direction", [1, -1])
def test_limits_stay_within_the_tolerance_and_move_beyond_it(name: str, direction: int) -> None:
    near, far = (replace(OLD, **{name: getattr(OLD, name) + direction * math.log(m)}) for m in (1.019, 1.022))
    assert settled(OLD, near, tolerance=0.02) is OLD
    assert settled(OLD, far, tolerance=0.02) is far


def test_no_tolerance_takes_every_change_and_only_a_change() -> None:
    moved, grown = replace(OLD, width_low_log=OLD.width_low_log + 1e-9), replace(OLD, n_rows=2_000)
    assert settled(OLD, moved, tolerance=0) is moved
    assert settled(OLD, grown, tolerance=0) is OLD


def test_another_floor_is_taken_whatever_the_tolerance() -> None:
    moved = replace(OLD, floor_1024=32.5)
    assert settled(OLD, moved, tolerance=1.0) is moved


@pytest.mark.parametrize("name", LIMIT_NAMES)
def test_limits_that_are_no_numbers_are_not_kept(name: str) -> None:
    assert settled(replace(OLD, **{name: math.nan}), OLD, tolerance=0.02) is OLD


def test_the_same_rows_in_any_order_have_the_same_limits_and_version() -> None:
    rng = np.random.default_rng(0)
    sides = rng.lognormal(4, 0.5, size=(21_477, 2))
    table = pl.DataFrame({"width_1024": sides[:, 0], "height_1024": sides[:, 1]})
    versions = {size_limits(table.sample(fraction=1.0, shuffle=True, seed=s).lazy()).limits_version for s in range(20)}
    assert len(versions) == 1
