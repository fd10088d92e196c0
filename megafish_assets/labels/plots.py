"""The plot of the label budget: a pure function that returns a figure."""

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from megafish_assets.labels.budget import expected_f1

FOLLOWED = 2.0
"""The curve is followed to so many times the labels that were given."""


def budget_plot(curve: pl.DataFrame, title: str) -> Figure:
    """Macro-F1 of the folds against labels, with the range of its draws, and what more labels would bring, dotted.

    `curve` is what `budget_curve` gives.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel="labels", ylabel="macro-F1 of held back labels", ylim=(0, 1.02), title=title)
    axes.grid(alpha=0.25)
    if curve.is_empty():
        why = "nothing to hold back yet: name two tracklets of a kind, better in two videos"
        axes.text(0.5, 0.5, why, ha="center", va="center", transform=axes.transAxes)
        return figure
    n = curve["n_labels"]
    axes.fill_between(n, curve["macro_f1_low"], curve["macro_f1_high"], color="#1f77a8", alpha=0.2, lw=0)
    axes.plot(n, curve["macro_f1"], color="#1f77a8", marker="o", ms=3)
    if curve.height > 1:
        more = np.linspace(n[-1], FOLLOWED * n[-1], 20)
        drift = curve["macro_f1"][-1] - expected_f1(curve, n[-1])
        axes.plot(more, [min(1.0, expected_f1(curve, m) + drift) for m in more], color="#1f77a8", ls=":")
    return figure
