"""How a crop of any shape becomes the square that a model wants."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def letterbox(
    picture: torch.Tensor, side_px: int, interpolation: str, crop_share: float, fill: torch.Tensor
) -> torch.Tensor:
    """The whole picture, aspect kept, centred on a square of the fill colour."""
    height, width = picture.shape[1:]
    scale = side_px / max(height, width)
    size = max(1, round(height * scale)), max(1, round(width * scale))
    square = fill.expand(3, side_px, side_px).clone()
    top, left = (side_px - size[0]) // 2, (side_px - size[1]) // 2
    square[:, top : top + size[0], left : left + size[1]] = resized(picture, size, interpolation)
    return square


def squash(
    picture: torch.Tensor, side_px: int, interpolation: str, crop_share: float, fill: torch.Tensor
) -> torch.Tensor:
    """The whole picture, stretched to the square."""
    return resized(picture, (side_px, side_px), interpolation)


def center(
    picture: torch.Tensor, side_px: int, interpolation: str, crop_share: float, fill: torch.Tensor
) -> torch.Tensor:
    """timm's own way: the shorter side to `side / crop_share`, then the middle; a long fish loses head and tail."""
    height, width = picture.shape[1:]
    short = int(side_px / crop_share)
    # Multiplied before it is divided, as torchvision does: 49 * (256 / 49) would be a hair below 256.
    size = int(short * height / min(height, width)), int(short * width / min(height, width))
    scaled = resized(picture, size, interpolation)
    top, left = round((size[0] - side_px) / 2), round((size[1] - side_px) / 2)
    return scaled[:, top : top + side_px, left : left + side_px]


GEOMETRIES: dict[str, Callable[..., torch.Tensor]] = {
    "letterbox": letterbox,
    "squash": squash,
    "center": center,
}


def resized(picture: torch.Tensor, size_hw_px: tuple[int, int], interpolation: str) -> torch.Tensor:
    """uint8 `(3, height, width)` at another size, antialiased as Pillow does it."""
    from torch.nn.functional import interpolate

    if tuple(picture.shape[1:]) == size_hw_px:
        return picture
    scaled = interpolate(picture[None], size=size_hw_px, mode=interpolation, antialias=True, align_corners=False)
    return scaled[0]


def square_maker(
    geometry: str, side_px: int, interpolation: str, crop_share: float, mean: tuple[float, ...]
) -> Callable[[np.ndarray], torch.Tensor]:
    """A function from a picture (uint8 RGB `(height, width, 3)`) to its square (uint8 `(3, side, side)`).

    The fill of `letterbox` is the weights' mean colour, which normalising turns into zeros.
    """
    import torch

    shape = GEOMETRIES[geometry]
    fill = torch.tensor([round(255 * channel) for channel in mean], dtype=torch.uint8).view(3, 1, 1)

    def to_square(picture_rgb: np.ndarray) -> torch.Tensor:
        picture = torch.from_numpy(np.ascontiguousarray(picture_rgb)).permute(2, 0, 1)
        return shape(picture, side_px, interpolation, crop_share, fill)

    return to_square
