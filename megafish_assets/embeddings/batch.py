"""Vectors and the detections they describe, on the device that made or will read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    import torch


@dataclass(frozen=True)
class EmbeddingBatch:
    """Vectors and the detections they describe, row for row."""

    detection_ids: np.ndarray
    """str `(n,)`, `<key>/<frame:06d>/<rank:03d>`, on the CPU."""
    vectors: np.ndarray | torch.Tensor
    """float32 `(n, d)`, not normalised: an array, which needs no torch to be read, or a tensor on the device that made
    or will read them."""
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

    @property
    def device(self) -> str:
        """Where the vectors lie, as torch names it."""
        return "cpu" if isinstance(self.vectors, np.ndarray) else str(self.vectors.device)

    def on_cpu(self) -> np.ndarray:
        """float32 `(n, d)` as numpy."""
        return self.vectors if isinstance(self.vectors, np.ndarray) else self.vectors.detach().float().cpu().numpy()

    def mapped(self, change: Callable[[np.ndarray], np.ndarray]) -> EmbeddingBatch:
        """The same rows with other vectors, on the CPU: `change` of the float32 `(n, d)` array."""
        return self.from_rows(self.detection_ids, change(self.on_cpu()), self.vectors_version)

    def to_arrow(self) -> pa.RecordBatch:
        """The columns `VECTORS`; the numbers are not copied where they are on the CPU."""
        import pyarrow as pa
        import pyarrow.compute as pc

        ids = pa.array(self.detection_ids.tolist(), pa.string())
        starts = pa.array(np.arange(len(self) + 1) * self.dim, pa.int64())
        return pa.RecordBatch.from_pydict(
            {
                "video": pc.list_element(pc.split_pattern(ids, "/", max_splits=1), 0),
                "detection_id": ids,
                "vector": pa.LargeListArray.from_arrays(starts, pa.array(self.on_cpu().reshape(-1))),
                "vectors_version": pa.array([self.vectors_version] * len(self), pa.string()),
            }
        )

    @classmethod
    def from_rows(cls, detection_ids: np.ndarray, rows: np.ndarray, vectors_version: str) -> EmbeddingBatch:
        """A batch on the CPU from a float `(n, d)` array."""
        return cls(detection_ids, np.ascontiguousarray(rows, dtype=np.float32), vectors_version)
