"""The pictures of the review sheets: each unit's best crop, as a thumbnail among others in one JPEG.

Here: how sharp a crop is, which is the best, thumbnails and sprites. Not here: which sheet a tile stands on.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

import cv2
import numpy as np
import polars as pl

from megafish_assets.crops.batches import decoded_rgb

THUMB_PX = 128
"""The montages' tile, and a multiple of the 16 px in which JPEG keeps its colours: no tile bleeds into the next."""

SPRITE_COLUMNS, SPRITE_TILES = 16, 240
"""Tiles in a row and in one file: as many as a sheet shows at first, which opens with one picture of 0.4 to 0.8 MB."""

SPRITE_QUALITY, KEPT_QUALITY = 80, 95
"""JPEG's, of what the browser gets, and of thumbnails that wait for their sprite; at 80 a tile takes 1.6 kB of the
demo's and 3.1 kB of sharp fish."""

PAPER = (255, 255, 255)
"""RGB about a crop that is not square: the tile's own on the page, which shows no frame within its frame."""

COMPARED_PX, MOST_DIFFERENT = 16, 3.0
"""Side to which a tile and its crop are shrunk to be compared, and mean grey levels by which they may then differ.

Two rounds of JPEG move 960 labelled fish by at most 1.96 and pure noise by 1.89, which at full size is 50; of pairs of
different crops, one in a thousand differs by less than 4.7 on the demo and 13.6 on those fish.
"""


