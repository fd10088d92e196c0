"""Storage: one IO manager; where an asset's table lies, `catalog.py` says.

An input's annotation says in which of the types of `io_types.py` it arrives; what an asset returns is one of them too,
or `Parts` of them, some videos at a time:

```python
@dg.asset(ins={"vectors": dg.AssetIn("embeddings_vit")})
def lengths_vit(vectors: EmbeddingBatch) -> pl.DataFrame:       # on the device; pl.LazyFrame would be rows, unread
    return pl.DataFrame({"detection_id": vectors.detection_ids, "length": vectors.vectors.norm(dim=1).cpu()})
```
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg
import polars as pl
from dagster_deltalake.config import LocalConfig
from dagster_deltalake.io_manager import DeltaLakeDbClient, DeltaLakeIOManager, TableConnection
from pydantic import Field

from megafish_assets.storage.catalog import Tables, model_of
from megafish_assets.storage.dagster_internals import DbIOManager, DbTypeHandler, StepOutputHandle, TableSlice
from megafish_assets.storage.delta import MissingTableError, Table
from megafish_assets.storage.io_types import (
    FIT,
    READERS,
    VECTORS_VERSION,
    Fitted,
    InputRequest,
    MixedFitError,
    TableStream,
    table_of,
)
from megafish_assets.storage.parts import Destination, Parts, StoredBeside, store_parts, stored_earlier


class TypeHandler(DbTypeHandler):
    """Reads and writes every form in `READERS` and `WRITERS`."""

    def __init__(self, device: str, root_uri: str) -> None:
        self._device, self._root_uri = device, root_uri
        self._logged: defaultdict[tuple[str, dg.AssetKey], set[str]] = defaultdict(set)

    @property
    def supported_types(self) -> Sequence[type]:
        return [*READERS, TableStream, Parts, StoredBeside]

    def handle_output(self, context: dg.OutputContext, table_slice: TableSlice, obj: Any, connection: TableConnection):
        table, place = Table(connection.table_uri, connection.storage_options), {"dagster/uri": connection.table_uri}
        if context.has_asset_partitions:
            destination = self._destination(context, table, table_slice.partition_dimensions[0].partition_expr)
            if isinstance(obj, StoredBeside):
                destination.keep_earlier()
                destination.leave_the_rest_to_dagster()
            else:
                store_parts(destination, lambda name: self._beside(destination, name), obj)
            return place
        rows, note = obj, {}
        if isinstance(obj, Fitted):
            rows, note = obj.rows, {FIT: pl.lit(obj.version)}
            model_of(table).replace(obj.model.with_columns(**note))
        frames = rows if isinstance(rows, TableStream) else [table_of(rows)]
        version = table.replace_streamed(lambda: (frame.with_columns(**note) for frame in frames))
        return place | {"dagster/row_count": table.open().count(), "delta_version": version}

    def _beside(self, destination: Destination, name: str) -> Destination:
        """Where the output of this name of the same step is stored."""
        step = destination.context.step_context
        other = step.get_output_context(StepOutputHandle(step.step.key, name))
        group = other.definition_metadata["schema"]
        table = Tables(root=self._root_uri).of(group, other.asset_key.to_user_string())
        return self._destination(other, table, destination.column)

    def _destination(self, context: dg.OutputContext, table: Table, column: str) -> Destination:
        return Destination(context, table, column, self._logged[context.run_id, context.asset_key])

    def load_input(self, context: dg.InputContext, table_slice: TableSlice, connection: TableConnection) -> Any:
        part = InputRequest(
            table=Table(connection.table_uri, connection.storage_options),
            keys=_keys(context, table_slice),
            columns=table_slice.columns,
            device=self._device,
            version=context.upstream_output.asset_spec.metadata.get(VECTORS_VERSION),
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
    done = stored_earlier(context.step_context) if context.step_context.has_partitions else {}
    return [key for key in keys if key not in done]


class _Client(DeltaLakeDbClient):
    """Tables below one root, whatever a run's config says."""

    def __init__(self, root_uri: str) -> None:
        self._root_uri = root_uri

    @contextmanager
    def connect(
        self, context: dg.OutputContext | dg.InputContext, table_slice: TableSlice
    ) -> Iterator[TableConnection]:
        yield TableConnection(table_uri=self._uri(table_slice), storage_options={}, table_config=None)

    def get_select_statement(self, table_slice: TableSlice) -> str:
        # The stock one lists every key of the run on every partition's event: 181 MB for 1,589 videos.
        return f'pl.read_delta("{self._uri(table_slice)}")'

    def _uri(self, table_slice: TableSlice) -> str:
        return Tables(root=self._root_uri).of(table_slice.schema, table_slice.table).uri


class GpuDeltaLakeIOManager(DeltaLakeIOManager):
    """Delta tables in, device tensors out, and back."""

    device: str = Field(default="auto", description="Where crops and vectors are put: auto, cpu, cuda or mps.")
    storage_options: LocalConfig = LocalConfig()

    @staticmethod
    def type_handlers() -> Sequence[DbTypeHandler]:
        return []  # they need the device, which a static method can't know: see create_io_manager

    def create_io_manager(self, context: dg.InitResourceContext) -> DbIOManager:
        return DbIOManager(
            db_client=_Client(self.root_uri),
            database="deltalake",
            schema=self.schema_,
            type_handlers=[TypeHandler(self.device, self.root_uri)],
            io_manager_name="GpuDeltaLakeIOManager",
        )
