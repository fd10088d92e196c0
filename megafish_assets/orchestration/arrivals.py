"""What has arrived in the detector's table, video by video, and when a video is complete."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

import dagster as dg
import polars as pl
from deltalake import DeltaTable

from megafish_assets.footage.file_names import keyed_videos
from megafish_assets.orchestration.detector_table import contents

SIGNS = ("later", "last_frame", "quiet")
"""`later`: another video's rows came after its own. `last_frame`: the last frame of a clip has a row. `quiet`: no new
rows for some time."""

FINGERPRINT = "fingerprint"
"""On the events of raw rows: of the detector's rows that they were made from."""

VIDEO_BYTES = "video_bytes"
"""On the same events: the size of the video file whose header told their times, 0 where there was none."""

QUIET_MINUTES = 10.0
"""A detector that writes a video in one go is silent between two of them for less."""


@dataclass(frozen=True)
class Completeness:
    """When the detector counts as done with a video: as soon as one of these signs is seen."""

    signs: Sequence[str]
    """Out of `SIGNS`."""
    quiet_seconds: float
    frames_per_clip: int

    def __post_init__(self) -> None:
        unknown = sorted(set(self.signs) - set(SIGNS))
        if unknown or not self.signs:
            raise ValueError(f"signs of a complete video = {list(self.signs)}, allowed: one or more of {list(SIGNS)}")

    def complete(self, arrived: pl.DataFrame, now_ms: float) -> pl.Series:
        """Whether each video of `arrivals` is complete, in their order."""
        order = pl.struct("arrived_ms", "video").rank("ordinal")
        seen = {
            "later": order < pl.len(),
            "last_frame": pl.col("last_frame") >= self.frames_per_clip - 1,
            "quiet": pl.col("arrived_ms") <= now_ms - 1000 * self.quiet_seconds,
        }
        return arrived.select(pl.any_horizontal(seen[sign].fill_null(False) for sign in self.signs)).to_series()


_seen_last: dict[tuple[str, int, frozenset[str]], pl.DataFrame] = {}
"""By the table, its version and files: a sensor asks every half minute while a video waits, and mostly nothing is
new."""


def arrivals(table: DeltaTable) -> pl.DataFrame:
    """A row a video, sorted by its key: `video`, `video_file`, `n_rows`, `last_frame`, `arrived_ms`, `fingerprint`.

    Without files that share a key, see `keyed_videos`. `arrived_ms` is when the last file with rows of it was written,
    milliseconds since 1970. The fingerprint changes with any row, and not when the same rows are written into other
    files. Raises InferenceContractError.
    """
    # The files too: a table that was restored or rebuilt may come to the same version with others.
    state = table.table_uri, table.version(), frozenset(table.file_uris())
    known = _seen_last.get(state)
    if known is None:
        known = _arrivals(table)
        _seen_last.clear()
        _seen_last[state] = known
    return known


def _arrivals(table: DeltaTable) -> pl.DataFrame:
    found = contents(table)
    keys = pl.DataFrame(list(keyed_videos(found["video_file"]).items()), ["video", "video_file"], orient="row")
    keys = keys.cast(pl.String)
    by_video = keys.join(found, on="video_file", how="left").join(_written(table, keys), on="video_file", how="left")
    return by_video.select(
        "video", "video_file", "n_rows", "last_frame", "arrived_ms", fingerprint().alias("fingerprint")
    ).sort("video")


def fingerprint() -> pl.Expr:
    """What the rows of `contents` are told apart by."""
    return pl.format("{}-{}", pl.col("n_rows"), pl.col("content_hash"))


def are_these(fingerprint: str, metadata: Mapping[str, dg.MetadataValue], n_rows: str) -> bool:
    """Whether an event of raw rows was made from the rows with this fingerprint.

    Of an event from before fingerprints were kept, the number of rows that it says under `n_rows` decides.
    """
    stored, n = metadata.get(FINGERPRINT), metadata.get(n_rows)
    if stored is not None:
        return stored.value == fingerprint
    return n is not None and str(n.value) == fingerprint.split("-")[0]


def _written(table: DeltaTable, keys: pl.DataFrame) -> pl.DataFrame:
    """`video_file` and `arrived_ms` of these videos."""
    files = pl.from_arrow(table.get_add_actions(flatten=True)).struct.unnest()
    names = [pl.DataFrame(schema={"video_file": pl.String, "arrived_ms": pl.Int64})]
    known = set(keys["video_file"])
    for file in files.with_columns(pl.col("modification_time").cast(pl.Int64)).iter_rows(named=True):
        held = _videos_in(table, file, known)
        held = sorted(known) if held is None else held  # it may hold any
        names.append(pl.DataFrame({"video_file": held}).with_columns(arrived_ms=pl.lit(file["modification_time"])))
    return pl.concat(names, how="vertical_relaxed").group_by("video_file").agg(pl.col("arrived_ms").max())


def _videos_in(table: DeltaTable, file: dict, known: Collection[str]) -> list[str] | None:
    """The videos that a file of the table has rows of, deleted ones among them; None where that can't be told."""
    if "partition.video_file" in file:
        return [file["partition.video_file"] or ""]
    low, high = file.get("min.video_file"), file.get("max.video_file")
    if low == high and low in known:  # statistics cut long names short, to what is no name
        return [low]
    path = unquote(file["path"])
    place = path if "://" in path else f"{table.table_uri.rstrip('/')}/{path}"
    if place.startswith("file://"):
        place = unquote(place.removeprefix("file://").removesuffix(path)) + path
    try:
        names = pl.scan_parquet(place, storage_options=table._storage_options)
        return names.select(pl.col("video_file").cast(pl.String).unique()).collect()["video_file"].to_list()
    except (OSError, pl.exceptions.PolarsError):
        return None
