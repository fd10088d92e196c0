"""The explorer: a folder that a browser opens by double click, with every crop as a point of a map."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from urllib.parse import quote

import numpy as np
import polars as pl

from megafish_assets.atlas.colourings import Colouring, colourings
from megafish_assets.atlas.columns import EXPLORER
from megafish_assets.atlas.duplicates import GREY_PX, duplicates_of, grey_picture
from megafish_assets.atlas.packing import NONE, counted, neighbor_script, packed, script
from megafish_assets.atlas.points import ages, neighbor_places
from megafish_assets.atlas.positions import along_the_map
from megafish_assets.atlas.stills import VideoFile, still_frames, still_name, stills_a_video, stills_of
from megafish_assets.atlas.thumbs import A_SIDE, sheets, thumb, thumb_px
from megafish_assets.crops.batches import UndecodableCropError, decoded_rgb
from megafish_assets.footage.columns import typed
from megafish_assets.footage.ids import tracklet_number

PAGE = Path(__file__).parent / "explorer_page"
PAGE_FILES = ("page.css", "map.js", "page.js", "index.html")

SHARD = 1024
"""Points whose neighbors lie in one script: 0.27 MB, loaded when one of them is asked for."""

POSITION_STEPS = 2**16 - 1


@dataclass(frozen=True)
class Linked:
    """What the page opens of videos."""

    videos: Mapping[str, VideoFile]
    """By `video_file`."""
    stills: Mapping[str, Sequence[int]]
    """By `video_file`: the frames of it that lie in the folder."""


@dataclass(frozen=True)
class Explored:
    """All that the page shows, row for row: the order of the rows is that of the thumbs on their sheets."""

    title: str
    """Backbone, number of crops, seed."""
    points: pl.DataFrame
    """The columns `POINT`."""
    positions: np.ndarray
    """float32 `(n, 2)`, 0 to 1."""
    duplicate_of: np.ndarray
    """int64 `(n,)`, a place, or -1."""
    neighbors: np.ndarray
    """int64 `(n, k)`, places, -1 behind the last."""
    distances: np.ndarray
    """float32 `(n, k)`."""
    colourings: list[Colouring]
    thumb_px: int
    linked: Linked

    def __post_init__(self) -> None:
        rows = (self.points.height, len(self.positions), len(self.duplicate_of), len(self.neighbors))
        if len({*rows, len(self.distances), *[len(one.codes) for one in self.colourings]}) > 1:
            raise ValueError(f"points, positions, duplicates and neighbors of {rows}: expected as many of each")


def explored_of(
    title: str,
    points: pl.DataFrame,
    positions: np.ndarray,
    jpegs: pl.Series,
    neighbors: pl.DataFrame,
    linked: Linked,
    on_crop: Callable[[], None] = lambda: None,
) -> tuple[Explored, list[bytes], list[bytes]]:
    """What the page shows, the sheets of its thumbs, and its crops, in the order of `along_the_map`.

    `positions` `(n, 2)` and `jpegs` `(n,)` belong to the points, row for row; `neighbors` holds the columns
    `NEIGHBORS`. `on_crop` is told of each crop that is drawn.
    """
    order = along_the_map(positions)
    points, pictures, side_px = points[order], jpegs.gather(order).to_list(), thumb_px(points.height)
    thumb_sheets, greys = pictured(pictures, side_px, on_crop)
    places, distances = neighbor_places(points["detection_id"], neighbors)
    duplicates = duplicates_of(greys, places, ages(points))
    found = colourings(points, duplicates)
    explored = Explored(title, points, positions[order], duplicates, places, distances, found, side_px, linked)
    return explored, thumb_sheets, pictures


def pictured(
    jpegs: Iterable[bytes], side_px: int, on_crop: Callable[[], None] = lambda: None
) -> tuple[list[bytes], np.ndarray]:
    """Sheets of all crops' thumbs, in their order, and `grey_picture` of each, float16 `(n, GREY_PX ** 2)`.

    Raises UndecodableCropError.
    """
    greys: list[np.ndarray] = []

    def thumbs() -> Iterator[np.ndarray]:
        for place, jpeg in enumerate(jpegs):
            pixels = decoded_rgb(jpeg)
            if pixels is None:
                raise UndecodableCropError(f"crop {place} of the map is not a JPEG picture: materialise crops again")
            greys.append(grey_picture(pixels))
            yield thumb(pixels, side_px)
            on_crop()

    made = list(sheets(thumbs(), side_px))
    return made, np.stack(greys) if greys else np.zeros((0, GREY_PX**2), dtype=np.float16)


def explorer_table(explored: Explored, version: str) -> pl.DataFrame:
    """The columns `EXPLORER`, sorted by id."""
    ids = explored.points["detection_id"]
    repeated = pl.Series(np.where(explored.duplicate_of < 0, 0, explored.duplicate_of))
    firsts = ids.gather(repeated).to_frame("first") if len(ids) else pl.DataFrame({"first": ids})
    placed = explored.points.select("video", "detection_id").with_columns(
        x=pl.Series(explored.positions[:, 0]),
        y=pl.Series(explored.positions[:, 1]),
        duplicate_of=pl.when(pl.Series(explored.duplicate_of >= 0)).then(firsts["first"]),
        layout_version=pl.lit(version),
    )
    return typed(placed, EXPLORER).sort("detection_id")


def explorer_files(
    explored: Explored, sheets: Sequence[bytes], folder: Path, root: Path
) -> Iterator[tuple[str, bytes]]:
    """The folder's files but its stills, by name; those that the page is opened by come last.

    `folder` is where they will lie, `root` the folder from which on files are linked by their relative place, so that
    both can be moved together; a video elsewhere is linked where it is. Sheets and neighbors carry a mark of their
    contents in their names: a page that is open while they are replaced does not mix two nights.
    """
    shards = [
        neighbor_script(
            start // SHARD, explored.neighbors[start : start + SHARD], explored.distances[start : start + SHARD]
        )
        for start in range(0, explored.points.height, SHARD)
    ]
    mark = _mark(*sheets, *shards)
    for number, sheet in enumerate(sheets):
        yield f"thumbs_{mark}_{number:04d}.webp", sheet
    for number, shard in enumerate(shards):
        yield f"neighbors_{mark}_{number:04d}.js", shard
    yield "data.js", script("megafishData", page_data(explored, mark, folder, root))
    yield from ((name, page_file(name)) for name in PAGE_FILES)


def folder_stills(
    points: pl.DataFrame,
    videos: Mapping[str, VideoFile],
    folder: Path,
    most_megapixels: float,
    on_video: Callable[[], None] = lambda: None,
) -> tuple[dict[str, list[int]], dict[str, bytes]]:
    """Of videos that browsers can't play: which frames are there, by `video_file`, and the stills, by their file names.

    `folder` is where those of the night before lie, which are not decoded again.
    """
    unplayed = unplayed_files(videos)
    frames, files = {}, {}
    for name in unplayed:
        wanted = still_frames(points.filter(pl.col("video_file") == name), stills_a_video(len(unplayed)))
        found = stills_of(videos[name], wanted, folder, most_megapixels)
        frames[name] = sorted(found)
        files |= {still_name(videos[name], frame_id): still for frame_id, still in found.items()}
        on_video()
    return frames, files


def unplayed_files(videos: Mapping[str, VideoFile]) -> list[str]:
    """Those that are there and that browsers can't play, sorted."""
    return sorted(name for name, video in videos.items() if video.size_bytes is not None and not video.plays)


