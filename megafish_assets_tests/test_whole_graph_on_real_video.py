"""The whole graph on a real aquarium, from the detector's table to the montage tiles, through real processes.

Frames are decoded again with PyAV, boxes come from the given CSV in source pixels: neither passes through megafish.
"""

import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake
from PIL import Image

from megafish_assets_tests.conftest import bring_up_to_date
from megafish_assets_tests.videos import decoded_frames, write_h264

FRAME_WH_PX = (640, 360)
CUTS = (0, 223, 446, 668)
NAMES = ["aquarium_0000.mp4", f"Übung 2/100% Fähre, {'ä' * 110}.mp4", "GX020042.MP4"]
"""As people name their files, up to the 255 bytes that a file system holds."""


@pytest.fixture(scope="module")
def aquarium(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clip cut into three videos, its boxes as an inference table, everything materialised."""
    root = tmp_path_factory.mktemp("aquarium") / "Große Becken (2)"
    (root / "recordings" / "Übung 2").mkdir(parents=True)
    frames = decoded_frames(real_data / "aquarium-fish-video" / "fish.mp4")
    for name, start, stop in zip(NAMES, CUTS, CUTS[1:], strict=False):
        write_h264(root / "recordings" / name, frames[start:stop])
    write_deltalake(str(root / "inference"), inference_table(real_data).to_arrow())
    finished = bring_up_to_date(root, backbones="mobilenetv2", weights=real_data / "mobilenetv2-imagenet")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return root


def source_boxes(real_data: Path) -> pl.DataFrame:
    """The detector's boxes in source pixels, with the video and the frame that they were cut to."""
    boxes = pl.read_csv(real_data / "aquarium-fish-video" / "fish_detections.csv")
    cut = sum((pl.col("frame_id") >= start).cast(pl.Int64) for start in CUTS[1:3])
    start = cut.replace_strict({0: CUTS[0], 1: CUTS[1], 2: CUTS[2]}, return_dtype=pl.Int64)
    video = cut.replace_strict(dict(enumerate(NAMES)), return_dtype=pl.String)
    return boxes.with_columns(video.alias("video_file"), (pl.col("frame_id") - start).alias("frame_id"))


def inference_table(real_data: Path) -> pl.DataFrame:
    scale_x, scale_y = 1024 / FRAME_WH_PX[0], 1024 / FRAME_WH_PX[1]
    x, y, w, h = (pl.col(f"{side}_px") for side in "xywh")
    box = pl.concat_list(x * scale_x, y * scale_y, w * scale_x, h * scale_y)
    return source_boxes(real_data).select("video_file", "frame_id", box.alias("box"), "score")


def table(root: Path, *parts: str) -> pl.DataFrame:
    return pl.DataFrame(DeltaTable(str(root.joinpath("tables", *parts))).to_pyarrow_table())


def region(frame: np.ndarray, raw_row: dict) -> np.ndarray:
    """The box's pixels by the arithmetic of the stretched space, written out."""
    left, right = raw_row["x_1024"] * 640 / 1024, (raw_row["x_1024"] + raw_row["width_1024"]) * 640 / 1024
    top, bottom = raw_row["y_1024"] * 360 / 1024, (raw_row["y_1024"] + raw_row["height_1024"]) * 360 / 1024
    columns = slice(max(0, int(np.floor(left + 1e-6))), min(640, int(np.ceil(right - 1e-6))))
    rows = slice(max(0, int(np.floor(top + 1e-6))), min(360, int(np.ceil(bottom - 1e-6))))
    return frame[rows, columns]


def from_jpeg(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))[..., ::-1].astype(int)


def test_every_row_of_the_detector_arrives_with_its_own_key(aquarium: Path, real_data: Path) -> None:
    raw = table(aquarium, "detections", "raw_detections")
    assert raw.height == 3439
    assert raw["detection_id"].n_unique() == 3439
    given = source_boxes(real_data).select("video_file", "frame_id", (pl.col("x_px") * 1.6).round(6), "score")
    kept = raw.select("video_file", "frame_id", pl.col("x_1024").round(6).alias("x_px"), "score")
    assert kept.sort(kept.columns).equals(given.sort(given.columns))


def test_the_chain_gets_narrower_and_loses_no_sampled_row(aquarium: Path) -> None:
    raw = table(aquarium, "detections", "raw_detections")
    filtered = table(aquarium, "detections", "filtered_detections")
    sampled = table(aquarium, "detections", "sampled_detections")
    assert raw.height > filtered.height > sampled.height > 100
    ids = set(sampled["detection_id"])
    for place in (
        ("crops", "crops"),
        ("embeddings", "embeddings_mobilenetv2"),
        ("features", "pca_mobilenetv2"),
        ("clusters", "clusters_mobilenetv2"),
        ("features", "umap_mobilenetv2"),
    ):
        assert set(table(aquarium, *place)["detection_id"]) == ids, place


