"""How a crop of any shape becomes the square that a model wants, or several squares that are looked at together."""

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


VIEWED_SHARES = (1.0, 0.875, 0.75)
"""Of the box's width and height, about its middle: all of it, and twice with less of the water around the fish."""


def letterbox_views(
    picture: torch.Tensor, side_px: int, interpolation: str, crop_share: float, fill: torch.Tensor
) -> torch.Tensor:
    """uint8 `(2 * shares, 3, side, side)`: the letterbox of each of `VIEWED_SHARES`, then the mirror image of each."""
    import torch

    cuts = [middle(picture, share) for share in VIEWED_SHARES]
    squares = torch.stack([letterbox(cut, side_px, interpolation, crop_share, fill) for cut in cuts])
    return torch.cat([squares, squares.flip(3)])


PAIRED_SHARE = 0.75
"""Of width and height, for the second view of a pair. Another share would be another name, as vectors differ."""


def letterbox_pair(
    picture: torch.Tensor, side_px: int, interpolation: str, crop_share: float, fill: torch.Tensor
) -> torch.Tensor:
    """uint8 `(2, 3, side, side)`: the letterbox, and the mirror image of that of its middle, `PAIRED_SHARE` wide."""
    import torch

    whole, inner = (
        letterbox(middle(picture, share), side_px, interpolation, crop_share, fill) for share in (1.0, PAIRED_SHARE)
    )
    return torch.stack([whole, inner.flip(2)])


GEOMETRIES: dict[str, Callable[..., torch.Tensor]] = {
    "letterbox": letterbox,
    "squash": squash,
    "center": center,
    "letterbox_views": letterbox_views,
    "letterbox_pair": letterbox_pair,
}
"""Each gives a square, or those of several views, whose vectors are averaged."""

FIRST_SHARES = (1.0, 0.875, 0.75)
"""What the name `letterbox_views` alone has stood for since the first vectors that bear it."""


def resolved(geometry: str) -> str:
    """All that makes a square besides the weights: the name, and its numbers where they are not those that it began
    with. Vectors of different ones can't be compared."""
    moved = geometry == "letterbox_views" and VIEWED_SHARES != FIRST_SHARES
    return f"{geometry}{VIEWED_SHARES}" if moved else geometry


GEOMETRY = "letterbox_views"
"""Unless a collection says otherwise: on real fish the nearest crop of another track is of the same species in 0.88,
with one view in 0.86 (docs/quality.md)."""


def chosen_geometry(name: str | None) -> str:
    """The geometry in MEGAFISH_GEOMETRY, the default for None. Raises ValueError for one that there is not."""
    if name is not None and name not in GEOMETRIES:
        raise ValueError(f"MEGAFISH_GEOMETRY = {name!r}, allowed: {', '.join(GEOMETRIES)}")
    return name or GEOMETRY


def middle(picture: torch.Tensor, share: float) -> torch.Tensor:
    """The middle of `(3, height, width)`, this share of each side, and never less than a pixel."""
    height, width = picture.shape[1:]
    top, left = (min(round(side * (1 - share) / 2), (side - 1) // 2) for side in (height, width))
    return picture[:, top : height - top, left : width - left]


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
    """A function from a picture (uint8 RGB `(height, width, 3)`) to what its geometry makes of it.

    That is a square (uint8 `(3, side, side)`), or `(n_views, 3, side, side)` where it looks more than once.

    The fill of `letterbox` is the weights' mean colour, which normalising turns into zeros.
    """
    import torch

    shape = GEOMETRIES[geometry]
    fill = torch.tensor([round(255 * channel) for channel in mean], dtype=torch.uint8).view(3, 1, 1)

    def to_square(picture_rgb: np.ndarray) -> torch.Tensor:
        picture = torch.from_numpy(np.ascontiguousarray(picture_rgb)).permute(2, 0, 1)
        return shape(picture, side_px, interpolation, crop_share, fill)

    return to_square
