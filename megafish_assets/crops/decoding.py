"""The wanted frames of one video, in one pass, in order."""

import bisect
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

END_AFTER_FAILURES = 64
"""OpenCV says the same of a damaged packet and of the end: so many in a row are the end."""

STAMP_JITTER = 0.1
"""Largest deviation from a constant frame period, as its share: containers round stamps to their time base."""


class UnreadableVideoError(ValueError):
    """The file is missing or OpenCV can't decode it."""


@dataclass(frozen=True)
class Frame:
    """One decoded picture."""

    frame_id: int
    """Position in the order of presentation, from 0."""
    presentation_seconds: float
    """Seconds from the video's start by the container's own stamps, so that variable frame rates come out right."""
    pixels_bgr: np.ndarray
    """uint8 `(height, width, 3)`, native resolution, rotation by metadata applied."""


@dataclass(frozen=True)
class FrameIndex:
    """Which frames a container holds, read from its packets without decoding them."""

    stamps_us: list[int]
    """Presentation time of every frame in microseconds, in order of presentation."""
    key_frames: list[int]
    """Ids of the frames that need no other frame to be decoded."""

    def frame_id(self, stamp_us: int) -> int | None:
        """The id of the frame with this stamp; None for a stamp that no packet has."""
        place = bisect.bisect_left(self.stamps_us, stamp_us)
        return place if place < len(self.stamps_us) and self.stamps_us[place] == stamp_us else None

    def next_key_frame(self, frame_id: int) -> int:
        """The first key frame after this one, or one past the last frame."""
        place = bisect.bisect_right(self.key_frames, frame_id)
        return self.key_frames[place] if place < len(self.key_frames) else len(self.stamps_us)


def frame_index(path: Path) -> FrameIndex:
    """The index of a video. Frames that an edit list hides, which have stamps below 0, are not in it.

    A damaged packet has no stamp. At a constant frame rate the gap that it leaves says where it belongs; at a
    variable one the index ends at the last key frame before it, since all later ids would be guesses.
    Raises UnreadableVideoError.
    """
    capture, packets, failures = _opened(path, [cv2.CAP_PROP_FORMAT, -1]), [], 0
    while failures < END_AFTER_FAILURES:
        whole = capture.grab()
        failures = 0 if whole else failures + 1
        packets.append((_stamp_us(capture), capture.get(cv2.CAP_PROP_LRF_HAS_KEY_FRAME) > 0) if whole else None)
    capture.release()
    packets = packets[:-failures]
    shown = sorted({stamp: is_key for stamp, is_key in filter(None, packets) if stamp >= 0}.items())
    if not shown:
        raise UnreadableVideoError(f"{path.name} holds no video frame")
    if None in packets:
        shown = _with_gaps_filled(shown, packets.count(None)) or _up_to_damage(packets, shown)
    return FrameIndex([stamp for stamp, _ in shown], [place for place, (_, is_key) in enumerate(shown) if is_key])


def _with_gaps_filled(shown: list[tuple[int, bool]], n_missing: int) -> list[tuple[int, bool]] | None:
    """The frames with a stamp for each missing one, if the gaps of a constant frame rate show exactly where."""
    if len(shown) < 2:
        return None
    stamps = np.array([stamp for stamp, _ in shown])
    period = np.median(np.diff(stamps))
    # A video begins at 0, so a first stamp later than that is a gap too.
    stamps = np.insert(stamps, 0, -round(period))
    steps = np.diff(stamps)
    counts = np.rint(steps / period).astype(int)
    regular = np.abs(steps - counts * period).max() <= STAMP_JITTER * period
    if not regular or (counts - 1).sum() != n_missing:
        return None
    filled = [(round(stamps[at] + step * period), False) for at, n in enumerate(counts) for step in range(1, n)]
    return sorted(shown + filled)


def _up_to_damage(packets: list[tuple[int, bool] | None], shown: list[tuple[int, bool]]) -> list[tuple[int, bool]]:
    before = packets[: packets.index(None)]
    last_key = max((stamp for stamp, is_key in before if is_key), default=0)
    return [(stamp, is_key) for stamp, is_key in shown if stamp < last_key]


def wanted_frames(path: Path, frame_ids: Collection[int], every: int = 0) -> Iterator[Frame]:
    """The frames with these ids that the video has, in order, and every n-th besides, if `every` is not 0.

    It is decoded no further than the last of them.

    A frame before a wanted one is decoded without converting its colours: a seek would decode up to a whole
    group of pictures for each. Frames are known by their stamps, not by counting, so that a damaged one shifts
    nothing; after it, all up to the next key frame build on it and are left out too. Ids past the video's end and
    frames left out are simply not yielded: compare, and count. Damage that a codec conceals without a word (MPEG-4
    part 2, VP8 and Motion JPEG do, H.264 does not) can't be seen from here. Raises UnreadableVideoError.
    """
    index = frame_index(path)
    wanted = {frame_id for frame_id in frame_ids if 0 <= frame_id < len(index.stamps_us)}
    wanted |= set(range(0, len(index.stamps_us), every)) if every else set()
    capture = _opened(path, [cv2.CAP_PROP_N_THREADS, 1])
    try:
        yield from _in_order(capture, index, wanted)
    finally:
        capture.release()


def _opened(path: Path, options: list[int]) -> cv2.VideoCapture:
    try:
        there = path.is_file()
    except OSError as error:  # a name longer than the file system allows
        raise UnreadableVideoError(f"no video file {path.name} in the recordings folder: {error.strerror}") from error
    if not there:
        raise UnreadableVideoError(f"no video file {path.name} in the recordings folder")
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, options)
    if not capture.isOpened():
        raise UnreadableVideoError(f"OpenCV cannot open {path.name} as a video: damaged, empty, or of another kind")
    return capture


def _in_order(capture: cv2.VideoCapture, index: FrameIndex, wanted: set[int]) -> Iterator[Frame]:
    last, seen, sound_from, failures = max(wanted, default=-1), -1, 0, 0
    while seen < last and failures < END_AFTER_FAILURES:
        if not capture.grab():
            failures, sound_from = failures + 1, index.next_key_frame(seen)
            continue
        failures, frame_id = 0, index.frame_id(_stamp_us(capture))
        if frame_id is None:
            continue
        if frame_id > seen + 1:  # the decoder passed over a damaged frame without a word
            # Not after the last frame seen: the lost one may be a key frame, and what leans on it is lost too.
            sound_from = max(sound_from, index.next_key_frame(frame_id - 1))
        seen = frame_id
        if frame_id not in wanted or frame_id < sound_from:
            continue
        # Read between grab and retrieve: the time stamp is that of the frame just grabbed.
        seconds = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        decoded, pixels = capture.retrieve()
        if decoded:
            yield Frame(frame_id, seconds, pixels)


def _stamp_us(capture: cv2.VideoCapture) -> int:
    return round(capture.get(cv2.CAP_PROP_POS_MSEC) * 1000)
