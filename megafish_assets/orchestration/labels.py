"""What people say of fish, as it reaches the platform: files in the inbox, a table that MEGAFISH_LABELS names, and the
list of species that names are taken from."""

from pathlib import Path

import dagster as dg
import polars as pl
from pydantic import Field

from megafish_assets.orchestration.label_inbox import LabelInbox
from megafish_assets.orchestration.settings import Settings
from megafish_assets.storage.delta import MissingTableError, Table, masked

LABEL_READERS = {".csv": lambda uri: pl.read_csv(uri, infer_schema=False), ".parquet": pl.read_parquet}
"""By the name's ending; anything else is a Delta table."""


class Labels(dg.ConfigurableResource):
    """What people say crops show, if anybody did."""

    uri: str | None = Field(default=None, description="A Parquet or CSV file, or a Delta table.")
    folder: str | None = Field(default=None, description="Where the inbox lies, see `LabelInbox`.")
    species: str | None = Field(default=None, description="A CSV of the region's species; none: any name.")

    @classmethod
    def of(cls, settings: Settings) -> "Labels":
        """What is said of a collection."""
        return cls(
            uri=settings.labels,
            folder=str(settings.catalog.labels),
            species=None if settings.species is None else str(settings.species),
        )

    @property
    def inbox(self) -> LabelInbox:
        """The folder into which people lay files."""
        return LabelInbox(Path(self.folder or "labels"))

    @property
    def species_path(self) -> Path | None:
        """The list of species; None where none is named."""
        return None if self.species is None else Path(self.species)

    def read_file(self) -> pl.DataFrame | None:
        """The whole table of MEGAFISH_LABELS; None where none is named.

        Raises FileNotFoundError, and ValueError for what is no table.
        """
        if self.uri is None:
            return None
        if "://" not in self.uri and not Path(self.uri).exists():
            raise FileNotFoundError(f"no table of labels at {self.uri}: correct MEGAFISH_LABELS")
        reader = LABEL_READERS.get(Path(self.uri).suffix.lower())
        if reader is None and Path(self.uri).is_file():
            raise ValueError(f"MEGAFISH_LABELS = {self.uri}: a .csv or .parquet file, or the folder of a Delta table")
        try:
            return reader(self.uri) if reader else Table(self.uri).scan().collect()
        except (pl.exceptions.PolarsError, MissingTableError) as error:
            raise ValueError(f"MEGAFISH_LABELS = {masked(self.uri)} can't be read: {masked(str(error))}") from None
