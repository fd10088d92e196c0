"""One Delta table: open, create, read, replace; no row is ever lost to another writer."""

import random
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any
from urllib.parse import unquote

import polars as pl
import pyarrow as pa
from deltalake import DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

COMMIT_TRIES = 12
"""With the pauses below, half a minute: eight writers of one partition finish in a few tries each."""

CHECKPOINT_COMMITS = 10
"""From one summary of the table's log to the next. Over the first 100 commits of eight videos a table is opened in
25 ms on average at 100, the default, and in 10 at 10."""

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 4.0

ZSTD = WriterProperties(compression="ZSTD", max_row_group_size=8192)
"""float vectors don't shrink with snappy, the default; with zstd they do. A writer holds a group of rows until it is
full: 0.4 GB of 399 numbers a row at the default size, 0.2 GB at this one, in the same time."""


class MissingTableError(LookupError):
    """A table that should be read was never written."""


class UnreadableTableError(ValueError):
    """A table that is there and can't be opened."""


class ForeignRowsError(ValueError):
    """Rows of other partitions than those that are being written."""


SECRET = r"(?!partition_)(?:\w*(?:secret|token|password|pwd|sig|signature)|\w+key)"
"""What stands before a secret that has a name; a key without any is mostly a partition's."""


def masked(text: str) -> str:
    """The text with the secrets of all addresses in it as stars: `s3://key:***@host/path?***`, `AccountKey=***`."""
    # A secret may hold slashes and at signs, and so may a user.
    text = re.sub(r"(?<=://)([^\s:/]*):\S*@", lambda found: f"{_user(found[1])}:***@", text)
    text = re.sub(r"(?<=://)[^\s:/@]+@", "***@", text)
    text = re.sub(r"(://[^\s?#]*[?#])[^\s]+", r"\1***", text)
    text = re.sub(rf"(?i)\b((?:{SECRET}|key)=)[^\s;&,'\"]+", r"\1***", text)
    return re.sub(rf"(?i)\b({SECRET}['\"]?: +['\"]?)[^\s;&,'\"]+", r"\1***", text)


def _user(name: str) -> str:
    return "***" if "@" in name else name  # its first part may be a secret itself


