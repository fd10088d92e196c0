"""Many videos at once give what each gives by itself, and few are held."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from megafish_assets.crops.cutting import cuts
from megafish_assets.crops.extraction import VideoTask, extracted
from megafish_assets.footage.boxes import Boxes

WANTED = (0, 7, 30, 10_000)
"""Frames of each clip; the last is past every end."""


@pytest.fixture(scope="module")
def tasks(real_data: Path) -> list[VideoTask]:
    """The real clips, a box of its own in each wanted frame, and one file that is not there."""
    paths = sorted((real_data / "salmon-river-videos").glob("*.mp4"))
    return [task(number, path) for number, path in enumerate([*paths, real_data / "gone.mp4"])]


def task(number: int, path: Path) -> VideoTask:
    ids = np.array([f"{path.stem}/{frame:06d}/000" for frame in WANTED])
    boxes = np.array([[20.0 * number, 50.0 * row, 150, 100] for row in range(len(WANTED))])
    sampled = Boxes(ids, np.array(WANTED), boxes, np.ones(len(WANTED)))
    return VideoTask(path.stem, path, sampled, sampled, WANTED[1])


def test_no_videos_have_no_results() -> None:
    assert list(extracted([])) == []


def test_threads_cut_what_each_video_gives_by_itself(tasks: list[VideoTask]) -> None:
    found = {result.key: result for result in extracted(tasks)}
    assert len(found) == len(tasks) > 10
    for one in tasks:
        assert found[one.key].cuts == cuts(one.path, one.cut_out)
        assert found[one.key].cuts[-1].fault is not None
        assert (found[one.key].overlay_bgr is None) == (one.key == "gone")
    assert sum(cut.jpeg is not None for result in found.values() for cut in result.cuts) >= 2 * 11


def test_few_videos_are_held_however_many_there_are(tasks: list[VideoTask]) -> None:
    taken = 0

    def counted() -> Iterator[VideoTask]:
        nonlocal taken
        for one in 3 * tasks:
            taken += 1
            yield one

    at_once = [taken - given for given, _ in enumerate(extracted(counted()))]
    assert len(at_once) == 3 * len(tasks)
    assert max(at_once) <= 2 * os.cpu_count() + 1
