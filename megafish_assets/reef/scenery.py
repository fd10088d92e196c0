"""Paints the reef's layers in clear daylight: rock, corals, fans, sand. Where they stand is
`landscape.py`."""

from dataclasses import dataclass

import cv2
import numpy as np

from megafish_assets.reef.landscape import REACH, RIDGES, Head, Layer, landscape, parallax
from megafish_assets.reef.plan import ReefPlan, Stream, chance
from megafish_assets.reef.textures import endless_noise, fractal_noise, ridged_noise

BANK_PX = 512
"""Side of the noise tiles from which corals take their grain."""
SAND_FROM_Y = 0.72
SAND_DEPTHS_M = (RIDGES[0].depth_m, 2.8)
"""Distance of the sand at its upper edge and at the bottom of the picture."""
HEAD_BGR = {
    "boulder": ((84, 108, 112), (66, 92, 98), (104, 112, 142)),
    "brain": ((92, 160, 158), (78, 134, 160), (100, 150, 120)),
    "lobed": ((70, 140, 182), (96, 148, 196), (120, 130, 172)),
    "plate": ((120, 128, 150), (132, 116, 160), (86, 122, 146)),
    "staghorn": ((118, 180, 204), (148, 170, 196), (178, 158, 150)),
    "fan": ((150, 62, 138), (70, 110, 206), (120, 60, 170)),
    "sponge": ((52, 108, 208), (48, 170, 204), (146, 80, 120)),
    "rubble": ((120, 138, 146), (98, 118, 128), (134, 128, 158)),
}


@dataclass
class Board:
    """A panorama being painted."""

    scale_px: int
    """Pixels a picture height."""
    colour: np.ndarray
    """float32 `(h, w, 3)` BGR."""
    opacity: np.ndarray
    """float32 `(h, w)` in [0, 1]."""

    def window(self, x: float, y: float, half_x: float, half_y: float) -> tuple[slice, slice, np.ndarray, np.ndarray]:
        """Rows, columns, and the unit coordinates (x, y in [-1, 1]) of a place; empty where it is off the
        board."""
        height, width = self.opacity.shape
        x_px, y_px = (x + REACH) * self.scale_px, y * self.scale_px
        rows = slice(max(int(y_px - half_y * self.scale_px), 0), min(int(y_px + half_y * self.scale_px) + 1, height))
        columns = slice(max(int(x_px - half_x * self.scale_px), 0), min(int(x_px + half_x * self.scale_px) + 1, width))
        unit_x = (np.arange(columns.start, max(columns.stop, columns.start)) - x_px) / (half_x * self.scale_px)
        unit_y = (np.arange(rows.start, max(rows.stop, rows.start)) - y_px) / (half_y * self.scale_px)
        return rows, columns, unit_x.astype(np.float32)[None], unit_y.astype(np.float32)[:, None]


