"""What each species looks like and how it lives: one row a species. How a row becomes pixels is
`sprites.py`."""

from dataclasses import dataclass

import numpy as np

from megafish_assets.reef.marks import Bar, Colour, Mark, Spot, Stripe

Points = tuple[tuple[float, float], ...]
"""`(u, v)` in body lengths: u from the snout (0) to the tip of the tail (1), v downwards from the middle
line."""


@dataclass(frozen=True)
class Species:
    """One kind of fish."""

    name: str
    back: Colour
    flank: Colour
    belly: Colour
    fin: Colour
    top: Points
    """Upper outline, snout to tail root."""
    bottom: Points
    """Lower outline, snout to tail root."""
    fins: tuple[Points, ...]
    """Dorsal, anal and pelvic fins, drawn behind the body."""
    tail: Points
    tail_colour: Colour
    marks: tuple[Mark, ...]
    eye_uv_radius: tuple[float, float, float]
    length_m: tuple[float, float]
    """Median length, and the standard deviation of its logarithm."""
    in_view: float
    """Mean number of animals in the picture at any moment."""
    over_reef_share: float
    """Share of animals that keep to the reef; the others swim in open water."""
    speed_lengths: float
    """Cruising speed, body lengths a second."""
    school: tuple[int, int] = (1, 1)
    """Fewest and most animals that swim together."""
    depth_m: tuple[float, float] = (1.3, 8.5)
    """Nearest and farthest distance from the lens."""
    every_n_videos: int = 1
    """Only one video in so many holds the species."""
    mottle: float = 0.12
    """Strength of the skin's irregular texture."""

    def hull_uv(self) -> np.ndarray:
        """Every outline point, float64 `(n, 2)`; what a box must hold."""
        return np.array([*self.top, *self.bottom, *self.tail, *(point for fin in self.fins for point in fin)])


BLACK, DUSK, WHITE = (18, 18, 24), (45, 48, 60), (236, 238, 236)

# One line an outline reads better here than one a point.
# fmt: off
YELLOW_TANG = Species(
    name="yellow_tang",
    back=(222, 178, 10), flank=(250, 216, 22), belly=(255, 232, 70), fin=(245, 205, 15),
    top=((0, 0.03), (0.06, -0.02), (0.13, -0.12), (0.25, -0.23), (0.42, -0.27), (0.6, -0.23),
        (0.76, -0.09), (0.84, -0.035)),
    bottom=((0, 0.05), (0.07, 0.08), (0.15, 0.14), (0.27, 0.23), (0.43, 0.26), (0.6, 0.22), (0.76, 0.09),
        (0.84, 0.035)),
    fins=(
        ((0.2, -0.18), (0.3, -0.32), (0.48, -0.39), (0.68, -0.36), (0.78, -0.22), (0.78, -0.07)),
        ((0.36, 0.22), (0.45, 0.34), (0.62, 0.36), (0.76, 0.24), (0.78, 0.07)),
        ((0.27, 0.2), (0.33, 0.34), (0.37, 0.22)),
    ),
    tail=((0.82, -0.04), (0.9, -0.12), (1.0, -0.2), (0.96, 0.0), (1.0, 0.2), (0.9, 0.12), (0.82, 0.04)),
    tail_colour=(240, 205, 30),
    marks=(Stripe(0.05, 0.05, WHITE, 0.72, 0.84, 0.8),),
    eye_uv_radius=(0.17, -0.05, 0.026),
    length_m=(0.17, 0.2), in_view=2.2, over_reef_share=0.6, speed_lengths=0.7,
)

