"""Richness of each station and of all: how many kinds were seen, how many there are at least, and how many a like
effort shows.

Only kinds that can be relied on: those that bear a name, and those that other videos would show again. A kind in a
single clip speaks for kinds that were not seen, and every cluster that chance made is one.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from megafish_assets.footage.columns import empty_table
from megafish_assets.sightings.columns import RICHNESS
from megafish_assets.sightings.incidence import REACH, Incidence

FEWEST_CLIPS = 20
"""Under which nothing is estimated: from ten clips the 95 % interval of Chao2 holds the kinds that there are in 75 %
(reef) and 79 % (many rare kinds), from twenty in 98 and 88 %. Measured: docs/read-out.md."""

NAMED, KINDS = "named", "kinds"
"""What is counted as a kind: a name that people gave, or a kind that is found again in other videos."""


@dataclass(frozen=True)
class SureKinds:
    """What `stability` says of how many kinds there are."""

    kind_ids: frozenset[int] | None = None
    """Kinds that are found again when other videos are drawn; None where it does not say."""
    n_low: float | None = None
    """Lower end of the number of kinds in the pictures; None where not known."""
    n_high: float | None = None
    """Upper end."""


def sure_kinds(stability: pl.DataFrame | None, kinds: pl.DataFrame | None) -> frozenset[int] | None:
    """The kinds of stable clusters, of `stability_<b>` and `kinds_<b>`; None where either is missing, or they tell of
    other clusters."""
    if stability is None or kinds is None:
        return None
    latest = kinds.filter(pl.col("is_latest") & (pl.col("cluster") >= 0)).unique("cluster")
    if set(latest["cluster"]) != set(stability["cluster"]):
        return None
    return frozenset(latest.join(stability.filter("stable"), on="cluster", how="semi")["kind_id"].to_list())


def richness(clips: pl.DataFrame, sightings: pl.DataFrame, sure: SureKinds, seed: int = 0) -> pl.DataFrame:
    """The columns `RICHNESS`: for named kinds and for sure ones a row a station that is known, and one for all clips.

    `clips` holds `video` and `station` of every clip that was searched; `sightings` the `video`, `name`,
    `scientific_name` and `kind_id` of those that count. Several names of one species are one kind.
    """
    tables = [empty_table(RICHNESS)]
    for of, kinds in (
        (NAMED, _species()),
        (KINDS, pl.when(pl.col("kind_id").is_in(sorted(sure.kind_ids or ()))).then("kind_id").cast(pl.String)),
    ):
        seen = sightings.select("video", kinds.alias("kind")).drop_nulls().unique()
        stations = [None, *clips["station"].drop_nulls().unique().sort()]
        samples = [_incidence(_of_station(clips, station), seen) for station in stations]
        why_not = "stability says of no kind whether it is sure" if of == KINDS and sure.kind_ids is None else None
        tables.append(_rows(of, stations, samples, sure, why_not, seed))
    return pl.concat(tables)


def _species() -> pl.Expr:
    """The scientific name that most sightings of a name bear, else the name; null without one."""
    scientific_name = pl.col("scientific_name").drop_nulls().mode().sort().first().over("name")
    named = pl.when(pl.col("name").is_not_null()).then(pl.coalesce(scientific_name, "name"))
    return named.str.to_lowercase()


def _of_station(clips: pl.DataFrame, station: str | None) -> pl.Series:
    return clips["video"] if station is None else clips.filter(station=station)["video"]


def _incidence(videos: pl.Series, seen: pl.DataFrame) -> Incidence:
    frequencies = seen.filter(pl.col("video").is_in(videos.to_list())).group_by("kind").len()
    return Incidence(len(videos), frequencies["len"].cast(pl.Int64).sort().to_numpy())


def refusal(sample: Incidence) -> str | None:
    """Why nothing can be told from these clips; None where it can."""
    if sample.n_clips < FEWEST_CLIPS:
        return f"refused: fewer than {FEWEST_CLIPS} clips ({sample.n_clips})"
    if not sample.n_observed:
        return "refused: no kind to count"
    if sample.n_once == sample.n_observed:
        return f"refused: none of {sample.n_observed} kinds is in two clips"
    return None


def _rows(
    of: str, stations: list[str | None], samples: list[Incidence], sure: SureKinds, why_not: str | None, seed: int
) -> pl.DataFrame:
    notes = [f"refused: {why_not}" if why_not else refusal(sample) for sample in samples]
    told = [sample for sample, note in zip(samples, notes, strict=True) if note is None]
    # As in iNEXT: the highest coverage that every sample reaches within twice its clips.
    common = min((sample.coverage(REACH * sample.n_clips) for sample in told), default=None)
    rows = [
        {"station": station, "of": of, "note": note, "kinds_low": sure.n_low, "kinds_high": sure.n_high}
        | _counted(sample)
        | ({} if note else _estimated(sample, common, seed))
        for station, sample, note in zip(stations, samples, notes, strict=True)
    ]
    table = pl.DataFrame(rows, {name: column.dtype for name, column in RICHNESS.items()})
    return table.with_columns(pl.lit(len(sure.kind_ids) if sure.kind_ids is not None else None).alias("n_sure")).cast(
        {"n_sure": pl.Int64}
    )


def _counted(sample: Incidence) -> dict:
    return {
        "n_observed": sample.n_observed,
        "n_once": sample.n_once,
        "n_twice": sample.n_twice,
        "n_clips": sample.n_clips,
    }


def _estimated(sample: Incidence, common: float, seed: int) -> dict:
    low, high = sample.chao2_interval()
    n_clips = sample.clips_at(common)
    rarefied_low, rarefied_high = sample.richness_interval(common, seed)
    return {
        "chao2": sample.chao2,
        "chao2_low": low,
        "chao2_high": high,
        "sample_coverage": sample.coverage(),
        "rarefied": sample.richness(n_clips),
        "rarefied_low": rarefied_low,
        "rarefied_high": rarefied_high,
        "rarefied_coverage": common,
        "rarefied_clips": n_clips,
        "is_extrapolated": bool(np.ceil(n_clips - 1e-6) > sample.n_clips),
    }
