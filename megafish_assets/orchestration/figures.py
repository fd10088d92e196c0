"""A matplotlib figure as a file and as a picture in the page."""

import io

import dagster as dg
from matplotlib.figure import Figure

from megafish_assets.orchestration.metadata import picture
from megafish_assets.orchestration.resources import Figures

FILE_DPI = 150
PAGE_DPI = 72
"""A 9 x 6 inch plot of histograms takes about 40 kB in the event log."""


def png(figure: Figure, dpi: int) -> bytes:
    """The figure as PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def figure_metadata(figures: Figures, asset_key: dg.AssetKey, name: str, figure: Figure) -> dict[str, dg.MetadataValue]:
    """Saves `<name>.png` among the asset's figures; returns its path and the small picture for the page."""
    path = figures.save(asset_key, f"{name}.png", png(figure, FILE_DPI))
    return {name: picture(png(figure, PAGE_DPI), name), f"{name}_file": dg.MetadataValue.path(str(path))}
