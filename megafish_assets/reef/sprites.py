"""Draws one fish: outline, skin, fins, eye, and the phases of its tail beat. Where it swims is `world.py`."""

from dataclasses import dataclass

import cv2
import numpy as np

from megafish_assets.reef.species import Points, Species
from megafish_assets.reef.textures import fractal_noise

N_PHASES = 8
"""Pictures of one tail beat; at two beats a second more would not show in 30 frames a second."""
MARGIN_LENGTHS = 0.04
"""Empty border around a sprite, so that tail beats and blur stay inside it."""
SMALLEST_DRAWING_PX = 64
SUPERSAMPLED_BELOW_PX = 260
"""Longer fish are smooth enough drawn at their own size."""
SUBPIXEL_BITS = 4


@dataclass(frozen=True)
class Look:
    """How one animal differs from its kind."""

    height_factor: float
    tint_rgb: tuple[float, float, float]
    """Multiplies the colours; near 1."""
    seed: int
    """Of its skin's texture."""


@dataclass(frozen=True)
class Canvas:
    """Body coordinates of each pixel of a drawing."""

    scale_px: float
    """Pixels a body length."""
    v_min: float
    shape_hw: tuple[int, int]

    def u(self) -> np.ndarray:
        """Place along the body, float32 `(1, w)`."""
        return ((np.arange(self.shape_hw[1], dtype=np.float32) + 0.5) / self.scale_px - MARGIN_LENGTHS)[None]

    def v(self) -> np.ndarray:
        """Place across the body, downwards, float32 `(h, 1)`."""
        return ((np.arange(self.shape_hw[0], dtype=np.float32) + 0.5) / self.scale_px + self.v_min)[:, None]

    def fill(self, points_uv: np.ndarray) -> np.ndarray:
        """Mask of a polygon, float32 `(h, w)` in [0, 1]."""
        points_px = (points_uv - [-MARGIN_LENGTHS, self.v_min]) * self.scale_px - 0.5
        mask = np.zeros(self.shape_hw, np.uint8)
        corners = np.round(points_px * 2**SUBPIXEL_BITS).astype(np.int32)
        cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA, SUBPIXEL_BITS)
        return mask.astype(np.float32) / 255


def canvas_for(species: Species, look: Look, length_px: float) -> Canvas:
    """Canvas that holds the whole animal at this length."""
    v = species.hull_uv()[:, 1] * look.height_factor
    v_min, v_max = v.min() - MARGIN_LENGTHS, v.max() + MARGIN_LENGTHS
    shape_hw = (int(np.ceil((v_max - v_min) * length_px)), int(np.ceil((1 + 2 * MARGIN_LENGTHS) * length_px)))
    return Canvas(length_px, float(v_min), shape_hw)


def rounded(points: Points, n_between: int = 8) -> np.ndarray:
    """Smooth open curve through the points, float64 `(n, 2)`. Source: Catmull and Rom 1974."""
    p = np.array([points[0], *points, points[-1]], float)
    t = np.linspace(0, 1, n_between, endpoint=False)[:, None]
    pieces = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True)
    ]
    return np.concatenate([*pieces, p[-1:]])


