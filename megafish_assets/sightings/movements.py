"""Where each tracklet is and how it swims over the scene, stretch by stretch of about a third of a second.

```
looks       . . . . . . . . . . . . . . . .      30 a second
stretches   |   0   |    1    |    2    |
middles     ^       ^         ^         ^        every third is a whole moment: a second after the one before
```

The speed is the slope of a straight line through the places in a stretch: of ten looks its jitter is seven tenths of
that of the way from the first to the last. Speeds are over the scene as `camera_motion` followed it in the pixels: the
pan that `tracklets` guess from boxes follows a dense school.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from megafish_assets.detections.looks import Looks
from megafish_assets.detections.scene import ScenePath
from megafish_assets.footage.boxes import STRETCHED_PX
from megafish_assets.footage.columns import empty_table, typed
from megafish_assets.sightings.columns import MOVEMENTS

STRETCH_SECONDS = 1 / 3
"""Ten looks of 30 a second: a shorter one is jitter, in a longer one fish turn."""

FEWEST_STEPS = 2
"""From look to look in a stretch; where looks are further apart, stretches are longer."""

MOMENT_SECONDS = 1.0
"""From one moment at which groups are told to the next."""

USUAL_ASPECT = 16 / 9
"""Width of a frame by its height, where no crop of any video tells it: that of nearly every underwater camera."""

STEADY_SHARE = 0.2
"""Of a box's median side, by which it may change in a stretch: where a box splits or merges its middle leaps, and that
would be a burst. A fish that turns changes it by less in a third of a second."""

EDGE_1024 = 2.0
"""From the frame's edge, px: a box so near is cut by it, and its middle lags."""

SLOWEST = 0.3
"""Body lengths a second over the scene, below which a fish has no heading: there the jitter of boxes is as fast."""

PASSING_SHARE = 0.3
"""Of the scene's own speed, below which it has none either: what is nearer or farther than the scene that was followed
passes at another speed. On six reefs 0.3 leaves out an eighth of the headings, and half of those that are off by
more than 45 degrees: docs/read-out.md."""


def speed() -> pl.Expr:
    """Over the scene, body lengths a second; null where not known."""
    return (pl.col("speed_x") ** 2 + pl.col("speed_y") ** 2).sqrt().alias("speed")


def swims() -> pl.Expr:
    """Whether it is fast enough to have a heading; where its speed is not known it has none."""
    least = pl.max_horizontal(SLOWEST, PASSING_SHARE * pl.col("scene_speed"))
    return (speed() >= least).fill_null(False)


@dataclass(frozen=True)
class Stretches:
    """How one video is cut in time."""

    seconds: float
    """Length of a stretch."""
    a_moment: int
    """Stretches from one moment to the next."""

    @classmethod
    def of(cls, step_seconds: float, moment_seconds: float = MOMENT_SECONDS) -> "Stretches":
        """As many whole stretches a moment as are long enough for this distance of looks."""
        least = max(STRETCH_SECONDS, FEWEST_STEPS * step_seconds)
        a_moment = max(1, int(moment_seconds / least + 1e-6))
        return cls(max(moment_seconds / a_moment, least), a_moment)


def aspects(crops: pl.DataFrame) -> dict[str, float]:
    """Width of the real frame by its height, by video.

    `crops` holds `video`, `width_px`, `height_px` of crops that no edge cuts, and `width_1024`, `height_1024` of their
    boxes. A crop has every pixel that its box touches: on the average one more than the box is wide.
    """
    scales = [(pl.col(f"{side}_px") - 1).sum() / pl.col(f"{side}_1024").sum() for side in ("width", "height")]
    ratio = (scales[0] / scales[1]).alias("aspect")
    found = crops.group_by("video").agg(ratio).filter(pl.col("aspect").is_finite() & (pl.col("aspect") > 0))
    return dict(found.iter_rows())


def movements(
    rows: pl.DataFrame,
    looks: Mapping[str, Looks],
    paths: Mapping[str, ScenePath],
    aspect_of: Mapping[str, float],
    moment_seconds: float = MOMENT_SECONDS,
) -> pl.DataFrame:
    """The columns `MOVEMENTS`, a row for each tracklet and each stretch in whose middle it is in view, sorted.

    Stretches with the wiper in their middle are left out.

    `rows` holds valid `raw_detections` with the `tracklet_id` of each; `paths` and `aspect_of` are known by video, as
    far as they are.
    """
    if rows.is_empty():
        return empty_table(MOVEMENTS)
    cut = {video: Stretches.of(own.step_seconds, moment_seconds) for video, own in looks.items()}
    placed = _placed(rows, looks, cut, paths, aspect_of)
    stretches = _lines(placed).join(_spans(rows), on=["video", "tracklet_id"])
    parts = [
        _in_view(own, looks[video], cut[video])
        for (video,), own in stretches.partition_by("video", as_dict=True).items()
    ]
    table = pl.concat(parts).sort("video", "tracklet_id", "moment")
    return typed(table, MOVEMENTS)


