"""Plots of the sweep over k, of stability, and of kinds: pure functions that return a figure."""

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from megafish_assets.clusters.stability import FEWEST_RESAMPLED, STABLE_JACCARD
from megafish_assets.features.plots import NOISE_COLOUR, cluster_name, colour_of, kind_colour

NIGHTS_DRAWN = 6
"""Fits side by side: of more, the streams are too short to be followed."""

NAMED_SHARE = 0.01
"""Of the units of the highest bar: a kind with fewer has no room for its number."""

SHOWN_OVERLAP = 0.01
"""On a joint of the tree."""


BAR_WIDTH = 0.12
"""Of a night, where the next is 1 away."""


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


def stability_plot(clusters: pl.DataFrame, agreements: pl.DataFrame, kinds: Mapping[int, int], title: str) -> Figure:
    """How far KMeans agrees with itself against k, and how often each cluster is found again, with what is behind it.

    `clusters` holds the columns `STABILITY`, `agreements` `k`, `ami` and `ami_error`, `kinds` the kind of each cluster.
    """
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.errorbar(agreements["k"], agreements["ami"], yerr=agreements["ami_error"], color="#1f77a8", marker="o", ms=3)
    if agreements.is_empty():
        few = f"nothing to compare: this needs {FEWEST_RESAMPLED} videos,\nand more tracklets than clusters"
        left.text(0.5, 0.5, few, ha="center", va="center", transform=left.transAxes)
    left.set(xlabel="k, number of clusters (KMeans)", ylabel="AMI between draws of videos", ylim=(0, 1.02))
    left.grid(alpha=0.25)
    colours = [colour_of(label, kinds) for label in clusters["cluster"]]
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


def alluvial_plot(kinds: pl.DataFrame, title: str) -> Figure:
    """The kinds of the last `NIGHTS_DRAWN` fits, a bar a fit, and the streams of units between them.

    `kinds` holds the columns `KINDS`. A bar is as high as its units, the lowest number on top and noise, grey, at the
    bottom; a stream has the colour of the kind that it leaves. Units that the next fit does not have leave no stream.
    """
    nights = kinds["fitted_at"].unique().sort().tail(NIGHTS_DRAWN)
    drawn = kinds.filter(pl.col("fitted_at").is_in(nights.implode())).sort("fitted_at")
    fits = drawn.partition_by("fit_version", maintain_order=True)
    figure = Figure(figsize=(2.5 + 1.7 * len(fits), 8), layout="constrained")
    axes, fewest = figure.subplots(), NAMED_SHARE * max((rows.height for rows in fits), default=0)
    for place, rows in enumerate(fits):
        for kind_id, (bottom, height) in _stacked(rows).items():
            axes.bar(place, height, BAR_WIDTH, bottom, color=_stream_colour(kind_id), edgecolor="white", lw=0.5)
            if height >= fewest:
                name = "noise" if kind_id == 0 else str(kind_id)
                axes.text(place + BAR_WIDTH, bottom + height / 2, name, va="center", fontsize=7)
    for place in range(len(fits) - 1):
        for kind_id, start, end in _streams(fits[place], fits[place + 1]):
            _draw_stream(axes, place, _stream_colour(kind_id), start, end)
    names = [f"{rows['fitted_at'][0]:%Y-%m-%d %H:%M}\nfit {rows['fit_version'][0]}" for rows in fits]
    axes.set_xticks(range(len(fits)), names, fontsize=7)
    axes.set(ylabel="tracklets; numbers are kinds", title=title)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    return figure


def _stream_colour(kind_id: int) -> tuple[float, float, float] | str:
    return NOISE_COLOUR if kind_id == 0 else kind_colour(kind_id)


