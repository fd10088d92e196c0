"""Vectors as the tables that are kept, all at once or some videos at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.footage.ids import video_of

if TYPE_CHECKING:
    import torch

STREAM_ROWS = 4096
"""Vectors read at a time where a table is passed through: 21 MB at 1280 dimensions; more are no faster."""

HELD_BYTES = 256_000_000
"""Of vectors that are kept between two passes, however many rows there are: all of the notebook's sample at 384
dimensions, half of it at 1280, and a PCA that fits and stores stays within 1 GB."""


def vectors_table(batch: EmbeddingBatch) -> pl.DataFrame:
    """The columns `VECTORS`."""
    return pl.DataFrame(pl.from_arrow(batch.to_arrow()))


def batch_of(frame: pl.DataFrame, device: str, version: str | None = None) -> EmbeddingBatch:
    """The rows of one version, sorted by `detection_id`, on the device.

    Without a version, the one that all rows share. Raises ValueError for vectors of several lengths, or of several
    versions when none is asked for.
    """
    asked = pl.lit(True) if version is None else pl.col("vectors_version") == version
    current, outdated = frame.filter(asked), frame.filter(~asked)
    shared = the_one_version(current["vectors_version"], version)
    matrix = to_matrix(current.sort("detection_id")["vector"])
    return EmbeddingBatch(
        detection_ids=current["detection_id"].sort().to_numpy(),
        vectors=on_device(matrix, device),
        vectors_version=shared,
        n_outdated=outdated.height,
        outdated_videos=tuple(outdated.select(video_of(pl.col("detection_id")).unique().sort()).to_series()),
    )


def on_device(matrix: np.ndarray, device: str) -> "np.ndarray | torch.Tensor":
    """The same numbers where they are wanted; on the CPU as they are, without torch."""
    if device == "cpu":
        return matrix
    import torch

    return torch.tensor(matrix, device=device)


@dataclass(frozen=True)
class EmbeddingStream:
    """The vectors of a whole table, some videos at a time, on the CPU; to be passed through as often as wanted."""

    read: Callable[[Sequence[str]], EmbeddingBatch]
    """The current vectors of some videos."""
    rows_by_video: dict[str, int]
    """Current vectors of each video that has any, by key."""
    vectors_version: str
    detection_ids: Callable[[], np.ndarray]
    """All ids, in the order in which the vectors come."""
    n_outdated: int = 0
    outdated_videos: tuple[str, ...] = ()
    """Both as in `EmbeddingBatch`."""
    held_bytes: int = 0
    """Of its first vectors, that are kept once read."""
    held: dict[int, EmbeddingBatch] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Those, by their place among the batches; for reading only."""

    def __len__(self) -> int:
        return sum(self.rows_by_video.values())

    def __iter__(self) -> Iterator[EmbeddingBatch]:
        """Whole videos, sorted by `detection_id`, `STREAM_ROWS` vectors at a time or one video's, if that has more."""
        for number, videos in enumerate(self._groups()):
            yield self.held[number] if number in self.held else self._read(number, videos)

    def holding(self) -> "EmbeddingStream":
        """The same vectors; a second pass reads only what is past the first `HELD_BYTES` of them."""
        return replace(self, held_bytes=HELD_BYTES)

    def _read(self, number: int, videos: list[str]) -> EmbeddingBatch:
        batch = self.read(videos)
        if sum(kept.vectors.nbytes for kept in (*self.held.values(), batch)) <= self.held_bytes:
            self.held[number] = batch
        return batch

    def whole(self) -> EmbeddingBatch:
        """All current vectors at once, on the CPU, sorted by `detection_id`."""
        ids = self.detection_ids()
        return EmbeddingBatch(ids, self.of(ids), self.vectors_version)

    def of(self, detection_ids: np.ndarray) -> np.ndarray:
        """float32 `(n, d)`, the vectors of these ids, sorted by id. Raises KeyError where one has none."""
        if not len(detection_ids):
            return np.empty((0, 0), dtype=np.float32)
        found = [batch.on_cpu()[np.isin(batch.detection_ids, detection_ids)] for batch in self]
        n_found = sum(map(len, found))
        if n_found != len(detection_ids):
            raise KeyError(f"{len(detection_ids) - n_found} of {len(detection_ids)} ids have no vector")
        return np.concatenate(found)

    def _groups(self) -> Iterator[list[str]]:
        group, n_rows = [], 0
        for video in sorted(self.rows_by_video, key="{}/".format):  # as their ids are sorted: `w-2/...` before `w/...`
            if group and n_rows + self.rows_by_video[video] > STREAM_ROWS:
                yield group
                group, n_rows = [], 0
            group.append(video)
            n_rows += self.rows_by_video[video]
        if group:
            yield group

    @classmethod
    def of_table(cls, table: pl.LazyFrame, version: str | None) -> "EmbeddingStream":
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
            return batch_of(rows, "cpu", shared)

        def detection_ids() -> np.ndarray:
            ids = table.filter(asked).select(pl.col("detection_id").sort()).collect()
            return ids["detection_id"].to_numpy()

        return cls(
            read,
            rows_by_video=dict(current.select("video", "len").iter_rows()),
            vectors_version=shared,
            detection_ids=detection_ids,
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
    return np.asarray(vectors.explode(empty_as_null=True).to_numpy(), dtype=np.float32).reshape(len(vectors), width)
