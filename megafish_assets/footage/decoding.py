"""The wanted frames of one video, in one pass, in order.

Here: which picture has which id, and which pictures can't be believed. Not here: what stamps mean, and colours.

A frame's id is its place among the frames that the decoder shows, from 0. Packets can't be counted instead: one may
hold a field, two frames, none, or a frame that an edit list hides. Nor can stamps, which repeat, jump or are missing.
"""

import math
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, pairwise, repeat
from pathlib import Path

import av
import numpy as np
from av.format import Flags as FormatFlags
from av.video.frame import PictureType

from megafish_assets.footage.containers import MOST_MEGAPIXELS, UnreadableVideoError, opened
from megafish_assets.footage.deinterlacing import deinterlaced
from megafish_assets.footage.picture import Picture, Turn, squared, turn_of
from megafish_assets.footage.stamps import DEFAULT_FPS, FURTHEST_ON_SECONDS, WITHOUT_STAMPS, PresentationClock

LEANS_BACK_FRAMES = 16
"""No frame leans on one that is shown more than so many after it: H.264's and HEVC's decoders keep no more."""

PACKETS_AHEAD = 2
"""Looked at to tell a join of two recordings from a loss."""

SHOWS_RECOVERED = ("h264", "hevc")
"""Decoders that show nothing until they have recovered from a start in mid-stream, which may be without a key frame."""


@dataclass(frozen=True)
class Frame:
    """One shown picture."""

    frame_id: int
    """Place among the frames that the decoder shows, from 0."""
    presentation_seconds: float
    """Seconds from the first shown frame by the frames' own stamps, so that variable frame rates come out right."""
    picture: Picture
    """Its planes; colours are converted where they are asked for."""
    pixel_aspect: float = 1.0
    """Width of a shown pixel over its height."""

    @property
    def pixels_bgr(self) -> np.ndarray:
        """uint8 `(height, width, 3)`, stored pixels, upright; converted anew at each call."""
        return self.picture.bgr()

    @property
    def square_bgr(self) -> np.ndarray:
        """The same with square pixels, as players show it."""
        return squared(self.pixels_bgr, self.pixel_aspect)


@dataclass
class FrameIndex:
    """What a pass has seen of a video's frames so far."""

    stamps_us: list[int] = field(default_factory=list)
    """Presentation time of every shown frame in microseconds, from the first."""
    damaged: set[int] = field(default_factory=set)
    """Ids of frames that are shown and can't be believed: damaged, or leaning on a damaged one."""
    ended_by: str | None = None
    """Why the file could not be read to its end; None where it could, or was not."""

    @property
    def n_frames(self) -> int:
        return len(self.stamps_us)


@dataclass
class _Shown:
    """A frame as it comes out of the decoder, and what comes to be known of it."""

    frame: av.VideoFrame | None
    """None for a packet that could not be read, and later for a frame that nobody wants."""
    place: int
    """Of its packet in the file: frames lean on those alone that are decoded before them."""
    frame_id: int = -1
    seconds: float = 0.0
    is_key: bool = False
    """Whether frames that are decoded later can do without all before it."""
    is_damaged: bool = False
    before: av.VideoFrame | None = None
    """The frame that is shown before it; this and the next are looked at where fields have to be taken apart."""
    after: av.VideoFrame | None = None


@dataclass(frozen=True)
class Header:
    """What a video says of itself, and its first frame that is whole."""

    size_wh_px: tuple[int, int]
    """Of an upright frame, in stored pixels."""
    n_frames: int | None
    """As its container tells it, which may be wrong; None where it doesn't."""


def video_header(path: Path, most_megapixels: float = MOST_MEGAPIXELS) -> Header:
    """A video's header. Raises UnreadableVideoError, also where no frame of it can be believed."""
    with opened(path, most_megapixels) as stream:
        n_frames = stream.frames or None
    first = next(wanted_frames(path, (), every=1, most_megapixels=most_megapixels), None)
    if first is None:
        raise UnreadableVideoError(f"every frame of {path.name} is damaged")
    return Header(first.picture.size_wh_px, n_frames)


