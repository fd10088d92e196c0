"""Principal components of standardised vectors: two passes over blocks from Delta, beside scikit-learn on the whole."""

from pathlib import Path

import numpy as np

from benchmarks.ways import Result, Stage
from megafish_assets.clusters.reduction import VARIANCE, fit_projection
from megafish_assets.embeddings.batch import EmbeddingBatch, EmbeddingStream
from megafish_assets.orchestration.delta import Table

ROWS, DIMENSIONS = 98_454, 1280
"""The notebook's sample and its widest backbone."""

FILE_ROWS = 496
"""Of eight videos, which are committed together."""

KEPT = 2000
"""Projected rows that are compared."""


def write(folder: Path, n: int) -> None:
    """A table of vectors as the platform stores them, with a spectrum that falls as that of deep features does."""
    falling = np.linspace(1, 0.05, DIMENSIONS)[:, None] ** 3
    mixing = np.random.default_rng(0).normal(size=(DIMENSIONS, DIMENSIONS)) * falling / 30

    def frames():
        for number in range(-(-n // FILE_ROWS)):
            rng, rows = np.random.default_rng([1, number]), min(FILE_ROWS, n - number * FILE_ROWS)
            ids = np.array([f"v{number:04d}/{row:06d}/000" for row in range(rows)], dtype=object)
            yield EmbeddingBatch.from_rows(ids, rng.normal(size=(rows, DIMENSIONS)) @ mixing + 1, "bench").to_frame()

    table = Table(str(folder / "vectors"))
    for frame in frames():
        table.replace_partitions(frame, "video", frame["video"].unique().to_list())


def ours(folder: Path) -> Result:
    """One pass to fit, one to project; projected blocks go their way."""
    stream = EmbeddingStream.of_table(Table(str(folder / "vectors")).scan(), "bench")
    model, first = fit_projection(batch.on_cpu() for batch in stream), []
    for batch in stream:
        projected = batch.mapped(model.project)
        if sum(map(len, first)) < KEPT:
            first.append(projected.on_cpu())
    return {"spectrum": model.spectrum[: len(model.components)], "rows": np.concatenate(first)[:KEPT]}


def notebook(folder: Path) -> Result:
    """All vectors in memory, standardised, and reduced to 95 % of their variance."""
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    rows = Table(str(folder / "vectors")).scan().collect().sort("detection_id")["vector"]
    pca = PCA(n_components=VARIANCE)
    projected = pca.fit_transform(StandardScaler().fit_transform(np.array(rows.to_list(), dtype=np.float32)))
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
    load=lambda folder: folder,
    ways={"ours": ours, "notebook": notebook},
    compare=compare,
    size=ROWS,
    unit="n_rows",
    growth=(ROWS // 8, ROWS // 4, ROWS // 2, ROWS),
    full=2 * ROWS,
)
