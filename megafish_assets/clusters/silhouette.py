"""Exact silhouettes of many labellings of the same rows: every distance is computed once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

BLOCK_DISTANCES, CARD_BLOCK_DISTANCES = 4_000_000, 100_000_000
"""Distances held at a time, 48 MB with their copy in single precision. On a CPU larger blocks are slower for 10,000
rows; for 98,454 six times as large ones save an eighth of the time and cost half a gigabyte. A card starts hundreds of
small products a block, so that it is given few."""


def silhouettes(
    vectors: np.ndarray,
    labellings: Sequence[np.ndarray],
    device: str = "cpu",
    on_rows: Callable[[int], None] = lambda n: None,
) -> list[float]:
    """The mean silhouette of `(n, d)` vectors under each labelling, int `(n,)` from 0; nan for one with fewer than two
    clusters or as many as rows, and for all where a vector is not finite.

    Distances are taken in double precision, since close rows would drown in single, and summed by cluster in single:
    within 1e-5 of scikit-learn's. Memory is `n` times the clusters of all labellings, four bytes each, the rows in
    double precision, and a block.
    `on_rows` is told how many rows are done. Source: Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7.
    """
    import torch

    n, device = len(vectors), device if device.startswith("cuda") else "cpu"  # mps has no double precision
    judged = [place for place, labels in enumerate(labellings) if 1 < len(np.unique(labels)) < n]
    means = [float("nan")] * len(labellings)
    if not judged or not np.isfinite(vectors).all():
        return means
    widths = [int(labellings[place].max()) + 1 for place in judged]
    joined = torch.zeros(n, sum(widths), device=device)
    members = torch.split(joined, widths, dim=1)  # views: they are held once
    for cluster_rows, place in zip(members, judged, strict=True):
        labels = torch.from_numpy(np.asarray(labellings[place], dtype=np.int64)).to(device)
        cluster_rows.scatter_(1, labels[:, None], 1.0)  # 1 where a row is of a cluster
    sizes = torch.split(joined.sum(dim=0), widths)
    rows = torch.from_numpy(np.array(vectors, dtype=np.float64)).to(device)
    rows -= rows.mean(dim=0)
    squares, totals = (rows * rows).sum(dim=1), torch.zeros(len(judged), dtype=torch.float64)
    step = max(1, (CARD_BLOCK_DISTANCES if device.startswith("cuda") else BLOCK_DISTANCES) // n)
    for start in range(0, n, step):
        block = slice(start, min(start + step, n))
        squared = torch.addmm(squares + squares[block, None], rows[block], rows.T, alpha=-2)
        distances = squared.clamp_(min=0).sqrt_().float()
        distances[torch.arange(len(distances)), torch.arange(block.start, block.stop)] = 0
        sums = torch.split(distances @ joined, widths, dim=1)
        scores = [
            _silhouettes(s, counts, cluster_rows[block])
            for s, counts, cluster_rows in zip(sums, sizes, members, strict=True)
        ]
        totals += torch.stack([score.sum() for score in scores]).cpu()
        on_rows(len(distances))
    for place, total in zip(judged, totals.tolist(), strict=True):
        means[place] = total / n
    return means


def _silhouettes(sums: torch.Tensor, counts: torch.Tensor, row_clusters: torch.Tensor) -> torch.Tensor:
    """float64 `(b,)` from the distances of b rows to all, summed by cluster `(b, k)`, the rows of each cluster `(k,)`,
    and each row's own cluster, `(b, k)`."""
    import torch

    size = row_clusters @ counts
    within = (sums * row_clusters).sum(dim=1) / (size - 1).clamp(min=1)
    # An empty cluster is nobody's neighbor, and neither is the own.
    others = torch.where((row_clusters > 0) | (counts == 0), torch.inf, sums / counts.clamp(min=1))
    nearest = others.min(dim=1).values
    values = (nearest - within).double() / torch.maximum(within, nearest).double()
    return torch.where(size == 1, 0.0, values).nan_to_num(0.0)


SILHOUETTE_ROWS = 10_000
"""A silhouette costs the square of its rows, so larger sets are judged by a seeded sample."""


def sampled_silhouette(positions: np.ndarray, labels: np.ndarray, seed: int) -> float:
    """Mean silhouette of the labels on a seeded sample of rows; nan where fewer than two clusters are left.

    Noise is left out. Source of reporting it in UMAP space too: Lowe et al. 2024, arXiv:2406.02465.
    """
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(labels >= 0))[:SILHOUETTE_ROWS]
    return silhouettes(positions[rows], [np.unique(labels[rows], return_inverse=True)[1]])[0]
