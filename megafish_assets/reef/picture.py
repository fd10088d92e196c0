"""Puts one frame together, from the water at the back to the glass in front. Every part comes from another
module."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from megafish_assets.reef import lens, scenery, sprites, water
from megafish_assets.reef.landscape import REACH, RIDGES, parallax
from megafish_assets.reef.plan import ReefPlan
from megafish_assets.reef.world import Swim, World

CAUSTIC_GAIN = {"far": 0.35, "sand": 0.9, "middle": 0.75}
"""How much brighter the net of light makes each layer; distant light is blurred by the water between."""
LAYER_DEPTH_M = {ridge.name: ridge.depth_m for ridge in RIDGES}
FADING = 0.2
"""Share of a fish's colour lost to light scattered on the way; without it the animals look cut out and
pasted."""
MIP_LENGTH_PX = 700
"""Longest sprite drawn; a longer fish is this one enlarged, as soft as a fish too near the lens."""


@dataclass(frozen=True)
class Props:
    """What all videos of a reef share."""

    painted: dict[str, np.ndarray]
    light: water.Light
    noise: list[np.ndarray]
    vignette: np.ndarray


@dataclass(frozen=True)
class Stage:
    """One video, ready to be filmed."""

    plan: ReefPlan
    world: World
    props: Props
    still_water: np.ndarray
    layers: dict[str, np.ndarray]
    """As seen through this video's water: uint8 `(h, w, 4)`, BGR times opacity, and opacity."""
    layer_top_px: dict[str, int]
    """First row with anything in it."""
    snow: water.Snow
    dots: list[np.ndarray]
    algae: list[np.ndarray]
    wiper_angle_rad: np.ndarray
    fish: dict[str, list[np.ndarray]]
    """Tail beats by track, drawn when an animal first comes into the picture."""


@lru_cache(maxsize=1)
def props_of(seed: int, size_wh_px: tuple[int, int]) -> Props:
    """Paints what all videos share, once a process."""
    plan = ReefPlan(seed=seed, size_wh_px=size_wh_px)
    return Props(scenery.paint_scenery(plan), water.light_of(plan), lens.noise_tiles(plan), lens.vignette(size_wh_px))


def through_water(painted: np.ndarray, name: str, plan: ReefPlan, attenuation_per_m: float) -> np.ndarray:
    """A painted layer as its distance shows it, uint8 `(h, w, 4)`, BGR times opacity."""
    y = np.arange(painted.shape[0], dtype=np.float32) / plan.size_wh_px[1]
    if name == "sand":
        share = np.clip((y - scenery.SAND_FROM_Y) / (1 - scenery.SAND_FROM_Y), 0, 1)
        far, close = scenery.SAND_DEPTHS_M
        depth_m = 1 / (1 / far + (1 / close - 1 / far) * share)
    else:
        depth_m = np.full(len(y), LAYER_DEPTH_M[name], np.float32)
    passes = water.transmission_bgr(depth_m, attenuation_per_m)
    veil = water.water_bgr(y, attenuation_per_m) * (1 - passes)
    seen = np.empty_like(painted)
    for row in range(len(y)):
        opacity = painted[row, :, 3:].astype(np.float32) / 255
        seen[row, :, :3] = (painted[row, :, :3] * passes[row] + veil[row]) * opacity + 0.5
    seen[..., 3] = painted[..., 3]
    return seen


def set_stage(plan: ReefPlan, world: World) -> Stage:
    """Everything that one video's frames share."""
    props = props_of(plan.seed, plan.size_wh_px)
    height = plan.size_wh_px[1]
    layers = {name: through_water(image, name, plan, world.attenuation_per_m) for name, image in props.painted.items()}
    tops = {name: int(np.flatnonzero(image[..., 3].any(axis=1))[0]) for name, image in props.painted.items()}
    snow = water.snow_of(plan, world.video, world.camera.x, world.attenuation_per_m)
    dots = [water.soft_dot(size * height, glow) for size, glow in zip(snow.size, snow.brightness, strict=True)]
    algae = [lens.draw_algae(patch, height) for patch in lens.algae_of(plan, world.video)]
    wiper = lens.wiper_angle_rad(plan, world.video)
    return Stage(
        plan,
        world,
        props,
        water.still_water(plan, world.attenuation_per_m),
        layers,
        tops,
        snow,
        dots,
        algae,
        wiper,
        {},
    )


def lay_over(picture: np.ndarray, part: np.ndarray) -> None:
    """Lays a picture with opacity (BGR already times opacity) over another of the same size, in place."""
    passes = cv2.cvtColor(cv2.bitwise_not(cv2.extractChannel(part, 3)), cv2.COLOR_GRAY2BGR)
    cv2.add(cv2.multiply(picture, passes, scale=1 / 255), cv2.cvtColor(part, cv2.COLOR_BGRA2BGR), dst=picture)


