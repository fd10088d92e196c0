"""Videos of other shapes, rates and codecs: right pixels and right times, or a reason."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from megafish_assets.footage.containers import UnreadableVideoError
from megafish_assets.footage.decoding import wanted_frames
from megafish_assets_tests.videos import presentation_seconds

N_FRAMES = 24


def pictures(width: int, height: int) -> list[np.ndarray]:
    """Frames that differ by a moving texture."""
    noise = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    texture = cv2.GaussianBlur(noise, (0, 0), 4)
    return [np.roll(texture, 5 * frame, axis=1) for frame in range(N_FRAMES)]


def write(path: Path, frames: list[np.ndarray], codec: str, stamps: list[int] | None = None, **options: str) -> Path:
    """A video of this codec at 25 fps, or with these stamps in thousandths of a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if stamps:
            stream.codec_context.time_base = Fraction(1, 1000)
        for place, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            if stamps:
                frame.pts, frame.time_base = stamps[place], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("size_wh", [(320, 180), (180, 320), (322, 182), (640, 160)])
@pytest.mark.parametrize("codec", ["libx264", "mpeg4", "mjpeg"])
def test_other_sizes_and_codecs_give_the_same_pictures(tmp_path: Path, codec: str, size_wh: tuple[int, int]) -> None:
    frames = pictures(*size_wh)
    path = write(tmp_path / ("a.avi" if codec == "mjpeg" else "a.mp4"), frames, codec)
    got = list(wanted_frames(path, range(N_FRAMES)))
    assert [frame.frame_id for frame in got] == list(range(N_FRAMES))
    assert all(np.abs(frame.pixels_bgr.astype(int) - frames[frame.frame_id]).mean() < 10 for frame in got)
    assert [frame.presentation_seconds for frame in got] == pytest.approx(presentation_seconds(path), abs=1e-3)


def test_a_variable_rate_gives_each_frame_its_own_time(tmp_path: Path) -> None:
    stamps = np.cumsum([0] + [20, 35, 90, 41] * 6)[:N_FRAMES].tolist()
    path = write(tmp_path / "vfr.mp4", pictures(320, 180), "libx264", stamps)
    got = list(wanted_frames(path, range(N_FRAMES)))
    assert [frame.presentation_seconds for frame in got] == pytest.approx([stamp / 1000 for stamp in stamps], abs=2e-3)


def test_rotation_by_metadata_is_applied(tmp_path: Path) -> None:
    """A phone held upright writes lying frames and a note to turn them: the matrix in the track header."""
    frames = pictures(320, 180)
    content = bytearray(write(tmp_path / "lying.mp4", frames, "libx264").read_bytes())
    header = content.index(b"tkhd")
    matrix = [0, 1 << 16, 0, -(1 << 16) & 0xFFFFFFFF, 0, 0, 180 << 16, 0, 1 << 30]
    content[header + 44 : header + 80] = b"".join(value.to_bytes(4, "big") for value in matrix)
    (tmp_path / "upright.mp4").write_bytes(content)
    got = next(iter(wanted_frames(tmp_path / "upright.mp4", [0])))
    assert got.pixels_bgr.shape == (320, 180, 3)
    assert np.abs(got.pixels_bgr.astype(int) - np.rot90(frames[0], -1)).mean() < 10


def test_a_codec_that_cannot_be_decoded_says_so(tmp_path: Path) -> None:
    """The packets are there; the name of their codec is one that nobody knows."""
    content = write(tmp_path / "known.mp4", pictures(320, 180), "libx264").read_bytes()
    path = tmp_path / "unknown.mp4"
    path.write_bytes(content.replace(b"avc1", b"zzzz").replace(b"avcC", b"zzzC"))
    with pytest.raises(UnreadableVideoError, match=r"unknown\.mp4"):
        list(wanted_frames(path, range(N_FRAMES)))


def test_frames_beyond_the_limit_are_refused_before_one_is_decoded(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", pictures(320, 180), "libx264")
    assert next(wanted_frames(path, [0], most_megapixels=0.0576)).frame_id == 0
    with pytest.raises(UnreadableVideoError, match=r"frames of 320 x 180 px, more than 0\.05 million.*MEGAPIXELS"):
        next(wanted_frames(path, [0], most_megapixels=0.05))


def test_a_size_that_grows_beyond_the_limit_in_mid_stream_is_set_aside(tmp_path: Path) -> None:
    small = write(tmp_path / "small.h264", pictures(320, 180), "libx264").read_bytes()
    large = write(tmp_path / "large.h264", pictures(640, 360), "libx264").read_bytes()
    path = tmp_path / "both.h264"
    path.write_bytes(small + large)
    assert len(list(wanted_frames(path, (), every=1))) == 2 * N_FRAMES
    bounded = list(wanted_frames(path, (), every=1, most_megapixels=0.1))
    assert [frame.frame_id for frame in bounded] == list(range(N_FRAMES))
    assert {frame.picture.size_wh_px for frame in bounded} == {(320, 180)}
