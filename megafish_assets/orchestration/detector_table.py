"""The detector's table as its reader finds it: rows and contents of a Delta table that other programs write.

Here: what is read goes through delta-rs, so that deletion vectors, escaped paths, partitions and columns that older
files lack are Delta's to know. Not here: tables that megafish writes itself, see `delta.py`.
"""

from collections.abc import Collection, Iterator

import numpy as np
import polars as pl
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from megafish_assets.footage.boxes import BOX
from megafish_assets.storage.delta import masked

EXPECTED = {
    "video_file": "string",
    "frame_id": "integer",
    "box": "list of numbers [x, y, w, h]",
    "score": "number",
}

REFUSED_FEATURES = {
    "columnMapping": "column mapping, by which its files name columns otherwise than the table",
    "typeWidening": "type widening, by which its files hold other types than the table",
    "typeWidening-preview": "type widening, by which its files hold other types than the table",
}
"""Of Delta's reader features: what one of two readers in use takes for nulls or refuses, so that none may."""

ROWS_AT_ONCE = 1 << 20
"""Held in memory while contents are summed: some 100 MB."""

HASH_BITS = 40
"""Of each row in its video's sum: so many leave room for 8 million rows of one video in 63 bits, and two contents in a
million million agree by chance."""

CONTENTS = {
    "video_file": pl.String,
    "n_rows": pl.Int64,
    "last_frame": pl.Int64,
    "content_hash": pl.Int64,
}


def require_supported(table: DeltaTable) -> None:
    """Raises InferenceContractError for what the table can't be read with: a Delta feature, or columns."""
    protocol = table.protocol()
    features = set(protocol.reader_features or ())
    if table.metadata().configuration.get("delta.columnMapping.mode", "none") != "none":
        features.add("columnMapping")
    for feature in REFUSED_FEATURES.keys() & features:
        raise InferenceContractError(
            f"the inference table at {masked(table.table_uri)} uses {REFUSED_FEATURES[feature]} (Delta's {feature}): "
            "write it once anew without, for example with write_deltalake(place, rows), and name that copy in "
            "MEGAFISH_INFERENCE"
        )
    require_readable(pl.Schema(table.schema()), masked(table.table_uri))


def rows(
    table: DeltaTable, video_files: Collection[str] | None = None, columns: Collection[str] = tuple(EXPECTED)
) -> pl.DataFrame:
    """These columns of every live row, or of the rows of these files. Raises InferenceContractError."""
    predicate = None
    if video_files is not None:
        quoted = ", ".join("'" + name.replace("'", "''") + "'" for name in sorted(video_files))
        predicate = f"video_file IN ({quoted})" if quoted else "false"
    return pl.concat(list(_batches(table, columns, predicate)))


def contents(table: DeltaTable) -> pl.DataFrame:
    """A row a video file that has rows: `video_file`, `n_rows`, `last_frame` and `content_hash`, sorted by name.

    The hash is a number that stays while the rows are the same, in whatever order and files, and changes with any
    frame, box or score. Raises InferenceContractError.
    """
    parts = [content_hashes(some) for some in _batches(table, EXPECTED, None)]
    summed = (
        pl.concat(parts).group_by("video_file").agg(pl.col("n_rows", "content_hash").sum(), pl.col("last_frame").max())
    )
    return summed.select(*CONTENTS).sort("video_file")