def frame_index(path: Path) -> FrameIndex:
    """The index of a whole video, by decoding it. Raises UnreadableVideoError."""
    index = FrameIndex()
    with opened(path) as stream:
        for shown in _settled(_shown(stream, index), lambda frame_id: False):
            _noted(shown, index)
    return index


def wanted_frames(
    path: Path,
    frame_ids: Collection[int],
    every: int = 0,
    index: FrameIndex | None = None,
    most_megapixels: float = MOST_MEGAPIXELS,
) -> Iterator[Frame]:
    """The frames with these ids that the video has, in order, and every n-th besides, if `every` is not 0.

    It is decoded no further than they need; a seek would decode up to a whole group of pictures for each. Ids past the
    video's end and frames that can't be believed are not yielded: `index`, where one is given, is filled in and tells
    which. An interlaced frame is yielded as a whole picture of one moment. Raises UnreadableVideoError, also for larger
    frames than `most_megapixels`, of which none is decoded.
    """
    index, wanted = FrameIndex() if index is None else index, {frame_id for frame_id in frame_ids if frame_id >= 0}
    last = math.inf if every else max(wanted, default=-1)

    def wants(frame_id: int) -> bool:
        return frame_id in wanted or (every > 0 and frame_id % every == 0)

    with opened(path, most_megapixels) as stream:
        aspect = float(stream.sample_aspect_ratio or 1)
        turns: dict[int, Turn] = {}
        for shown in _settled(_shown(stream, index), wants) if last >= 0 else ():
            _noted(shown, index)
            if shown.frame is not None and not shown.is_damaged:
                whole = shown.frame
                if whole.rotation not in turns:
                    turns[whole.rotation] = turn_of(whole)
                turn = turns[whole.rotation]
                if whole.interlaced_frame:
                    whole = deinterlaced(shown.before, whole, shown.after)
                upright = 1 / aspect if turn.transposed else aspect
                yield Frame(shown.frame_id, shown.seconds, Picture(whole, turn), upright)
            if shown.frame_id >= last:
                return


def _noted(shown: _Shown, index: FrameIndex) -> None:
    if shown.is_damaged:
        index.damaged.add(shown.frame_id)


def _shown(stream: av.VideoStream, index: FrameIndex) -> Iterator[_Shown]:
    """Every frame that the decoder shows, in order, and without a frame every packet that it could not read."""
    rate = stream.codec_context.framerate or stream.guessed_rate or stream.average_rate or DEFAULT_FPS
    form = stream.container.format
    may_leap = FormatFlags.ts_discont in FormatFlags(form.flags)
    clock = PresentationClock(stream.time_base, float(1 / Fraction(rate)), may_leap, form.name not in WITHOUT_STAMPS)
    n_packets = 0
    for n_packets, (packet, is_torn) in enumerate(_packets(stream, index, may_leap), start=1):
        packet.opaque = n_packets, packet.is_keyframe  # comes out with the frame that this packet began
        if is_torn:
            yield _Shown(None, n_packets)
        yield from _frames(stream, packet, n_packets, index, clock)
    yield from _frames(stream, None, n_packets, index, clock)
    if not index.n_frames:
        raise UnreadableVideoError(f"{Path(stream.container.name).name} holds no video frame that can be decoded")


