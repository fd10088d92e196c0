"""Broken video files, made from real ones: what could be read is kept, and never under another frame's id."""

from pathlib import Path

import av
import cv2
import numpy as np
import polars as pl
import pytest

from megafish_assets.crops.cutting import cuts
from megafish_assets.crops.decoding import UnreadableVideoError, frame_index, wanted_frames
from megafish_assets.crops.frames import video_crops
from megafish_assets.crops.measures import crop_counts, crop_numbers
from megafish_assets.detections.boxes import Boxes
from megafish_assets_tests.videos import write_h264

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


@pytest.mark.parametrize("packet", [0, 7, 30, 31, 57, 60, 84, 98, 119])
@pytest.mark.parametrize("share", [1.0, 0.5])
def test_around_a_damaged_frame_every_frame_is_itself_or_left_out(
    sound: Path, frames: list[np.ndarray], tmp_path: Path, packet: int, share: float
) -> None:
    lost = damaged(sound, tmp_path / "bad.mp4", packet, share, seed=packet)
    got = {}
    for frame in wanted_frames(tmp_path / "bad.mp4", range(N_FRAMES)):
        assert is_picture(frame.pixels_bgr, frames[frame.frame_id]), frame.frame_id
        got[frame.frame_id] = frame
    group = range(lost // GOP * GOP, lost // GOP * GOP + GOP)
    # A group of pictures may be lost with its frame, and the two that lean on it from the group before.
    assert set(range(N_FRAMES)) - set(got) <= set(range(group.start - 2, group.stop))


def test_a_sound_video_loses_nothing(sound: Path, frames: list[np.ndarray]) -> None:
    index = frame_index(sound)
    assert (len(index.stamps_us), index.key_frames) == (N_FRAMES, list(range(0, N_FRAMES, GOP)))
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
        "frame can't be decoded",
        None,
        f"frame is past the video's end ({N_FRAMES} frames)",
    ]
    numbers = crop_numbers(crop_counts(sampled, crops)).row(0, named=True)
    assert (numbers["n_crops"], numbers["n_set_aside"], numbers["n_lost_rows"]) == (2, 3, 0)


def test_a_file_outside_the_recordings_is_not_opened() -> None:
    boxes = Boxes(np.array(["v/000000/000"]), np.zeros(1, np.int64), np.full((1, 4), 100.0), np.full(1, 0.9))
    assert [cut.fault for cut in cuts(None, boxes)] == ["the video file lies outside the recordings folder"]


@pytest.mark.parametrize("packet", [12, 24, 60])
def test_a_lost_key_frame_takes_with_it_what_leans_on_it(frames: list[np.ndarray], tmp_path: Path, packet: int) -> None:
    """MPEG-4 part 2 as OpenCV writes it: the decoder passes over a destroyed key frame without an error."""
    sound = tmp_path / "sound.mp4"
    writer = cv2.VideoWriter(str(sound), cv2.VideoWriter_fourcc(*"mp4v"), 30, (320, 180))
    for picture in frames:
        writer.write(picture)
    writer.release()
    keys = frame_index(sound).key_frames
    assert packet in keys
    damaged(sound, tmp_path / "bad.mp4", packet, 1.0, seed=1)
    got = {frame.frame_id for frame in wanted_frames(tmp_path / "bad.mp4", range(N_FRAMES))}
    following = min([key for key in keys if key > packet], default=N_FRAMES)
    assert not got & set(range(packet, following))
    assert set(range(packet - 1)) <= got and set(range(following, N_FRAMES)) <= got
