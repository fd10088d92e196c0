"""The most similar animals of every crop: its nearest other tracklets, each by its nearest crop, exactly."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from megafish_assets.features.columns import NEIGHBORS
from megafish_assets.features.tables import keyed
from megafish_assets.footage.columns import empty_table

N_SIMILAR = 50
"""Tracklets kept of each crop: a page of tiles, and 100,000 crops fit in 20 MB of a folder."""

CROPS_AT_A_TIME = 512
"""Crops whose similarities to all tracklets are held at once: 0.1 GB each, for 50,000 tracklets; more are no faster."""


@dataclass(frozen=True)
class Similar:
    """The nearest other tracklets of some crops, row for row."""

    rows: np.ndarray
    """int64 `(n,)`, whose neighbors they are: places among all crops."""
    places: np.ndarray
    """int64 `(n, k)`, the nearest crop of each neighbor's tracklet, nearest first; places among all crops."""
    distances: np.ndarray
    """float32 `(n, k)`, cosine distances, 0 to 2."""


def similar_elsewhere(
    features: np.ndarray, units: np.ndarray, n: int, on_rows: Callable[[int], None] = lambda n: None
) -> Iterator[Similar]:
    """Of each of the `(n_crops, d)` crops the n nearest crops out of other tracklets, one a tracklet, block by block.

    `units` `(n_crops,)` counts the tracklets from 0; every code must occur. With fewer than n other tracklets all of
    them are given. Exact: every pair of crops is compared, `CROPS_AT_A_TIME` with all at once. Equal distances come in
    the order of the tracklets. `on_rows` is told how many crops are done.
    """
    rows = unit_length(features)
    ranks = _by_rank(units)
    n_units, n_kept = len(ranks[0][0]), min(n, len(ranks[0][0]) - 1) if len(units) else 0
    place_of_unit = np.empty(n_units, dtype=np.int64)
    place_of_unit[ranks[0][0]] = np.arange(n_units)
    for start in range(0, len(rows), CROPS_AT_A_TIME):
        part = np.arange(start, min(start + CROPS_AT_A_TIME, len(rows)))
        best, which = _best_of_units(rows[part], rows, ranks)
        best[np.arange(len(part)), place_of_unit[units[part]]] = -np.inf
        near = _largest(best, n_kept)
        distances = np.clip(1 - np.take_along_axis(best, near, axis=1), 0, 2)
        yield Similar(part, np.take_along_axis(which, near, axis=1), distances)
        on_rows(len(part))


def unit_length(features: np.ndarray) -> np.ndarray:
    """float32 `(n, d)`, each row cut to length 1; a row of zeros stays."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return np.ascontiguousarray(features / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def _by_rank(units: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each rank within a tracklet: the tracklets that have so many crops, largest first, and these crops' places.

    units  0 0 1 2 2 2      rank 0: tracklets 2 0 1, crops 3 0 2
                            rank 1: tracklets 2 0,   crops 4 1      a prefix of the line above, so that the best of
                            rank 2: tracklets 2,     crops 5        each tracklet is kept without moving a number
    """
    sizes = np.bincount(units, minlength=1) if len(units) else np.zeros(0, dtype=np.int64)
    largest_first = np.argsort(-sizes, kind="stable")
    crops = np.argsort(units, kind="stable")
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]]) if len(sizes) else np.zeros(0, dtype=np.int64)
    ranks = []
    for rank in range(max(1, int(sizes.max(initial=0)))):
        having = largest_first[: int((sizes > rank).sum())]
        ranks.append((having, crops[first[having] + rank]))
    return ranks


def _best_of_units(part: np.ndarray, rows: np.ndarray, ranks: list) -> tuple[np.ndarray, np.ndarray]:
    """Cosines `(n, n_units)` to the nearest crop of each tracklet, largest tracklets first, and that crop's place."""
    best = part @ rows[ranks[0][1]].T
    which = np.broadcast_to(ranks[0][1].astype(np.int32), best.shape).copy()
    for _, crops in ranks[1:]:
        cosines = part @ rows[crops].T
        known = best[:, : len(crops)]
        nearer = cosines > known
        np.copyto(known, cosines, where=nearer)
        np.copyto(which[:, : len(crops)], crops.astype(np.int32), where=nearer)
    return best, which


def _largest(values: np.ndarray, n: int) -> np.ndarray:
    """Places `(rows, n)` of the n largest of each row, largest first, equal ones by place."""
    near = np.sort(np.argpartition(-values, n - 1, axis=1)[:, :n], axis=1) if n else np.zeros((len(values), 0), int)
    order = np.argsort(-np.take_along_axis(values, near, axis=1), axis=1, kind="stable")
    return np.take_along_axis(near, order, axis=1)


def neighbor_tables(detection_ids: np.ndarray, found: Iterator[Similar]) -> Iterator[pl.DataFrame]:
    """The columns `NEIGHBORS`, a frame a block; one without rows for no crops."""
    ids = pl.Series(detection_ids, dtype=pl.String)
    yield empty_table(NEIGHBORS)
    for part in found:
        n, k = part.places.shape
        shape = pl.Array(pl.String, k) if k else None
        named = ids.gather(part.places.ravel())
        lists = named.reshape((n, k)).cast(shape).arr.to_list() if k else pl.Series([[]] * n, dtype=pl.List(pl.String))
        rows = {"detection_id": ids.gather(part.rows), "neighbor_ids": lists, "distances": list(part.distances)}
        yield keyed(pl.DataFrame(rows, strict=False), NEIGHBORS)


def neighbor_numbers(table: pl.DataFrame, detection_ids: np.ndarray, units: np.ndarray) -> dict[str, int]:
    """What is wrong with a table of the columns `NEIGHBORS`, given the tracklet's code `(n,)` of each of the ids."""
    codes = pl.DataFrame({"detection_id": pl.Series(detection_ids, dtype=pl.String), "unit": units})
    lists = table.join(codes, on="detection_id", how="left")
    pairs = lists.select("detection_id", "unit", "neighbor_ids").explode("neighbor_ids").drop_nulls("neighbor_ids")
    pairs = pairs.join(codes.rename({"detection_id": "neighbor_ids", "unit": "other"}), on="neighbor_ids", how="left")
    others = pairs.select("detection_id", "other")
    return {
        "n_neighbors": int(table["neighbor_ids"].list.len().max() or 0),
        "n_of_own_tracklet": pairs.filter(pl.col("other").eq_missing(pl.col("unit"))).height,
        "n_of_one_tracklet": others.height - others.unique().height,
        "n_out_of_order": table.filter(pl.col("distances").list.diff().list.min() < 0).height,
        "n_without_list": len(detection_ids) - table["detection_id"].n_unique(),
    }
