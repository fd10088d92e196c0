"""Abundance: what the videos' parts add up to over clips, minutes, hours, days and the whole collection, with a row for
every kind that was searched for, seen or not."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from megafish_assets.footage.columns import empty_table, typed
from megafish_assets.sightings.columns import ABUNDANCE
from megafish_assets.sightings.counting import MIXED
from megafish_assets.sightings.intervals import BLOCK_SECONDS, mean_intervals
from megafish_assets.sightings.parts import Counts

CLIP, MINUTE, HOUR, DAY, ALL = "clip", "minute", "hour", "day", "all"

WINDOW = ["window", "station"]
"""Counts of two stations are never one: MaxN would be of either, and a mean of neither."""

SECONDS_AN_HOUR = 3600

NEVER_SEEN = "refused: no clip shows one"
"""Instead of an interval."""


@dataclass(frozen=True)
class Origin:
    """Where the names behind the counts come from."""

    backbone: str | None = None
    """Whose grouping and classes; None while nothing names."""
    recipe: str | None = None
    """Of its clusters."""
    labels_version: str | None = None
    """Of the labels."""


def window_names() -> dict[str, pl.Expr]:
    """By window kind what each part's window is called; null for a part that lies in none."""
    # Of the part and not of `recorded_at`, which rounding may put a microsecond before its minute.
    minute = pl.when(pl.col("recorded_at").is_not_null()).then(pl.from_epoch(pl.col("part") * 60, "s"))

    of_video = pl.format("{} {}:00", "video", pl.col("part").cast(pl.String).str.zfill(3))
    return {
        CLIP: pl.col("video"),
        MINUTE: pl.coalesce(minute.dt.to_string("%Y-%m-%dT%H:%M"), of_video),
        HOUR: minute.dt.to_string("%Y-%m-%dT%H"),
        DAY: minute.dt.to_string("%Y-%m-%d"),
        ALL: pl.lit("all"),
    }


def window_start() -> pl.Expr:
    """When each window of hours or days begins, Datetime us, by its `window` and `window_kind`; null of others."""
    rest = pl.col("window_kind").replace_strict({HOUR: ":00", DAY: "T00:00"}, default=None, return_dtype=pl.String)
    return (pl.col("window") + rest).str.to_datetime("%Y-%m-%dT%H:%M", time_unit="us")


def abundance(
    counts: Counts, taxa: pl.DataFrame, origin: Origin, seed: int = 0, block_seconds: float = BLOCK_SECONDS
) -> pl.DataFrame:
    """The columns `ABUNDANCE`, a row a window and kind of `taxa` (`kind`, `kind_id`, `scientific_name`,
    `name_source`), zeros where it was searched for and not seen; windows by kind, then in order of name.

    Hours and days are those of parts whose time of day is known, and minutes of other parts those of their video.
    """
    tables = [empty_table(ABUNDANCE)]
    for kind, name in window_names().items():
        parts = _timed(counts.effort.with_columns(name.alias("window")).drop_nulls("window"))
        if parts.height:
            found = [_seen(parts, counts.seen), _present(parts, counts.present)]
            found.append(_intervals(parts, counts.seen, taxa["kind"], seed, block_seconds))
            table = _effort(parts).join(taxa, how="cross")
            for of_kind in found:
                table = table.join(of_kind, on=[*WINDOW, "kind"], how="left", nulls_equal=True)
            tables.append(_completed(table, kind, origin))
    return pl.concat(tables)


def _timed(parts: pl.DataFrame) -> pl.DataFrame:
    """The parts with the `moment` of their first look, in seconds of whatever clock all parts of their window have."""
    moment = (
        pl.when(pl.col("video").n_unique().over(WINDOW) == 1)
        .then("start_seconds")
        .when(pl.col("recorded_at").is_not_null().all().over(WINDOW))
        .then(pl.col("recorded_at").dt.epoch("us") / 1e6)
        .when(pl.col("elapsed_seconds").is_not_null().all().over(WINDOW))
        .then("elapsed_seconds")
    )
    return parts.with_columns(moment.alias("moment"))


