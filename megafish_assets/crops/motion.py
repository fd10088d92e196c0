"""How the scene moves through a video, from points outside the boxes: the camera's pan by its pixels.

Here: what is seen of motion while a video is decoded for its crops. Not here: the pan that tracklets guess from boxes
alone, which this judges.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from megafish_assets.footage.boxes import STRETCHED_PX, Boxes
from megafish_assets.footage.decoding import Frame

EVERY_FRAMES = 5
"""Frames from one look to the next: six looks a second tell a camera's path, and cost a third of the decoding."""

LONGEST_GAP_FRAMES = 3 * EVERY_FRAMES
"""Over a longer gap, where frames are damaged, nothing is said."""

WIDTH_PX = 320
"""Of the small picture: on the reef its pan is as near to the camera's path as with 480."""

POINTS, POINTS_APART_PX, FAINTEST = 120, 5, 0.01
"""At most so many corners, no two nearer, and none fainter than this share of the clearest.

Source: Shi and Tomasi 1994, Good features to track, CVPR."""

WINDOW_PX, PYRAMID_LEVELS = 11, 4
"""Reach about 60 px of the small picture between two looks: 38 px a frame in the stretched frame. A window of 15 is no
nearer to the path of the reef's camera, takes half as long again, and reaches 45: the fourth level of a picture of 180
rows is smaller than it.

Source: Bouguet 2001, Pyramidal implementation of the affine Lucas Kanade feature tracker."""

REFINED = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 0.05)
"""A point is refined at most so often on each level, and no more once it moves by less px: with OpenCV's 30 and 0.01
the pan differs by at most 0.02 px, and following takes a fifth longer."""

COMES_BACK_PX = 0.5
"""A point that is followed to the later picture and back must end within this of where it began."""

AGREE_PX = 0.7
"""Points whose shifts differ by no more, on either axis, move as one."""

STILL_PX, STILL_WEIGHT = 0.3, 0.5
"""Points that do not move count half: growth on the lens stays in its place, whatever the camera does."""

BOX_MARGIN_PX = 3
"""Round every box of the small picture: a fish's own edges are no scene."""


@dataclass(frozen=True)
class Motion:
    """How the scene of one video moves, a row a pair of looks."""

    frame_ids: np.ndarray
    """int64 `(n,)`, the later frame."""
    elapsed_frames: np.ndarray
    """int64 `(n,)`, since the earlier one."""
    shift_xy_1024: np.ndarray
    """float64 `(n, 2)`, px of the stretched frame that the scene moves right and down in one frame; nan if unseen."""
    n_points: np.ndarray
    """int64 `(n,)`, points that moved so; 0 where nothing could be followed."""


@dataclass
class SceneWatcher:
    """Is shown the frames of one video in order, and follows the scene from one look to the next."""

    detected: Boxes
    """Every box of the video, so that fish are not taken for the scene."""
    before: tuple[int, np.ndarray] | None = None
    """Frame and small luma of the last look."""
    rows: list[tuple[int, int, float, float, int]] = field(default_factory=list)

    def __call__(self, frame: Frame) -> None:
        now = frame.picture.small_luma(WIDTH_PX)
        if self.before is not None and self.before[1].shape == now.shape:
            self._follow(*self.before, frame.frame_id, now)
        self.before = frame.frame_id, now

    def _follow(self, earlier: int, before: np.ndarray, later: int, now: np.ndarray) -> None:
        elapsed = later - earlier
        if elapsed > LONGEST_GAP_FRAMES:
            return
        (x, y), n_points = scene_shift(before, now, self._scene(earlier, before.shape))
        height, width = before.shape
        scale = STRETCHED_PX / width / elapsed, STRETCHED_PX / height / elapsed
        self.rows.append((later, elapsed, x * scale[0], y * scale[1], n_points))

    def _scene(self, frame_id: int, shape_hw: tuple[int, int]) -> np.ndarray:
        """uint8 of this shape, 0 inside the frame's boxes."""
        scene = np.full(shape_hw, 255, np.uint8)
        scale = np.array([shape_hw[1], shape_hw[0]]) / STRETCHED_PX
        for box in self.detected.of_frame(frame_id).box_xywh_1024:
            low = np.maximum(np.floor(box[:2] * scale) - BOX_MARGIN_PX, 0).astype(int)
            high = np.maximum(np.ceil((box[:2] + box[2:]) * scale) + BOX_MARGIN_PX, 0).astype(int)
            scene[low[1] : high[1], low[0] : high[0]] = 0
        return scene

    def motion(self) -> Motion:
        """What was seen so far."""
        rows = np.array(self.rows, dtype=np.float64).reshape(-1, 5)
        later, elapsed, n_points = (rows[:, column].astype(np.int64) for column in (0, 1, 4))
        return Motion(later, elapsed, rows[:, 2:4], n_points)


def scene_shift(before: np.ndarray, now: np.ndarray, scene: np.ndarray) -> tuple[tuple[float, float], int]:
    """Shift in px from one grey picture to another that most points of the scene share, and how many those are.

    `scene` is 0 where no point may be taken. nan and 0 where no point could be followed there and back.
    """
    shifts = _followed(before, now, scene)
    if not len(shifts):
        return (float("nan"), float("nan")), 0
    x, y = shifts.T  # an axis at a time: a fifth of the time of an array of pairs
    agree = (np.abs(x[:, None] - x) <= AGREE_PX) & (np.abs(y[:, None] - y) <= AGREE_PX)
    still = np.abs(shifts).max(-1) < STILL_PX
    best = agree[(agree.sum(1) * np.where(still, STILL_WEIGHT, 1.0)).argmax()]
    x, y = np.median(shifts[best], axis=0)
    return (float(x), float(y)), int(best.sum())


def _followed(before: np.ndarray, now: np.ndarray, scene: np.ndarray) -> np.ndarray:
    """float64 `(n, 2)`, shift of every point that is found again, there and back."""
    points = cv2.goodFeaturesToTrack(before, POINTS, FAINTEST, POINTS_APART_PX, mask=scene)
    if points is None:
        return np.empty((0, 2))
    reach = {"winSize": (WINDOW_PX, WINDOW_PX), "maxLevel": PYRAMID_LEVELS, "criteria": REFINED}
    there, found, _ = cv2.calcOpticalFlowPyrLK(before, now, points, None, **reach)
    back, found_again, _ = cv2.calcOpticalFlowPyrLK(now, before, there, None, **reach)
    returned = np.abs(back - points).max(axis=(1, 2)) <= COMES_BACK_PX
    kept = returned & (found[:, 0] == 1) & (found_again[:, 0] == 1)
    return (there - points)[kept, 0].astype(np.float64)
