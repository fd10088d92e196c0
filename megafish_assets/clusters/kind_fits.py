"""The fits that stay stored, so that whoever says a fit's version and a cluster is still understood."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import polars as pl

from megafish_assets.clusters.columns import KIND_EVENTS, KINDS
from megafish_assets.clusters.kind_events import kind_events
from megafish_assets.clusters.kinds import kind_ids_of
from megafish_assets.features.fits import cluster_units, fit_version
from megafish_assets.footage.columns import empty_table, typed

KEPT_FITS = 30
"""A month of nights: what a person looks at, and how long a kind may be away and still be known. Of 200,000 tracklets
they are 6 million rows: 36 MB in Delta, and 2.3 GB of memory and 4 s for a night."""


@dataclass(frozen=True)
class KindFits:
    """Every kept fit, and all that happened."""

    kinds: pl.DataFrame
    """The columns `KINDS`."""
    events: pl.DataFrame
    """The columns `KIND_EVENTS`, of all fits ever."""
    n_given: int = 0
    """Numbers of kinds that an earlier run has stored, whatever is left of its fits: none is given again."""

    @classmethod
    def stored(cls, kinds: pl.DataFrame | None, events: pl.DataFrame | None) -> "KindFits":
        """What the last run left, None for nothing; events of a fit that a killed run did not store are left out."""
        events = empty_table(KIND_EVENTS) if events is None else events.select(list(KIND_EVENTS))
        # Where there are no kinds at all a first run was killed, and nobody has seen its numbers.
        n_given = 0 if kinds is None else events["kind_id"].max() or 0
        kinds = empty_table(KINDS) if kinds is None else kinds.select(list(KINDS))
        newest = pl.lit(kinds["fitted_at"].max(), KINDS["fitted_at"].dtype)
        return cls(kinds, events.filter(pl.col("fitted_at") <= newest), n_given)

    @property
    def latest(self) -> pl.DataFrame:
        """The rows of the last fit."""
        return self.kinds.filter("is_latest")

    @property
    def last_events(self) -> pl.DataFrame:
        """What the last fit has brought."""
        newest = pl.lit(self.kinds["fitted_at"].max(), KIND_EVENTS["fitted_at"].dtype)
        return self.events.filter(pl.col("fitted_at") == newest)

    @property
    def before(self) -> pl.DataFrame:
        """The rows of the fit before the last; none for a first one."""
        earlier = self.kinds.filter(~pl.col("is_latest"))
        return earlier.filter(pl.col("fitted_at") == pl.col("fitted_at").max())

    def highest(self, elsewhere: int = 0) -> int:
        """The highest number that a kind ever had, also of kinds that people named `elsewhere`; 0 for none."""
        return max(elsewhere, self.n_given, *(table["kind_id"].max() or 0 for table in (self.kinds, self.events)))

    def with_fit(
        self, clusters: pl.DataFrame, fitted_at: datetime, mentioned: Collection[str] = (), elsewhere: int = 0
    ) -> "KindFits":
        """These and the fit in a table with the columns `CLUSTERS`; the same again where it is the last already.

        `mentioned` are the versions of fits that are kept however old they are, `elsewhere` the highest number of a
        kind that people have named.
        """
        units = cluster_units(clusters)
        version = fit_version(units)
        if self.latest["fit_version"].unique().to_list() == [version]:
            return self
        kind_ids = kind_ids_of(units, version, self.kinds, self.highest(elsewhere))
        now = _fit(units, kind_ids, version, self._after(fitted_at))
        events = pl.concat([self.events, kind_events(now, self.kinds)])
        earlier = self.kinds.filter(pl.col("fit_version") != version).with_columns(is_latest=False)
        return replace(self, kinds=_kept(pl.concat([earlier, now]), mentioned), events=events)

    def _after(self, fitted_at: datetime) -> datetime:
        """The time; where a clock went back, the moment after the last fit: by it the latest is told, and kept."""
        newest = max((time for table in (self.kinds, self.events) if (time := table["fitted_at"].max())), default=None)
        return fitted_at if newest is None else max(fitted_at, newest + timedelta(microseconds=1))


def _fit(units: pl.DataFrame, kind_ids: dict[int, int], version: str, fitted_at: datetime) -> pl.DataFrame:
    kinds = pl.DataFrame({"cluster": list(kind_ids), "kind_id": list(kind_ids.values())}, schema_overrides=_INTEGERS)
    rows = units.join(kinds, on="cluster", how="left", maintain_order="left").with_columns(
        pl.lit(version).alias("fit_version"), pl.lit(fitted_at).alias("fitted_at"), pl.lit(True).alias("is_latest")
    )
    return typed(rows, KINDS)


_INTEGERS = {"cluster": pl.Int64, "kind_id": pl.Int64}


def _kept(kinds: pl.DataFrame, mentioned: Collection[str]) -> pl.DataFrame:
    newest = kinds["fitted_at"].unique().sort(descending=True).head(KEPT_FITS)
    kept = pl.col("fitted_at").is_in(newest.implode()) | pl.col("fit_version").is_in(list(mentioned))
    return kinds.filter(kept).sort("fitted_at", "unit_id")
