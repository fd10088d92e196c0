"""The report as one HTML file: its templates stand in `report_page/`, and nothing that it needs lies elsewhere.

All text goes through Jinja's escaping, so that a name that people gave stays a name; the charts' data are JSON that no
letter can leave; and the page's Content-Security-Policy runs only the two scripts whose hashes it names.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from megafish_assets.atlas.report_charts import MOST_STABLE, shown
from megafish_assets.atlas.report_content import Report
from megafish_assets.atlas.report_doing import FEWEST_TOLD, REASONS
from megafish_assets.atlas.report_pictures import Pictures, as_address, carded, sizes_for
from megafish_assets.atlas.report_times import OTHERS
from megafish_assets.features.plots import REST_COLOUR

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup
    from plotly.graph_objects import Figure

PAGE = Path(__file__).parent / "report_page"

POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {scripts}; base-uri 'none'; "
    "form-action 'none'"
)

UI = "http://127.0.0.1:3000"
"""Where `make up` serves Dagster's pages, unless it is told otherwise."""

SECONDS_A_FRAME = 12
"""In which a person marks what the detector missed: 50 frames in about ten minutes."""

BACKTICKS = re.compile("`([^`]+)`")

CALLED = {
    "person": "Named by people.",
    "classified": "Most of it named by what it looks like.",
    "kind": "Most of it named as the rest of its group.",
    "unnamed": "Nobody has named it yet.",
}
"""Who named most of a kind, in words."""


def report_html(report: Report, pictures: Pictures, charts: Mapping[str, "Figure"]) -> str:
    """The whole page."""
    from plotly.offline import get_plotlyjs

    plotly, page_script = get_plotlyjs(), (PAGE / "page.js").read_text(encoding="utf-8")
    cards = carded(report.kinds)
    return (
        _templates()
        .get_template("page.html")
        .render(
            report=report,
            pictures=pictures,
            cards=cards,
            n_crops=sizes_for(len(cards))[1],
            searched=report.searched,
            n_kinds=len(report.named) + len(report.numbered),
            most=max((kind for kind in report.kinds if kind.is_kind), key=lambda kind: kind.max_n, default=None),
            total_mean=sum(kind.mean_count for kind in report.kinds),
            has_intervals=any(kind.mean_count_low is not None for kind in report.kinds),
            colours={kind.name: kind.colour for kind in report.kinds} | {OTHERS: REST_COLOUR},
            most_stable=MOST_STABLE,
            seconds_a_frame=SECONDS_A_FRAME,
            rest_colour=REST_COLOUR,
            fewest_told=FEWEST_TOLD,
            reasons=REASONS,
            any_frame=any(pictures.frames[kind.name].jpeg is not None for kind in cards),
            ui=UI,
            charts=charts,
            chart_data=_inert(charts),
            policy=POLICY.format(scripts=" ".join(map(_hash, (plotly, page_script)))),
            style=(PAGE / "page.css").read_text(encoding="utf-8"),
            plotly=plotly,
            page_script=page_script,
        )
    )


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(PAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "address": as_address,
        "called": CALLED.__getitem__,
        "coded": coded,
        "count": count,
        "date": date,
        "day": day,
        "lasting": lasting,
        "many": many,
        "mean": mean,
        "moment": moment,
        "percent": percent,
        "shown": shown,
        "staying": staying,
        "until": until,
    }
    return environment


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _inert(charts: Mapping[str, "Figure"]) -> str:
    """The charts as JSON, in ASCII, without the letters that could end a script's element."""
    told = json.dumps({name: json.loads(figure.to_json()) for name, figure in charts.items()}, separators=(",", ":"))
    for letter in "<>&":
        told = told.replace(letter, f"\\u{ord(letter):04x}")
    return told


def coded(text: str) -> "Markup":
    """The text, escaped, with what stands between backticks as code."""
    from markupsafe import Markup, escape

    return Markup(BACKTICKS.sub(r"<code>\1</code>", str(escape(text))))


def count(n: int) -> str:
    """`1 589`, with a narrow space that does not break."""
    return f"{n:,}".replace(",", "\u202f")


def many(n: int, thing: str, things: str | None = None) -> str:
    """`1 clip`, `2 clips`."""
    return f"{count(n)} {thing if n == 1 else things or f'{thing}s'}"


def mean(number: float) -> str:
    """Two decimals; what is less than they show is not nothing."""
    return "< 0.01" if 0 < number < 0.005 else f"{number:.2f}"


def percent(share: float) -> str:
    """`3 %`; what is less than a percent, or than all, is not rounded to none or all."""
    if 0 < share < 0.01:
        return "< 1 %"
    if 0.99 < share < 1:
        return "> 99 %"
    return f"{share:.0%}".replace("%", "\u202f%")


def lasting(seconds: float) -> str:
    """`2.0 minutes`, `13.2 hours`."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.1f} minutes" if seconds < 5400 else f"{count(round(seconds / 3600, 1))} hours"


def staying(seconds: float) -> str:
    """`5.2 s`, `4.0 minutes`: of times that are shorter than those of `lasting`."""
    return f"{seconds:.1f}\u202fs" if seconds < 90 else lasting(seconds)


def moment(seconds: float) -> str:
    """`0:03.9`, as players show it."""
    whole, part = divmod(round(seconds * 10), 600)
    hours, minutes = divmod(whole, 60)
    told = f"{minutes:02d}:{part / 10:04.1f}" if hours else f"{minutes}:{part / 10:04.1f}"
    return f"{hours}:{told}" if hours else told


def date(when: datetime) -> str:
    """`3 May 2025, 06:12`."""
    return f"{day(when)}, {when:%H:%M}"


def until(end: datetime, start: datetime) -> str:
    """The end of a span, of the same day by its time alone."""
    return f"{end:%H:%M}" if end.date() == start.date() else date(end)


def day(when: datetime) -> str:
    """`3 May 2025`."""
    return f"{when.day} {when:%B %Y}"
