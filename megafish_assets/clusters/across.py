"""Which clusters are one kind, by what is near in other videos.

A cluster may be one animal that comes and goes, one stone, or one evening's light: in its own videos it lies apart from
all others. Seen from other videos the two halves of a kind are as near to each other as each is to itself.
"""

import numpy as np
from scipy.sparse import csr_array

from megafish_assets.clusters.consensus import joined, near
from megafish_assets.clusters.partitions import NARROWEST, tracklet_graph
from megafish_assets.features.layout import neighbors_elsewhere

REACH_SHARE = 1 / 15
"""Of as many crops as there are tracklets, those nearest in other videos that each crop is tied to. A share, for a kind
is a share of the collection: with a number, or a root, more tracklets would be more kinds."""

ONE_KIND = 0.1
"""Two clusters are one kind where what lies between them is at least so dense, for what lies within the denser one, all
across videos. With 0.08 kinds of the real fish are joined, with 0.11 the reef has too many."""


def as_kinds(features: np.ndarray, units: np.ndarray, videos: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """int64 `(n_units,)`: labels `(n_units,)` with those clusters as one that are one kind; -1 stays noise.

    `features` `(n, m)` of crops are compared by cosine, `units` `(n,)` counts their tracklets from 0, `videos` `(n,)`
    are theirs. Of one video nothing lies across, and every cluster stays.
    """
    compact = np.unique(labels[labels >= 0])
    labels = np.where(labels < 0, -1, np.searchsorted(compact, labels))
    if len(compact) < 2 or len(np.unique(videos)) < 2:
        return labels
    return joined(labels, _graph(features, units, videos), _dense_across, least=ONE_KIND)


def _graph(features: np.ndarray, units: np.ndarray, videos: np.ndarray) -> csr_array:
    """float64 `(n_units, n_units)`, symmetric, 0 to 1: UMAP's fuzzy graph, no edge of which stays in its video."""
    codes = np.unique(videos, return_inverse=True)[1]
    most = len(codes) - int(np.bincount(codes).max())  # crops of other videos that each crop has
    reach = max(1, min(most, max(NARROWEST, round(REACH_SHARE * (int(units.max()) + 1)))))
    return tracklet_graph(*neighbors_elsewhere(features, codes, reach + 1), units)


def _dense_across(between: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Mean weight between two units of either cluster, for that within the cluster where it is more, `(n, n)`.

    A cluster of one unit has nothing within, and is like none.
    """
    pairs = sizes * (sizes - 1)
    within = np.divide(np.diag(between), pairs, out=np.full(len(sizes), np.nan), where=pairs > 0)
    denser = np.maximum(within[:, None], within)
    return np.divide(near(between, sizes), denser, out=np.zeros_like(between), where=denser > 0)