SERGEANT_MAJOR = Species(
    name="sergeant_major",
    back=(150, 150, 95), flank=(200, 212, 205), belly=(232, 236, 232), fin=(130, 140, 130),
    top=((0, 0.0), (0.05, -0.07), (0.14, -0.15), (0.28, -0.21), (0.45, -0.21), (0.6, -0.16), (0.72, -0.08),
        (0.8, -0.055)),
    bottom=((0, 0.02), (0.06, 0.08), (0.15, 0.15), (0.28, 0.2), (0.45, 0.2), (0.6, 0.15), (0.72, 0.07),
        (0.8, 0.05)),
    fins=(
        ((0.24, -0.18), (0.32, -0.27), (0.5, -0.26), (0.64, -0.28), (0.7, -0.2), (0.68, -0.1)),
        ((0.45, 0.18), (0.55, 0.25), (0.66, 0.24), (0.68, 0.09)),
        ((0.26, 0.18), (0.34, 0.29), (0.37, 0.19)),
    ),
    tail=((0.78, -0.05), (0.88, -0.12), (1.0, -0.17), (0.9, 0.0), (1.0, 0.17), (0.88, 0.12), (0.78, 0.05)),
    tail_colour=(120, 128, 125),
    marks=(
        Stripe(-0.75, 0.4, (222, 200, 40), 0.18, 0.7, 0.85),
        Bar(0.21, 0.024, DUSK), Bar(0.34, 0.026, DUSK), Bar(0.47, 0.026, DUSK), Bar(0.59, 0.024, DUSK),
            Bar(0.71, 0.02, DUSK),
    ),
    eye_uv_radius=(0.1, -0.03, 0.024),
    length_m=(0.15, 0.2), in_view=1.7, over_reef_share=0.45, speed_lengths=0.9, school=(1, 3),
)

PARROTFISH = Species(
    name="parrotfish",
    back=(28, 120, 128), flank=(40, 160, 140), belly=(110, 190, 160), fin=(40, 110, 175),
    top=((0, 0.0), (0.03, -0.06), (0.1, -0.12), (0.22, -0.165), (0.4, -0.17), (0.58, -0.13),
        (0.74, -0.075), (0.84, -0.06)),
    bottom=((0, 0.04), (0.05, 0.09), (0.14, 0.13), (0.28, 0.16), (0.44, 0.155), (0.6, 0.115), (0.74, 0.07),
        (0.84, 0.055)),
    fins=(
        ((0.2, -0.15), (0.28, -0.215), (0.5, -0.21), (0.7, -0.16), (0.73, -0.08)),
        ((0.48, 0.14), (0.56, 0.19), (0.7, 0.15), (0.74, 0.07)),
        ((0.25, 0.15), (0.34, 0.22), (0.36, 0.15)),
    ),
    tail=((0.82, -0.06), (0.9, -0.1), (1.0, -0.13), (0.96, 0.0), (1.0, 0.13), (0.9, 0.1), (0.82, 0.055)),
    tail_colour=(60, 110, 190),
    marks=(
        Bar(0.62, 0.12, (70, 175, 110), -0.6, 0.7), Stripe(0.1, 0.16, (215, 120, 140), 0.24, 0.56, 0.55),
        Bar(0.04, 0.05, (235, 150, 130), -0.6, 0.9), Stripe(-0.15, 0.09, (240, 140, 120), 0.08, 0.26, 0.8),
        Stripe(-0.95, 0.12, (240, 190, 90), 0.2, 0.8, 0.6), Bar(0.96, 0.03, (230, 190, 90)),
    ),
    eye_uv_radius=(0.13, -0.05, 0.017),
    length_m=(0.38, 0.25), in_view=1.2, over_reef_share=0.7, speed_lengths=0.4, mottle=0.22,
)

