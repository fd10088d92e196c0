"""Which videos a browser plays, and single frames of those that it does not."""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import polars as pl

from megafish_assets.crops.overlay import jpeg
from megafish_assets.footage.containers import MOST_MEGAPIXELS, UnreadableVideoError
from megafish_assets.footage.decoding import wanted_frames

PLAYED_ENDINGS = {".mp4", ".m4v", ".webm", ".ogv", ".mov"}
PLAYED_CODECS = {"h264", "vp8", "vp9", "av1", "theora"}
"""Of these containers, what Chromium and Firefox both play without what an operating system adds; HEVC and MPEG-4 part
2 in an .mp4 are not among it."""

MOST_STILLS = 1_024
"""Frames in the folder, however many videos can't be played: 11 MB at most."""

STILLS_A_VIDEO = (128, 64, 32, 16, 8, 4, 2, 1)
"""Frames of one video: the largest number that all of them can have. In few steps, so that a new video seldom changes
which frames of the others are wanted, and they need not be decoded again."""

STILL_WIDTH_PX = 384
"""About 11 kB a frame: the animal can be found again; how it looks is seen in its crop."""


@dataclass(frozen=True)
class VideoFile:
    """One video as the page links it."""

    path: Path | None
    """None where its name leads out of the recordings folder."""
    size_bytes: int | None
    """None where there is no such file."""
    plays: bool
    """Whether browsers play it."""

    @property
    def mark(self) -> str:
        """Twelve hexadecimal digits that change with the file's place and size."""
        return hashlib.sha256(f"{self.path} {self.size_bytes}".encode()).hexdigest()[:12]


def video_file(path: Path | None) -> VideoFile:
    """What is known of a file without decoding it."""
    try:
        size_bytes = path.stat().st_size if path is not None and path.is_file() else None
    except OSError:  # a name that is too long for the file system
        size_bytes = None
    return VideoFile(path, size_bytes, size_bytes is not None and _plays(path))


def _plays(path: Path) -> bool:
    if path.suffix.lower() not in PLAYED_ENDINGS:
        return False
    try:
        with av.open(str(path)) as container:
            return bool(container.streams.video) and container.streams.video[0].codec_context.name in PLAYED_CODECS
    except (av.error.FFmpegError, OSError):
        return False


def stills_a_video(n_videos: int) -> int:
    """How many frames each of so many videos gets; 0 where there are too many for one each."""
    return next((n for n in STILLS_A_VIDEO if n * n_videos <= MOST_STILLS), 0)


def still_frames(rows: pl.DataFrame, n: int) -> list[int]:
    """At most n of the frames that a video's crops were cut from, spread evenly over them, first and last among them.

    `rows` holds `frame_id`. Where all of them fit, every crop has its own frame.
    """
    frames = rows["frame_id"].unique().sort().to_list()
    if len(frames) <= n:
        return frames
    steps = [round(place * (len(frames) - 1) / max(1, n - 1)) for place in range(n)]
    return [frames[step] for step in sorted(set(steps))]


def still_name(video: VideoFile, frame_id: int) -> str:
    """The still's file name; of another file at the same place it is another."""
    return f"still_{video.mark}_{frame_id:06d}.jpg"


def stills_of(
    video: VideoFile,
    frame_ids: Collection[int],
    folder: Path,
    most_megapixels: float = MOST_MEGAPIXELS,
    width_px: int = STILL_WIDTH_PX,
) -> dict[int, bytes]:
    """These frames of a video as JPEG, as far as it can be decoded; those that lie in the folder, which are all of this
    width, are not made again."""
    known = {frame_id: folder / still_name(video, frame_id) for frame_id in frame_ids}
    stills = {frame_id: path.read_bytes() for frame_id, path in known.items() if path.is_file()}
    return stills | dict(drawn_stills(video, set(frame_ids) - stills.keys(), most_megapixels, width_px))


def drawn_stills(
    video: VideoFile,
    frame_ids: Collection[int],
    most_megapixels: float = MOST_MEGAPIXELS,
    width_px: int = STILL_WIDTH_PX,
) -> Iterator[tuple[int, bytes]]:
    """These frames as JPEG, as far as the video can be decoded: nothing of one that can't."""
    if video.path is None or video.size_bytes is None or not frame_ids:
        return
    try:
        for frame in wanted_frames(video.path, frame_ids, most_megapixels=most_megapixels):
            yield frame.frame_id, jpeg(frame.square_bgr, width_px)
    except (UnreadableVideoError, av.error.FFmpegError):
        return