def lay_at(picture: np.ndarray, part: np.ndarray, inverse_2x3: np.ndarray, box_px: tuple[int, int, int, int]) -> None:
    """Lays a transformed sprite over the window left, top, right, bottom; the matrix maps picture pixels to
    sprite ones."""
    left, top, right, bottom = box_px
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, picture.shape[1]), min(bottom, picture.shape[0])
    if left >= right or top >= bottom:
        return
    shifted = inverse_2x3.copy()
    shifted[:, 2] += shifted[:, :2] @ (left, top)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    piece = cv2.warpAffine(part, shifted, (right - left, bottom - top), flags=flags)
    lay_over(picture[top:bottom, left:right], piece)


def beats_of(stage: Stage, swim: Swim) -> list[np.ndarray]:
    """An animal's tail beat as seen from here, drawn on first use."""
    if swim.track_id not in stage.fish:
        length_px = min(swim.length * stage.plan.size_wh_px[1], MIP_LENGTH_PX)
        drawing = sprites.draw_fish(swim.species, swim.look, length_px)
        passes = water.transmission_bgr(np.float32(swim.depth_m), stage.world.attenuation_per_m)
        veil = water.water_bgr(np.float32([swim.y.mean()]), stage.world.attenuation_per_m)[0]
        # Light from above has lost red on its way down to the fish as well.
        dusk = np.float32([0.92, 0.90, 0.86]) * (1.0 - 0.22 * float(np.clip(swim.y.mean(), 0, 1)))
        grey = drawing[..., :3].mean(axis=2, keepdims=True)
        drawing[..., :3] = (drawing[..., :3] + FADING * (grey - drawing[..., :3])) * dusk
        stage.fish[swim.track_id] = [sprites.under_water(beat, passes, veil) for beat in sprites.tail_beat(drawing)]
    return stage.fish[swim.track_id]


def draw_swim(picture: np.ndarray, stage: Stage, swim: Swim, frame: int) -> None:
    """Puts one animal into the picture, in place."""
    height = stage.plan.size_wh_px[1]
    x, y, facing = swim.x[frame] * height, swim.y[frame] * height, swim.facing[frame]
    slope = swim.tilt_rad[frame] * np.sign(facing)
    hull = swim.species.hull_uv()[:, 1] * swim.look.height_factor
    half_long, half_high = (
        0.56 * abs(facing) * swim.length * height,
        1.1 * np.abs(hull).max() * swim.length * height,
    )
    reach_x = half_long * np.cos(slope) + half_high * abs(np.sin(slope)) + 3
    reach_y = half_high * np.cos(slope) + half_long * abs(np.sin(slope)) + 3
    if not (-reach_x < x < picture.shape[1] + reach_x and -reach_y < y < picture.shape[0] + reach_y):
        return
    beat = beats_of(stage, swim)[int(swim.beat[frame] * sprites.N_PHASES) % sprites.N_PHASES]
    sprite_px = beat.shape[1] / (1 + 2 * sprites.MARGIN_LENGTHS)
    v_min = hull.min() - sprites.MARGIN_LENGTHS
    zoom = sprite_px / (swim.length * height)
    turn = np.array([[np.cos(slope), np.sin(slope)], [-np.sin(slope), np.cos(slope)]])
    # The sprite looks left, so a fish that swims right (facing > 0) runs through it backwards.
    unturn = np.diag([-zoom / facing, zoom]) @ turn
    middle = np.array([(0.5 + sprites.MARGIN_LENGTHS) * sprite_px - 0.5, -v_min * sprite_px - 0.5])
    inverse = np.column_stack([unturn, middle - unturn @ (x - 0.5, y - 0.5)])
    lay_at(
        picture,
        beat,
        inverse,
        (int(x - reach_x), int(y - reach_y), int(x + reach_x) + 1, int(y + reach_y) + 1),
    )


