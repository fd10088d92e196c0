"""The forms in which assets take and give data: what an input's annotation stands for, and how each becomes a table.

`pl.DataFrame` and `pl.LazyFrame` are rows, `CropBatches` pictures on their way to the device, `EmbeddingBatch`
vectors on the device, `EmbeddingStream` vectors that pass by, `Fitted` rows beside the model that made them,
`TableStream` rows that are stored while they are made. Not here: where a table lies, and how it is committed.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from megafish_assets.crops.batches import CropBatches
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.embeddings.tables import EmbeddingStream, batch_of, vectors_table
from megafish_assets.storage.catalog import model_of
from megafish_assets.storage.delta import Table
from megafish_assets.storage.devices import resolved_device
from megafish_assets.storage.partitions import VIDEO_COLUMN

KEY = "detection_id"
"""Every table that has it is read in its order: Delta promises none."""


FIT = "fit_version"
"""Column that ties rows to the model that made them."""

VECTORS_VERSION = "vectors_version"
"""In an asset's metadata: that of its vectors which are read; without it, the one that all have."""


class MixedFitError(RuntimeError):
    """Rows and the model beside them come from different fits."""


class TableStream:
    """Rows that are made frame by frame while they are stored, so that memory holds one at a time; read back they are
    one frame.

    An object and not a generator, which Dagster would take for the asset's own events.
    """

    def __init__(self, make: Callable[[], Iterable[pl.DataFrame]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[pl.DataFrame]:
        return iter(self._make())


@dataclass(frozen=True)
class Fitted:
    """Rows, and beside them the model that made them, so that new rows can be put through it."""

    rows: pl.DataFrame | TableStream
    model: pl.DataFrame
    """Stored beside the rows, see `catalog.model_of`."""

    @property
    def version(self) -> str:
        """Twelve hexadecimal digits that change with the model; both tables carry them."""
        return hashlib.sha256(self.model.write_ipc(None).getvalue()).hexdigest()[:12]


@dataclass(frozen=True)
class InputRequest:
    """What an input asks for: some rows of a table, on a device."""

    table: Table
    keys: Sequence[str] | None
    """Partitions; None for a table without them."""
    columns: Sequence[str] | None
    device: str
    """As configured; `auto` is resolved by the forms that need a device, since asking costs importing torch."""
    version: str | None
    """Of the vectors that are wanted; None for the one that all have."""

    def scan(self) -> pl.LazyFrame:
        """The rows, not yet read."""
        rows = self.table.scan()
        if self.keys is not None:
            rows = rows.filter(pl.col(VIDEO_COLUMN).is_in(list(self.keys)))
        return rows.select(self.columns) if self.columns else rows

    def collect(self) -> pl.DataFrame:
        """The rows, sorted by key where they have one."""
        rows = self.scan().collect()
        return rows.sort(KEY) if KEY in rows.columns else rows


def _read_crops(request: InputRequest) -> CropBatches:
    rows = request.scan().filter(pl.col("fault").is_null()).select(KEY, "jpeg").collect().sort(KEY)
    ids = rows[KEY].to_numpy() if rows.height else np.empty(0, dtype=object)
    return CropBatches(ids, rows["jpeg"].to_list(), resolved_device(request.device))


def _read_vectors(request: InputRequest) -> EmbeddingBatch:
    rows = request.scan().select(KEY, "vector", "vectors_version").collect()
    return batch_of(rows, resolved_device(request.device), request.version)


def _read_vectors_by_and_by(request: InputRequest) -> EmbeddingStream:
    return EmbeddingStream.of_table(request.scan(), request.version)


def _read_fitted(request: InputRequest) -> Fitted:
    rows, model = request.collect(), model_of(request.table).scan().collect()
    if set(rows[FIT].unique()) != set(model[FIT].unique()):
        raise MixedFitError(
            f"the rows at {request.table.uri} and the model beside them are of two fits: a run was cut off"
        )
    return Fitted(rows.drop(FIT), model.drop(FIT))


READERS: dict[type, Callable[[InputRequest], Any]] = {
    pl.DataFrame: InputRequest.collect,
    pl.LazyFrame: InputRequest.scan,
    CropBatches: _read_crops,
    EmbeddingBatch: _read_vectors,
    EmbeddingStream: _read_vectors_by_and_by,
    Fitted: _read_fitted,
}

WRITERS: dict[type, Callable[[Any], pl.DataFrame]] = {
    pl.DataFrame: lambda frame: frame,
    EmbeddingBatch: vectors_table,
}


def table_of(obj: Any) -> pl.DataFrame:
    """The rows of what an asset returned. Raises TypeError for what is no form."""
    if type(obj) not in WRITERS:
        raise TypeError(f"an asset returned {type(obj)}; can store {[form.__name__ for form in WRITERS]}")
    return WRITERS[type(obj)](obj)
