"""Labels and positions as tables, and where they meet."""

import numpy as np
import polars as pl
import pytest

from megafish_assets.clusters.columns import CENTRES, CLUSTERS
from megafish_assets.clusters.recipes import DEFAULT, NOTEBOOK, Grouped
from megafish_assets.clusters.tables import centres_table, clusters_table, grouped_rows
from megafish_assets.evaluation.evaluating import measures_table
from megafish_assets.features.columns import UMAP
from megafish_assets.features.crop_rows import tracklets_of, videos_of
from megafish_assets.features.tables import labelled, positions_table

IDS = np.array(["b/000001/000", "a/000000/000", "a/000002/000"], dtype=object)


def found(labels: list[int], positions: list[list[float]], units: list[int]) -> Grouped:
    rows = np.array(positions, np.float32).reshape(-1, 2)
    return Grouped(np.array(labels, int), None, rows, np.array(units, int), "umap")


def test_nothing_gives_the_columns() -> None:
    none = np.array([], dtype=object)
    assert clusters_table(none, none, found([], [], []), DEFAULT).columns == list(CLUSTERS)
    assert positions_table(none, np.empty((0, 4))).columns == list(UMAP)
    assert tracklets_of(none, pl.LazyFrame(schema={"detection_id": pl.String, "tracklet_id": pl.String})).shape == (0,)


def test_every_row_names_its_video_its_tracklet_and_how_far_it_is_from_the_centre() -> None:
    # Two tracklets in one cluster at (0, 0) and (4, 0), one row of noise.
    grouped = found([0, -1, 0], [[0, 0], [4, 0], [9, 9]], [1, 2, 0])
    frame = clusters_table(IDS, np.array(["b/t00001", None, "a/t00000"]), grouped, DEFAULT)
    assert frame.drop("recipe").rows() == [
        ("b", "b/000001/000", 0, "b/t00001", 2.0, [4.0, 0.0]),
        ("a", "a/000000/000", -1, None, None, [9.0, 9.0]),
        ("a", "a/000002/000", 0, "a/t00000", 2.0, [0.0, 0.0]),
    ]


def test_what_was_grouped_comes_back_from_its_table() -> None:
    grouped = found([0, -1, 0], [[0, 0], [4, 0], [9, 9]], [1, 2, 0])
    frame = clusters_table(IDS, np.array(["b/t00001", None, "a/t00000"]), grouped, DEFAULT)
    again, recipe = grouped_rows(frame)
    assert recipe == DEFAULT
    assert again.cluster_ids.tolist() == [-1, 0, 0]  # by id
    assert again.positions[again.units].tolist() == [[9, 9], [0, 0], [4, 0]]
    assert again.unit_cluster_ids.tolist() == [0, 0, -1]
    mixed = pl.concat([frame, clusters_table(IDS, np.array([None, None, None]), grouped, NOTEBOOK)])
    with pytest.raises(ValueError, match="clusters of 2 recipes"):
        grouped_rows(mixed)


def test_a_detection_without_a_tracklet_has_none() -> None:
    known = pl.LazyFrame({"detection_id": ["a/000002/000", "z"], "tracklet_id": ["a/t00003", "z/t0"]})
    assert tracklets_of(IDS, known).tolist() == [None, None, "a/t00003"]
    assert videos_of(IDS).tolist() == ["b", "a", "a"]


def test_a_measure_that_says_nothing_is_null() -> None:
    frame = measures_table({"dbcv": float("nan"), "noise_share": 0.5, "known": None})
    assert frame.rows() == [("dbcv", None), ("noise_share", 0.5), ("known", None)]


def test_centres_count_from_0() -> None:
    frame = centres_table(np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert frame.columns == list(CENTRES)
    assert frame.rows() == [(0, [1.0, 2.0]), (1, [3.0, 4.0])]


def test_a_row_without_a_cluster_is_left_out_and_not_called_noise() -> None:
    positions = positions_table(IDS, np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]))
    clusters = pl.DataFrame({"detection_id": ["a/000002/000", "b/000001/000"], "cluster": [1, -1]})
    kept, labels = labelled(positions, clusters)
    assert kept.tolist() == [[3.0, 3.0], [1.0, 1.0]]
    assert labels.tolist() == [1, -1]
