"""Plots of groups: they can be drawn, and a cluster keeps its colour."""

import colorsys
import io

import numpy as np
import polars as pl
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from megafish_assets.clusters.columns import KIND_TREE, STABILITY
from megafish_assets.clusters.plots import NIGHTS_DRAWN, alluvial_plot, stability_plot, sweep_plot, tree_plot
from megafish_assets.clusters.sweeping import sweep
from megafish_assets.clusters.tables import sweep_table
from megafish_assets.features.plots import (
    N_COLOURS,
    cluster_colour,
    colour_of,
    kind_colour,
    pair_plot,
    variance_plot,
)
from megafish_assets.footage.columns import empty_table
from megafish_assets_tests.clusters.test_kinds import after


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
    kinds = {0: 5, 1: 2}
    figure = pair_plot(positions, np.resize(labels, n_rows), kinds, "title")
    assert drawn(figure).startswith(b"\x89PNG")
    assert len(figure.axes) == dim * dim
    named = {-1: "noise", 0: "0 (kind 5)", 1: "1 (kind 2)"}
    names = {f"{named[label]}: {n_rows // len(labels)}": colour_of(label, kinds) for label in labels}
    assert list(legend_of(figure)) == list(names)
    assert np.allclose(list(legend_of(figure).values()), list(names.values()))


def test_equal_positions_are_drawn() -> None:
    assert drawn(pair_plot(np.full((5, 2), 100, np.float32), np.zeros(5, int), {}, "title"))


def test_a_kind_keeps_its_colour_when_its_cluster_has_another_number() -> None:
    positions = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    nights = ([2, 5], {2: 7, 5: 1}), ([0, 1, 2, 5], {0: 1, 1: 2, 2: 3, 5: 7})
    few, many = (legend_of(pair_plot(positions, np.resize(labels, 40), kinds, "t")) for labels, kinds in nights)
    assert few["2 (kind 7): 20"] == many["5 (kind 7): 10"]
    assert few["5 (kind 1): 20"] == many["0 (kind 1): 10"]


def test_kinds_that_are_there_together_differ_and_a_cluster_of_no_kind_is_light_grey() -> None:
    colours = [kind_colour(kind_id) for kind_id in range(1, 2 * N_COLOURS + 1)]
    assert len(set(colours)) == 2 * N_COLOURS
    assert kind_colour(2 * N_COLOURS + 1) == kind_colour(1)
    greys = [kind for kind, colour in enumerate(colours, 1) if colorsys.rgb_to_hsv(*colour)[1] < 0.1]
    assert greys == []
    assert colour_of(3, {0: 1}) == to_rgb("#c9c9c9") and colour_of(-1, {0: 1}) == to_rgb("#8a8a8a")


def test_of_many_clusters_the_largest_have_a_colour_and_the_rest_are_grey_with_a_note() -> None:
    sizes = [10] * 20 + [4] * 5
    labels, kinds = np.repeat(np.arange(25), sizes), {cluster: cluster + 1 for cluster in range(25)}
    positions = np.random.default_rng(0).normal(size=(len(labels), 1)).astype(np.float32)
    figure = pair_plot(positions, labels, kinds, "t")
    names = list(legend_of(figure))
    assert len(names) == 21 and names[-1] == "5 others: 20"
    curves = [to_rgb(line.get_color()) for line in figure.axes[0].lines]
    assert curves == [kind_colour(kind) for kind in range(1, 21)] + [to_rgb("#c9c9c9")] * 5


def test_the_nights_are_drawn_with_a_bar_a_kind_and_a_stream_wherever_tracklets_went() -> None:
    fits = after("abcdefgh ijk -l", "abcde fgh ijkl")
    axes = alluvial_plot(fits.kinds, "t").axes[0]
    bars = [(round(bar.get_y()), round(bar.get_height()), to_rgb(bar.get_facecolor())) for bar in axes.patches]
    # From the bottom: noise, then the highest number.
    assert bars[:3] == [(0, 1, to_rgb("#8a8a8a")), (1, 3, kind_colour(2)), (4, 8, kind_colour(1))]
    assert [height for _, height, _ in bars[3:]] == [3, 4, 5]
    # Noise to kind 2, kind 2 to itself, kind 1 to its two parts.
    streams = [to_rgb(stream.get_facecolor()[0][:3]) for stream in axes.collections]
    assert sorted(streams) == sorted([to_rgb("#8a8a8a"), kind_colour(2), kind_colour(1), kind_colour(1)])
    assert [label.get_text().partition("\n")[0] for label in axes.get_xticklabels()] == [
        "2026-07-01 02:00",
        "2026-07-03 02:00",
    ]


@pytest.mark.parametrize("nights", [[""], ["-abc"], ["abc"], [f"abc {letter}" for letter in "defghijk"]])
def test_no_kind_one_night_and_many_nights_are_drawn(nights: list[str]) -> None:
    figure = alluvial_plot(after(*nights).kinds, "t")
    assert drawn(figure).startswith(b"\x89PNG")
    n_bars = len({round(bar.get_x(), 3) for bar in figure.axes[0].patches})
    assert n_bars == min(NIGHTS_DRAWN, len(nights) if nights != [""] else 0)


def test_the_tree_is_drawn_with_a_leaf_a_kind_and_the_overlap_on_its_joints() -> None:
    rows = [("f", 3, 2, 0, 9, 4, 0.25, 30, 0.4), ("f", 4, 3, 1, None, 6, 0.9, 45, 0.001)]
    tree = pl.DataFrame(rows, schema=empty_table(KIND_TREE).schema, orient="row")
    figure = tree_plot(tree, {0: 10, 1: 15, 2: 20}, {0: 4, 1: 6, 2: 9}, "t")
    assert drawn(figure).startswith(b"\x89PNG")
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == [" 0.40"]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "1 (kind 6): 15",
        "0 (kind 4): 10",
        "2 (kind 9): 20",
    ]
    assert np.allclose(axes.collections[0].get_facecolors()[:, :3], [kind_colour(kind) for kind in (6, 4, 9)])
    assert sorted(max(line.get_xdata()) for line in axes.lines) == [0.25, 0.9]


@pytest.mark.parametrize("sizes", [{}, {0: 3}])
def test_a_tree_without_a_joint_is_drawn(sizes: dict[int, int]) -> None:
    assert drawn(tree_plot(empty_table(KIND_TREE), sizes, dict.fromkeys(sizes, 1), "t")).startswith(b"\x89PNG")


def test_how_stable_a_cluster_is_stands_in_the_colour_of_its_kind() -> None:
    rows = [(0, 0.9, 5, 3, True, None), (1, None, 2, 1, False, None)]
    clusters = pl.DataFrame(rows, schema=empty_table(STABILITY).schema, orient="row")
    none = pl.DataFrame(schema={"k": pl.Int64, "ami": pl.Float64, "ami_error": pl.Float64})
    figure = stability_plot(clusters, none, {0: 3, 1: 1}, "t")
    assert [to_rgb(bar.get_facecolor()) for bar in figure.axes[1].patches] == [kind_colour(3), kind_colour(1)]


def test_a_lone_detection_is_seen_in_its_clusters_colour() -> None:
    figure = pair_plot(np.array([[0, 0], [1, 1]], np.float32), np.array([0, 3]), {0: 1, 3: 4}, "t")
    pixels = np.asarray(figure.axes[1].images[0].get_array())
    marked = {tuple(np.round(colour, 6)) for colour in pixels.reshape(-1, 3)}
    assert marked == {(1.0, 1.0, 1.0), *(tuple(np.round(cluster_colour(label), 6)) for label in (0, 3))}
