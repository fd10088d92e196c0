"""What sits on the lens and in the sensor: where algae grow, when the wiper comes, and how both and the noise
look."""

from dataclasses import dataclass

import cv2
import numpy as np

from megafish_assets.reef.plan import ReefPlan, Stream, chance
from megafish_assets.reef.textures import fractal_noise

N_ALGAE = 6
GROWTH_A_VIDEO = 0.012
"""Share of their first size that algae gain with each video, until they have doubled."""
WIPER_EVERY_N_VIDEOS = 4
WIPE_SECONDS = 1.1
WIPER_PIVOT_Y = 1.35
"""The arm turns about a point below the picture."""
BLADE_HALF_WIDTH = 0.045
NOISE_SIGMA = 2.2
"""Grey levels of a small sensor at dusk."""
N_NOISE_TILES = 6


@dataclass(frozen=True)
class AlgaePatch:
    """A growth on the glass, in picture heights."""

    x: float
    y: float
    width: float
    height: float
    seed: int

    def sway(self, seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far it leans at these times, x and y, picture heights."""
        start = self.seed % 7
        return 0.006 * np.sin(seconds / 1.9 + start), 0.004 * np.sin(seconds / 2.7 + 2 * start)


def algae_of(plan: ReefPlan, video: int) -> tuple[AlgaePatch, ...]:
    """The patches of one video: always the same ones, a little larger each time; most sit toward the rim."""
    rng = chance(plan.seed, Stream.LENS)
    growth = 1 + min(GROWTH_A_VIDEO * video, 1.0)
    patches = []
    for _ in range(N_ALGAE):
        turn, out = rng.uniform(0, 2 * np.pi), rng.uniform(0.55, 0.92)
        width, height = rng.uniform(0.06, 0.17, 2)
        x, y = plan.aspect * (0.5 + 0.48 * out * np.cos(turn)), 0.5 + 0.46 * out * np.sin(turn)
        patches.append(AlgaePatch(x, y, width * growth, height * growth, int(rng.integers(2**31))))
    return tuple(patches)


def wiper_angle_rad(plan: ReefPlan, video: int) -> np.ndarray:
    """Lean of the wiper's arm in each frame, 0 is upright, float64 `(frames,)`; NaN while it rests out of
    sight."""
    angle = np.full(plan.frames, np.nan)
    offset = chance(plan.seed, Stream.SCHEDULE, 99).integers(WIPER_EVERY_N_VIDEOS)
    if (video + offset) % WIPER_EVERY_N_VIDEOS:
        return angle
    n = max(2, min(round(WIPE_SECONDS * plan.fps), plan.frames // 2))
    if n > plan.frames:
        return angle
    first = int(chance(plan.seed, Stream.LENS, video).integers(0, plan.frames - n + 1))
    angle[first : first + n] = -1.15 * np.cos(np.linspace(0, np.pi, n))
    return angle


def blade_corners(angle_rad: float, aspect: float, half_width: float = BLADE_HALF_WIDTH) -> np.ndarray:
    """The blade's corners in the picture, float64 `(4, 2)` x, y in picture heights."""
    pivot, along = np.array([aspect / 2, WIPER_PIVOT_Y]), np.array([np.sin(angle_rad), -np.cos(angle_rad)])
    across = half_width * np.array([-along[1], along[0]])
    near, far = pivot + 0.3 * along, pivot + 1.75 * along
    return np.array([near - across, near + across, far + across, far - across])


def draw_algae(patch: AlgaePatch, height_px: int) -> np.ndarray:
    """One patch out of focus, uint8 `(h, w, 4)` BGR times opacity, and opacity; the patch fills its middle
    half."""
    shape_hw = (max(int(2 * patch.height * height_px), 8), max(int(2 * patch.width * height_px), 8))
    rng = np.random.default_rng(patch.seed)
    y, x = np.mgrid[-1 : 1 : shape_hw[0] * 1j, -1 : 1 : shape_hw[1] * 1j].astype(np.float32)
    clump = np.clip((fractal_noise(shape_hw, 3, rng) * 1.5 - np.hypot(x, y) * 1.35 + 0.1) * 2.2, 0, 1)
    strands = np.zeros(shape_hw, np.uint8)
    for _ in range(22):
        steps = np.cumsum(rng.normal(rng.normal(0, 0.02, 2), 0.025, (26, 2)), axis=0) + rng.normal(0, 0.12, 2)
        points = ((steps * 0.9 + 1) / 2 * [shape_hw[1], shape_hw[0]] * 16).astype(np.int32)
        cv2.polylines(strands, [points], False, 190, max(1, height_px // 240), cv2.LINE_AA, 4)
    soft = height_px * 0.006 + 0.4
    opacity = cv2.GaussianBlur(np.maximum(clump * 0.85, strands / 255.0).astype(np.float32), (0, 0), soft)
    opacity *= np.clip((1 - np.hypot(x, y)) * 4, 0, 1)
    shade = 0.55 + 0.8 * fractal_noise(shape_hw, 6, rng)
    brown = np.float32([38, 84, 88]) + rng.normal(0, 9, 3).astype(np.float32)
    opacity = np.clip(opacity * 0.92, 0, 0.92)[..., None]
    return np.clip(np.dstack([brown * shade[..., None] * opacity, opacity * 255]), 0, 255).astype(np.uint8)


def blade_shade(angle_rad: float, size_wh_px: tuple[int, int]) -> np.ndarray:
    """Light that passes the wiper, uint8 `(h, w)`, 255 where it is not: a blade too near the lens to be
    sharp."""
    width, height = size_wh_px[0] // 4, size_wh_px[1] // 4
    light = np.full((height, width), 255, np.uint8)
    for half_width, passes in ((1.5 * BLADE_HALF_WIDTH, 150), (BLADE_HALF_WIDTH, 22)):
        corners = np.round(blade_corners(angle_rad, width / height, half_width) * height * 16).astype(np.int32)
        cv2.fillPoly(light, [corners], passes, cv2.LINE_AA, 4)
    return cv2.resize(cv2.GaussianBlur(light, (0, 0), 0.014 * height + 0.3), size_wh_px, interpolation=cv2.INTER_LINEAR)


def noise_tiles(plan: ReefPlan) -> list[np.ndarray]:
    """Sensor noise about 128, uint8 BGR, half again as wide and high as it must be, so that offsets hide
    repeats."""
    rng = chance(plan.seed, Stream.LENS, 1)
    width, height = plan.size_wh_px
    shape = (height + 64, width + 64)
    tiles = []
    for _ in range(N_NOISE_TILES):
        grey = rng.normal(0, NOISE_SIGMA, (*shape, 1)).astype(np.float32)
        colour = cv2.resize(
            rng.normal(0, NOISE_SIGMA, (shape[0] // 2, shape[1] // 2, 3)).astype(np.float32), shape[::-1]
        )
        tiles.append(np.clip(128 + grey + 0.7 * colour, 0, 255).astype(np.uint8))
    return tiles


def vignette(size_wh_px: tuple[int, int]) -> np.ndarray:
    """Light that reaches the corners, uint8 `(h, w, 3)`, 255 in the middle."""
    width, height = size_wh_px
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    light = 1 - 0.42 * np.clip(np.hypot(x, y) / np.sqrt(2), 0, 1) ** 2.2
    return cv2.merge([(light * 255).astype(np.uint8)] * 3)
