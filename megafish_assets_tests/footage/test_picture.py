"""Colours, turns and pixel shapes of unusual pictures, beside Debian's ffmpeg."""

import gc
import re
import subprocess
import weakref
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from megafish_assets.crops.cutting import cuts
from megafish_assets.footage.boxes import Boxes
from megafish_assets.footage.decoding import Frame, wanted_frames
from megafish_assets.footage.picture import ROTATED, Picture, Turn

SIZE_WH = (322, 180)
"""No whole number of blocks."""


pytestmark = pytest.mark.usefixtures("beside_ffmpeg")


def coloured(size_wh: tuple[int, int] = SIZE_WH) -> np.ndarray:
    """Soft blobs of every colour, uint8 BGR."""
    noise = np.random.default_rng(3).integers(0, 255, (size_wh[1], size_wh[0], 3), dtype=np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 6), None, 0, 255, cv2.NORM_MINMAX)


def video(path: Path, *arguments: str, size_wh: tuple[int, int] = SIZE_WH) -> Path:
    """A few frames of the blobs, encoded by ffmpeg with these arguments."""
    still = path.with_suffix(".png")
    cv2.imwrite(str(still), coloured(size_wh))
    line = [
        "ffmpeg",
        "-y",
        "-loglevel",
        "error",
        "-loop",
        "1",
        "-i",
        str(still),
        "-frames:v",
        "3",
        *arguments,
        str(path),
    ]
    subprocess.run(line, check=True)
    return path


def first(path: Path) -> Frame:
    return next(iter(wanted_frames(path, [0])))


def by_ffmpeg(path: Path, size_wh: tuple[int, int]) -> np.ndarray:
    """The first frame as ffmpeg shows it, int BGR."""
    line = [
        "ffmpeg",
        "-loglevel",
        "error",
        "-i",
        str(path),
        "-frames:v",
        "1",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "bgr24",
        "-",
    ]
    pixels = subprocess.run(line, check=True, capture_output=True).stdout
    return np.frombuffer(pixels, np.uint8).reshape(size_wh[1], size_wh[0], 3).astype(int)


LOSSLESS = ["-c:v", "libx264", "-qp", "0"]
COLOURS = {
    "no note": [*LOSSLESS, "-pix_fmt", "yuv420p"],
    "BT.709": ["-vf", "scale=out_color_matrix=bt709", *LOSSLESS, "-pix_fmt", "yuv420p", "-colorspace", "bt709"],
    "BT.601": ["-vf", "scale=out_color_matrix=bt601", *LOSSLESS, "-pix_fmt", "yuv420p", "-colorspace", "smpte170m"],
    "BT.2020": ["-vf", "scale=out_color_matrix=bt2020", *LOSSLESS, "-pix_fmt", "yuv420p", "-colorspace", "bt2020nc"],
    "full range": ["-vf", "scale=out_range=full", *LOSSLESS, "-pix_fmt", "yuv420p", "-color_range", "pc"],
    "full range by format": ["-c:v", "mjpeg", "-q:v", "1", "-pix_fmt", "yuvj420p"],
    "10 bit": [*LOSSLESS, "-pix_fmt", "yuv420p10le"],
    "10 bit, 4:2:2": ["-c:v", "prores_ks", "-pix_fmt", "yuv422p10le"],
    "4:2:2": [*LOSSLESS, "-pix_fmt", "yuv422p"],
    "4:4:4": [*LOSSLESS, "-pix_fmt", "yuv444p"],
    "4:1:1": ["-c:v", "ffv1", "-pix_fmt", "yuv411p"],
    "grey": ["-c:v", "ffv1", "-pix_fmt", "gray"],
    "alpha": ["-vf", "format=yuva420p,colorchannelmixer=aa=0.3", "-c:v", "ffv1"],
    "planes of colours": ["-c:v", "ffv1", "-pix_fmt", "gbrp"],
    "packed": ["-c:v", "rawvideo", "-pix_fmt", "bgr24"],
    "packed with alpha": ["-c:v", "png", "-pix_fmt", "rgba"],
    "packed 4:2:2": ["-c:v", "rawvideo", "-pix_fmt", "yuyv422"],
    "interleaved chroma": ["-c:v", "rawvideo", "-pix_fmt", "nv12"],
    "a palette": ["-c:v", "png", "-pix_fmt", "pal8"],
}


def container(kind: str) -> str:
    """One that holds the codec."""
    return "mov" if "prores_ks" in COLOURS[kind] else "avi" if {"rawvideo", "mjpeg"} & set(COLOURS[kind]) else "mkv"


@pytest.mark.parametrize("kind", COLOURS)
def test_colours_are_those_that_ffmpeg_shows(tmp_path: Path, kind: str) -> None:
    path = video(tmp_path / f"one.{container(kind)}", *COLOURS[kind])
    apart = np.abs(first(path).pixels_bgr - by_ffmpeg(path, SIZE_WH))
    # Two versions of swscale round differently and filter chroma of half the width in their own way.
    assert apart.mean() < 1.1 and np.percentile(apart, 99) <= 6, kind


