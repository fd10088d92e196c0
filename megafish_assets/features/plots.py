"""Plots of reduced and laid out vectors. The same cluster has the same colour on every one."""

from collections.abc import Mapping

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

NOISE_COLOUR, REST_COLOUR = "#8a8a8a", "#c9c9c9"

N_COLOURS = 18
"""Clusters that eyes can tell apart: tab20 without its greys. The smaller ones share `REST_COLOUR`."""


FEWEST_BINS, MOST_BINS = 32, 160


KDE_ROWS = 2_000
"""A density of more rows looks the same and takes the square of the time."""


def cluster_colour(label: int) -> tuple[float, float, float]:
    """RGB, each 0 to 1: one of `N_COLOURS`, light grey for the smaller ones, darker grey for noise (-1)."""
    if label < 0 or label >= N_COLOURS:
        return to_rgb(NOISE_COLOUR if label < 0 else REST_COLOUR)
    light, hue = divmod(label, 9)
    hue += hue >= 7  # tab20's eighth hue is grey, which is noise's
    return colormaps["tab20"].colors[2 * hue + light]


DARKER = 0.6
"""Of the channels of a kind's colour in every second round of `N_COLOURS`: two rounds can be told apart."""

MOST_NAMED = 20
"""Clusters with a colour and a line in the pair plot's legend; the smaller ones share `REST_COLOUR` and a line."""


def kind_colour(kind_id: int) -> tuple[float, float, float]:
    """RGB, each 0 to 1, of a kind, the same in every fit.

    Numbers are never given twice and grow for ever, so that the colours of kinds `2 * N_COLOURS` apart are the same.
    """
    turn, place = divmod(kind_id - 1, N_COLOURS)
    red, green, blue = cluster_colour(place)
    share = DARKER if turn % 2 else 1.0
    return red * share, green * share, blue * share


def colour_of(label: int, kinds: Mapping[int, int]) -> tuple[float, float, float]:
    """RGB, each 0 to 1: that of a cluster's kind; darker grey for noise (-1), light grey for a cluster of no kind."""
    if label in kinds:
        return kind_colour(kinds[label])
    return to_rgb(NOISE_COLOUR if label < 0 else REST_COLOUR)


def cluster_name(label: int, kinds: Mapping[int, int], names: Mapping[int, str] | None = None) -> str:
    """What a cluster is called on a picture: `3 (kind 7)`, or where `names` has its kind `3 (kind 7, yellow tang)`."""
    if label < 0:
        return "noise"
    name = (names or {}).get(kinds.get(label))
    return f"{label} (kind {kinds[label]}{f', {name}' if name else ''})" if label in kinds else f"{label}"


