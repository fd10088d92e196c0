"""What became of a video's rows, in numbers."""

import polars as pl


def share_by_video(before: pl.DataFrame, after: pl.DataFrame, name: str) -> pl.DataFrame:
    """`video` and the share of its rows in `before` that `after` still has; a video without rows is left out."""
    counts = before.group_by("video").len("n_before")
    kept = after.group_by("video").len("n_after")
    share = pl.col("n_after").fill_null(0) / pl.col("n_before")
    return counts.join(kept, on="video", how="left").select("video", share.alias(name)).sort("video")