def test_the_hand_that_held_the_camera_is_seen_by_pixels_and_by_boxes_alike(aquarium: Path) -> None:
    motion = table(aquarium, "crops", "camera_motion")
    assert motion.height > 100 and (motion["n_pan_points"] >= 8).mean() > 0.95
    frames = table(aquarium, "detections", "raw_detections").select("detection_id", "frame_id")
    told = table(aquarium, "detections", "tracklets").join(frames, on="detection_id").unique(["video", "frame_id"])
    both = motion.join(told, on=["video", "frame_id"], suffix="_box").filter(pl.col("n_pan_boxes") > 0)
    apart = both.select((pl.col(f"pan_{axis}_1024") - pl.col(f"pan_{axis}_1024_box")).abs() for axis in "xy").median()
    assert motion.select(pl.col("pan_x_1024").abs().quantile(0.9)).item() > 2
    assert max(apart.row(0)) < 2


def test_ten_crops_hold_the_pixels_that_pyav_decodes(aquarium: Path) -> None:
    rows = table(aquarium, "crops", "crops").join(
        table(aquarium, "detections", "raw_detections"), on=["video", "detection_id", "frame_id"]
    )
    checked = 0
    for row in rows.sample(10, seed=1).iter_rows(named=True):
        frames = decoded_frames(aquarium / "recordings" / row["video_file"])
        expected, cut = region(frames[row["frame_id"]], row).astype(int), from_jpeg(row["jpeg"])
        assert cut.shape == expected.shape == (row["height_px"], row["width_px"], 3)
        assert np.abs(cut - expected).mean() < 3.0
        checked += 1
    assert checked == 10


def test_every_tile_shows_the_fish_of_its_key(aquarium: Path) -> None:
    tiles = table(aquarium, "atlas", "montages_mobilenetv2").join(
        table(aquarium, "detections", "raw_detections"), on=["video", "detection_id"]
    )
    labels = dict(table(aquarium, "clusters", "clusters_mobilenetv2").select("detection_id", "cluster").iter_rows())
    assert tiles.height >= 100
    frames = {name: decoded_frames(aquarium / "recordings" / name) for name in NAMES}
    sheets = aquarium / "figures" / "montages_mobilenetv2"
    for tile in tiles.iter_rows(named=True):
        assert labels[tile["detection_id"]] == tile["cluster"]
        fish = Image.fromarray(region(frames[tile["video_file"]][tile["frame_id"]], tile)[..., ::-1])
        scale = 128 / max(fish.size)
        size = max(1, round(fish.width * scale)), max(1, round(fish.height * scale))
        expected = np.asarray(
            fish.resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC)
        ).astype(int)
        # A sheet has 6 px between tiles of 128 px, and a header of 44 px; a tile is centred in its place.
        left = 6 + tile["column"] * 134 + (128 - size[0]) // 2
        top = 44 + tile["row"] * 134 + (128 - size[1]) // 2
        drawn = np.asarray(Image.open(sheets / tile["file"]).convert("RGB"))
        drawn = drawn[top : top + size[1], left : left + size[0]].astype(int)
        assert np.abs(drawn - expected).mean() < 6.0, tile["detection_id"]


def test_vectors_are_those_of_the_given_weights(aquarium: Path) -> None:
    vectors = table(aquarium, "embeddings", "embeddings_mobilenetv2")
    assert set(vectors["vector"].list.len()) == {1280}
    assert vectors["vectors_version"].n_unique() == 1
    matrix = np.array(vectors["vector"].to_list())
    assert np.isfinite(matrix).all() and matrix.std(axis=0).max() > 0.1


def test_plots_and_sheets_are_files_that_open(aquarium: Path) -> None:
    made = {path.relative_to(aquarium / "figures").as_posix() for path in (aquarium / "figures").rglob("*.*")}
    assert {
        "size_limits/filter.png",
        "pca_mobilenetv2/cumulative_variance.png",
        "kmeans_sweep_mobilenetv2/inertia_silhouette.png",
        "umap_mobilenetv2/pairs.png",
        "montages_mobilenetv2/cluster_00_random.png",
        "montages_mobilenetv2/cluster_03_extremes.png",
        *[f"crops/{key}.jpg" for key in table(aquarium, "crops", "crops")["video"].unique()],
    } <= made
    for name in made:
        if name.split("/")[0] in ("review", "explorer", "embedding_atlas", "animals_gap", "report"):
            continue  # folders of pages, which their own tests open in a browser
        Image.open(aquarium / "figures" / name).verify()


def test_a_second_call_makes_nothing(aquarium: Path, real_data: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (aquarium / "tables").rglob("_delta_log/*.json")}
    finished = bring_up_to_date(aquarium, backbones="mobilenetv2", weights=real_data / "mobilenetv2-imagenet")
    assert finished.returncode == 0, finished.stderr
    assert {path: path.stat().st_mtime_ns for path in (aquarium / "tables").rglob("_delta_log/*.json")} == before
    assert DeltaTable(str(aquarium / "tables" / "crops" / "crops")).version() == 1
