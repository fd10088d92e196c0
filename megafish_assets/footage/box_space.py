"""In which space the detector wrote its boxes, from their numbers and the videos' sizes.

A mistake that every row shares gives believable boxes of something else: nothing after this sees that they show rock
and water.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from megafish_assets.footage.boxes import STRETCHED_PX

FEWEST_ROWS = 100
"""Fewer say nothing about a frame's edges."""

MARGIN = 0.004
"""How far a box may reach over a frame's edge, share of its side: detectors round to about this."""

MOST_MISFITS = 0.002
"""Share of boxes that may reach further, or have no size: numbers gone wrong, not the space."""

FILLED, SURELY_FILLED = 0.8, 0.95
"""How much of a frame's side boxes reach over: expected of a space that is taken for granted, and of one that says that
the expected one is wrong."""

NAMED = 5
"""Videos in one sentence."""

Sides = tuple[pl.Expr, pl.Expr, pl.Expr, pl.Expr]


@dataclass(frozen=True)
class Layout:
    """What the four numbers of a box mean."""

    name: str
    sides: Callable[[pl.Expr, pl.Expr, pl.Expr, pl.Expr], Sides]
    """Left, top, width and height of a box from its numbers."""
    written: tuple[str, str, str, str]
    """The same, for a person to copy; `b(i)` is the box's number i."""


@dataclass(frozen=True)
class Space:
    """The unit of a box's numbers."""

    name: str
    frame: tuple[pl.Expr, pl.Expr]
    """Width and height of the frame in it."""
    written: tuple[str, str] | None
    """The same, for a person to copy; None where it is each video's own."""


LAYOUTS = (
    Layout("[x, y, w, h]", lambda x, y, w, h: (x, y, w, h), ("b(0)", "b(1)", "b(2)", "b(3)")),
    Layout(
        "[x1, y1, x2, y2]",
        lambda left, top, right, bottom: (left, top, right - left, bottom - top),
        ("b(0)", "b(1)", "(b(2) - b(0))", "(b(3) - b(1))"),
    ),
    Layout(
        "[centre x, centre y, w, h]",
        lambda x, y, w, h: (x - w / 2, y - h / 2, w, h),
        ("(b(0) - b(2) / 2)", "(b(1) - b(3) / 2)", "b(2)", "b(3)"),
    ),
)
SPACES = (
    Space("the frame stretched to 1024 x 1024", (pl.lit(STRETCHED_PX), pl.lit(STRETCHED_PX)), ("1024", "1024")),
    Space("px of the video", (pl.col("width_px"), pl.col("height_px")), None),
    Space("shares of the frame, 0 to 1", (pl.lit(1), pl.lit(1)), ("1", "1")),
    Space("percent of the frame, 0 to 100", (pl.lit(100), pl.lit(100)), ("100", "100")),
    Space("the frame stretched to 640 x 640", (pl.lit(640), pl.lit(640)), ("640", "640")),  # YOLO's usual input
)
"""The right one of each first."""


@dataclass(frozen=True)
class Reading:
    """One way to understand the boxes of a collection."""

    layout: Layout
    space: Space
    misfits: float
    """Share of boxes that reach out of the frame or have no size."""
    reach: float
    """How much of the frame's shorter-filled side the boxes reach over, 0 to 1."""

    @property
    def fits(self) -> bool:
        """Whether nearly every box would lie in its frame."""
        return self.misfits <= MOST_MISFITS