def layer_in_view(stage: Stage, name: str, frame: int) -> tuple[int, np.ndarray]:
    """First row of the picture that a layer can touch, and the layer from there down, uint8 `(rows, w,
    4)`."""
    width, height = stage.plan.size_wh_px
    camera_x, camera_y = stage.world.camera.x[frame], stage.world.camera.y[frame]
    moves = parallax(LAYER_DEPTH_M["middle" if name == "sand" else name])
    drop = camera_y * moves * height
    # Even, so that half of it is a row of the half-size light.
    top = int(np.clip(stage.layer_top_px[name] - drop - 1, 0, height)) // 2 * 2
    if top == height:
        return top, np.empty((0, width, 4), np.uint8)
    slide, shear = (camera_x * moves + REACH) * height, 0.0
    if name == "sand":
        at_top, at_bottom = scenery.sand_parallax(np.array([top / height, 1.0]))
        slide = (camera_x * at_top + REACH) * height
        shear = camera_x * (at_bottom - at_top) * height / (height - top)
    matrix = np.float64([[1, shear, slide], [0, 1, top + drop]])
    view = cv2.warpAffine(
        stage.layers[name],
        matrix,
        (width, height - top),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return top, view


def light_up(picture: np.ndarray, lit: np.ndarray, stage: Stage, seconds: float, camera_x: float) -> None:
    """Adds caustics where `lit` (uint8, half size) says that reef is, and the rays in the water above, in
    place."""
    height, width = picture.shape[:2]
    rows = np.flatnonzero(lit.any(axis=1))
    if len(rows):
        top = int(rows[0]) * 2
        net = water.caustics(stage.props.light, seconds, camera_x, lit.shape)
        glow = cv2.resize(cv2.multiply(net[top // 2 :], lit[top // 2 :], scale=1 / 255), (width, height - top))
        lower = picture[top:]
        cv2.add(lower, cv2.multiply(lower, cv2.cvtColor(glow, cv2.COLOR_GRAY2BGR), scale=1 / 200), dst=lower)
    rays = cv2.resize(water.sun_rays(stage.props.light, seconds), (width, height), interpolation=cv2.INTER_LINEAR)
    cv2.add(picture, cv2.cvtColor(rays, cv2.COLOR_GRAY2BGR), dst=picture)


def draw_snow(picture: np.ndarray, stage: Stage, frame: int) -> None:
    """Adds the floating particles, in place."""
    height, width = picture.shape[:2]
    left = np.round(stage.snow.x[frame] * height).astype(int)
    top = np.round(stage.snow.y[frame] * height).astype(int)
    for x, y, dot in zip(left, top, stage.dots, strict=True):
        side = dot.shape[0]
        if 0 <= x < width - side and 0 <= y < height - side:
            window = picture[y : y + side, x : x + side]
            cv2.add(window, dot, dst=window)


def draw_lens(picture: np.ndarray, stage: Stage, frame: int, seconds: float) -> None:
    """Adds what sits on the glass: algae and the wiper, in place."""
    height = stage.plan.size_wh_px[1]
    for patch, drawing in zip(lens.algae_of(stage.plan, stage.world.video), stage.algae, strict=True):
        sway_x, sway_y = patch.sway(np.float64(seconds))
        left = (patch.x + sway_x) * height - drawing.shape[1] / 2
        top = (patch.y + sway_y) * height - drawing.shape[0] / 2
        box = (int(left) - 1, int(top) - 1, int(left) + drawing.shape[1] + 2, int(top) + drawing.shape[0] + 2)
        lay_at(picture, drawing, np.float64([[1, 0, -left], [0, 1, -top]]), box)
    if np.isfinite(stage.wiper_angle_rad[frame]):
        shade = lens.blade_shade(stage.wiper_angle_rad[frame], stage.plan.size_wh_px)
        cv2.multiply(picture, cv2.cvtColor(shade, cv2.COLOR_GRAY2BGR), dst=picture, scale=1 / 255)


def draw_frame(stage: Stage, frame: int) -> np.ndarray:
    """One frame as the camera records it, uint8 `(h, w, 3)` BGR."""
    width, height = stage.plan.size_wh_px
    seconds = float(stage.plan.seconds(stage.world.video)[frame])
    picture = stage.still_water.copy()
    lit = np.zeros((height // 2, width // 2), np.uint8)
    waiting = list(stage.world.swims)
    for name in ("far", "sand", "middle", "near"):
        while waiting and name != "sand" and waiting[0].depth_m > LAYER_DEPTH_M[name]:
            draw_swim(picture, stage, waiting.pop(0), frame)
        if name == "near":
            light_up(picture, lit, stage, seconds, float(stage.world.camera.x[frame]))
        top, view = layer_in_view(stage, name, frame)
        if top == height:
            continue
        lay_over(picture[top:], view)
        if name in CAUSTIC_GAIN:
            opacity = cv2.convertScaleAbs(
                cv2.resize(cv2.extractChannel(view, 3), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_NEAREST),
                alpha=CAUSTIC_GAIN[name],
            )
            lit[top // 2 :] = cv2.max(cv2.multiply(lit[top // 2 :], cv2.bitwise_not(opacity), scale=1 / 255), opacity)
    for swim in waiting:
        draw_swim(picture, stage, swim, frame)
    draw_snow(picture, stage, frame)
    draw_lens(picture, stage, frame, seconds)
    return finish(picture, stage.props, frame)


def finish(picture: np.ndarray, props: Props, frame: int) -> np.ndarray:
    """The sensor's part: darker corners, and noise."""
    height, width = picture.shape[:2]
    tile = props.noise[frame % len(props.noise)]
    y, x = (frame * 37) % 64, (frame * 23) % 64
    dimmed = cv2.multiply(picture, props.vignette, scale=1 / 255)
    return cv2.addWeighted(dimmed, 1, tile[y : y + height, x : x + width], 1, -128)
