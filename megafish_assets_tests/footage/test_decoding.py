"""Wanted frames against PyAV, which shares no code of ours with OpenCV's reader."""

import subprocess
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import PictureType

from megafish_assets.footage.containers import ContainerTimes, UnreadableVideoError, container_times
from megafish_assets.footage.decoding import wanted_frames
from megafish_assets_tests.videos import decoded_frames, presentation_seconds, write_h264

N_FRAMES, N_BARS, BAR_PX = 120, 8, 32


def numbered(frame_id: int) -> np.ndarray:
    """A picture of eight bars, white where the number's Gray code has a 1, so that neighbors differ in one bar."""
    code = frame_id ^ frame_id >> 1
    bars = np.array([255 * (code >> bit & 1) for bit in range(N_BARS)], np.uint8)
    return np.broadcast_to(bars.repeat(BAR_PX)[None, :, None], (64, N_BARS * BAR_PX, 3)).copy()


def number_in(pixels: np.ndarray) -> int:
    """The number that such a picture shows."""
    return min(range(N_FRAMES), key=lambda frame_id: np.abs(pixels.astype(int) - numbered(frame_id)).mean())


@pytest.fixture(scope="module")
def long_gop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One group of pictures with frames that depend on later ones."""
    path = tmp_path_factory.mktemp("videos") / "numbered.mp4"
    write_h264(path, map(numbered, range(N_FRAMES)))
    return path


@pytest.fixture(scope="module")
def salmon(real_data: Path) -> list[Path]:
    clips = sorted((real_data / "salmon-river-videos").glob("*.mp4"))
    assert len(clips) == 11
    return clips


def test_no_wanted_frames_are_none(long_gop: Path) -> None:
    assert list(wanted_frames(long_gop, [])) == []


def test_every_real_clip_gives_all_its_frames_at_their_own_times(salmon: list[Path]) -> None:
    for path in salmon:
        times = presentation_seconds(path)
        found = [(frame.frame_id, frame.presentation_seconds) for frame in wanted_frames(path, range(1_000))]
        assert [frame_id for frame_id, _ in found] == list(range(len(times))), path.name
        assert [seconds for _, seconds in found] == pytest.approx(times, abs=1e-6), path.name
        assert np.diff(times).max() > 2 * np.diff(times).min(), "the rate varies, so no rate could have given the times"


def test_pixels_of_a_real_clip_are_those_of_another_decoder(salmon: list[Path]) -> None:
    expected = decoded_frames(salmon[0])
    for frame in wanted_frames(salmon[0], [0, 1, 60, len(expected) - 1]):
        assert frame.pixels_bgr.shape == (400, 640, 3)
        error = np.abs(frame.pixels_bgr.astype(int) - expected[frame.frame_id])
        assert error.mean() < 0.5
        assert error.max() <= 6


def test_wanted_frames_of_a_long_group_of_pictures_are_the_right_ones(long_gop: Path) -> None:
    with av.open(str(long_gop)) as container:
        kinds = [PictureType(frame.pict_type).name for frame in container.decode(video=0)]
    assert kinds.count("I") == 1
    assert "B" in kinds
    wanted = [119, 0, 1, 2, 47, 46, 118, 47]
    frames = list(wanted_frames(long_gop, wanted))
    assert [frame.frame_id for frame in frames] == sorted(set(wanted))
    assert [number_in(frame.pixels_bgr) for frame in frames] == sorted(set(wanted))
    assert [frame.presentation_seconds for frame in frames] == pytest.approx([n / 30 for n in sorted(set(wanted))])


def test_frames_past_the_end_are_not_yielded(long_gop: Path) -> None:
    assert [frame.frame_id for frame in wanted_frames(long_gop, [5, 119, 120, 10_000])] == [5, 119]


def test_a_missing_file_is_unreadable_and_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableVideoError, match=r"no video file gone\.mp4"):
        list(wanted_frames(tmp_path / "gone.mp4", [0]))


@pytest.mark.parametrize("content", [b"", b"not a video\n" * 500])
def test_a_file_that_is_no_video_is_unreadable_and_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "text.mp4"
    path.write_bytes(content)
    with pytest.raises(UnreadableVideoError, match=r"text\.mp4"):
        list(wanted_frames(path, [0]))


def test_a_truncated_file_gives_no_wrong_frames(long_gop: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(long_gop.read_bytes()[: long_gop.stat().st_size // 2])
    with pytest.raises(UnreadableVideoError):  # the index of an MP4 stands at its end
        list(wanted_frames(path, range(N_FRAMES)))


@pytest.mark.usefixtures("beside_ffmpeg")
def test_a_container_says_its_rate_its_length_and_when_it_was_begun(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    source = ["-f", "lavfi", "-i", "testsrc=size=64x64:rate=24:duration=2"]
    subprocess.run(
        ["ffmpeg", "-v", "error", *source, "-metadata", "creation_time=2024-12-31T13:30:05Z", path], check=True
    )
    assert container_times(path) == ContainerTimes(24.0, 2.0, datetime(2024, 12, 31, 13, 30, 5))


@pytest.mark.usefixtures("beside_ffmpeg")
def test_a_clock_that_was_never_set_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    source = ["-f", "lavfi", "-i", "testsrc=size=64x64:rate=24:duration=1"]
    subprocess.run(
        ["ffmpeg", "-v", "error", *source, "-metadata", "creation_time=1970-01-01T00:00:10Z", path], check=True
    )
    assert container_times(path).created is None


@pytest.mark.usefixtures("beside_ffmpeg")
def test_a_real_clips_rate_is_what_ffprobe_says(salmon: list[Path]) -> None:
    for path in salmon:
        asked = ["-select_streams", "v", "-show_entries", "stream=avg_frame_rate", "-of", "csv=p=0"]
        said = subprocess.run(["ffprobe", "-v", "error", *asked, path], capture_output=True, text=True, check=True)
        assert container_times(path).frames_per_second == pytest.approx(float(Fraction(said.stdout.strip())))
