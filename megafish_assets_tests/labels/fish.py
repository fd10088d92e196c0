"""Made-up units whose kind is known: clouds about directions that are at right angles."""

import numpy as np
import polars as pl

from megafish_assets.labels.classifying import Seen, Taught
from megafish_assets.labels.units import Units


class Clouds:
    """So many units of each kind, seen in turn in so many videos, sorted by kind."""

    def __init__(self, n_a_kind: int = 20, n_kinds: int = 4, n_videos: int = 5, noise: float = 0.1, seed: int = 0):
        self.n = n_a_kind * n_kinds
        self.kinds = np.repeat(np.arange(n_kinds), n_a_kind)
        self.names = np.array([f"kind {kind}" for kind in self.kinds])
        self.videos = np.array([f"v{place % n_videos}" for place in range(self.n)])
        rng = np.random.default_rng(seed)
        rows = np.eye(16)[self.kinds] + rng.normal(scale=noise, size=(self.n, 16))
        self.features = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        self.seen = Seen.of(self.features)

    def first(self, n_a_kind: int, kinds: tuple[int, ...] | None = None) -> np.ndarray:
        """Places of the first of each kind, or of these kinds."""
        wanted = np.unique(self.kinds) if kinds is None else kinds
        return np.concatenate([np.flatnonzero(self.kinds == kind)[:n_a_kind] for kind in wanted])

    def taught(self, places: np.ndarray) -> Taught:
        return Taught(places, self.names[places], self.videos[places])

    def units(self) -> Units:
        ids = [f"{video}/t{place:05d}" for place, video in enumerate(self.videos)]
        table = pl.DataFrame(
            {
                "video": self.videos,
                "unit_id": ids,
                "tracklet_id": ids,
                "detection_id": [f"{video}/{place:06d}/000" for place, video in enumerate(self.videos)],
                "cluster": self.kinds.astype(np.int64),
            }
        ).with_row_index("place")
        table = table.sort("unit_id")
        order = table["place"].to_numpy()
        self.names, self.kinds, self.videos = self.names[order], self.kinds[order], self.videos[order]
        self.features = self.features[order]
        self.seen = Seen.of(self.features)
        return Units(table.drop("place"), self.features)


def words(*rows: tuple[str, str | None, str]) -> pl.DataFrame:
    """Labels of tracklet, label and status, as one person gave them."""
    return pl.DataFrame(
        rows, schema={"tracklet_id": pl.String, "label": pl.String, "status": pl.String}, orient="row"
    ).with_columns(labelled_by=pl.lit("ada"))
