"""The one crop of a tracklet that a person is shown."""

import polars as pl


def best_crops(clusters: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    """The rows of one crop a tracklet and cluster: the best of it; a row without a tracklet stays.

    `clusters` holds the columns `CLUSTERS`, `seen` each id's `score`, `width_px`, `height_px` and `clipped_share`. Best
    is a crop that the frame's edge does not cut, then the one with the largest area times score, then the earliest.
    """
    worth = pl.col("score") * pl.col("width_px") * pl.col("height_px")
    rows = clusters.join(seen, on="detection_id", how="left").with_columns(worth.alias("worth"))
    order = rows.sort(pl.col("clipped_share") > 0, -pl.col("worth"), "detection_id", nulls_last=True)
    unit = pl.coalesce("tracklet_id", "detection_id")
    best = order.with_columns(unit.alias("unit")).unique(["cluster", "unit"], keep="first", maintain_order=True)
    return best.select(clusters.columns).sort("detection_id")
