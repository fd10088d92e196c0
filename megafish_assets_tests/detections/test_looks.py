"""Which frames were searched, by hand."""

import numpy as np
import polars as pl
import pytest

from megafish_assets.detections.looks import looks_of, step_of, usual_step
from megafish_assets_tests.sightings.made import MOTION, tracklet


def test_a_detector_that_looked_at_every_sixth_frame_is_seen_by_its_frames() -> None:
    looks = looks_of(tracklet(0, range(3, 300, 6)), MOTION)
    assert (looks.frame_ids[0], looks.step_frames, len(looks)) == (3, 6, 50)
    assert looks.step_seconds == pytest.approx(0.2) and looks.within(1 / 3) == 2
    assert looks.at(np.array([3, 9, 297])).tolist() == [0, 1, 49]


def test_frames_without_a_box_are_searched_too() -> None:
    looks = looks_of(tracklet(0, [*range(0, 20, 2), 40]), MOTION)
    assert looks.step_frames == 2 and len(looks) == 21


def test_a_video_with_few_frames_takes_the_step_of_the_others() -> None:
    assert step_of(np.array([5, 200])) is None
    looks = looks_of(tracklet(0, [5, 200]), MOTION, usual=5)
    assert looks.frame_ids[0] == 0 and len(looks) == 41
    frames = pl.concat([tracklet(0, range(0, 60, 5), video=f"v{n}") for n in range(3)] + [tracklet(0, [1], video="v9")])
    assert usual_step(frames) == 5 and usual_step(frames.clear()) == 1


def test_the_scene_is_followed_to_the_end_of_a_video_whose_last_frames_hold_no_box() -> None:
    motion = pl.DataFrame({"video": ["v0"], "frame_id": [295], "elapsed_frames": [5], "n_pan_points": [90]})
    assert len(looks_of(tracklet(0, range(20)), motion)) == 296


def test_one_box_in_one_frame_is_one_look() -> None:
    looks = looks_of(tracklet(0, [0]), MOTION)
    assert len(looks) == 1 and looks.seconds.tolist() == [0.0] and looks.step_seconds == pytest.approx(1 / 30)


def test_of_a_file_whose_rate_is_not_known_thirty_frames_are_a_second() -> None:
    assert looks_of(tracklet(0, range(20), fps=None), MOTION).step_seconds == pytest.approx(1 / 30)


def test_looks_that_the_wiper_takes_are_told() -> None:
    blade = (0.0, 0.0, 500.0, 500.0)  # a quarter of the frame
    rows = pl.concat([tracklet(0, range(300)), tracklet(1, range(60, 91), blade)])
    frames = list(range(5, 300, 5))
    points = [20 if 60 <= frame <= 90 else 100 for frame in frames]
    motion = pl.DataFrame({"video": "v0", "frame_id": frames, "elapsed_frames": 5, "n_pan_points": points})
    assert np.flatnonzero(looks_of(rows, motion).is_wiped).tolist() == list(range(60, 91))


@pytest.mark.parametrize(
    ("looks_a_second", "fps"),
    [(10, 29.97), (12, 30), (12.5, 30), (5, 24), (15, 29.97), (3, 25), (2, 29.97), (8, 59.94)],
)
def test_a_detector_that_looks_at_uneven_distances_is_seen_too(looks_a_second: float, fps: float) -> None:
    true = np.unique(np.floor(np.arange(looks_a_second * 60) * fps / looks_a_second).astype(int))
    rng = np.random.default_rng(0)
    empty = np.concatenate([rng.choice(len(true), len(true) // 10, replace=False), np.arange(40, 60)])
    with_boxes = np.delete(true, empty[(empty > 0) & (empty < len(true) - 1)])
    looks = looks_of(tracklet(0, with_boxes.tolist(), fps=fps), MOTION)
    assert abs(len(looks) - len(true)) <= 1
    assert looks.step_seconds == pytest.approx(1 / looks_a_second, rel=0.01)
    assert np.isin(with_boxes, looks.frame_ids).all()
    assert np.abs(looks.frame_ids - true[np.abs(true[:, None] - looks.frame_ids).argmin(axis=0)]).max() <= 1
    assert looks.at(with_boxes).tolist() == np.searchsorted(looks.frame_ids, with_boxes).tolist()


@pytest.mark.parametrize("n", [12, 40, 300])
def test_frames_with_boxes_here_and_there_are_of_a_detector_that_looks_at_each(n: int) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        starts = rng.choice(np.arange(0, 3000, 8), n, replace=False)
        frames = np.concatenate([start + np.arange(rng.integers(1, 6)) for start in starts])
        assert step_of(frames) == 1


def test_looks_without_any_even_step_are_taken_for_every_frame() -> None:
    frames = np.cumsum(np.random.default_rng(1).choice([2, 5, 9, 16], 300))
    assert step_of(frames) is None and usual_step(pl.DataFrame({"video": "v", "frame_id": frames})) == 1
    assert looks_of(tracklet(0, frames.tolist()), MOTION).step_frames == 1


def test_lone_boxes_of_a_detector_that_looks_at_every_frame_tell_no_longer_step() -> None:
    for seed in range(200):
        frames = np.flatnonzero(np.random.default_rng(seed).random(300) < 0.05)
        assert step_of(frames) in (None, 1) and looks_of(tracklet(0, frames.tolist()), MOTION).step_frames == 1


@pytest.mark.parametrize(("fps", "looks_a_second"), [(25, 10), (30, 12), (30, 8), (29.97, 10), (29.97, 5)])
@pytest.mark.parametrize(("stays", "gone"), [(10, 10), (5, 10), (3, 15)])
def test_clips_in_which_animals_come_and_go_tell_the_step_or_take_the_others(
    fps: float, looks_a_second: float, stays: int, gone: int
) -> None:
    searched = np.unique(np.floor(np.arange(0, 10, 1 / looks_a_second) * fps).astype(int))
    rng, clips = np.random.default_rng(stays), []
    for _ in range(25):
        is_there, with_boxes = False, []
        for frame in searched.tolist():
            is_there = rng.random() > 1 / stays if is_there else rng.random() < 1 / gone
            with_boxes += [frame] if is_there else []
        clips += [with_boxes] if with_boxes else []
    rows = [pl.DataFrame({"video": f"v{n}", "frame_id": frames}) for n, frames in enumerate(clips)]
    usual = usual_step(pl.concat(rows))
    steps = [looks_of(tracklet(0, frames, fps=fps), MOTION, usual).step_frames for frames in clips]
    off = [abs(step * looks_a_second / fps - 1) > 0.1 for step in steps]
    assert np.mean(off) <= 0.04
