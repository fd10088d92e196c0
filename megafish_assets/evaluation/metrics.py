"""How good a partition is: from the vectors alone, from tracklets, from confounders, and from names where given."""

import numpy as np

from megafish_assets.features.pooling import UNTRACKED, tracklet_codes

DBCV_ROWS = 5_000
"""It holds the distance of every pair of rows."""

SHUFFLES = 20
CONFOUNDER_BINS = 8
"""Quantiles that a number is cut into: enough to see a leak, few enough that each holds many rows."""

NEIGHBOR_ROWS = 2_000
"""Rows whose distances to all others are held at a time."""


def density_validity(vectors: np.ndarray, labels: np.ndarray, seed: int) -> float:
    """DBCV of labels `(n,)` of vectors `(n, d)`, -1 to 1, larger is better; nan for fewer than two clusters.

    On a seeded sample of `DBCV_ROWS`. A cluster of one row says nothing and counts as noise, which pulls toward 0.
    Source: Moulavi et al. 2014, doi:10.1137/1.9781611973440.96.
    """
    from scipy.spatial.distance import cdist

    rows = np.sort(np.random.default_rng(seed).permutation(len(labels))[:DBCV_ROWS])
    values, sizes = np.unique(labels[rows][labels[rows] >= 0], return_counts=True)
    members = [rows[labels[rows] == value] for value in values[sizes > 1]]
    if len(members) < 2:
        return float("nan")
    inner = [_spanning(vectors[rows_of_one]) for rows_of_one in members]
    apart = np.full((len(members), len(members)), np.inf)
    for one, (places, cores, _) in enumerate(inner):
        for other in range(one):
            other_places, other_cores, _ = inner[other]
            between = cdist(vectors[members[one][places]], vectors[members[other][other_places]])
            reach = np.maximum(between, np.maximum(cores[:, None], other_cores))
            apart[one, other] = apart[other, one] = reach.min()
    nearest, sparse = apart.min(axis=1), np.array([sparseness for _, _, sparseness in inner])
    larger = np.maximum(nearest, sparse)
    # Two clusters of equal rows in one place are neither apart nor sparse.
    validity = np.divide(nearest - sparse, larger, out=np.zeros_like(larger), where=larger > 0)
    return float((sizes[sizes > 1] * validity).sum() / len(rows))


def track_consistency(labels: np.ndarray, tracklets: np.ndarray, seed: int) -> float:
    """Share of a tracklet's crops in its commonest cluster, 0 as if shuffled to 1; nan without tracklets of two crops.

    Noise counts as one cluster. 1 by construction where whole tracklets were grouped: it judges labels of crops.
    """
    codes = tracklet_codes(tracklets)
    sizes = np.bincount(codes[codes != UNTRACKED], minlength=1)
    kept = (codes != UNTRACKED) & (sizes[codes] > 1)
    if not kept.any():
        return float("nan")
    clusters = np.unique(labels[kept], return_inverse=True)[1]
    tracks = np.unique(codes[kept], return_inverse=True)[1]
    rng = np.random.default_rng(seed)
    by_chance = np.mean([_modal_share(rng.permutation(clusters), tracks) for _ in range(SHUFFLES)])
    if by_chance == 1:
        return float("nan")
    return float((_modal_share(clusters, tracks) - by_chance) / (1 - by_chance))


def confounder_leaks(labels: np.ndarray, confounders: dict[str, np.ndarray]) -> dict[str, float]:
    """AMI of the clusters with each of what is not the fish: video, time, place, size, pan; 0 is no leak.

    Numbers `(n,)` are cut at their quantiles, `(n, 2)` numbers into a grid of them, anything else is taken as it is.
    Rows where a number is nan are left out; nan where the clusters or the rest are all alike, which says nothing.
    """
    from sklearn.metrics import adjusted_mutual_info_score

    leaks = {}
    for name, values in confounders.items():
        bins = binned(np.asarray(values))
        known = bins >= 0
        tells = len(np.unique(bins[known])) > 1 and len(np.unique(labels[known])) > 1
        leaks[name] = float(adjusted_mutual_info_score(bins[known], labels[known])) if tells else float("nan")
    return leaks


def binned(values: np.ndarray) -> np.ndarray:
    """int64 `(n,)`: the quantile bin of each number, the cell of each pair, the code of anything else; -1 for nan."""
    if values.ndim == 2:
        columns = [binned(column) for column in values.T]
        cells = np.ravel_multi_index([np.maximum(column, 0) for column in columns], (CONFOUNDER_BINS,) * len(columns))
        return np.where(np.min(columns, axis=0) < 0, -1, cells)
    if values.dtype.kind != "f":
        return np.unique(values.astype(str), return_inverse=True)[1].astype(np.int64)
    known = ~np.isnan(values)
    edges = np.quantile(values[known], np.linspace(0, 1, CONFOUNDER_BINS + 1)[1:-1]) if known.any() else np.empty(0)
    return np.where(known, np.searchsorted(edges, values, side="right"), -1)


