"""Where each crop lies on the explorer's map: a UMAP of two coordinates that stays as it is until the data change."""

import hashlib
from collections.abc import Callable

import numpy as np
import polars as pl

from megafish_assets.features.layout import N_NEIGHBORS, umap_positions

FEWEST_LAID_OUT = 5
"""Rows that UMAP's two coordinates and two neighbors need, and one more; fewer lie by their features' first two."""

FEWEST_SHARED = 3
"""Crops in common that tell how a map has to be turned to lie as the one before."""


def map_positions(
    features: np.ndarray,
    seed: int,
    on_rows: Callable[[int], None] = lambda n: None,
    say: Callable[[str], None] = lambda line: None,
) -> np.ndarray:
    """float32 `(n, 2)` of `(n, d)` features; seeded. `on_rows` and `say` as in `umap_positions`."""
    if len(features) < FEWEST_LAID_OUT:
        on_rows(len(features))
        padded = np.zeros((len(features), 2), dtype=np.float32)
        padded[:, : min(2, features.shape[1])] = features[:, :2]
        return padded
    n_neighbors = min(N_NEIGHBORS, len(features) - 1)
    return umap_positions(features, n_neighbors, 2, seed, on_rows, say)


def layout_version(detection_ids: np.ndarray, features: np.ndarray, seed: int) -> str:
    """Twelve hexadecimal digits that change with what is laid out."""
    told = hashlib.sha256(f"{seed} {features.shape}".encode())
    told.update("\n".join(detection_ids.tolist()).encode())
    told.update(np.ascontiguousarray(features))
    return told.hexdigest()[:12]


def turned_like(positions: np.ndarray, before: np.ndarray) -> np.ndarray:
    """float64 `(n, 2)`: the positions, turned and mirrored as a whole so that they lie nearest to those of before.

    `before` `(n, 2)` holds nan for a row that is new. A UMAP has no up and no left, and with one video more it may
    come out turned; a person finds it as it was. With fewer than `FEWEST_SHARED` known rows nothing is turned.
    Source: Schönemann 1966, doi:10.1007/BF02289451.
    """
    known = np.isfinite(before).all(axis=1)
    centred = positions - positions.mean(axis=0) if len(positions) else positions
    if known.sum() < FEWEST_SHARED:
        return centred
    here, there = centred[known].astype(np.float64), before[known].astype(np.float64)
    left, _, right = np.linalg.svd((here - here.mean(axis=0)).T @ (there - there.mean(axis=0)))
    return centred @ (left @ right)


def in_unit_square(positions: np.ndarray) -> np.ndarray:
    """float32 `(n, 2)`, 0 to 1, both axes by one scale, so that distances keep their proportions."""
    if not len(positions):
        return np.zeros((0, 2), dtype=np.float32)
    low, high = positions.min(axis=0), positions.max(axis=0)
    extent = max(float((high - low).max()), np.finfo(np.float32).tiny)
    return (0.5 + (positions - (low + high) / 2) / extent).astype(np.float32).clip(0, 1)


def positions_before(detection_ids: np.ndarray, stored: pl.DataFrame | None) -> np.ndarray:
    """float32 `(n, 2)`, where these crops lay on the stored map with the columns `EXPLORER`; nan for new ones."""
    if stored is None or not {"x", "y"} <= set(stored.columns):
        return np.full((len(detection_ids), 2), np.nan, dtype=np.float32)
    ids = pl.DataFrame({"detection_id": pl.Series(detection_ids, dtype=pl.String)})
    known = ids.join(stored.select("detection_id", "x", "y"), on="detection_id", how="left", maintain_order="left")
    return known.select(pl.col("x", "y").cast(pl.Float32).fill_null(np.nan)).to_numpy()


def along_the_map(positions: np.ndarray) -> np.ndarray:
    """int64 `(n,)`, the order in which neighbors on the map follow each other, so that they share a sheet of thumbs.

    Source: Morton 1966, the bits of both coordinates in turn.
    """
    cells = (positions.astype(np.float64).clip(0, 1) * (2**16 - 1)).astype(np.uint64)
    code = np.zeros(len(cells), dtype=np.uint64)
    for bit in range(16):
        for axis in range(2):
            code |= ((cells[:, axis] >> np.uint64(bit)) & np.uint64(1)) << np.uint64(2 * bit + axis)
    return np.argsort(code, kind="stable")


def placed(
    detection_ids: np.ndarray,
    features: np.ndarray,
    seed: int,
    stored: pl.DataFrame | None,
    on_rows: Callable[[int], None] = lambda n: None,
    say: Callable[[str], None] = lambda line: None,
) -> tuple[np.ndarray, str]:
    """float32 `(n, 2)`, 0 to 1, and the `layout_version`; those of the stored map where nothing has changed since.

    `stored` holds the columns `EXPLORER` of the night before, None for none. A map that is laid out anew is turned to
    lie as the stored one.
    """
    version, before = layout_version(detection_ids, features, seed), positions_before(detection_ids, stored)
    versions = set() if stored is None else set(stored.get_column("layout_version", default=pl.Series()).to_list())
    if versions == {version} and np.isfinite(before).all():
        on_rows(len(features))
        return before, version
    return in_unit_square(turned_like(map_positions(features, seed, on_rows, say), before)), version
