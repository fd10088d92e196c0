"""What can be known before anything is made, on real clips: what is refused, what is warned of, and what is let by."""

import subprocess
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
from deltalake import write_deltalake

from megafish_assets.orchestration.settings import Settings
from megafish_assets.orchestration.sources import Inference
from megafish_assets.preflight import Preflight, preflight
from megafish_assets_tests.fields import SIZE_WH

N_FRAMES = 50
pytestmark = pytest.mark.usefixtures("beside_ffmpeg")


def clip(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    source = ["-f", "lavfi", "-i", f"testsrc=size={SIZE_WH[0]}x{SIZE_WH[1]}:rate=25", "-frames:v", str(N_FRAMES)]
    subprocess.run(["ffmpeg", "-v", "error", *source, "-c:v", "mpeg4", "-bf", "0", path], check=True)


def detect(root: Path, frames: range, file: str = "reef.avi") -> None:
    """Boxes all over the frame, in each of these frames."""
    rng = np.random.default_rng(0)
    places = [rng.uniform(0, 980, 2).tolist() for _ in frames for _ in range(5)]
    rows = {
        "video_file": [file] * len(places),
        "frame_id": [frame for frame in frames for _ in range(5)],
        "box": [[x, y, 40.0, 42.0] for x, y in places],
        "score": [0.5] * len(places),
    }
    write_deltalake(str(root / "inference"), pl.DataFrame(rows).to_arrow())


def looked_at(root: Path, **settings: str) -> Preflight:
    given = {"MEGAFISH_ROOT": str(root), "MEGAFISH_BACKBONES": "reef_tiny"}
    chosen = Settings.from_environment(given | {f"MEGAFISH_{name}": value for name, value in settings.items()})
    inference = Inference.of(chosen)
    return preflight(inference.arrivals().videos, inference, chosen)


def counted_short(path: Path) -> None:
    """The container says one frame less than it holds."""
    data = bytearray(path.read_bytes())
    place = data.index(b"strh") + 8 + 32  # dwLength, in frames. Source: Microsoft, AVISTREAMHEADER.
    assert int.from_bytes(data[place : place + 4], "little") == N_FRAMES
    data[place : place + 4] = (N_FRAMES - 1).to_bytes(4, "little")
    path.write_bytes(data)


def test_frames_that_count_from_1_are_refused(tmp_path: Path) -> None:
    clip(tmp_path / "recordings" / "reef.avi")
    detect(tmp_path, range(1, N_FRAMES + 1))
    (why,) = looked_at(tmp_path).refusals
    assert why.startswith("the frame ids count from 1")


def test_a_container_that_counts_one_frame_too_few_refuses_nothing(tmp_path: Path) -> None:
    clip(tmp_path / "recordings" / "reef.avi")
    counted_short(tmp_path / "recordings" / "reef.avi")
    detect(tmp_path, range(1, N_FRAMES))
    assert looked_at(tmp_path).refusals == []


def test_the_first_look_is_a_picture_of_frames_with_their_boxes(tmp_path: Path) -> None:
    clip(tmp_path / "recordings" / "reef.avi")
    detect(tmp_path, range(N_FRAMES))
    sheet = cv2.imread(str(looked_at(tmp_path).sheet))
    # Ten frames in two columns, each as wide as half the sheet.
    assert sheet.shape[1] == 1280 and sheet.shape[0] == 5 * round(640 * SIZE_WH[1] / SIZE_WH[0])
    (tmp_path / "tables").mkdir()
    assert looked_at(tmp_path).sheet is None


def test_a_name_that_no_disk_can_hold_is_a_file_that_is_not_there(tmp_path: Path) -> None:
    clip(tmp_path / "recordings" / "reef.avi")
    detect(tmp_path, range(N_FRAMES), "x" * 300 + ".avi")
    (why,) = looked_at(tmp_path).refusals
    assert why.startswith("1 of 1 video files are not there")


def test_a_pattern_that_finds_no_number_and_a_strange_file_are_warned_of(tmp_path: Path) -> None:
    clip(tmp_path / "recordings" / "reef.avi")
    detect(tmp_path, range(N_FRAMES))
    (tmp_path / "recordings.csv").write_text("file,station,strat\nreef.mp4,pier,\n")
    found = looked_at(tmp_path, NUMBER="x(y)?")
    assert found.refusals == []
    of_columns, of_table, of_pattern = found.warnings
    assert "nobody reads the columns 'strat', only file, start, station" in of_columns
    assert of_table.endswith("recordings.csv: 1 of 1 files are not in the inference table: 'reef.mp4'")
    assert of_pattern.startswith("MEGAFISH_NUMBER = 'x(y)?' finds no number in any name, such as 'reef.avi'")


def test_videos_that_last_longer_than_their_numbers_say_are_warned_of(tmp_path: Path) -> None:
    clip(tmp_path / "recordings" / "reef_0001.avi")  # 50 frames, 25 a second
    detect(tmp_path, range(N_FRAMES), "reef_0001.avi")
    start = "2025-12-12T13:30:00"
    (why,) = looked_at(tmp_path, RECORDING_START=start).warnings
    assert why.startswith("'reef_0001.avi' lasts 2 s, and MEGAFISH_CLIP_SECONDS is 10")
    assert looked_at(tmp_path, RECORDING_START=start, CLIP_SECONDS="2").warnings == []
    assert looked_at(tmp_path).warnings == []


@pytest.mark.parametrize(
    ("installed", "said"),
    [("2.13.0+cpu", "torchvision needs torch==2.12.1, and 2.13.0+cpu is installed"), (None, "torch is not installed")],
)
def test_packages_of_other_versions_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: str | None, said: str
) -> None:
    clip(tmp_path / "recordings" / "reef.avi")
    detect(tmp_path, range(N_FRAMES))
    real = metadata.version

    def version(name: str) -> str:
        if name == "torch" and installed is None:
            raise metadata.PackageNotFoundError
        return installed if name == "torch" else real(name)

    monkeypatch.setattr(metadata, "version", version)
    assert any(said in why for why in looked_at(tmp_path).refusals)