def paint_fins(canvas: Canvas, species: Species, look: Look, tint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colour `(h, w, 3)` and opacity `(h, w)` of everything behind the body, with its rays."""
    u, v = canvas.u(), canvas.v()
    colour = np.broadcast_to(np.float32(species.fin) * tint, (*canvas.shape_hw, 3)).copy()
    opacity = np.zeros(canvas.shape_hw, np.float32)
    for fin in species.fins:
        opacity = np.maximum(opacity, 0.85 * canvas.fill(rounded(fin) * [1, look.height_factor]))
    tail = canvas.fill(rounded(species.tail) * [1, look.height_factor])
    colour[tail > 0] = np.float32(species.tail_colour) * tint
    opacity = np.maximum(opacity, 0.9 * tail)
    rays = (
        1
        + 0.13 * np.sin((u * 1.1 - np.abs(v) * 0.6) * 190) * (u < 0.85)
        + 0.13 * np.sin(v / (u - 0.55) * 90) * (u >= 0.85)
    )
    for mark in species.marks:
        cover = mark.coverage(u, np.clip(v / 0.2, -2, 2))[..., None] * (u >= 0.78)[..., None]
        colour += (np.float32(mark.colour) * tint - colour) * cover
    return colour * rays[..., None], opacity


def paint_skin(canvas: Canvas, species: Species, look: Look, tint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colour `(h, w, 3)` and opacity `(h, w)` of the body: pigment, pattern, scales, and light from above."""
    u, v = canvas.u(), canvas.v()
    top, bottom = (rounded(side) * [1, look.height_factor] for side in (species.top, species.bottom))
    upper, lower = (np.interp(u, line[:, 0], line[:, 1]).astype(np.float32) for line in (top, bottom))
    s = np.clip(2 * (v - upper) / np.maximum(lower - upper, 1e-3) - 1, -1.3, 1.3)
    back, flank, belly = (np.float32(c) for c in (species.back, species.flank, species.belly))
    to_belly = np.clip(s * 1.1 - 0.1, 0, 1)[..., None]
    to_back = np.clip(-s * 1.2 - 0.15, 0, 1)[..., None]
    colour = (flank + (belly - flank) * to_belly + (back - flank) * to_back) * tint
    for mark in species.marks:
        colour += (np.float32(mark.colour) * tint - colour) * mark.coverage(u, s)[..., None]
    grain = fractal_noise(canvas.shape_hw, 7, np.random.default_rng(look.seed), octaves=4) - 0.5
    scales = 0.045 * np.sin((u + v) * 150) * np.sin((u - v) * 150)
    # A rounded flank turns away from the eye at its edges, and the sun stands above.
    light = 0.66 + 0.4 * np.sqrt(np.maximum(1 - 0.92 * s * s, 0)) - 0.1 * s + scales + species.mottle * 2 * grain
    gill = np.exp(-(((np.hypot(u - 0.13, v * 0.8) - 0.115) / 0.008) ** 2)) * (u > 0.2) * 0.22
    colour = colour * (light - gill)[..., None]
    return colour, canvas.fill(np.concatenate([top, bottom[::-1]]))


def paint_eye(canvas: Canvas, species: Species, look: Look, colour: np.ndarray) -> None:
    """Puts iris, pupil and a glint on the animal, in place."""
    eye_u, eye_v, radius = species.eye_uv_radius
    far = np.hypot(canvas.u() - eye_u, canvas.v() - eye_v * look.height_factor) / radius
    glint = (
        np.hypot(canvas.u() - eye_u + radius * 0.3, canvas.v() - eye_v * look.height_factor + radius * 0.35) / radius
    )
    for distance, reach, rgb in (
        (far, 1.0, (205, 190, 130)),
        (far, 0.68, (12, 12, 16)),
        (glint, 0.24, (235, 245, 245)),
    ):
        cover = np.clip((reach - distance) * radius * canvas.scale_px + 0.5, 0, 1)[..., None]
        colour += (np.float32(rgb) - colour) * cover


def paint_pectoral(canvas: Canvas, species: Species, look: Look, tint: np.ndarray, colour: np.ndarray) -> None:
    """Puts the translucent breast fin on the flank, in place."""
    at_u = species.eye_uv_radius[0] + 0.13
    depth = 0.12 * look.height_factor * np.ptp([point[1] for point in (*species.top, *species.bottom)])
    fin = np.array([(at_u, depth), (at_u + 0.09, 0.2 * depth), (at_u + 0.125, 1.5 * depth), (at_u + 0.07, 2.2 * depth)])
    cover = 0.5 * canvas.fill(rounded(tuple(map(tuple, fin))))[..., None]
    colour += (np.float32(species.fin) * tint * 0.85 - colour) * cover


def draw_fish(species: Species, look: Look, length_px: float) -> np.ndarray:
    """The animal at rest, snout to the left, float32 `(h, w, 4)`: BGR in [0, 255] and opacity in [0, 1],
    straight."""
    drawn_px = max(length_px * (2 if length_px < SUPERSAMPLED_BELOW_PX else 1), SMALLEST_DRAWING_PX)
    canvas = canvas_for(species, look, drawn_px)
    tint = np.float32(look.tint_rgb)
    fins, fins_opacity = paint_fins(canvas, species, look, tint)
    skin, skin_opacity = paint_skin(canvas, species, look, tint)
    paint_pectoral(canvas, species, look, tint, skin)
    paint_eye(canvas, species, look, skin)
    colour = fins + (skin - fins) * skin_opacity[..., None]
    drawing = np.dstack([np.clip(colour[..., ::-1], 0, 255), np.maximum(fins_opacity, skin_opacity)])
    height, width = canvas_for(species, look, length_px).shape_hw
    return cv2.resize(drawing, (max(width, 3), max(height, 3)), interpolation=cv2.INTER_AREA)


def tail_beat(drawing: np.ndarray) -> list[np.ndarray]:
    """The drawing at `N_PHASES` moments of one beat: the rear swings toward and away from the eye, and
    sways."""
    height, width = drawing.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    u = x / width
    rear = np.clip(u - 0.35, 0, 1)
    phases = []
    for turn in np.arange(N_PHASES) / N_PHASES * 2 * np.pi:
        # Swung aside by an angle, the tail looks shorter by that angle's cosine.
        shorter = 0.22 * np.sin(turn) ** 2 * rear**2 * width
        sway = 0.05 * np.sin(turn - 4 * u) * rear * height
        phases.append(cv2.remap(drawing, x + shorter.astype(np.float32), y + sway.astype(np.float32), cv2.INTER_LINEAR))
    return phases


def under_water(drawing: np.ndarray, transmission_bgr: np.ndarray, water_bgr: np.ndarray) -> np.ndarray:
    """What arrives at the lens, uint8 `(h, w, 4)`, colour already multiplied by opacity.

    `transmission_bgr` is the share of light that comes through; the rest is the water's own light.
    """
    opacity = drawing[..., 3:]
    seen = drawing[..., :3] * transmission_bgr + water_bgr * (1 - transmission_bgr)
    return np.clip(np.dstack([seen * opacity, opacity * 255]) + 0.5, 0, 255).astype(np.uint8)
