"""What is not the fish: when and where a crop was seen, how large, from which video, before which water.

Clusters that can be told from these follow the water rather than the fish.
"""

import numpy as np
import polars as pl

BORDER_ROWS = 5_000
"""Crops whose border the classifier looks at."""

SHRINKAGE = 0.1
"""Of the classifier's covariance: neighboring cells of a border are nearly one number."""

FOLDS = 5
"""Parts of the videos, each of which is judged by a classifier that saw the others."""


def confounders(rows: pl.DataFrame) -> dict[str, np.ndarray]:
    """By name, for each row: its `video`, `time` in seconds, `place` of the box's centre `(n, 2)`, `size` (the log of
    its area) and the camera's `pan` `(n, 2)`; nan where unknown.

    `rows` holds the columns `SAMPLED` and the pan of `TRACKLETS`.
    """
    sides = rows.select("width_1024", "height_1024").to_numpy()
    corner = rows.select("x_1024", "y_1024").to_numpy()
    pan = rows.select(pl.col("pan_x_1024", "pan_y_1024").cast(pl.Float64).fill_null(float("nan"))).to_numpy()
    return {
        "video": rows["video"].to_numpy().astype(str),
        "time": rows["timestamp_seconds"].cast(pl.Float64).fill_null(float("nan")).to_numpy(),
        "place": corner + sides / 2,
        "size": np.log(sides).sum(axis=1),
        "pan": pan,
    }


def border_predictability(borders: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> float:
    """How far the clusters of crops can be told from their borders `(n, m)` alone: 0 as by chance, 1 without fail.

    The mean share of each cluster's rows that a linear discriminant names rightly, having seen other `groups` `(n,)`
    only, the video of each row; adjusted for chance. Noise is left out, and so are rows whose cluster the other videos
    do not show, which nothing could name. nan for fewer than two clusters or groups.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.model_selection import GroupKFold

    clear = labels >= 0
    borders, labels, groups = borders[clear], labels[clear], groups[clear]
    names, n_groups = np.unique(labels), len(np.unique(groups))
    if len(names) < 2 or n_groups < 2:
        return float("nan")
    predicted, could = np.full(len(labels), -1), np.zeros(len(labels), dtype=bool)
    for seen, judged in GroupKFold(min(FOLDS, n_groups)).split(borders, labels, groups):
        names_seen, counts = np.unique(labels[seen], return_counts=True)
        seen = seen[np.isin(labels[seen], names_seen[counts > 1])]  # one row has no spread
        n_seen = int((counts > 1).sum())
        if n_seen < 2:
            continue
        # However large a cluster, as likely: each counts the same in the share below.
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=SHRINKAGE, priors=np.full(n_seen, 1 / n_seen))
        predicted[judged] = model.fit(borders[seen], labels[seen]).predict(borders[judged])
        could[judged] = np.isin(labels[judged], names_seen[counts > 1])
    names = np.unique(labels[could])
    if len(names) < 2:
        return float("nan")
    right = np.mean([(predicted[could & (labels == name)] == name).mean() for name in names])
    return float((right - 1 / len(names)) / (1 - 1 / len(names)))
