"""The counts of one video, minute by minute: what longer windows are added up from.

A *part* is what one video shows of one minute, by the clock where its time of day is known, else from its own start. A
part lies in one clip, one minute, one hour and one day.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from megafish_assets.detections.looks import Looks
from megafish_assets.detections.scene import ScenePath, scene_path
from megafish_assets.footage.boxes import STRETCHED_PX
from megafish_assets.footage.columns import Column, Columns, empty_table, typed
from megafish_assets.sightings.counting import HELD_SECONDS, bridged, held_counts, rule_of

BRIDGED_SECONDS = 0.1
"""In view for less, at the video's looks, a tracklet adds nothing to MeanCount: three frames of 30 a second. With a
third of a second, as for MaxN, brief looks at small fish are lost: docs/read-out.md."""

MINUTE_SECONDS = 60

EFFORT: Columns = {
    "video": Column(pl.String, "partition key of the video"),
    "station": Column(pl.String, "where its camera stood; null where nobody says"),
    "part": Column(pl.Int64, "minutes since the epoch, or since the video's start where its time is not known"),
    "recorded_at": Column(pl.Datetime("us"), "local time of the part's first look; null where not known"),
    "elapsed_seconds": Column(pl.Float64, "the same since the first video's first frame; null where not known"),
    "start_seconds": Column(pl.Float64, "its first look, seconds from the video's first frame"),
    "end_seconds": Column(pl.Float64, "the end of its last look, likewise"),
    "n_looks": Column(pl.Int64, "frames that were looked at"),
    "n_frames_searched": Column(pl.Int64, "those without the wiper"),
    "step_seconds": Column(pl.Float64, "from one look to the next"),
    "swept_fields": Column(pl.Float64, "fields of view swept in the whole video; null where unknown"),
    "max_n_rule": Column(pl.String, "how MaxN is told in this video"),
}
"""A row a part."""

SEEN: Columns = {
    "video": EFFORT["video"],
    "part": EFFORT["part"],
    "kind": Column(pl.String, "what was seen"),
    "max_n": Column(pl.Int64, "most of it in a look"),
    "max_n_frame": Column(pl.Int64, "the first frame with so many"),
    "count_seconds": Column(pl.Float64, "bridged count, summed over looks, times their step"),
    "n_frames_occupied": Column(pl.Int64, "looks with any, bridged"),
    "first_seconds": Column(pl.Float64, "the first of them, from the video's first frame; null without any"),
}
"""A row a part and kind that is in it."""

PRESENT: Columns = {
    "video": EFFORT["video"],
    "part": EFFORT["part"],
    "kind": SEEN["kind"],
    "tracklet_id": Column(pl.String, "a tracklet that counts as a sighting, and is in view in this part"),
}
"""A row a part and tracklet."""


@dataclass(frozen=True)
class VideoTimes:
    """When and where a video was recorded, as far as anybody knows."""

    recorded_at: datetime | None = None
    """Local time of its first frame."""
    elapsed_seconds: float | None = None
    """Of its first frame, since the first video's."""
    station: str | None = None
    """Where its camera stood."""


@dataclass(frozen=True)
class Counts:
    """What some videos add to the windows that they lie in."""

    effort: pl.DataFrame
    """The columns `EFFORT`."""
    seen: pl.DataFrame
    """The columns `SEEN`."""
    present: pl.DataFrame
    """The columns `PRESENT`."""

    @classmethod
    def joined(cls, counts: Iterable["Counts"]) -> "Counts":
        """Those of all these videos; of none, tables without a row."""
        many = [cls(empty_table(EFFORT), empty_table(SEEN), empty_table(PRESENT)), *counts]
        return cls(*[pl.concat([getattr(one, name) for one in many]) for name in ("effort", "seen", "present")])


def video_counts(sightings: pl.DataFrame, looks: Looks, motion: pl.DataFrame, times: VideoTimes) -> Counts:
    """The counts of one video.

    `sightings` holds those tracklets that may be fish and are no parts: `tracklet_id`, `kind`, `first_frame`,
    `last_frame`, `n_frames_seen` and `is_counted`; `motion` the video's `camera_motion`.
    """
    parts, counted = part_numbers(looks, times), sightings.filter("is_counted")
    return Counts(
        _effort(looks, parts, _swept(scene_path(motion)), times),
        _seen(sightings, counted, looks, parts),
        _present(counted, looks, parts),
    )


def part_numbers(looks: Looks, times: VideoTimes) -> np.ndarray:
    """int64 `(n_looks,)`, the part that each look lies in."""
    start = 0.0
    if times.recorded_at is not None:
        start = (times.recorded_at - datetime(1970, 1, 1)).total_seconds()
    return np.floor((start + looks.seconds + 1e-6) / MINUTE_SECONDS).astype(np.int64)


