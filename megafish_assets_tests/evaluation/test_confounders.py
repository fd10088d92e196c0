"""What is not the fish, by hand and by clusters that follow it or do not."""

import numpy as np
import polars as pl
import pytest

from megafish_assets.evaluation.confounders import border_predictability, confounders


def test_nuisances_are_read_off_the_row() -> None:
    rows = pl.DataFrame(
        {
            "video": ["a", "b"],
            "timestamp_seconds": [1.5, None],
            "x_1024": [10.0, 0.0],
            "y_1024": [20.0, 0.0],
            "width_1024": [100.0, 2.0],
            "height_1024": [50.0, 2.0],
            "pan_x_1024": [0.5, None],
            "pan_y_1024": [-0.5, None],
        }
    )
    found = confounders(rows)
    assert found["video"].tolist() == ["a", "b"]
    assert found["place"].tolist() == [[60.0, 45.0], [1.0, 1.0]]
    assert found["size"] == pytest.approx([np.log(5000), np.log(4)])
    assert found["time"] == pytest.approx([1.5, np.nan], nan_ok=True)
    assert found["pan"][0].tolist() == [0.5, -0.5] and np.isnan(found["pan"][1]).all()


def seen(n: int = 400, n_videos: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Borders whose first number says which of two waters lies behind, that water, and the videos."""
    rng = np.random.default_rng(0)
    water = rng.integers(0, 2, n)
    borders = 0.1 * rng.normal(size=(n, 12))
    borders[:, 0] += water
    return borders.astype(np.float32), water, np.arange(n) % n_videos


def test_clusters_that_follow_the_water_are_told_by_its_border() -> None:
    borders, water, videos = seen()
    assert border_predictability(borders, water, videos) > 0.99


def test_clusters_that_do_not_are_told_as_by_chance() -> None:
    borders, _, videos = seen(2000)
    labels = np.random.default_rng(1).integers(0, 4, 2000)
    assert border_predictability(borders, labels, videos) == pytest.approx(0, abs=0.06)


def test_a_rare_cluster_counts_as_much_as_a_common_one() -> None:
    borders, water, videos = seen(1000)
    # The common cluster is one water and half of the other, so that its own rows are told in two thirds.
    rare = (water == 1) & (np.arange(1000) % 10 == 0)
    right = border_predictability(borders, rare.astype(int), videos)
    assert 0.2 < right < 0.75


def test_noise_is_left_out() -> None:
    borders, water, videos = seen()
    mixed = np.where(np.arange(400) % 3 == 0, -1, water)
    assert border_predictability(borders, mixed, videos) > 0.99


@pytest.mark.parametrize("labels", [np.zeros(40, int), np.full(40, -1), np.r_[0, np.full(39, -1)]])
def test_fewer_than_two_clusters_say_nothing(labels: np.ndarray) -> None:
    borders, _, videos = seen(40)
    assert np.isnan(border_predictability(borders, labels, videos))


def test_clusters_that_no_other_video_shows_can_be_told_by_nothing() -> None:
    borders, _, videos = seen()
    assert np.isnan(border_predictability(borders, np.unique(videos, return_inverse=True)[1], videos))


def test_one_video_says_nothing_and_a_cluster_of_one_crop_breaks_nothing() -> None:
    borders, water, videos = seen(40)
    assert np.isnan(border_predictability(borders, water, np.zeros(40, int)))
    labels = water.copy()
    labels[0] = 2
    assert border_predictability(borders, labels, videos) > 0.4
