"""Broken video files: what could be read is kept, and no picture of another moment, or of none, passes for a frame."""

from contextlib import suppress
from pathlib import Path

import av
import cv2
import numpy as np
import polars as pl
import pytest

from megafish_assets.crops.cutting import cuts
from megafish_assets.crops.measures import crop_counts, crop_numbers
from megafish_assets.crops.tables import video_crops
from megafish_assets.footage.boxes import Boxes
from megafish_assets.footage.containers import UnreadableVideoError
from megafish_assets.footage.decoding import FrameIndex, frame_index, wanted_frames
from megafish_assets_tests.videos import decoded_frames, write, write_h264

N_FRAMES, GOP = 120, 30


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    """A texture that moves 3 px a frame, so that no two frames within a second look alike."""
    noise = np.random.default_rng(0).integers(0, 255, (180, 320, 3), dtype=np.uint8)
    texture = cv2.GaussianBlur(noise, (0, 0), 3)
    return [np.roll(texture, 3 * frame, axis=1) for frame in range(N_FRAMES)]


@pytest.fixture(scope="module")
def sound(frames: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("damage") / "sound.mp4"
    write_h264(path, frames, gop=GOP)
    return path


def packets(path: Path) -> list[tuple[int, int, int]]:
    """Place, size and presentation index of every packet, in the file's order."""
    with av.open(str(path)) as container:
        found = [(packet.pos, packet.size, packet.pts) for packet in container.demux(video=0) if packet.size]
    order = sorted(pts for _, _, pts in found)
    return [(place, size, order.index(pts)) for place, size, pts in found]


def damaged(sound: Path, target: Path, packet: int, share: float, seed: int) -> int:
    """Writes the video with the last `share` of one packet overwritten by noise; the frame that it holds."""
    content = bytearray(sound.read_bytes())
    place, size, frame = packets(sound)[packet]
    start = place + size - int((size - 4) * share)
    noise = np.random.default_rng(seed).integers(0, 255, place + size - start, dtype=np.uint8)
    content[start : place + size] = noise.tobytes()
    target.write_bytes(content)
    return frame


def is_picture(pixels: np.ndarray, expected: np.ndarray) -> bool:
    """Two frames of the texture that are not the same differ by over 20 grey levels in the mean."""
    return np.abs(pixels.astype(int) - expected).mean() < 8


def moments(path: Path) -> list[int]:
    """Of each frame that is shown, the number of its picture in the sound video, by its stamp."""
    with av.open(str(path)) as container:
        shown = []
        for packet in container.demux(video=0):
            with suppress(av.error.InvalidDataError):
                shown += [round(frame.time * 30) for frame in packet.decode()]
    return shown


@pytest.mark.parametrize("packet", [0, 7, 30, 31, 57, 60, 84, 98, 119])
@pytest.mark.parametrize("share", [1.0, 0.5])
def test_around_a_damaged_frame_every_frame_is_itself_or_left_out(
    sound: Path, frames: list[np.ndarray], tmp_path: Path, packet: int, share: float
) -> None:
    path = tmp_path / "bad.mp4"
    lost, shown = damaged(sound, path, packet, share, seed=packet), moments(path)
    got = [shown[frame.frame_id] for frame in wanted_frames(path, range(N_FRAMES))]
    for frame, moment in zip(wanted_frames(path, range(N_FRAMES)), got, strict=True):
        assert is_picture(frame.pixels_bgr, frames[moment]), moment
    group = range(lost // GOP * GOP, lost // GOP * GOP + GOP)
    # A group of pictures may be lost with its frame.
    assert set(range(N_FRAMES)) - set(got) <= set(group)


def test_a_sound_video_loses_nothing(sound: Path, frames: list[np.ndarray]) -> None:
    index = frame_index(sound)
    assert (index.n_frames, index.damaged, index.ended_by) == (N_FRAMES, set(), None)
    got = list(wanted_frames(sound, range(-5, N_FRAMES + 5)))
    assert [frame.frame_id for frame in got] == list(range(N_FRAMES))
    assert all(is_picture(frame.pixels_bgr, frames[frame.frame_id]) for frame in got)


@pytest.mark.parametrize("name", ["empty", "text", "cut before the index"])
def test_what_is_no_video_says_so(sound: Path, tmp_path: Path, name: str) -> None:
    content = {
        "empty": b"",
        "text": b"this is not a video",
        "cut before the index": sound.read_bytes()[: sound.stat().st_size // 2],
    }[name]
    path = tmp_path / "odd.mp4"
    path.write_bytes(content)
    with pytest.raises(UnreadableVideoError, match=r"odd\.mp4"):
        list(wanted_frames(path, [0]))


def test_rows_of_a_damaged_video_are_kept_or_set_aside_with_a_reason(sound: Path, tmp_path: Path) -> None:
    damaged(sound, tmp_path / "bad.mp4", 57, 1.0, seed=57)
    ids = [-3, 10, 57, 70, 500]
    sampled = pl.DataFrame(
        {
            "video": "bad",
            "detection_id": [f"bad/{frame:06d}/000" for frame in ids],
            "tracklet_id": None,
            "frame_id": ids,
            "x_1024": 100.0,
            "y_1024": 100.0,
            "width_1024": 200.0,
            "height_1024": 200.0,
            "score": 0.9,
        }
    )
    crops = video_crops(tmp_path / "bad.mp4", sampled)
    assert crops["fault"].to_list() == [
        "frame_id is negative",
        None,
        "frame is damaged, or leans on a damaged one",
        None,
        f"frame is past the video's end ({N_FRAMES - 1} frames)",
    ]
    numbers = crop_numbers(crop_counts(sampled, crops)).row(0, named=True)
    assert (numbers["n_crops"], numbers["n_set_aside"], numbers["n_lost_rows"]) == (2, 3, 0)


def test_a_file_outside_the_recordings_is_not_opened() -> None:
    boxes = Boxes(np.array(["v/000000/000"]), np.zeros(1, np.int64), np.full((1, 4), 100.0), np.full(1, 0.9))
    assert [cut.fault for cut in cuts(None, boxes)] == ["the video file lies outside the recordings folder"]


CONCEALING = {
    "h264": ("mp4", "libx264", {"g": "30", "bf": "2", "crf": "16"}),
    "h264 in slices": ("mp4", "libx264", {"g": "30", "bf": "2", "crf": "16", "x264-params": "slices=4"}),
    "h264 in ts": ("ts", "libx264", {"g": "30", "bf": "2", "crf": "16"}),
    "mpeg2": ("mkv", "mpeg2video", {"g": "30", "bf": "2", "b": "4M"}),
    "mpeg2 in ts": ("ts", "mpeg2video", {"g": "30", "bf": "2", "b": "4M"}),
    "mpeg4": ("avi", "mpeg4", {"g": "30", "bf": "2", "b": "4M"}),
    "prores": ("mov", "prores_ks", {}),
}
"""Codecs whose decoders fill in what is missing, and say so."""


@pytest.mark.parametrize("kind", CONCEALING)
@pytest.mark.parametrize("packet", [30, 37, 60])
def test_what_a_decoder_fills_in_is_set_aside_with_what_leans_on_it(
    frames: list[np.ndarray], tmp_path: Path, kind: str, packet: int
) -> None:
    container, codec, options = CONCEALING[kind]
    sound, bad = tmp_path / f"sound.{container}", tmp_path / f"bad.{container}"
    write(sound, frames, codec, pix_fmt="yuv422p10le" if codec == "prores_ks" else "yuv420p", **options)
    if container == "ts":  # which loses whole packets of 188 bytes
        content = sound.read_bytes()
        at = packet * len(content) // 188 // N_FRAMES
        bad.write_bytes(content[: 188 * at] + content[188 * (at + 5) :])
    else:
        damaged(sound, bad, packet, 0.6, seed=packet)
    whole, index, found = np.array(decoded_frames(sound), dtype=int)[:, ::5, ::5], FrameIndex(), []
    for frame in wanted_frames(bad, range(N_FRAMES), index=index):
        apart = np.abs(whole - frame.pixels_bgr[::5, ::5]).mean(axis=(1, 2, 3))
        found.append(int(apart.argmin()))
        assert apart.min() < 1, frame.frame_id
    assert found == sorted(set(found)) and len(found) > N_FRAMES / 2
    assert index.damaged


@pytest.mark.parametrize("codec", ["libsvtav1", "libvpx-vp9"])
def test_a_key_frame_that_is_shown_again_mends_nothing(frames: list[np.ndarray], tmp_path: Path, codec: str) -> None:
    sound, bad = tmp_path / "sound.mkv", tmp_path / "bad.mkv"
    write(sound, frames, codec, g="30")
    for packet in (33, 37, 41, 45):
        damaged(sound, bad, packet, 1.0, seed=packet)
        whole, index = np.array(decoded_frames(sound), dtype=int)[:, ::5, ::5], FrameIndex()
        for frame in wanted_frames(bad, range(N_FRAMES), index=index):
            apart = np.abs(whole - frame.pixels_bgr[::5, ::5]).mean(axis=(1, 2, 3))
            assert frame.frame_id < packet or frame.frame_id >= 58 or apart.argmin() >= packet - 1 or apart.min() > 1


def test_what_ffmpeg_never_tells_is_known(frames: list[np.ndarray], tmp_path: Path) -> None:
    """docs/video.md names these codecs: a test that fails here is good news for that page."""
    for container, codec, pix_fmt in [("avi", "mjpeg", "yuvj420p"), ("webm", "libvpx", "yuv420p")]:
        sound, bad = tmp_path / f"sound.{container}", tmp_path / f"bad.{container}"
        write(sound, frames, codec, pix_fmt=pix_fmt, g="30")
        damaged(sound, bad, 31, 0.6, seed=1)
        assert frame_index(bad).damaged == set(), codec
