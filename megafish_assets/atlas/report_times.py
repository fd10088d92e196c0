"""When kinds were seen: MeanCount by the hour of the day, or over clips where most have no clock, and over all days."""

import polars as pl

from megafish_assets.atlas.report_content import Grid, Kind, Times
from megafish_assets.footage.ids import in_natural_order
from megafish_assets.labels.naming import UNNAMED
from megafish_assets.sightings.windows import window_start

MOST_ROWS = 40
"""Kinds in a time line: one line of text each; more fill no page that can be read."""

MOST_BARS = 9
"""Kinds with a colour of their own in a bar of counts; the others are one."""

MOST_COLUMNS = 60
"""Clips beside each other; of more, some neighbors share a column."""

MOST_STATIONS = 4
"""With charts of their own: those that were searched longest."""

FEWEST = {"day": 3, "hour": 3}
"""Windows of a length from which on counts are shown by it; else by a shorter one."""

MOST_FILLED = 120
"""Hours or days beside each other, those that were not searched among them."""

TIMED_SHARE = 0.5
"""Of what was searched, from which on counts are shown by the clock: not less than half."""

EVERY = {"hour": ("1h", "%-d %b %H:00"), "day": ("1d", "%-d %b %Y")}
"""How long they are, and how they are written."""

OTHERS = "all others"


