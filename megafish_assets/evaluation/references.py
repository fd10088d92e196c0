"""What a recipe's AMI with a confounder is to be held against, since it depends on how many clusters there are.

Clusters that are drawn by chance have 0 at any k: that is what AMI is adjusted for. Above stands about what clusters of
the same sizes could have at most. Between them lie the true kinds, which are not spread evenly over hours and places
either: less than theirs means clusters that follow nothing, not better ones.
"""

from collections.abc import Mapping

import numpy as np

from megafish_assets.evaluation.confounders import border_predictability
from megafish_assets.evaluation.crop_rows import Evidence
from megafish_assets.evaluation.metrics import binned, confounder_leaks
from megafish_assets.features.pooling import unit_codes

FEWEST_NAMED = 100
"""Tracklets: over draws of so many from the demo's 682 with their true kinds, their AMI with a confounder has a
standard deviation of 0.02 to 0.05, and of 40 up to 0.08, where that of all is 0.06 to 0.21."""


def most_leaks(labels: np.ndarray, confounders: Mapping[str, np.ndarray]) -> dict[str, float]:
    """AMI with each confounder of clusters of the same sizes that follow it about as far as they can; nan for no leak.

    Rows are binned, and left out, as `confounder_leaks` does.
    """
    most = {}
    for name, values in confounders.items():
        bins = binned(np.asarray(values))
        followed = _following(labels[bins >= 0], bins[bins >= 0])
        most |= confounder_leaks(followed[:, 0], {name: followed[:, 1].astype(str)})
    return most


def _following(labels: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """int64 `(n, 2)`: a cluster and a bin a row, as many of each as there were, paired so that one tells the other.

    The largest remainder of the clusters meets the largest of the bins, again and again: the joint entropy comes within
    a bit of the least, for a few clusters and bins within hundredths. Source: Kocaoglu et al. 2017, arXiv:1611.04035.
    """
    clusters = np.unique(labels, return_counts=True)[1]
    cells = np.unique(bins, return_counts=True)[1]
    rows = [np.empty((0, 2), dtype=np.int64)]
    while clusters.any():
        cluster, cell = int(clusters.argmax()), int(cells.argmax())
        n = min(clusters[cluster], cells[cell])
        rows.append(np.tile([cluster, cell], (n, 1)))
        clusters[cluster] -= n
        cells[cell] -= n
    return np.concatenate(rows)


def names_leaks(evidence: Evidence) -> dict[str, float]:
    """`names_leak_<confounder>`, `names_border_leak` and `n_named_tracklets`: what the recipe's leaks are, of the kinds
    that people named, in the tracklets that they named; nan for fewer than `FEWEST_NAMED`. Empty without names.
    """
    if evidence.crops.species is None:
        return {}
    rows = np.flatnonzero([name is not None for name in evidence.crops.species])
    rows = rows[np.unique(unit_codes(evidence.crops.tracklets[rows]), return_index=True)[1]]
    kinds = np.unique(evidence.crops.species[rows].astype(str), return_inverse=True)[1]
    seen = {name: values[rows] for name, values in evidence.confounders.items()}
    leaks = {f"names_leak_{name}": leak for name, leak in confounder_leaks(kinds, seen).items()}
    if evidence.borders is not None:
        leaks["names_border_leak"] = _border_leak(evidence, rows, kinds)
    enough = len(rows) >= FEWEST_NAMED
    return {name: leak if enough else float("nan") for name, leak in leaks.items()} | {
        "n_named_tracklets": float(len(rows))
    }


def _border_leak(evidence: Evidence, rows: np.ndarray, kinds: np.ndarray) -> float:
    """That of the kinds `(m,)` of some rows, of which those count whose border was drawn."""
    drawn, of_rows, of_borders = np.intersect1d(rows, evidence.borders.rows, return_indices=True)
    return border_predictability(evidence.borders.pixels[of_borders], kinds[of_rows], evidence.crops.videos[drawn])
