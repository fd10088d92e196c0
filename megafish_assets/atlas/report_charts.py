"""Charts of the report, as Plotly figures: quiet, wide as the page, and as readable on paper."""

from typing import TYPE_CHECKING

from megafish_assets.atlas.report_content import Doubt, Grid, Kind, Times
from megafish_assets.atlas.report_times import OTHERS
from megafish_assets.features.plots import NOISE_COLOUR, REST_COLOUR
from megafish_assets.labels.naming import UNNAMED

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

INK, QUIET, RULE = "#1d2b33", "#5c6b73", "#dfe4e6"
SEA = ((0.0, "#f4f8f9"), (0.15, "#cfe5ea"), (0.4, "#7fb9c7"), (0.7, "#2f7f95"), (1.0, "#0b3c4d"))
"""From nothing seen to the most; what was not searched is left white."""

ROW_PX, BAR_PX = 22, 19
MOST_STABLE = 60
"""Kinds in the chart of stability; the weakest are left out first."""

FONT = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"
NAME_LETTERS = 26
"""Of a name beside a chart; the whole of it stands in the table."""


def time_line(grid: Grid, unit: str) -> "Figure":
    """Rows of kinds, columns of hours or clips; dark is where each was seen most, measured by its own most."""
    from plotly.graph_objects import Heatmap

    shares = [[None if mean is None else (mean / top if top else 0.0) for mean in row] for row, top in _tops(grid)]
    texts = [
        [
            _hover(kind, window, mean, minutes)
            for window, mean, minutes in zip(grid.windows, row, grid.minutes, strict=True)
        ]
        for kind, row in zip(grid.kinds, grid.mean_counts, strict=True)
    ]
    figure = _figure(height_px=70 + ROW_PX * max(1, len(grid.kinds)))
    figure.add_trace(
        Heatmap(
            z=shares,
            x=list(range(len(grid.windows))),
            y=list(range(len(grid.kinds))),
            text=texts,
            hoverinfo="text",
            colorscale=[list(step) for step in SEA],
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=1,
            ygap=2,
        )
    )
    # By place: two long names that are shortened to the same letters would share a row.
    rows = {"tickvals": list(range(len(grid.kinds))), "ticktext": [_shortened(kind) for kind in grid.kinds]}
    figure.update_yaxes(autorange="reversed", showgrid=False, tickmode="array", **rows)
    figure.update_xaxes(showgrid=False, **_ticks(grid.windows, unit))
    return figure


def _tops(grid: Grid) -> list[tuple[tuple[float | None, ...], float]]:
    return [(row, max((mean for mean in row if mean is not None), default=0.0)) for row in grid.mean_counts]


def _hover(kind: str, window: str, mean: float | None, minutes: float) -> str:
    told = "not searched" if mean is None else f"{mean:.2f} in view on average, {minutes:.1f} min searched"
    return f"{_plain(shown(kind))}<br>{_plain(window)}: {told}"


def over_time(grid: Grid, unit: str, kinds: tuple[Kind, ...]) -> "Figure":
    """Bars of how many were in view on average, stacked by kind."""
    from plotly.graph_objects import Bar

    colours = {kind.name: kind.colour for kind in kinds} | {OTHERS: REST_COLOUR, UNNAMED: NOISE_COLOUR}
    figure = _figure(height_px=320)
    for kind, row in zip(grid.kinds, grid.mean_counts, strict=True):
        texts = [_hover(kind, *rest) for rest in zip(grid.windows, row, grid.minutes, strict=True)]
        figure.add_trace(
            Bar(
                x=list(range(len(grid.windows))),
                y=list(row),
                marker={"color": colours[kind], "line": {"width": 0}},
                hovertext=texts,
                hoverinfo="text",
            )
        )
    figure.update_layout(
        barmode="stack",
        bargap=0.15,
    )
    figure.update_xaxes(**_ticks(grid.windows, unit))
    figure.update_yaxes(title="in view on average", rangemode="tozero")
    return figure


