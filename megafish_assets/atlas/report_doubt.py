"""How sure it all is, and which kinds are new: stability, leaks, names, recall, richness, and the events of kinds."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import polars as pl
from matplotlib.colors import to_hex

from megafish_assets.atlas.report_content import (
    Doubt,
    Leak,
    Newcomer,
    Newcomers,
    Recall,
    Richness,
    Stable,
)
from megafish_assets.features.fits import latest_fit
from megafish_assets.features.plots import NOISE_COLOUR, kind_colour
from megafish_assets.footage.columns import empty_table
from megafish_assets.labels.columns import WORDS
from megafish_assets.labels.current import APPROVED, NOT_FISH
from megafish_assets.labels.naming import NOT_A_FISH
from megafish_assets.sightings.naming import counted

RECENT = timedelta(hours=26)
"""A night and two hours: what has happened within is new since yesterday."""

CROPS_SHOWN = 6
"""Of a newcomer."""

LEAKS = {
    "border_leak": ("the water behind it", "the rim of a crop alone, where no fish is, tells its group"),
    "leak_video": ("the video", "groups keep to single videos, and may follow their light"),
    "leak_time": ("the time of recording", "groups keep to a time, and may follow its light"),
    "leak_place": ("the place in the picture", "groups keep to a part of the picture, and may follow what lies there"),
    "leak_size": ("the size", "groups are of one size, and may be distances rather than kinds"),
    "leak_pan": ("the camera's motion", "groups follow how the camera moves, and so what it sweeps over"),
}
"""Measures of `confounders`: what the groups may follow instead of the fish, and what it would mean."""

SOURCES = {
    "person": "a person named this very animal",
    "classified": "named by what it looks like, from animals that people named",
    "kind": "named as the rest of its group is",
    "unnamed": "without a name",
}
"""Of `name_source`, the surest first."""


SAYS_WHAT_IT_IS = pl.col("status").fill_null(APPROVED).is_in([APPROVED, NOT_FISH])
"""Of a label: not that it is not this, nor of a whole frame. Without a status it is approved."""


def newcomers_of(
    events: pl.DataFrame | None,
    kinds: pl.DataFrame | None,
    names: Mapping[int, str],
    sightings: pl.LazyFrame,
    now: datetime,
) -> Newcomers:
    """What the last fit brought, from tables with the columns `KIND_EVENTS`, `KINDS` and `SIGHTINGS`.

    `names` are those of kinds, by their number; `now` is in UTC. None is a table that was not made.
    """
    if kinds is None or events is None or kinds.is_empty():
        return Newcomers(True, None, False, (), 0, 0, 0, 0)
    fit = latest_fit(kinds)["fit_version"].first()
    of_fit = events.filter(pl.col("fit_version") == fit)
    of_fit = of_fit.filter(pl.col("fitted_at") == pl.col("fitted_at").max())
    counts = dict(of_fit["event"].value_counts().iter_rows())
    fitted_at = latest_fit(kinds)["fitted_at"].max()
    is_first = kinds["fit_version"].n_unique() == 1 and set(counts) <= {"born"}
    is_recent = fitted_at is not None and now - fitted_at <= RECENT
    born = () if is_first or not is_recent else tuple(_born(of_fit, names, sightings))
    others = (counts.get(event, 0) for event in ("continued", "split", "merged", "gone"))
    return Newcomers(is_first, fitted_at, is_recent, born, *others)


def _born(events: pl.DataFrame, names: Mapping[int, str], sightings: pl.LazyFrame) -> list[Newcomer]:
    rows = events.filter(pl.col("event") == "born").sort(-pl.col("n_after"), "kind_id")
    of_kinds = pl.col("kind_id").is_in(rows["kind_id"].to_list()) & pl.col("best_crop").is_not_null()
    crops = sightings.filter(of_kinds).sort("n_frames_seen", descending=True)
    best = dict(crops.group_by("kind_id").agg(pl.col("best_crop").head(CROPS_SHOWN)).collect().iter_rows())
    return [
        Newcomer(
            kind_id,
            names.get(kind_id, f"kind {kind_id}"),
            to_hex(kind_colour(kind_id)),
            n,
            tuple(best.get(kind_id, ())),
        )
        for kind_id, n in rows.select("kind_id", "n_after").iter_rows()
    ]


def doubt_of(
    stability: pl.DataFrame | None,
    told: Mapping[str, float | str],
    kinds: pl.DataFrame | None,
    names: Mapping[int, str],
    confounders: pl.DataFrame | None,
    limits: Mapping[str, float],
    sightings: pl.LazyFrame,
    labels: pl.DataFrame | None,
    recall: Recall | None,
    richness: pl.DataFrame | None,
) -> Doubt:
    """How sure it is, of the tables that are there.

    `labels` is what stands of what people said, as in `words`, or all of it while nobody has told what stands. `told`
    are the numbers of stability's last run of these clusters; `limits` what each leak may be at most.
    """
    sources = counted(sightings).group_by("name_source").len("n").collect()
    by_source = dict(sources.iter_rows())
    said = empty_table(WORDS) if labels is None else labels.filter(SAYS_WHAT_IT_IS)
    stable = [] if stability is None or kinds is None else _stable(stability, kinds, names)
    return Doubt(
        n_sure=None if "n_sure" not in told else int(told["n_sure"]),
        n_kinds_low=told.get("n_kinds_low"),
        n_kinds_high=told.get("n_kinds_high"),
        sentence=told.get("kinds"),
        stable=tuple(row for row, is_fish in stable if is_fish),
        n_no_fish=sum(not is_fish for _, is_fish in stable),
        leaks=() if confounders is None else tuple(_leaks(confounders, limits)),
        name_shares=tuple((words, by_source[source]) for source, words in SOURCES.items() if source in by_source),
        n_people=said["labelled_by"].str.to_lowercase().n_unique(),
        n_labels=said.height,
        recall=recall,
        richness=() if richness is None else tuple(_richness(richness)),
    )


def _stable(stability: pl.DataFrame, kinds: pl.DataFrame, names: Mapping[int, str]) -> list[tuple[Stable, bool]]:
    """The surest first, each with whether it may be a fish."""
    numbers = latest_fit(kinds).drop_nulls("kind_id").select("cluster", "kind_id").unique()
    rows = stability.join(numbers, on="cluster", how="left").sort(
        "jaccard", "cluster", descending=True, nulls_last=True
    )
    return [
        (
            Stable(
                kind=_called(row["kind_id"], row["cluster"], names),
                colour=NOISE_COLOUR if row["kind_id"] is None else to_hex(kind_colour(row["kind_id"])),
                jaccard=row["jaccard"],
                n_tracklets=row["n_tracklets"],
                n_videos=row["n_videos"],
                is_sure=bool(row["stable"]),
            ),
            names.get(row["kind_id"]) != NOT_A_FISH,
        )
        for row in rows.iter_rows(named=True)
    ]


def _called(kind_id: int | None, cluster: int, names: Mapping[int, str]) -> str:
    if kind_id is None:
        return f"cluster {cluster}"
    return f"kind {kind_id}, {names[kind_id]}" if kind_id in names else f"kind {kind_id}"


def _leaks(confounders: pl.DataFrame, limits: Mapping[str, float]) -> list[Leak]:
    values = dict(confounders.select("measure", "value").iter_rows())
    return [
        Leak(what, meaning, values[measure], limits[measure])
        for measure, (what, meaning) in LEAKS.items()
        if measure in values
    ]


def recall_of(told: Mapping[str, float | int | str]) -> Recall | None:
    """From what the last `animals_gap` told; None where there was none."""
    if not told:
        return None
    return Recall(
        share=told.get("recall"),
        low=told.get("recall_low"),
        high=told.get("recall_high"),
        n_frames=told.get("n_frames_looked_at", 0),
        n_frames_drawn=told.get("n_frames", 0),
        n_animals=told.get("n_found", 0) + told.get("n_missed", 0),
        note=told.get("recall_note", ""),
    )


def _richness(table: pl.DataFrame) -> list[Richness]:
    names = list(Richness.__dataclass_fields__)
    return [Richness(**row) for row in table.select(names).sort("station", "of").iter_rows(named=True)]