def misread_boxes(boxes: pl.DataFrame, sizes_px: Mapping[str, tuple[int, int]]) -> str | None:
    """What is wrong with the space of all boxes, with the line that converts them; None where nothing says so.

    `boxes` holds `video_file` and `box`; only those of the videos in `sizes_px` speak: width and height of an upright
    frame, in stored px.
    """
    sizes = pl.DataFrame(
        [(file, float(w), float(h)) for file, (w, h) in sizes_px.items()],
        {"video_file": pl.String, "width_px": pl.Float64, "height_px": pl.Float64},
        orient="row",
    )
    b = pl.col("box").cast(pl.List(pl.Float64))
    sound = (
        boxes.filter(b.list.len() == 4)
        .join(sizes, on="video_file")
        .select("video_file", "width_px", "height_px", *[b.list.get(i).alias(str(i)) for i in range(4)])
        .filter(pl.all_horizontal(pl.col(str(i)).is_finite() for i in range(4)))
        .filter(pl.col("0") > -1, pl.col("1") > -1, pl.col("2") > 0, pl.col("3") > 0)  # else a fault in any reading
    )
    by_video = sound.partition_by("video_file", as_dict=True)
    right = [file for (file,), own in by_video.items() if own.height >= FEWEST_ROWS and _is_right(own)]
    rest = sound.filter(~pl.col("video_file").is_in(right))
    if rest.height < FEWEST_ROWS or _is_right(rest):
        return None
    others = [_read(rest, layout, space) for space in SPACES for layout in LAYOUTS][1:]
    likely = [one for one in others if one.fits and one.reach >= SURELY_FILLED]
    if not likely:
        return None
    wrong = rest["video_file"].unique().sort().to_list()
    told = _told(min(likely, key=lambda one: one.misfits), {file: sizes_px[file] for file in wrong})
    if not right:
        return told
    named = ", ".join(map(repr, wrong[:NAMED]))
    return (
        f"{len(wrong)} of {len(by_video)} videos are unlike the others, which are right: {named}. Of these alone {told}"
    )


def _is_right(sound: pl.DataFrame) -> bool:
    """Whether these boxes fit and fill the frame as they should."""
    expected = _read(sound, LAYOUTS[0], SPACES[0])
    return expected.fits and expected.reach >= FILLED


def _read(sound: pl.DataFrame, layout: Layout, space: Space) -> Reading:
    """How well one reading fits these boxes."""
    left, top, width, height = layout.sides(*[pl.col(str(i)) for i in range(4)])
    spans = ((left, width, space.frame[0]), (top, height, space.frame[1]))
    ends = sound.select(
        *[(low / side).alias(f"low{axis}") for axis, (low, _, side) in enumerate(spans)],
        *[((low + span) / side).alias(f"high{axis}") for axis, (low, span, side) in enumerate(spans)],
        is_empty=pl.any_horizontal(span <= 0 for _, span, _ in spans),
    )
    out = pl.any_horizontal(
        *[pl.col(f"low{axis}") < -MARGIN for axis in range(2)],
        *[pl.col(f"high{axis}") > 1 + MARGIN for axis in range(2)],
        "is_empty",
    )
    reach = [pl.col(f"high{axis}").quantile(1 - MOST_MISFITS / 2) for axis in range(2)]
    misfits, *reached = ends.select(out.mean(), *reach).row(0)
    return Reading(layout, space, misfits, min(reached))


def _told(reading: Reading, sizes_px: Mapping[str, tuple[int, int]]) -> str:
    """The mistake and its remedy."""
    sizes, sides, joined = sorted(set(sizes_px.values())), reading.space.written, ""
    if sides is None and len(sizes) == 1:
        sides = str(sizes[0][0]), str(sizes[0][1])
    elif sides is None:
        sides = "pl.col('width_px')", "pl.col('height_px')"
        joined = ", of which there are several sizes: join each video's own as width_px and height_px"
    factors = ["" if side == str(STRETCHED_PX) else f" * {STRETCHED_PX} / {side}" for side in sides]
    parts = [part + factor for part, factor in zip(reading.layout.written, factors * 2, strict=True)]
    return (
        "the boxes seem not to be [x, y, w, h] in the frame stretched to 1024 x 1024: they fit as "
        f"{reading.layout.name} in {reading.space.name}{joined}. Convert them and write the table again:\n"
        f"    b = pl.col('box').list.get\n    box = pl.concat_list({', '.join(parts)})"
    )


def misread_frames(frames: pl.DataFrame, n_frames: Mapping[str, int]) -> str | None:
    """What is wrong with the frame ids of all videos: None where nothing says so.

    `frames` holds `video_file`, `first_frame` and `last_frame`; `n_frames` says how many frames videos have.
    """
    known = [row for row in frames.iter_rows() if row[0] in n_frames]
    if not known or any(first < 1 for _, first, _ in known):
        return None
    at_end = [file for file, _, last in known if last == n_frames[file]]
    n_beyond = sum(last > n_frames[file] for file, _, last in known)  # of another recording, or a wrong count
    if len(at_end) <= n_beyond:
        return None
    return (
        f"the frame ids count from 1: no video has a box in frame 0, and {at_end[0]} has one in frame "
        f"{n_frames[at_end[0]]} of {n_frames[at_end[0]]}. Every crop would be one frame off. Convert them and write "
        "the table again:\n    frame_id = pl.col('frame_id') - 1"
    )
