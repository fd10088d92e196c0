"""What the check of `classes` measures, and the sentence that says it."""

import numpy as np
import polars as pl

from megafish_assets.features.layout import known
from megafish_assets.labels.budget import expected_f1, folds_f1, testable_kinds
from megafish_assets.labels.calibration import crossed_gap, fold_groups
from megafish_assets.labels.classifying import Taught
from megafish_assets.labels.naming import CLASSIFIED, KIND, PERSON, UNNAMED, Told, Words

FEWEST_LABELS = 5
"""Of a kind: of real fish, one label a kind gives a macro-F1 of 0.64, five 0.79, ten 0.83."""

MORE_LABELS = 40
"""That the curve is followed beyond what was given."""


def name_numbers(
    classes: pl.DataFrame,
    words: Words,
    taught: Taught,
    told: Told | None,
    curve: pl.DataFrame,
    seed: int,
    named_from: float,
) -> dict[str, float | int | str | None]:
    """Macro-F1 of the folds, calibration gap, share of don't-knows, kinds of few labels, and counts; None for what no
    label tells yet."""
    counts = dict(classes.group_by("name_source").len().iter_rows())
    per_kind = [int((taught.names == kind).sum()) for kind in taught.kinds]
    numbers = {f"n_{source}": counts.get(source, 0) for source in (PERSON, CLASSIFIED, KIND, UNNAMED)}
    numbers |= {
        "n_units": classes.height,
        "n_names": len(per_kind),
        "n_labels": len(taught),
        "n_kinds_of_few_labels": sum(n < FEWEST_LABELS for n in per_kind) if per_kind else None,
        "n_labels_elsewhere": words.n_elsewhere,
        "n_disagreeing": int(words.table["n_disagreeing"].fill_null(0).gt(0).sum()),
        "names": sentence(classes, len(per_kind)),
    }
    return (
        numbers
        | _of_folds(taught, told, curve, seed)
        | {"dont_know_share": _dont_know_share(classes, told, named_from)}
    )


def _of_folds(taught: Taught, told: Told | None, curve: pl.DataFrame, seed: int) -> dict:
    if told is None:
        return {"fold_macro_f1": None, "calibration_gap": None, "expected_macro_f1": None, "hint": NO_LABELS}
    asked, kinds = told.held.of(~told.held.is_stranger), testable_kinds(taught)
    numbers = {
        "fold_macro_f1": known(folds_f1(asked.names, asked.guesses, asked.represents, kinds)),
        "calibration_gap": known(crossed_gap(told.held, seed)) if told.doubt is not None else None,
        "expected_macro_f1": known(expected_f1(curve, len(taught) + MORE_LABELS)),
        "held_back_by": fold_groups(taught)[1],
        "n_kinds_not_held_back": len(taught.kinds) - len(kinds),
    }
    return numbers | ({} if told.doubt is not None else {"hint": FEW_LABELS})


NO_LABELS = "Nobody has named a tracklet yet: begin with those of name_next, the medoids of the largest clusters."
FEW_LABELS = (
    "Too few labels to tell how often the classifier is right: it names only what is the nearest of a labelled "
    "tracklet and has it as its nearest, and kinds name the rest. Give forty labels to three kinds or more, in several "
    "videos."
)


def _dont_know_share(classes: pl.DataFrame, told: Told | None, named_from: float) -> float | None:
    """Of the units that the classifier was asked for, those that it would not name; None where it was not asked."""
    asked = np.flatnonzero((classes["name_source"] != PERSON).to_numpy())
    if told is None or told.doubt is None or not len(asked):
        return None
    return float((told.probability[asked] < named_from).mean())


def sentence(classes: pl.DataFrame, n_names: int) -> str:
    """As `12 names; 61 % of tracklets named by persons or classified, 9 % by their kind`."""
    n = max(1, classes.height)
    shares = {source: (classes["name_source"] == source).sum() / n for source in (PERSON, CLASSIFIED, KIND)}
    told = f"{shares[PERSON] + shares[CLASSIFIED]:.0%} of tracklets named by persons or classified"
    return f"{n_names} name{'' if n_names == 1 else 's'}; {told}, {shares[KIND]:.0%} by their kind".replace("%", " %")
