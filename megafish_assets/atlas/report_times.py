"""When kinds were seen: MeanCount by the hour of the day, or over clips where no clock is known, and over all days."""

import polars as pl

from megafish_assets.atlas.report_content import UNNAMED, Grid, Kind, Times

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

OTHERS = "all others"


def times_of(abundance: pl.DataFrame, kinds: tuple[Kind, ...]) -> Times:
    """When they were seen, from a table with the columns `ABUNDANCE`, and the kinds that were, the commonest first."""
    stations = _stations(abundance)
    names = [kind.name for kind in kinds]
    by_clock = (abundance["window_kind"] == "hour").any()
    unit = "hour" if by_clock else "clip"
    windows = abundance.filter(pl.col("window_kind") == unit)
    shown = stations[:MOST_STATIONS]
    joined = 1 if by_clock else -(-windows["window"].n_unique() // MOST_COLUMNS)
    over_unit = next((one for one, n in FEWEST.items() if _n_windows(abundance, one) >= n), "clip")
    return Times(
        unit=unit,
        grids=tuple(_time_line(windows, station, names[:MOST_ROWS], unit, joined) for station in shown),
        n_clips_a_window=joined,
        over_unit=over_unit,
        over=tuple(_over(abundance, station, names, over_unit) for station in shown),
        n_stations_left_out=len(stations) - len(shown),
        n_kinds_left_out=max(0, len(names) - MOST_ROWS),
    )


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
        placed = rows.with_columns(pl.col("recorded_at").dt.hour().cast(pl.Int64).alias("place"))
        return _grid(placed, station, names, [f"{hour:02d}:00" for hour in range(24)])
    placed, labels = _placed_clips(rows, joined)
    return _grid(placed, station, names, labels)


def _placed_clips(rows: pl.DataFrame, joined: int) -> tuple[pl.DataFrame, list[str]]:
    """The rows of clips with the `place` of their column, and what the columns are called."""
    clips = rows.select("window", "recorded_at").unique("window").sort("recorded_at", "window", nulls_last=True)
    clips = clips.with_row_index("rank").with_columns((pl.col("rank") // joined).cast(pl.Int64).alias("place"))
    ends = clips.group_by("place", maintain_order=True).agg(
        pl.col("window").first().alias("first"), pl.col("window").last().alias("last")
    )
    labels = [first if first == last else f"{first} to {last}" for _, first, last in ends.iter_rows()]
    return rows.join(clips.select("window", "place"), on="window"), labels


def _over(abundance: pl.DataFrame, station: str | None, names: list[str], unit: str) -> Grid:
    """MeanCount of the commonest kinds, and of all others together, over the collection."""
    rows = abundance.filter((pl.col("window_kind") == unit) & pl.col("station").eq_missing(station))
    own = [name for name in names if name != UNNAMED][:MOST_BARS]
    grouped = pl.when(pl.col("kind").is_in(own)).then("kind").when(pl.col("kind") == UNNAMED).then("kind")
    rows = rows.with_columns(grouped.otherwise(pl.lit(OTHERS)).alias("kind"))
    if unit == "clip":
        rows, labels = _placed_clips(rows, -(-rows["window"].n_unique() // MOST_COLUMNS))
    else:
        every = rows["window"].unique().sort().to_list()
        labels = [str(window) for window in every]
        places = pl.DataFrame(
            {"window": every, "place": range(len(every))}, schema={"window": pl.String, "place": pl.Int64}
        )
        rows = rows.join(places, on="window")
    shown = [*own, *(name for name in (OTHERS, UNNAMED) if (rows["kind"] == name).any())]
    summed = rows.group_by("window", "place", "kind").agg(
        pl.col("mean_count").sum(), pl.col("seconds_searched").first()
    )
    return _grid(summed, station, shown, labels)


def _grid(rows: pl.DataFrame, station: str | None, names: list[str], labels: list[str]) -> Grid:
    """The mean of each kind in each place, by how long its windows were searched."""
    seconds = pl.col("seconds_searched")
    means = rows.group_by("kind", "place").agg(
        ((pl.col("mean_count") * seconds).sum() / seconds.sum()).alias("mean_count"), seconds.sum()
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