def _effort(looks: Looks, parts: np.ndarray, swept_fields: float | None, times: VideoTimes) -> pl.DataFrame:
    in_order, first, n_looks = np.unique(parts, return_index=True, return_counts=True)
    start, end = _searched_ends(looks, first, n_looks)
    whole = {
        "video": looks.video,
        "station": times.station,
        "step_seconds": looks.step_seconds,
        "swept_fields": swept_fields,
        "max_n_rule": rule_of(looks.within(HELD_SECONDS)),
    }
    table = pl.DataFrame(
        {
            "part": in_order,
            "start_seconds": start,
            "end_seconds": end,
            "n_looks": n_looks,
            "n_frames_searched": np.add.reduceat(~looks.is_wiped, first, dtype=np.int64),
        }
    )
    # `duration` cuts fractions off, and 0.9999999999999999 s would lie in the second before.
    since = pl.duration(microseconds=(pl.col("start_seconds") * 1e6).round())
    table = table.with_columns(
        (pl.lit(times.recorded_at, pl.Datetime("us")) + since).alias("recorded_at"),
        (pl.lit(times.elapsed_seconds, pl.Float64) + pl.col("start_seconds")).alias("elapsed_seconds"),
        *[pl.lit(value, EFFORT[name].dtype).alias(name) for name, value in whole.items()],
    )
    return typed(table, EFFORT)


def _searched_ends(looks: Looks, first: np.ndarray, n_looks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Seconds at which the first look of each part begins and its last ends, without those behind the wiper; of a part
    that lies behind it altogether, with them."""
    numbers, last = np.arange(len(looks)), first + n_looks - 1
    first_searched = np.minimum.reduceat(np.where(looks.is_wiped, len(looks), numbers), first)
    last_searched = np.maximum.reduceat(np.where(looks.is_wiped, -1, numbers), first)
    none = last_searched < 0
    start, end = np.where(none, first, first_searched), np.where(none, last, last_searched)
    return looks.seconds[start], looks.seconds[end] + looks.step_seconds


def _swept(path: ScenePath | None) -> float | None:
    """Fields of view, side by side, of the axis along which the camera panned further."""
    return None if path is None else 1 + float(path.range_xy_1024.max()) / STRETCHED_PX


def _seen(sightings: pl.DataFrame, counted: pl.DataFrame, looks: Looks, parts: np.ndarray) -> pl.DataFrame:
    """Looks that the wiper is in count for nothing, so that what is divided by the effort was seen in it."""
    kinds = sorted(set(sightings["kind"]))
    spans = _spans(sightings.filter(pl.col("n_frames_seen") >= looks.within(BRIDGED_SECONDS)), looks, kinds)
    most = held_counts(_spans(counted, looks, kinds), looks.within(HELD_SECONDS))
    most[:, looks.is_wiped] = spans[:, looks.is_wiped] = 0
    tables = [empty_table(SEEN)]
    for part in np.unique(parts):
        own = np.flatnonzero(parts == part)
        frames, seconds, of_part = looks.frame_ids[own], looks.seconds[own], spans[:, own]
        reached, in_view = most[:, own].argmax(axis=1), of_part > 0
        table = pl.DataFrame(
            {
                "kind": pl.Series(kinds, dtype=pl.String),
                "max_n": most[:, own].max(axis=1),
                "max_n_frame": frames[reached],
                "count_seconds": of_part.sum(axis=1) * looks.step_seconds,
                "n_frames_occupied": in_view.sum(axis=1),
                "first_seconds": np.where(in_view.any(axis=1), seconds[in_view.argmax(axis=1)], np.nan),
            }
        ).filter((pl.col("max_n") > 0) | (pl.col("n_frames_occupied") > 0))
        keyed = table.with_columns(
            pl.lit(looks.video).alias("video"), pl.lit(part).alias("part"), pl.col("first_seconds").fill_nan(None)
        )
        tables.append(typed(keyed, SEEN))
    return pl.concat(tables)


def _spans(sightings: pl.DataFrame, looks: Looks, kinds: list[str]) -> np.ndarray:
    first, last = (looks.at(sightings[name].to_numpy()) for name in ("first_frame", "last_frame"))
    return bridged(_numbers(sightings["kind"], kinds), first, last, len(kinds), len(looks))


def _numbers(names: pl.Series, kinds: list[str]) -> np.ndarray:
    """int64 `(n,)`, which of the kinds each is."""
    places = pl.DataFrame({"kind": kinds, "number": range(len(kinds))}, {"kind": pl.String, "number": pl.Int64})
    return names.to_frame("kind").join(places, on="kind", how="left", maintain_order="left")["number"].to_numpy()


def _present(sightings: pl.DataFrame, looks: Looks, parts: np.ndarray) -> pl.DataFrame:
    """In which parts each is in view, of the looks that the wiper left: what is there behind it alone was not seen."""
    first, last = (looks.at(sightings[name].to_numpy()) for name in ("first_frame", "last_frame"))
    in_order, begins, n_looks = np.unique(parts, return_index=True, return_counts=True)
    place = {part: number for number, part in enumerate(in_order.tolist())}
    spans = [
        list(range(place[begin], place[end] + 1))
        for begin, end in zip(parts[first].tolist(), parts[last].tolist(), strict=True)
    ]
    table = sightings.select(
        pl.lit(looks.video).alias("video"),
        "kind",
        "tracklet_id",
        pl.Series("first", first),
        pl.Series("last", last),
        pl.Series("place", spans, dtype=pl.List(pl.Int64)),
    ).explode("place")
    of_part = table["place"].to_numpy()
    from_look = np.maximum(table["first"].to_numpy(), begins[of_part])
    to_look = np.minimum(table["last"].to_numpy(), begins[of_part] + n_looks[of_part] - 1)
    n_searched = np.concatenate([[0], np.cumsum(~looks.is_wiped)])
    is_seen = n_searched[to_look + 1] > n_searched[from_look]
    return typed(table.with_columns(pl.Series("part", in_order[of_part])).filter(pl.Series(is_seen)), PRESENT)