BUTTERFLYFISH = Species(
    name="butterflyfish",
    back=(225, 220, 190), flank=(244, 242, 226), belly=(250, 246, 226), fin=(245, 205, 30),
    top=((0, 0.05), (0.07, 0.0), (0.14, -0.11), (0.26, -0.24), (0.42, -0.31), (0.6, -0.3), (0.76, -0.14),
        (0.84, -0.06)),
    bottom=((0, 0.07), (0.08, 0.1), (0.16, 0.17), (0.28, 0.25), (0.44, 0.29), (0.6, 0.27), (0.76, 0.13),
        (0.84, 0.05)),
    fins=(
        ((0.24, -0.2), (0.34, -0.36), (0.56, -0.4), (0.76, -0.37), (0.82, -0.22), (0.8, -0.08)),
        ((0.48, 0.26), (0.58, 0.37), (0.74, 0.34), (0.82, 0.2), (0.8, 0.07)),
        ((0.28, 0.22), (0.34, 0.36), (0.38, 0.25)),
    ),
    tail=((0.82, -0.06), (0.9, -0.11), (0.99, -0.12), (1.0, 0.0), (0.99, 0.12), (0.9, 0.11), (0.82, 0.05)),
    tail_colour=(240, 225, 120),
    marks=(
        Bar(0.82, 0.16, (248, 206, 30)), Bar(0.145, 0.032, BLACK, slant=0.015),
            Spot(0.64, -0.55, 0.055, BLACK),
        *(Bar(0.3 + 0.08 * i, 0.008, (170, 170, 160), -0.8, 0.9, 0.06) for i in range(5)),
    ),
    eye_uv_radius=(0.145, -0.02, 0.024),
    length_m=(0.15, 0.18), in_view=1.5, over_reef_share=0.65, speed_lengths=0.6, school=(1, 2),
)

GOATFISH = Species(
    name="goatfish",
    back=(172, 132, 122), flank=(222, 192, 190), belly=(244, 234, 232), fin=(235, 205, 150),
    top=((0, 0.04), (0.05, -0.03), (0.13, -0.09), (0.26, -0.125), (0.42, -0.12), (0.58, -0.085),
        (0.7, -0.045), (0.78, -0.03)),
    bottom=((0, 0.06), (0.07, 0.085), (0.18, 0.1), (0.32, 0.11), (0.48, 0.095), (0.6, 0.07), (0.7, 0.04),
        (0.78, 0.03)),
    fins=(
        ((0.27, -0.11), (0.32, -0.22), (0.42, -0.17), (0.45, -0.11)),
        ((0.53, -0.09), (0.58, -0.16), (0.66, -0.08)),
        ((0.52, 0.085), (0.58, 0.15), (0.64, 0.06)),
        ((0.27, 0.1), (0.34, 0.17), (0.38, 0.1)),
        ((0.05, 0.08), (0.09, 0.15), (0.15, 0.165), (0.09, 0.085)),
    ),
    tail=((0.76, -0.03), (0.86, -0.09), (1.0, -0.16), (0.85, 0.0), (1.0, 0.16), (0.86, 0.09), (0.76, 0.03)),
    tail_colour=(238, 205, 120),
    marks=(Stripe(-0.28, 0.15, (245, 205, 40), 0.1, 0.82), Spot(0.46, -0.28, 0.03, (70, 50, 50))),
    eye_uv_radius=(0.12, -0.03, 0.02),
    length_m=(0.25, 0.22), in_view=1.6, over_reef_share=0.6, speed_lengths=0.6, school=(1, 4),
)

TRUMPETFISH = Species(
    name="trumpetfish",
    back=(128, 98, 62), flank=(168, 138, 92), belly=(196, 172, 130), fin=(150, 130, 90),
    top=((0, -0.015), (0.1, -0.016), (0.2, -0.022), (0.27, -0.04), (0.4, -0.05), (0.6, -0.05),
        (0.78, -0.045), (0.88, -0.02), (0.93, -0.015)),
    bottom=((0, 0.015), (0.1, 0.016), (0.2, 0.025), (0.27, 0.035), (0.4, 0.042), (0.6, 0.045),
        (0.78, 0.042), (0.88, 0.02), (0.93, 0.015)),
    fins=(
        ((0.74, -0.04), (0.78, -0.095), (0.85, -0.08), (0.87, -0.025)),
        ((0.74, 0.04), (0.78, 0.09), (0.85, 0.075), (0.87, 0.02)),
        ((0.02, 0.012), (0.05, 0.03), (0.07, 0.014)),
    ),
    tail=((0.92, -0.015), (0.96, -0.045), (1.0, -0.03), (1.0, 0.03), (0.96, 0.045), (0.92, 0.015)),
    tail_colour=(190, 170, 90),
    marks=(
        *(Stripe(s, 0.09, (205, 190, 150), 0.26, 0.9, 0.6) for s in (-0.45, 0.1, 0.6)),
        Spot(0.97, -0.8, 0.012, BLACK), Bar(0.8, 0.02, (70, 52, 36)),
    ),
    eye_uv_radius=(0.235, -0.012, 0.013),
    length_m=(0.6, 0.22), in_view=0.9, over_reef_share=0.6, speed_lengths=0.18, mottle=0.3,
)

