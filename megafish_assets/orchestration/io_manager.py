"""Storage: one IO manager; the annotation of an input says in which form it arrives.

`pl.DataFrame` and `pl.LazyFrame` are rows, `CropBatches` pictures on their way to the device, `EmbeddingBatch`
vectors on the device, `Fitted` rows beside the model that made them. Tables lie at `<root>/<group>/<asset key>`.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
import numpy as np
import polars as pl
from dagster._core.storage.db_io_manager import DbIOManager, DbTypeHandler, TableSlice
from dagster_deltalake.config import LocalConfig
from dagster_deltalake.io_manager import DeltaLakeDbClient, DeltaLakeIOManager, TableConnection
from pydantic import Field

from megafish_assets.crops.batches import CropBatches
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.orchestration.delta import MissingTableError, Table
from megafish_assets.orchestration.devices import resolved_device
from megafish_assets.orchestration.partitions import VIDEO_COLUMN

KEY = "detection_id"
"""Every table that has it is read in its order: Delta promises none."""


FIT = "fit_version"
"""Column that ties rows to the model that made them."""


class MixedFitError(RuntimeError):
    """Rows and the model beside them come from different fits."""


@dataclass(frozen=True)
class Fitted:
    """Rows, and beside them the model that made them, so that new rows can be put through it."""

    rows: pl.DataFrame
    model: pl.DataFrame
    """Stored at the asset's own place with `_model` behind the first part of its key."""

    @property
    def version(self) -> str:
        """Twelve hexadecimal digits that change with the model; both tables carry them."""
        return hashlib.sha256(self.model.write_ipc(None).getvalue()).hexdigest()[:12]


@dataclass(frozen=True)
class Slice:
    """What an input asks for: some rows of a table, on a device."""

    table: Table
    keys: Sequence[str] | None
    """Partitions; None for a table without them."""
    columns: Sequence[str] | None
    device: str
    """As configured; `auto` is resolved by the forms that need a device, since asking costs importing torch."""
    version: str | None
    """Code version of the asset that wrote it; None where it has none."""

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


def _read_crops(part: Slice) -> CropBatches:
    rows = part.scan().filter(pl.col("fault").is_null()).select(KEY, "jpeg").collect().sort(KEY)
    ids = rows[KEY].to_numpy() if rows.height else np.empty(0, dtype=object)
    return CropBatches(ids, rows["jpeg"].to_list(), resolved_device(part.device))


def _read_vectors(part: Slice) -> EmbeddingBatch:
    rows = part.scan().select(KEY, "vector", "vectors_version").collect()
    return EmbeddingBatch.from_frame(rows, resolved_device(part.device), part.version)


def _read_fitted(part: Slice) -> Fitted:
    rows, model = part.collect(), model_table(part.table).scan().collect()
    if set(rows[FIT].unique()) != set(model[FIT].unique()):
        raise MixedFitError(
            f"the rows at {part.table.uri} and the model beside them are of two fits: a run was cut off"
        )
    return Fitted(rows.drop(FIT), model.drop(FIT))


READERS: dict[type, Callable[[Slice], Any]] = {
    pl.DataFrame: Slice.collect,
    pl.LazyFrame: Slice.scan,
    CropBatches: _read_crops,
    EmbeddingBatch: _read_vectors,
    Fitted: _read_fitted,
}

WRITERS: dict[type, Callable[[Any], pl.DataFrame]] = {
    pl.DataFrame: lambda frame: frame,
    EmbeddingBatch: EmbeddingBatch.to_frame,
    Fitted: lambda fitted: fitted.rows.with_columns(pl.lit(fitted.version).alias(FIT)),
}


def model_table(table: Table) -> Table:
    """Where the model of a `Fitted` lies: `.../pca/vit` has its model at `.../pca_model/vit`."""
    parent, _, name = table.uri.rpartition("/")
    return Table(f"{parent}_model/{name}", table.storage_options)


class FormHandler(DbTypeHandler):
    """Reads and writes every form in `READERS` and `WRITERS`."""

    def __init__(self, device: str) -> None:
        self._device = device

    @property
    def supported_types(self) -> Sequence[type]:
        return list(READERS)

    def handle_output(self, context: dg.OutputContext, table_slice: TableSlice, obj: Any, connection: TableConnection):
        table = Table(connection.table_uri, connection.storage_options)
        if type(obj) not in WRITERS:
            raise TypeError(f"{context.asset_key.to_user_string()} returned {type(obj)}; can store {list(WRITERS)}")
        frame = WRITERS[type(obj)](obj)
        if isinstance(obj, Fitted):
            model_table(table).replace(obj.model.with_columns(pl.lit(obj.version).alias(FIT)))
        if context.has_asset_partitions:
            dimension = table_slice.partition_dimensions[0]
            version = table.replace_partitions(frame, dimension.partition_expr, dimension.partitions)
            _count_per_partition(context, frame, dimension.partition_expr, dimension.partitions)
            counted = {}
        else:
            version = table.replace(frame)
            counted = {"dagster/row_count": frame.height}
        return counted | {"dagster/uri": connection.table_uri, "delta_version": version}

    def load_input(self, context: dg.InputContext, table_slice: TableSlice, connection: TableConnection) -> Any:
        dimensions = table_slice.partition_dimensions
        part = Slice(
            table=Table(connection.table_uri, connection.storage_options),
            keys=dimensions[0].partitions if dimensions else None,
            columns=table_slice.columns,
            device=self._device,
            version=context.upstream_output.asset_spec.code_version,
        )
        try:
            return READERS[context.dagster_type.typing_type](part)
        except (MissingTableError, MixedFitError) as error:
            upstream = context.asset_key.to_user_string()
            raise type(error)(f"{error}: materialise {upstream} first") from error


def _count_per_partition(context: dg.OutputContext, frame: pl.DataFrame, column: str, keys: Sequence[str]) -> None:
    counts = dict(frame.group_by(column).len().iter_rows())
    for key in keys:
        context.step_context.add_asset_metadata(
            {"dagster/partition_row_count": counts.get(key, 0)},
            asset_key=context.asset_key,
            partition_key=key,
        )


class _ShortStatement(DeltaLakeDbClient):
    @staticmethod
    def get_select_statement(table_slice: TableSlice) -> str:
        # The stock one lists every key of the run on every partition's event: 181 MB for 1,589 videos.
        return f"SELECT * FROM {table_slice.schema}.{table_slice.table}"


class _GroupTables(DbIOManager):
    """Puts a table at `<group>/<asset key>`; the stock rule keeps only the key's last part, so that
    `pca/vit` and `umap/vit` would be one table."""

    def _get_table_slice(self, context, output_context) -> TableSlice:
        stock = super()._get_table_slice(context, output_context)
        return stock._replace(table="/".join(context.asset_key.path))


class GpuDeltaLakeIOManager(DeltaLakeIOManager):
    """Delta tables in, device tensors out, and back."""

    device: str = Field(default="auto", description="Where crops and vectors are put: auto, cpu, cuda or mps.")
    storage_options: LocalConfig = LocalConfig()

    @staticmethod
    def type_handlers() -> Sequence[DbTypeHandler]:
        return []  # they need the device, which a static method can't know: see create_io_manager

    def create_io_manager(self, context: dg.InitResourceContext) -> DbIOManager:
        return _GroupTables(
            db_client=_ShortStatement(),
            database="deltalake",
            schema=self.schema_,
            type_handlers=[FormHandler(self.device)],
            io_manager_name="GpuDeltaLakeIOManager",
        )
