"""The tables of a reef: a detector's, the truth row for row beside it, and the camera's. Writing them is
`recording.py`."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from megafish_assets.reef.detector import detect
from megafish_assets.reef.plan import DETECTOR_SPAN_PX, ReefPlan, video_name
from megafish_assets.reef.world import World, simulate_world

INFERENCE_COLUMNS = ("video_file", "frame_id", "box", "score")


@dataclass(frozen=True)
class SimulatedVideo:
    """One video before a pixel of it is drawn."""

    world: World
    truth: pl.DataFrame
    """`video_file, frame_id, box, score, track_id, species, true_box, artefact, is_part, depth, background`.

    Boxes are x, y, w, h in the detector's square of 1024 px; depth is in metres from the lens."""
    camera: pl.DataFrame
    """`video_file, frame_id, pan_x_1024, pan_y_1024`: the scene's motion since the frame before, in the same
    square."""

    @property
    def inference(self) -> pl.DataFrame:
        """The detector's own table: `video_file, frame_id, box, score`."""
        return self.truth.select(INFERENCE_COLUMNS)


def pan_table(plan: ReefPlan, world: World) -> pl.DataFrame:
    """How far the scene moved at the fishes' median depth; it moves against the camera."""
    pan_x, pan_y = (-np.diff(path, prepend=path[0]) for path in (world.camera.x, world.camera.y))
    return pl.DataFrame(
        {
            "video_file": [video_name(world.video)] * plan.frames,
            "frame_id": np.arange(plan.frames),
            "pan_x_1024": pan_x / plan.aspect * DETECTOR_SPAN_PX,
            "pan_y_1024": pan_y * DETECTOR_SPAN_PX,
        }
    )


def simulate_video(plan: ReefPlan, video: int) -> SimulatedVideo:
    """World, truth and camera of one video; nothing is drawn."""
    world = simulate_world(plan, video)
    rows = detect(plan, world)
    truth = rows.select(pl.lit(video_name(video)).alias("video_file"), pl.all())
    return SimulatedVideo(world, truth, pan_table(plan, world))
