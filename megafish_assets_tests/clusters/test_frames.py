"""Labels and positions as tables, and where they meet."""

import numpy as np
import polars as pl

from megafish_assets.clusters.columns import CENTRES, CLUSTERS, UMAP
from megafish_assets.clusters.frames import centres_frame, clusters_frame, labelled, positions_frame

IDS = np.array(["b/000001/000", "a/000000/000", "a/000002/000"], dtype=object)


def test_nothing_gives_the_columns() -> None:
    none = np.array([], dtype=object)
    assert clusters_frame(none, np.array([], dtype=int), np.array([])).columns == list(CLUSTERS)
    assert positions_frame(none, np.empty((0, 4))).columns == list(UMAP)


def test_every_row_names_its_video() -> None:
    frame = clusters_frame(IDS, np.array([0, 1, 0]), np.array([0.5, 1.5, 2.5]))
    assert frame.rows() == [
        ("b", "b/000001/000", 0, 0.5),
        ("a", "a/000000/000", 1, 1.5),
        ("a", "a/000002/000", 0, 2.5),
    ]


def test_centres_count_from_0() -> None:
    frame = centres_frame(np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert frame.columns == list(CENTRES)
    assert frame.rows() == [(0, [1.0, 2.0]), (1, [3.0, 4.0])]


def test_a_row_without_a_cluster_is_left_out_and_not_called_noise() -> None:
    positions = positions_frame(IDS, np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]))
    clusters = pl.DataFrame({"detection_id": ["a/000002/000", "b/000001/000"], "cluster": [1, -1]})
    kept, labels = labelled(positions, clusters)
    assert kept.tolist() == [[3.0, 3.0], [1.0, 1.0]]
    assert labels.tolist() == [1, -1]
