"""Boxes cut out of frames, against hand arithmetic and PyAV."""

import io
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from megafish_assets.crops.columns import CROPS
from megafish_assets.crops.cutting import PixelBox, pixel_box
from megafish_assets.crops.measures import crop_counts, crop_numbers
from megafish_assets.crops.tables import video_crops
from megafish_assets.detections.raw import raw_detections
from megafish_assets.footage.clocks import Clock
from megafish_assets.reporting.wording import faults_text
from megafish_assets_tests.videos import decoded_frames, presentation_seconds

CLIP = "1_2025-08-14_22-43-40.mp4"
"""89 frames of 640 x 400 px, with salmon."""

SCHEMA = {"video_file": pl.String, "frame_id": pl.Int64, "box": pl.List(pl.Float64), "score": pl.Float64}


def sampled(*boxes: tuple[int, list[float]]) -> pl.DataFrame:
    """Rows of the clip: frame and box in the stretched frame."""
    inference = pl.DataFrame([(CLIP, frame, box, 0.9) for frame, box in boxes], schema=SCHEMA, orient="row")
    return raw_detections(inference, Clock(10, 300, None)).with_columns(tracklet_id=pl.lit("t", pl.String))


def pixels_in(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg)), dtype=int)


@pytest.fixture(scope="module")
def clip(real_data: Path) -> Path:
    return real_data / "salmon-river-videos" / CLIP


@pytest.mark.parametrize(
    ("box", "frame_wh_px", "edges"),
    [
        ((10, 20, 30, 40), (1024, 1024), (10, 20, 40, 60)),
        ((100, 200, 64, 64), (1920, 1080), (187, 210, 308, 279)),  # 187.5, 210.94, 307.5, 278.44
        ((64, 128, 64, 128), (1280, 720), (80, 90, 160, 180)),
        ((100, 100, 50, 50), (1280, 720), (125, 70, 188, 106)),  # 125, 70.31, 187.5, 105.47
        ((100, 100, 50, 50), (640, 400), (62, 39, 94, 59)),  # 62.5, 39.06, 93.75, 58.59
        ((0, 0, 1024, 1024), (640, 400), (0, 0, 640, 400)),
        ((64 - 1e-9, 64 - 1e-9, 64 + 2e-9, 64 + 2e-9), (1024, 1024), (64, 64, 128, 128)),
    ],
)
def test_a_box_touches_these_pixels(box: tuple, frame_wh_px: tuple[int, int], edges: tuple) -> None:
    assert pixel_box(box, frame_wh_px) == PixelBox(*edges, clipped_share=0.0)


@pytest.mark.parametrize(
    ("box", "edges", "clipped"),
    [
        ((-32, 100, 128, 64), (0, 100, 96, 164), 0.25),
        ((100, -16, 64, 64), (100, 0, 164, 48), 0.25),
        ((960, 100, 128, 64), (960, 100, 1024, 164), 0.5),
        ((100, 1008, 64, 64), (100, 1008, 164, 1024), 0.75),
        ((-64, -64, 128, 128), (0, 0, 64, 64), 0.75),
        ((-1024, -1024, 3072, 3072), (0, 0, 1024, 1024), 8 / 9),
    ],
    ids=["left", "top", "right", "bottom", "corner", "all round"],
)
def test_a_box_is_clipped_at_every_edge(box: tuple, edges: tuple, clipped: float) -> None:
    assert pixel_box(box, (1024, 1024)) == PixelBox(*edges, clipped_share=pytest.approx(clipped))


@pytest.mark.parametrize(
    "box",
    [
        (-64, 10, 64, 20),
        (1024, 10, 64, 20),
        (10, -20, 64, 20),
        (10, 1024, 64, 20),
        (50, 50, -20, 20),
        (math.nan, 10, 20, 20),
        (10, 10, 20, math.nan),
        (10, 10, math.inf, 20),
    ],
)
def test_a_box_without_a_pixel_in_the_frame_is_none(box: tuple) -> None:
    assert pixel_box(box, (1920, 1080)) is None


@pytest.mark.parametrize("path", [Path("gone.mp4"), None], ids=["missing video", "video"])
def test_no_sampled_rows_give_an_empty_table(path: Path | None, clip: Path) -> None:
    crops = video_crops(path or clip, sampled())
    assert crops.height == 0
    assert dict(crops.schema) == {name: column.dtype for name, column in CROPS.items()}


def test_every_sampled_row_has_its_row_with_a_crop_or_a_fault(clip: Path) -> None:
    rows = sampled((88, [0, 0, 99, 99]), (3, [-500, 0, 99, 99]), (3, [9, 9, 99, 99]), (400, [9, 9, 99, 99]))
    crops = video_crops(clip, rows)
    assert crops.select("video", "detection_id", "frame_id").equals(rows.select("video", "detection_id", "frame_id"))
    assert crops["fault"].to_list() == [
        "box outside the frame of 640 x 400 px",
        None,
        None,
        "frame is past the video's end (89 frames)",
    ]
    assert (crops["jpeg"].is_null() == crops["fault"].is_not_null()).all()
    numbers = crop_numbers(crop_counts(rows, crops)).row(0, named=True)
    assert (numbers["n_crops"], numbers["n_set_aside"], numbers["n_lost_rows"]) == (2, 2, 0)
    assert (numbers["set_aside_share"], numbers["clipped_crops_share"]) == (0.5, 0.0)
    assert faults_text(crops).splitlines() == [f"1 x {fault}" for fault in sorted(crops["fault"].drop_nulls())]


def test_an_unreadable_video_sets_all_its_rows_aside(tmp_path: Path) -> None:
    path = tmp_path / CLIP
    path.write_text("not a video")
    crops = video_crops(path, sampled((0, [9, 9, 99, 99]), (5, [9, 9, 99, 99])))
    assert crops["jpeg"].null_count() == 2
    assert crops["fault"].str.contains(CLIP, literal=True).all()
    assert faults_text(crops).startswith("2 x FFmpeg cannot open")


def test_crops_hold_the_pixels_and_times_of_another_decoder(clip: Path) -> None:
    # 640 / 1024 = 5 / 8 and 400 / 1024 = 25 / 64, so these boxes end on whole pixels: rows of l, t, r, b.
    boxes = {(20, 160, 50, 260, 125): [256, 128, 160, 192], (41, 0, 0, 640, 400): [0, 0, 1024, 1024]}
    expected, times = decoded_frames(clip), presentation_seconds(clip)
    crops = video_crops(clip, sampled(*[(where[0], box) for where, box in boxes.items()]))
    for row, (frame, left, top, right, bottom) in zip(crops.iter_rows(named=True), boxes, strict=True):
        pixels = pixels_in(row["jpeg"])
        assert (row["width_px"], row["height_px"]) == (right - left, bottom - top) == pixels.shape[1::-1]
        assert np.abs(pixels - expected[frame][top:bottom, left:right, ::-1]).mean() < 2
        assert row["presentation_seconds"] == pytest.approx(times[frame], abs=1e-6)


def test_every_decoded_frame_is_shown_once(clip: Path) -> None:
    seen = []
    video_crops(
        clip, sampled((7, [0, 0, 9, 9]), (7, [9, 9, 9, 9]), (2, [0, 0, 9, 9]), (500, [0, 0, 9, 9])), seen.append
    )
    assert [frame.frame_id for frame in seen] == [2, 7]
