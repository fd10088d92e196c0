"""How well a few labels name all other fish: labels at random, labels that the platform picks, and unknown kinds.

Of labelled fish: a folder of crops with `index.csv` (path, species, trajectory). Labels are given to at most half of a
species' trajectories, scores are of the trajectories without one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.quality import SEED, borders_in, listed, vectors_of
from megafish_assets.clusters.recipes import DEFAULT, first_rows, grouped_features
from megafish_assets.embeddings.geometry import GEOMETRY
from megafish_assets.features.pooling import tracklet_means, unit_codes
from megafish_assets.features.whitening import fit_whitening, unit_rows
from megafish_assets.labels.budget import Open, name_next
from megafish_assets.labels.calibration import calibration_gap, fit_doubt, held_back
from megafish_assets.labels.classifying import Seen, Taught, classified

DRAWS = 12
BUDGETS = (1, 5, 10, 20)
"""Labels a kind."""

COMMON = 10
"""Trajectories of a species that is scored where labels are given at random: of fewer, one decides its F1."""

PICKED = (32, 64)
"""Labels in all, where the platform picks them."""

UNKNOWN_SPECIES, LABELS_BESIDE_UNKNOWN, NAMED_FROM = 3, 10, 0.8


@dataclass(frozen=True)
class Fish:
    """One row a trajectory."""

    seen: Seen
    species: np.ndarray
    """str `(n,)`."""
    cluster_ids: np.ndarray
    """int64 `(n,)`, the default recipe's; -1 for noise."""

    @property
    def common(self) -> np.ndarray:
        """str, the species of `COMMON` trajectories or more."""
        names, counts = np.unique(self.species, return_counts=True)
        return names[counts >= COMMON]

    def taught(self, places: np.ndarray) -> Taught:
        """By the true species of these; a trajectory is a group, since no video is known."""
        return Taught(places, self.species[places], places)

    def rest(self, places: np.ndarray) -> np.ndarray:
        """All others."""
        return np.setdiff1d(np.arange(len(self.species)), places)


def fish_of(index: pl.DataFrame, vectors: np.ndarray, borders: np.ndarray) -> Fish:
    """Pooled and grouped as the assets do; a crop of no trajectory is one by itself."""
    trajectories = index["trajectory"].to_numpy()
    units = unit_codes(trajectories)
    features = fit_whitening([vectors], trajectories, borders).project(vectors)
    cluster_ids = grouped_features(DEFAULT, features, trajectories).unit_cluster_ids
    means = unit_rows(tracklet_means(features, units)).astype(np.float32)
    return Fish(Seen.of(means), index["species"].to_numpy().astype(str)[first_rows(units)], cluster_ids)


def drawn(species: np.ndarray, n_a_kind: int, rng: np.random.Generator) -> np.ndarray:
    """Places of labels at random: so many a species, at most half of it, at least one."""
    chosen = []
    for name in np.unique(species):
        members = np.flatnonzero(species == name)
        chosen.append(rng.permutation(members)[: min(n_a_kind, max(1, len(members) // 2))])
    return np.sort(np.concatenate(chosen))


def macro_f1(truth: np.ndarray, said: np.ndarray, names: np.ndarray) -> float:
    """Mean F1 of these names."""
    from sklearn.metrics import f1_score

    return float(f1_score(truth, said, labels=names, average="macro", zero_division=0))


def scored(fish: Fish, places: np.ndarray) -> dict[str, float]:
    """Macro-F1 of the others, of all species and of the common ones."""
    rest = fish.rest(places)
    said, truth = classified(fish.seen, fish.taught(places), rest).names, fish.species[rest]
    return {
        "macro_f1_all": macro_f1(truth, said, np.unique(fish.species)),
        "macro_f1_common": macro_f1(truth, said, fish.common),
    }


def at_random(fish: Fish, n_a_kind: int) -> dict:
    """The line of one budget."""
    rows = []
    for draw in range(DRAWS):
        places = drawn(fish.species, n_a_kind, np.random.default_rng([SEED, n_a_kind, draw]))
        rows.append(scored(fish, places) | {"n_labels": float(len(places))})
    spread = float(np.std([row["macro_f1_common"] for row in rows]))
    return {"case": "random", "labels_a_kind": n_a_kind, "draws": DRAWS} | _mean(rows) | {"sd_common": round(spread, 4)}


def picked(fish: Fish, n_labels: int) -> dict:
    """The line of as many labels that the platform picks at once, knowing none."""
    places = name_next(fish.seen.own, Open.all_of(fish.cluster_ids), n_labels)[0]
    n_species = len(np.unique(fish.species[places]))
    line = {"case": "picked", "n_labels": len(places), "n_species_found": n_species}
    random = [
        scored(fish, np.sort(np.random.default_rng([SEED, draw]).permutation(len(fish.species))[:n_labels]))
        for draw in range(DRAWS)
    ]
    beside = {f"{name}_random": number for name, number in _mean(random).items()}
    return line | _mean([scored(fish, np.sort(places))]) | beside


def with_unknown(fish: Fish) -> dict:
    """The line of kinds that nobody has named: what is named, how much of it rightly, and what is refused; of the draws
    whose labels are enough to tell."""
    rows, told, right, known = [], [], [], []
    for draw in range(DRAWS):
        rng = np.random.default_rng([SEED, draw])
        places = drawn(fish.species, LABELS_BESIDE_UNKNOWN, rng)
        unknown = rng.choice(np.unique(fish.species), UNKNOWN_SPECIES, replace=False)
        rest = fish.rest(places)
        taught = fish.taught(places[~np.isin(fish.species[places], unknown)])
        found = classified(fish.seen, taught, rest)
        doubt = fit_doubt(held_back(fish.seen, taught, SEED + draw))
        if doubt is None:  # of too few species, or trajectories: such a draw says nothing
            continue
        probability = doubt.probability(found.signs)
        is_known, is_right = ~np.isin(fish.species[rest], unknown), found.names == fish.species[rest]
        named = probability >= NAMED_FROM
        rows.append(
            {
                "named_share_of_known": (named & is_known).sum() / is_known.sum(),
                "right_share_of_named": (named & is_right).sum() / named.sum(),
                "right_share_of_named_known": (named & is_right).sum() / (named & is_known).sum(),
                "refused_share_of_unknown": (~named & ~is_known).sum() / max(1, (~is_known).sum()),
            }
        )
        told.append(probability)
        right.append(is_right)
        known.append(is_known)
    line = {"case": "unknown", "labels_a_kind": LABELS_BESIDE_UNKNOWN, "draws": len(rows)}
    if not rows:
        return line
    told, right, known = map(np.concatenate, (told, right, known))
    gaps = {
        "calibration_gap": round(calibration_gap(told, right, np.ones(len(told))), 4),
        "calibration_gap_of_known": round(calibration_gap(told[known], right[known], np.ones(known.sum())), 4),
    }
    return line | _mean(rows) | gaps


def _mean(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]}


def of_labelled_fish(
    folder: Path, weights_folder: Path, backbone: str, vectors: Callable[..., np.ndarray] = vectors_of
) -> Iterator[dict]:
    """A line a budget, a line a number of picked labels, and a line with unknown species."""
    index = listed(folder)
    paths = index["path"].to_list()
    fish = fish_of(index, vectors(folder, paths, weights_folder, backbone, GEOMETRY), borders_in(folder, paths))
    yield from (at_random(fish, n_a_kind) for n_a_kind in BUDGETS)
    yield from (picked(fish, n_labels) for n_labels in PICKED)
    yield with_unknown(fish)
