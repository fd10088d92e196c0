"""Where the reef stands: layers, coral heads and their skyline, in picture heights. How it is painted is
`scenery.py`."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from megafish_assets.reef.plan import Stream, chance
from megafish_assets.reef.textures import smooth_walk

MEDIAN_FISH_DEPTH_M = 3.5
"""Depth at which the scene moves in the picture exactly as the camera pans."""
TURNING_SHARE = 0.6
"""Part of the pan that is pure turning, which moves all depths alike; the rest is travel, which gives
parallax."""
REACH = 1.25
"""Picture heights that the landscape extends beyond the picture on either side: the widest pan of the nearest
layer."""
GRID_STEP = 0.005
"""Spacing of the stored skyline; finer than a box's jitter."""
HEAD_KINDS = ("boulder", "brain", "lobed", "plate", "staghorn", "fan", "sponge", "rubble")
LACY_KINDS = ("staghorn", "fan")
"""Kinds that let the background through, and so do not count for the skyline."""


def parallax(depth_m: float) -> float:
    """Picture heights that something moves for each height of the camera's pan."""
    return TURNING_SHARE + (1 - TURNING_SHARE) * MEDIAN_FISH_DEPTH_M / depth_m


@dataclass(frozen=True)
class Ridge:
    """What tells one layer of reef from another."""

    name: str
    depth_m: float
    crest_y: float
    """Mean height of the rock's edge, picture heights from the top."""
    relief: float
    """Standard deviation of the rock's edge, picture heights."""
    hills_wide: float
    """Width of a typical hill, picture heights."""
    head_radius: tuple[float, float]
    """Smallest and largest coral heads, picture heights."""
    heads_per_height: float
    """Coral heads for each picture height of width."""


RIDGES = (
    Ridge("far", 9.0, 0.60, 0.055, 0.7, (0.02, 0.07), 46),
    Ridge("middle", 5.0, 0.83, 0.13, 0.9, (0.03, 0.12), 30),
    Ridge("near", 1.7, 1.08, 0.10, 1.1, (0.06, 0.16), 9),
)
"""From the farthest to the nearest."""


@dataclass(frozen=True)
class Head:
    """One coral head or rock, in world picture heights of its layer."""

    x: float
    y: float
    radius_x: float
    radius_y: float
    kind: str
    seed: int

    def top(self, x: np.ndarray) -> np.ndarray:
        """Its upper edge over each `x`; infinity where it is not."""
        inside = 1 - ((x - self.x) / self.radius_x) ** 2
        return np.where(inside > 0, self.y - self.radius_y * np.sqrt(np.maximum(inside, 0)), np.inf)


@dataclass(frozen=True)
class Layer:
    """A ridge with its corals."""

    ridge: Ridge
    heads: tuple[Head, ...]
    """From the back to the front, the order of painting."""
    grid_x: np.ndarray
    rock_y: np.ndarray
    """Edge of the bare rock over `grid_x`."""
    skyline_y: np.ndarray
    """Edge of rock and solid corals over `grid_x`."""

    def skyline(self, world_x: np.ndarray) -> np.ndarray:
        """Upper edge of the layer at these places, picture heights from the top."""
        return np.interp(world_x, self.grid_x, self.skyline_y)


def plant_heads(ridge: Ridge, grid_x: np.ndarray, rock_y: np.ndarray, rng: np.random.Generator) -> tuple[Head, ...]:
    """Corals all over the rock face, larger toward the bottom because it is nearer."""
    n = int(ridge.heads_per_height * np.ptp(grid_x))
    x = rng.uniform(grid_x[0], grid_x[-1], n)
    crest = np.interp(x, grid_x, rock_y)
    below = rng.beta(0.8, 1.4, n) * 0.38
    smallest, largest = ridge.head_radius
    radius = smallest * (largest / smallest) ** rng.beta(1.1, 2.2, n) * (1 + 1.2 * below)
    kinds = rng.choice(HEAD_KINDS, n, p=(0.2, 0.16, 0.18, 0.1, 0.12, 0.07, 0.07, 0.1))
    heads = [
        Head(
            x[i],
            crest[i] + below[i] + 0.3 * radius[i],
            radius[i] * rng.uniform(0.8, 1.5),
            radius[i] * rng.uniform(0.7, 1.1),
            str(kinds[i]),
            int(rng.integers(2**31)),
        )
        for i in range(n)
    ]
    return tuple(sorted(heads, key=lambda head: head.y))


def raise_layer(ridge: Ridge, aspect: float, rng: np.random.Generator) -> Layer:
    """One layer of the landscape."""
    grid_x = np.arange(-REACH, aspect + REACH + GRID_STEP, GRID_STEP)
    hills = smooth_walk(len(grid_x), ridge.hills_wide / GRID_STEP, rng) + 0.25 * smooth_walk(
        len(grid_x), 0.14 / GRID_STEP, rng
    )
    rough = 0.05 * smooth_walk(len(grid_x), 0.025 / GRID_STEP, rng)
    rock_y = ridge.crest_y + ridge.relief * (hills + rough)
    heads = plant_heads(ridge, grid_x, rock_y, rng)
    skyline_y = rock_y.copy()
    for head in heads:
        if head.kind not in LACY_KINDS:
            skyline_y = np.minimum(skyline_y, head.top(grid_x))
    return Layer(ridge, heads, grid_x, rock_y, skyline_y)


@lru_cache(maxsize=2)
def landscape(seed: int, aspect: float) -> tuple[Layer, ...]:
    """The layers of this seed's reef, from the farthest to the nearest; the same in every video."""
    return tuple(
        raise_layer(ridge, aspect, chance(seed, Stream.LANDSCAPE, number)) for number, ridge in enumerate(RIDGES)
    )


def seen_skyline(layer: Layer, screen_x: np.ndarray, camera_x: np.ndarray) -> np.ndarray:
    """Skyline at places in the picture while the camera stands at `camera_x`, picture heights from the
    top."""
    return layer.skyline(screen_x + camera_x * parallax(layer.ridge.depth_m))
