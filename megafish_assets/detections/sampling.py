"""Which detections are looked at: a seeded share of each video, or a few of each tracklet; and a few of tracklets that
are too small for the filter, so that they can be named."""

import zlib
from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from megafish_assets.detections.columns import SMALL
from megafish_assets.detections.lens import places_of
from megafish_assets.detections.looks import LEAST_SECONDS, least_looks

SHARE = 0.1
"""Of each video's filtered rows: the notebook's."""

AT_LEAST = 1
"""Rows of a video that has any: the notebook's rule (0) loses every video with fewer than ten rows."""

SEED = 42
"""The notebook's."""

AT_MOST_A_TRACKLET = 3
"""Crops of one animal: the first says how it looks, the next how its look varies, more only outvote other animals."""

APART_FRAMES = 15
"""Half a second of the notebook's camera, in which a tail beats about once: nearer crops are near-duplicates."""

STRATEGY = "per_tracklet"
"""By measurement on the reef: fewer crops show 1,386 tracklets, where a tenth of the rows shows 534; of those that both
show, clusters follow the kinds as well (AMI 0.55 and 0.56) and the water less (docs/quality.md)."""


def random_rows(n_rows: int, n_wanted: int, rng: np.random.Generator) -> np.ndarray:
    """`n_wanted` different row numbers, all sets alike likely: the notebook's way."""
    return rng.choice(n_rows, size=n_wanted, replace=False)


def spread_rows(n_rows: int, n_wanted: int, rng: np.random.Generator) -> np.ndarray:
    """`n_wanted` row numbers at even steps from a random start: fewest neighbors in time.

    Source: systematic sampling, Cochran 1977, Sampling Techniques, chapter 8.
    """
    if n_wanted == 0:
        return np.empty(0, dtype=np.int64)
    step = n_rows / n_wanted
    return np.floor(rng.uniform(0, step) + step * np.arange(n_wanted)).astype(np.int64).clip(max=n_rows - 1)


STRATEGIES: dict[str, Callable[[int, int, np.random.Generator], np.ndarray]] = {
    "random": random_rows,
    "spread": spread_rows,
}


def sample_size(n_rows: int, share: float, at_least: int) -> int:
    """Rows to draw from a video with `n_rows`: the share rounded down, yet `at_least`, never more than all."""
    # A share such as 0.1 is a hair above its decimal, 0.29 a hair below: 0.29 * 100 must still give 29.
    by_share = int(np.floor(n_rows * share + 1e-9))
    return min(n_rows, max(by_share, at_least))


def sampled_detections(
    filtered: pl.DataFrame,
    share: float = SHARE,
    at_least: int = AT_LEAST,
    seed: int = SEED,
    *,
    strategy: str,
) -> pl.DataFrame:
    """The sampled rows of every video by one of `STRATEGIES`, sorted by `detection_id`.

    A video's draw depends on the seed, its key and its own rows only, so it is the same in any run.
    Raises KeyError for an unknown strategy.
    """
    draw = STRATEGIES[strategy]
    rows = in_order(filtered)
    drawn = [
        start + np.sort(draw(n_rows, sample_size(n_rows, share, at_least), _chance(seed, video)))
        for video, start, n_rows in _stretches(rows)
    ]
    return rows[np.concatenate([np.empty(0, dtype=np.int64), *drawn])]


