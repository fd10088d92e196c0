"""What happened to the kinds from one fit to the next, each with its numbers."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

import polars as pl

from megafish_assets.clusters.columns import KIND_EVENTS
from megafish_assets.clusters.consensus import FEWEST_TRACKLETS
from megafish_assets.clusters.kinds import departed_pairs, pairs
from megafish_assets.footage.columns import empty_table

MOST = 0.5
"""Share of a new cluster's known units that come from one kind, where that kind was split; and of a gone kind's units
that are in one cluster, where it was merged: half of them, more than which no second one can have.

Of a split as many as make a cluster by themselves, `FEWEST_TRACKLETS`: a new kind may have caught one of another.
"""

EVENTS = ("continued", "born", "split", "merged", "gone")
"""In the order in which a fit tells them.

continued   the cluster bears the number of a kind of the last fit, or of an older one that has come back
split       its number is new, and `MOST` of its known units, `FEWEST_TRACKLETS` at least, were of one kind
born        its number is new, and it is no part of a kind
merged      a kind of the last fit is in no cluster, and `MOST` of its units are in one that bears another number
gone        a kind of the last fit is in no cluster, and nowhere are `MOST` of its units together
"""


class Event(NamedTuple):
    """What happened to one kind; the columns `KIND_EVENTS`, without the fit's own."""

    event: str
    kind_id: int
    from_kind_id: int | None
    from_fit_version: str | None
    cluster: int | None
    n_shared: int
    n_before: int
    n_after: int
    jaccard: float


def kind_events(now: pl.DataFrame, fits: pl.DataFrame) -> pl.DataFrame:
    """The columns `KIND_EVENTS` of a fit in the columns `KINDS`, after all kept `fits` before it.

    First what became of the clusters, then of the kinds that are gone.
    """
    last = fits.filter("is_latest")
    known = pairs(last, now)
    older = set(fits["kind_id"].drop_nulls())
    rows = [*_of_clusters(now, known, departed_pairs(now, fits), older), *_of_gone(last, now, known)]
    schema = {name: column.dtype for name, column in KIND_EVENTS.items() if name in Event._fields}
    table = pl.DataFrame(rows, schema=list(Event._fields), schema_overrides=schema, orient="row")
    stamp = now.select("fit_version", "fitted_at").head(1)
    if now.is_empty():
        return empty_table(KIND_EVENTS)
    return table.join(stamp, how="cross").select(list(KIND_EVENTS)).cast(empty_table(KIND_EVENTS).schema)


def _of_clusters(
    now: pl.DataFrame, known: pl.DataFrame, departed: pl.DataFrame, older: Collection[int]
) -> Iterator[Event]:
    sizes = _sizes(now, "cluster", "kind_id")
    both = pl.concat([known, departed])
    for cluster, kind_id, n_units in sizes.sort("cluster").iter_rows():
        same = both.filter((pl.col("kind_id") == kind_id) & (pl.col("cluster") == cluster))
        of_last = known.filter(pl.col("cluster") == cluster).sort("n_shared", descending=True, maintain_order=True)
        if same.height:
            yield _event("continued", kind_id, same.row(0, named=True))
        elif kind_id in older:  # a fit that came back, of whose kind the last one had other units
            yield Event("continued", kind_id, kind_id, now["fit_version"][0], cluster, 0, 0, n_units, 0.0)
        elif of_last.height and of_last["n_shared"][0] >= max(FEWEST_TRACKLETS, MOST * of_last["n_after"][0]):
            yield _event("split", kind_id, of_last.row(0, named=True))
        else:
            yield Event("born", kind_id, None, None, cluster, 0, 0, n_units, 0.0)


def _of_gone(last: pl.DataFrame, now: pl.DataFrame, known: pl.DataFrame) -> Iterator[Event]:
    there = dict(now.drop_nulls("kind_id").select("cluster", "kind_id").unique().iter_rows())
    for kind_id, n_units in _sizes(last, "kind_id").sort("kind_id").iter_rows():
        if kind_id in there.values():
            continue
        into = known.filter(pl.col("kind_id") == kind_id).sort("n_shared", descending=True, maintain_order=True)
        if into.height and into["n_shared"][0] >= MOST * into["n_before"][0]:
            yield _event("merged", there[into["cluster"][0]], into.row(0, named=True))
        else:
            yield Event("gone", kind_id, kind_id, last["fit_version"][0], None, 0, n_units, 0, 0.0)


def _sizes(rows: pl.DataFrame, *columns: str) -> pl.DataFrame:
    return rows.drop_nulls("kind_id").group_by(columns).len()


def _event(event: str, kind_id: int, pair: dict) -> Event:
    numbers = (pair[name] for name in ("cluster", "n_shared", "n_before", "n_after", "jaccard"))
    return Event(event, kind_id, pair["kind_id"], pair["from_fit_version"], *numbers)
