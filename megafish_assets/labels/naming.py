"""The name of every unit: a person's, the classifier's where it is sure, its kind's, or none."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from megafish_assets.footage.columns import typed
from megafish_assets.labels.calibration import (
    Doubt,
    HeldBack,
    fit_doubt,
    held_back,
    tied_probability,
)
from megafish_assets.labels.classifying import Classified, Seen, Taught, classified
from megafish_assets.labels.columns import CLASSES
from megafish_assets.labels.current import APPROVED, NOT_FISH, REJECTED, UNSURE
from megafish_assets.labels.units import Units

NOT_A_FISH = "not a fish"
"""The class of what is none, such as growth on the lens, rock or weed: told from kinds as they are from each other."""

PERSON, CLASSIFIED, KIND, UNNAMED = "person", "classified", "kind", "unnamed"
"""Where a name is from: the one vocabulary of `name_source`."""

NAMED_FROM = 0.8
"""Probability from which the classifier names: of real fish 96 % of its names are right, 92 % of unknown kinds are
refused, and 63 % of known ones are named: docs/names.md."""

MOST_SHARE, FEWEST_NAMED = 2 / 3, 2
"""A kind bears the name that so large a share, and so many, of its named units bear: one name alone may be a slip of
the hand, and a kind that holds two species is not named by the commoner. One is enough where it is a kind's only one.
"""

FLAGGED_PROBABILITY = 0.97
"""Of what `not_fish` gives a reason, by place alone: it was no fish to 99 % and more on reefs (docs/quality.md),
and real lenses may be worse."""


@dataclass(frozen=True)
class Words:
    """What people said, unit by unit."""

    table: pl.DataFrame
    """The columns `WORDS` without the keys, a row a unit; nulls where nobody spoke."""
    n_elsewhere: int
    """Tracklets that people spoke of and that are no unit of this fit."""
    version: str
    """Twelve hexadecimal digits that change with what people said."""

    @property
    def names(self) -> pl.Series:
        """String, the name that a person gave; null for none."""
        spoken = pl.col("status")
        named = pl.when(spoken == NOT_FISH).then(pl.lit(NOT_A_FISH)).when(spoken == APPROVED).then("label")
        return self.table.select(named.alias("name"))["name"]

    def places(self, status: str) -> np.ndarray:
        """int64, the units of this status."""
        return np.flatnonzero((self.table["status"] == status).fill_null(False).to_numpy())

    @classmethod
    def of(cls, units: Units, words: pl.DataFrame) -> "Words":
        """From the columns `WORDS`, as `labelled_tracklets` gives them."""
        keyed = words.rename({"tracklet_id": "unit_id"}).sort("unit_id")
        known = units.table.select("unit_id").join(keyed, on="unit_id", how="left", maintain_order="left")
        elsewhere = keyed.join(units.table, on="unit_id", how="anti").height
        text = keyed.select("unit_id", "status", "label", "scientific_name").write_csv()
        return cls(known.drop("unit_id"), elsewhere, hashlib.sha256(text.encode()).hexdigest()[:12])

    def taught(self, units: Units) -> Taught:
        """The units whose name a person gave, with their videos."""
        names = self.names
        places = np.flatnonzero(names.is_not_null().to_numpy())
        videos = units.table["video"].to_numpy()[places].astype(str)
        return Taught(places, names.drop_nulls().to_numpy().astype(str), videos)


@dataclass(frozen=True)
class Told:
    """What the classifier and its doubt say of every unit; None where nobody has named any."""

    found: Classified
    probability: np.ndarray
    """float64 `(n,)`, that its name is right; nan where nothing says."""
    held: HeldBack
    doubt: Doubt | None
    """None where too few labels were given to fit it, and `tied_probability` stands for it."""

    def __post_init__(self) -> None:
        if len(self.found.names) != len(self.probability):
            raise ValueError(f"{len(self.found.names)} names beside {len(self.probability)} probabilities")


def told_by(
    seen: Seen, taught: Taught, words: Words, seed: int, on_fit: Callable[[], None] = lambda: None
) -> Told | None:
    """What those who are taught tell of all units; None where nobody is."""
    if not len(taught):
        return None
    labels, everybody = words.table["label"].to_list(), np.arange(len(seen))
    never = {place: labels[place] for place in words.places(REJECTED).tolist() if labels[place] is not None}
    found = classified(seen, taught, everybody, never)
    held = held_back(seen, taught, seed, on_fit)
    doubt = fit_doubt(held)
    if doubt is None:
        return Told(found, tied_probability(seen, taught, everybody, found.names), held, None)
    return Told(found, doubt.probability(found.signs), held, doubt)


def names_of_kinds(kind_ids: pl.Series, names: pl.Series) -> pl.DataFrame:
    """`kind_id`, `kind_name` and `kind_probability`, a row a kind that bears a name, from a row a unit.

    The probability is by the rule of succession, as if one more unit of the kind bore the name, and one did not.
    """
    named = pl.DataFrame({"kind_id": kind_ids, "name": names}).drop_nulls()
    counts = named.group_by("kind_id", "name").len("n").sort("n", "name", descending=[True, False])
    kinds = counts.group_by("kind_id", maintain_order=True).agg(
        kind_name=pl.col("name").first(), n=pl.col("n").first(), n_named=pl.col("n").sum()
    )
    enough = (pl.col("n") >= MOST_SHARE * pl.col("n_named")) & (
        (pl.col("n") >= FEWEST_NAMED) | (pl.col("n_named") == 1)
    )
    succession = ((pl.col("n") + 1) / (pl.col("n_named") + 2)).alias("kind_probability")
    return kinds.filter(enough).select("kind_id", "kind_name", succession).sort("kind_id")


def classes_table(
    units: Units,
    kind_ids: pl.Series,
    words: Words,
    told: Told | None,
    is_flagged: np.ndarray,
    backbone: str,
    named_from: float = NAMED_FROM,
) -> pl.DataFrame:
    """The columns `CLASSES`, a row a unit, sorted by it.

    A person's name comes first, then `not_fish` (`is_flagged`, bool `(n,)`), then the classifier's from `named_from`
    on, then the kind's. What a person rejected it does not become, and where nobody could tell it stays unnamed.
    """
    rows = units.table.with_columns(
        kind_ids.alias("kind_id"),
        words.names.alias("said"),
        words.table["status"],
        pl.when(words.table["status"] == REJECTED).then(words.table["label"]).alias("not_this"),
        pl.Series("is_flagged", is_flagged, dtype=pl.Boolean),
        *_told_columns(units, told),
    )
    rows = rows.join(names_of_kinds(kind_ids, words.names), on="kind_id", how="left", maintain_order="left")
    free = pl.col("status").ne_missing(UNSURE)
    sure = free & (pl.col("guessed") >= named_from) & pl.col("guess").ne_missing(pl.col("not_this"))
    flagged = free & pl.col("is_flagged") & pl.col("not_this").ne_missing(NOT_A_FISH)
    of_kind = free & pl.col("kind_name").is_not_null() & pl.col("kind_name").ne_missing(pl.col("not_this"))
    sources = (
        (pl.col("said").is_not_null(), PERSON, pl.col("said"), pl.lit(1.0)),
        (flagged, CLASSIFIED, pl.lit(NOT_A_FISH), pl.lit(FLAGGED_PROBABILITY)),
        (sure, CLASSIFIED, pl.col("guess"), pl.col("guessed")),
        (of_kind, KIND, pl.col("kind_name"), pl.col("kind_probability")),
    )
    unnamed = (pl.lit(UNNAMED), pl.lit(None, pl.String), pl.col("guessed"))
    columns = {}
    for place, name in enumerate(("name_source", "name", "probability")):
        chosen = unnamed[place]
        for holds, *values in reversed(sources):
            value = pl.lit(values[0]) if place == 0 else values[place]
            chosen = pl.when(holds).then(value).otherwise(chosen)
        columns[name] = chosen
    rows = rows.with_columns(**columns).with_columns(labels_version=pl.lit(words.version), backbone=pl.lit(backbone))
    rows = rows.join(scientific_names(words), on="name", how="left", maintain_order="left")
    return typed(rows, CLASSES)


def scientific_names(words: Words) -> pl.DataFrame:
    """`name` and `scientific_name`: the one that is most often given with it."""
    given = words.table.with_columns(words.names.alias("name")).drop_nulls(["name", "scientific_name"])
    counts = given.group_by("name", "scientific_name").len().sort("len", "scientific_name", descending=[True, False])
    return counts.unique("name", keep="first", maintain_order=True).select("name", "scientific_name")


def _told_columns(units: Units, told: Told | None) -> list[pl.Series]:
    if told is None:
        kinds = {"guess": pl.String, "guessed": pl.Float64, "nearest_labelled": pl.String}
        kinds |= {"nearest_similarity": pl.Float64}
        return [pl.Series(name, [None] * len(units), dtype=dtype) for name, dtype in kinds.items()]
    found, ids = told.found, units.table["unit_id"]
    alone = found.nearest_similarity <= -1.0  # the only labelled unit has no other
    return [
        pl.Series("guess", found.names, dtype=pl.String),
        pl.Series("guessed", told.probability, dtype=pl.Float64).fill_nan(None),
        ids[found.nearest].alias("nearest_labelled").set(pl.Series(alone), None),
        pl.Series("nearest_similarity", found.nearest_similarity).set(pl.Series(alone), None),
    ]
