"""Real clips, written and read with PyAV by itself: nothing of what megafish makes of it."""

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np


def decoded_frames(path: Path) -> list[np.ndarray]:
    """Every frame, uint8 BGR."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def presentation_seconds(path: Path) -> list[float]:
    """Every frame's own time stamp."""
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


def write(path: Path, frames_bgr: Iterable[np.ndarray], codec: str, pix_fmt: str = "yuv420p", **options: str) -> None:
    """Pictures of one size at 30 a second; options are the encoder's."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30, options=options)
        stream.pix_fmt = pix_fmt
        for index, picture in enumerate(frames_bgr):
            if index == 0:
                stream.height, stream.width = picture.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())


def write_h264(path: Path, frames_bgr: Iterable[np.ndarray], gop: int = 250) -> None:
    """H.264 as cameras write it: long groups of pictures with frames that depend on later ones."""
    write(path, frames_bgr, "libx264", crf="16", g=str(gop), bf="2")
