"""The space of a collection's boxes, told from a real detector's boxes as people get them wrong."""

from pathlib import Path

import polars as pl
import pytest

from megafish_assets.footage.box_space import FEWEST_ROWS, misread_boxes, misread_frames
from megafish_assets.reef.plan import ReefPlan
from megafish_assets.reef.tables import simulate_video

SIZE = {"fish.mp4": (640, 360)}
FRAMES = {
    "stretched": (0, 0, 1024, 1024),
    "pixels": (0, 0, 640, 360),
    "shares": (0, 0, 1, 1),
    "percent": (0, 0, 100, 100),
    "yolo": (0, 0, 640, 640),
    "half": (0, 0, 512, 512),
    "wide yolo": (0, 0, 1280, 1280),
    "bars": (0, 224, 1024, 576),
    "small bars": (0, 140, 640, 360),
    "a larger copy": (0, 0, 1920, 1080),
    "a smaller copy": (0, 0, 320, 180),
}
"""Where a frame of 16 to 9 lies: left, top, width, height."""


@pytest.fixture(scope="module")
def source(real_data: Path) -> pl.DataFrame:
    """The aquarium's boxes in px of its video, x, y, w, h."""
    boxes = pl.read_csv(real_data / "aquarium-fish-video" / "fish_detections.csv")
    return boxes.select(*[pl.col(f"{side}_px").alias(side) for side in "xywh"])


def table(source: pl.DataFrame, how: str, space: str) -> pl.DataFrame:
    """The boxes as a layout in a space."""
    x, y, w, h = (pl.col(side) for side in "xywh")
    numbers = {
        "xywh": (x, y, w, h),
        "corners": (x, y, x + w, y + h),
        "centres": (x + w / 2, y + h / 2, w, h),
        "exchanged": (y, x, h, w),
        "exchanged corners": (y, x, y + h, x + w),
    }[how]
    order = (1, 0) if "exchanged" in how else (0, 1)
    moved = 4 if "corners" in how else 2
    frame, size = FRAMES[space], (640, 360)
    scaled = [
        number * frame[2 + order[i % 2]] / size[order[i % 2]] + (frame[order[i % 2]] if i < moved else 0)
        for i, number in enumerate(numbers)
    ]
    return source.select(pl.lit("fish.mp4").alias("video_file"), pl.concat_list(scaled).alias("box"))


IN_A_SQUARE = ("stretched", "shares", "percent", "yolo", "half", "wide yolo")
LAYOUTS = ("xywh", "corners", "centres", "exchanged", "exchanged corners")


@pytest.mark.parametrize(
    ("how", "space"),
    [(how, space) for how in LAYOUTS for space in FRAMES if "exchanged" not in how or space not in IN_A_SQUARE],
)
def test_each_mistake_is_named_and_its_line_converts_the_boxes(source: pl.DataFrame, how: str, space: str) -> None:
    right, given = table(source, "xywh", "stretched"), table(source, how, space)
    told = misread_boxes(given, SIZE)
    if (how, space) == ("xywh", "stretched"):
        assert told is None
        return
    lines = told.splitlines()[1:]
    scope = {"pl": pl}
    exec("\n".join(line.strip() for line in lines), scope)
    converted = given.select("video_file", scope["box"].alias("box"))
    assert misread_boxes(converted, SIZE) is None
    apart = (converted["box"].explode() - right["box"].explode()).abs().max()
    assert apart < 1e-6


def test_one_video_in_another_space_is_named_and_the_right_ones_are_not_to_be_converted(source: pl.DataFrame) -> None:
    right, wrong = table(source, "xywh", "stretched"), table(source, "corners", "stretched")
    both = pl.concat([right, wrong.with_columns(pl.lit("b.mp4").alias("video_file"))])
    told = misread_boxes(both, SIZE | {"b.mp4": (640, 360)})
    assert told.startswith("1 of 2 videos are unlike the others, which are right: 'b.mp4'.")


