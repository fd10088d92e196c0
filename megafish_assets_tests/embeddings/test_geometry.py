"""The square that a model sees, against Pillow and timm's own transform."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image

from megafish_assets.embeddings.geometry import GEOMETRIES, resized, square_maker

MEAN = (0.485, 0.456, 0.406)
MEAN_RGB = [124, 116, 104]
"""255 times the mean, rounded."""

RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


@pytest.fixture(scope="module")
def parrot(real_data: Path) -> Image.Image:
    """512 x 929 px."""
    return Image.open(real_data / "mobilenetv2-imagenet" / "pictures" / "parrot.jpg").convert("RGB")


def flat(height: int, width: int, colour: tuple[int, int, int] = (200, 10, 20)) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def square(geometry: str, picture: np.ndarray, side_px: int = 64, crop_share: float = 1.0) -> np.ndarray:
    """int `(side, side, 3)`."""
    made = square_maker(geometry, side_px, "bicubic", crop_share, MEAN)(picture)
    assert made.dtype == torch.uint8
    return made.permute(1, 2, 0).numpy().astype(int)


@pytest.mark.parametrize("geometry", sorted(set(GEOMETRIES) - {"letterbox_views", "letterbox_pair"}))
@pytest.mark.parametrize("height_width", [(1, 1), (1, 300), (300, 1), (64, 64), (33, 47), (500, 90)])
def test_any_crop_becomes_a_square(geometry: str, height_width: tuple[int, int]) -> None:
    assert square(geometry, flat(*height_width), crop_share=0.875).shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("height_width", "rows", "columns"), [((50, 100), (16, 48), (0, 64)), ((96, 24), (0, 64), (24, 40))]
)
def test_letterbox_keeps_the_aspect_and_fills_with_the_mean_colour(
    height_width: tuple[int, int], rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    made = square("letterbox", flat(*height_width))
    inside = np.zeros((64, 64), bool)
    inside[slice(*rows), slice(*columns)] = True
    assert (made[inside] == (200, 10, 20)).all()
    assert (made[~inside] == MEAN_RGB).all()


@pytest.mark.parametrize("geometry", ["letterbox", "squash"])
def test_letterbox_and_squash_keep_head_and_tail(geometry: str) -> None:
    fish = flat(60, 240, (90, 90, 90))
    fish[:, :30], fish[:, -30:] = (255, 0, 0), (0, 0, 255)
    made = square(geometry, fish)
    assert made[32, 2].tolist() == [255, 0, 0]
    assert made[32, -3].tolist() == [0, 0, 255]


def test_squash_stretches_to_the_whole_square() -> None:
    assert (square("squash", flat(50, 100)) == (200, 10, 20)).all()


@pytest.mark.parametrize("interpolation", RESAMPLING)
@pytest.mark.parametrize("crop_share", [0.875, 0.9, 1.0])
@pytest.mark.parametrize(
    "width_height", [(512, 929), (929, 512), (49, 80), (80, 49), (98, 103), (31, 20), (1_280, 107)]
)
def test_center_is_timms_own_transform(
    parrot: Image.Image, width_height: tuple[int, int], crop_share: float, interpolation: str
) -> None:
    picture = parrot.resize(width_height)
    zero, one = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    transform = timm.data.create_transform(224, interpolation=interpolation, crop_pct=crop_share, mean=zero, std=one)
    expected = (transform(picture) * 255).round().int()
    made = square_maker("center", 224, interpolation, crop_share, MEAN)(np.array(picture)).int()
    assert (made - expected).abs().max() <= 2


@pytest.mark.parametrize("interpolation", RESAMPLING)
@pytest.mark.parametrize("size_hw_px", [(224, 224), (96, 40), (1_000, 700), (13, 929), (929, 512)])
def test_resizing_equals_pillows(parrot: Image.Image, size_hw_px: tuple[int, int], interpolation: str) -> None:
    expected = np.asarray(parrot.resize(size_hw_px[::-1], RESAMPLING[interpolation])).astype(int)
    picture = torch.from_numpy(np.array(parrot)).permute(2, 0, 1)
    error = np.abs(resized(picture, size_hw_px, interpolation).permute(1, 2, 0).numpy() - expected)
    # Bicubic overshoots, and torch rounds it between its two passes otherwise than Pillow in 2 of 10,000 values.
    assert error.max() <= {"bilinear": 1, "bicubic": 4}[interpolation]
    assert (error > 1).mean() < 2e-4


@pytest.mark.parametrize("height_width", [(1, 1), (1, 300), (2, 3), (33, 47), (80, 160)])
def test_views_are_the_letterboxes_of_three_cuts_and_their_mirror_images(height_width: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*height_width, 3), dtype=np.uint8)
    views = square_maker("letterbox_views", 64, "bicubic", 1.0, MEAN)(picture)
    assert views.shape == (6, 3, 64, 64)
    assert torch.equal(views[0], square_maker("letterbox", 64, "bicubic", 1.0, MEAN)(picture))
    assert torch.equal(views[3:].flip(3), views[:3])


def test_a_pair_is_the_letterbox_and_the_mirrored_middle_of_three_quarters() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (80, 160, 3), dtype=np.uint8)
    pair = square_maker("letterbox_pair", 64, "bicubic", 1.0, MEAN)(picture)
    views = square_maker("letterbox_views", 64, "bicubic", 1.0, MEAN)(picture)
    assert torch.equal(pair, torch.stack([views[0], views[2].flip(2)]))


def test_the_closest_view_shows_the_middle_three_quarters() -> None:
    picture = flat(80, 160, (255, 0, 0))
    picture[10:70, 20:140] = (0, 0, 255)
    views = square_maker("letterbox_views", 64, "bicubic", 1.0, MEAN)(picture)
    assert (views[2].permute(1, 2, 0).numpy()[16:48] == (0, 0, 255)).all()
    assert (views[0].permute(1, 2, 0).numpy()[16:48, 0] == (255, 0, 0)).any()
