"""The marks of a fish's pattern and where each covers the skin. Which fish wears which is `species.py`."""

from dataclasses import dataclass

import numpy as np

Colour = tuple[int, int, int]
"""RGB, 0 to 255, as the animal looks in white light; water takes the red later."""


def soft_step(distance: np.ndarray, softness: float) -> np.ndarray:
    """0 to 1 as `distance` rises through zero, over a width of `softness`."""
    return np.clip(distance / softness + 0.5, 0, 1)


@dataclass(frozen=True)
class Bar:
    """A mark across the body, back to belly; `s` runs from -1 (back) to 1 (belly)."""

    u: float
    half_width: float
    colour: Colour
    s_from: float = -2.0
    s_to: float = 2.0
    slant: float = 0.0

    def coverage(self, u: np.ndarray, s: np.ndarray) -> np.ndarray:
        """Share of this colour at each place, [0, 1]."""
        across = soft_step(self.half_width - np.abs(u - self.u - self.slant * s), 0.02)
        return across * soft_step(s - self.s_from, 0.25) * soft_step(self.s_to - s, 0.25)


@dataclass(frozen=True)
class Stripe:
    """A mark along the body."""

    s: float
    half_width: float
    colour: Colour
    u_from: float = 0.0
    u_to: float = 1.0
    strength: float = 1.0

    def coverage(self, u: np.ndarray, s: np.ndarray) -> np.ndarray:
        """Share of this colour at each place, [0, 1]."""
        along = soft_step(u - self.u_from, 0.06) * soft_step(self.u_to - u, 0.06)
        return along * soft_step(self.half_width - np.abs(s - self.s), 0.12) * self.strength


@dataclass(frozen=True)
class Spot:
    """A round mark."""

    u: float
    s: float
    radius: float
    colour: Colour

    def coverage(self, u: np.ndarray, s: np.ndarray) -> np.ndarray:
        """Share of this colour at each place, [0, 1]."""
        # A body is about four times as long as half of it is high, so s counts a quarter as much as u.
        return soft_step(self.radius - np.hypot(u - self.u, (s - self.s) / 4), 0.02)


Mark = Bar | Stripe | Spot
