"""Pictures of the report, as JPEG within the page: each kind's best crops, and the frame of its MaxN with its boxes."""

import base64
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import polars as pl

from megafish_assets.atlas.report_content import Kind
from megafish_assets.atlas.stills import VideoFile, still_name, stills_of
from megafish_assets.crops.overlay import jpeg
from megafish_assets.footage.boxes import BOX, STRETCHED_PX
from megafish_assets.sightings.naming import counted

SIZES = ((24, 960, 8), (60, 640, 6), (120, 480, 3))
"""Most kinds, width of a frame in px, and crops of each: of fewer kinds each can be seen better. Kinds past the last
number have a line in the table and a small picture, but no card."""

FRAME_PX = 960
"""Width at which frames are kept from night to night; about 90 kB of a real reef."""

CROP_PX, THUMB_PX = 220, 88
"""Longest sides; twice of what a page shows, for print and for dense screens."""

MOST_BYTES = 7_000_000
"""Of all pictures: as text they take a third more, 9.3 MB, beside which Plotly's 4.8 MB and 0.8 MB of page and data fit
in 15 MB; 60 kinds have 0.3 MB of these."""

LINE_SHARE = 1 / 480
"""Width of a box's line by the frame's."""


@dataclass(frozen=True)
class MaxNFrame:
    """The frame in which most of a kind were in view."""

    jpeg: bytes | None
    """With its boxes; None where it could not be read, or did not fit."""
    n_boxes: int
    """Boxes of the kind in it; fewer than its MaxN where the detector missed one for a moment."""
    seconds: float | None
    """From its video's first frame."""


@dataclass
class Pictures:
    """All pictures of a page, as far as they fit into `MOST_BYTES`."""

    thumbs: dict[str, bytes] = field(default_factory=dict)
    """By a kind's name."""
    crops: dict[str, bytes] = field(default_factory=dict)
    """By `detection_id`."""
    frames: dict[str, MaxNFrame] = field(default_factory=dict)
    """By a kind's name."""
    n_bytes: int = 0
    n_without_room: int = 0

    def room_for(self, picture: bytes) -> bool:
        """Whether it fits; it counts then."""
        if self.n_bytes + len(picture) > MOST_BYTES:
            self.n_without_room += 1
            return False
        self.n_bytes += len(picture)
        return True

    def missing_frames(self, kinds: Iterable[Kind]) -> list[str]:
        """Kinds, of those that should have one, without the frame of their MaxN."""
        return [kind.name for kind in carded(kinds) if getattr(self.frames.get(kind.name), "jpeg", None) is None]


def carded(kinds: Iterable[Kind]) -> list[Kind]:
    """Those that have a card: what is one kind, the commonest first."""
    return [kind for kind in kinds if kind.is_kind][: SIZES[-1][0]]


def sizes_for(n_kinds: int) -> tuple[int, int]:
    """Width of a frame in px, and crops, of each of so many kinds."""
    return next(((width, n) for most, width, n in SIZES if n_kinds <= most), SIZES[-1][1:])


def pictures_of(
    kinds: Collection[Kind],
    newcomers: Collection[str],
    crops: pl.LazyFrame,
    stills: Mapping[tuple[str, int], bytes],
    boxes: pl.DataFrame,
) -> Pictures:
    """What the page shows; `newcomers` are the `detection_id`s of crops of new kinds.

    `stills` are frames as JPEG, by video and `frame_id`; `boxes` as `boxes_of` gives them. What comes first is what a
    reader would miss most: a small picture of every kind, then the frames, then the crops.
    """
    shown, made = carded(kinds), Pictures()
    width_px, n_crops = sizes_for(len(shown))
    wanted = {kind.crops[0] for kind in kinds if kind.crops}
    strip = [crop for kind in shown for crop in kind.crops[:n_crops]] + list(newcomers)
    cut = crops.select("detection_id", "jpeg").filter(pl.col("detection_id").is_in(list(wanted.union(strip))))
    jpegs = {name: picture for name, picture in cut.collect().iter_rows() if picture is not None}
    for kind in kinds:
        if kind.crops and kind.crops[0] in jpegs:
            thumb = _fitted(jpegs[kind.crops[0]], THUMB_PX)
            if made.room_for(thumb):
                made.thumbs[kind.name] = thumb
    for kind in shown:
        made.frames[kind.name] = _frame_of(kind, stills, boxes.filter(pl.col("kind") == kind.name), width_px, made)
    for crop in strip:
        if crop in jpegs and crop not in made.crops:
            picture = _fitted(jpegs[crop], CROP_PX)
            if made.room_for(picture):
                made.crops[crop] = picture
    return made


