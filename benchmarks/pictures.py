"""The clusters of recipes side by side, a row of tiles each, with the kind that most of them show."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from megafish_assets.atlas.montage import INK, PAPER, tile_pixels
from megafish_assets.clusters.recipes import first_rows
from megafish_assets.features.pooling import unit_codes

N_CLUSTERS, N_TILES = 14, 8
"""Rows of a recipe, its largest clusters, and random tiles in each, one a tracklet."""

TILE_PX, GAP_PX, LABEL_PX, TITLE_PX = 72, 4, 170, 34
QUALITY = 88
SEED = 42


def chosen(labels: np.ndarray, tracklets: np.ndarray) -> list[np.ndarray]:
    """Row numbers of the tiles of each of the largest clusters, no tracklet twice; None is no tracklet."""
    rng, rows = np.random.default_rng(SEED), []
    for label in range(min(N_CLUSTERS, labels.max() + 1)):
        members = rng.permutation(np.flatnonzero(labels == label))
        first = np.sort(first_rows(unit_codes(tracklets[members])))
        rows.append(members[first[:N_TILES]])
    return rows


def panel(
    title: str,
    labels: np.ndarray,
    tracklets: np.ndarray,
    kinds: np.ndarray,
    jpegs_of: Callable[[np.ndarray], Sequence[bytes]],
) -> np.ndarray:
    """uint8 RGB, a row a cluster: its size, the kind that most of it shows and that share, and tiles of it.

    `jpegs_of` gives the crops of row numbers.
    """
    height = TITLE_PX + N_CLUSTERS * (TILE_PX + GAP_PX)
    width = LABEL_PX + N_TILES * (TILE_PX + GAP_PX) + 4 * GAP_PX
    sheet = np.full((height, width, 3), PAPER, np.uint8)
    rows = chosen(labels, tracklets)
    for row, places in enumerate(rows):
        for column, jpeg in enumerate(jpegs_of(places)):
            tile = _small(tile_pixels(jpeg))
            top = TITLE_PX + row * (TILE_PX + GAP_PX) + (TILE_PX - tile.shape[0]) // 2
            left = LABEL_PX + column * (TILE_PX + GAP_PX) + (TILE_PX - tile.shape[1]) // 2
            sheet[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    image = Image.fromarray(sheet)
    pen = ImageDraw.Draw(image)
    pen.text((GAP_PX, TITLE_PX // 2), title, fill=INK, font=ImageFont.load_default(size=16), anchor="lm")
    for row in range(len(rows)):
        names, counts = np.unique(kinds[labels == row], return_counts=True)
        caption = f"{counts.sum()} crops\n{counts.max() / counts.sum():.0%} {names[counts.argmax()]}"
        middle = TITLE_PX + row * (TILE_PX + GAP_PX) + TILE_PX // 2
        pen.multiline_text((GAP_PX, middle), caption, fill=INK, font=ImageFont.load_default(size=14), anchor="lm")
    return np.asarray(image)


def _small(pixels: np.ndarray) -> np.ndarray:
    scale = TILE_PX / max(pixels.shape[:2])
    size_wh = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    return cv2.resize(pixels, size_wh, interpolation=cv2.INTER_AREA)


def drawn_beside(panels: Mapping[str, np.ndarray], path: Path) -> None:
    """Writes the panels side by side as JPEG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(list(panels.values()), axis=1)).save(path, quality=QUALITY)
