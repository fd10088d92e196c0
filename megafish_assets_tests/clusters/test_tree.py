"""The tree of clusters whose means, joints and overlaps are known by hand."""

import numpy as np
import polars as pl
import pytest

from megafish_assets.clusters.columns import KIND_TREE, STABILITY
from megafish_assets.clusters.tree import cluster_means, cluster_tree, joints, mean_together, together_of
from megafish_assets.features.crop_rows import CropRows
from megafish_assets.footage.columns import empty_table

EAST, NORTH, WEST = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]


def crops(*rows: tuple[str | None, int, list[float]]) -> CropRows:
    """Of tracklet, cluster and features."""
    tracklets, clusters, features = zip(*rows, strict=True)
    return CropRows(
        np.array(tracklets, dtype=object), np.full(len(rows), "v"), np.array(features, np.float32), np.array(clusters)
    )


def test_every_tracklet_of_a_cluster_weighs_the_same_and_noise_nothing() -> None:
    given = crops(("a", 0, EAST), ("a", 0, EAST), ("a", 0, EAST), ("b", 0, NORTH), (None, 1, WEST), ("c", -1, WEST))
    means, n_units = cluster_means(given)
    assert means.tolist() == [[0.5, 0.5], [-1, 0]] and n_units.tolist() == [2, 1]


def test_a_tracklet_in_two_clusters_counts_in_both() -> None:
    means, n_units = cluster_means(crops(("a", 0, EAST), ("a", 1, NORTH), ("b", 1, WEST)))
    assert means.tolist() == [[1, 0], [-0.5, 0.5]] and n_units.tolist() == [1, 2]


def test_clusters_are_joined_by_the_angle_between_their_means_however_long_they_are() -> None:
    # Angles of 0, 10 and 90 degrees; then the mean of what the third is from either.
    angles = np.radians([0, 10, 90])
    means = np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.array([[1.0], [0.1], [1.0]])
    found = joints(means)
    assert found[0, :2].tolist() == [0, 1] and found[0, 2] == pytest.approx(1 - np.cos(np.radians(10)))
    assert found[1, 2] == pytest.approx((1 + 1 - np.cos(np.radians(80))) / 2)


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_clusters_have_no_joint(n: int) -> None:
    assert joints(np.ones((n, 3))).shape == (0, 4)
    given = crops(*[("a", 0, EAST)] * n, ("b", -1, WEST))
    tree = cluster_tree(given, np.ones((n, n)), {0: 1}, "f")
    assert tree.equals(empty_table(KIND_TREE))


def test_a_mean_without_direction_is_joined_too() -> None:
    assert joints(np.array([[0.0, 0.0], EAST, NORTH]))[:, 2].tolist() == [1, 1]


def test_the_overlap_of_a_joint_is_that_of_all_pairs_across_it() -> None:
    together = np.array([[1, 0.5, 0.1], [0.5, 1, np.nan], [0.1, np.nan, 1]])
    n_units = np.array([10, 30, 5])
    assert mean_together(together, n_units, [0], [1]) == 0.5
    assert mean_together(together, n_units, [0], [1, 2]) == pytest.approx((0.5 * 300 + 0.1 * 50) / 350)
    assert mean_together(together, n_units, [1], [2]) is None
    assert mean_together(together, n_units, [0, 1], [2]) == pytest.approx(0.1)


def test_a_tree_names_clusters_joints_kinds_and_sizes_the_larger_side_first() -> None:
    given = crops(("a", 0, NORTH), ("b", 1, EAST), ("c", 1, EAST), ("d", 2, [0.9, 0.1]), ("e", 2, [0.9, 0.1]))
    together = np.array([[1, 0, 0.2], [0, 1, 0.4], [0.2, 0.4, 1]])
    tree = cluster_tree(given, together, {0: 5, 1: 3, 2: 9}, "f")
    assert tree.drop("height").rows() == [
        ("f", 3, 1, 2, 3, 9, 4, pytest.approx(0.4)),
        ("f", 4, 3, 0, None, 5, 5, pytest.approx((0 * 2 + 0.2 * 2) / 4)),
    ]


def stability_of(n_tracklets: list[int], together: list | None) -> pl.DataFrame:
    rows = [
        (cluster, 1.0, n, 3, True, None if together is None else together[cluster])
        for cluster, n in enumerate(n_tracklets)
    ]
    return pl.DataFrame(rows, schema=empty_table(STABILITY).schema, orient="row").sample(
        fraction=1, shuffle=True, seed=1
    )


def test_what_stability_found_is_read_row_for_row() -> None:
    given = crops(("a", 0, NORTH), ("b", 1, EAST), ("c", 1, EAST))
    found = together_of(stability_of([1, 2], [[1.0, 0.25], [0.25, None]]), given)
    assert found[0].tolist() == [1, 0.25] and np.isnan(found[1, 1])
    assert np.isnan(together_of(stability_of([1, 2], None), given)).all()


def test_stability_of_other_clusters_is_refused() -> None:
    given = crops(("a", 0, NORTH), ("b", 1, EAST), ("c", 1, EAST))
    for n_tracklets in ([2, 1], [1], [1, 2, 4]):
        with pytest.raises(ValueError, match="materialise stability first"):
            together_of(stability_of(n_tracklets, None), given)
    with pytest.raises(ValueError, match="2 clusters, and stability of 3"):
        cluster_tree(given, np.ones((3, 3)), {}, "f")
