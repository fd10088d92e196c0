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

Four = tuple[pl.Expr, pl.Expr, pl.Expr, pl.Expr]


@dataclass(frozen=True)
class Layout:
    """What the four numbers of a box mean."""

    name: str
    sides: Callable[[pl.Expr, pl.Expr, pl.Expr, pl.Expr], Four]
    """Left, top, width and height of a box from its numbers."""
    written: tuple[str, str, str, str]
    """The same, for a person to copy; `b(i)` is the box's number i."""
    holds_ends: bool = False
    """Whether the last two numbers are the right and lower ends, beyond the first two in every box."""


@dataclass(frozen=True)
class Space:
    """Where the frame lies in the plane in which a box's numbers are."""

    name: str
    frame: Callable[[pl.Expr, pl.Expr], Four]
    """Left, top, width and height of the frame, of a video's width and height in px."""
    is_padded: bool = False
    """Whether bars beside the frame fill the plane up."""


LAYOUTS = (
    Layout("[x, y, w, h]", lambda x, y, w, h: (x, y, w, h), ("b(0)", "b(1)", "b(2)", "b(3)")),
    Layout(
        "[x1, y1, x2, y2]",
        lambda left, top, right, bottom: (left, top, right - left, bottom - top),
        ("b(0)", "b(1)", "(b(2) - b(0))", "(b(3) - b(1))"),
        holds_ends=True,
    ),
    Layout(
        "[centre x, centre y, w, h]",
        lambda x, y, w, h: (x - w / 2, y - h / 2, w, h),
        ("(b(0) - b(2) / 2)", "(b(1) - b(3) / 2)", "b(2)", "b(3)"),
    ),
    Layout("[y, x, h, w]", lambda y, x, h, w: (x, y, w, h), ("b(1)", "b(0)", "b(3)", "b(2)")),
    Layout(
        "[y1, x1, y2, x2]",
        lambda top, left, bottom, right: (left, top, right - left, bottom - top),
        ("b(1)", "b(0)", "(b(3) - b(1))", "(b(2) - b(0))"),
        holds_ends=True,
    ),
)
"""The right one first. In a square x and y look alike: exchanged ones are told only where the frame is none."""


def stretched(side: float, name: str | None = None) -> Space:
    """The whole frame made a square, or its numbers divided by its sides."""
    zero, whole = pl.lit(0.0), pl.lit(float(side))
    return Space(name or f"the frame stretched to {side} x {side}", lambda w, h: (zero, zero, whole, whole))


def letterboxed(side: int) -> Space:
    """The frame made as large as fits into a square, in its middle."""

    def frame(w: pl.Expr, h: pl.Expr) -> Four:
        scale = side / pl.max_horizontal(w, h)
        return (side - w * scale) / 2, (side - h * scale) / 2, w * scale, h * scale

    return Space(f"the frame letterboxed into {side} x {side}", frame, is_padded=True)


def copied(width: int) -> Space:
    """A copy of the video that is so wide."""
    zero = pl.lit(0.0)
    return Space(
        f"px of a copy of the video, {width} px wide", lambda w, h: (zero, zero, pl.lit(float(width)), width * h / w)
    )


SPACES = (
    stretched(STRETCHED_PX),
    Space("px of the video", lambda w, h: (pl.lit(0.0), pl.lit(0.0), w, h)),
    stretched(1, "shares of the frame, 0 to 1"),
    stretched(100, "percent of the frame, 0 to 100"),
    *[stretched(side) for side in (640, 320, 416, 512, 768, 800, 960, 1280, 1536)],
    *[letterboxed(side) for side in (1024, 640, 320, 416, 512, 768, 800, 960, 1280, 1536)],
    *[copied(width) for width in (1920, 1280, 960, 854, 720, 640, 480, 320)],
)
"""The right one first; the sides are those that detectors are given, the widths those that videos are made small to."""


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

    @property
    def is_likely(self) -> bool:
        """Whether they would also fill it, as by chance no others do."""
        return self.fits and self.reach >= SURELY_FILLED


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
    valid = (
        boxes.filter(b.list.len() == 4)
        .join(sizes, on="video_file")
        .select("video_file", "width_px", "height_px", *[b.list.get(i).alias(str(i)) for i in range(4)])
        .filter(pl.all_horizontal(pl.col(str(i)).is_finite() for i in range(4)))
        .filter(pl.col("0") > -1, pl.col("1") > -1, pl.col("2") > 0, pl.col("3") > 0)  # else a fault in any reading
    )
    by_video = valid.partition_by("video_file", as_dict=True)
    right = [
        file
        for (file,), boxes_of_video in by_video.items()
        if boxes_of_video.height >= FEWEST_ROWS and _is_right(boxes_of_video)
    ]
    rest = valid.filter(~pl.col("video_file").is_in(right))
    if rest.height < FEWEST_ROWS or _is_right(rest):
        return None
    likely = [one for one in _readings(rest) if one.is_likely]
    if not likely:
        return None
    wrong = rest["video_file"].unique().sort().to_list()
    mistake = _told(min(likely, key=lambda one: one.misfits), {file: sizes_px[file] for file in wrong})
    if not right:
        return mistake
    named = ", ".join(map(repr, wrong[:NAMED]))
    unlike = f"{len(wrong)} of {len(by_video)} videos are unlike the others, which are right: {named}"
    return f"{unlike}. Of these alone {mistake}"


