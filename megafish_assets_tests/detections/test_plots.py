"""Histograms can be drawn of whatever the detector saw."""

import io

import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure

from megafish_assets.detections.plots import filter_histograms
from megafish_assets.detections.size_limits import SizeLimits

LIMITS = SizeLimits(3.5, 6.5, 3.5, 6.5, floor_1024=32.0, n_rows=2)


def raw(*rows: tuple[float, float, float]) -> pl.LazyFrame:
    names = ("width_1024", "height_1024", "score")
    return pl.LazyFrame(rows, schema=dict.fromkeys(names, pl.Float64), orient="row")


def drawn(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=40)
    return file.getvalue()


@pytest.mark.parametrize(
    ("rows", "title"),
    [
        ([], "0 raw detections, 0.0% kept"),
        ([(50, 60, 0.5)], "1 raw detections, 100.0% kept"),
        ([(50, 60, 0.5), (0, 60, 0.5), (np.nan, 60, np.nan), (np.inf, 9, 1)], "4 raw detections, 25.0% kept"),
        (np.random.default_rng(0).lognormal(4, 1, (2_000, 3)).tolist(), "2,000 raw detections"),
    ],
    ids=["none", "one", "odd", "many"],
)
def test_histograms_are_drawn_and_say_how_many_were_kept(rows: list, title: str) -> None:
    figure = filter_histograms(raw(*rows), LIMITS)
    assert drawn(figure).startswith(b"\x89PNG")
    assert figure.get_suptitle().startswith(title)


def test_histograms_count_every_row_before_and_after() -> None:
    figure = filter_histograms(raw((50, 60, 0.2), (50, 60, 0.4), (10, 10, 0.6)), LIMITS)
    heights = [patch.get_height() for patch in figure.axes[0].patches]
    assert sum(heights) == 3 + 2
