"""Storage: one IO manager; the annotation of an input says in which form it arrives.

`pl.DataFrame` and `pl.LazyFrame` are rows, `CropBatches` pictures on their way to the device, `EmbeddingBatch`
vectors on the device, `EmbeddingStream` vectors that pass by, `Fitted` rows beside the model that made them. What an
asset returns is one of them, or `Parts` of them that are stored while they are made. Tables lie at
`<root>/<group>/<asset key>`.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
import numpy as np
import polars as pl
from dagster._core.definitions.assets.definition.asset_spec import AssetExecutionType
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.execution.plan.execute_step import _get_output_asset_events
from dagster._core.storage.db_io_manager import DbIOManager, DbTypeHandler, TablePartitionDimension, TableSlice
from dagster_deltalake.config import LocalConfig
from dagster_deltalake.io_manager import DeltaLakeDbClient, DeltaLakeIOManager, TableConnection
from pydantic import Field

from megafish_assets.crops.batches import CropBatches
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.embeddings.frames import EmbeddingStream, batch_of, vectors_frame
from megafish_assets.orchestration.delta import MissingTableError, Table
from megafish_assets.orchestration.devices import resolved_device
from megafish_assets.orchestration.landing import Part, Parts, by_commit, landed
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

    rows: pl.DataFrame | Callable[[], Iterable[pl.DataFrame]]
    """All of them, or the frames in which they are made while they are stored; read back they are one frame."""
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
    return batch_of(rows, resolved_device(part.device), part.version)


def _read_vectors_by_and_by(part: Slice) -> EmbeddingStream:
    return EmbeddingStream.of_table(part.scan(), part.version)


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
    EmbeddingStream: _read_vectors_by_and_by,
    Fitted: _read_fitted,
}

WRITERS: dict[type, Callable[[Any], pl.DataFrame]] = {
    pl.DataFrame: lambda frame: frame,
    EmbeddingBatch: vectors_frame,
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
        return [*READERS, Parts]

    def handle_output(self, context: dg.OutputContext, table_slice: TableSlice, obj: Any, connection: TableConnection):
        table, place = Table(connection.table_uri, connection.storage_options), {"dagster/uri": connection.table_uri}
        if context.has_asset_partitions:
            _land(context, table, table_slice.partition_dimensions[0], obj)
            return place
        if isinstance(obj, Fitted):
            model_table(table).replace(obj.model.with_columns(pl.lit(obj.version).alias(FIT)))
            frames = obj.rows if callable(obj.rows) else lambda: [obj.rows]
            version = table.replace_streamed(
                lambda: (frame.with_columns(pl.lit(obj.version).alias(FIT)) for frame in frames())
            )
        else:
            version = table.replace(_frame(obj))
        return place | {"dagster/row_count": table.open().count(), "delta_version": version}

    def load_input(self, context: dg.InputContext, table_slice: TableSlice, connection: TableConnection) -> Any:
        part = Slice(
            table=Table(connection.table_uri, connection.storage_options),
            keys=_keys(context, table_slice),
            columns=table_slice.columns,
            device=self._device,
            version=context.upstream_output.asset_spec.code_version,
        )
        try:
            return READERS[context.dagster_type.typing_type](part)
        except (MissingTableError, MixedFitError) as error:
            upstream = context.asset_key.to_user_string()
            raise type(error)(f"{error}: materialise {upstream} first") from error


def _keys(context: dg.InputContext, table_slice: TableSlice) -> list[str] | None:
    """The partitions that are read; for an asset that has them too, without those that are already made."""
    if not table_slice.partition_dimensions:
        return None
    keys = table_slice.partition_dimensions[0].partitions
    done = landed(context.step_context) if context.step_context.has_partitions else {}
    return [key for key in keys if key not in done]


def _frame(obj: Any) -> pl.DataFrame:
    if type(obj) not in WRITERS:
        raise TypeError(f"an asset returned {type(obj)}; can store {[form.__name__ for form in WRITERS]}")
    return WRITERS[type(obj)](obj)


def _land(context: dg.OutputContext, table: Table, dimension: TablePartitionDimension, obj: Any) -> None:
    """Stores the run's videos that no earlier attempt has stored, commit by commit, each with its events at once.

    Raises ValueError where a video is in no part or in two.
    """
    step, column = context.step_context, dimension.partition_expr
    done = landed(step)
    left = [key for key in dimension.partitions if key not in done]
    with partition_loading_context(dynamic_partitions_store=step.instance):  # else each note asks for all keys
        for key in dimension.partitions:
            if key in done:
                step.add_asset_metadata(done[key].metadata, context.asset_key, key)
        for group, is_last in by_commit(obj if isinstance(obj, Parts) else [Part(left, obj)]):
            videos = [video for part in group for video in part.videos]
            if sorted(set(videos) & set(left)) != sorted(videos):
                raise ValueError(f"parts of {videos[:5]}, which are not of this run or were stored before")
            left = [key for key in left if key not in videos]
            if dimension.partitions and not videos:
                continue
            frame = pl.concat([_frame(part.value) for part in group])
            version = table.replace_partitions(frame, column, videos)
            counts = dict(frame.group_by(column).len().iter_rows())
            notes = {video: note for part in group for video, note in part.metadata.items()}
            for video in videos:
                note = {"dagster/partition_row_count": counts.get(video, 0), "delta_version": version}
                step.add_asset_metadata(note | dict(notes.get(video, {})), context.asset_key, video)
            if not is_last:  # Dagster's own events follow the last
                _log_landed(context, table, videos)
    if left:
        raise ValueError(f"{len(left)} videos of this run are in no part, {left[0]} first")


def _log_landed(context: dg.OutputContext, table: Table, videos: Sequence[str]) -> None:
    """The events that Dagster itself logs of these videos again once the whole run is stored."""
    for event in _get_output_asset_events(
        context.asset_key,
        videos,
        dg.Output(None, metadata=context.output_metadata),
        output_def=None,
        io_manager_metadata={"dagster/uri": dg.MetadataValue.text(table.uri)},
        step_context=context.step_context,
        execution_type=AssetExecutionType.MATERIALIZATION,
    ):
        context.log_event(event)


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
