"""A video file opened: which of its streams are moving pictures, and what its container says of time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import av
from av.stream import Disposition

LEAST_FIELDS_PER_SECOND = 45
"""Interlaced video has 50 or 60 fields a second, and 25 or 30 frames."""


UNSET_CLOCK_YEAR = 2000
"""Clocks that were never set begin in 1904, 1970 or on the first of January 2000."""


MOST_MEGAPIXELS = 67.0
"""Millions of pixels of one frame: 8K has 33. A decoder holds up to 16 frames, each a byte and a half a pixel."""


NO_PICTURE = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
"""Streams that a container holds as video, and that are none: covers and previews."""


class UnreadableVideoError(ValueError):
    """The file is missing or FFmpeg can't decode it."""


@dataclass(frozen=True)
class ContainerTimes:
    """What a container says of a video's time; of many fields a second the first frame is decoded, to tell whether they
    are frames."""

    frames_per_second: float | None
    """On average."""
    duration_seconds: float | None
    created: datetime | None
    """When it was begun, as the camera's clock or UTC had it, which cameras do not tell."""


def container_times(path: Path, most_megapixels: float = MOST_MEGAPIXELS) -> ContainerTimes:
    """A video's frame rate, length and creation time. Raises UnreadableVideoError."""
    with opened(path, most_megapixels) as stream:
        rate, length = stream.average_rate, stream.container.duration
        if rate is not None and rate >= LEAST_FIELDS_PER_SECOND and _is_interlaced(stream):
            rate = rate / 2  # a packet a field
        said = stream.container.metadata.get("creation_time") or stream.metadata.get("creation_time")
        return ContainerTimes(
            float(rate) if rate else None, None if not length else length / av.time_base, _moment(said)
        )


def _is_interlaced(stream: av.VideoStream) -> bool:
    try:
        return next(stream.container.decode(stream)).interlaced_frame
    except (av.error.FFmpegError, StopIteration):
        return False


def _moment(said: str | None) -> datetime | None:
    """The time of `2025-12-12T13:30:00.000000Z`, without its zone, which says less than it seems; None for that of
    cameras whose clock was never set."""
    try:
        moment = datetime.fromisoformat(said or "").replace(tzinfo=None)
    except ValueError:
        return None
    return moment if moment.year > UNSET_CLOCK_YEAR else None


@contextmanager
def opened(path: Path, most_megapixels: float = MOST_MEGAPIXELS) -> Iterator[av.VideoStream]:
    """The stream of moving pictures of a file, with its decoder on one thread."""
    try:
        there = path.is_file()
    except OSError as error:  # a name longer than the file system allows
        raise UnreadableVideoError(f"no video file {path.name} in {path.parent}: {error.strerror}") from error
    if not there:
        raise UnreadableVideoError(f"no video file {path.name} in {path.parent}")
    try:
        # Names may look like addresses (`T10:30.mp4`), files may be playlists of others, and cameras write titles in
        # any encoding: a local file is opened as one, and nothing else.
        container = av.open(f"file:{path}", options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except av.error.FFmpegError as error:
        why = error.strerror or type(error).__name__
        raise UnreadableVideoError(f"FFmpeg cannot open {path.name} as a video: {why}") from error
    with container:
        stream = _moving_pictures(container, path.name)
        width, height = stream.codec_context.width, stream.codec_context.height
        if width * height > 1e6 * most_megapixels:
            raise UnreadableVideoError(
                f"frames of {width} x {height} px, more than {most_megapixels:g} million: set MEGAFISH_MEGAPIXELS if "
                "they are meant"
            )
        stream.codec_context.options = {"max_pixels": str(round(1e6 * most_megapixels))}  # where the size changes
        stream.codec_context.thread_count = 1
        stream.codec_context.copy_opaque = True
        yield stream


def _moving_pictures(container: av.container.InputContainer, name: str) -> av.VideoStream:
    """The first stream of video that is no cover: one of a single picture is none either, beside another of more."""
    streams = [stream for stream in container.streams.video if not stream.disposition & NO_PICTURE]
    if not streams:
        raise UnreadableVideoError(f"{name} holds no video stream, only sound or a cover picture")
    known = [stream for stream in streams if stream.codec_context is not None]
    if not known:
        raise UnreadableVideoError(f"FFmpeg has no decoder for the video in {name}")
    return next((stream for stream in known if stream.frames != 1), known[0])
