"""Water and the light in it: colour with height, haze with distance, sun rays, caustics, floating
particles."""

from dataclasses import dataclass

import cv2
import numpy as np

from megafish_assets.reef.landscape import parallax
from megafish_assets.reef.plan import ReefPlan, Stream, chance
from megafish_assets.reef.textures import caustic_tile, endless_noise, smooth_walk

ATTENUATION_OF_BGR = np.float32([0.8, 0.95, 1.9])
"""How much faster each colour is lost than the mean; red goes first (Jerlov 1976)."""
WATER_AT_Y = (0.0, 0.25, 0.6, 1.0)
CLEAR_BGR = np.float32([(226, 204, 118), (196, 158, 62), (150, 108, 34), (112, 82, 30)])
MILKY_BGR = np.float32([(196, 204, 138), (164, 158, 84), (124, 114, 52), (92, 84, 42)])
MILKY_FROM_PER_M, MILKY_TO_PER_M = 0.06, 0.17
N_PARTICLES = 170
SMALL = 4
"""Light is soft, so rays are computed at a quarter of the size."""


def water_bgr(y: np.ndarray, attenuation_per_m: float) -> np.ndarray:
    """Colour of endless water at heights of the picture, float32 `(n, 3)`; milky water is greener and
    greyer."""
    milky = np.clip((attenuation_per_m - MILKY_FROM_PER_M) / (MILKY_TO_PER_M - MILKY_FROM_PER_M), 0, 1)
    stops = CLEAR_BGR + (MILKY_BGR - CLEAR_BGR) * milky
    return np.stack([np.interp(y, WATER_AT_Y, stops[:, channel]) for channel in range(3)], axis=-1).astype(np.float32)


def transmission_bgr(depth_m: np.ndarray, attenuation_per_m: float) -> np.ndarray:
    """Share of light from each distance that reaches the lens, float32 `(..., 3)`."""
    return np.exp(-attenuation_per_m * np.asarray(depth_m)[..., None] * ATTENUATION_OF_BGR).astype(np.float32)


