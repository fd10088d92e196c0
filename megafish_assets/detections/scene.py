"""Where the scene lies in each frame of a video, from the pan that was seen in its pixels (`camera_motion`)."""

from dataclasses import dataclass

import numpy as np
import polars as pl

FEWEST_POINTS = 8
"""Behind a pan that is believed."""


@dataclass(frozen=True)
class ScenePath:
    """How far the scene has moved since a video's first frame."""

    offset_xy_1024: np.ndarray
    """float64 `(n_frames, 2)`, px of the stretched frame, right and down; the last holds for all frames after it."""

    def at(self, frame_ids: np.ndarray) -> np.ndarray:
        """float64 `(n, 2)`, the offset in each of these frames."""
        return self.offset_xy_1024[np.clip(frame_ids, 0, len(self.offset_xy_1024) - 1)]

    @property
    def last_frame(self) -> int:
        """The last frame to which the scene was followed."""
        return len(self.offset_xy_1024) - 1

    @property
    def range_xy_1024(self) -> np.ndarray:
        """float64 `(2,)`, from the leftmost and topmost place of the scene to the rightmost and lowest."""
        return np.ptp(self.offset_xy_1024, axis=0)


def scene_path(motion: pl.DataFrame) -> ScenePath | None:
    """The path of one video's scene, of its rows of `camera_motion`; None where no pan of it can be believed.

    Between looks the scene moves evenly; where nothing could be followed it moves as between the looks about it.
    """
    # A null is no finite number either, so that such a look is left out as well.
    is_seen = pl.all_horizontal(pl.col("pan_x_1024", "pan_y_1024").is_finite(), pl.col("elapsed_frames") > 0)
    seen = motion.filter((pl.col("n_pan_points") >= FEWEST_POINTS) & is_seen)
    if seen.is_empty():
        return None
    pans = np.full((int(motion["frame_id"].max()) + 1, 2), np.nan)
    for frame_id, elapsed, x, y in seen.select("frame_id", "elapsed_frames", "pan_x_1024", "pan_y_1024").iter_rows():
        pans[max(0, frame_id - elapsed + 1) : frame_id + 1] = x, y
    frames, known = np.arange(len(pans)), np.isfinite(pans[:, 0])
    pans = np.column_stack([np.interp(frames, frames[known], pans[known, axis]) for axis in (0, 1)])
    pans[0] = 0.0
    return ScenePath(pans.cumsum(axis=0))


def scene_paths(motion: pl.DataFrame) -> dict[str, ScenePath]:
    """The path of every video's scene that is known, by video; `motion` holds rows of `camera_motion`."""
    videos = motion.partition_by("video", as_dict=True)
    paths = {video: scene_path(rows) for (video,), rows in videos.items()}
    return {video: path for video, path in paths.items() if path is not None}