def _frame_of(kind: Kind, stills: Mapping, boxes: pl.DataFrame, width_px: int, made: Pictures) -> MaxNFrame:
    seconds = boxes["seconds_in_video"].drop_nulls().first()
    still = stills.get((kind.max_n_video, kind.max_n_frame))
    if still is None:
        return MaxNFrame(None, boxes.height, seconds)
    picture = marked(still, boxes.select(BOX).to_numpy(), kind.colour, width_px)
    return MaxNFrame(picture if made.room_for(picture) else None, boxes.height, seconds)


def boxes_of(
    kinds: Iterable[Kind], sightings: pl.LazyFrame, tracklets: pl.LazyFrame, raw: pl.LazyFrame
) -> pl.DataFrame:
    """The boxes of each kind in the frame of its MaxN: `kind`, `BOX`, `seconds_in_video`, and which frame it is."""
    frames = pl.DataFrame(
        [(kind.name, kind.max_n_video, kind.max_n_frame) for kind in kinds],
        {"kind": pl.String, "video": pl.String, "frame_id": pl.Int64},
        orient="row",
    ).drop_nulls()
    videos = frames["video"].unique().to_list()
    seen = counted(sightings.filter(pl.col("video").is_in(videos))).select("kind", "video", "tracklet_id")
    ids = tracklets.filter(pl.col("video").is_in(videos)).select("video", "detection_id", "tracklet_id")
    there = raw.filter(pl.col("video").is_in(videos) & pl.col("frame_id").is_in(frames["frame_id"].unique().to_list()))
    found = (
        there.select("video", "detection_id", "frame_id", "seconds_in_video", *BOX)
        .join(ids, on=["video", "detection_id"])
        .join(seen, on=["video", "tracklet_id"])
        .join(frames.lazy(), on=["kind", "video", "frame_id"])
    )
    return found.select("kind", "video", "frame_id", "seconds_in_video", *BOX).collect().sort("kind", *BOX)


def stills_for(
    kinds: Iterable[Kind],
    videos: Mapping[str, VideoFile],
    folder: Path,
    most_megapixels: float,
    on_video: Callable[[], None] = lambda: None,
) -> tuple[dict[tuple[str, int], bytes], dict[str, bytes]]:
    """The frames of the kinds' MaxN, by video and `frame_id`, and the same by the names of their files in `folder`.

    `videos` are the files, by the key of their video. Those of the night before are not decoded again.
    """
    wanted: dict[str, set[int]] = {}
    for kind in carded(kinds):
        if kind.max_n_video in videos and kind.max_n_frame is not None:
            wanted.setdefault(kind.max_n_video, set()).add(kind.max_n_frame)
    stills, files = {}, {}
    for video, frame_ids in sorted(wanted.items()):
        found = stills_of(videos[video], frame_ids, folder, most_megapixels, FRAME_PX)
        stills |= {(video, frame_id): picture for frame_id, picture in found.items()}
        files |= {still_name(videos[video], frame_id): picture for frame_id, picture in found.items()}
        on_video()
    return stills, files


def marked(still: bytes, box_xywh_1024: np.ndarray, colour: str, width_px: int) -> bytes:
    """The frame as JPEG of this width at most, with the boxes `(n, 4)` outlined in `#rrggbb` on white."""
    pixels = cv2.imdecode(np.frombuffer(still, np.uint8), cv2.IMREAD_COLOR)
    if pixels.shape[1] > width_px:
        height = max(1, round(pixels.shape[0] * width_px / pixels.shape[1]))
        pixels = cv2.resize(pixels, (width_px, height), interpolation=cv2.INTER_AREA)
    height, width = pixels.shape[:2]
    thick = max(1, round(width * LINE_SHARE))
    bgr = tuple(int(colour[place : place + 2], 16) for place in (5, 3, 1))
    corners = box_xywh_1024[:, :2], box_xywh_1024[:, :2] + box_xywh_1024[:, 2:]
    scale = np.array([width, height]) / STRETCHED_PX
    for top_left, bottom_right in zip(*(np.rint(corner * scale).astype(int) for corner in corners), strict=True):
        # Outside of the box, or a small fish is painted over; white beneath, for kinds and water have any shade.
        outer = (top_left - 2 * thick).tolist(), (bottom_right + 2 * thick).tolist()
        for shade, line in (((255, 255, 255), 3 * thick), (bgr, 2 * thick)):
            cv2.rectangle(pixels, *outer, shade, line, cv2.LINE_AA)
    return jpeg(pixels, width_px)


def _fitted(picture: bytes, side_px: int) -> bytes:
    """The crop, no longer than this."""
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    longest = max(pixels.shape[:2])
    if longest <= side_px:
        return picture
    size_wh = [max(1, round(side * side_px / longest)) for side in pixels.shape[1::-1]]
    return jpeg(cv2.resize(pixels, size_wh, interpolation=cv2.INTER_AREA), side_px)


def as_address(picture: bytes) -> str:
    """What a page calls a picture that it carries."""
    return f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