@pytest.mark.parametrize("kind", COLOURS)
@pytest.mark.parametrize("edges_px", [(0, 0, 322, 180), (37, 21, 38, 22), (101, 55, 167, 130), (300, 170, 322, 180)])
def test_a_region_has_the_colours_of_the_whole_picture(
    tmp_path: Path, kind: str, edges_px: tuple[int, int, int, int]
) -> None:
    frame = first(video(tmp_path / f"one.{container(kind)}", *COLOURS[kind]))
    left, top, right, bottom = edges_px
    whole = frame.pixels_bgr[top:bottom, left:right].astype(int)
    region = frame.picture.region_bgr(edges_px)
    assert region.shape == whole.shape
    assert np.array_equal(region, whole)


@pytest.mark.parametrize("turn", [Turn(t, x, y) for t in (False, True) for x in (False, True) for y in (False, True)])
def test_a_turned_region_is_the_region_of_the_turned_picture(turn: Turn) -> None:
    stored = coloured()
    upright = turn.applied(stored)
    assert turn.size_wh_px(SIZE_WH) == upright.shape[1::-1]
    left, top, right, bottom = turn.stored_edges((20, 40, 90, 150), SIZE_WH)
    assert np.array_equal(turn.applied(stored[top:bottom, left:right]), upright[40:150, 20:90])


def matrix_written(path: Path, target: Path, a: int, b: int, c: int, d: int) -> Path:
    """The video with another display matrix in its track header; wholes instead of 16.16."""
    content = bytearray(path.read_bytes())
    header = content.index(b"tkhd")
    wholes = [a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30]
    content[header + 44 : header + 80] = b"".join((value & 0xFFFFFFFF).to_bytes(4, "big") for value in wholes)
    target.write_bytes(content)
    return target