def variance_plot(spectrum: np.ndarray, n_kept: int, title: str) -> Figure:
    """Cumulative explained variance against the number of components, with what was kept marked."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    cumulative = np.cumsum(spectrum)
    axes.plot(np.arange(1, len(cumulative) + 1), cumulative, color="#1f77a8")
    axes.axvline(n_kept, color="#d1495b", lw=1)
    axes.axhline(cumulative[n_kept - 1], color="#d1495b", lw=1, ls=":")
    axes.set(xlabel="principal components", ylabel="share of variance explained", ylim=(0, 1.02), title=title)
    axes.annotate(
        f"{n_kept} components, {cumulative[n_kept - 1]:.1%}",
        (n_kept, 0.08),
        xytext=(6, 0),
        textcoords="offset points",
    )
    axes.grid(alpha=0.25)
    return figure


def pair_plot(positions: np.ndarray, labels: np.ndarray, kinds: Mapping[int, int], title: str) -> Figure:
    """Every pair of coordinates as a density coloured by kind, and each coordinate's density by cluster.

    `positions` is `(n, d)`, `labels` `(n,)`, `kinds` the kind of each cluster, whose colour it has. The hue of a
    cell is that of its clusters, mixed by their counts. All but the largest `MOST_NAMED` are light grey.
    """
    n_axes = positions.shape[1]
    figure = Figure(figsize=(2.2 * n_axes, 2.2 * n_axes + 0.4), layout="constrained")
    values, counts = np.unique(labels, return_counts=True)
    largest = set(values[np.argsort(-counts, kind="stable")[:MOST_NAMED]].tolist())
    colours = {label: colour_of(label, kinds) if label in largest else to_rgb(REST_COLOUR) for label in values.tolist()}
    grid = figure.subplots(n_axes, n_axes, squeeze=False)
    for row in range(n_axes):
        for column in range(n_axes):
            axes = grid[row, column]
            axes.tick_params(labelsize=6)
            if row == column:
                _densities(axes, positions[:, row], labels, colours)
            else:
                _coloured_histogram(axes, positions[:, column], positions[:, row], labels, colours)
            if row == n_axes - 1:
                axes.set_xlabel(f"UMAP {column + 1}", fontsize=8)
            if column == 0:
                axes.set_ylabel(f"UMAP {row + 1}", fontsize=8)
    figure.suptitle(title, fontsize=10)
    _legend(figure, labels, kinds, largest)
    return figure


def _legend(figure: Figure, labels: np.ndarray, kinds: Mapping[int, int], largest: set[int]) -> None:
    from matplotlib.patches import Patch

    values, counts = np.unique(labels, return_counts=True)
    named = np.isin(values, list(largest))
    handles = [
        Patch(color=colour_of(label, kinds), label=f"{cluster_name(label, kinds)}: {count:,}")
        for label, count in zip(values[named].tolist(), counts[named].tolist(), strict=True)
    ]
    if not named.all():
        label = f"{(~named).sum()} others: {counts[~named].sum():,}"
        handles.append(Patch(color=REST_COLOUR, label=label))
    figure.legend(handles=handles, loc="outside lower center", ncols=8, fontsize=6, frameon=False)


def _coloured_histogram(axes, x: np.ndarray, y: np.ndarray, labels: np.ndarray, colours: Mapping[int, tuple]) -> None:
    # In float32 a millionth would vanish beside 16.
    extent = (float(x.min()), float(x.max()) + 1e-6, float(y.min()), float(y.max()) + 1e-6)
    n_bins = int(np.clip(1.2 * np.sqrt(len(labels)), FEWEST_BINS, MOST_BINS))
    total, mixed = np.zeros((n_bins, n_bins)), np.zeros((n_bins, n_bins, 3))
    for label in np.unique(labels):
        members = labels == label
        counts = np.histogram2d(y[members], x[members], bins=n_bins, range=(extent[2:], extent[:2]))[0]
        total += counts
        mixed += counts[..., None] * np.array(colours[int(label)])
    shown = total > 0
    hue = np.where(shown[..., None], mixed / np.maximum(total, 1)[..., None], 1.0)
    # A lone detection must still be seen, so the faintest cell keeps two fifths of its colour.
    strength = np.where(shown, 0.4 + 0.6 * np.log1p(total) / np.log1p(total.max()), 0.0)[..., None]
    axes.imshow(hue * strength + (1 - strength), origin="lower", extent=extent, aspect="auto", interpolation="nearest")


def _densities(axes, values: np.ndarray, labels: np.ndarray, colours: Mapping[int, tuple]) -> None:
    from scipy.stats import gaussian_kde

    at = np.linspace(values.min(), values.max(), 200)
    for label in np.unique(labels):
        members = values[labels == label][:KDE_ROWS]
        if len(members) < 3 or members.std() == 0:
            continue
        height = gaussian_kde(members)(at) * (labels == label).mean()
        axes.fill_between(at, height, color=colours[int(label)], alpha=0.35, lw=0)
        axes.plot(at, height, color=colours[int(label)], lw=1)
    axes.set_yticks([])
