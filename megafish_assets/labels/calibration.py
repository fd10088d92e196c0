"""Whether a name is right: a second model, taught by labels that were held back.

The classifier always prefers one name, also for a kind that nobody has named yet. How often it is right is learnt from
labels of other videos than it was taught by, and from whole kinds that were kept from it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from megafish_assets.footage.columns import require_one_length
from megafish_assets.labels.classifying import Seen, Taught, classified, represented

FOLDS, REPEATS = 5, 2
LABELS_AT_A_TIME = 256
"""Compared with all units at once: 50 MB beside 50,000 of them."""

MANY_LABELS = 1_000
"""With more, one repeat is enough, and twice the time would be spent on the same answer."""

STRANGERS = 0.4
"""To each label of a known kind so many of a kind that was kept from the classifier. With 0.15 a tenth more of the
known kinds are named, but of all that is named, unknown kinds among it, 94 % are right instead of 96: docs/names.md."""

FEWEST_HELD_BACK, FEWEST_OF_EITHER = 40, 5
"""Labels whose kind was known, and right and wrong guesses of all, without which no second model is fitted. Fitted to
20 to 40 labels it promised 0.98 where 0.89 were right (reef) and named 0.88 rightly from 0.8 on (real fish)."""

FEWEST_KINDS = 3
"""One is kept back, and two are left to confuse it with."""

TIED_PROBABILITY = 0.9
"""Without a second model, of a unit and a labelled one that are each other's nearest of all units, where the
classifier says the same: right for 92 % of real fish with one label a kind, 95 % with three."""

BINS = 5
"""Of the calibration gap, with as many held back labels each: of 150 labels 30, a chance gap of about .04."""


@dataclass(frozen=True)
class HeldBack:
    """Labels that the classifier was asked for without having been taught them."""

    places: np.ndarray
    """int64 `(n,)`, which units; one may be asked for more than once."""
    names: np.ndarray
    """str `(n,)`, what people say."""
    guesses: np.ndarray
    """str `(n,)`, what the classifier says."""
    signs: np.ndarray
    """float64 `(n, 3)`, see `Classified`."""
    is_stranger: np.ndarray
    """bool `(n,)`: the classifier was taught no label of this kind."""
    represents: np.ndarray
    """float64 `(n,)`, the units that each stands for, see `represented`."""

    def __post_init__(self) -> None:
        require_one_length(self, "places", "names", "guesses", "signs", "is_stranger", "represents")

    def of(self, rows: np.ndarray) -> "HeldBack":
        """Those of a mask."""
        return HeldBack(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    @property
    def is_right(self) -> np.ndarray:
        """bool `(n,)`."""
        return self.names == self.guesses

    @property
    def weights(self) -> np.ndarray:
        """float64 `(n,)`, 1 on average: as many as each stands for, all strangers `STRANGERS` times all others."""
        of_strangers = self.represents[self.is_stranger].sum()
        of_others = self.represents[~self.is_stranger].sum()
        scale = STRANGERS * of_others / of_strangers if of_strangers > 0 else 0.0
        weights = np.where(self.is_stranger, scale, 1.0) * self.represents
        return weights / weights.mean() if weights.any() else np.ones(len(weights))


NOBODY = HeldBack(
    np.empty(0, np.int64), np.empty(0, "U1"), np.empty(0, "U1"), np.empty((0, 3)), np.empty(0, bool), np.empty(0)
)


def folds(names: np.ndarray, groups: np.ndarray, n_folds: int, seed: int) -> np.ndarray:
    """int64 `(n,)`: the fold of each label; a group is in one fold, and kinds are spread over folds as far as they can.

    There are as many folds as groups, where these are fewer.
    """
    kinds, videos = (np.unique(values, return_inverse=True)[1] for values in (names, groups))
    n_groups = int(videos.max(initial=-1)) + 1
    order = np.random.default_rng(seed).permutation(n_groups)
    order = order[np.argsort(-np.bincount(videos, minlength=n_groups)[order], kind="stable")]  # large ones first
    held = np.zeros((min(n_folds, max(1, n_groups)), int(kinds.max(initial=-1)) + 1))
    fold_of = np.empty(n_groups, dtype=np.int64)
    for group in order:
        inside = np.bincount(kinds[videos == group], minlength=held.shape[1])
        load = held @ inside + held.sum(axis=1) / max(1, len(names))  # the emptiest, where none has these kinds
        fold_of[group] = load.argmin()
        held[fold_of[group]] += inside
    return fold_of[videos]


def fold_groups(taught: Taught) -> tuple[np.ndarray, str]:
    """What is held back together: videos; tracklets where most kinds were named in one video only. And its name."""
    n_videos = [len(np.unique(taught.groups[taught.names == kind])) for kind in taught.kinds]
    if n_videos and np.median(n_videos) >= 2:
        return taught.groups, "videos"
    return taught.places, "tracklets"


def held_back(seen: Seen, taught: Taught, seed: int, on_fold: Callable[[], None] = lambda: None) -> HeldBack:
    """Every label by a classifier that was taught others: of other groups, and then of other kinds.

    Nobody where fewer than `FEWEST_KINDS` kinds have a name. `on_fold` is told of each of `n_fits` fits.
    """
    parts, (groups, _), weights = [], fold_groups(taught), represented(seen, taught)
    for repeat in range(_n_repeats(taught)):
        by_group = folds(taught.names, groups, FOLDS, seed + repeat)
        kinds = np.random.default_rng(seed + repeat).permutation(len(taught.kinds))
        by_kind = (kinds % FOLDS)[np.searchsorted(taught.kinds, taught.names)]
        for fold_of in (by_group, by_kind):
            for fold in range(FOLDS):
                parts.append(_asked(seen, taught, fold_of == fold, weights))
                on_fold()
    fields = HeldBack.__dataclass_fields__
    return HeldBack(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields)) if parts else NOBODY


def n_fits(taught: Taught) -> int:
    """Folds that `held_back` goes through."""
    return 2 * FOLDS * _n_repeats(taught)


def _n_repeats(taught: Taught) -> int:
    if len(taught.kinds) < FEWEST_KINDS:
        return 0
    return 1 if len(taught) > MANY_LABELS else REPEATS


def _asked(seen: Seen, taught: Taught, out: np.ndarray, weights: np.ndarray) -> HeldBack:
    """These labels by a classifier that was taught the rest; none where the rest is of one kind."""
    rest, asked = taught.of(~out), taught.of(out)
    if len(rest.kinds) < 2 or not len(asked):
        return NOBODY
    found = classified(seen, rest, asked.places)
    strangers = ~np.isin(asked.names, rest.kinds)
    return HeldBack(asked.places, asked.names, found.names, found.signs, strangers, weights[out])


@dataclass(frozen=True)
class Doubt:
    """The second model."""

    centre: np.ndarray
    scale: np.ndarray
    slopes: np.ndarray
    """float64 `(3,)` each, over the signs."""
    level: float

    def probability(self, signs: np.ndarray) -> np.ndarray:
        """float64 `(n,)`: that the name is right, from signs `(n, 3)`."""
        return 1 / (1 + np.exp(-((signs - self.centre) / self.scale @ self.slopes + self.level)))


def fit_doubt(held: HeldBack, fewest: int = FEWEST_HELD_BACK) -> Doubt | None:
    """The second model; None where fewer labels of known kinds were held back, or too few to tell right from wrong.

    Source: Platt 1999, "Probabilistic outputs for support vector machines", with two signs more.
    """
    from sklearn.linear_model import LogisticRegression

    n_right, n_known = int(held.is_right.sum()), len(np.unique(held.places[~held.is_stranger]))
    if n_known < fewest or min(n_right, len(held.names) - n_right) < FEWEST_OF_EITHER:
        return None
    centre, scale = held.signs.mean(axis=0), held.signs.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    model = LogisticRegression(C=1.0).fit((held.signs - centre) / scale, held.is_right, sample_weight=held.weights)
    return Doubt(centre, scale, model.coef_[0], float(model.intercept_[0]))


def tied_probability(seen: Seen, taught: Taught, places: np.ndarray, names: np.ndarray) -> np.ndarray:
    """float64 `(n,)`, the rule without a second model: `TIED_PROBABILITY` of the guessed names of these, or nan."""
    nearest = _nearest_of_all(seen.own, taught.places)
    tied = _nearest_of_all(seen.own, nearest) == taught.places
    said = dict(zip(nearest[tied].tolist(), taught.names[tied].tolist(), strict=True))
    agree = [said.get(place) == name for place, name in zip(places.tolist(), names.tolist(), strict=True)]
    return np.where(agree, TIED_PROBABILITY, np.nan)


def _nearest_of_all(rows: np.ndarray, places: np.ndarray) -> np.ndarray:
    """int64 `(len(places),)`: of all rows the one most like each of these, not itself."""
    found = np.empty(len(places), dtype=np.int64)
    for start in range(0, len(places), LABELS_AT_A_TIME):
        part = places[start : start + LABELS_AT_A_TIME]
        similar = rows[part] @ rows.T
        similar[np.arange(len(part)), part] = -np.inf
        found[start : start + len(part)] = similar.argmax(axis=1)
    return found


def calibration_gap(probabilities: np.ndarray, is_right: np.ndarray, weights: np.ndarray) -> float:
    """Mean distance, 0 to 1, between what is promised and what is right, over `BINS` bins of as many; nan for none.

    Source: Naeini et al. 2015, "Obtaining well calibrated probabilities using Bayesian binning", with equal masses.
    """
    if not len(probabilities):
        return float("nan")
    order = np.argsort(probabilities, kind="stable")
    bins = [part for part in np.array_split(order, BINS) if len(part)]
    gaps = [abs(np.average((probabilities - is_right)[part], weights=weights[part])) for part in bins]
    return float(np.average(gaps, weights=[weights[part].sum() for part in bins]))


def crossed_gap(held: HeldBack, seed: int) -> float:
    """The calibration gap of labels that the second model was not fitted to either: each half by the other.

    nan where a half has too few. All guesses of one label are in one half.
    """
    side = np.random.default_rng(seed).integers(2, size=int(held.places.max(initial=-1)) + 1)[held.places] == 0
    told, right, weights = [], [], []
    for half in (side, ~side):
        doubt = fit_doubt(held.of(~half), fewest=FEWEST_HELD_BACK // 2)
        if doubt is None:
            return float("nan")
        told.append(doubt.probability(held.signs[half]))
        right.append(held.is_right[half])
        weights.append(held.weights[half])
    return calibration_gap(*map(np.concatenate, (told, right, weights)))
