"""What a person looks at to judge the places of the lens: where boxes recur, over a median frame, and a tile each."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np
import polars as pl
from av.error import FFmpegError
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from megafish_assets.footage.boxes import BOX, STRETCHED_PX
from megafish_assets.footage.containers import MOST_MEGAPIXELS, UnreadableVideoError
from megafish_assets.footage.decoding import wanted_frames
from megafish_assets.footage.ids import natural

MEDIAN_OF = 9
"""First frames of so many videos: what swims is gone from their median, what sits on the lens is not."""

PICTURE_WIDTH_PX = 960
MOST_TILES = 24
"""Places that are shown and cut out, the most frequent first; a person judges no more at once."""

AROUND = 0.5
"""Of the place's sides, shown on either side of it in its tile."""

SURE_HEAT = 0.4
"""Share of seconds from which on heat covers the frame; what recurs less shines through."""

HEAT_CELLS = 128
"""Of the map of recurrence, on either side."""


def first_frame(path: Path | None, most_megapixels: float = MOST_MEGAPIXELS) -> np.ndarray | None:
    """uint8 BGR with square pixels, the first frame of a video that can be believed; None where there is none."""
    if path is None or not path.is_file():
        return None
    try:
        for frame in wanted_frames(path, range(30), most_megapixels=most_megapixels):
            return frame.square_bgr
    except (UnreadableVideoError, FFmpegError):  # it is set aside by name where its crops are cut
        return None
    return None


def median_frame(paths: Mapping[str, Path | None], most_megapixels: float = MOST_MEGAPIXELS) -> np.ndarray | None:
    """uint8 BGR, the median of a few videos' first frames; None where none can be read.

    Of videos of several shapes the most frequent one counts.
    """
    videos = sorted(paths, key=natural)
    chosen = [videos[i] for i in np.unique(np.linspace(0, len(videos) - 1, MEDIAN_OF).round().astype(int))]
    frames = [_small(frame) for video in chosen if (frame := first_frame(paths[video], most_megapixels)) is not None]
    if not frames:
        return None
    shapes = [frame.shape for frame in frames]
    usual = max(set(shapes), key=lambda shape: (shapes.count(shape), shape))
    return np.median([frame for frame in frames if frame.shape == usual], axis=0).astype(np.uint8)


def _small(frame: np.ndarray) -> np.ndarray:
    height, width = frame.shape[:2]
    size = PICTURE_WIDTH_PX, max(1, round(height * PICTURE_WIDTH_PX / width))
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA)


def place_tiles(
    found: pl.DataFrame, paths: Mapping[str, Path | None], most_megapixels: float = MOST_MEGAPIXELS
) -> dict[str, bytes]:
    """A JPEG a place, by `<place_id>.jpg`: the place and what is about it, in a frame of one of its videos.

    `found` holds the recurrences. A place whose video can't be read has none.
    """
    tiles = {}
    for place_id, rows in _most_frequent(found):
        row = rows.sort("seconds_share", descending=True).row(0, named=True)
        frame = first_frame(paths.get(row["video"]), most_megapixels)
        if frame is not None:
            picture = _about(frame, np.array([row[side] for side in BOX]))
            tiles[f"{place_id}.jpg"] = cv2.imencode(".jpg", picture)[1].tobytes()
    return tiles


def _most_frequent(found: pl.DataFrame) -> Iterable[tuple[str, pl.DataFrame]]:
    places = found.drop_nulls("place_id").partition_by("place_id", as_dict=True)
    return [(place_id, places[place_id,]) for (place_id,) in sorted(places)[:MOST_TILES]]


def _about(frame: np.ndarray, box_xywh_1024: np.ndarray) -> np.ndarray:
    """The box and what is about it, with its outline."""
    scale = np.array(frame.shape[1::-1]) / STRETCHED_PX
    low, size = box_xywh_1024[:2] * scale, box_xywh_1024[2:] * scale
    outer_low = np.maximum(np.floor(low - AROUND * size), 0).astype(int)
    outer_high = np.minimum(np.ceil(low + (1 + AROUND) * size), frame.shape[1::-1]).astype(int)
    picture = np.ascontiguousarray(frame[outer_low[1] : outer_high[1], outer_low[0] : outer_high[0]])
    corner = np.round(low).astype(int) - outer_low
    cv2.rectangle(
        picture, tuple(corner.tolist()), tuple(np.round(corner + size).astype(int).tolist()), (60, 220, 255), 1
    )
    return picture


def heat_map(found: pl.DataFrame) -> np.ndarray:
    """float64 `(HEAT_CELLS, HEAT_CELLS)`, share of the seconds of all clips in which a box recurs in each cell."""
    heat, cell = np.zeros((HEAT_CELLS, HEAT_CELLS)), STRETCHED_PX / HEAT_CELLS
    for x, y, width, height, share in found.drop_nulls("x_1024").select(*BOX, "seconds_share").iter_rows():
        rows = slice(max(0, int(y / cell)), int(np.ceil((y + height) / cell)))
        columns = slice(max(0, int(x / cell)), int(np.ceil((x + width) / cell)))
        heat[rows, columns] += share
    n_clips = found.select("video", "clip").n_unique()
    return heat / max(1, n_clips)


def places_plot(
    places: pl.DataFrame, found: pl.DataFrame, frame: np.ndarray | None, tiles: Mapping[str, bytes]
) -> Figure:
    """Where boxes recur, as heat over a median frame with the numbered places, and a tile a place below.

    `places` holds the columns `LENS_PLACES`; without a frame the ground is grey.
    """
    n_columns = 8
    n_rows = -(-len(tiles) // n_columns)
    figure = Figure(figsize=(9, 5.6 + 1.3 * n_rows), layout="constrained")
    grid = figure.add_gridspec(1 + n_rows, n_columns, height_ratios=[4.4] + [1] * n_rows)
    axes = figure.add_subplot(grid[0, :])
    ground = np.full((9, 16, 3), 90, np.uint8) if frame is None else frame[..., ::-1]
    extent = (0, STRETCHED_PX, STRETCHED_PX, 0)
    shape = {"extent": extent, "aspect": ground.shape[0] / ground.shape[1]}
    axes.imshow(ground, **shape)
    heat = heat_map(found)
    image = axes.imshow(heat, cmap="autumn_r", vmin=0, vmax=1, alpha=np.clip(heat / SURE_HEAT, 0, 1) * 0.7, **shape)
    figure.colorbar(image, ax=axes, label="share of seconds", shrink=0.8)
    for row in places.head(MOST_TILES).iter_rows(named=True):
        corner = row["x_1024"], row["y_1024"]
        axes.add_patch(Rectangle(corner, row["width_1024"], row["height_1024"], fill=False, color="white", lw=1.2))
        axes.annotate(row["place_id"], corner, color="white", fontsize=8, va="bottom")
    axes.set_xticks([])
    axes.set_yticks([])
    n_clips = found.select("video", "clip").n_unique()
    what = "place recurs" if places.height == 1 else "places recur"
    axes.set_title(f"{places.height} {what} across {n_clips:,} clips; heat: where boxes recur within a clip")
    for number, (name, jpeg) in enumerate(sorted(tiles.items())):
        tile = figure.add_subplot(grid[1 + number // n_columns, number % n_columns])
        tile.imshow(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1])
        tile.set_title(name.removesuffix(".jpg"), fontsize=8)
        tile.set_axis_off()
    return figure