def _stacked(rows: pl.DataFrame) -> dict[int, tuple[int, int]]:
    """The lower end and the height of each kind in a bar, from the bottom; noise is 0."""
    sizes = rows.group_by(pl.col("kind_id").fill_null(0)).len().sort((pl.col("kind_id") == 0), "kind_id")
    names, heights = sizes["kind_id"].to_list()[::-1], sizes["len"].to_list()[::-1]
    ends = np.cumsum([0, *heights])[:-1].tolist()
    return {name: (end, height) for name, end, height in zip(names, ends, heights, strict=True)}


def _streams(one: pl.DataFrame, other: pl.DataFrame) -> Iterator[tuple[int, tuple[int, int], tuple[int, int]]]:
    """The kind that a stream leaves, and its lower and upper end in the bar on the left and in that on the right."""
    left, right = _stacked(one), _stacked(other)
    numbered = (rows.select("unit_id", pl.col("kind_id").fill_null(0)) for rows in (one, other))
    both = next(numbered).join(next(numbered), on="unit_id", suffix="_next")
    sizes = {(a, b): n for a, b, n in both.group_by("kind_id", "kind_id_next").len().iter_rows()}
    at_left, at_right = ({name: end for name, (end, _) in bar.items()} for bar in (left, right))
    for a in left:
        for b in right:
            if n := sizes.get((a, b)):
                yield a, (at_left[a], at_left[a] + n), (at_right[b], at_right[b] + n)
                at_left[a], at_right[b] = at_left[a] + n, at_right[b] + n


def _draw_stream(axes, place: int, colour, start: tuple[int, int], end: tuple[int, int]) -> None:
    at = np.linspace(0, 1, 30)
    bend = 3 * at**2 - 2 * at**3
    lower, upper = (a + (b - a) * bend for a, b in zip(start, end, strict=True))
    reach = place + BAR_WIDTH / 2 + at * (1 - BAR_WIDTH)
    axes.fill_between(reach, lower, upper, color=colour, alpha=0.4, lw=0)


def tree_plot(tree: pl.DataFrame, sizes: Mapping[int, int], kinds: Mapping[int, int], title: str) -> Figure:
    """The tree of the clusters, lying: a leaf a cluster with its kind and units, and on each joint its overlap.

    `tree` holds the columns `KIND_TREE`, `sizes` the units of each cluster, `kinds` its kind. An overlap of less than
    `SHOWN_OVERLAP` is left out.
    """
    figure = Figure(figsize=(8, 1.2 + 0.26 * max(2, len(sizes))), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("cosine distance of means; numbers: share of pairs that resamples put together", fontsize=8)
    below = {joint: (left, right) for joint, left, right in tree.select("joint", "left", "right").iter_rows()}
    leaves = _leaves(max(below), below) if below else sorted(sizes)
    places, heights = {leaf: float(place) for place, leaf in enumerate(leaves)}, dict.fromkeys(leaves, 0.0)
    for joint, left, right, height, overlap in tree.select("joint", "left", "right", "height", "overlap").iter_rows():
        across = [places[left]] * 2 + [places[right]] * 2
        axes.plot([heights[left], height, height, heights[right]], across, color="#555555", lw=1)
        places[joint], heights[joint] = (places[left] + places[right]) / 2, height
        if overlap is not None and overlap >= SHOWN_OVERLAP:
            axes.text(height, places[joint], f" {overlap:.2f}", fontsize=7, va="center")
    axes.scatter([0] * len(leaves), range(len(leaves)), 60, [colour_of(leaf, kinds) for leaf in leaves], marker="s")
    axes.yaxis.tick_right()
    axes.set_yticks(
        range(len(leaves)), [f"{cluster_name(leaf, kinds)}: {sizes[leaf]:,}" for leaf in leaves], fontsize=7
    )
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.invert_xaxis()
    return figure


def _leaves(joint: int, below: Mapping[int, tuple[int, int]]) -> list[int]:
    """The clusters below a joint, or the cluster itself, from the bottom."""
    found, open_joints = [], [joint]
    while open_joints:
        last = open_joints.pop()
        if last in below:
            open_joints.extend(below[last])
        else:
            found.append(last)
    return found
