"""The scene's motion by its pixels: against the path of the reef's camera, and against pictures shifted by hand."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from megafish_assets.crops.columns import CAMERA_MOTION
from megafish_assets.crops.cutting import cuts
from megafish_assets.crops.motion import EVERY_FRAMES, LONGEST_GAP_FRAMES, WIDTH_PX, SceneWatcher, scene_shift
from megafish_assets.crops.tables import motion_table
from megafish_assets.footage.boxes import Boxes
from megafish_assets.footage.decoding import Frame
from megafish_assets.footage.picture import Picture
from megafish_assets.reef.plan import ReefPlan
from megafish_assets.reef.tables import simulate_video
from megafish_assets_tests.conftest import REPOSITORY

NO_BOXES = Boxes(np.empty(0, dtype=str), np.empty(0, np.int64), np.empty((0, 4)), np.empty(0))
SCALE = 1024 / WIDTH_PX


def texture(height: int = 180, width: int = WIDTH_PX) -> np.ndarray:
    """A reef of blobs, larger than the picture, so that what moves in was there before."""
    noise = np.random.default_rng(0).integers(0, 255, (height * 3, width * 3), dtype=np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)


def view(x: float, y: float, height: int = 180, width: int = WIDTH_PX) -> np.ndarray:
    """The picture when the scene has moved by x to the right and y down."""
    moved = np.float32([[1, 0, x - width], [0, 1, y - height]])
    return cv2.warpAffine(texture(height, width), moved, (width, height), flags=cv2.INTER_LINEAR)


def everywhere(picture: np.ndarray) -> np.ndarray:
    return np.full(picture.shape, 255, np.uint8)


@pytest.mark.parametrize("shift", [(0, 0), (3, -2), (-11.5, 4), (30, 10), (45, 0), (40, 30)])
def test_a_shift_is_found_with_the_points_behind_it(shift: tuple[float, float]) -> None:
    before, now = view(0, 0), view(*shift)
    found, n_points = scene_shift(before, now, everywhere(before))
    assert found == pytest.approx(shift, abs=0.2)
    assert n_points > 10


def test_what_is_fixed_to_the_lens_does_not_hold_the_scene() -> None:
    before, now = view(0, 0), view(6, 0)
    for picture in (before, now):
        picture[40:140, 20:150] = view(-80, 30)[40:140, 20:150]  # a third of the picture stays in its place
    found, _ = scene_shift(before, now, everywhere(before))
    assert found == pytest.approx((6, 0), abs=0.2)


@pytest.mark.parametrize("picture", [np.full((180, WIDTH_PX), 90, np.uint8), view(0, 0)], ids=["bare", "all boxes"])
def test_where_no_point_can_be_taken_nothing_is_said(picture: np.ndarray) -> None:
    (x, y), n_points = scene_shift(picture, picture, np.zeros(picture.shape, np.uint8))
    assert np.isnan(x) and np.isnan(y) and n_points == 0


def frames(*shifts: tuple[int, float]) -> list[Frame]:
    """Frames of 640 px whose scene has moved right by these px of the small picture."""
    pictures = [(frame_id, cv2.resize(view(x, 0), (640, 360))) for frame_id, x in shifts]
    return [
        Frame(frame_id, 0.0, Picture.of_bgr(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)))
        for frame_id, picture in pictures
    ]


def watched(detected: Boxes, *shifts: tuple[int, float]) -> SceneWatcher:
    watcher = SceneWatcher(detected)
    for frame in frames(*shifts):
        watcher(frame)
    return watcher


def test_the_pan_is_px_of_the_stretched_frame_in_one_frame() -> None:
    motion = watched(NO_BOXES, (0, 0), (5, 10), (8, 4)).motion()
    assert motion.frame_ids.tolist() == [5, 8] and motion.elapsed_frames.tolist() == [5, 3]
    assert motion.shift_xy_1024[:, 0] == pytest.approx([10 / 5 * SCALE, -6 / 3 * SCALE], abs=0.2)
    assert motion.shift_xy_1024[:, 1] == pytest.approx([0, 0], abs=0.2)


def test_over_a_long_gap_nothing_is_said() -> None:
    motion = watched(NO_BOXES, (0, 0), (LONGEST_GAP_FRAMES + 1, 10), (LONGEST_GAP_FRAMES + 3, 12)).motion()
    assert motion.frame_ids.tolist() == [LONGEST_GAP_FRAMES + 3]


def test_a_fish_that_fills_most_of_the_picture_is_no_scene() -> None:
    def with_fish(frame: Frame, x: int) -> Frame:
        pixels = frame.pixels_bgr
        pixels[40:320, 60 + x : 520 + x] = frames((0, 70 - x))[0].pixels_bgr[40:320, 60:520]
        return Frame(frame.frame_id, 0.0, Picture.of_bgr(pixels))

    before, now = frames((0, 0), (5, 2))
    box = np.array([[60 / 640 * 1024, 40 / 360 * 1024, 460 / 640 * 1024, 280 / 360 * 1024]])
    boxes = Boxes(np.array(["a/000000/000"]), np.zeros(1, np.int64), box, np.ones(1))
    watcher = SceneWatcher(boxes)
    watcher(with_fish(before, 0))
    watcher(with_fish(now, 30))
    assert watcher.motion().shift_xy_1024[0] == pytest.approx([2 / 5 * SCALE, 0], abs=0.2)


def test_an_unwatched_video_is_an_empty_table() -> None:
    frame = motion_table("a", SceneWatcher(NO_BOXES).motion())
    assert dict(frame.schema) == {name: column.dtype for name, column in CAMERA_MOTION.items()} and frame.height == 0


def test_what_was_not_seen_is_null_in_the_table() -> None:
    grey = [Frame(frame_id, 0.0, Picture.of_bgr(np.full((360, 640, 3), 90, np.uint8))) for frame_id in (0, 5)]
    watcher = SceneWatcher(NO_BOXES)
    for frame in grey:
        watcher(frame)
    assert motion_table("a", watcher.motion()).rows() == [("a", 5, 5, None, None, 0)]


def test_the_reef_cameras_path_is_met_within_a_pixel_while_crops_are_cut(tmp_path: Path) -> None:
    plan = ["--videos", "1", "--frames", "60", "--size", "640x360"]
    command = [sys.executable, "-m", "megafish_assets.reef", str(tmp_path), *plan]
    subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)
    reef = simulate_video(ReefPlan(videos=1, frames=60, size_wh_px=(640, 360)), 0)
    places = np.array(reef.inference["box"].to_list())
    frame_ids = reef.inference["frame_id"].to_numpy()
    ids = np.array([f"v/{frame:06d}/{rank:03d}" for rank, frame in enumerate(frame_ids)])
    boxes = Boxes(ids, frame_ids, places, reef.inference["score"].to_numpy())
    watcher = SceneWatcher(boxes)
    one = Boxes(ids[:1], np.full(1, 7), places[:1], np.ones(1))
    made = cuts(
        tmp_path / "recordings" / "megalab_0000.mp4",
        one,
        lambda frame: watcher(frame) if frame.frame_id % EVERY_FRAMES == 0 else None,
        EVERY_FRAMES,
    )
    assert [cut.fault for cut in made] == [None]
    motion, truth = watcher.motion(), reef.camera.select("pan_x_1024", "pan_y_1024").to_numpy()
    assert motion.frame_ids.tolist() == list(range(EVERY_FRAMES, 60, EVERY_FRAMES))
    expected = np.array([truth[later - EVERY_FRAMES + 1 : later + 1].mean(axis=0) for later in motion.frame_ids])
    assert np.abs(expected).max() > 1
    assert np.abs(motion.shift_xy_1024 - expected).max() < 1