def _is_right(valid: pl.DataFrame) -> bool:
    """Whether these boxes fit and fill the frame as they should."""
    expected = _read(valid, LAYOUTS[0], SPACES[0])
    if not expected.fits or expected.reach < FILLED or _hold_ends(valid):
        return False
    # A frame of 4 to 3 between bars fills its square by three quarters, and the boxes end where the bars begin.
    return expected.reach >= SURELY_FILLED or not any(one.is_likely for one in _readings(valid) if one.space.is_padded)


def _hold_ends(valid: pl.DataFrame) -> bool:
    """Whether the last two numbers lie beyond the first two in nearly every box, as no sizes do all over a frame: ends
    in half a frame would also fit as sizes in the whole."""
    beyond = (pl.col("2") > pl.col("0")) & (pl.col("3") > pl.col("1"))
    return valid.select(beyond.mean()).item() >= 1 - MOST_MISFITS


def _readings(valid: pl.DataFrame) -> list[Reading]:
    """All but the right one."""
    layouts = [layout for layout in LAYOUTS if layout.holds_ends] if _hold_ends(valid) else LAYOUTS
    right = LAYOUTS[0], SPACES[0]
    return [_read(valid, layout, space) for space in SPACES for layout in layouts if (layout, space) != right]


def _read(valid: pl.DataFrame, layout: Layout, space: Space) -> Reading:
    """How well one reading fits these boxes."""
    left, top, width, height = layout.sides(*[pl.col(str(i)) for i in range(4)])
    frame_left, frame_top, frame_width, frame_height = space.frame(pl.col("width_px"), pl.col("height_px"))
    spans = ((left - frame_left, width, frame_width), (top - frame_top, height, frame_height))
    ends = valid.select(
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
    if space.is_padded:
        down = [1 - pl.col(f"low{axis}").quantile(MOST_MISFITS / 2) for axis in range(2)]
        reach += [share.alias(f"down{axis}") for axis, share in enumerate(down)]
    misfits, *reached = ends.select(out.mean(), *reach).row(0)
    return Reading(layout, space, misfits, min(reached))


def _told(reading: Reading, sizes_px: Mapping[str, tuple[int, int]]) -> str:
    """The mistake and its remedy."""
    steps = {size: _conversion(reading, size) for size in sorted(set(sizes_px.values()))}
    line, joined = next(iter(steps.values())), ""
    if len(set(steps.values())) > 1:
        joined = ", of which there are several sizes: join each video's own as width_px and height_px"
        condition = "(pl.col('width_px') == {}) & (pl.col('height_px') == {})".format
        line = "pl" + "".join(f".when({condition(*size)}).then({step})" for size, step in steps.items())
    return (
        "the boxes seem not to be [x, y, w, h] in the frame stretched to 1024 x 1024: they fit as "
        f"{reading.layout.name} in {reading.space.name}{joined}. Convert them and write the table again:\n"
        f"    b = pl.col('box').list.get\n    box = {line}"
    )


def _conversion(reading: Reading, size_px: tuple[int, int]) -> str:
    """What makes right boxes of those of videos of this size, for a person to copy."""
    sides = reading.space.frame(*[pl.lit(float(side)) for side in size_px])
    frame = pl.select(side.alias(str(i)) for i, side in enumerate(sides)).row(0)
    parts = []
    for i, written in enumerate(reading.layout.written):
        start, side = (frame[i] if i < 2 else 0), frame[2 + i % 2]
        moved = f"({written} - {start:.12g})" if start else written
        parts.append(moved if side == STRETCHED_PX else f"{moved} * {STRETCHED_PX} / {side:.12g}")
    return f"pl.concat_list({', '.join(parts)})"


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
