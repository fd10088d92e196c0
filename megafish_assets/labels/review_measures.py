"""What the check of the review sheets measures, from the files as a browser gets them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from megafish_assets.crops.batches import decoded_rgb
from megafish_assets.labels.review_folder import sprite_name
from megafish_assets.labels.review_pictures import SPRITE_TILES, THUMB_PX, is_other_picture, sprite_corner

DRAWN_TILES = 200
"""Tiles whose pixels are compared: if one in a hundred were wrong, the draw would miss all in 13 % of runs."""


def drawn_tiles(tiles: pl.DataFrame, seed: int) -> pl.DataFrame:
    """At most `DRAWN_TILES` of those with a crop, sorted by sheet and position so that a sprite is opened once."""
    with_crop = tiles.drop_nulls("detection_id")
    drawn = with_crop.sample(min(DRAWN_TILES, with_crop.height), seed=seed)
    return drawn.sort("sheet_position", "position")


def tiles_of_other_pixels(folder: Path, tiles: pl.DataFrame, jpegs: Mapping[str, bytes]) -> int:
    """Tiles whose place in their sprite below the folder does not hold their crop's picture."""
    wrong, opened, sprite = 0, "", None
    for sheet, position, detection_id in tiles.select("sheet", "position", "detection_id").iter_rows():
        name = sprite_name(sheet, position // SPRITE_TILES)
        if name != opened:
            opened, path = name, folder / "data" / name
            sprite = decoded_rgb(path.read_bytes()) if path.exists() else None
        left, top = sprite_corner(position)
        shown = np.empty((0, 0, 3)) if sprite is None else sprite[top : top + THUMB_PX, left : left + THUMB_PX]
        wrong += is_other_picture(shown, jpegs[detection_id])
    return wrong
