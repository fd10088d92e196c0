"""Plots of the sweep over k and of stability: pure functions that return a figure."""

import polars as pl
from matplotlib.figure import Figure

from megafish_assets.clusters.stability import FEWEST_RESAMPLED, STABLE_JACCARD
from megafish_assets.features.plots import cluster_colour


def sweep_plot(sweep: pl.DataFrame, title: str) -> Figure:
    """Inertia and silhouette against k, on two axes."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    left = figure.subplots()
    right = left.twinx()
    for axes, name, colour in ((left, "inertia", "#1f77a8"), (right, "silhouette", "#e07b39")):
        axes.plot(sweep["k"], sweep[name], marker="o", ms=3, color=colour)
        axes.set_ylabel(name, color=colour)
        axes.tick_params(axis="y", colors=colour)
    left.set(xlabel="k, number of clusters", title=title)
    left.grid(alpha=0.25)
    return figure


def stability_plot(clusters: pl.DataFrame, agreements: pl.DataFrame, title: str) -> Figure:
    """How far KMeans agrees with itself against k, and how often each cluster is found again, with what is behind it.

    `clusters` holds the columns `STABILITY`, `agreements` `k`, `ami` and `ami_error`.
    """
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.errorbar(agreements["k"], agreements["ami"], yerr=agreements["ami_error"], color="#1f77a8", marker="o", ms=3)
    if agreements.is_empty():
        few = f"nothing to compare: this needs {FEWEST_RESAMPLED} videos,\nand more tracklets than clusters"
        left.text(0.5, 0.5, few, ha="center", va="center", transform=left.transAxes)
    left.set(xlabel="k, number of clusters (KMeans)", ylabel="AMI between draws of videos", ylim=(0, 1.02))
    left.grid(alpha=0.25)
    colours = [cluster_colour(label) for label in clusters["cluster"]]
    right.bar(clusters["cluster"], clusters["jaccard"].fill_null(0), color=colours)
    right.axhline(STABLE_JACCARD, color="#d1495b", lw=1, ls=":")
    for label, jaccard, n_tracklets in clusters.select("cluster", "jaccard", "n_tracklets").iter_rows():
        right.annotate(str(n_tracklets), (label, (jaccard or 0) + 0.01), ha="center", fontsize=7)
    n_stable = int(clusters["stable"].sum())
    right.set(
        xlabel=f"cluster; {n_stable} of {clusters.height} stable; numbers are tracklets",
        ylabel="overlap when found again (Jaccard)",
        ylim=(0, 1.08),
    )
    figure.suptitle(title, fontsize=10)
    return figure
