"""The wanted frames of one video, in one pass, in order."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np


class UnreadableVideoError(ValueError):
    """The file is missing or OpenCV can't decode it."""


@dataclass(frozen=True)
class Frame:
    """One decoded picture."""

    frame_id: int
    """Position in decoding order, from 0."""
    presentation_seconds: float
    """Seconds from the video's start by the container's own stamps, so that variable frame rates come out right."""
    pixels_bgr: np.ndarray
    """uint8 `(height, width, 3)`, native resolution, rotation by metadata applied."""


def wanted_frames(path: Path, frame_ids: Collection[int]) -> Iterator[Frame]:
    """The frames with these ids that the video has, in order; it is decoded no further than the last of them.

    A frame before a wanted one is decoded without converting its colours: a seek would decode up to a whole
    group of pictures for each. Ids past the video's end are simply not yielded: compare, and count.
    Raises UnreadableVideoError.
    """
    wanted = set(frame_ids)
    if not path.is_file():
        raise UnreadableVideoError(f"no video file at {path}")
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    try:
        if not capture.isOpened():
            raise UnreadableVideoError(f"OpenCV cannot open {path} as a video")
        yield from _in_order(capture, wanted)
    finally:
        capture.release()


def _in_order(capture: cv2.VideoCapture, wanted: set[int]) -> Iterator[Frame]:
    last = max(wanted, default=-1)
    for frame_id in range(last + 1):
        if not capture.grab():
            return
        if frame_id not in wanted:
            continue
        # Read between grab and retrieve: the time stamp is that of the frame just grabbed.
        seconds = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        decoded, pixels = capture.retrieve()
        if decoded:
            yield Frame(frame_id, seconds, pixels)