def _packets(stream: av.VideoStream, index: FrameIndex, may_leap: bool) -> Iterator[tuple[av.Packet, bool]]:
    """Every packet with something in it, and whether its container tells that part of it is missing."""
    window: deque[av.Packet | None] = deque()
    is_first, was_torn = True, False
    knows_start = stream.codec_context.name in SHOWS_RECOVERED
    for following in chain(_demuxed(stream, index), repeat(None, PACKETS_AHEAD)):
        window.append(following)
        if len(window) <= PACKETS_AHEAD:
            continue
        packet = window.popleft()
        if packet is None:  # fewer packets than are looked ahead
            continue
        # MPEG's packets are counted. The count breaks where some are lost, and also where two recordings were joined
        # and nothing is missing; there the stamps leap too.
        is_torn = packet.is_corrupt and not (may_leap and _leaps([packet, *window]))
        if is_first:  # frames before the first key frame lean on what the file does not hold
            is_first, is_torn = False, is_torn or not (packet.is_keyframe or knows_start)
        # The packet after it as well: FFmpeg's parser may put the mark on the picture before the one that is torn.
        yield packet, is_torn or was_torn
        was_torn = is_torn


def _leaps(packets: list[av.Packet | None]) -> bool:
    """Whether the stamps of these packets go back, or on by more than a gap."""
    stamped = [packet for packet in packets if packet is not None and packet.dts is not None]
    steps = [(later.dts - earlier.dts) * earlier.time_base for earlier, later in pairwise(stamped)]
    return any(not 0 <= step <= FURTHEST_ON_SECONDS for step in steps)


def _demuxed(stream: av.VideoStream, index: FrameIndex) -> Iterator[av.Packet]:
    """Every packet up to where the file can't be read further."""
    packets = stream.container.demux(stream)
    while True:
        try:
            # Without those that hold nothing: FFmpeg's own at the end, and AVI's for a frame that was dropped, either
            # of which would end the decoder's work.
            packet = next((one for one in packets if one.size), None)
        except av.error.FFmpegError as error:
            index.ended_by, packet = error.strerror or type(error).__name__, None
        if packet is None:
            return
        yield packet


def _frames(
    stream: av.VideoStream, packet: av.Packet | None, place: int, index: FrameIndex, clock: PresentationClock
) -> Iterator[_Shown]:
    """The frames that come out of the decoder for one packet, or for none at the end."""
    try:
        frames = stream.codec_context.decode(packet)
    except av.error.FFmpegError:
        yield _Shown(None, place)
        return
    for frame in frames:
        seconds = clock.seconds(frame.pts, frame.dts)
        index.stamps_us.append(round(seconds * 1_000_000))
        # Packets of VP9 and AV1 may show a key frame again: marked as one, it is no start for what follows.
        began, is_key = frame.opaque or (place, True)
        yield _Shown(frame, began, index.n_frames - 1, seconds, is_key and frame.key_frame)


def _settled(decoded: Iterator[_Shown], wants: Callable[[int], bool]) -> Iterator[_Shown]:
    """Every shown frame, in order, once all that it may lean on was shown; the pictures of the wanted ones alone.

    shown    I0  B1  B2  P3 ...     B1 leans on P3, which was decoded before it and is shown after it: whether P3
    decoded  I0  P3  B1  B2 ...     is damaged is known when P3 comes out, and B1 waits until then.
    """
    held: deque[_Shown] = deque()
    damaged_from, before = None, None
    for shown in decoded:
        frame = shown.frame
        if frame is None or frame.is_corrupt:
            damaged_from = shown.place if damaged_from is None else min(damaged_from, shown.place)
            for waiting in held:
                waiting.is_damaged |= waiting.place >= damaged_from
        if frame is None:
            continue
        if damaged_from is not None and shown.is_key and not frame.is_corrupt and shown.place > damaged_from:
            damaged_from = None
        shown.is_damaged = damaged_from is not None and shown.place >= damaged_from
        if held and held[-1].frame is not None:
            held[-1].after = frame
        is_anchor = frame.pict_type != PictureType.B
        while held and (is_anchor or shown.frame_id - held[0].frame_id >= LEANS_BACK_FRAMES):
            yield held.popleft()
        if not wants(shown.frame_id):
            shown.frame = None
        elif frame.interlaced_frame:
            shown.before = before
        before = frame if frame.interlaced_frame else None
        held.append(shown)
    yield from held
