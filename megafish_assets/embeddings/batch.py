"""Vectors and the detections they describe, on the device that made or will read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from megafish_assets.detections.videos import video_of

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class EmbeddingBatch:
    """Vectors and the detections they describe, row for row."""

    detection_ids: np.ndarray
    """str `(n,)`, `<key>/<frame:06d>/<rank:03d>`, on the CPU."""
    vectors: torch.Tensor
    """float32 `(n, d)`, on the device that made or will read them; not normalised."""
    vectors_version: str
    """What made them: one version for all rows."""
    n_outdated: int = 0
    """Rows in the table that another version made; they are left out here and count as missing."""
    outdated_videos: tuple[str, ...] = ()
    """Keys of the videos that those rows belong to, sorted."""

    def __post_init__(self) -> None:
        shape = tuple(self.vectors.shape)
        if len(shape) != 2 or shape[0] != len(self.detection_ids):
            raise ValueError(f"vectors of shape {shape} for {len(self.detection_ids)} detections; expected (n, d)")

    def __len__(self) -> int:
        return len(self.detection_ids)

    @property
    def dim(self) -> int:
        """Length of one vector."""
        return int(self.vectors.shape[1])

    def on_cpu(self) -> np.ndarray:
        """float32 `(n, d)` as numpy."""
        return self.vectors.detach().float().cpu().numpy()

    def mapped(self, change: Callable[[np.ndarray], np.ndarray]) -> EmbeddingBatch:
        """The same rows with other vectors, on the CPU: `change` of the float32 `(n, d)` array."""
        return self.from_rows(self.detection_ids, change(self.on_cpu()), self.vectors_version)

    def to_frame(self) -> pl.DataFrame:
        """The columns `VECTORS`."""
        ids = pl.Series("detection_id", self.detection_ids, dtype=pl.String)
        flat = pl.Series("vector", self.on_cpu().reshape(-1), dtype=pl.Float32)
        vectors = flat.reshape((len(self), self.dim)).arr.to_list() if len(self) else flat.cast(pl.List(pl.Float32))
        return pl.DataFrame([ids, vectors]).select(
            video_of(pl.col("detection_id")).alias("video"),
            "detection_id",
            "vector",
            pl.lit(self.vectors_version).alias("vectors_version"),
        )

    @classmethod
    def from_rows(cls, detection_ids: np.ndarray, rows: np.ndarray, vectors_version: str) -> EmbeddingBatch:
        """A batch on the CPU from a float `(n, d)` array."""
        import torch

        return cls(detection_ids, torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float32)), vectors_version)

    @classmethod
    def from_frame(cls, frame: pl.DataFrame, device: str, version: str | None = None) -> EmbeddingBatch:
        """The rows of one version, sorted by `detection_id`, on the device.

        Without a version, the one that all rows share. Raises ValueError for vectors of several lengths, or of
        several versions when none is asked for.
        """
        import torch

        asked = pl.lit(True) if version is None else pl.col("vectors_version") == version
        current, outdated = frame.filter(asked), frame.filter(~asked)
        shared = the_one_version(current["vectors_version"], version)
        matrix = to_matrix(current.sort("detection_id")["vector"])
        return cls(
            detection_ids=current["detection_id"].sort().to_numpy(),
            vectors=torch.from_numpy(matrix).to(device),
            vectors_version=shared,
            n_outdated=outdated.height,
            outdated_videos=tuple(outdated.select(video_of(pl.col("detection_id")).unique().sort()).to_series()),
        )


STREAM_ROWS = 4096
"""Vectors in memory at a time where a table is passed through: 21 MB at 1280 dimensions; more are no faster."""


@dataclass(frozen=True)
class EmbeddingStream:
    """The vectors of a whole table, some videos at a time, on the CPU; to be passed through as often as wanted."""

    read: Callable[[Sequence[str]], EmbeddingBatch]
    """The current vectors of some videos."""
    rows_by_video: dict[str, int]
    """Current vectors of each video that has any, by key."""
    vectors_version: str
    n_outdated: int = 0
    outdated_videos: tuple[str, ...] = ()
    """Both as in `EmbeddingBatch`."""

    def __len__(self) -> int:
        return sum(self.rows_by_video.values())

    def __iter__(self) -> Iterator[EmbeddingBatch]:
        """Whole videos in the order of their keys, `STREAM_ROWS` vectors at a time or one video's, if that has more."""
        group: list[str] = []
        for video in sorted(self.rows_by_video):
            if group and sum(self.rows_by_video[held] for held in [*group, video]) > STREAM_ROWS:
                yield self.read(group)
                group = []
            group.append(video)
        if group:
            yield self.read(group)

    @classmethod
    def of_table(cls, table: pl.LazyFrame, version: str | None) -> EmbeddingStream:
        """The rows of one version in a table with the columns `VECTORS`.

        Without a version, the one that all rows share. Raises ValueError for several then.
        """
        counts = table.group_by("video", "vectors_version").len().collect()
        asked = pl.lit(True) if version is None else pl.col("vectors_version") == version
        current, outdated = counts.filter(asked), counts.filter(~asked)
        shared = the_one_version(current["vectors_version"], version)
        columns = ("detection_id", "vector", "vectors_version")

        def read(videos: Sequence[str]) -> EmbeddingBatch:
            rows = table.filter(pl.col("video").is_in(list(videos))).select(columns).collect()
            return EmbeddingBatch.from_frame(rows, "cpu", shared)

        return cls(
            read,
            rows_by_video=dict(current.select("video", "len").iter_rows()),
            vectors_version=shared,
            n_outdated=int(outdated["len"].sum()),
            outdated_videos=tuple(outdated["video"].unique().sort()),
        )


def the_one_version(versions: pl.Series, asked: str | None) -> str:
    """The version that all rows share, or the one asked for where there are none. Raises ValueError for several."""
    found = versions.unique().sort().to_list()
    if len(found) > 1:
        raise ValueError(f"vectors of {len(found)} versions in one table ({found}): materialise it again")
    return found[0] if found else asked or ""


def to_matrix(vectors: pl.Series) -> np.ndarray:
    """float32 `(n, d)` from a column of lists; `(0, 0)` from an empty one.

    Raises ValueError where the lists differ in length or one is null.
    """
    lengths = vectors.list.len().unique().to_list()
    if len(lengths) > 1 or lengths == [None]:
        raise ValueError(f"vectors of lengths {lengths} in one column; expected one length")
    width = lengths[0] if lengths else 0
    return np.array(vectors.explode(empty_as_null=True).to_numpy(), dtype=np.float32).reshape(len(vectors), width)
