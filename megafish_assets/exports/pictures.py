"""Frames of videos as pictures, for exports that hold any."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
from av.error import FFmpegError

from megafish_assets.footage.containers import UnreadableVideoError
from megafish_assets.footage.decoding import wanted_frames

QUALITY = 90
"""Of the JPEG: a detector learns from edges, which stronger compression blurs."""


def frame_jpegs(path: Path | None, frame_ids: Sequence[int], most_megapixels: float) -> Iterator[tuple[int, bytes]]:
    """These frames of a video in stored pixels, as far as it can be decoded; none of a file that is not there."""
    if path is None or not path.is_file():
        return
    try:
        for frame in wanted_frames(path, frame_ids, most_megapixels=most_megapixels):
            jpeg = cv2.imencode(".jpg", frame.pixels_bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
            yield frame.frame_id, jpeg.tobytes()
    except (UnreadableVideoError, FFmpegError):  # it is set aside by name where its crops are cut
        return
