"""Many partitions of the tracklets: Leiden over graphs of several reaches, at several resolutions, by several seeds.

Sources: Traag, Waltman and van Eck 2019, doi:10.1038/s41598-019-41695-z (Leiden, as `graspologic-native` has it);
McInnes et al. 2018, arXiv:1802.03426 (the graph).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array

from megafish_assets.features.layout import neighbors_elsewhere

REACHES = (1 / 3, 1 / 2, 0.7, 1.0, 1.4)
"""Neighbors of a crop in each graph, in roots of the number of tracklets: a kind of few tracklets shows in a narrow
graph, one of many in a wide one."""

NARROWEST, WIDEST = 5, 60
"""Neighbors at least and at most."""

RESOLUTIONS = (1.0, 1.5, 2.0, 3.0, 4.0)
"""Of modularity: higher ones see smaller groups."""

SEEDS = 3
ITERATIONS = 2
"""Of Leiden: each begins with what the one before has found."""


@dataclass(frozen=True)
class Partitions:
    """The tracklets as many partitions see them."""

    labels: np.ndarray
    """int64 `(n_tracklets, n_partitions)`."""
    weights: csr_array
    """float64 `(n_tracklets, n_tracklets)`, symmetric: how near two lie, 0 to 1, on average over the graphs."""
    reach: int
    """Neighbors of a crop in the widest graph."""


def partitions(
    features: np.ndarray, units: np.ndarray, seed: int, n_seeds: int, on_graph: Callable[[], None] = lambda: None
) -> Partitions:
    """A partition for each graph, resolution and seed; `on_graph` is told of each graph that is done."""
    sizes = np.bincount(units)
    most = len(units) - int(sizes.max())  # crops that each crop can be compared with
    reaches = {int(np.clip(round(len(sizes) ** 0.5 * reach), NARROWEST, WIDEST)) for reach in REACHES}
    reaches = sorted({max(1, min(reach, most)) for reach in reaches})
    near = neighbors_elsewhere(features, units, reaches[-1] + 1)
    columns, total = [], csr_array((len(sizes), len(sizes)))
    for reach in reaches:
        graph = tracklet_graph(near[0][:, : reach + 1], near[1][:, : reach + 1], units)
        edges = _edges(graph)
        columns += [
            _leiden(edges, len(sizes), resolution, seed + offset)
            for resolution in RESOLUTIONS
            for offset in range(n_seeds)
        ]
        total = total + graph
        on_graph()
    return Partitions(np.stack(columns, axis=1), csr_array(total / len(reaches)), reaches[-1])


def tracklet_graph(places: np.ndarray, distances: np.ndarray, units: np.ndarray) -> csr_array:
    """float64 `(n_units, n_units)`, symmetric, 0 to 1: UMAP's fuzzy graph of crops, pooled to their tracklets.

    `places` and `distances` `(n, reach + 1)` are what `neighbors_elsewhere` gives, the crop itself first.
    """
    from umap.umap_ import fuzzy_simplicial_set

    directed = fuzzy_simplicial_set(
        places,  # looked at for its number of rows alone, since the neighbors are given
        places.shape[1],
        random_state=None,
        metric="cosine",
        knn_indices=places,
        knn_dists=distances,
        apply_set_operations=False,
    )[0]
    n_units = int(units.max()) + 1
    member = csr_array((np.ones(len(units)), (np.arange(len(units)), units)), shape=(len(units), n_units))
    mean = csr_array(member / np.bincount(units)[None, :]).T
    # Of a tracklet's crops the mean, over what each of them finds in another tracklet, however many crops it has there.
    pooled = csr_array(mean @ csr_array(directed) @ member).minimum(1.0)
    pooled.setdiag(0)
    return csr_array(pooled + pooled.T - pooled.multiply(pooled.T))  # UMAP's union: one side's word is enough


def _edges(graph: csr_array) -> list[tuple[str, str, float]]:
    """Each edge once, as `graspologic-native` takes them."""
    upper = coo_array(graph)
    kept = (upper.row < upper.col) & (upper.data > 0)
    rows, columns, weights = (part[kept].tolist() for part in (upper.row, upper.col, upper.data))
    names = [str(unit) for unit in range(graph.shape[0])]
    return [(names[row], names[column], weight) for row, column, weight in zip(rows, columns, weights, strict=True)]


def _leiden(edges: list[tuple[str, str, float]], n_units: int, resolution: float, seed: int) -> np.ndarray:
    """int64 `(n_units,)`; a unit without an edge is a group by itself."""
    from graspologic_native import leiden

    labels = np.full(n_units, -1, dtype=np.int64)
    if edges:
        _, found = leiden(edges, resolution=resolution, iterations=ITERATIONS, seed=seed % 2**32)
        labels[[int(name) for name in found]] = list(found.values())
    alone = labels < 0
    labels[alone] = labels.max(initial=-1) + 1 + np.arange(alone.sum())
    return labels
