"""What many partitions of the tracklets agree on.

A single partition is a throw of the dice: one graph, one resolution, one seed. Tracklets that nearly all partitions put
together belong together, and how often is a distance that a tree can be cut at, without anyone naming k.
Source: Strehl and Ghosh 2002, JMLR 3.
"""

from collections.abc import Callable

import numpy as np
from scipy.sparse import coo_array, csr_array

from megafish_assets.clusters.partitions import SEEDS, partitions
from megafish_assets.features.pooling import tracklet_means

TOGETHER = 0.55
"""Share of partitions in which two groups must lie together, on average, to be one; 0.45 to 0.6 are as good."""

AS_DENSE, AS_DENSE_NEIGHBORS = 0.2, 6.0
"""Two groups are one where what lies between them is so dense, for what lies within the sparser one: modularity cuts
even a cloud of one kind into pieces of about ten. Three clouds fall into three at 0.16 to 0.25; lower, few fish are
joined. The graphs of many tracklets reach further and are sparser within: there, so many neighbors over the widest
reach are enough. With 4.5, by some views of the real fish, kinds of them are joined; with more, the reef has clusters
too many."""

MOST_TRACKLETS = 50_000
"""Grouped together: in three minutes on two cores if each has two crops, whose neighbors are sought among all. Of more
a seeded draw is, whichever videos they are of, and the rest follow their nearest."""

MOST_ATOMS = 8_000
"""Whose distances are held, in half a gigabyte."""

NEAREST = 5
"""Drawn tracklets that tell where another belongs, by majority."""

FEWEST_TRACKLETS = 3
"""In a cluster; smaller ones are noise: one animal or two, seen once."""