def _spans(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("video", "tracklet_id").agg(
        pl.col("frame_id").min().alias("first_frame"), pl.col("frame_id").max().alias("last_frame")
    )


def _placed(
    rows: pl.DataFrame,
    looks: Mapping[str, Looks],
    cut: Mapping[str, Stretches],
    paths: Mapping[str, ScenePath],
    aspect_of: Mapping[str, float],
) -> pl.DataFrame:
    """Each box with its middle in the picture and over the scene, its time from the middle of its stretch, and its
    sides; across in 1024ths of the frame's height."""
    videos = pl.DataFrame(
        [
            (video, own.step_seconds / own.step_frames, cut[video].seconds, aspect_of.get(video, USUAL_ASPECT))
            for video, own in looks.items()
        ],
        {"video": pl.String, "frame_seconds": pl.Float64, "stretch": pl.Float64, "aspect": pl.Float64},
        orient="row",
    )
    right, bottom = (pl.col(f"{x}_1024") + pl.col(f"{side}_1024") for x, side in (("x", "width"), ("y", "height")))
    is_cut = (pl.min_horizontal("x_1024", "y_1024") <= EDGE_1024) | (
        pl.max_horizontal(right, bottom) >= STRETCHED_PX - EDGE_1024
    )
    timed = rows.join(videos, on="video").with_columns((pl.col("frame_id") * pl.col("frame_seconds")).alias("seconds"))
    timed = timed.with_columns((pl.col("seconds") / pl.col("stretch") + 0.5 + 1e-6).floor().alias("moment")).select(
        "video",
        "tracklet_id",
        "frame_id",
        pl.col("moment").cast(pl.Int64),
        (pl.col("seconds") - pl.col("moment") * pl.col("stretch")).alias("t"),
        (pl.col("x_1024") + pl.col("width_1024") / 2).alias("x"),
        (pl.col("y_1024") + pl.col("height_1024") / 2).alias("y"),
        (pl.col("width_1024") * pl.col("aspect")).alias("width"),
        pl.col("height_1024").alias("height"),
        "aspect",
        is_cut.alias("is_cut"),
    )
    timed = timed.sort("video", "tracklet_id", "frame_id")
    return pl.concat([timed, _offsets(timed, paths)], how="horizontal").with_columns(
        ((pl.col("x") - pl.col("scene_x")) * pl.col("aspect")).alias("over_x"),
        (pl.col("y") - pl.col("scene_y")).alias("over_y"),
        (pl.col("scene_x") * pl.col("aspect")).alias("scene_x"),
    )


def _offsets(timed: pl.DataFrame, paths: Mapping[str, ScenePath]) -> pl.DataFrame:
    """`scene_x` and `scene_y` of each row, null where the scene was not followed."""
    offsets, start = np.full((timed.height, 2), np.nan), 0
    for n_rows, video in timed["video"].rle().struct.unnest().iter_rows():
        if (path := paths.get(video)) is not None:
            frames = timed["frame_id"][start : start + n_rows].to_numpy()
            offsets[start : start + n_rows] = path.at(frames)
            offsets[start : start + n_rows][frames > path.last_frame] = np.nan
        start += n_rows
    return pl.DataFrame(offsets, schema=["scene_x", "scene_y"]).fill_nan(None)


def _lines(placed: pl.DataFrame) -> pl.DataFrame:
    """The straight line through each tracklet's places in each stretch: where it is in its middle, and its slope."""
    t = pl.col("t") - pl.col("t").mean()

    def slope(of: str) -> pl.Expr:
        return (t * pl.col(of)).sum() / (t**2).sum()

    def in_middle(of: str) -> pl.Expr:
        # Of a single look there is no slope, and its place is the place.
        return pl.col(of).mean() - pl.col("t").mean() * slope(of).fill_nan(0.0)

    sides = [(pl.col(side).max() - pl.col(side).min()) <= STEADY_SHARE * pl.col(side).median() for side in _SIDES]
    return placed.group_by("video", "tracklet_id", "moment").agg(
        pl.len().alias("n_looks"),
        (pl.col("t").max() - pl.col("t").min()).alias("span"),
        in_middle("x").alias("x_1024"),
        in_middle("y").alias("y_1024"),
        pl.col("aspect").first(),
        pl.max_horizontal([pl.col(side).median() for side in _SIDES]).alias("length_square"),
        *[pl.when(pl.col(of).is_not_null().all()).then(slope(of)).alias(of) for of in SLOPES],
        (sides[0] & sides[1] & ~pl.col("is_cut").any()).alias("is_steady"),
    )


_SIDES = ("width", "height")

SLOPES = ("over_x", "over_y", "scene_x", "scene_y")
"""Of these the slope is told: the way over the scene, and the scene's own."""


def _in_view(stretches: pl.DataFrame, looks: Looks, cut: Stretches) -> pl.DataFrame:
    """One video's, those in whose middle the tracklet is in view and the wiper is not."""
    look = looks.nearest(stretches["moment"].to_numpy() * cut.seconds)
    inside = (look >= 0) & (look < len(looks))
    stretches, look = stretches.filter(pl.Series(inside)), look[inside]
    scene = (pl.col("scene_x") ** 2 + pl.col("scene_y") ** 2).sqrt().alias("scene")
    known = pl.col("span") >= cut.seconds / 2 - looks.step_seconds - 1e-6
    has_slope = known & (pl.col("n_looks") >= 2)
    return (
        stretches.with_columns(scene)
        .with_columns(
            pl.Series("frame_id", looks.frame_ids[look]),
            pl.Series("is_wiped", looks.is_wiped[look]),
            (pl.col("moment") * cut.seconds).alias("seconds"),
            (pl.col("moment") % cut.a_moment == 0).alias("is_whole_moment"),
            (pl.col("x_1024") * pl.col("aspect")).alias("x_square"),
            *[
                pl.when(has_slope).then(pl.col(over) / pl.col("length_square")).alias(speed)
                for over, speed in (("over_x", "speed_x"), ("over_y", "speed_y"), ("scene", "scene_speed"))
            ],
        )
        .filter((pl.col("first_frame") <= pl.col("frame_id")) & (pl.col("frame_id") <= pl.col("last_frame")))
        .filter(~pl.col("is_wiped"))
    )