def times_of(abundance: pl.DataFrame, kinds: tuple[Kind, ...]) -> Times:
    """When they were seen, from a table with the columns `ABUNDANCE`, and the kinds that were, the commonest first."""
    stations = _stations(abundance)
    names = [kind.name for kind in kinds]
    by_clock = _is_by_clock(abundance)
    unit = "hour" if by_clock else "clip"
    windows = abundance.filter(pl.col("window_kind") == unit)
    shown = stations[:MOST_STATIONS]
    joined = 1 if by_clock else max(1, -(-windows["window"].n_unique() // MOST_COLUMNS))
    long_enough = (one for one, n in FEWEST.items() if by_clock and _n_windows(abundance, one) >= n)
    over_unit = next(long_enough, "clip")
    return Times(
        unit=unit,
        grids=tuple(_time_line(windows, station, names[:MOST_ROWS], unit, joined) for station in shown),
        n_clips_a_window=joined,
        over_unit=over_unit,
        over=tuple(_over(abundance, station, names, over_unit) for station in shown),
        n_stations_left_out=len(stations) - len(shown),
        n_kinds_left_out=max(0, len(names) - MOST_ROWS),
    )


def _is_by_clock(abundance: pl.DataFrame) -> bool:
    """Whether the hour is known of half of what was searched or more; hours of less would tell of the smaller part."""
    seconds = abundance.unique(["window_kind", "window", "station"]).group_by("window_kind").agg(
        pl.col("seconds_searched").sum()
    )  # fmt: skip
    searched = dict(seconds.iter_rows())
    return "hour" in searched and searched["hour"] >= TIMED_SHARE * searched.get("all", 0.0)


def _stations(abundance: pl.DataFrame) -> list[str | None]:
    """Those that were searched longest first; [None] where there are none."""
    whole = abundance.filter(pl.col("window_kind") == "all")
    longest = whole.group_by("station").agg(pl.col("seconds_searched").first())
    return longest.sort(["seconds_searched", "station"], descending=[True, False])["station"].to_list()


def _n_windows(abundance: pl.DataFrame, unit: str) -> int:
    return abundance.filter(pl.col("window_kind") == unit)["window"].n_unique()


def _time_line(windows: pl.DataFrame, station: str | None, names: list[str], unit: str, joined: int) -> Grid:
    rows = windows.filter(pl.col("station").eq_missing(station) & pl.col("kind").is_in(names))
    if unit == "hour":
        placed = rows.with_columns(window_start().dt.hour().cast(pl.Int64).alias("place"))
        return _grid(placed, station, names, [f"{hour:02d}:00" for hour in range(24)])
    placed, labels = _placed_clips(rows, joined)
    return _grid(placed, station, names, labels)


def _placed_clips(rows: pl.DataFrame, joined: int) -> tuple[pl.DataFrame, list[str]]:
    """The rows of clips with the `place` of their column, and what the columns are called."""
    clips = rows.select("window", "recorded_at").unique("window")
    clips = clips.sort("recorded_at", in_natural_order(clips["window"], "window"), nulls_last=True)
    placed = clips.select("window", place=_joined(clips.height, joined))
    return rows.join(placed, on="window"), _spans(clips["window"].to_list(), joined)


def _joined(n: int, joined: int) -> pl.Series:
    return pl.Series([rank // joined for rank in range(n)], dtype=pl.Int64)


def _spans(names: list[str], joined: int) -> list[str]:
    """What columns of so many neighbors are called."""
    parts = [names[start : start + joined] for start in range(0, len(names), joined)]
    return [part[0] if len(part) == 1 else f"{part[0]} to {part[-1]}" for part in parts]


def _placed_hours(rows: pl.DataFrame, unit: str) -> tuple[pl.DataFrame, list[str]]:
    """The same of hours and days: with those that were not searched between them, unless these are too many."""
    every, written = EVERY[unit]
    rows = rows.with_columns(window_start().alias("at"))
    known = rows["at"].unique().sort()
    if known.is_empty():
        return rows.with_columns(pl.lit(0, pl.Int64).alias("place")), []
    filled = pl.datetime_range(known.min(), known.max(), every, eager=True)
    shown = filled if len(filled) <= MOST_FILLED else known
    joined = -(-len(shown) // MOST_FILLED)
    places = pl.DataFrame({"at": shown, "place": _joined(len(shown), joined)})
    return rows.join(places, on="at"), _spans(shown.dt.strftime(written).to_list(), joined)


def _over(abundance: pl.DataFrame, station: str | None, names: list[str], unit: str) -> Grid:
    """MeanCount of the commonest kinds, and of all others together, over the collection."""
    rows = abundance.filter((pl.col("window_kind") == unit) & pl.col("station").eq_missing(station))
    own = [name for name in names if name != UNNAMED][:MOST_BARS]
    is_own = pl.col("kind").is_in([*own, UNNAMED])
    rows = rows.with_columns(pl.when(is_own).then("kind").otherwise(pl.lit(OTHERS)).alias("kind"))
    n_clips = rows["window"].n_unique()
    placed, labels = (
        _placed_clips(rows, -(-n_clips // MOST_COLUMNS) or 1) if unit == "clip" else _placed_hours(rows, unit)
    )
    shown = [*own, *(name for name in (OTHERS, UNNAMED) if (rows["kind"] == name).any())]
    windows = placed.group_by("window", "place", "kind").agg(
        pl.col("mean_count").sum(), pl.col("seconds_searched").first()
    )
    return _grid(windows, station, shown, labels)


def _grid(rows: pl.DataFrame, station: str | None, names: list[str], labels: list[str]) -> Grid:
    """The mean of each kind in each place, by how long its windows were searched."""
    seconds = pl.col("seconds_searched")
    # A window wholly behind the wiper has no mean, and 0 / 0 would blank its kind's row.
    means = (
        rows.filter(seconds > 0)
        .group_by("kind", "place")
        .agg(((pl.col("mean_count") * seconds).sum() / seconds.sum()).alias("mean_count"), seconds.sum())
    )
    known = {(kind, place): mean for kind, place, mean, _ in means.iter_rows()}
    searched = dict(means.select("place", "seconds_searched").iter_rows())
    return Grid(
        station=station,
        kinds=tuple(names),
        windows=tuple(labels),
        mean_counts=tuple(tuple(known.get((name, place)) for place in range(len(labels))) for name in names),
        minutes=tuple(searched.get(place, 0.0) / 60 for place in range(len(labels))),
    )
