"""Plots and montages as files, and small ones in the UI."""

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from matplotlib.figure import Figure
from pydantic import Field

from megafish_assets.reporting.metadata import picture
from megafish_assets.storage.catalog import figure_folder


class Figures(dg.ConfigurableResource):
    """The folder where plots and montages are kept as files."""

    folder: str = Field(description="Folder of the picture files.")

    def place(self, asset_key: dg.AssetKey) -> Path:
        """The folder of an asset's pictures."""
        return figure_folder(self.folder, asset_key.to_user_string())

    def save(self, asset_key: dg.AssetKey, name: str, content: bytes) -> Path:
        """Writes `<folder>/<asset key>/<name>` and returns its path; an older picture is replaced."""
        path = self.place(asset_key) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{name}.partial")
        partial.write_bytes(content)
        partial.replace(path)
        return path

    def replace_all(self, asset_key: dg.AssetKey, pictures: dict[str, bytes]) -> None:
        """Makes these, by name, the asset's only pictures."""
        for name, content in pictures.items():
            self.save(asset_key, name, content)
        for path in self.place(asset_key).iterdir():
            if path.is_file() and path.name not in pictures:
                path.unlink()

    @contextmanager
    def new_folder(self, asset_key: dg.AssetKey) -> Iterator[Path]:
        """An empty folder beside the asset's, which takes its place as a whole when the block ends well.

        Whatever the asset's folder held is gone then; after an error it is as it was.
        """
        place = self.place(asset_key)
        partial, old = (place.with_name(f".{place.name}.{suffix}") for suffix in ("partial", "old"))
        for leftover in (partial, old):
            shutil.rmtree(leftover, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            yield partial
            if place.exists():
                place.rename(old)
            partial.rename(place)
        finally:
            for leftover in (partial, old):
                shutil.rmtree(leftover, ignore_errors=True)


FILE_DPI = 150
PAGE_DPI = 72
"""A 9 x 6 inch plot of histograms takes about 40 kB in the event log."""


def png(figure: Figure, dpi: int) -> bytes:
    """The figure as PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def figure_metadata(figures: Figures, asset_key: dg.AssetKey, name: str, figure: Figure) -> dict[str, dg.MetadataValue]:
    """Saves `<name>.png` among the asset's figures; returns its path and the small picture for the UI."""
    path = figures.save(asset_key, f"{name}.png", png(figure, FILE_DPI))
    return {name: picture(png(figure, PAGE_DPI), name), f"{name}_file": dg.MetadataValue.path(str(path))}