def grain_bank(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Endless textures by name, float32 `(512, 512)` in [0, 1]."""
    fine, lumps = endless_noise(BANK_PX, 24, rng, 5), endless_noise(BANK_PX, 20, rng, 2)
    maze = ridged_noise((BANK_PX, BANK_PX), 36, rng) ** 2
    return {"fine": fine, "lumps": lumps, "maze": maze, "broad": endless_noise(BANK_PX, 6, rng, 6)}


def grain(bank: np.ndarray, shape_hw: tuple[int, int], coarseness: float, rng: np.random.Generator) -> np.ndarray:
    """A piece of a texture at this shape; `coarseness` 1 spreads 160 of its pixels over it."""
    span = int(min(160 / coarseness, BANK_PX - 1))
    y, x = rng.integers(0, BANK_PX - span, 2)
    long = max(shape_hw)
    piece = bank[y : y + max(span * shape_hw[0] // long, 2), x : x + max(span * shape_hw[1] // long, 2)]
    return cv2.resize(piece, shape_hw[::-1], interpolation=cv2.INTER_LINEAR)


def bumps(relief: np.ndarray, strength: float) -> np.ndarray:
    """Brightness of a rough surface lit from above and a little from the left: 1 where it is flat."""
    down = np.gradient(relief, axis=0) if relief.shape[0] > 1 else np.zeros_like(relief)
    across = np.gradient(relief, axis=1) if relief.shape[1] > 1 else np.zeros_like(relief)
    return np.clip(1 + strength * (down + 0.4 * across) * relief.shape[0] / 12, 0.45, 1.6)


def cast_shadow(board: Board, head: Head) -> None:
    """Darkens what lies around and below a head, softly."""
    rows, columns, x, y = board.window(head.x, head.y + 0.35 * head.radius_y, 1.5 * head.radius_x, 1.5 * head.radius_y)
    board.colour[rows, columns] *= (1 - 0.6 * np.clip(1.1 - np.hypot(x, y), 0, 1) ** 0.8)[..., None]


def paint_solid(board: Board, head: Head, bank: dict[str, np.ndarray], rng: np.random.Generator) -> None:
    """A rounded head with the grain of its kind."""
    flat = 0.45 if head.kind == "plate" else 1.0
    rows, columns, x, y = board.window(head.x, head.y, 1.15 * head.radius_x, 1.15 * head.radius_y)
    if 0 in (x.size, y.size):
        return
    x, y = x * 1.15, y * 1.15
    shape = (y.shape[0], x.shape[1])
    texture, coarse = {"brain": ("maze", 1.0), "lobed": ("lumps", 1.3), "plate": ("fine", 0.6)}.get(
        head.kind, ("fine", 1.0)
    )
    relief, patches = grain(bank[texture], shape, coarse, rng), grain(bank["broad"], shape, 1.2, rng)
    relief = 0.6 * relief + 0.4 * grain(bank["fine"], shape, 0.5, rng)
    edge = np.hypot(x, y / flat if head.kind == "plate" else y) + (patches - 0.5) * 0.35
    cover = np.clip((1 - edge) * min(shape) * 0.35, 0, 1)
    round_z = np.sqrt(np.clip(1 - np.minimum(edge, 1) ** 2, 0, 1))
    light = 0.30 + 0.75 * np.clip(0.62 * -y / flat + 0.58 * round_z - 0.12 * x, 0, 1.2)
    tone = np.float32(HEAD_BGR[head.kind][head.seed % 3]) * rng.uniform(0.75, 1.15) * (1 + rng.normal(0, 0.06, 3))
    colour = tone * (0.72 + 0.56 * patches)[..., None] * (light * bumps(relief, 0.7) * (0.7 + 0.55 * relief))[..., None]
    if head.kind == "sponge":
        colour *= (1 - 0.8 * np.clip(1.3 - np.hypot(x / 0.45, (y + 0.62) / 0.22), 0, 1))[..., None]
    board.colour[rows, columns] += (colour - board.colour[rows, columns]) * cover[..., None]
    board.opacity[rows, columns] = np.maximum(board.opacity[rows, columns], cover)


def branches(head: Head, scale_px: int, rng: np.random.Generator) -> list[tuple[np.ndarray, float, int]]:
    """Twigs of a growth from its foot upwards: ends in picture heights `(2, 2)`, age in [0, 1], width in
    pixels."""
    wide = 0.75 if head.kind == "fan" else 0.55
    spread, n_levels = (0.42, 6) if head.kind == "fan" else (0.5, 4)
    n_stems = 3 if head.kind == "fan" else 9
    tips = [(np.array([head.x, head.y + head.radius_y]), rng.uniform(-wide, wide)) for _ in range(n_stems)]
    twigs = []
    for level in range(n_levels):
        step = head.radius_y * (0.62 if level == 0 else 0.42) * 0.9**level
        grown = []
        for foot, lean in tips:
            tip = foot + step * rng.uniform(0.7, 1.2) * np.array([np.sin(lean), -np.cos(lean)])
            twigs.append(
                (
                    np.stack([foot, tip]),
                    level / n_levels,
                    max(1, round(head.radius_y * scale_px * 0.09 * 0.66**level)),
                )
            )
            grown += [(tip, lean + rng.normal(side * spread, 0.2)) for side in (-1, 1)]
        tips = grown
    return twigs


def paint_lacy(board: Board, head: Head, rng: np.random.Generator) -> None:
    """A staghorn or a sea fan: twigs, paler toward their tips."""
    tone = np.float32(HEAD_BGR[head.kind][head.seed % 3]) * rng.uniform(0.8, 1.1)
    rows, columns, x, y = board.window(head.x, head.y, 2.2 * head.radius_x, 2.4 * head.radius_y)
    if 0 in (x.size, y.size):
        return
    colour = np.ascontiguousarray(board.colour[rows, columns])
    cover = np.zeros(colour.shape[:2], np.uint8)
    for ends, age, width_px in branches(head, board.scale_px, rng):
        px = (ends + np.array([REACH, 0])) * board.scale_px - [columns.start, rows.start]
        corners = [tuple(int(value * 16) for value in end) for end in px]
        bright = (0.55 + 0.55 * age) * rng.uniform(0.85, 1.1)
        cv2.line(colour, *corners, tuple(float(c) for c in tone * bright), width_px, cv2.LINE_AA, 4)
        cv2.line(cover, *corners, 255, width_px, cv2.LINE_AA, 4)
    board.colour[rows, columns] = colour
    board.opacity[rows, columns] = np.maximum(board.opacity[rows, columns], cover.astype(np.float32) / 255)


def bare_rock(layer: Layer, board: Board, rng: np.random.Generator) -> None:
    """Fills the board below the rock's edge: cracked, mottled with turf and coralline crust, darker toward
    its foot."""
    shape = board.opacity.shape
    columns_x = np.arange(shape[1]) / board.scale_px - REACH
    edge = np.interp(columns_x, layer.grid_x, layer.rock_y).astype(np.float32)
    below = (np.arange(shape[0], dtype=np.float32) / board.scale_px)[:, None] - edge
    lumps, turf = fractal_noise(shape, 9, rng, 6), fractal_noise(shape, 5, rng, 5)
    board.opacity[:] = np.clip(below * board.scale_px + (lumps - 0.5) * 0.03 * board.scale_px, 0, 1)
    crust = fractal_noise(shape, 14, rng, 4)[..., None]
    colour = np.float32([74, 94, 98]) + (np.float32([62, 108, 96]) - [74, 94, 98]) * turf[..., None]
    colour = colour + (np.float32([118, 100, 150]) - colour) * np.clip(crust * 3 - 1.9, 0, 1)
    depth_shade = np.clip(1.05 - 1.3 * below, 0.5, 1.05)
    board.colour[:] = colour * (bumps(lumps, 0.55 * 720 / shape[0]) * depth_shade * (0.55 + 0.7 * lumps))[..., None]


def paint_layer(layer: Layer, plan: ReefPlan, number: int) -> np.ndarray:
    """One layer in clear light, uint8 `(h, w, 4)`: straight BGR and opacity; its first column is x =
    -REACH."""
    scale = plan.size_wh_px[1]
    shape = (scale + scale // 16, int((plan.aspect + 2 * REACH) * scale))
    board = Board(scale, np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32))
    rng = chance(plan.seed, Stream.PAINT, number)
    bank = grain_bank(rng)
    bare_rock(layer, board, rng)
    for head in layer.heads:
        head_rng = np.random.default_rng(head.seed)
        if head.kind in ("staghorn", "fan"):
            paint_lacy(board, head, head_rng)
            continue
        cast_shadow(board, head)
        paint_solid(board, head, bank, head_rng)
    return np.clip(np.dstack([board.colour, board.opacity * 255]), 0, 255).astype(np.uint8)


def paint_sand(plan: ReefPlan) -> np.ndarray:
    """The sandy floor in clear light, uint8 `(h, w, 4)`, rippled in perspective; empty above
    `SAND_FROM_Y`."""
    scale = plan.size_wh_px[1]
    shape = (scale + scale // 16, int((plan.aspect + 2 * REACH) * scale))
    rng = chance(plan.seed, Stream.PAINT, 50)
    ripples, patches = endless_noise(BANK_PX, 16, rng, 4), endless_noise(BANK_PX, 5, rng, 5)
    y, x = np.mgrid[0 : shape[0] / scale : shape[0] * 1j, -REACH : plan.aspect + REACH : shape[1] * 1j].astype(
        np.float32
    )
    away = 1 / np.maximum(y - SAND_FROM_Y + 0.12, 0.02)
    ground_x, ground_z = (x - plan.aspect / 2) * away * 34, away * 42
    rippled = cv2.remap(
        ripples, ground_x * 0.8, ground_z * 1.6 + ground_x * 0.3, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
    )
    spots = cv2.remap(patches, ground_x, ground_z, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    grit = fractal_noise(shape, 150, rng, 2)
    light = 0.84 + 0.16 * rippled + 0.24 * (grit - 0.5)
    colour = np.float32([158, 184, 192]) * light[..., None] * (0.86 + 0.24 * spots)[..., None]
    edge = SAND_FROM_Y + 0.035 * (fractal_noise(shape, 10, rng, 4) - 0.5)
    opacity = np.clip((y - edge) * 40, 0, 1) * np.clip(2.2 - 2.2 * np.clip(spots * 1.6 - 0.85, 0, 1), 0, 1)
    return np.clip(np.dstack([colour, opacity * 255]), 0, 255).astype(np.uint8)


def paint_scenery(plan: ReefPlan) -> dict[str, np.ndarray]:
    """Every layer by its name, from the back to the front: far, sand, middle, near; the near one out of
    focus."""
    painted = {}
    for number, layer in enumerate(landscape(plan.seed, plan.aspect)):
        painted[layer.ridge.name] = paint_layer(layer, plan, number)
    painted["near"] = cv2.GaussianBlur(painted["near"], (0, 0), plan.size_wh_px[1] * 0.004)
    return {
        "far": painted["far"],
        "sand": paint_sand(plan),
        "middle": painted["middle"],
        "near": painted["near"],
    }


def sand_parallax(y: np.ndarray) -> np.ndarray:
    """Parallax of the floor at these heights; linear in y, because 1 / depth is."""
    far, close = (parallax(depth) for depth in SAND_DEPTHS_M)
    return far + (close - far) * (y - SAND_FROM_Y) / (1 - SAND_FROM_Y)
