"""Whether the pictures show what the tables say."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from megafish_assets.reef.detector import true_boxes
from megafish_assets.reef.landscape import parallax
from megafish_assets.reef.picture import Stage, draw_frame, set_stage
from megafish_assets.reef.plan import ReefPlan
from megafish_assets.reef.species import SPECIES
from megafish_assets.reef.sprites import Look, draw_fish, tail_beat
from megafish_assets.reef.tables import simulate_video
from megafish_assets.reef.world import simulate_world

PLAN = ReefPlan(videos=1, frames=20, size_wh_px=(640, 360), seed=7)


@pytest.fixture(scope="module")
def stage() -> Stage:
    """One video's stage, without particles: they move by themselves."""
    full = set_stage(PLAN, simulate_world(PLAN, 0))
    return replace(full, dots=[dot * 0 for dot in full.dots])


def test_the_scene_moves_as_the_camera_table_says(stage: Stage) -> None:
    """Phase correlation of the middle reef between frames far apart."""
    empty = replace(stage, world=replace(stage.world, swims=()), algae=[patch * 0 for patch in stage.algae])
    first, last = (cv2.cvtColor(draw_frame(empty, frame), cv2.COLOR_BGR2GRAY)[200:340] for frame in (2, 14))
    (moved_x_px, _), _ = cv2.phaseCorrelate(
        np.float64(first), np.float64(last), cv2.createHanningWindow(first.shape[::-1], cv2.CV_64F)
    )
    pan_x_1024 = simulate_video(PLAN, 0).camera["pan_x_1024"].to_numpy()[3:15].sum()
    expected_px = pan_x_1024 * 640 / 1024 * parallax(5.0)
    assert abs(expected_px) > 3
    assert moved_x_px == pytest.approx(expected_px, rel=0.2, abs=0.5)


def test_the_camera_stands_still_in_its_first_row() -> None:
    camera = simulate_video(PLAN, 0).camera
    assert camera.columns == ["video_file", "frame_id", "pan_x_1024", "pan_y_1024"]
    assert camera.row(0)[2:] == (0.0, 0.0)
    assert camera.height == PLAN.frames


def test_a_fish_changes_the_picture_inside_its_true_box_only(stage: Stage) -> None:
    checked = 0
    for swim in stage.world.swims:
        x, y, w, h = true_boxes(swim, PLAN.aspect)[0][5] * np.array([640, 360, 640, 360]) / 1024
        if min(w, h) < 8:
            continue
        without = replace(stage.world, swims=tuple(other for other in stage.world.swims if other is not swim))
        changed = cv2.absdiff(draw_frame(stage, 5), draw_frame(replace(stage, world=without), 5)).max(axis=2)
        inside = np.zeros_like(changed, bool)
        inside[max(int(y) - 2, 0) : int(y + h) + 3, max(int(x) - 2, 0) : int(x + w) + 3] = True
        if (changed > 12).sum() < 20:
            continue
        assert (changed[inside] > 12).sum() > 50 * (changed[~inside] > 12).sum()
        checked += 1
    assert checked >= 3


def test_a_frame_can_be_drawn_again_in_any_order(stage: Stage) -> None:
    first = draw_frame(stage, 3)
    draw_frame(stage, 11)
    assert np.array_equal(draw_frame(stage, 3), first)
    assert first.shape == (360, 640, 3) and first.dtype == np.uint8


@pytest.mark.parametrize("name", SPECIES)
def test_a_drawn_fish_fills_its_outline_and_nothing_more(name: str) -> None:
    species = SPECIES[name]
    drawing = draw_fish(species, Look(1.0, (1.0, 1.0, 1.0), 1), 200.0)
    v = species.hull_uv()[:, 1]
    rows, columns = (np.flatnonzero((drawing[..., 3] > 0.3).any(axis=axis)) for axis in (1, 0))
    assert np.ptp(columns) == pytest.approx(200, abs=6)
    assert np.ptp(rows) == pytest.approx(200 * np.ptp(v), rel=0.1, abs=4)
    beats = tail_beat(drawing)
    assert all(beat.shape == drawing.shape for beat in beats)
    assert not np.array_equal(beats[0], beats[2])


def test_species_differ_in_colour_or_shape() -> None:
    """Mean colour in RGB / 255 and height: no two species closer than 0.08."""
    traits = []
    for species in SPECIES.values():
        drawing = draw_fish(species, Look(1.0, (1.0, 1.0, 1.0), 1), 120.0)
        colour = drawing[drawing[..., 3] > 0.9][:, :3].mean(axis=0) / 255
        traits.append([*colour, np.ptp(species.hull_uv()[:, 1])])
    apart = np.linalg.norm(np.array(traits)[:, None] - np.array(traits)[None], axis=2)
    assert apart[~np.eye(len(traits), dtype=bool)].min() > 0.08
