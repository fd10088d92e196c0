"""How good a grouping is, and how far it is found again: the same for the assets, the league and the benchmark."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl

from megafish_assets.clusters import quality, stability
from megafish_assets.clusters.evidence import Crops, Evidence
from megafish_assets.clusters.grouping import fewest_in_cluster
from megafish_assets.clusters.manifold import sampled_silhouette
from megafish_assets.clusters.nuisances import told_by_border
from megafish_assets.clusters.pooling import some_units, unit_codes
from megafish_assets.clusters.recipes import Grouped, Recipe, first_rows, grouped_features
from megafish_assets.clusters.sweeping import SWEEP_STARTS, kmeans


def found_again(
    recipe: Recipe, every: Crops, n_crops: int, seed: int, n: int, on_resample: Callable[[], None] = lambda: None
) -> stability.Stability:
    """How far the recipe's clusters are found again when it is followed anew on other videos.

    On at most `n_crops` of them; what stands behind a cluster is counted over all. Its later half only: the features
    stay, everything after them is made afresh, from one layout instead of several, which is found again no more easily.
    """
    recipe, crops = replace(recipe, n_layouts=1), every.drawn(recipe, n_crops, seed)
    units = recipe.units_of(crops.tracklets)
    first = first_rows(units)
    # A resample holds two thirds of every kind: a small one must not fall below what counts as dense.
    fewest = max(2, round(stability.DRAWN_SHARE * fewest_in_cluster(len(first))))

    def group(places: np.ndarray) -> np.ndarray:
        own = crops.taken(np.isin(units, places))
        return grouped_features(recipe, own.features, own.tracklets, own.videos, fewest=fewest).unit_labels

    of_units = crops.labels[first], crops.videos[first]
    behind = stability.Behind(every.labels, every.tracklets, every.videos)
    return stability.stability(np.arange(len(first)), *of_units, group, seed, behind, n, on_resample)


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


def judged(found: Grouped, evidence: Evidence, seed: int) -> dict[str, float]:
    """Every measure that the evidence allows, by name; nan where it says nothing.

    `silhouette_<space>`, `leak_<nuisance>` (AMI), `border_leak`, and with labels `species_ami`, `ari`, `v_measure`,
    `macro_f1`, `knn_other_trajectories`; noise counts as a cluster in these.
    """
    whole_tracklets = len(found.positions) < len(found.labels)
    numbers = {
        "n_crops": float(len(found.labels)),
        "n_units": float(len(found.positions)),
        "n_clusters": float(found.labels.max(initial=-1) + 1),
        "noise_share": quality.noise_share(found.labels),
        "dbcv": quality.density_validity(found.positions, found.unit_labels, seed),
        # A tracklet that was grouped whole is in one cluster by construction.
        "track_consistency": float("nan")
        if whole_tracklets
        else quality.track_consistency(found.labels, evidence.tracklets, seed),
    }
    for name, rows in evidence.spaces.items():
        numbers[f"silhouette_{name}"] = sampled_silhouette(rows, found.labels, seed)
    # A row a tracklet: its crops share their video and place, and would agree with any cluster of tracklets by chance.
    alone = first_rows(unit_codes(evidence.tracklets))
    seen = {name: values[alone] for name, values in evidence.nuisances.items()}
    leaks = quality.nuisance_leak(found.labels[alone], seen)
    numbers |= {f"leak_{name}": leak for name, leak in leaks.items()}
    if evidence.borders is not None:
        rows = evidence.borders.rows
        numbers["border_leak"] = told_by_border(evidence.borders.pixels, found.labels[rows], evidence.videos[rows])
    return numbers | _by_labels(found, evidence)


def _by_labels(found: Grouped, evidence: Evidence) -> dict[str, float]:
    if evidence.labels is None:
        return {}
    known = evidence.labels != ""
    truth, tracks = evidence.labels[known], unit_codes(evidence.tracklets[known])
    scores = quality.label_scores(found.labels[known], truth)
    nearest = quality.neighbour_accuracy(found.features[known], truth, tracks) if known.any() else float("nan")
    return {"species_ami": scores.pop("ami")} | scores | {"knn_other_trajectories": nearest}
