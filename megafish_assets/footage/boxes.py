"""Boxes as arrays, for what reads no table: the stages of pixels run where no table library is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl

STRETCHED_PX = 1024
"""The detector sees every frame stretched to this width and height, so its boxes are in that space."""

BOX = ["x_1024", "y_1024", "width_1024", "height_1024"]
"""The columns of a box in the stretched frame, in the detector's order."""


@dataclass(frozen=True)
class Boxes:
    """Boxes of one video, row for row."""

    detection_ids: np.ndarray
    """str `(n,)`."""
    frame_ids: np.ndarray
    """int64 `(n,)`."""
    box_xywh_1024: np.ndarray
    """float64 `(n, 4)`, top-left corner, width and height in the stretched frame."""
    scores: np.ndarray
    """float64 `(n,)`, the detector's confidence."""

    def __post_init__(self) -> None:
        n = len(self.detection_ids)
        if self.frame_ids.shape != (n,) or self.box_xywh_1024.shape != (n, 4) or self.scores.shape != (n,):
            raise ValueError(
                f"{n} ids, frames {self.frame_ids.shape}, boxes {self.box_xywh_1024.shape}, scores "
                f"{self.scores.shape}; expected (n,), (n, 4) and (n,)"
            )

    def __len__(self) -> int:
        return len(self.detection_ids)

    def of_frame(self, frame_id: int) -> Boxes:
        """Those of one frame."""
        rows = self.frame_ids == frame_id
        return Boxes(self.detection_ids[rows], self.frame_ids[rows], self.box_xywh_1024[rows], self.scores[rows])

    @classmethod
    def of(cls, rows: pl.DataFrame) -> Boxes:
        """The boxes in a table that has the columns `BOX`, `detection_id`, `frame_id` and `score`."""
        return cls(
            rows["detection_id"].to_numpy(),
            rows["frame_id"].to_numpy(),
            rows.select(BOX).to_numpy(),
            rows["score"].to_numpy(),
        )
