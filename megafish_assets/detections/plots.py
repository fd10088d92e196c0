"""Histograms of what the detector saw, before and after the filter."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from megafish_assets.detections.filtering import within
from megafish_assets.detections.size_limits import SizeLimits

BEFORE, AFTER, BOUND = "#9aa7b1", "#1f77a8", "#d1495b"
N_BINS = 80


def filter_histograms(raw: pl.LazyFrame, limits: SizeLimits) -> Figure:
    """Score, area, width and height of all rows and of those that the limits keep, with the limits drawn.

    Sizes are px of the stretched frame, on log axes; medians -+ one standard deviation stand in each title.
    """
    width, height = pl.col("width_1024"), pl.col("height_1024")
    rows = raw.select(
        "score",
        width.alias("width"),
        height.alias("height"),
        (width * height).alias("area"),
        within(limits).alias("kept"),
    ).collect()
    figure = Figure(figsize=(9, 6), layout="constrained")
    bounds = limits.in_1024_px()
    for axes, name in zip(figure.subplots(2, 2).flat, ("score", "area", "width", "height"), strict=True):
        _histogram(axes, rows[name].to_numpy(), rows["kept"].to_numpy(), log=name != "score")
        axes.set_xlabel(
            {"score": "score", "area": "area, px² of the stretched frame"}.get(
                name, f"{name}, px of the stretched frame"
            )
        )
        if name in ("width", "height"):
            for end in ("low", "high"):
                axes.axvline(bounds[f"{name}_{end}_1024"], color=BOUND, lw=1.2)
            axes.axvline(limits.floor_1024, color=BOUND, lw=1.2, ls="--")
    share = rows["kept"].mean() or 0.0
    figure.suptitle(f"{rows.height:,} raw detections, {share:.1%} kept; limits solid, floor dashed")
    return figure


def _histogram(axes: Axes, values: np.ndarray, kept: np.ndarray, log: bool) -> None:
    shown = values[np.isfinite(values) & ((values > 0) | (not log))]
    if not shown.size:
        return
    low, high = shown.min(), max(shown.max(), shown.min() * 1.01 + 1e-9)
    bins = np.geomspace(low, high, N_BINS) if log else np.linspace(low, high, N_BINS)
    axes.hist(values, bins=bins, color=BEFORE, label="before")
    axes.hist(values[kept], bins=bins, color=AFTER, label="after")
    if log:
        axes.set_xscale("log")
    median, std = np.median(shown), shown.std(ddof=1) if shown.size > 1 else 0.0
    axes.set_title(f"median {median:.3g}, standard deviation {std:.3g}", fontsize=9)
    for at, style in ((median, "-"), (median - std, ":"), (median + std, ":")):
        if at > 0 or not log:
            axes.axvline(at, color="black", lw=0.8, ls=style)
    axes.set_ylabel("detections")
    axes.legend(frameon=False, fontsize=8)
