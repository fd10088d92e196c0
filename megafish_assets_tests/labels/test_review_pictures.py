"""The pictures of the tiles: which crop is the best, and that a sprite holds it where the page looks for it."""

import io

import cv2
import numpy as np
import polars as pl
import pytest

from megafish_assets.crops.batches import decoded_rgb
from megafish_assets.labels.review_pictures import (
    PAPER,
    SPRITE_TILES,
    THUMB_PX,
    KeptThumbs,
    best_crops,
    is_other_picture,
    place_picture,
    sharpness,
    sprite_corner,
    sprites,
    thumb,
)
from megafish_assets_tests.labels.reviewed import jpeg


def batch(**columns: list) -> pl.DataFrame:
    return pl.DataFrame(columns, schema_overrides={"jpeg": pl.Binary, "unit_id": pl.String, "detection_id": pl.String})


def encoded(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    # One white pixel on black: the Laplacian is -4 x 255 there, 255 at its four neighbors, and 0 elsewhere.
    pixels = np.zeros((20, 20, 3), np.uint8)
    pixels[10, 10] = 255
    values = np.array([-4 * 255] + [255] * 4 + [0] * 395)
    assert sharpness(pixels) == pytest.approx(values.var())
    assert sharpness(np.full((5, 5, 3), 90, np.uint8)) == 0


def test_the_best_crop_is_the_largest_times_the_sharpest() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    blurred = cv2.GaussianBlur(noise, (0, 0), 2)
    crops = batch(
        unit_id=["t1"] * 3 + ["t2"] * 2 + ["t3"],
        detection_id=["a", "b", "c", "d", "e", "f"],
        width_px=[40, 40, 20, 40, 40, 40],
        height_px=[40] * 6,
        jpeg=[encoded(one) for one in (blurred, noise, noise[:, :20], noise, noise)] + [b"no picture"],
    )
    kept = KeptThumbs(io.BytesIO())
    best = best_crops([crops.head(3), crops.tail(3)], kept)
    assert best.select("unit_id", "detection_id").rows() == [("t1", "b"), ("t2", "d")]  # of equals the earlier
    assert np.abs(kept[best["thumb"][0]].astype(int) - thumb(decoded_rgb(crops["jpeg"][1]))).mean() < 6
    assert best_crops([], kept).height == 0


def test_a_thumbnail_keeps_its_aspect_on_paper() -> None:
    for width, height in ((400, 100), (10, 40), (1, 1)):
        square = thumb(np.zeros((height, width, 3), np.uint8))
        assert square.shape == (THUMB_PX, THUMB_PX, 3)
        n_dark = (square == 0).all(axis=2).sum()
        assert n_dark == pytest.approx(THUMB_PX**2 * min(width, height) / max(width, height), rel=0.02)
        assert width == height or tuple(square[0, 0]) == PAPER


def test_a_sprite_holds_each_tile_where_the_page_looks_for_it() -> None:
    crops = [jpeg(seed) for seed in range(SPRITE_TILES + 20)]
    files = [decoded_rgb(sprite) for sprite in sprites(thumb(decoded_rgb(crop)) for crop in crops)]
    assert len(files) == 2 and list(sprites([])) == []

    def shown(position: int) -> np.ndarray:
        left, top = sprite_corner(position)
        return files[position // SPRITE_TILES][top : top + THUMB_PX, left : left + THUMB_PX]

    assert not any(is_other_picture(shown(place), crops[place]) for place in range(len(crops)))
    assert all(is_other_picture(shown(place), crops[place - 1]) for place in range(1, len(crops)))
    assert is_other_picture(np.empty((0, 0, 3)), crops[0]) and is_other_picture(shown(0), b"no picture")


def test_a_place_without_a_crop_is_drawn_where_it_lies() -> None:
    picture = place_picture([512.0, 0.0, 512.0, 256.0])
    assert tuple(picture[16, 96]) != PAPER and tuple(picture[100, 96]) == PAPER and tuple(picture[16, 20]) == PAPER
