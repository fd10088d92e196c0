"""What happens before the camera: its path, the water's clearness, and every animal's way. No pixels, no
detector."""

from dataclasses import dataclass

import numpy as np

from megafish_assets.reef.landscape import MEDIAN_FISH_DEPTH_M, Layer, landscape, parallax, seen_skyline
from megafish_assets.reef.plan import ReefPlan, Stream, chance
from megafish_assets.reef.species import SPECIES, Species
from megafish_assets.reef.sprites import Look
from megafish_assets.reef.textures import smooth_walk

FOCAL_HEIGHTS = 1.3
"""Picture heights that one metre spans at one metre's distance: a lens of about 42 degrees, as of a housed
camera."""
THINNEST_SHARE = 0.3
"""A fish seen from the front is about a third as wide as it is long from the side."""
MARGIN_HEIGHTS = 0.9
"""Animals start this far beyond the picture, so that they come and go at a steady rate."""
RESTING_PACE = 0.02
"""Of its usual way, what a resting animal still makes: it holds its place with its fins."""
CLEAR_WATER_PER_M = 0.07
"""Attenuation of a clear day on a reef (Jerlov's coastal water 1 is near this in green)."""


@dataclass(frozen=True)
class CameraPath:
    """Where the camera looks, float64 `(frames,)`, picture heights from the middle of its path."""

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Swim:
    """One animal's way through one video; arrays are `(frames,)`, in picture heights as seen."""

    track_id: str
    species: Species
    look: Look
    length: float
    """Snout to tail, seen from the side."""
    depth_m: float
    x: np.ndarray
    """Middle of the body (u = 0.5, v = 0) in the picture."""
    y: np.ndarray
    facing: np.ndarray
    """Foreshortening with sign: 1 swims right in full profile, -1 left."""
    tilt_rad: np.ndarray
    """Nose below the horizontal, clockwise in the picture for a fish that swims right."""
    beat: np.ndarray
    """Tail beats since the start."""
    over_reef: np.ndarray
    """bool: reef, not open water, lies behind the middle of the animal."""
    floor_y: np.ndarray
    """Edge of the reef before the animal; what is below it is hidden."""

    def outline(self) -> tuple[np.ndarray, np.ndarray]:
        """Every outline point in the picture, x and y, float64 `(frames, points)`."""
        hull = self.species.hull_uv()
        along = (0.5 - hull[:, 0]) * self.length * self.facing[:, None]
        across = hull[:, 1] * self.length * self.look.height_factor
        slope = (self.tilt_rad * np.sign(self.facing))[:, None]
        x = self.x[:, None] + along * np.cos(slope) - across * np.sin(slope)
        return x, self.y[:, None] + along * np.sin(slope) + across * np.cos(slope)


@dataclass(frozen=True)
class World:
    """One video's happenings."""

    video: int
    camera: CameraPath
    attenuation_per_m: float
    layers: tuple[Layer, ...]
    swims: tuple[Swim, ...]
    """From the farthest to the nearest, the order of painting."""


def camera_path(plan: ReefPlan, video: int) -> CameraPath:
    """A slow pan to and fro with a slight sway, which goes on smoothly from one video to the next; or none at all."""
    if not plan.pans:
        return CameraPath(np.zeros(plan.frames), np.zeros(plan.frames))
    t = plan.seconds(video)
    start = chance(plan.seed, Stream.CAMERA).uniform(0, 2 * np.pi, 5)

    def swing(number: int, reach: float, period_s: float) -> np.ndarray:
        return reach * np.sin(2 * np.pi * t / period_s + start[number])

    x = swing(0, 0.68, 29.0) + swing(1, 0.05, 7.3) + swing(2, 0.006, 2.9)
    return CameraPath(x, swing(3, 0.010, 5.1) + swing(4, 0.004, 2.3))


def attenuation_per_m(plan: ReefPlan, video: int) -> float:
    """How fast the water swallows light in this video; log-normal between days of clear and of milky
    water."""
    return CLEAR_WATER_PER_M * float(np.exp(chance(plan.seed, Stream.WATER, video).normal(0.25, 0.35)))


def facing_path(plan: ReefPlan, rng: np.random.Generator) -> np.ndarray:
    """Signed foreshortening: mostly profile, wandering yaw, now and then a turn."""
    t = np.arange(plan.frames) / plan.fps
    yaw = rng.choice([0.0, np.pi]) + 0.42 * smooth_walk(plan.frames, 2.2 * plan.fps, rng)
    if rng.random() < 0.3:
        turned = np.clip((t - rng.uniform(0, max(t[-1], 1.0))) / 0.9, 0, 1)
        yaw = yaw + np.pi * turned * turned * (3 - 2 * turned)
    profile = np.cos(yaw)
    return np.where(profile < 0, -1.0, 1.0) * np.maximum(np.abs(profile), THINNEST_SHARE)


def look_of(rng: np.random.Generator) -> Look:
    """One animal's own proportions, hue and skin."""
    tint = rng.normal(1, 0.07) * (1 + rng.normal(0, 0.035, 3))
    return Look(float(rng.normal(1, 0.05)), tuple(np.clip(tint, 0.7, 1.25)), int(rng.integers(2**31)))


def home_y(
    over_reef: bool, screen_x: float, camera_x: float, layers: tuple[Layer, ...], rng: np.random.Generator
) -> float:
    """Height at which an animal stays: below the far skyline, or well above it."""
    skyline = float(seen_skyline(layers[0], np.array([screen_x]), np.array([camera_x]))[0])
    return rng.uniform(skyline + 0.06, 0.9) if over_reef else rng.uniform(0.1, max(skyline - 0.08, 0.2))


