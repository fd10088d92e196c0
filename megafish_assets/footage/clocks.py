"""How a video's number and a frame's become a time."""

from dataclasses import dataclass
from datetime import datetime

CLIP_SECONDS, CLIP_FRAMES = 10.0, 300
"""Of one video file of the notebook's camera."""


@dataclass(frozen=True)
class Clock:
    """How a video's number and a frame's become a time."""

    clip_seconds: float
    """Length of one video file."""
    frames_per_clip: int
    """Frames in one video file."""
    recording_start: datetime | None
    """Local time of video 0, frame 0; None where it is not known."""
    number_pattern: str | None = None
    """Where a name has its video's number, see `video_number`; None for what cameras write."""

    def __post_init__(self) -> None:
        if not self.clip_seconds > 0 or not self.frames_per_clip > 0:
            raise ValueError(
                f"clip_seconds = {self.clip_seconds} and frames_per_clip = {self.frames_per_clip}; both must be above 0"
            )
