"""Vectors of one backbone from memory to Delta: some videos at a time, as they are embedded, beside all at once."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.crops import BOXES
from benchmarks.features import NOTEBOOK_ROWS
from benchmarks.pca import DIMENSIONS
from benchmarks.ways import Result, Stage
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.embeddings.tables import vectors_table
from megafish_assets.storage.delta import Table
from megafish_assets.storage.parts import COMMIT_VIDEOS

KEPT = 200
"""Stored rows that are compared."""


def write(folder: Path, n: int) -> None:
    """The vectors as a file."""
    rng = np.random.default_rng(0)
    vectors = np.lib.format.open_memmap(folder / "vectors.npy", "w+", np.float32, (n, DIMENSIONS))
    for start in range(0, n, 10_000):
        vectors[start : start + 10_000] = rng.normal(size=vectors[start : start + 10_000].shape)


def load(folder: Path, device: str) -> np.ndarray:
    """They, and no more than what is read of them in memory."""
    return np.load(folder / "vectors.npy", mmap_mode="r")


def ours(vectors: np.ndarray) -> Result:
    """As the assets do it: a partition a video, some videos a commit."""
    with tempfile.TemporaryDirectory() as place:
        table = Table(f"{place}/table")
        for batch in _commits(vectors):
            frame = vectors_table(batch)
            table.replace_partitions(frame, "video", frame["video"].unique().to_list())
        return _figures(place)


def notebook(vectors: np.ndarray) -> Result:
    """One table of float64 lists, all in memory, compressed as Delta does unless told otherwise."""
    with tempfile.TemporaryDirectory() as place:
        batch = EmbeddingBatch(_ids(0, len(vectors)), np.asarray(vectors), "bench")
        frame = vectors_table(batch).with_columns(pl.col("vector").cast(pl.List(pl.Float64)))
        frame.write_delta(f"{place}/table")
        return _figures(place)


def _commits(vectors: np.ndarray) -> Iterator[EmbeddingBatch]:
    n = COMMIT_VIDEOS * BOXES
    for start in range(0, len(vectors), n):
        part = np.array(vectors[start : start + n])
        yield EmbeddingBatch(_ids(start, len(part)), part, "bench")


def _ids(start: int, n: int) -> np.ndarray:
    return np.array([f"v{row // BOXES:05d}/{row % BOXES:06d}/000" for row in range(start, start + n)], dtype=object)


def _figures(place: str) -> Result:
    rows = pl.scan_delta(f"{place}/table")
    first = rows.filter(pl.col("video") <= f"v{KEPT // BOXES:05d}").sort("detection_id").head(KEPT).collect()
    megabytes = sum(file.stat().st_size for file in Path(place).rglob("*.parquet")) / 1e6
    return {
        "n_rows": np.array(rows.select(pl.len()).collect().item()),
        "vectors": np.array(first["vector"].to_list(), dtype=np.float32),
        "megabytes": np.array(megabytes),
    }


def compare(ours: Result, other: Result) -> dict[str, float]:
    """Rows more, the largest difference of a number, and how many times as large the other's files are."""
    return {
        "n_rows": float(ours["n_rows"] - other["n_rows"]),
        "numbers": float(np.abs(ours["vectors"] - other["vectors"]).max(initial=0)),
        "size": float(other["megabytes"] / ours["megabytes"]),
    }


STAGE = Stage(
    write=write,
    load=load,
    ways={"ours": ours, "notebook": notebook},
    compare=compare,
    size=NOTEBOOK_ROWS // 8,
    unit="n_rows",
    growth=(NOTEBOOK_ROWS // 16, NOTEBOOK_ROWS // 8, NOTEBOOK_ROWS // 4, NOTEBOOK_ROWS // 2),
    full=NOTEBOOK_ROWS,
)
