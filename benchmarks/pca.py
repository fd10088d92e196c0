"""Principal components of standardised vectors: fitted and projected by blocks, beside scikit-learn on the whole."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.features import NOTEBOOK_ROWS
from benchmarks.ways import Result, Stage
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.features.reduction import VARIANCE, fit_projection

DIMENSIONS = 1280
"""Of the notebook's widest backbone."""

FILE_ROWS = 496
"""Of eight videos, which are committed together."""

KEPT = 2000
"""Projected rows that are compared."""

VERSION = "bench"
Opened = Callable[[], Iterable[np.ndarray]]
"""Opens the table anew; what it gives are the vectors, a block at a time, as often as wanted."""


def write(folder: Path, n: int) -> None:
    """A table of vectors as the platform stores them, with a spectrum that falls as that of deep features does.

    Without the platform's libraries, its Parquet files alone.
    """
    falling = np.linspace(1, 0.05, DIMENSIONS)[:, None] ** 3
    mixing = np.random.default_rng(0).normal(size=(DIMENSIONS, DIMENSIONS)) * falling / 30
    store = _storer(folder / "vectors")
    for number in range(-(-n // FILE_ROWS)):
        rng, rows = np.random.default_rng([1, number]), min(FILE_ROWS, n - number * FILE_ROWS)
        ids = np.array([f"v{number:04d}/{row:06d}/000" for row in range(rows)], dtype=object)
        store(EmbeddingBatch.from_rows(ids, rng.normal(size=(rows, DIMENSIONS)) @ mixing + 1, VERSION))


def _storer(place: Path) -> Callable[[EmbeddingBatch], None]:
    try:
        from megafish_assets.embeddings.tables import vectors_table
        from megafish_assets.storage.delta import Table
    except ModuleNotFoundError:
        return lambda batch: _parquet(batch, place)
    table = Table(str(place))
    return lambda batch: table.replace_partitions(
        vectors_table(batch), "video", [batch.detection_ids[0].partition("/")[0]]
    )


def _parquet(batch: EmbeddingBatch, place: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    video = place / f"video={batch.detection_ids[0].partition('/')[0]}"
    video.mkdir(parents=True)
    pq.write_table(pa.Table.from_batches([batch.to_arrow()]), video / "part.parquet", compression="zstd")


def load(folder: Path, device: str) -> Opened:
    """From Delta, as the asset reads it; without the platform's libraries, from the Parquet files, twice."""
    try:
        from megafish_assets.embeddings.tables import EmbeddingStream
        from megafish_assets.storage.delta import Table
    except ModuleNotFoundError:
        return lambda: Blocks(lambda: _from_parquet(sorted((folder / "vectors").rglob("*.parquet"))))
    table = Table(str(folder / "vectors"))

    def opened() -> Blocks:
        stream = EmbeddingStream.of_table(table.scan(), VERSION).holding()
        return Blocks(lambda: (batch.on_cpu() for batch in stream))

    return opened


@dataclass(frozen=True)
class Blocks:
    """Rows to be passed through as often as wanted."""

    make: Callable[[], Iterator[np.ndarray]]

    def __iter__(self) -> Iterator[np.ndarray]:
        return self.make()


def _from_parquet(files: list[Path]) -> Iterator[np.ndarray]:
    import pyarrow.parquet as pq

    for start in range(0, len(files), 8):
        tables = [pq.ParquetFile(file).read(["vector"]) for file in files[start : start + 8]]
        yield np.concatenate([table["vector"].combine_chunks().flatten().to_numpy() for table in tables]).reshape(
            -1, DIMENSIONS
        )


def ours(opened: Opened) -> Result:
    """One pass to fit, one to project; projected blocks go their way."""
    vectors = opened()
    model, first = fit_projection(vectors), []
    for block in vectors:
        projected = model.project(block)
        if sum(map(len, first)) < KEPT:
            first.append(projected)
    return {"spectrum": model.spectrum[: len(model.components)], "rows": np.concatenate(first)[:KEPT]}


def notebook(opened: Opened) -> Result:
    """All vectors in memory, in double precision as its table keeps them, standardised and reduced to 95 %."""
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    pca = PCA(n_components=VARIANCE)
    vectors = np.concatenate(list(opened()), dtype=np.float64)
    projected = pca.fit_transform(StandardScaler().fit_transform(vectors))
    return {"spectrum": pca.explained_variance_ratio_, "rows": projected[:KEPT]}


def compare(ours: Result, other: Result) -> dict[str, float]:
    """Components kept more, shares of variance, and distances between rows, which no sign or rotation changes."""
    n = min(len(ours["spectrum"]), len(other["spectrum"]))
    mine, others = (np.linalg.norm(rows["rows"][1:] - rows["rows"][:-1], axis=1) for rows in (ours, other))
    return {
        "n_components": len(ours["spectrum"]) - len(other["spectrum"]),
        "spectrum": np.abs(ours["spectrum"][:n] - other["spectrum"][:n]).max(),
        "distances_share": np.abs(mine / others - 1).max(),
    }


STAGE = Stage(
    write=write,
    load=load,
    ways={"ours": ours, "notebook": notebook},
    compare=compare,
    size=NOTEBOOK_ROWS,
    unit="n_rows",
    growth=(NOTEBOOK_ROWS // 8, NOTEBOOK_ROWS // 4, NOTEBOOK_ROWS // 2, NOTEBOOK_ROWS),
    full=2 * NOTEBOOK_ROWS,
)