LABEL_SCORES = ("ami", "ari", "v_measure", "homogeneity", "completeness", "macro_f1")


def label_scores(labels: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """The `LABEL_SCORES` of clusters against what people say; nan for fewer than two names.

    Noise counts as one cluster. For F1 each cluster bears the commonest true label among its rows, and noise none.
    """
    from sklearn import metrics

    if len(np.unique(truth)) < 2:
        return dict.fromkeys(LABEL_SCORES, float("nan"))
    names, codes = np.unique(truth, return_inverse=True)
    named = _named_by_majority(labels, codes)
    return {
        "ami": float(metrics.adjusted_mutual_info_score(codes, labels)),
        "ari": float(metrics.adjusted_rand_score(codes, labels)),
        "v_measure": float(metrics.v_measure_score(codes, labels)),
        "homogeneity": float(metrics.homogeneity_score(codes, labels)),
        "completeness": float(metrics.completeness_score(codes, labels)),
        "macro_f1": float(metrics.f1_score(codes, named, labels=range(len(names)), average="macro", zero_division=0)),
    }


def neighbor_accuracy(vectors: np.ndarray, truth: np.ndarray, trajectories: np.ndarray) -> float:
    """Share of rows whose nearest row of another trajectory has the same label; nan for fewer than two trajectories.

    Euclidean, which for vectors of unit length is cosine. A label seen in one trajectory only can't be found. Raises
    ValueError for vectors of no dimension, among which none is nearest.
    """
    if not vectors.shape[1]:
        raise ValueError(f"{len(vectors)} vectors of no dimension: no row is nearer than another")
    names, tracks = np.unique(trajectories, return_inverse=True)
    if len(names) < 2:
        return float("nan")
    rows, squares = vectors.astype(np.float32), (vectors.astype(np.float32) ** 2).sum(axis=1)
    hits = 0
    for start in range(0, len(rows), NEIGHBOR_ROWS):
        part = slice(start, start + NEIGHBOR_ROWS)
        distances = squares - 2 * rows[part] @ rows.T
        distances[tracks[part, None] == tracks] = np.inf
        hits += int((truth[distances.argmin(axis=1)] == truth[part]).sum())
    return hits / len(rows)


def _modal_share(labels: np.ndarray, tracks: np.ndarray) -> float:
    """Share of rows that are in the commonest cluster of their track."""
    from scipy.sparse import coo_array

    table = coo_array((np.ones(len(labels)), (tracks, labels))).tocsr()
    return float(table.max(axis=1).sum() / len(labels))


def _named_by_majority(labels: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The commonest truth `(n,)` of each row's cluster; -1 for noise."""
    named = np.full(len(labels), -1)
    for label in np.unique(labels[labels >= 0]):
        members = labels == label
        named[members] = np.bincount(truth[members]).argmax()
    return named


def _spanning(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Of one cluster `(n, d)`: its inner rows, their core distances, and the longest edge between inner rows."""
    from scipy.sparse.csgraph import minimum_spanning_tree
    from scipy.spatial.distance import cdist

    distances = cdist(rows, rows)
    cores = _core_distances(distances, rows.shape[1])
    reach = np.maximum(distances, np.maximum(cores[:, None], cores))
    # An edge of length 0 would be no edge to scipy, and a tree of longer edges is the same tree.
    tree = minimum_spanning_tree(reach + 1).tocoo()
    lengths = reach[tree.row, tree.col]
    degrees = np.bincount(np.concatenate([tree.row, tree.col]), minlength=len(rows))
    inner = degrees > 1
    if not inner.any():
        return np.arange(len(rows)), cores, float(lengths.max())
    edges = lengths[inner[tree.row] & inner[tree.col]]
    return np.flatnonzero(inner), cores[inner], float(edges.max() if len(edges) else lengths.max())


def _core_distances(distances: np.ndarray, dim: int) -> np.ndarray:
    """All-points core distance `(n,)` from distances `(n, n)` in `dim` dimensions; 0 where another row is equal."""
    from scipy.special import logsumexp

    n = len(distances)
    others = distances[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    # In logarithms: a distance to the power of -128 is beyond float64.
    with np.errstate(divide="ignore"):
        powers = -dim * np.log(others)
        return np.exp(-(logsumexp(powers, axis=1) - np.log(n - 1)) / dim)