def rests(plan: ReefPlan, track_id: str) -> bool:
    """Whether this animal stays where it is; the others' ways do not depend on it."""
    video, _, number = track_id.partition("-")
    return chance(plan.seed, Stream.REST, int(video), int(number)).random() < plan.resting_share


def swim_near(
    plan: ReefPlan,
    world_layers: tuple[Layer, ...],
    camera: CameraPath,
    species: Species,
    track_id: str,
    start: tuple[float, float, float],
    facing: np.ndarray,
    rng: np.random.Generator,
) -> Swim:
    """One animal that is near `start` (screen x, screen y, depth in metres) in the middle of the video."""
    middle = plan.frames // 2
    x_middle, y_middle, depth_m = start
    median_m, spread = species.length_m
    length = median_m * float(np.exp(rng.normal(0, spread))) * FOCAL_HEIGHTS / depth_m
    pace = np.maximum(1 + 0.5 * smooth_walk(plan.frames, 2.5 * plan.fps, rng), 0.1)
    if rests(plan, track_id):
        pace = pace * RESTING_PACE
    stride = species.speed_lengths * length * facing * pace / plan.fps
    own_x = np.cumsum(stride) - np.sum(stride[: middle + 1]) + 0.012 * smooth_walk(plan.frames, 1.5 * plan.fps, rng)
    own_y = (0.03 + 0.15 * length) * smooth_walk(plan.frames, 3.0 * plan.fps, rng)
    if rests(plan, track_id):
        own_y = own_y * RESTING_PACE
    moves = parallax(depth_m)
    x = x_middle + own_x - (camera.x - camera.x[middle]) * moves
    y = y_middle + own_y - camera.y * moves
    climb = np.gradient(own_y) if plan.frames > 1 else np.zeros(1)
    tilt = np.clip(0.6 * np.arctan2(climb, np.abs(stride) + 1e-4), -0.5, 0.5) + 0.06 * smooth_walk(
        plan.frames, 2 * plan.fps, rng
    )
    behind = [seen_skyline(layer, x, camera.x) for layer in world_layers if layer.ridge.depth_m >= depth_m]
    before = [seen_skyline(layer, x, camera.x) for layer in world_layers if layer.ridge.depth_m < depth_m]
    clear_below = np.full(plan.frames, np.inf)
    return Swim(
        track_id=track_id,
        species=species,
        look=look_of(rng),
        length=length,
        depth_m=depth_m,
        x=x,
        y=y,
        facing=facing,
        tilt_rad=tilt,
        beat=rng.random() + np.cumsum(pace) * rng.uniform(1.2, 2.2) / plan.fps,
        over_reef=y > np.min(behind, axis=0) if behind else np.zeros(plan.frames, bool),
        floor_y=np.min([clear_below, *before], axis=0),
    )


def groups_of(plan: ReefPlan, video: int, species: Species, number: int, rng: np.random.Generator) -> list[bool]:
    """One entry a group of this species in this video: whether it keeps to the reef."""
    if species.every_n_videos > 1:
        offset = chance(plan.seed, Stream.SCHEDULE, number).integers(species.every_n_videos)
        if (video + offset) % species.every_n_videos:
            return []
        # With so few chances, taking turns is the only sure way to show it before both backgrounds.
        return [(video + offset) // species.every_n_videos % 2 == 0]
    # The crowd fills the margins too, so that the picture alone holds about `in_view` animals.
    in_world = species.in_view * (1 + 2 * MARGIN_HEIGHTS / plan.aspect)
    n_groups = int(in_world / np.mean(species.school) * rng.uniform(0.6, 1.4) + rng.random())
    return [bool(rng.random() < species.over_reef_share) for _ in range(n_groups)]


def depth_of(species: Species, rng: np.random.Generator) -> float:
    """Distance of an animal, metres: log-normal about the median, inside what the species keeps to."""
    return float(np.clip(MEDIAN_FISH_DEPTH_M * np.exp(rng.normal(0, 0.42)), *species.depth_m))


def animals(plan: ReefPlan, video: int, layers: tuple[Layer, ...], camera: CameraPath) -> list[Swim]:
    """Every animal of a video, species by species."""
    swims: list[Swim] = []
    middle_x = float(camera.x[plan.frames // 2])
    table = list(SPECIES.values())
    for number in plan.species_numbers:
        species = table[number]
        rng = chance(plan.seed, Stream.FISH, video, number)
        rare = species.every_n_videos > 1
        margin = 0.1 if rare else MARGIN_HEIGHTS
        for over_reef in groups_of(plan, video, species, number, rng):
            group_x, depth_m = rng.uniform(-margin, plan.aspect + margin), depth_of(species, rng)
            group_y, facing = home_y(over_reef, group_x, middle_x, layers, rng), facing_path(plan, rng)
            n = int(rng.integers(species.school[0], species.school[1] + 1))
            for _ in range(n):
                apart = rng.normal(0, 1, 2) * (0.16, 0.085) if n > 1 else (0.0, 0.0)
                start = (group_x + apart[0], group_y + apart[1], depth_m * float(np.exp(rng.normal(0, 0.06))))
                own_facing = facing if rng.random() < 0.85 else facing_path(plan, rng)
                track_id = f"{video:04d}-{len(swims):03d}"
                swims.append(swim_near(plan, layers, camera, species, track_id, start, own_facing, rng))
    return swims


def simulate_world(plan: ReefPlan, video: int) -> World:
    """Everything that happens in one video; depends on the seed, the species, the video's number and
    its length alone."""
    layers, camera = landscape(plan.seed, plan.aspect), camera_path(plan, video)
    swims = sorted(animals(plan, video, layers, camera), key=lambda swim: -swim.depth_m)
    return World(video, camera, attenuation_per_m(plan, video), layers, tuple(swims))