@cache
def page_file(name: str) -> bytes:
    """One of the page's own files, which hold nothing of a collection's."""
    return (PAGE / name).read_bytes()


def _mark(*contents: bytes) -> str:
    told = hashlib.sha256()
    for content in contents:
        told.update(content)
    return told.hexdigest()[:10]


def page_data(explored: Explored, mark: str, folder: Path, root: Path) -> dict:
    """What the page is told of every point, as JSON holds it: columns in base64, words as lists."""
    points = explored.points
    files, file_codes = _coded(points["video_file"])
    keys, key_codes = _coded(points["video"])
    tracklets = [None if name is None else tracklet_number(name) for name in points["tracklet_id"].to_list()]
    columns = {
        "x": packed((explored.positions[:, 0] * POSITION_STEPS).round().astype(np.uint16)),
        "y": packed((explored.positions[:, 1] * POSITION_STEPS).round().astype(np.uint16)),
        "key": counted(key_codes),
        "file": counted(file_codes),
        "frame": counted(points["frame_id"].to_numpy()),
        "rank": counted(_ranks(points)),
        "tracklet": counted(np.array([NONE if number is None else number for number in tracklets], dtype=np.int64)),
        "seconds": packed(points["seconds"].fill_null(-1).to_numpy().astype(np.float32)),
        "duplicate": counted(np.where(explored.duplicate_of < 0, NONE, explored.duplicate_of)),
        "probability": packed((points["probability"].fill_null(-0.01).to_numpy() * 100 + 1).round().astype(np.uint8)),
    }
    for side in ("x_1024", "y_1024", "width_1024", "height_1024"):
        columns[side] = packed((points[side].to_numpy().clip(0, 1024) * 63).round().astype(np.uint16))
    names, name_codes = _coded(points["name"].fill_null(""))
    sources, source_codes = _coded(points["name_source"].fill_null(""))
    return {
        "title": explored.title,
        "mark": mark,
        "n": points.height,
        "thumb_px": explored.thumb_px,
        "thumbs_a_side": A_SIDE,
        "shard": SHARD,
        "n_neighbors": int(explored.neighbors.shape[1]),
        "keys": keys,
        "videos": [_video(file, explored, folder, root) for file in files],
        "names": names,
        "name_sources": sources,
        "columns": columns | {"name": counted(name_codes), "name_source": counted(source_codes)},
        "recorded": _recorded(points),
        "colourings": [
            {"name": one.name, "labels": one.labels, "colours": one.colours, "codes": counted(one.codes)}
            for one in explored.colourings
        ],
    }


