"""The folder of HTML on which a person marks what the detector missed: one page, and a picture a frame.

```
index.html          the page; nothing of the data stands in it
page/               its style and its code
data/index.js       the frames in the order in which they were drawn, with the detector's boxes
data/frame_01.jpg   their pictures
```

Here: what these files hold. Not here: which frames they are (`gap_frames.py`), and what the answers come to (`gap.py`).
"""

import secrets
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl
from av.error import FFmpegError

from megafish_assets.crops.overlay import jpeg
from megafish_assets.footage.boxes import BOX
from megafish_assets.footage.containers import MOST_MEGAPIXELS, UnreadableVideoError
from megafish_assets.footage.decoding import wanted_frames
from megafish_assets.labels.review_folder import BOX_DECIMALS, page_html, script
from megafish_assets.labels.review_folder import PAGE as REVIEW_PAGE

PAGE = files("megafish_assets.sightings") / "gap_page"

BORROWED = ("elements.js", "csv.js")
"""Of the review sheets' code: how text becomes elements, and labels a file."""

CODE = (*BORROWED, "frames.js")
"""In the order in which they need each other."""

FRAME_WIDTH_PX = 1600
"""About 200 kB a frame, and a fish that the detector could see is seen."""


def decoded_frames(
    draws: pl.DataFrame, paths: Mapping[str, Path | None], n: int, most_megapixels: float = MOST_MEGAPIXELS
) -> Iterator[tuple[dict[str, object], bytes]]:
    """The first n frames that can be decoded, in the order of `draws` (`frame_draws`): each as its row and a JPEG.

    `paths` are the videos' files, None for one that is not there.
    """
    n_found = 0
    for row in draws.iter_rows(named=True):
        if n_found == n:
            return
        pixels = _pixels(paths.get(row["video"]), row["frame_id"], most_megapixels)
        if pixels is not None:
            n_found += 1
            yield row, jpeg(pixels, FRAME_WIDTH_PX)


def _pixels(path: Path | None, frame_id: int, most_megapixels: float) -> np.ndarray | None:
    if path is None or not path.is_file():
        return None
    try:
        frame = next(wanted_frames(path, (frame_id,), most_megapixels=most_megapixels), None)
    except (UnreadableVideoError, FFmpegError):  # it is set aside by name where its crops are cut
        return None
    return None if frame is None else frame.square_bgr


def write_page(folder: Path, frames: list[tuple[dict[str, object], bytes]], boxes: pl.DataFrame) -> None:
    """Writes the page of these frames, each a row with `video`, `frame_id`, `seconds` and `is_seen` (whether an
    answer is kept already), and its JPEG.

    `boxes` holds `detection_id`, `tracklet_id`, `video`, `frame_id` and `BOX`.
    """
    (folder / "data").mkdir(parents=True)
    (folder / "page").mkdir()
    for name in BORROWED:
        (folder / "page" / name).write_bytes((REVIEW_PAGE / name).read_bytes())
    for name in ("frames.css", "frames.js"):
        (folder / "page" / name).write_bytes((PAGE / name).read_bytes())
    of_frame = boxes.with_columns(pl.col(BOX).round(BOX_DECIMALS)).partition_by(["video", "frame_id"], as_dict=True)
    told = []
    for number, (row, picture) in enumerate(frames, start=1):
        name = f"frame_{number:02d}.jpg"
        (folder / "data" / name).write_bytes(picture)
        own = of_frame.get((row["video"], row["frame_id"]), boxes.clear())
        told.append(
            {
                "video": row["video"],
                "frame": row["frame_id"],
                "seconds": round(row["seconds"], 2),
                "picture": f"data/{name}",
                "seen": row["is_seen"],
                "boxes": own.select("detection_id", "tracklet_id", *BOX).rows(),
            }
        )
    # What the page calls is defined here: its data come before its code, which reads them once it is there.
    (folder / "data" / "index.js").write_bytes(
        b"window.megafish = {frames: data => (megafish.index = data)};\n" + script("megafish.frames", {"frames": told})
    )
    html = page_html(secrets.token_urlsafe(16), PAGE, CODE)
    (folder / "index.html").write_text(html, encoding="utf-8")
