"""How good a grouping is, and how far it is found again: the same for the assets, the leaderboard and the benchmark."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from megafish_assets.clusters.grouping import noise_share
from megafish_assets.clusters.recipes import Grouped, first_rows
from megafish_assets.clusters.silhouette import sampled_silhouette
from megafish_assets.evaluation import metrics
from megafish_assets.evaluation.columns import CONFOUNDERS
from megafish_assets.evaluation.confounders import border_predictability
from megafish_assets.evaluation.crop_rows import Evidence
from megafish_assets.evaluation.references import most_leaks
from megafish_assets.features.pooling import unit_codes
from megafish_assets.footage.columns import empty_table


def evaluate(found: Grouped, evidence: Evidence, seed: int) -> dict[str, float]:
    """Every measure that the evidence allows, by name; nan where it says nothing.

    `silhouette_<space>`, `leak_<confounder>` (AMI) with about what it could be at most (`most_leak_<confounder>`),
    `border_leak`, `dbcv` where there is a `umap`, and with labels `species_ami`, the other `LABEL_SCORES`,
    `knn_other_trajectories`, in all of which noise counts as a cluster.
    """
    whole_tracklets = len(found.positions) < len(found.cluster_ids)
    numbers = {
        "n_crops": float(len(found.cluster_ids)),
        "n_units": float(len(found.positions)),
        "n_clusters": float(found.cluster_ids.max(initial=-1) + 1),
        "noise_share": noise_share(found.cluster_ids),
        # Where it was grouped may have 128 dimensions, in which nothing is dense.
        "dbcv": metrics.density_validity(evidence.spaces["umap"], found.cluster_ids, seed)
        if "umap" in evidence.spaces
        else float("nan"),
        # A tracklet that was grouped whole is in one cluster by construction.
        "track_consistency": float("nan")
        if whole_tracklets
        else metrics.track_consistency(found.cluster_ids, evidence.crops.tracklets, seed),
    }
    for name, rows in evidence.spaces.items():
        numbers[f"silhouette_{name}"] = sampled_silhouette(rows, found.cluster_ids, seed)
    # A row a tracklet: its crops share their video and place, and would agree with any cluster of tracklets by chance.
    alone = first_rows(unit_codes(evidence.crops.tracklets))
    seen = {name: values[alone] for name, values in evidence.confounders.items()}
    leaks = metrics.confounder_leaks(found.cluster_ids[alone], seen)
    numbers |= {f"leak_{name}": leak for name, leak in leaks.items()}
    most = most_leaks(found.cluster_ids[alone], seen)
    numbers |= {f"most_leak_{name}": max(most[name], leak) for name, leak in leaks.items()}
    if evidence.borders is not None:
        rows = evidence.borders.rows
        numbers["border_leak"] = border_predictability(
            evidence.borders.pixels, found.cluster_ids[rows], evidence.crops.videos[rows]
        )
    return numbers | _by_species(found, evidence)


def _by_species(found: Grouped, evidence: Evidence) -> dict[str, float]:
    """What names tell. Raises ValueError for a grouping without its features, whose nearest rows nobody knows."""
    if evidence.crops.species is None:
        return {}
    if found.features is None:
        raise ValueError("a grouping is compared with names by its features too, and comes without: run its recipe")
    named = np.array([name is not None for name in evidence.crops.species], dtype=bool)
    species, tracks = evidence.crops.species[named].astype(str), unit_codes(evidence.crops.tracklets[named])
    scores = metrics.label_scores(found.cluster_ids[named], species)
    nearest = metrics.neighbor_accuracy(found.features[named], species, tracks) if named.any() else float("nan")
    return {"species_ami": scores.pop("ami")} | scores | {"knn_other_trajectories": nearest}


def measures_table(numbers: Mapping[str, float]) -> pl.DataFrame:
    """The columns `CONFOUNDERS`, a row a measure."""
    rows = list(numbers.items())
    return pl.DataFrame(rows, schema=empty_table(CONFOUNDERS).schema, orient="row").with_columns(
        pl.col("value").fill_nan(None)
    )