def _coded(values: pl.Series) -> tuple[list[str], np.ndarray]:
    words = values.unique().sort().to_list()
    places = {word: place for place, word in enumerate(words)}
    return words, np.array([places[word] for word in values.to_list()], dtype=np.int64)


def _ranks(points: pl.DataFrame) -> np.ndarray:
    """int64 `(n,)`, the last part of each id. Raises ValueError for an id that the page would put together wrongly."""
    rank = points["detection_id"].str.extract(r"/(\d+)$").cast(pl.Int64)
    frame = points["frame_id"].cast(pl.String).str.zfill(6)
    rebuilt = points.select(pl.format("{}/{}/{}", "video", frame, rank.cast(pl.String).str.zfill(3)))
    wrong = points.filter((rebuilt.to_series() != points["detection_id"]).fill_null(True))
    if wrong.height:
        raise ValueError(f"{wrong['detection_id'][0]} is not <video>/<frame:06d>/<rank:03d> of its own row")
    return rank.to_numpy()


def _recorded(points: pl.DataFrame) -> dict[str, str]:
    """Minutes since 1900, local time, of each point; `NONE` where it is not known."""
    minutes = (points["recorded_at"] - datetime(1900, 1, 1)).dt.total_minutes()
    return counted(minutes.fill_null(NONE).to_numpy())


def _video(file: str, explored: Explored, folder: Path, root: Path) -> dict:
    video, stills = explored.linked.videos[file], explored.linked.stills.get(file, ())
    return {
        "file": file,
        "address": None if video.size_bytes is None else address(video.path, folder, root),
        "plays": video.plays,
        "stills": {str(frame): still_name(video, frame) for frame in stills},
    }


def address(path: Path, folder: Path, root: Path) -> str:
    """What a page in `folder` calls a file: relative where it lies below `root`, else by its whole place.

    Percent-encoded a part at a time, so that no name is more than a name.
    """
    if not path.is_relative_to(root):
        return path.as_uri()
    up = [".."] * len(folder.relative_to(root).parts)
    return "/".join([*up, *map(quote, path.relative_to(root).parts)])
