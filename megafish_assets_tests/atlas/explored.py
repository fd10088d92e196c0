"""A small, made-up collection as the explorer shows it: four kinds in the corners of the map, and hostile names."""

from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import polars as pl

from megafish_assets.atlas.colourings import colourings
from megafish_assets.atlas.explorer import Explored, Linked, explorer_files, folder_stills, pictured
from megafish_assets.atlas.points import POINT
from megafish_assets.atlas.stills import video_file

HOSTILE = '<img src=x onerror="window.harmed=1">\u2028";window.harmed=2;//</script><script>window.harmed=3</script>'
"""What a name may be: markup, the ends of a string and of a script, and a line end that scripts once did not allow."""

HOSTILE_FILE = "javascript:window.harmed=4 #%'\"<b>&.mp4"
CORNERS = np.array([[0.1, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.9]])
COLOURS_RGB = [(230, 40, 40), (40, 200, 40), (60, 60, 230), (220, 200, 40)]
N_EACH = 20


def crop(corner: int, place: int) -> bytes:
    """A crop in its kind's colour, with a stripe of its own."""
    pixels = np.full((30, 40, 3), COLOURS_RGB[corner], np.uint8)
    pixels[:, 2 * place % 36 : 2 * place % 36 + 4] //= 3
    return cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def explored(recordings: Path, **files: str) -> tuple[Explored, list[bytes], list[bytes]]:
    """What is shown, its sheets and its crops; the videos of the four kinds are `a` to `d` unless `files` says."""
    points, n = [], 4 * N_EACH
    for corner in range(4):
        key = "abcd"[corner]
        for place in range(N_EACH):
            points.append(
                {
                    "video": f"v-{key}",
                    "detection_id": f"v-{key}/{place:06d}/001",
                    "tracklet_id": None if place == 7 else f"v-{key}/t{place // 2:05d}",
                    "cluster": corner if corner < 3 else -1,
                    "video_file": files.get(key, f"{key}.mp4"),
                    "frame_id": place,
                    "x_1024": 100.0,
                    "y_1024": 200.0,
                    "width_1024": 300.0,
                    "height_1024": 400.0,
                    "seconds": place / 10,
                    "recorded_at": datetime(2025, 12, 12, 6 + corner, 30) if corner else None,
                    "kind_id": [7, 8, 30, None][corner],
                    "name": [HOSTILE, "Chromis chromis", None, None][corner],
                    "name_source": ["person", "classified", "unnamed", "unnamed"][corner],
                    "probability": [1.0, 0.83, None, None][corner],
                    "backbone": "reef_tiny",
                    "not_fish": "on_lens" if corner == 2 and place < 3 else None,
                }
            )
    rows = pl.DataFrame(points, schema=POINT)
    offsets = np.array([[place % 5 - 2, place // 5 - 2] for place in range(N_EACH)]) * 0.012
    positions = (np.repeat(CORNERS, N_EACH, axis=0) + np.tile(offsets, (4, 1))).astype(np.float32)
    jpegs = [crop(corner, place) for corner in range(4) for place in range(N_EACH)]
    duplicate_of = np.full(n, -1)
    duplicate_of[25] = 22
    neighbors = np.array([[(row + 2 * step) % n for step in range(1, 6)] for row in range(n)])
    neighbors[3, 3:] = -1
    distances = np.where(neighbors < 0, np.nan, np.arange(1, 6) / 10).astype(np.float32)
    videos = {name: video_file(recordings / name) for name in rows["video_file"].unique()}
    sheets, _ = pictured(jpegs, 64)
    stills, _ = folder_stills(rows, videos, recordings, 50)
    found = colourings(rows, duplicate_of)
    shown = Explored("made up", rows, positions, duplicate_of, neighbors, distances, found, 64, Linked(videos, stills))
    return shown, sheets, jpegs


def written(root: Path, **files: str) -> Path:
    """The folder of such a page below a collection's root; its address is `<folder>/index.html`."""
    recordings, folder = root / "recordings", root / "figures" / "explorer"
    folder.mkdir(parents=True)
    shown, sheets, _ = explored(recordings, **files)
    stills = folder_stills(shown.points, shown.linked.videos, folder, 50)[1]
    for name, content in [*stills.items(), *explorer_files(shown, sheets, folder, root)]:
        (folder / name).write_bytes(content)
    return folder