CHROMIS = Species(
    name="chromis",
    back=(26, 34, 52), flank=(40, 52, 74), belly=(72, 86, 104), fin=(22, 26, 40),
    top=((0, 0.0), (0.05, -0.07), (0.15, -0.14), (0.3, -0.18), (0.46, -0.17), (0.6, -0.11), (0.7, -0.055),
        (0.76, -0.04)),
    bottom=((0, 0.02), (0.06, 0.08), (0.16, 0.14), (0.3, 0.17), (0.46, 0.16), (0.6, 0.1), (0.7, 0.05),
        (0.76, 0.04)),
    fins=(
        ((0.24, -0.16), (0.34, -0.25), (0.52, -0.23), (0.62, -0.2), (0.62, -0.09)),
        ((0.42, 0.15), (0.52, 0.23), (0.62, 0.18), (0.62, 0.08)),
        ((0.26, 0.15), (0.34, 0.25), (0.36, 0.16)),
    ),
    tail=((0.74, -0.04), (0.86, -0.12), (1.0, -0.2), (0.84, 0.0), (1.0, 0.2), (0.86, 0.12), (0.74, 0.04)),
    tail_colour=(190, 196, 190),
    marks=(Spot(0.74, 0.0, 0.05, (210, 214, 205)),),
    eye_uv_radius=(0.1, -0.03, 0.03),
    length_m=(0.085, 0.14), in_view=3.0, over_reef_share=0.5, speed_lengths=1.0, school=(8, 25),
    depth_m=(1.8, 4.6),
)

SOLDIERFISH = Species(
    name="soldierfish",
    back=(178, 34, 30), flank=(222, 66, 52), belly=(244, 150, 132), fin=(215, 50, 40),
    top=((0, 0.0), (0.04, -0.08), (0.12, -0.15), (0.26, -0.2), (0.42, -0.19), (0.58, -0.12), (0.7, -0.055),
        (0.78, -0.04)),
    bottom=((0, 0.04), (0.06, 0.1), (0.16, 0.16), (0.3, 0.185), (0.46, 0.17), (0.58, 0.11), (0.7, 0.05),
        (0.78, 0.035)),
    fins=(
        ((0.24, -0.18), (0.3, -0.3), (0.4, -0.26), (0.47, -0.18), (0.54, -0.28), (0.64, -0.16),
            (0.62, -0.09)),
        ((0.5, 0.16), (0.56, 0.26), (0.64, 0.18), (0.64, 0.08)),
        ((0.28, 0.18), (0.36, 0.3), (0.4, 0.18)),
    ),
    tail=((0.76, -0.04), (0.88, -0.12), (1.0, -0.18), (0.88, 0.0), (1.0, 0.18), (0.88, 0.12), (0.76, 0.035)),
    tail_colour=(220, 60, 50),
    marks=(
        Bar(0.24, 0.022, (110, 16, 16), -0.7, 0.6),
        *(Stripe(s, 0.05, (250, 170, 150), 0.3, 0.75, 0.5) for s in (-0.4, -0.1, 0.2, 0.5)),
    ),
    eye_uv_radius=(0.115, -0.04, 0.042),
    length_m=(0.26, 0.1), in_view=1.0, over_reef_share=0.5, speed_lengths=1.3, depth_m=(1.9, 4.2),
    every_n_videos=5,
)

# fmt: on

SPECIES = {
    kind.name: kind
    for kind in (
        YELLOW_TANG,
        SERGEANT_MAJOR,
        PARROTFISH,
        BUTTERFLYFISH,
        GOATFISH,
        TRUMPETFISH,
        CHROMIS,
        SOLDIERFISH,
    )
}
