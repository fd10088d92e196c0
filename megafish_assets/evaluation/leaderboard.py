"""The leaderboard: every backbone with every recipe on the same crops, as a table and as one picture."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from megafish_assets.clusters.recipes import RECIPES, Grouped, Recipe, at_k, grouped_features, run_recipe
from megafish_assets.clusters.resampling import resampled_stability
from megafish_assets.clusters.stability import RESAMPLES
from megafish_assets.evaluation.columns import LEADERBOARD
from megafish_assets.evaluation.crop_rows import Evidence
from megafish_assets.evaluation.evaluating import evaluate
from megafish_assets.evaluation.references import FEWEST_NAMED, names_leaks
from megafish_assets.features.layout import can_be_laid_out, grouped_positions
from megafish_assets.features.reduction import fit_projection
from megafish_assets.footage.columns import empty_table

CROPS = 4_000
"""Compared at most, whole tracklets: every recipe is followed anew for every backbone."""

RESAMPLED_CROPS = 1_000
"""Of those, at most so many are grouped anew in every draw of videos."""

DRAWN = {
    "species_ami": "AMI with labels",
    "knn_other_trajectories": "1-NN over other tracks",
    "silhouette_pca": "silhouette, PCA space",
    "silhouette_umap": "silhouette, UMAP space",
    "dbcv": "DBCV, UMAP space",
    "track_consistency": "track consistency",
    "n_sure": "kinds that other videos show too",
    "agreement_ami": "AMI between draws of videos",
    "noise_share": "noise, share of crops",
    "border_leak": "told by the border",
    "leak_video": "AMI with the video",
    "leak_time": "AMI with the hour",
    "leak_place": "AMI with the place",
    "leak_size": "AMI with the size",
    "leak_pan": "AMI with the pan",
    "n_clusters": "clusters",
    "crops_per_second": "crops a second",
}
"""What the picture shows, by column."""

PLATE = {"facecolor": "white", "edgecolor": "none", "pad": 0.4}
"""Behind a number, so that no line crosses it."""

COLOURS = {"default": "#1f77a8", "notebook": "#e07b39"}


def shared_ids(ids: Sequence[np.ndarray]) -> np.ndarray:
    """The ids that every backbone has vectors of, sorted. Raises ValueError where there are fewer than two."""
    shared = set(ids[0].tolist()).intersection(*(set(others.tolist()) for others in ids[1:]))
    if len(shared) < 2:
        raise ValueError(f"{len(shared)} crops have vectors of all {len(ids)} backbones: materialise the embeddings")
    return np.array(sorted(shared), dtype=object)


def standings(
    vectors: Mapping[str, np.ndarray],
    evidence: Evidence,
    rates: Mapping[str, float | None],
    seed: int,
    on_entry: Callable[[], None] = lambda: None,
) -> pl.DataFrame:
    """The columns `LEADERBOARD`, a row a backbone and recipe.

    `vectors` `(n, d)` by backbone are of the same crops, whose evidence holds the border of each; `rates` are crops a
    second, None where unknown. Beside its own k, each recipe is followed at the k of the other: few clusters follow
    anything less than many do. Silhouettes and densities are taken in the PCA of the vectors and in one layout of the
    default recipe's features, so that they can be compared within a backbone, and not across. `on_entry` is told of
    each row that is done.
    """
    rows, of_names = [], names_leaks(evidence)
    for backbone, matrix in vectors.items():
        found = dict(_followed(matrix, evidence))
        spaces = {"pca": fit_projection([matrix]).project(matrix)} | _layout(found["default"][1])
        for name, (recipe, grouped) in found.items():
            numbers = evaluate(grouped, evidence.seen_in(spaces), seed)
            entry = {"backbone": backbone, "recipe": name, "dim": matrix.shape[1], "crops_per_second": rates[backbone]}
            entry |= numbers | of_names | _resampled(recipe, grouped, evidence, seed)
            rows.append({column: entry.get(column) for column in LEADERBOARD})
            on_entry()
    table = pl.DataFrame(rows, schema=empty_table(LEADERBOARD).schema, orient="row")
    return table.with_columns(pl.col(pl.Float64).fill_nan(None))


def _followed(matrix: np.ndarray, evidence: Evidence) -> Iterator[tuple[str, tuple[Recipe, Grouped]]]:
    """Every recipe by its name, then each at every other number of clusters that was found."""
    crops = evidence.crops
    own = {
        name: run_recipe(recipe, matrix, crops.tracklets, evidence.borders.pixels, crops.videos)
        for name, recipe in RECIPES.items()
    }
    for name, grouped in own.items():
        yield name, (RECIPES[name], grouped)
    ks = {name: int(grouped.cluster_ids.max(initial=-1)) + 1 for name, grouped in own.items()}
    for name, grouped in own.items():
        for k in sorted({k for k in ks.values() if k > 1} - {ks[name]}):
            recipe = at_k(RECIPES[name], k)
            yield (
                f"{name}, k = {k}",
                (recipe, grouped_features(recipe, grouped.features, crops.tracklets, crops.videos)),
            )


def _layout(grouped: Grouped) -> dict[str, np.ndarray]:
    """`umap`: one layout `(n, d)` of what was grouped; nothing where there are too few rows."""
    if not can_be_laid_out(grouped.units):
        return {}
    return {"umap": grouped_positions(grouped.features, grouped.units, RECIPES["default"].seed, n_layouts=1)}


def _resampled(recipe: Recipe, grouped: Grouped, evidence: Evidence, seed: int) -> dict[str, float]:
    crops = replace(evidence.crops, features=grouped.features, cluster_ids=grouped.cluster_ids)
    found = resampled_stability(recipe, crops, RESAMPLED_CROPS, seed, RESAMPLES)
    return {
        "n_kinds": float(found.n_kinds),
        "n_sure": float(found.n_sure),
        "n_kinds_low": found.n_kinds_low,
        "n_kinds_high": found.n_kinds_high,
        "agreement_ami": found.ami,
    }


def leaderboard_plot(table: pl.DataFrame, title: str) -> Figure:
    """A panel a measure, a bar a backbone and recipe; measures that nobody has are left out.

    Recipes with as many clusters stand together. What tells the water instead of the fish is drawn from 0 to 1, with a
    mark at about the most that clusters of these sizes could have, and a line at what the kinds have that people named.
    """
    table = _by_k(table)
    shown = [column for column in DRAWN if table[column].null_count() < table.height]
    n_columns = 3
    n_rows = -(-len(shown) // n_columns)
    height = 0.28 * table.height + 0.7
    figure = Figure(figsize=(11, max(2.5, n_rows * height + 1.0)), layout="constrained")
    panels = figure.subplots(n_rows, n_columns, squeeze=False)
    names = [f"{backbone}, {recipe}" for backbone, recipe in table.select("backbone", "recipe").iter_rows()]
    colours = [COLOURS.get(recipe.split(",")[0], "#777777") for recipe in table["recipe"]]
    for place, axes in enumerate(panels.flat):
        if place >= len(shown):
            axes.axis("off")
            continue
        values = _numbers(table, shown[place])
        # Without a length of its own, since matplotlib writes no label beside a bar of nan.
        bars = axes.barh(range(len(names)), np.nan_to_num(values), color=colours)
        axes.bar_label(bars, labels=[_text(value) for value in values], padding=3, fontsize=7, zorder=4, bbox=PLATE)
        axes.set_yticks(range(len(names)), names if place % n_columns == 0 else [""] * len(names), fontsize=7)
        axes.invert_yaxis()
        axes.margins(x=0.2)
        for first in _first_of_a_k(table)[1:]:
            axes.axhline(first - 0.5, color="#bbbbbb", linewidth=0.8)
        axes.tick_params(axis="x", labelsize=7)
        axes.set_title(DRAWN[shown[place]], fontsize=8)
        if "leak" in shown[place]:
            _draw_references(axes, table, shown[place])
    figure.suptitle(title, fontsize=10)
    if any("leak" in column for column in shown):
        figure.supxlabel(_legend(table), fontsize=8)
    return figure


def _by_k(table: pl.DataFrame) -> pl.DataFrame:
    """By backbone in the order given, the most clusters first, the default before the other."""
    order = table["backbone"].unique(maintain_order=True).to_list()
    backbone = pl.col("backbone").replace_strict({name: place for place, name in enumerate(order)})
    ordered = table.with_columns(backbone.alias("_backbone"), _k(table).alias("_k"))
    ordered = ordered.sort("_backbone", "_k", "recipe", descending=[False, True, False], nulls_last=True)
    return ordered.drop("_backbone", "_k")


def _k(table: pl.DataFrame) -> pl.Series:
    """The number of clusters that each row was asked for, or found."""
    asked = table["recipe"].str.extract(r", k = (\d+)$").cast(pl.Float64)
    return pl.select(pl.coalesce(asked, table["n_clusters"])).to_series()


def _first_of_a_k(table: pl.DataFrame) -> list[int]:
    """Rows, of which the first of a backbone with a number of clusters each."""
    pairs = list(zip(table["backbone"], _k(table), strict=True))
    return [row for row, pair in enumerate(pairs) if row == 0 or pair != pairs[row - 1]]


def _draw_references(axes: Axes, table: pl.DataFrame, leak: str) -> None:
    """The most that is possible, 1 where nothing says so, and what people's kinds have."""
    axes.set_xlim(min(-0.02, 1.1 * np.nan_to_num(_numbers(table, leak)).min()), 1.05)
    if f"most_{leak}" in table.columns:
        axes.scatter(_numbers(table, f"most_{leak}"), range(table.height), marker="|", s=90, color="black", zorder=3)
    of_names = table[f"names_{leak}"].drop_nulls()
    if len(of_names):
        axes.axvline(of_names[0], color="black", linestyle="--", linewidth=1)


def _legend(table: pl.DataFrame) -> str:
    lines = ["0: as by chance, with however many clusters.  |: about the most that clusters of these sizes could have."]
    n_named = table["n_named_tracklets"].max()
    if table["names_leak_video"].null_count() < table.height:
        lines.append(f"dashed: kinds that people named, in {n_named:,.0f} tracklets; less than theirs is no better.")
    else:
        lines.append(f"Compare recipes at one k. True kinds are not at 0: name {FEWEST_NAMED} tracklets to see theirs.")
    return "\n".join(lines)


def _numbers(table: pl.DataFrame, column: str) -> np.ndarray:
    return table[column].cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _text(value: float) -> str:
    if np.isnan(value):
        return "none"
    return f"{value:,.0f}" if abs(value) >= 10 or value == round(value) else f"{value:z.2f}"
