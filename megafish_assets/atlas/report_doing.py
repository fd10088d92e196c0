"""What the animals do, as far as boxes tell it: how each kind swims and in what company, and where to look."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import pi, sqrt
from urllib.parse import quote

import polars as pl

from megafish_assets.sightings.behavior import STAY_NOTES
from megafish_assets.sightings.moments import BURST, DENSE_GROUP, FIRST_OF_KIND, place_and_second
from megafish_assets.sightings.schools import OF_ANY

MOST_ROWS = 40
"""Kinds whose behavior is told: as many as a page can be read of; more are in the table."""

MOST_GROUPS = 12
"""Kinds whose largest group is told."""

MOST_MOMENTS = 9
"""Where to look: three of each reason, as they take turns."""

FEWEST_TOLD = 10
"""Stretches, or animals in view, of which a share or a median is shown: ten thirds of a second are one fish that swims
past, and a share of fewer is anything."""


@dataclass(frozen=True)
class Reason:
    """Why a moment is worth a look, in words."""

    title: str
    says: str
    """What it says, and what it does not."""


REASONS = {
    DENSE_GROUP: Reason(
        "Densest groups",
        "The largest group of its video, each within four body lengths of the next. That they keep together it does "
        "not say: fish at other depths only seem close.",
    ),
    FIRST_OF_KIND: Reason(
        "First seen, the rarest first",
        "The first sighting of a kind of which there are few. Rare may also mean wrongly named, or a group of broken "
        "pieces: look before you believe it.",
    ),
    BURST: Reason(
        "Sudden bursts",
        "Far faster than it swims else, for a third of a second. It may be a bite, a flight or a box that leaps: it is "
        "none of them until a person says so.",
    ),
}
"""Of `moments`, in the order in which they stand."""


@dataclass(frozen=True)
class Behavior:
    """How a kind swims, as `behavior` tells it; a share or a speed is None where too little is known of it."""

    kind: str | None
    """None for all kinds together."""
    n_moving: int
    left_share: float | None
    right_share: float | None
    right_share_low: float | None
    right_share_high: float | None
    n_speeds: int
    speed_median: float | None
    """Body lengths a second over the scene."""
    speed_p90: float | None
    n_moments: int
    grouped_share: float | None
    group_size_largest: int | None
    stay_median_seconds: float | None
    stay_median_low: float | None
    stay_median_high: float | None
    stay_quarter_seconds: float | None
    stay_note: str
    """Why no median is told; empty where one is."""


@dataclass(frozen=True)
class Group:
    """The largest group of a kind, at one moment."""

    kind: str
    n_members: int
    n_moving: int
    polarization: float | None
    neighbor_body_lengths: float | None
    speed_body_lengths: float | None
    video: str
    seconds: float

    @property
    def polarization_at_random(self) -> float:
        """What as many headings have on average that have nothing to do with each other."""
        return polarization_at_random(self.n_moving)


@dataclass(frozen=True)
class Moment:
    """Something that is worth a look."""

    reason: str
    number: float
    kind: str | None
    """None for several."""
    video: str
    seconds: float
    address: str | None
    """Of the recording, as the page reaches it, a second before; None where it doesn't."""
    film: str | None
    """Of the same with tracklets drawn, likewise."""


@dataclass(frozen=True)
class Doing:
    """What they do; None is a table that was not made."""

    behavior: tuple[Behavior, ...] | None
    """The commonest first, all kinds together last."""
    n_kinds_left_out: int
    groups: tuple[Group, ...] | None
    """One a kind, the largest first."""
    n_groups_left_out: int
    moments: tuple[Moment, ...] | None
    """As they are ranked."""


def doing_of(
    behavior: pl.DataFrame | None,
    schools: pl.LazyFrame | None,
    moments: pl.DataFrame | None,
    kinds: Iterable[str],
    recording: Callable[[str], str | None],
    film: Callable[[str], str | None],
) -> Doing:
    """From tables with the columns `BEHAVIOR`, `SCHOOLS` and `MOMENTS`.

    `kinds` are those that were seen, the commonest first. `recording` and `film` turn the file of a moment's columns
    `open` and `film` into an address.
    """
    told = None if behavior is None else _behaviors(behavior, list(kinds))
    groups = None if schools is None else _largest_groups(schools)
    return Doing(
        behavior=None if told is None else (*_kinds(told)[:MOST_ROWS], *(one for one in told if one.kind is None)),
        n_kinds_left_out=0 if told is None else max(0, len(_kinds(told)) - MOST_ROWS),
        groups=None if groups is None else tuple(groups[:MOST_GROUPS]),
        n_groups_left_out=0 if groups is None else max(0, len(groups) - MOST_GROUPS),
        moments=None if moments is None else tuple(_moments(moments, recording, film)),
    )


def polarization_at_random(n: int) -> float:
    """Mean polarization of n headings at random, n at least 3, within 0.003.

    Source: Rayleigh's random walk, whose mean length is near sqrt(pi n) / 2; the next term of its series is 1 / 16 n.
    """
    return sqrt(pi / (4 * n)) * (1 + 1 / (16 * n))


def _kinds(told: list[Behavior]) -> list[Behavior]:
    return [one for one in told if one.kind is not None]


def _behaviors(table: pl.DataFrame, kinds: list[str]) -> list[Behavior]:
    """In the order of `kinds`; what is not among them follows, and all together is last."""
    rank = {kind: place for place, kind in enumerate(kinds)}
    rows = [_behavior(row) for row in table.sort("kind").iter_rows(named=True)]
    return sorted(rows, key=lambda one: (one.kind is None, rank.get(one.kind, len(rank))))


def _behavior(row: dict) -> Behavior:
    given = {name: row.get(name) for name in Behavior.__dataclass_fields__ if name != "stay_note"}
    for n, names in (
        ("n_moving", ("left_share", "right_share", "right_share_low", "right_share_high")),
        ("n_speeds", ("speed_median", "speed_p90")),
        ("n_moments", ("grouped_share",)),
    ):
        if row[n] < FEWEST_TOLD:
            given |= dict.fromkeys(names)
    return Behavior(**given, stay_note=_stay_note(row["note"]))


def _stay_note(note: str | None) -> str:
    """The parts of a row's note that speak of stays: those on the right share say the same of every kind."""
    return "; ".join(part for part in (note or "").split("; ") if part.startswith(STAY_NOTES))


def _largest_groups(schools: pl.LazyFrame) -> list[Group]:
    """Of each kind the largest group; of several as large one whose polarization is known, then the first."""
    names = list(Group.__dataclass_fields__)
    order = [-pl.col("n_members"), pl.col("polarization").is_null(), pl.col("video"), pl.col("seconds")]
    of_kinds = schools.filter(pl.col("of") != OF_ANY).select(names).sort(order)
    largest = of_kinds.unique("kind", keep="first", maintain_order=True).collect()
    return [Group(**row) for row in largest.iter_rows(named=True)]


def _moments(
    table: pl.DataFrame, recording: Callable[[str], str | None], film: Callable[[str], str | None]
) -> Iterable[Moment]:
    for row in table.sort("rank").head(MOST_MOMENTS).iter_rows(named=True):
        told = {name: row[name] for name in ("reason", "number", "kind", "video", "seconds")}
        yield Moment(**told, address=_at(row["open"], recording), film=_at(row["film"], film))


def _at(place: str | None, address: Callable[[str], str | None]) -> str | None:
    """The address of a place of `moments`, with its second."""
    if place is None:
        return None
    file, second = place_and_second(place)
    found = address(file) if file else None
    return None if found is None else f"{found}#t={quote(second)}"