def stability(doubt: Doubt) -> "Figure":
    """How well each kind is found again when videos are drawn anew, the surest first."""
    from plotly.graph_objects import Bar

    shown = doubt.stable[:MOST_STABLE]
    figure = _figure(height_px=80 + BAR_PX * max(1, len(shown)))
    for is_sure in (True, False):
        rows = [row for row in shown if row.is_sure == is_sure]
        figure.add_trace(
            Bar(
                orientation="h",
                y=[_shortened(row.kind) for row in rows],
                x=[0.0 if row.jaccard is None else row.jaccard for row in rows],
                marker={"color": "#2f7f95" if is_sure else "#c3cdd1"},
                hovertext=[_found_again(row.kind, row.jaccard, row.n_tracklets, row.n_videos) for row in rows],
                hoverinfo="text",
            )
        )
    order = [_shortened(row.kind) for row in shown]
    figure.update_yaxes(categoryorder="array", categoryarray=order[::-1], showgrid=False)
    figure.update_xaxes(range=[0, 1.02], title="found again, 0 to 1")
    figure.update_layout(bargap=0.35)
    return figure


def _found_again(kind: str, jaccard: float | None, n_tracklets: int, n_videos: int) -> str:
    told = "in no draw" if jaccard is None else f"{jaccard:.2f}"
    return f"{_plain(kind)}<br>found again: {told}<br>{n_tracklets} tracklets in {n_videos} videos"


def charts_of(times: Times, doubt: Doubt, kinds: tuple[Kind, ...]) -> dict[str, "Figure"]:
    """Every chart, by the place of the page that it fills."""
    charts = {f"when-{place}": time_line(grid, times.unit) for place, grid in enumerate(times.grids) if grid.kinds}
    charts |= {
        f"over-{place}": over_time(grid, times.over_unit, kinds) for place, grid in enumerate(times.over) if grid.kinds
    }
    return charts | ({"stability": stability(doubt)} if doubt.stable else {})


def _ticks(windows: tuple[str, ...], unit: str) -> dict:
    """At most a dozen names below the columns, and fewer of long ones."""
    n = 12 if unit == "hour" and len(windows) == 24 else max(2, min(12, 90 // max(1, *map(len, windows), 6)))
    step = max(1, -(-len(windows) // n))
    places = list(range(0, len(windows), step))
    return {
        "range": [-0.5, len(windows) - 0.5],
        "tickmode": "array",
        "tickvals": places,
        "ticktext": [_plain(windows[place]) for place in places],
    }


def shown(kind: str) -> str:
    """What a reader is told of a kind's name in `abundance`."""
    return "no kind, no name" if kind == UNNAMED else kind


def _shortened(name: str) -> str:
    name = shown(name)
    return _plain(name if len(name) <= NAME_LETTERS else f"{name[: NAME_LETTERS - 1]}…")


def _plain(text: str) -> str:
    """The text, of which Plotly takes nothing for markup: it knows tags, entities and LaTeX between dollars."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("$", "\uff04")


def _figure(height_px: int) -> "Figure":
    from plotly.graph_objects import Figure

    axis = {
        "gridcolor": RULE,
        "zeroline": False,
        "linecolor": RULE,
        "ticks": "",
        "automargin": True,
        "fixedrange": True,
    }
    return Figure(
        layout={
            "template": "none",
            "height": height_px,
            "showlegend": False,  # the page writes it: Plotly's overlaps the chart on paper
            "margin": {"l": 20, "r": 12, "t": 12, "b": 44},
            "font": {"family": FONT, "size": 12, "color": INK},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "hoverlabel": {"bgcolor": "#ffffff", "bordercolor": QUIET, "font": {"family": FONT, "color": INK}},
            "xaxis": axis,
            "yaxis": axis | {"type": None},
        }
    )