def sharpness(pixels_rgb: np.ndarray) -> float:
    """Variance of the Laplacian in squared grey levels: high where edges are crisp.

    Source: Pech-Pacheco et al. 2000, doi:10.1109/ICPR.2000.903548.
    """
    return float(cv2.Laplacian(cv2.cvtColor(pixels_rgb, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())


def thumb(pixels_rgb: np.ndarray) -> np.ndarray:
    """The crop in the middle of a square of `THUMB_PX`, uint8 RGB, its aspect kept; small crops are enlarged."""
    height, width = pixels_rgb.shape[:2]
    scale = THUMB_PX / max(height, width)
    size_wh = max(1, round(width * scale)), max(1, round(height * scale))
    shrunk = cv2.resize(pixels_rgb, size_wh, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    left, top = (THUMB_PX - size_wh[0]) // 2, (THUMB_PX - size_wh[1]) // 2
    square = np.full((THUMB_PX, THUMB_PX, 3), PAPER, np.uint8)
    square[top : top + size_wh[1], left : left + size_wh[0]] = shrunk
    return square


def place_picture(box_xywh_1024: Sequence[float]) -> np.ndarray:
    """Where a place lies in the picture, uint8 RGB: for a place of which no crop was cut."""
    square = np.full((THUMB_PX, THUMB_PX, 3), PAPER, np.uint8)
    cv2.rectangle(square, (0, 0), (THUMB_PX - 1, THUMB_PX - 1), (120, 140, 150), 1)
    x, y, width, height = (round(side * THUMB_PX / 1024) for side in box_xywh_1024)
    cv2.rectangle(square, (x, y), (x + max(width, 2), y + max(height, 2)), (60, 80, 90), -1)
    return square


class KeptThumbs:
    """Thumbnails in a file, by the order in which they came: memory holds none of them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._ends = file, [0]

    def keep(self, jpeg: bytes) -> int:
        """Keeps one; its number."""
        self._file.seek(self._ends[-1])
        self._file.write(jpeg)
        self._ends.append(self._ends[-1] + len(jpeg))
        return len(self._ends) - 2

    def __getitem__(self, number: int) -> np.ndarray:
        start, end = self._ends[number : number + 2]
        self._file.seek(start)
        return decoded_rgb(self._file.read(end - start))


def _jpeg(pixels_rgb: np.ndarray, quality: int) -> bytes:
    return cv2.imencode(".jpg", pixels_rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _looked_at(jpeg: bytes) -> tuple[float, bytes] | None:
    """Sharpness and thumbnail of a crop; None for what is no picture."""
    pixels = decoded_rgb(jpeg)
    return None if pixels is None else (sharpness(pixels), _jpeg(thumb(pixels), KEPT_QUALITY))


def best_crops(
    batches: Iterable[pl.DataFrame], thumbs: KeptThumbs, on_crops: Callable[[int], None] = lambda n: None
) -> pl.DataFrame:
    """The best crop of each unit: `unit_id`, `detection_id`, `sharpness`, `worth`, and `thumb`, its number in `thumbs`.

    Each batch holds `unit_id`, `detection_id`, `width_px`, `height_px` and `jpeg`, all crops of a unit in the same one.
    Best is the one with the largest area times sharpness, then the earliest: what the frame's edge cuts is smaller by
    itself. A crop that is no picture is left out, and a unit that has no other too.
    """
    schema = {"unit_id": pl.String, "detection_id": pl.String, "sharpness": pl.Float64, "worth": pl.Float64}
    found = [pl.DataFrame(schema=schema | {"thumb": pl.Int64})]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for batch in batches:
            seen = [look or (None, b"") for look in pool.map(_looked_at, batch["jpeg"])]
            row = pl.int_range(pl.len()).alias("row")
            rows = batch.drop("jpeg").with_columns(row, pl.Series("sharpness", [s for s, _ in seen], pl.Float64))
            worth = pl.col("width_px") * pl.col("height_px") * pl.col("sharpness")
            rows = rows.drop_nulls("sharpness").with_columns(worth.alias("worth"))
            best = rows.sort(-pl.col("worth"), "detection_id").unique("unit_id", keep="first").sort("unit_id")
            numbers = [thumbs.keep(seen[place][1]) for place in best["row"]]
            found.append(best.with_columns(pl.Series("thumb", numbers, pl.Int64)).select(found[0].columns))
            on_crops(batch.height)
    return pl.concat(found)


def sprites(pictures: Iterator[np.ndarray] | Sequence[np.ndarray]) -> Iterator[bytes]:
    """JPEGs of at most `SPRITE_TILES` thumbnails each, in rows of `SPRITE_COLUMNS`."""
    held: list[np.ndarray] = []
    for picture in pictures:
        held.append(picture)
        if len(held) == SPRITE_TILES:
            yield _jpeg(_sheet(held), SPRITE_QUALITY)
            held = []
    if held:
        yield _jpeg(_sheet(held), SPRITE_QUALITY)


def _sheet(pictures: Sequence[np.ndarray]) -> np.ndarray:
    n_columns = min(SPRITE_COLUMNS, len(pictures))
    n_rows = -(-len(pictures) // SPRITE_COLUMNS)
    sheet = np.full((n_rows * THUMB_PX, n_columns * THUMB_PX, 3), PAPER, np.uint8)
    for place, picture in enumerate(pictures):
        left, top = sprite_corner(place)
        sheet[top : top + THUMB_PX, left : left + THUMB_PX] = picture
    return sheet


def sprite_corner(position: int) -> tuple[int, int]:
    """Left and top edge, in px of its sprite, of the tile at this position of a sheet."""
    row, column = divmod(position % SPRITE_TILES, SPRITE_COLUMNS)
    return column * THUMB_PX, row * THUMB_PX


def is_other_picture(shown_rgb: np.ndarray, crop_jpeg: bytes) -> bool:
    """Whether a tile, uint8 RGB as the browser gets it, is not the picture of this crop."""
    crop = decoded_rgb(crop_jpeg)
    if crop is None or shown_rgb.shape != (THUMB_PX, THUMB_PX, 3):
        return True
    shrunk = (
        cv2.resize(one, (COMPARED_PX, COMPARED_PX), interpolation=cv2.INTER_AREA) for one in (shown_rgb, thumb(crop))
    )
    shown, own = (one.astype(np.int16) for one in shrunk)
    return float(np.abs(shown - own).mean()) > MOST_DIFFERENT
