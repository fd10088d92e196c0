"""The one crop of a tracklet that a person is shown."""

import polars as pl

from megafish_assets.clusters.best_crops import best_crops


def test_a_tracklet_is_shown_by_its_best_crop_and_a_row_without_one_by_itself() -> None:
    rows = [
        ("a", 0, "t0", 0.9, 50, 40, 0.0),  # 1800
        ("b", 0, "t0", 0.5, 80, 50, 0.0),  # 2000: the best
        ("c", 0, "t0", 0.9, 99, 99, 0.1),  # larger, but cut by the frame's edge
        ("d", 1, "t0", 0.1, 9, 9, 0.5),  # the same animal in another cluster
        ("e", 0, None, 0.9, 50, 40, 0.0),
        ("f", 0, None, 0.9, 50, 40, 0.0),
        ("g", 0, "t1", 0.9, 50, 40, 0.0),  # equal to the next, and earlier
        ("h", 0, "t1", 0.9, 50, 40, 0.0),
    ]
    names = ("detection_id", "cluster", "tracklet_id", "score", "width_px", "height_px", "clipped_share")
    table = pl.DataFrame(rows, schema=names, orient="row").sample(fraction=1.0, shuffle=True, seed=2)
    best = best_crops(table.select(names[:3]), table.select("detection_id", *names[3:]))
    assert best.columns == list(names[:3])
    assert best["detection_id"].to_list() == ["b", "d", "e", "f", "g"]
    assert best_crops(table.select(names[:3]).clear(), table.select("detection_id", *names[3:])).height == 0
