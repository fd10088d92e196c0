"""A film with tracklets drawn, read back by another decoder."""

from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from megafish_assets.atlas.film import tracklet_film
from megafish_assets.footage.containers import UnreadableVideoError
from megafish_assets_tests.videos import decoded_frames, write_h264

N_FRAMES = 12


def rows() -> pl.DataFrame:
    """One animal that swims right, in every frame but the last; one box that is alone."""
    swimming = [(f, "v/t00001", 100.0 + 40 * f, 300.0, 160.0, 160.0) for f in range(N_FRAMES - 1)]
    alone = [(3, "v/t00002", 700.0, 700.0, 160.0, 160.0)]
    names = ("frame_id", "tracklet_id", "x_1024", "y_1024", "width_1024", "height_1024")
    return pl.DataFrame([*swimming, *alone], schema=names, orient="row")


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "v.mp4"
    write_h264(path, [np.full((360, 640, 3), 90, np.uint8)] * N_FRAMES)
    return path


def test_every_frame_is_in_the_film_and_boxes_are_where_they_were(video: Path, tmp_path: Path) -> None:
    film = tmp_path / "films" / "v.mp4"
    assert tracklet_film(video, rows(), film, width_px=640) == N_FRAMES
    frames = decoded_frames(film)
    assert len(frames) == N_FRAMES
    blank = np.full((360, 640, 3), 90, int)
    for frame_id, frame in enumerate(frames[:-1]):
        left = round((100 + 40 * frame_id) * 640 / 1024)
        top, middle = round(300 * 360 / 1024), round(380 * 360 / 1024)
        changed = np.abs(frame.astype(int) - blank).max(axis=2) > 40
        assert changed[middle, max(0, left - 2) : left + 3].any() and changed[top - 2 : top + 3, left + 40].any()
        assert not changed[:, left + 120 :][:, : 640 - left - 125].any() or frame_id == 3
    assert not (np.abs(frames[-1].astype(int) - blank).max(axis=2) > 60).any()


def test_a_film_is_no_wider_than_asked_for(video: Path, tmp_path: Path) -> None:
    tracklet_film(video, rows(), tmp_path / "small.mp4", width_px=320)
    capture = cv2.VideoCapture(str(tmp_path / "small.mp4"))
    assert (capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (320, 180)


def test_a_film_holds_every_frame_of_a_video_that_changes_its_size(tmp_path: Path) -> None:
    parts = []
    for width, height in ((640, 360), (320, 180)):
        write_h264(tmp_path / "part.h264", [np.full((height, width, 3), 90, np.uint8)] * 5)
        parts.append((tmp_path / "part.h264").read_bytes())
    video = tmp_path / "both.h264"
    video.write_bytes(b"".join(parts))
    assert tracklet_film(video, rows(), tmp_path / "film.mp4") == 10
    assert [frame.shape for frame in decoded_frames(tmp_path / "film.mp4")] == [(360, 640, 3)] * 10


def test_a_video_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableVideoError, match=r"gone\.mp4"):
        tracklet_film(tmp_path / "gone.mp4", rows(), tmp_path / "film.mp4")
