"""The filter equals the notebook's, row by row."""

import math

import numpy as np
import polars as pl
import pytest

from megafish_assets.detections.columns import FILTERED, RAW
from megafish_assets.detections.faults import valid_rows
from megafish_assets.detections.filtering import filtered_detections
from megafish_assets.detections.raw import raw_detections
from megafish_assets.detections.size_limits import SizeLimits, size_limits
from megafish_assets.footage.clocks import Clock
from megafish_assets.footage.columns import empty_table


def drawn_detections(n_rows: int = 200_000, n_videos: int = 50) -> pl.DataFrame:
    """Small background boxes and larger fish, as a detector finds them."""
    rng = np.random.default_rng(20251212)
    fish = rng.random(n_rows) < 0.5
    width, height = (np.exp(np.where(fish, rng.normal(4.6, 0.6, n_rows), rng.normal(3.3, 0.5, n_rows))) for _ in "wh")
    box = np.stack([rng.uniform(0, 900, n_rows), rng.uniform(0, 900, n_rows), width, height], axis=1)
    inference = pl.DataFrame(
        {
            "video_file": [f"megalab_{number:04d}.mp4" for number in rng.integers(0, n_videos, n_rows)],
            "frame_id": rng.integers(0, 300, n_rows),
            "box": pl.Series(box).arr.to_list(),
            "score": rng.random(n_rows),
        }
    )
    return raw_detections(inference, Clock(10, 300, None))


def kept_by_the_notebook(width: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Its rule in numpy: median -+ 2 sample standard deviations of the natural logs, and 32 px."""
    kept = (width >= 32) & (height >= 32)
    for logs in (np.log(width), np.log(height)):
        median, std = np.median(logs), np.std(logs, ddof=1)
        kept &= (median - 2 * std <= logs) & (logs <= median + 2 * std)
    return kept


def limits(low: float = 1, high: float = 1_024, floor: float = 32) -> SizeLimits:
    """The same limits, in px, for both sides."""
    return SizeLimits(*[math.log(size) for size in (low, high, low, high)], floor_1024=floor, n_rows=2)


def kept_sizes(sizes: list[tuple[float, float]], by: SizeLimits) -> list[tuple[float, float]]:
    frame = pl.DataFrame(sizes, schema={"width_1024": pl.Float64, "height_1024": pl.Float64}, orient="row")
    return filtered_detections(frame, by).select("width_1024", "height_1024").rows()


def test_no_rows_stay_no_rows_with_the_filtered_columns() -> None:
    kept = filtered_detections(valid_rows(empty_table(RAW)), limits())
    assert dict(kept.schema) == {name: column.dtype for name, column in FILTERED.items()}


def test_the_filter_equals_the_notebooks_row_by_row() -> None:
    raw = drawn_detections()
    expected = kept_by_the_notebook(raw["width_1024"].to_numpy(), raw["height_1024"].to_numpy())
    found = size_limits(raw.lazy())
    kept = filtered_detections(raw, found)
    assert 0.3 < expected.mean() < 0.7
    assert kept.drop("limits_version").equals(raw.filter(pl.Series(expected)))
    assert kept["limits_version"].unique().to_list() == [found.limits_version]


@pytest.mark.parametrize("size", [33.0, 40.0, 77.7, 100.0, 512.3])
def test_bounds_belong_to_what_is_kept(size: float) -> None:
    exact = limits(low=size, high=size)
    beside = [(math.nextafter(size, 0) * (1 - 1e-12), size), (size, math.nextafter(size, 999) * (1 + 1e-12))]
    assert kept_sizes([(size, size), *beside], exact) == [(size, size)]


def test_boxes_of_one_size_are_all_kept() -> None:
    raw = pl.DataFrame({"width_1024": [77.7] * 101, "height_1024": [55.5] * 101})
    assert filtered_detections(raw, size_limits(raw.lazy())).height == 101


def test_the_floor_is_32_px_in_both_directions() -> None:
    just_under = math.nextafter(32.0, 0)
    assert kept_sizes([(32, 32), (just_under, 99), (99, just_under)], limits()) == [(32, 32)]


@pytest.mark.parametrize("size", [0.0, -5.0, math.nan, math.inf])
def test_a_box_without_a_believable_size_goes(size: float) -> None:
    assert kept_sizes([(50, size), (size, 50)], limits()) == []
