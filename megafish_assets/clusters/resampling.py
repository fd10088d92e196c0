"""The clusters of a recipe, found again on other videos."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl

from megafish_assets.clusters import across, stability
from megafish_assets.clusters.grouping import fewest_in_cluster
from megafish_assets.clusters.recipes import Grouped, Recipe, first_rows, grouped_features
from megafish_assets.clusters.sweeping import SWEEP_STARTS, kmeans
from megafish_assets.features.crop_rows import CropRows
from megafish_assets.features.pooling import some_units


def resampled_stability(
    recipe: Recipe, crops: CropRows, n_crops: int, seed: int, n: int, on_resample: Callable[[], None] = lambda: None
) -> stability.Stability:
    """How far the recipe's clusters are found again when it is followed anew on other videos.

    On at most `n_crops` of them; what stands behind a cluster is counted over all. Its later half only: the features
    stay, everything after them is made afresh, from one layout or seed instead of several, which is found again no more
    easily.
    """
    if recipe.grouping == "stable_kmeans":  # its k was found over draws of videos already
        recipe = replace(recipe, grouping="kmeans", k=crops.n_clusters)
    recipe, drawn = replace(recipe, n_layouts=1), crops.of(some_units(recipe.units_of(crops.tracklets), n_crops, seed))
    units = recipe.units_of(drawn.tracklets)
    first = first_rows(units)
    # A resample holds two thirds of every kind: a small one must not fall below what counts as dense.
    fewest = max(2, round(stability.DRAWN_SHARE * fewest_in_cluster(len(first))))

    def group(places: np.ndarray) -> np.ndarray:
        part = drawn.of(np.isin(units, places))
        return grouped_features(recipe, part.features, part.tracklets, part.videos, fewest=fewest).unit_cluster_ids

    def as_kinds(places: np.ndarray, labels: np.ndarray) -> np.ndarray:
        rows = np.isin(units, places)
        return across.as_kinds(drawn.features[rows], np.searchsorted(places, units[rows]), drawn.videos[rows], labels)

    of_units = drawn.cluster_ids[first], drawn.videos[first]
    return stability.stability(np.arange(len(first)), *of_units, group, seed, crops, n, on_resample, as_kinds)


def agreement_at_ks(
    found: Grouped, videos: np.ndarray, n_crops: int, seed: int, on_k: Callable[[], None] = lambda: None
) -> pl.DataFrame:
    """`k`, `ami` and `ami_error`: how far KMeans of the units, where they were grouped, agrees over draws of videos.

    On whole units of at most `n_crops`; `videos` `(n,)` is the video of each crop. Without a row for fewer
    videos than are resampled.
    """
    drawn = np.unique(found.units[some_units(found.units, n_crops, seed)])
    of_units = videos[first_rows(found.units)][drawn]
    if len(np.unique(of_units)) < stability.FEWEST_RESAMPLED:
        return pl.DataFrame(schema={"k": pl.Int64, "ami": pl.Float64, "ami_error": pl.Float64})
    return stability.agreement_by_k(
        found.positions[drawn],
        of_units,
        stability.TRIED_KS,
        lambda rows, k: kmeans(rows, k, seed, SWEEP_STARTS).labels_,
        seed,
        on_k=on_k,
    )
