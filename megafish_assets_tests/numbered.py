"""Videos of numbered pictures: bars that spell a Gray code survive any codec, so that each frame says which it is."""

import subprocess
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

BITS = 9
SIZE_WH = (320, 96)
FPS = 30


def picture(number: int, size_wh: tuple[int, int] = SIZE_WH) -> np.ndarray:
    """uint8 BGR: a white bar, then a bar for each bit of the number's Gray code, so that neighbors differ in one."""
    width, height = size_wh
    code = number ^ number >> 1
    bars = np.array([255] + [245 if code >> bit & 1 else 10 for bit in range(BITS)], np.uint8)
    row = bars.repeat(-(-width // len(bars)))[:width]
    return np.broadcast_to(row[None, :, None], (height, width, 3)).copy()


def number_in(pixels: np.ndarray) -> int:
    """The number that a picture `(height, width)` or `(height, width, 3)` spells; -1 where it spells none."""
    grey = pixels.reshape(*pixels.shape[:2], -1).mean(axis=2)
    height, width = grey.shape
    middle, bar_px = grey[height // 4 : 3 * height // 4].mean(axis=0), -(-width // (BITS + 1))
    levels = [middle[at * bar_px + bar_px // 4 : at * bar_px + 3 * bar_px // 4].mean() for at in range(BITS + 1)]
    if levels[0] < 150:
        return -1
    code, number = sum(1 << bit for bit, level in enumerate(levels[1:]) if level > 128), 0
    while code:
        number, code = number ^ code, code >> 1
    return number


def write(
    path: Path,
    numbers: Iterable[int],
    codec: str = "libx264",
    stamps: Sequence[int] | None = None,
    size_wh: tuple[int, int] = SIZE_WH,
    fps: int = FPS,
    form: str | None = None,
    pix_fmt: str = "yuv420p",
    **options: str,
) -> Path:
    """A video of these numbers; `stamps` in frame periods, one by one unless given; `form` is the container's name."""
    with av.open(str(path), "w", format=form) as out:
        stream = out.add_stream(codec, rate=fps, options={name.replace("_", "-"): it for name, it in options.items()})
        stream.width, stream.height, stream.pix_fmt = *size_wh, pix_fmt
        stream.codec_context.time_base = Fraction(1, fps)
        for place, number in enumerate(numbers):
            frame = av.VideoFrame.from_ndarray(picture(number, size_wh), format="bgr24")
            frame.pts, frame.time_base = (place if stamps is None else stamps[place]), Fraction(1, fps)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def remux(source: Path, target: Path, change: Callable[[list[av.Packet]], list[av.Packet]], **options: str) -> Path:
    """The packets of a video, changed, in another file; nothing is encoded anew."""
    with av.open(str(source)) as given, av.open(str(target), "w", options=options) as out:
        packets = [packet for packet in given.demux(video=0) if packet.size]
        stream = out.add_stream_from_template(given.streams.video[0])
        for packet in change(packets):
            packet.stream = stream
            out.mux(packet)
    return target


def shown_by_ffmpeg(path: Path, size_wh: tuple[int, int] = SIZE_WH) -> tuple[list[int], list[float | None]]:
    """What Debian's ffmpeg shows: the number in each picture, and seconds from the first, in order."""
    filters = f"showinfo,scale={size_wh[0]}:{size_wh[1]},format=gray"
    line = ["ffmpeg", "-hide_banner", "-nostdin", "-i", f"file:{path}", "-map", "0:V:0", "-vf", filters]
    done = subprocess.run([*line, "-fps_mode", "passthrough", "-f", "rawvideo", "-"], capture_output=True, check=False)
    told = done.stderr.decode(errors="replace")
    pictures = np.frombuffer(done.stdout, np.uint8).reshape(-1, size_wh[1], size_wh[0])
    stamps = [line.split("pts_time:")[1].split()[0] for line in told.splitlines() if "pts_time:" in line]
    seconds = [None if stamp == "NOPTS" else float(stamp) for stamp in stamps[: len(pictures)]]
    first = next((one for one in seconds if one is not None), 0.0)
    return [number_in(one) for one in pictures], [None if one is None else one - first for one in seconds]