def content_hashes(inference: pl.DataFrame) -> pl.DataFrame:
    """The same of some rows; those that name no file are left out."""
    frame_id = pl.col("frame_id").cast(pl.Int64, strict=False)
    typed = inference.filter(pl.col("video_file").cast(pl.String) != "").select(
        pl.col("video_file").cast(pl.String),
        frame_id,
        pl.col("box").cast(pl.List(pl.Float64)),
        pl.col("score").cast(pl.Float64),
    )
    boxes = typed.select(
        pl.col("box").list.len().fill_null(-1).cast(pl.Int64).alias("length"),
        *[pl.col("box").list.get(i, null_on_oob=True).alias(name) for i, name in enumerate(BOX)],
    )
    numbers = [
        typed["frame_id"].fill_null(0).to_numpy().astype(np.uint64),
        _nulls(typed["frame_id"], typed["score"], *(boxes[name] for name in BOX)),
        boxes["length"].to_numpy().astype(np.uint64),
        *(_bits(boxes[name]) for name in BOX),
        _bits(typed["score"]),
    ]
    named = typed.select("video_file", "frame_id", pl.Series("content_hash", _mixed(numbers)))
    by_video = named.group_by("video_file").agg(
        pl.len().cast(pl.Int64).alias("n_rows"),
        pl.col("frame_id").max().alias("last_frame"),
        pl.col("content_hash").sum(),
    )
    return by_video.select(*CONTENTS)


def _nulls(*columns: pl.Series) -> np.ndarray:
    """uint64 `(n,)`, a bit a column where there is no number, so that none is no zero and no nan."""
    return sum(column.is_null().to_numpy().astype(np.uint64) << np.uint64(i) for i, column in enumerate(columns))


def _bits(numbers: pl.Series) -> np.ndarray:
    """uint64 `(n,)`, the numbers' own bits; 0 where there is none."""
    known = numbers.fill_null(0).to_numpy() + 0.0  # minus zero is zero
    return np.where(np.isnan(known), np.nan, known).view(np.uint64)


def _mixed(columns: list[np.ndarray]) -> np.ndarray:
    """int64 `(n,)` of `HASH_BITS`: each row's numbers in one. Source: SplitMix64's finaliser, after Stafford 2011."""
    mixed = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        mixed = (mixed ^ column) + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(64 - HASH_BITS)).astype(np.int64)


def _batches(table: DeltaTable, columns: Collection[str], predicate: str | None) -> Iterator[pl.DataFrame]:
    """The live rows, some at a time; one frame without rows where there are none."""
    require_supported(table)
    try:
        reader = pa.RecordBatchReader.from_stream(table.scan(list(columns), predicate))
        held, n_held = [], 0
        for batch in reader:
            held.append(batch)
            n_held += batch.num_rows
            if n_held >= ROWS_AT_ONCE:
                yield pl.DataFrame(pa.Table.from_batches(held))
                held, n_held = [], 0
        yield pl.DataFrame(pa.Table.from_batches(held, reader.schema))
    except (DeltaError, OSError, pa.ArrowException) as error:
        place, why = masked(table.table_uri), masked(str(error))
        raise InferenceContractError(f"the inference table at {place} can't be read: {why}") from None


class InferenceContractError(ValueError):
    """The detector's table lacks a column, or holds it as a type that can't be read as the right one."""


def _fits(name: str, dtype: pl.DataType) -> bool:
    if name == "video_file":
        return dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum)
    if name == "frame_id":
        return dtype.is_integer()
    if name == "box":
        return isinstance(dtype, pl.List | pl.Array) and dtype.inner.is_numeric()
    return dtype.is_numeric()


def require_readable(schema: pl.Schema, place: str) -> None:
    """Raises InferenceContractError, with what was expected and found, unless every column can be read."""
    missing = [name for name in EXPECTED if name not in schema]
    odd = [name for name in EXPECTED if name in schema and not _fits(name, schema[name])]
    if not missing and not odd:
        return
    expected = ", ".join(f"{name} ({kind})" for name, kind in EXPECTED.items())
    found = ", ".join(f"{name} ({dtype})" for name, dtype in schema.items())
    wrong = [f"no column {name}" for name in missing] + [f"{name} is {schema[name]}" for name in odd]
    raise InferenceContractError(
        f"the inference table at {place} can't be read: {'; '.join(wrong)}. Expected {expected}; found {found}. "
        "Write the table with these columns, or name another one in MEGAFISH_INFERENCE."
    )