def without_lens(filtered: pl.DataFrame, scored: pl.DataFrame | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that lie at no place of the lens, and those that do, both in the order given.

    `scored` holds the recurrences that `lens_places` found; None, where nobody looked yet, leaves all in.
    """
    if scored is None:
        return filtered, filtered.clear()
    on_lens = places_of(filtered, scored)["place_id"].is_not_null()
    return filtered.filter(~on_lens), filtered.filter(on_lens)


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows sorted by `detection_id`; looking whether they are is a tenth of sorting them."""
    return rows if rows["detection_id"].is_sorted() else rows.sort("detection_id")


def _stretches(rows: pl.DataFrame) -> Iterator[tuple[str, int, int]]:
    """Key, first row and number of rows of every video, whose rows lie together: an id begins with its video's key."""
    start = 0
    for n_rows, video in rows["video"].rle().struct.unnest().iter_rows():
        yield video, start, n_rows
        start += n_rows


def _chance(seed: int, video: str) -> np.random.Generator:
    """The generator of one video."""
    return np.random.default_rng([seed, zlib.crc32(video.encode())])


def tracked(filtered: pl.DataFrame, tracklets: pl.DataFrame) -> pl.DataFrame:
    """The rows with the `tracklet_id` of each, sorted by `detection_id`; `tracklets` holds the columns `TRACKLETS`.

    Raises ValueError where a row has none.
    """
    known = tracklets.select("video", "detection_id", "tracklet_id")
    rows = in_order(filtered).join(
        known, on=["video", "detection_id"], how="left", validate="m:1", maintain_order="left"
    )
    unknown = rows.filter(pl.col("tracklet_id").is_null())
    if unknown.height:
        raise ValueError(
            f"{unknown.height} of {rows.height} filtered rows have no tracklet, {unknown['detection_id'][0]} first: "
            "materialise the tracklets of their videos again"
        )
    return rows


def sampled_from_tracklets(
    filtered: pl.DataFrame,
    tracklets: pl.DataFrame,
    at_most: int = AT_MOST_A_TRACKLET,
    apart_frames: int = APART_FRAMES,
    seed: int = SEED,
) -> pl.DataFrame:
    """The strategy `per_tracklet`: of every tracklet `at_most` rows, no two nearer than `apart_frames`, sorted by
    `detection_id`.

    `tracklets` holds the columns `TRACKLETS` of these rows, and may hold others. A tracklet of which the filter has
    kept a row gives at least one, and none that would fit is left out below `at_most`. A video's draw depends on the
    seed, its key, its own rows and their tracklets only. Raises ValueError for `at_most` or `apart_frames` below 1, and
    where a row has no tracklet.
    """
    if at_most < 1 or apart_frames < 1:
        raise ValueError(f"at_most = {at_most} and apart_frames = {apart_frames}; both must be 1 or more")
    rows = tracked(filtered, tracklets)
    videos = rows.partition_by("video", maintain_order=True)
    orders = [_chance(seed, video["video"][0]).permutation(video.height) for video in videos]
    parts = [video[_apart(video, order, at_most, apart_frames)] for video, order in zip(videos, orders, strict=True)]
    return pl.concat([rows.clear(), *parts])


def small_detections(
    valid: pl.DataFrame,
    filtered: pl.DataFrame,
    tracklets: pl.DataFrame,
    at_most: int = AT_MOST_A_TRACKLET,
    apart_frames: int = APART_FRAMES,
) -> pl.DataFrame:
    """The columns `SMALL`, sorted by `detection_id`: of every tracklet that the filter has kept no row of, and that is
    seen for `LEAST_SECONDS`, at most so many rows and no two nearer, the largest and surest first.

    Mostly they are small; a few are larger than the filter believes. `valid` holds rows without a fault, `tracklets`
    the columns `TRACKLETS` of them. Raises ValueError where a row has no tracklet.
    """
    rows = tracked(valid, tracklets)
    kept = rows.join(filtered, on="detection_id", how="semi").select("tracklet_id").unique()
    parts = [rows.clear()]
    for _, video in rows.group_by("video", maintain_order=True):
        lasting = pl.col("frame_id").n_unique().over("tracklet_id") >= least_looks(video, LEAST_SECONDS)
        small = video.filter(lasting).join(kept, on="tracklet_id", how="anti", maintain_order="left")
        worth = small.select(pl.col("score") * pl.col("width_1024") * pl.col("height_1024")).to_series()
        order = np.argsort(-worth.to_numpy(), kind="stable")
        parts.append(small[_apart(small, order, at_most, apart_frames)])
    return pl.concat(parts).select(*SMALL)


def _apart(video: pl.DataFrame, order: np.ndarray, at_most: int, apart_frames: int) -> list[int]:
    """Ascending row numbers, of every tracklet `at_most` and no two nearer than `apart_frames`: rows in the order
    given, taken as long as they fit.

    Source: dart throwing, Cook 1986, Stochastic sampling in computer graphics, ACM TOG 5(1).
    """
    tracklet_ids, frame_ids = video["tracklet_id"].to_list(), video["frame_id"].to_list()
    drawn: dict[str, list[int]] = {}
    rows = []
    for row in order.tolist():
        frame_id, others = frame_ids[row], drawn.setdefault(tracklet_ids[row], [])
        if len(others) < at_most and all(abs(frame_id - other) >= apart_frames for other in others):
            others.append(frame_id)
            rows.append(row)
    return sorted(rows)
