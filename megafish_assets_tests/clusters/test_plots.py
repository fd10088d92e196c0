"""Plots of groups: they can be drawn, and a cluster keeps its colour."""

import colorsys
import io

import numpy as np
import polars as pl
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from megafish_assets.clusters.plots import sweep_plot
from megafish_assets.clusters.sweeping import sweep
from megafish_assets.clusters.tables import sweep_table
from megafish_assets.features.plots import cluster_colour, pair_plot, variance_plot


def drawn(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=30)
    return file.getvalue()


def legend_of(figure: Figure) -> dict[str, tuple[float, ...]]:
    """Colour of each entry."""
    (legend,) = figure.legends
    return {
        text.get_text(): to_rgb(patch.get_facecolor())
        for text, patch in zip(legend.texts, legend.get_patches(), strict=True)
    }


def test_noise_is_grey() -> None:
    red, green, blue = cluster_colour(-1)
    assert red == green == blue


def test_neighboring_clusters_differ_and_none_looks_like_noise() -> None:
    colours = [cluster_colour(label) for label in range(16)]
    assert len(set(colours)) == 16
    greys = [label for label, colour in enumerate(colours) if colorsys.rgb_to_hsv(*colour)[1] < 0.1]
    assert greys == []


@pytest.mark.parametrize("label", [0, 7, 39, 1_000])
def test_every_label_has_a_colour(label: int) -> None:
    assert all(0 <= channel <= 1 for channel in cluster_colour(label))


@pytest.mark.parametrize(("spectrum", "n_kept"), [([1.0], 1), ([0.7, 0.2, 0.1], 2), (np.full(200, 1 / 200), 190)])
def test_explained_variance_is_drawn(spectrum: list, n_kept: int) -> None:
    figure = variance_plot(np.array(spectrum), n_kept, "vit, n = 9")
    assert drawn(figure).startswith(b"\x89PNG")
    (axes,) = figure.axes
    assert axes.get_title() == "vit, n = 9"
    assert axes.lines[0].get_ydata()[-1] == pytest.approx(1)
    assert axes.texts[0].get_text().startswith(f"{n_kept} components, {sum(spectrum[:n_kept]):.1%}")


@pytest.mark.parametrize("n_rows", [0, 3, 12])
def test_the_sweep_is_drawn_on_two_axes(n_rows: int) -> None:
    rows = np.random.default_rng(0).normal(size=(n_rows, 3))
    table = sweep_table(sweep(rows, range(2, 6), seed=1), n_rows)
    figure = sweep_plot(table, "title")
    assert drawn(figure).startswith(b"\x89PNG")
    assert [axes.get_ylabel() for axes in figure.axes] == ["inertia", "silhouette"]
    for axes, name in zip(figure.axes, ("inertia", "silhouette"), strict=True):
        assert pl.Series(axes.lines[0].get_ydata()).to_list() == table[name].to_list()


@pytest.mark.parametrize(
    ("n_rows", "dim", "labels"),
    [(1, 4, [0]), (2, 2, [0, 1]), (300, 3, [-1, 0, 1]), (60, 1, [-1])],
    ids=["one row", "two rows", "with noise", "noise only"],
)
def test_pairs_are_drawn_with_every_cluster_in_the_legend(n_rows: int, dim: int, labels: list[int]) -> None:
    positions = np.random.default_rng(0).normal(20, 3, (n_rows, dim)).astype(np.float32)
    figure = pair_plot(positions, np.resize(labels, n_rows), "title")
    assert drawn(figure).startswith(b"\x89PNG")
    assert len(figure.axes) == dim * dim
    names = {f"{'noise' if label < 0 else label} ({n_rows // len(labels)})": cluster_colour(label) for label in labels}
    assert list(legend_of(figure)) == list(names)
    assert np.allclose(list(legend_of(figure).values()), list(names.values()))


def test_equal_positions_are_drawn() -> None:
    assert drawn(pair_plot(np.full((5, 2), 100, np.float32), np.zeros(5, int), "title"))


def test_a_cluster_keeps_its_colour_when_others_go() -> None:
    positions = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    few, many = (legend_of(pair_plot(positions, np.resize(labels, 40), "t")) for labels in ([2, 5], [0, 1, 2, 5]))
    assert few["2 (20)"] == many["2 (10)"]
    assert few["5 (20)"] == many["5 (10)"]


def test_a_lone_detection_is_seen_in_its_clusters_colour() -> None:
    figure = pair_plot(np.array([[0, 0], [1, 1]], np.float32), np.array([0, 3]), "t")
    pixels = np.asarray(figure.axes[1].images[0].get_array())
    marked = {tuple(np.round(colour, 6)) for colour in pixels.reshape(-1, 3)}
    assert marked == {(1.0, 1.0, 1.0), *(tuple(np.round(cluster_colour(label), 6)) for label in (0, 3))}