def test_a_few_boxes_that_are_wrong_in_any_space_do_not_hide_the_rest(source: pl.DataFrame) -> None:
    given = table(source, "xywh", "pixels")
    nothing = pl.DataFrame({"video_file": ["fish.mp4"] * 60, "box": [[-1.0] * 4] * 30 + [[5.0, 5.0, 0.0, 0.0]] * 30})
    assert misread_boxes(pl.concat([given, nothing]), SIZE) == misread_boxes(given, SIZE) is not None


def test_the_videos_own_sizes_are_asked_for_where_they_differ(source: pl.DataFrame) -> None:
    given = table(source, "xywh", "pixels")
    both = pl.concat([given, given.with_columns(pl.lit("b.mp4").alias("video_file"), pl.col("box") * 2)])
    sizes = SIZE | {"b.mp4": (1280, 720)}
    told = misread_boxes(both, sizes)
    assert "several sizes: join each video's own as width_px and height_px" in told
    scope = {"pl": pl}
    exec("\n".join(line.strip() for line in told.splitlines()[1:]), scope)
    sides = pl.DataFrame(
        [(file, *size) for file, size in sizes.items()], ["video_file", "width_px", "height_px"], orient="row"
    )
    converted = both.join(sides, on="video_file", maintain_order="left").select("video_file", scope["box"].alias("box"))
    right = table(source, "xywh", "stretched")["box"].explode()
    for file in sizes:
        own = converted.filter(pl.col("video_file") == file)["box"].explode()
        assert (own - right).abs().max() < 1e-6


def test_frames_of_4_to_3_between_bars_are_told_too(source: pl.DataFrame) -> None:
    x, y, w, h = (pl.col(side) for side in "xywh")
    numbers = [x * 1024 / 640, y * 768 / 360 + 128, w * 1024 / 640, h * 768 / 360]
    given = source.select(pl.lit("fish.mp4").alias("video_file"), pl.concat_list(numbers).alias("box"))
    told = misread_boxes(given, {"fish.mp4": (640, 480)})
    assert "in the frame letterboxed into 1024 x 1024" in told and "(b(1) - 128) * 1024 / 768" in told


def test_the_reefs_boxes_are_right() -> None:
    plan = ReefPlan(videos=3, frames=60, size_wh_px=(640, 360))
    boxes = pl.concat([simulate_video(plan, video).inference for video in range(3)])
    assert misread_boxes(boxes, {file: (640, 360) for file in boxes["video_file"].unique()}) is None


def test_too_few_boxes_and_boxes_of_one_corner_say_nothing(source: pl.DataFrame) -> None:
    given = table(source, "xywh", "pixels")
    assert misread_boxes(given.head(FEWEST_ROWS - 1), SIZE) is None
    corner = given.filter(pl.col("box").list.get(0) < 200, pl.col("box").list.get(2) < 100)
    assert corner.height > FEWEST_ROWS and misread_boxes(corner, SIZE) is None
    assert misread_boxes(given.clear(), {}) is None


@pytest.mark.parametrize(
    ("frames", "is_told"),
    [
        ([("a", 1, 300), ("b", 4, 290)], True),
        ([("a", 0, 300), ("b", 4, 290)], False),
        ([("a", 1, 299), ("b", 4, 290)], False),
        ([("a", 1, 301), ("b", 4, 300)], False),
        ([("c", 1, 300)], False),
        ([], False),
    ],
)
def test_frames_that_count_from_1_are_told_where_a_box_is_in_the_one_after_the_last(
    frames: list, is_told: bool
) -> None:
    given = pl.DataFrame(frames, ["video_file", "first_frame", "last_frame"], orient="row")
    told = misread_frames(given, {"a": 300, "b": 300})
    assert (told is not None) is is_told
    if told:
        assert "pl.col('frame_id') - 1" in told
