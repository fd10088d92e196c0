"""Real clips, written and read with PyAV, which shares no code of ours with OpenCV's reader."""

from collections.abc import Iterable
from fractions import Fraction
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


def write_h264(path: Path, frames_bgr: Iterable[np.ndarray], fps: int = 30, gop: int = 250) -> None:
    """H.264 as cameras write it: long groups of pictures with frames that depend on later ones."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps), options={"crf": "16", "g": str(gop), "bf": "2"})
        stream.pix_fmt = "yuv420p"
        for index, picture in enumerate(frames_bgr):
            if index == 0:
                stream.height, stream.width = picture.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
