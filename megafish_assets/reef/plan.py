"""What to record: the few knobs of a reef, their names on disk, and its independent streams of chance."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

DETECTOR_SPAN_PX = 1024
"""Side of the square that the detector stretches every frame to; boxes are in its pixels."""
MOST_SPECIES = 8
"""Rows of the table in `species.py`."""
SMALLEST_SIDE_PX = 64
"""Below this a typical fish is under three pixels."""


@dataclass(frozen=True)
class ReefPlan:
    """The whole input of a reef; equal plans give equal frames and tables."""

    videos: int = 12
    frames: int = 300
    """Frames in each video."""
    fps: int = 30
    size_wh_px: tuple[int, int] = (1280, 720)
    """Both even: MPEG-4 stores colour at half the resolution."""
    seed: int = 20251212
    first_video: int = 0
    """Number of the first video; video `i` looks the same whichever number a reef starts with."""
    species: int = MOST_SPECIES
    """Species of fish that live here, drawn by the seed; the same animals of each whichever others do."""
    pans: bool = True
    """Whether the camera swings to and fro; else it stands on the sea floor and does not stir."""
    resting_share: float = 0.0
    """Of the animals, drawn by the seed: they stay where they are for the whole video."""

    def __post_init__(self) -> None:
        """Refuse what cannot be recorded."""
        for name, lowest in (("videos", 1), ("frames", 1), ("fps", 1), ("seed", 0), ("first_video", 0)):
            given = getattr(self, name)
            if given < lowest:
                raise ValueError(f"{name} = {given}, allowed are whole numbers from {lowest}")
        if not 1 <= self.species <= MOST_SPECIES:
            raise ValueError(f"species = {self.species}, allowed are 1 to {MOST_SPECIES}")
        if not 0 <= self.resting_share <= 1:
            raise ValueError(f"resting_share = {self.resting_share}, allowed is a share from 0 to 1")
        if any(side < SMALLEST_SIDE_PX or side % 2 for side in self.size_wh_px):
            raise ValueError(f"size_wh_px = {self.size_wh_px}, allowed are even sides from {SMALLEST_SIDE_PX}")

    @property
    def aspect(self) -> float:
        """Picture width in picture heights."""
        return self.size_wh_px[0] / self.size_wh_px[1]

    @property
    def video_numbers(self) -> range:
        """Numbers of the videos, in order of recording."""
        return range(self.first_video, self.first_video + self.videos)

    @property
    def species_numbers(self) -> list[int]:
        """Rows of the table in `species.py`, ascending."""
        drawn = chance(self.seed, Stream.SPECIES).permutation(MOST_SPECIES)[: self.species]
        return sorted(drawn.tolist())

    def seconds(self, video: int) -> np.ndarray:
        """Time of each frame since video 0 began, float64 `(frames,)`; recordings follow each other without a
        gap."""
        return (video * self.frames + np.arange(self.frames)) / self.fps


class Stream(IntEnum):
    """Separate streams of chance, so that a change in one subject leaves the others' draws alone."""

    CAMERA = 1
    LANDSCAPE = 2
    WATER = 3
    FISH = 4
    DETECTOR = 5
    LENS = 6
    PAINT = 7
    SCHEDULE = 8
    SPECIES = 9
    REST = 10


def chance(seed: int, stream: Stream, *keys: int) -> np.random.Generator:
    """Generator for one subject of one seed; `keys` narrow it to a video, a layer or an animal."""
    return np.random.default_rng([seed, int(stream), *keys])


def video_name(video: int) -> str:
    """File name of a video, as the real camera numbers them."""
    return f"megalab_{video:04d}.mp4"
