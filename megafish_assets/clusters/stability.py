"""Which clusters are found again when other videos are looked at, and so how many kinds there are."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from megafish_assets.clusters.columns import STABILITY
from megafish_assets.features.crop_rows import CropRows
from megafish_assets.features.layout import known
from megafish_assets.footage.columns import empty_table

RESAMPLES = 20

CROPS = 4_000
"""Judged at most, whole tracklets: each resample is grouped anew."""

TRIED_KS = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40)
"""At which the agreement of KMeans is drawn."""

STABLE_JACCARD = 0.75
"""From here on a cluster counts as stable. Source: Hennig 2007, doi:10.1016/j.csda.2006.11.025."""

FEWEST_TRACKLETS, FEWEST_VIDEOS = 5, 3
"""Behind a kind: fewer may be one fish, or one stone, seen again."""

FEWEST_RESAMPLED = 3
"""Groups: of two, every draw that holds both is the whole, and agrees with the next without fail."""

DRAWN_SHARE = 1 - np.exp(-1)
"""Of many groups, drawn with replacement as often as there are any: what a resample keeps of a cluster's rows."""

QUANTILES = (0.05, 0.5, 0.95)
"""Over the resamples: between the outer ones the number of kinds is said to lie."""

OWN_ERROR = 1.25
"""The interval reaches at least so many times below and above the median: with many videos the draws of them agree,
also where all are off. What the interval then holds, of reefs and of parts of real fish: docs/quality.md."""

Grouper = Callable[[np.ndarray], np.ndarray]
"""Labels `(n,)` of vectors `(n, d)`; -1 is noise."""


def resamples(groups: np.ndarray, seed: int, n: int = RESAMPLES) -> Iterator[np.ndarray]:
    """n times the places, ascending, of all rows of groups that were drawn with replacement, each row once.

    `groups` `(n_rows,)`: the video of each row, or its trajectory where there are no videos. About 63 % of the groups
    are drawn each time. Raises ValueError for fewer than `FEWEST_RESAMPLED` groups.
    """
    names, codes = np.unique(groups, return_inverse=True)
    if len(names) < FEWEST_RESAMPLED:
        raise ValueError(
            f"{len(names)} groups to resample, needed {FEWEST_RESAMPLED}: stability is judged across videos"
        )
    rng = np.random.default_rng(seed)
    for _ in range(n):
        drawn = np.zeros(len(names), dtype=bool)
        while drawn.sum() < 2:
            drawn[rng.integers(len(names), size=len(names))] = True
        yield np.flatnonzero(drawn[codes])