def _effort(effort: pl.DataFrame) -> pl.DataFrame:
    seconds = pl.col("n_frames_searched") * pl.col("step_seconds")
    alone = pl.col("video").n_unique() == 1
    rules = pl.col("max_n_rule").unique()
    return effort.group_by(WINDOW).agg(
        pl.when(alone).then(_of_searched("start_seconds").min()).alias("start_seconds"),
        pl.when(alone).then(_of_searched("end_seconds").max()).alias("end_seconds"),
        pl.when(pl.col("recorded_at").is_not_null().all())
        .then(_of_searched("recorded_at").min())
        .alias("recorded_at"),  # a start that is not known may be the first
        pl.col("video").filter(pl.col("n_frames_searched") > 0).n_unique().cast(pl.Int64).alias("n_clips"),
        pl.col("n_frames_searched").sum(),
        seconds.sum().alias("seconds_searched"),
        (
            (pl.col("swept_fields") * pl.col("n_looks")).sum()
            / pl.col("n_looks").filter(pl.col("swept_fields").is_not_null()).sum()
        )
        .fill_nan(None)
        .alias("swept_fields"),
        ((pl.col("n_looks") - pl.col("n_frames_searched")).sum() / pl.col("n_looks").sum()).alias("wiped_share"),
        pl.when(rules.len() == 1).then(rules.first()).otherwise(pl.lit(MIXED)).alias("max_n_rule"),
    )


def _of_searched(name: str) -> pl.Expr:
    """The column of the window's parts in which something was searched, or of all where nothing was."""
    is_searched = pl.col("n_frames_searched") > 0
    return pl.col(name).filter(is_searched | ~is_searched.any())