def consensus_labels(
    features: np.ndarray,
    units: np.ndarray,
    seed: int,
    k: int | None = None,
    n_seeds: int = SEEDS,
    on_graph: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """int64 `(n_units,)`: the cluster of each unit, from 0; -1 for noise, where no k is given.

    `features` `(n, m)` of crops are compared by cosine, `units` `(n,)` counts their tracklets from 0. Without k the
    tree of agreement is cut at `TOGETHER`, pieces of one cloud are joined, and groups of fewer than `FEWEST_TRACKLETS`
    are noise. With it, none is noise: groups are joined until k are left, or the tree is cut lower, as far as any
    partition tells tracklets apart.
    """
    n_units = int(units.max(initial=-1)) + 1
    if n_units < 2:
        return np.full(n_units, -1 if k is None else 0)
    if n_units > MOST_TRACKLETS:
        drawn = np.sort(np.random.default_rng(seed).permutation(n_units)[:MOST_TRACKLETS])
        rows = np.isin(units, drawn)
        of_drawn = consensus_labels(features[rows], np.searchsorted(drawn, units[rows]), seed, k, n_seeds, on_graph)
        return _followed(tracklet_means(features, units), drawn, of_drawn)
    found = partitions(features, units, seed, n_seeds, on_graph)
    atoms, atom_of, sizes = _atoms(found.labels)
    heights, merges = _tree(_apart(atoms), sizes.astype(np.float64))
    n_merges = int((heights <= 1 - TOGETHER).sum())
    labels = _without_small(_cut(merges, n_merges, len(sizes))[atom_of])
    labels = joined(labels, found.weights, _as_dense, least=min(AS_DENSE, AS_DENSE_NEIGHBORS / found.reach))
    if k is None:
        return labels
    while labels.max() + 1 < k and n_merges > 0:
        n_merges -= 1
        labels = _without_small(_cut(merges, n_merges, len(sizes))[atom_of])
    if labels.max() + 1 < k:
        return _cut(merges, max(0, len(sizes) - k), len(sizes))[atom_of]
    return joined(_without_noise(labels, found.weights), found.weights, _alike, n_left=k)


def _followed(means: np.ndarray, drawn: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """int64 `(n_units,)`: the labels of the drawn units, and of each other what most of its nearest drawn ones have.

    `means` `(n_units, m)` are compared by cosine.
    """
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.preprocessing import normalize

    every = np.empty(len(means), dtype=np.int64)
    every[drawn] = labels
    rest = np.setdiff1d(np.arange(len(means)), drawn)
    model = KNeighborsClassifier(min(NEAREST, len(drawn))).fit(normalize(means[drawn]), labels)
    every[rest] = model.predict(normalize(means[rest]))
    return every


def _atoms(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of labels that differ, `(n_atoms, n_partitions)`, the atom of each unit, and the units of each.

    Where they are too many, as of thousands of tracklets without structure, the partitions into fewest groups tell.
    """
    while True:
        atoms, atom_of, sizes = np.unique(labels, axis=0, return_inverse=True, return_counts=True)
        n_columns = labels.shape[1]
        if len(atoms) <= MOST_ATOMS or n_columns == 1:
            return atoms, atom_of, sizes
        coarsest = np.argsort(labels.max(axis=0), kind="stable")[: n_columns // 2]
        labels = labels[:, np.sort(coarsest)]


def _apart(atoms: np.ndarray) -> np.ndarray:
    """float64 `(n_atoms, n_atoms)`: the share of partitions that tell two atoms apart.

    An atom is what no partition tells apart: of kinds that are clear, one of them stands for five to ten tracklets.
    """
    apart = np.zeros((len(atoms), len(atoms)))
    for column in atoms.T:
        apart += column[:, None] != column
    return apart / atoms.shape[1]


def _tree(apart: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Average linkage of weighted points: ascending heights, and the two points whose groups each step joins.

    SciPy's starts from single points, and would count an atom of a hundred tracklets as one. By chains of nearest
    neighbors, in the square of the points. Source: Müllner 2011, arXiv:1109.2378, section 3.
    """
    distances, sizes = apart.copy(), sizes.copy()
    np.fill_diagonal(distances, np.inf)
    active, chain, steps = np.ones(len(sizes), bool), [], []
    while active.sum() > 1:
        chain = chain or [int(np.flatnonzero(active)[0])]
        while True:
            last = chain[-1]
            nearest = int(distances[last].argmin())
            # Back where the chain came from: the two are each other's nearest.
            if len(chain) > 1 and distances[last, chain[-2]] <= distances[last, nearest]:
                break
            chain.append(nearest)
        one, other = chain.pop(), chain.pop()
        steps.append((distances[one, other], one, other))
        merged = (sizes[one] * distances[one] + sizes[other] * distances[other]) / (sizes[one] + sizes[other])
        merged[[one, other]] = np.inf
        distances[one], distances[:, one] = merged, merged
        distances[other], distances[:, other] = np.inf, np.inf
        sizes[one] += sizes[other]
        active[other] = False
    steps.sort(key=lambda step: step[0])
    return np.array([height for height, _, _ in steps]), [(one, other) for _, one, other in steps]


def _cut(merges: list[tuple[int, int]], n_merges: int, n_points: int) -> np.ndarray:
    """int64 `(n_points,)`: the group of each point after the first joins."""
    from scipy.sparse.csgraph import connected_components

    joins = np.array(merges[:n_merges], dtype=np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(joins)), (joins[:, 0], joins[:, 1])), shape=(n_points, n_points))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _without_small(labels: np.ndarray) -> np.ndarray:
    """Clusters of fewer than `FEWEST_TRACKLETS` as noise, the others counted from 0."""
    kept = np.bincount(labels) >= FEWEST_TRACKLETS
    return np.where(kept, np.cumsum(kept) - 1, -1)[labels]


def _without_noise(labels: np.ndarray, weights: csr_array) -> np.ndarray:
    """Noise in the cluster that it has most weight to for its size; where it has none to any, in the first."""
    labels = labels.copy()
    while (labels < 0).any():
        noise = np.flatnonzero(labels < 0)
        tied = csr_array(weights[noise]) @ _members(labels)
        tied = csr_array(tied).toarray() / np.bincount(labels[labels >= 0])
        reached = tied.max(axis=1) > 0
        if not reached.any():
            labels[noise] = 0
        labels[noise[reached]] = tied[reached].argmax(axis=1)
    return labels


def _members(labels: np.ndarray) -> csr_array:
    """float64 `(n_units, n_clusters)`: 1 where a unit is in a cluster; noise is in none."""
    units = np.flatnonzero(labels >= 0)
    shape = (len(labels), int(labels.max(initial=-1)) + 1)
    return csr_array((np.ones(len(units)), (units, labels[units])), shape=shape)


def near(between: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Mean weight between two units, one of either cluster, `(n, n)`."""
    return between / np.outer(sizes, sizes)


def _as_dense(between: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """That, for the mean weight between two units of the cluster where it is less, `(n, n)`."""
    within = np.diag(between) / (sizes * (sizes - 1))
    sparser = np.minimum(within[:, None], within)
    return np.divide(near(between, sizes), sparser, out=np.zeros_like(between), where=sparser > 0)


def _alike(between: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The geometric mean of both: the first alone cuts wide kinds and the second lets one swallow the rest."""
    return np.sqrt(near(between, sizes) * _as_dense(between, sizes))


def joined(
    labels: np.ndarray,
    weights: csr_array,
    likeness: Callable[[np.ndarray, np.ndarray], np.ndarray],
    n_left: int = 1,
    least: float = -np.inf,
) -> np.ndarray:
    """The two most alike clusters joined, again and again, until `n_left` are left or none are `least` alike.

    The tree of agreement cut higher would put one crowd beside a few stragglers; this looks at what lies between.
    """
    member = _members(labels)
    between, sizes = csr_array(member.T @ weights @ member).toarray(), np.asarray(member.sum(axis=0))
    group = np.arange(len(sizes))
    while len(sizes) > n_left:
        alike = likeness(between, sizes)
        np.fill_diagonal(alike, -np.inf)
        one, other = sorted(np.unravel_index(int(alike.argmax()), alike.shape))
        if alike[one, other] < least:
            break
        between[one] += between[other]
        between[:, one] += between[:, other]
        between = np.delete(np.delete(between, other, axis=0), other, axis=1)
        sizes[one] += sizes[other]
        sizes = np.delete(sizes, other)
        group = np.where(group == other, one, group - (group > other))
    return np.where(labels < 0, -1, np.append(group, -1)[labels])