def still_water(plan: ReefPlan, attenuation_per_m: float) -> np.ndarray:
    """Open water with the bright surface above, uint8 `(h, w, 3)`."""
    width, height = plan.size_wh_px
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : plan.aspect : width * 1j].astype(np.float32)
    colour = np.broadcast_to(water_bgr(y[:, 0], attenuation_per_m)[:, None], (height, width, 3)).copy()
    sun = np.exp(-((x - 0.62 * plan.aspect) ** 2 / 0.5 + (y + 0.12) ** 2 / 0.10))
    cloud = cv2.resize(endless_noise(256, 3, chance(plan.seed, Stream.WATER, 10**6)), (width, height))
    colour += sun[..., None] * np.float32([30, 40, 30]) + (cloud - 0.5)[..., None] * 9
    return np.clip(colour + 0.5, 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Light:
    """What the moving light of every video is made from."""

    ray_angle: np.ndarray
    """Row of `ray_profile` that each small pixel lies on, int `(h/4, w/4)`."""
    ray_strength: np.ndarray
    """float32 `(h/4, w/4)`, fading with depth."""
    ray_profile: np.ndarray
    """float32 `(time, angle)` in [0, 1], endless in both."""
    caustics: tuple[np.ndarray, np.ndarray]
    """Two endless nets; where both are bright, a wave focuses."""


def light_of(plan: ReefPlan) -> Light:
    """Rays that fan out from the sun above the picture, and the nets of the waves."""
    rng = chance(plan.seed, Stream.WATER, 10**6 + 1)
    width, height = (max(side // SMALL, 8) for side in plan.size_wh_px)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : plan.aspect : width * 1j].astype(np.float32)
    angle = np.arctan2(x - 0.62 * plan.aspect, y + 0.55)
    profile = endless_noise(512, 9, rng, octaves=4)
    strength = np.clip(1.08 - y * 1.25, 0, 1) ** 1.3 * 62
    side = max(plan.size_wh_px[1] // 2, 64)
    nets = (caustic_tile(side, rng), caustic_tile(side, rng))
    return Light(((angle + 1.6) * 200).astype(int) % 512, strength, profile, nets)


def sun_rays(light: Light, seconds: float) -> np.ndarray:
    """Extra light of the rays at this moment, uint8 `(h/4, w/4)`."""
    at = seconds * 5.0
    low, share = int(at), at - int(at)
    profile = light.ray_profile[low % 512] * (1 - share) + light.ray_profile[(low + 1) % 512] * share
    beams = np.clip(profile * 2.2 - 0.75, 0, 1) ** 1.5
    return (beams[light.ray_angle] * light.ray_strength).astype(np.uint8)


def caustics(light: Light, seconds: float, camera_x: float, shape_hw: tuple[int, int]) -> np.ndarray:
    """Moving net of light over the lower picture, uint8 of this shape; it stays on the reef while the camera
    pans."""
    height, width = shape_hw
    drift_px = camera_x * parallax(5.0) * light.caustics[0].shape[0]
    moved = []
    for net, x_pace, y_pace in zip(light.caustics, (0.035, -0.028), (0.02, 0.03), strict=True):
        side = net.shape[0]
        squeezed = np.float32(
            [[1, 0, (drift_px + seconds * x_pace * side) % side], [0, 1.9, seconds * y_pace * side % side]]
        )
        moved.append(
            cv2.warpAffine(
                net,
                squeezed,
                (width, height),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_WRAP,
            )
        )
    return cv2.multiply(*moved, scale=1 / 160)


@dataclass(frozen=True)
class Snow:
    """Floating particles of one video; arrays are `(particles,)` or `(frames, particles)`, in picture
    heights."""

    x: np.ndarray
    y: np.ndarray
    size: np.ndarray
    """Radius of the soft dot."""
    brightness: np.ndarray
    """Grey levels that a dot adds in its middle."""


def snow_of(plan: ReefPlan, video: int, camera_x: np.ndarray, attenuation_per_m: float) -> Snow:
    """Particles that sink slowly and drift past; more of them in milky water."""
    rng = chance(plan.seed, Stream.WATER, video, 1)
    n = int(N_PARTICLES * np.clip(attenuation_per_m / 0.09, 0.5, 1.8))
    depth_m = np.exp(rng.uniform(np.log(0.35), np.log(4.0), n))
    t = np.arange(plan.frames)[:, None] / plan.fps
    swirl = np.stack([smooth_walk(plan.frames, 2.5 * plan.fps, rng) for _ in range(2)]) * 0.03
    moves = np.array([parallax(depth) for depth in np.maximum(depth_m, 0.8)])
    span = plan.aspect + 0.2
    x = rng.uniform(0, span, n) + (0.02 * t + swirl[0][:, None]) / depth_m - camera_x[:, None] * moves
    y = rng.uniform(0, 1.2, n) + (0.018 * t + swirl[1][:, None]) / depth_m
    size = np.clip(0.0016 / depth_m, 0.0008, 0.007) * rng.uniform(0.7, 1.5, n)
    return Snow(
        x % span - 0.1,
        y % 1.2 - 0.1,
        size,
        np.clip(26 + 16 / (1 + size * 500), 0, 60) * rng.uniform(0.4, 1.3, n),
    )


def soft_dot(radius_px: float, brightness: float) -> np.ndarray:
    """A particle out of focus, uint8 `(n, n, 3)`, a little blue."""
    reach = max(int(np.ceil(2.2 * radius_px)), 1)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    glow = np.exp(-(x * x + y * y) / (2 * max(radius_px, 0.55) ** 2)) * brightness
    return (glow[..., None] * np.float32([1, 0.98, 0.86])).astype(np.uint8)