@pytest.mark.parametrize(
    "matrix",
    [
        (1, 0, 0, 1),
        (0, 1, -1, 0),
        (-1, 0, 0, -1),
        (0, -1, 1, 0),
        (-1, 0, 0, 1),
        (1, 0, 0, -1),
        (0, 1, 1, 0),
        (0, -1, -1, 0),
    ],
)
def test_turns_and_mirrors_are_those_that_ffmpeg_shows(tmp_path: Path, matrix: tuple[int, int, int, int]) -> None:
    lying = video(tmp_path / "lying.mp4", *COLOURS["no note"])
    path = matrix_written(lying, tmp_path / "turned.mp4", *matrix)
    size_wh = SIZE_WH if matrix[0] else SIZE_WH[::-1]
    frame, expected = first(path), by_ffmpeg(path, size_wh)
    assert np.abs(frame.pixels_bgr - expected).mean() < 1.0
    assert np.abs(frame.picture.region_bgr((33, 21, 121, 99)) - expected[21:99, 33:121]).mean() < 1.0
    small = frame.picture.small_luma(80)
    grey = cv2.resize(cv2.cvtColor(expected.astype(np.uint8), cv2.COLOR_BGR2GRAY), small.shape[::-1])
    assert np.corrcoef(small.ravel(), grey.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("kind", ["no note", "10 bit", "packed", "packed 4:2:2", "grey", "a palette"])
def test_every_picture_has_a_small_luma(tmp_path: Path, kind: str) -> None:
    frame = first(video(tmp_path / f"one.{container(kind)}", *COLOURS[kind]))
    small = frame.picture.small_luma(160)
    assert (small.dtype, small.shape) == (np.uint8, (89, 160))
    grey = cv2.resize(cv2.cvtColor(frame.pixels_bgr, cv2.COLOR_BGR2GRAY), (160, 89), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(small.ravel(), grey.ravel())[0, 1] > 0.97


@pytest.mark.parametrize(("aspect", "crop_wh"), [("64/45", (228, 90)), ("3/4", (160, 120)), ("1/1", (160, 90))])
def test_crops_of_wide_pixels_have_the_shape_that_players_show(
    tmp_path: Path, aspect: str, crop_wh: tuple[int, int]
) -> None:
    """DV and HDV store fewer columns than they show. A box of 160 x 90 stored pixels, in the middle."""
    arguments = ["-vf", f"setsar={aspect}", *COLOURS["no note"]]
    path = video(tmp_path / "wide.mp4", *arguments, size_wh=(320, 180))
    boxes = Boxes(
        np.array(["v/000000/000"]), np.zeros(1, np.int64), np.full((1, 4), [256.0, 256, 512, 512]), np.ones(1)
    )
    (cut,) = cuts(path, boxes)
    assert (cut.width_px, cut.height_px) == crop_wh
    pixels = cv2.imdecode(np.frombuffer(cut.jpeg, np.uint8), cv2.IMREAD_COLOR)
    expected = cv2.resize(by_ffmpeg(path, (320, 180))[45:135, 80:240].astype(np.uint8), crop_wh)
    assert np.abs(pixels.astype(int) - expected).mean() < 3


def test_oblong_pixels_of_a_turned_picture_are_turned_too(tmp_path: Path) -> None:
    lying = video(tmp_path / "lying.mp4", "-vf", "setsar=64/45", *COLOURS["no note"], size_wh=(320, 180))
    path = tmp_path / "turned.mp4"
    command = ["ffmpeg", "-v", "error", "-i", str(lying), "-c", "copy", "-metadata:s:v", "rotate=90", str(path)]
    subprocess.run(command, check=True)
    # What ffmpeg shows of it, which turns by itself and tells the shape of the pixels.
    asked = ["ffmpeg", "-v", "info", "-i", str(path), "-vf", "showinfo", "-frames:v", "1", "-f", "null", "-"]
    told = subprocess.run(asked, capture_output=True, text=True, check=True).stderr
    assert re.search(r"sar:45/64 s:180x320", told), told
    boxes = Boxes(np.array(["v/000000/000"]), np.zeros(1, np.int64), np.array([[256.0, 256, 512, 512]]), np.ones(1))
    (cut,) = cuts(path, boxes)
    assert (cut.width_px, cut.height_px) == (90, 228)


@pytest.mark.parametrize("arguments", [["-c:v", "tiff"], ["-c:v", "ffv1", "-vf", "scale=64:2,setfield=tff"]])
def test_odd_pictures_are_cut(tmp_path: Path, arguments: list[str]) -> None:
    """With side data of a kind that PyAV doesn't know (EXIF), and too low for its fields to be taken apart."""
    path = video(tmp_path / "odd.mkv", *arguments)
    boxes = Boxes(np.array(["v/000000/000"]), np.zeros(1, np.int64), np.array([[0.0, 0, 1024, 1024]]), np.ones(1))
    assert [cut.fault for cut in cuts(path, boxes)] == [None]


def test_a_picture_of_pixels_gives_them_back() -> None:
    pixels = coloured()
    picture = Picture.of_bgr(pixels)
    assert np.array_equal(picture.bgr(), pixels)
    assert np.array_equal(picture.region_bgr((3, 5, 50, 90)), pixels[5:90, 3:50])


def woven(moment: int) -> np.ndarray:
    """A bar that moves 12 px from one field to the next, over a still pattern of lines."""
    pixels = np.full((192, 320), 60, np.uint8)
    for field in (0, 1):
        at = 40 + 12 * (2 * moment + field)
        pixels[field::2, at : at + 24] = 220
    pixels[::8, :40] = 200
    return cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)


def test_an_interlaced_frame_is_one_moment_and_what_stands_still_stays_sharp(tmp_path: Path) -> None:
    path = tmp_path / "fields.mkv"
    with av.open(str(path), "w") as out:
        options = {"crf": "4", "flags": "+ilme+ildct", "x264-params": "bff=0:tff=1"}
        stream = out.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuv420p"
        for moment in range(8):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(woven(moment), format="bgr24")))
        out.mux(stream.encode())
    for frame in wanted_frames(path, [0, 3, 7]):
        grey = frame.pixels_bgr[..., 1].astype(int)
        combs = np.abs(np.diff(grey[20:-20, 40:], axis=0)).mean()
        assert combs < 3 < np.abs(np.diff(woven(3)[20:-20, 40:, 1].astype(int), axis=0)).mean()
        still = np.abs(grey[16:-16, 4:36] - woven(0)[16:-16, 4:36, 1]).mean()
        assert frame.frame_id != 3 or still < 12


@pytest.mark.parametrize(("angle", "turn"), zip((0, 90, 180, -90), ROTATED, strict=True))
def test_an_angle_alone_tells_the_quarter_turn(angle: int, turn: Turn) -> None:
    """Against the clock, as numpy turns."""
    assert np.array_equal(turn.applied(coloured()), np.rot90(coloured(), angle // 90))


def test_a_pass_holds_few_frames(tmp_path: Path) -> None:
    """No frame waits for Python's collector of cycles: a video in full HD would fill the memory."""
    path = video(tmp_path / "turned.mp4", *COLOURS["no note"], size_wh=(1280, 720))
    held = []
    gc.collect()
    gc.disable()
    try:
        for frame in wanted_frames(path, range(100)):
            frame.picture.region_bgr((0, 0, 50, 50))
            held.append(weakref.ref(frame.picture))
        del frame
        alive = sum(isinstance(thing, av.VideoFrame) for thing in gc.get_objects())
    finally:
        gc.enable()
    assert len(held) == 3 and not any(reference() for reference in held)
    assert alive <= 1