@dataclass(frozen=True)
class Table:
    """The Delta table at one place."""

    uri: str
    """Local path or object-store address."""
    storage_options: dict[str, str] = field(default_factory=dict)
    """Credentials and the like, as deltalake takes them."""

    def open(self) -> DeltaTable:
        """The table at its last version. Raises MissingTableError, and UnreadableTableError for one that is broken."""
        try:
            return DeltaTable(self.uri, storage_options=self.storage_options or None)
        except TableNotFoundError:
            raise MissingTableError(f"no Delta table at {masked(self.uri)}") from None
        except (DeltaError, OSError) as error:
            why = str(error).partition("\n")[0]  # what follows is a trace
            raise UnreadableTableError(f"the Delta table at {masked(self.uri)}: {masked(why)}") from None

    def exists(self) -> bool:
        """False only where there is no table; a table that can't be opened raises."""
        try:
            self.open()
        except MissingTableError:
            return False
        return True

    def scan(self) -> pl.LazyFrame:
        """Every row of the last version. Raises MissingTableError."""
        return pl.scan_delta(_AsItLies(self.open()))

    def replace(self, frame: pl.DataFrame) -> int:
        """Makes these rows the whole table; returns the table's version afterwards."""
        return self.replace_streamed(lambda: [frame])

    def replace_streamed(self, frames: Callable[[], Iterable[pl.DataFrame]]) -> int:
        """Makes the rows of these frames, which have one schema, the whole table, in one commit.

        One frame is in memory at a time; they are asked for again if another writer was first. Returns the table's
        version afterwards. Raises ValueError for no frame.
        """

        def write() -> int:
            tables = (to_arrow(frame) for frame in frames())
            first = next(tables, None)
            if first is None:
                raise ValueError(f"no rows and no columns to write to {self.uri}")
            batches = (batch for data in chain([first], tables) for batch in data.to_batches())
            write_deltalake(
                self.uri,
                pa.RecordBatchReader.from_batches(first.schema, batches),
                mode="overwrite",
                schema_mode="overwrite",
                storage_options=self.storage_options or None,
                writer_properties=ZSTD,
            )
            return self.open().version()

        return self._committed(write)

    def append(self, frame: pl.DataFrame) -> int:
        """Adds these rows, in one commit, and creates the table if it is absent; returns its version afterwards."""
        data = to_arrow(frame)

        def write() -> int:
            write_deltalake(
                self.uri,
                data,
                mode="append",
                schema_mode="merge",
                storage_options=self.storage_options or None,
                writer_properties=ZSTD,
            )
            return self.open().version()

        return self._committed(write)

    def replace_partitions(self, frame: pl.DataFrame, column: str, keys: Sequence[str]) -> int:
        """Makes these rows all that the table holds for these keys, in one commit; other keys stay.

        The table is created first if absent, so that the predicate always applies and first writers can't
        overwrite each other. New columns are merged in. Returns the table's version afterwards.
        Raises ForeignRowsError, and ValueError for no keys.
        """
        if not keys:
            raise ValueError(
                "a run over no partition: ranges follow the order in which partitions were added, so this one ends "
                "before it begins; swap its ends"
            )
        foreign = set(frame[column].unique()) - set(keys)
        if foreign:
            raise ForeignRowsError(
                f"rows of {sorted(map(str, foreign))[:5]} in a write of {len(keys)} other partitions"
            )
        data = to_arrow(frame)
        quoted = ", ".join("'" + key.replace("'", "''") + "'" for key in keys)

        def write() -> int:
            table = self._opened_or_created(data.schema, column)
            write_deltalake(
                table,
                data,
                mode="overwrite",
                predicate=f"{column} IN ({quoted})",
                schema_mode="merge",
                writer_properties=ZSTD,
            )
            return table.version()

        return self._committed(write)

    def delete(self, predicate: str) -> int:
        """Deletes the rows of a SQL predicate; returns how many they were."""
        return self._committed(lambda: self.open().delete(predicate)["num_deleted_rows"])

    def _opened_or_created(self, schema: pa.Schema, column: str) -> DeltaTable:
        # Opened once a commit: what that costs grows with the commits since the last checkpoint.
        try:
            return self.open()
        except MissingTableError:
            DeltaTable.create(
                self.uri,
                schema,
                mode="ignore",
                partition_by=[column],
                configuration={"delta.checkpointInterval": str(CHECKPOINT_COMMITS)},
                storage_options=self.storage_options or None,
            )
            return self.open()

    @staticmethod
    def _committed(write: Callable[[], int]) -> int:
        """What the write returns once it has gone through."""
        pause = FIRST_PAUSE_SECONDS
        for _ in range(COMMIT_TRIES - 1):
            try:
                return write()
            except CommitFailedError:
                # Another writer committed to the same rows first; nothing was written, so writing again is safe.
                time.sleep(pause * random.uniform(0.5, 1.5))
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        return write()


class _AsItLies(DeltaTable):
    """A table whose files bear their own paths: delta-rs escapes a folder's spaces and umlauts, polars looks for what
    it is told."""

    def __init__(self, table: DeltaTable) -> None:
        self.__dict__.update(table.__dict__)

    def file_uris(self, *given: Any, **named: Any) -> list[str]:
        uris, escaped = super().file_uris(*given, **named), self.table_uri.removeprefix("file://")
        if "://" in escaped:
            return uris
        return [unquote(escaped) + uri.removeprefix(escaped) for uri in uris]


def to_arrow(frame: pl.DataFrame) -> pa.Table:
    """The frame as Arrow types that Delta has, fixed-size lists as plain ones.

    Raises TypeError for types that Delta would refuse or return as another type.
    """
    lists = [pl.col(name).arr.to_list() for name, dtype in frame.schema.items() if isinstance(dtype, pl.Array)]
    frame = frame.with_columns(lists)
    refused = (pl.Float16, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Categorical, pl.Enum, pl.Object)
    for name, dtype in frame.schema.items():
        inner = dtype.inner if isinstance(dtype, pl.List) else dtype
        if isinstance(inner, refused):
            raise TypeError(
                f"column {name!r} is {dtype}, which Delta can't keep; cast it to a signed int, float or string"
            )
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())
