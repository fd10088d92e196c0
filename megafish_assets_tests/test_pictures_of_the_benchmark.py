"""The picture of clusters side by side: whose tiles it shows, and where."""

import cv2
import numpy as np
import pytest

from benchmarks.pictures import GAP_PX, LABEL_PX, N_CLUSTERS, N_TILES, TILE_PX, TITLE_PX, chosen, panel


def grey(level: int) -> bytes:
    return cv2.imencode(".png", np.full((40, 40, 3), level, np.uint8))[1].tobytes()


def test_a_tracklet_is_shown_once_and_noise_not_at_all() -> None:
    labels = np.array([0, 0, 0, 0, 1, 1, -1])
    tracklets = np.array(["a", "a", "b", None, None, None, "c"])
    first, second = chosen(labels, tracklets)
    assert sorted(map(str, tracklets[first])) == ["None", "a", "b"]
    assert sorted(second) == [4, 5]


def test_a_row_shows_its_own_cluster() -> None:
    labels = np.repeat([0, 1], 20)
    levels = np.where(labels == 0, 60, 200)
    sheet = panel("t", labels, np.full(40, None), np.full(40, "k"), lambda places: [grey(levels[p]) for p in places])
    for row, level in enumerate((60, 200)):
        middle = TITLE_PX + row * (TILE_PX + GAP_PX) + TILE_PX // 2
        shown = sheet[middle, [LABEL_PX + place * (TILE_PX + GAP_PX) + TILE_PX // 2 for place in range(N_TILES)]]
        assert shown == pytest.approx(level, abs=1)


def test_no_more_than_the_largest_clusters_and_none_of_none() -> None:
    assert len(chosen(np.arange(N_CLUSTERS + 5), np.full(N_CLUSTERS + 5, ""))) == N_CLUSTERS
    assert chosen(np.full(3, -1), np.full(3, "")) == []
