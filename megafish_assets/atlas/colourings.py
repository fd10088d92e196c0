"""What the points of the explorer can be coloured by, each with its legend."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from matplotlib import colormaps
from matplotlib.colors import to_hex

from megafish_assets.features.plots import N_COLOURS, NOISE_COLOUR, REST_COLOUR, cluster_colour, kind_colour

UNKNOWN_HEX = "#6b7480"
FISH_HEX = "#4c9fd8"
REASONS = {
    "on_lens": ("on the lens", "#ff6b5e"),
    "fixed": ("fixed in the scene", "#ffb347"),
    "wiper": ("wiper", "#e9e36b"),
}
"""Of the column `reason` of `not_fish`: what a person reads, and a colour that a fish's is never near."""


@dataclass(frozen=True)
class Colouring:
    """One way to colour the points."""

    name: str
    """What the page calls it."""
    labels: list[str]
    """Of its legend, in order."""
    colours: list[str]
    """`#rrggbb`, one a label."""
    codes: np.ndarray
    """int64 `(n,)`, the label of each point."""

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.colours) or (len(self.codes) and self.codes.max() >= len(self.labels)):
            raise ValueError(f"colouring {self.name}: {len(self.labels)} labels, {len(self.colours)} colours")


def colourings(points: pl.DataFrame, duplicate_of: np.ndarray) -> list[Colouring]:
    """Every way that these points, with the columns `POINT`, can be coloured by; what is known of none is left out."""
    found = [by_kind(points) if points["kind_id"].count() else by_cluster(points)]
    if points["name"].count():
        found.append(by_name(points))
    found += [by_video(points), by_hour(points)]
    if points["not_fish"].count():
        found.append(by_reason(points))
    return [*found, by_duplicate(duplicate_of)]


def by_cluster(points: pl.DataFrame) -> Colouring:
    """Clusters from the largest, noise last."""
    values = points["cluster"].unique().sort().to_list()
    order = [value for value in values if value >= 0] + [value for value in values if value < 0]
    names = ["noise" if value < 0 else f"cluster {value}" for value in order]
    return Colouring(
        "Cluster", names, [to_hex(cluster_colour(value)) for value in order], _codes(points["cluster"], order)
    )


def by_kind(points: pl.DataFrame) -> Colouring:
    """Kinds by their number, noise last: a kind keeps its colour from night to night."""
    order = [*points["kind_id"].drop_nulls().unique().sort().to_list(), None]
    names = [f"kind {value}" for value in order[:-1]] + ["noise"]
    colours = [to_hex(kind_colour(value)) for value in order[:-1]] + [NOISE_COLOUR]
    return Colouring("Kind", names, colours, _codes(points["kind_id"], order))


def by_name(points: pl.DataFrame) -> Colouring:
    """Names from the commonest, which have colours of their own; the others share one; unnamed last."""
    counts = points["name"].drop_nulls().value_counts(name="n").sort(["n", "name"], descending=[True, False])
    order = [*counts["name"].to_list(), None]
    colours = [to_hex(cluster_colour(rank)) if rank < N_COLOURS else REST_COLOUR for rank in range(len(order) - 1)]
    return Colouring("Name", [*order[:-1], "unnamed"], [*colours, NOISE_COLOUR], _codes(points["name"], order))


def by_video(points: pl.DataFrame) -> Colouring:
    """Videos by their key, from violet to yellow."""
    order = points["video"].unique().sort().to_list()
    shades = colormaps["viridis"](np.linspace(0.15, 1, max(1, len(order))))
    return Colouring("Video", order, [to_hex(shade) for shade in shades[: len(order)]], _codes(points["video"], order))


def by_hour(points: pl.DataFrame) -> Colouring:
    """Hours of the day round a circle of hues, the unknown ones last."""
    hours = points["recorded_at"].dt.hour()
    order = [*hours.drop_nulls().unique().sort().to_list(), None]
    names = [f"{hour:02d}:00 to {(hour + 1) % 24:02d}:00" for hour in order[:-1]] + ["time unknown"]
    colours = [to_hex(colormaps["hsv"](hour / 24)) for hour in order[:-1]] + [UNKNOWN_HEX]
    return Colouring("Time of day", names, colours, _codes(hours, order))


def by_reason(points: pl.DataFrame) -> Colouring:
    """What was found to be no fish, and why."""
    order = [None, *points["not_fish"].drop_nulls().unique().sort().to_list()]
    told = [REASONS.get(reason, (reason, UNKNOWN_HEX)) for reason in order[1:]]
    names, colours = ["taken for fish", *[name for name, _ in told]], [FISH_HEX, *[colour for _, colour in told]]
    return Colouring("Not fish", names, colours, _codes(points["not_fish"], order))


def by_duplicate(duplicate_of: np.ndarray) -> Colouring:
    """Near-duplicates, from what `duplicates_of` says."""
    names = ["seen once, or first", "near-duplicate of an earlier crop"]
    return Colouring("Near-duplicates", names, [FISH_HEX, "#ff9d3b"], (duplicate_of >= 0).astype(np.int64))


def _codes(values: pl.Series, order: Sequence) -> np.ndarray:
    places = {value: place for place, value in enumerate(order)}
    return np.array([places[value] for value in values.to_list()], dtype=np.int64)
