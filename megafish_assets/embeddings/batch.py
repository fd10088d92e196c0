"""Vectors and the detections they describe, on the device that made or will read them."""

from __future__ import annotations

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
        versions = current["vectors_version"].unique().sort().to_list()
        if len(versions) > 1:
            raise ValueError(f"vectors of {len(versions)} versions in one table ({versions}): materialise it again")
        matrix = to_matrix(current.sort("detection_id")["vector"])
        return cls(
            detection_ids=current["detection_id"].sort().to_numpy(),
            vectors=torch.from_numpy(matrix).to(device),
            vectors_version=versions[0] if versions else version or "",
            n_outdated=outdated.height,
            outdated_videos=tuple(outdated.select(video_of(pl.col("detection_id")).unique().sort()).to_series()),
        )


def to_matrix(vectors: pl.Series) -> np.ndarray:
    """float32 `(n, d)` from a column of lists; `(0, 0)` from an empty one.

    Raises ValueError where the lists differ in length or one is null.
    """
    lengths = vectors.list.len().unique().to_list()
    if len(lengths) > 1 or lengths == [None]:
        raise ValueError(f"vectors of lengths {lengths} in one column; expected one length")
    width = lengths[0] if lengths else 0
    return np.array(vectors.explode(empty_as_null=True).to_numpy(), dtype=np.float32).reshape(len(vectors), width)