def partitions(
    vectors: np.ndarray,
    groups: np.ndarray,
    group: Grouper,
    seed: int,
    n: int = RESAMPLES,
    on_resample: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """int64 `(n, n_rows)`: labels of each resample, grouped afresh; `ABSENT` where a row was not drawn."""
    #               row 0   row 1   row 2        A video that is drawn twice counts once: its rows would be
    #   resample 0    0       0     ABSENT       neighbors of themselves, and every cluster found again.
    #   resample 1  ABSENT    1       1
    labels = np.full((n, len(vectors)), ABSENT, dtype=np.int64)
    for row, places in zip(labels, resamples(groups, seed, n), strict=True):
        row[places] = group(vectors[places])
        on_resample()
    return labels


ABSENT = -2
"""Label of a row that a resample did not draw."""


def agreement(labels: np.ndarray) -> np.ndarray:
    """float64 `(n,)`, AMI of each partition in `(n, n_rows)` with the next one, on the rows that both drew.

    nan where neither tells any rows apart, which scikit-learn would call perfect.
    """
    from sklearn.metrics import adjusted_mutual_info_score

    scores = []
    for one, other in zip(labels, np.roll(labels, -1, axis=0), strict=True):
        both = (one != ABSENT) & (other != ABSENT)
        tells = len(np.unique(one[both])) > 1 or len(np.unique(other[both])) > 1
        scores.append(adjusted_mutual_info_score(one[both], other[both]) if tells else np.nan)
    return np.array(scores)


def agreement_by_k(
    vectors: np.ndarray,
    groups: np.ndarray,
    ks: Sequence[int],
    group: Callable[[np.ndarray, int], np.ndarray],
    seed: int,
    n: int = RESAMPLES,
    on_k: Callable[[], None] = lambda: None,
) -> pl.DataFrame:
    """`k`, `ami` (mean) and `ami_error` (standard error of that mean) for every k that all resamples allow."""
    fewest = min(len(places) for places in resamples(groups, seed, n))
    rows = []
    for k in (k for k in ks if k < fewest):
        scores = agreement(partitions(vectors, groups, lambda part, k=k: group(part, k), seed, n))
        scores = scores[~np.isnan(scores)]
        on_k()
        if len(scores) > 1:
            rows.append((k, float(scores.mean()), float(scores.std(ddof=1) / np.sqrt(len(scores)))))
    return pl.DataFrame(rows, schema={"k": pl.Int64, "ami": pl.Float64, "ami_error": pl.Float64}, orient="row")


def most_stable_k(agreements: pl.DataFrame) -> int:
    """The largest k whose agreement is within one standard error of the best.

    Few large clusters repeat themselves easily, so among equals the one that says more is taken.
    Raises ValueError for an empty table.
    """
    if not agreements.height:
        raise ValueError("no k could be tried: there are fewer rows than clusters in every resample")
    best = agreements.sort("ami", descending=True).row(0, named=True)
    return int(agreements.filter(pl.col("ami") >= best["ami"] - best["ami_error"])["k"].max())


def best_agreement(agreements: pl.DataFrame) -> dict[str, float | int | None]:
    """`best_agreement_ami` over all k, and the `k_of_best_agreement`; None where no k could be tried."""
    best = agreements.sort("ami", descending=True).head(1)
    return {"k_of_best_agreement": best["k"].first(), "best_agreement_ami": best["ami"].first()}


def overlaps(full: np.ndarray, labels: np.ndarray, n_clusters: int) -> np.ndarray:
    """float64 `(n, n_clusters)`: Jaccard of each cluster with the nearest one in each resample; nan if not drawn.

    `full` `(n_rows,)` is the partition that is judged, `labels` `(n, n_rows)` those of the resamples. Both sides are
    cut to the rows that the resample drew; noise is no cluster.
    """
    found = np.full((len(labels), n_clusters), np.nan)
    for row, resampled in zip(found, labels, strict=True):
        # Rows that were not drawn are in no cluster of the resample through no fault of it: they leave both sides.
        drawn = resampled != ABSENT
        shared = _shared(full[drawn], resampled[drawn], n_clusters)
        sizes = np.bincount(full[drawn & (full >= 0)], minlength=n_clusters)
        other = np.bincount(resampled[resampled >= 0], minlength=shared.shape[1])
        union = sizes[:, None] + other - shared
        present = sizes > 0
        row[present] = (shared / np.maximum(union, 1)).max(axis=1, initial=0)[present]
    return found


@dataclass(frozen=True)
class Stability:
    """How far a partition survives other videos."""

    clusters: pl.DataFrame
    """The columns `STABILITY`, a row a cluster."""
    ami: float
    """Mean agreement between the resamples' partitions."""
    n_kinds: int
    """Supported kinds, each of one cluster or of several that a resample shows to be one: the median over them. All
    supported clusters for too few videos."""
    n_sure: int
    """Kinds with a stable cluster, and no more than there are at least."""
    n_kinds_low: float
    """As `n_kinds`, in all but the poorest 5 % of the resamples, and less by the method's error. nan for too few
    videos."""
    n_kinds_high: float
    """The same, in all but the richest 5 %, and more by it; at most all supported clusters."""

    def sentence(self) -> str:
        """How many kinds, in words."""
        if np.isnan(self.n_kinds_low):
            return f"too few videos to tell how many kinds: {FEWEST_RESAMPLED} are needed"
        return kinds_sentence(self.n_kinds_low, self.n_kinds_high, self.n_sure)


def kinds_sentence(n_low: float, n_high: float, n_sure: float) -> str:
    """The interval of kinds and the sure ones, in words."""
    low, high = int(np.floor(n_low)), int(np.ceil(n_high))
    span = f"{high}" if low == high else f"{low} to {high}"
    return f"{span} {'kind' if high == 1 else 'kinds'}; {n_sure:g} sure"


def stability(
    vectors: np.ndarray,
    full: np.ndarray,
    videos: np.ndarray,
    group: Grouper,
    seed: int,
    crops: CropRows,
    n: int = RESAMPLES,
    on_resample: Callable[[], None] = lambda: None,
    as_kinds: Callable[[np.ndarray, np.ndarray], np.ndarray] = lambda places, labels: labels,
) -> Stability:
    """How far the clusters `full` `(n_rows,)` of units `(n_rows, d)` from these videos `(n_rows,)` are found again.

    `group` is what made `full`; each of n resamples is grouped afresh. `crops` are all clustered ones, which support
    the clusters however few are resampled. `as_kinds` gives labels `(m,)` of the units at some places `(m,)` with
    those clusters as one that are one kind: each resample tells how many kinds the clusters are. Fewer than
    `FEWEST_RESAMPLED` videos say nothing: no cluster is stable then, and the agreement is nan.
    Source: Hennig 2007, doi:10.1016/j.csda.2006.11.025, with videos as what is drawn.
    """
    if len(np.unique(videos)) < FEWEST_RESAMPLED:
        unseen = np.full((1, crops.n_clusters), np.nan)
        clusters = cluster_support(crops, unseen)
        n_kinds = _n_kinds(crops, np.arange(crops.n_clusters))
        return Stability(clusters, float("nan"), n_kinds, 0, float("nan"), float("nan"))
    labels = partitions(vectors, videos, group, seed, n, on_resample)
    found = overlaps(full, labels, crops.n_clusters)
    clusters = cluster_support(crops, found, pairs_together(full, labels, crops.n_clusters))
    counts = [_n_kinds(crops, _kind_of_cluster(full, row != ABSENT, as_kinds, crops.n_clusters)) for row in labels]
    scores = agreement(labels)
    mean_ami = float(np.nanmean(scores)) if not np.isnan(scores).all() else float("nan")
    kinds = _kind_of_cluster(full, np.ones(len(full), dtype=bool), as_kinds, crops.n_clusters)
    n_sure = len(np.unique(kinds[clusters["stable"].to_numpy()]))
    low, middle, high = np.quantile(counts, QUANTILES)
    # Wider by the method's own error, but for what is sure, and for kinds that no cluster shows.
    low = round(min(low, max(middle / OWN_ERROR, n_sure)))
    high = round(min(max(high, middle * OWN_ERROR), max(high, _n_kinds(crops, np.arange(crops.n_clusters)))))
    return Stability(clusters, mean_ami, round(middle), min(n_sure, low), float(low), float(high))


def _kind_of_cluster(
    full: np.ndarray, drawn: np.ndarray, as_kinds: Callable[[np.ndarray, np.ndarray], np.ndarray], n_clusters: int
) -> np.ndarray:
    """int64 `(n_clusters,)`: numbers that clusters of one kind share, by the drawn units; others have their own."""
    places = np.flatnonzero(drawn)
    kinds = np.arange(n_clusters) + len(full)  # as_kinds counts from 0, and not so far
    clear = places[full[places] >= 0]
    kinds[full[clear]] = as_kinds(places, full[places])[full[places] >= 0]
    return kinds


def _n_kinds(crops: CropRows, kinds: np.ndarray) -> int:
    """Kinds that have enough tracklets and videos, from the kind of each cluster."""
    clear = crops.cluster_ids >= 0
    of_kinds = pl.DataFrame(
        {
            "kind": kinds[crops.cluster_ids[clear]],
            "tracklet": pl.Series(crops.tracklets[clear], dtype=pl.String),
            "video": pl.Series(crops.videos[clear].astype(str)),
        }
    )
    counts = of_kinds.group_by("kind").agg(pl.col("tracklet").drop_nulls().n_unique(), pl.col("video").n_unique())
    return counts.filter((pl.col("tracklet") >= FEWEST_TRACKLETS) & (pl.col("video") >= FEWEST_VIDEOS)).height


def pairs_together(full: np.ndarray, labels: np.ndarray, n_clusters: int) -> np.ndarray:
    """float64 `(n_clusters, n_clusters)`: share of pairs, a unit of each cluster, that resamples put into one cluster.

    Of pairs that a resample drew, over all of `labels` `(n, n_rows)`; nan where none did. In the noise of a resample
    none is with another.
    """
    put, drawn_pairs = np.zeros((n_clusters, n_clusters)), np.zeros((n_clusters, n_clusters))
    for resampled in labels:
        drawn = (resampled != ABSENT) & (full >= 0)
        shared = _shared(full[drawn], resampled[drawn], n_clusters)
        sizes = np.bincount(full[drawn], minlength=n_clusters)
        put += shared @ shared.T
        drawn_pairs += np.outer(sizes, sizes)
    return np.where(drawn_pairs > 0, put / np.maximum(drawn_pairs, 1), np.nan)


def cluster_support(crops: CropRows, found: np.ndarray, together: np.ndarray | None = None) -> pl.DataFrame:
    """The columns `STABILITY` of clusters whose overlaps `(n_resamples, n_clusters)` were found.

    `together` is what `pairs_together` says of them; None where nothing was resampled.
    """
    pairs = [None] * found.shape[1] if together is None else [[known(one) for one in row] for row in together.tolist()]
    rows = []
    for cluster in range(found.shape[1]):
        members, seen = crops.of(crops.cluster_ids == cluster), found[:, cluster][~np.isnan(found[:, cluster])]
        jaccard = float(seen.mean()) if len(seen) else None
        n_tracklets, n_videos = members.n_tracklets, len(np.unique(members.videos))
        backed = n_tracklets >= FEWEST_TRACKLETS and n_videos >= FEWEST_VIDEOS
        stable = backed and jaccard is not None and jaccard >= STABLE_JACCARD
        rows.append((cluster, jaccard, n_tracklets, n_videos, stable, pairs[cluster]))
    return pl.DataFrame(rows, schema=empty_table(STABILITY).schema, orient="row")


def _shared(one: np.ndarray, other: np.ndarray, n_clusters: int) -> np.ndarray:
    """Rows that are in both, `(n_clusters, n_other)`."""
    n_other = int(other.max(initial=-1)) + 1
    clear = (one >= 0) & (other >= 0)
    counts = np.bincount(one[clear] * n_other + other[clear], minlength=n_clusters * n_other)
    return counts.reshape(n_clusters, n_other)