def _seen(parts: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    """What was counted of each kind in each window that it was seen in."""
    since = pl.col("moment") - _of_searched("moment").min().over(WINDOW)
    timed = parts.select(*WINDOW, "video", "part", "start_seconds", since.alias("since"))
    rows = timed.join(seen, on=["video", "part"]).with_columns(
        (pl.col("since") + pl.col("first_seconds") - pl.col("start_seconds")).alias("arrival"),
    )
    rows = rows.sort("since", "video", "part", nulls_last=True).sort("max_n", descending=True, maintain_order=True)
    return rows.group_by(*WINDOW, "kind", maintain_order=True).agg(
        pl.col("max_n").first(),
        pl.when(pl.col("max_n").first() > 0).then(pl.col("video").first()).alias("max_n_video"),
        pl.when(pl.col("max_n").first() > 0).then(pl.col("max_n_frame").first()).alias("max_n_frame"),
        pl.col("count_seconds", "n_frames_occupied").sum(),
        pl.col("arrival").min().alias("first_arrival_seconds"),
        pl.col("video").filter(pl.col("n_frames_occupied") > 0).n_unique().alias("n_clips_occupied"),
    )


def _present(parts: pl.DataFrame, present: pl.DataFrame) -> pl.DataFrame:
    rows = parts.select(*WINDOW, "video", "part").join(present, on=["video", "part"])
    return rows.group_by(*WINDOW, "kind").agg(pl.col("tracklet_id").n_unique().cast(pl.Int64).alias("n_tracklets"))


def _intervals(
    parts: pl.DataFrame, seen: pl.DataFrame, kinds: pl.Series, seed: int, block_seconds: float
) -> pl.DataFrame:
    """`mean_count_low`, `mean_count_high` and `interval`, a row a window and kind."""
    counts = parts.select(*WINDOW, "video", "part").join(seen, on=["video", "part"])
    counts = counts.group_by(*WINDOW, "video", "kind").agg(pl.col("count_seconds").sum())
    of_windows, none = counts.partition_by(WINDOW, as_dict=True), counts.clear()
    tables = []
    for window, own in parts.partition_by(WINDOW, as_dict=True, maintain_order=True).items():
        clips = _clips(own, block_seconds)
        seconds = _by_clip(of_windows.get(window, none), clips["video"], kinds)
        known = block_seconds if clips["is_timed"].all() else None
        made = mean_intervals(seconds, clips["searched"].to_numpy(), clips["block"].to_numpy(), seed, known)
        ends = {"mean_count_low": made.low, "mean_count_high": made.high}
        ends = {name: None if end is None else pl.Series(end) for name, end in ends.items()}
        # Of what no clip shows every draw has none: an interval of nothing would say that there is none, for sure.
        is_seen = pl.Series(seconds.any(axis=0))
        told = pl.when(is_seen | pl.lit(made.low is None)).then(pl.lit(made.told)).otherwise(pl.lit(NEVER_SEEN))
        tables.append(
            pl.DataFrame({"kind": kinds}).with_columns(
                *[pl.lit(value, pl.String).alias(name) for name, value in zip(WINDOW, window, strict=True)],
                *[pl.when(is_seen).then(pl.lit(end, pl.Float64)).alias(name) for name, end in ends.items()],
                told.alias("interval"),
            )
        )
    return pl.concat(tables)


def _by_clip(counts: pl.DataFrame, videos: pl.Series, kinds: pl.Series) -> np.ndarray:
    """float64 `(n_clips, n_kinds)`, the `count_seconds` of each of these videos and kinds."""
    grid = np.zeros((len(videos), len(kinds)))
    rows, columns = ({name: place for place, name in enumerate(names)} for names in (videos, kinds))
    for video, kind, seconds in counts.select("video", "kind", "count_seconds").iter_rows():
        grid[rows[video], columns[kind]] = seconds
    return grid


def _clips(parts: pl.DataFrame, block_seconds: float) -> pl.DataFrame:
    """A row a clip: `video`, `searched` (seconds), `block` and `is_timed`; each is its own block where not all of the
    window's clips have a time."""
    clips = parts.group_by("video", maintain_order=True).agg(
        (pl.col("n_frames_searched") * pl.col("step_seconds")).sum().alias("searched"), pl.col("moment").min()
    )
    is_timed = pl.col("moment").is_not_null().all()
    block = pl.when(is_timed).then((pl.col("moment") / block_seconds).floor().cast(pl.Int64))
    return clips.with_columns(block.otherwise(pl.int_range(pl.len())).alias("block"), is_timed.alias("is_timed"))


def _completed(table: pl.DataFrame, window_kind: str, origin: Origin) -> pl.DataFrame:
    counted = ("max_n", "count_seconds", "n_frames_occupied", "n_clips_occupied", "n_tracklets")
    has_effort = pl.col("n_frames_searched") > 0
    table = table.with_columns(pl.col(counted).fill_null(0)).with_columns(
        pl.lit(window_kind).alias("window_kind"),
        pl.when(has_effort).then(pl.col("count_seconds") / pl.col("seconds_searched")).alias("mean_count"),
        pl.when(has_effort).then(pl.col("n_frames_occupied") / pl.col("n_frames_searched")).alias("occupancy_share"),
        pl.when(has_effort).then(pl.col("n_clips_occupied") / pl.col("n_clips")).alias("occupied_clips_share"),
        pl.when(has_effort)
        .then(pl.col("n_tracklets") * SECONDS_AN_HOUR / pl.col("seconds_searched"))
        .alias("sightings_an_hour"),
        pl.lit(None, pl.Int64).alias("n_animals"),  # of clips, where pieces were joined: `animals.with_animals`
        pl.lit(origin.backbone, pl.String).alias("backbone"),
        pl.lit(origin.recipe, pl.String).alias("recipe"),
        pl.lit(origin.labels_version, pl.String).alias("labels_version"),
    )
    ordered = table.sort("window", "station", "kind", nulls_last=True)
    return typed(ordered, ABUNDANCE)
