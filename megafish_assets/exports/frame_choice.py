"""Which frames become pictures to learn from: apart from each other, spread over the videos, and so many at most."""

import hashlib
from collections.abc import Mapping, Sequence

import polars as pl

from megafish_assets.exports.fish_boxes import FishBoxes, fish_boxes_by_video
from megafish_assets.exports.tables import ExportTables
from megafish_assets.labels.naming import PERSON

LABELLED, ANY = "labelled", "any"
"""Frames with a fish that a person named, or with any."""

TRAIN, VALIDATION = "train", "val"
"""As Ultralytics calls the folders."""

DEFAULT_FPS = 30
"""Of a video whose file can't be read."""


def learned_boxes(rows: pl.DataFrame) -> pl.DataFrame:
    """Of the rows of `FishBoxes`, those to learn from: they count as sightings, or a person named them.

    The others are parts, which lie on an animal that has a box already, and what flickers up for less than a third of a
    second.
    """
    return rows.filter(pl.col("is_counted") | (pl.col("name_source") == PERSON))


def chosen_frames(
    tables: ExportTables, only_labelled: bool, apart_seconds: float, at_most: int
) -> dict[str, list[int]]:
    """Frames by video, both in order; of a video at least so far apart, of all together no more than `at_most`.

    Only those with a fish that a person named, if `only_labelled`; else those with any fish to learn from.
    """
    found = {}
    for video, boxes in fish_boxes_by_video(tables):
        frames = _apart(_candidates(boxes, only_labelled), apart_seconds)
        if frames:
            found[video.key] = frames
    return spread(found, at_most)


def _candidates(boxes: FishBoxes, only_labelled: bool) -> list[tuple[int, float]]:
    rows = learned_boxes(boxes.rows)
    if only_labelled:
        rows = rows.filter(pl.col("name_source") == PERSON)
    second = pl.coalesce("seconds", pl.col("frame_id") / DEFAULT_FPS).alias("second")
    return rows.select("frame_id", second).unique("frame_id").sort("frame_id").rows()


def _apart(candidates: Sequence[tuple[int, float]], apart_seconds: float) -> list[int]:
    """The first, and then each that is far enough behind the one before; a millionth of a second counts for none."""
    found, last = [], None
    for frame_id, second in candidates:
        if last is None or second - last >= apart_seconds - 1e-6:
            found.append(frame_id)
            last = second
    return found


def spread(frames: Mapping[str, Sequence[int]], at_most: int) -> dict[str, list[int]]:
    """As many as may be, of every video as many as of any other as far as it has them, evenly over each; where there
    are more videos than frames may be, one of each of so many videos, evenly over them."""
    if len(frames) > at_most:
        return {video: frames[video][:1] for video in evenly(sorted(frames), at_most)}
    a_video = max(map(len, frames.values()), default=0)
    while sum(min(a_video, len(own)) for own in frames.values()) > at_most:
        a_video -= 1
    return {video: evenly(own, a_video) for video, own in frames.items()}


def evenly(given: Sequence, n: int) -> list:
    """At most n of these, first and last among them if it is two or more."""
    if len(given) <= n:
        return list(given)
    return [given[round(place * (len(given) - 1) / max(1, n - 1))] for place in range(n)]


def split_of(videos: Sequence[str], validation_share: float) -> dict[str, str]:
    """`train` or `val` by video: frames of one video are too alike to judge by.

    A video stays where it is when others come, as long as neither half would be empty. A single one is `train`.
    """
    ranked = sorted(videos, key=_place)
    n = sum(_place(video) < validation_share for video in videos)
    if len(videos) > 1 and validation_share > 0:
        n = min(max(n, 1), len(videos) - 1)
    elif len(videos) == 1:
        n = 0
    return {video: VALIDATION if rank < n else TRAIN for rank, video in enumerate(ranked)}


def _place(video: str) -> float:
    """A number from 0 to 1 that only the name tells."""
    return int.from_bytes(hashlib.sha256(video.encode()).digest()[:8]) / 2**64
