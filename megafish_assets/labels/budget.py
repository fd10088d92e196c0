"""What more labels would bring, and which tracklets to name next."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from megafish_assets.footage.columns import require_one_length
from megafish_assets.labels.calibration import FOLDS, LABELS_AT_A_TIME, fold_groups, folds
from megafish_assets.labels.classifying import Seen, Taught, classified, represented

NEXT = 40
"""Tracklets on a sheet: a few minutes of a person."""

UNGROUPED = -2
"""The cluster of what is too small to be grouped, where there must be a number."""

MEDOID, NOISE, SMALL, LEAST_SURE = "medoid", "noise", "small", "least_sure"

NOISE_SHARE = 0.5
"""Of what the medoids leave, at most: in a large collection noise alone would fill the sheet."""

SMALL_SHARE = 0.25
"""Of what the medoids leave, at most: small fish look unlike large ones of their kind, and a classifier that was shown
none of them takes a third for another: docs/names.md."""

BUDGET_SHARES = (0.125, 0.25, 0.5, 0.75, 1.0)
"""Of the labels that a fold leaves, with which the curve is drawn."""

CURVE_DRAWS = 3
MOST_CURVE_LABELS = 2_000
"""Of more labels so many are drawn: the curve is flat by then, and 75 fits to them take minutes."""

LEAST_ERROR = 1e-3
"""Of a macro-F1 of 1, which has no logarithm."""

FEWEST_GROUPS = 2
"""Videos, or tracklets, with a name: one to learn it from, and one to be asked for it."""


def folds_f1(names: np.ndarray, guesses: np.ndarray, weights: np.ndarray, kinds: np.ndarray) -> float:
    """Macro-F1 of these kinds, 0 to 1, each label weighted by what it stands for; nan for none."""
    from sklearn.metrics import f1_score

    if not len(kinds) or not len(names):
        return float("nan")
    return float(f1_score(names, guesses, labels=kinds, average="macro", sample_weight=weights, zero_division=0))


def testable_kinds(taught: Taught) -> np.ndarray:
    """str, the kinds that were named in `FEWEST_GROUPS` groups or more: no other can be found again."""
    groups, _ = fold_groups(taught)
    found = [kind for kind in taught.kinds if len(np.unique(groups[taught.names == kind])) >= FEWEST_GROUPS]
    return np.array(found, dtype=taught.names.dtype)


def budget_curve(seen: Seen, taught: Taught, seed: int, on_fit: Callable[[], None] = lambda: None) -> pl.DataFrame:
    """`n_labels`, `macro_f1`, `macro_f1_low` and `macro_f1_high`, a row a budget, fewest first: what the labels given
    would have brought, had there been fewer.

    A draw is of the labels that a fold leaves, and is asked for those of the fold. Empty where no kind is testable.
    `on_fit` is told of each of `n_curve_fits`.
    """
    columns = {"n_labels": pl.Int64} | dict.fromkeys(("macro_f1", "macro_f1_low", "macro_f1_high"), pl.Float64)
    if len(taught) > MOST_CURVE_LABELS:
        taught = taught.of(np.sort(np.random.default_rng(seed).permutation(len(taught))[:MOST_CURVE_LABELS]))
    kinds, (groups, _) = testable_kinds(taught), fold_groups(taught)
    if not len(kinds):
        return pl.DataFrame(schema=columns)
    rows, weights = [], represented(seen, taught)
    for share in BUDGET_SHARES:
        scores, sizes = [], []
        for draw in range(CURVE_DRAWS):
            rng, guesses = np.random.default_rng([seed, draw]), np.full(len(taught), "", dtype=taught.names.dtype)
            fold_of = folds(taught.names, groups, FOLDS, seed + draw)
            for fold in np.unique(fold_of):
                rest, asked = np.flatnonzero(fold_of != fold), taught.of(fold_of == fold)
                chosen = np.sort(rng.permutation(rest)[: max(1, round(share * len(rest)))])
                if len(chosen):
                    guesses[fold_of == fold] = classified(seen, taught.of(chosen), asked.places).names
                    sizes.append(len(chosen))
                on_fit()
            scores.append(folds_f1(taught.names, guesses, weights, kinds))
        rows.append((round(float(np.mean(sizes))), float(np.mean(scores)), min(scores), max(scores)))
    return pl.DataFrame(rows, schema=columns, orient="row").unique("n_labels", keep="last").sort("n_labels")


def n_curve_fits(taught: Taught) -> int:
    """Fits that `budget_curve` makes at most."""
    return len(BUDGET_SHARES) * CURVE_DRAWS * FOLDS if len(testable_kinds(taught)) else 0


def expected_f1(curve: pl.DataFrame, n_labels: int) -> float:
    """What the curve would come to with so many labels, 0 to 1; nan for a curve of fewer than two budgets.

    The error falls as a power of the labels, a line in logarithms through its later half.
    Source: Viering and Loog 2021, arXiv:2103.10948, section 4.
    """
    last = curve.tail(3)
    if last.height < 2:
        return float("nan")
    labels, errors = (
        np.log(last["n_labels"].to_numpy()),
        np.log(np.maximum(1 - last["macro_f1"].to_numpy(), LEAST_ERROR)),
    )
    slope = min(0.0, np.polyfit(labels, errors, 1)[0])  # where a curve falls by chance, more labels do not harm
    return float(1 - np.exp(errors.mean() + slope * (np.log(n_labels) - labels.mean())))


@dataclass(frozen=True)
class Open:
    """Whose name may be asked for."""

    cluster_ids: np.ndarray
    """int64 `(n,)`, the cluster of each unit, -1 for noise, `UNGROUPED` for what is too small for any."""
    is_named: np.ndarray
    """bool `(n,)`: a person gave its name."""
    is_closed: np.ndarray
    """bool `(n,)`: nobody need be asked again, since it is named, nobody could tell, or `not_fish` tells."""
    sureness: np.ndarray
    """float64 `(n,)`, 0 to 1: how sure its name is by now."""

    def __post_init__(self) -> None:
        require_one_length(self, "cluster_ids", "is_named", "is_closed", "sureness")

    @classmethod
    def all_of(cls, cluster_ids: np.ndarray) -> "Open":
        """Where nobody has said anything yet."""
        none = np.zeros(len(cluster_ids), dtype=bool)
        return cls(cluster_ids, none, none, np.zeros(len(cluster_ids)))


def name_next(own: np.ndarray, units: Open, n: int = NEXT) -> tuple[np.ndarray, list[str]]:
    """Places of the units to name next, the most useful first, and why: `MEDOID`, `NOISE`, `SMALL` or
    `LEAST_SURE`.

    `own` `(n_units, m)` are features of unit length. First the medoid of each cluster without a name, the largest
    first; then noise, what is small, and what is least sure, each from another place than what is closed or chosen
    by then.
    """
    chosen = _medoids(own, units)[:n]
    reasons, free = [MEDOID] * len(chosen), ~units.is_closed
    free[chosen] = False
    room, noise = n - len(chosen), np.flatnonzero(free & (units.cluster_ids == -1))
    small, unsure = (np.flatnonzero(free & of) for of in (units.cluster_ids == UNGROUPED, units.cluster_ids >= 0))
    n_small = min(len(small), max(int(np.ceil(room * SMALL_SHARE)), room - len(noise) - len(unsure)))
    n_noise = min(len(noise), max(int(np.ceil((room - n_small) * NOISE_SHARE)), room - n_small - len(unsure)))
    for places, weights, wanted, why in (
        (noise, np.ones(len(noise)), n_noise, NOISE),
        (small, 1 - units.sureness[small], n_small, SMALL),
        (unsure, 1 - units.sureness[unsure], room - n_noise - n_small, LEAST_SURE),
    ):
        found = _spread(own, places, weights, [*np.flatnonzero(units.is_closed), *chosen], wanted)
        chosen, reasons = [*chosen, *found], [*reasons, *[why] * len(found)]
    return np.array(chosen, dtype=np.int64), reasons


def _medoids(own: np.ndarray, units: Open) -> list[int]:
    """Of each cluster without a name, the largest first, the unit that is most like all of it and may be asked for."""
    labels, sizes = np.unique(units.cluster_ids[units.cluster_ids >= 0], return_counts=True)
    medoids = []
    for label in labels[np.argsort(-sizes, kind="stable")]:
        members = np.flatnonzero(units.cluster_ids == label)
        free = members[~units.is_closed[members]]
        if len(free) and not units.is_named[members].any():
            medoids.append(int(free[(own[free] @ own[members].mean(axis=0)).argmax()]))
    return medoids


def _spread(own: np.ndarray, places: np.ndarray, weights: np.ndarray, taken: list[int], n: int) -> list[int]:
    """At most n of these places, one after the other: the one of most weight times distance to all that is taken.

    Source: Gonzalez 1985, doi:10.1016/0304-3975(85)90224-5 (k-center), with weights.
    """
    if not len(places):
        return []
    apart = np.full(len(places), 2.0)  # of rows of length 1: as far as can be
    for start in range(0, len(taken), LABELS_AT_A_TIME):
        near = own[places] @ own[taken[start : start + LABELS_AT_A_TIME]].T
        apart = np.minimum(apart, 1 - near.max(axis=1))
    chosen, free = [], np.ones(len(places), dtype=bool)
    for _ in range(min(n, len(places))):
        best = int(np.where(free, np.maximum(apart, 0) * weights, -1.0).argmax())
        chosen.append(int(places[best]))
        free[best] = False
        apart = np.minimum(apart, 1 - own[places] @ own[places[best]])
    return chosen
