"""What is known of the times of real files, through the resource that assets are given."""

import shutil
import subprocess
from datetime import datetime, timedelta
from itertools import combinations
from pathlib import Path

import polars as pl
import pytest
from deltalake import write_deltalake

from megafish_assets.orchestration.settings import Settings
from megafish_assets.orchestration.sources import Inference, Recordings
from megafish_assets_tests.conftest import bring_up_to_date

BEGUN = datetime(2024, 12, 31, 13, 30, 5)


def record(path: Path, seconds: int, begun: datetime = BEGUN) -> None:
    """A small clip of 24 frames a second, as a camera writes it that was begun then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    source = ["-f", "lavfi", "-i", f"testsrc=size=64x64:rate=24:duration={seconds}"]
    created = ["-metadata", f"creation_time={begun.isoformat()}Z"]
    subprocess.run(["ffmpeg", "-v", "error", *source, *created, path], check=True)


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory, beside_ffmpeg: None) -> Path:
    folder = tmp_path_factory.mktemp("footage")
    for name, seconds in (("day1/GX010042.MP4", 3), ("day1/GX020042.MP4", 2), ("day1/GX030042.MP4", 1)):
        record(folder / name, seconds)
    record(folder / "reef_20200101_080000.mp4", 1)
    shutil.copy(folder / "day1" / "GX030042.MP4", folder / "GX020007.MP4")
    (folder / "broken.mp4").write_text("not a video")
    return folder


def starts(footage: Path, files: list[str], **given: str) -> list[datetime | None]:
    found = Recordings(folder=str(footage), **given).times(files)
    assert found["video_file"].to_list() == files
    return found["file_start"].to_list()


CHAPTERS = [f"day1/GX0{chapter}0042.MP4" for chapter in (1, 2, 3)]


def test_a_containers_time_is_taken_only_where_it_is_asked_for(footage: Path) -> None:
    assert starts(footage, CHAPTERS) == [None] * 3
    assert starts(footage, CHAPTERS[:1], created="local") == [BEGUN]
    # In Lisbon the winter's clock is UTC, in Berlin an hour ahead of it.
    assert starts(footage, CHAPTERS[:1], created="Europe/Berlin") == [BEGUN + timedelta(hours=1)]


def test_chapters_that_bear_one_time_follow_one_another(footage: Path) -> None:
    after = [BEGUN + timedelta(seconds=seconds) for seconds in (0, 3, 5)]
    assert starts(footage, CHAPTERS, created="local") == after
    # Of a recording whose first chapter is not there, nobody knows how long it was.
    assert starts(footage, ["GX020007.MP4"], created="local") == [None]


@pytest.mark.usefixtures("beside_ffmpeg")
def test_chapters_that_bear_their_own_times_keep_them(tmp_path: Path) -> None:
    record(tmp_path / "GX010042.MP4", 3)
    record(tmp_path / "GX020042.MP4", 2, BEGUN + timedelta(seconds=3))
    later = starts(tmp_path, ["GX010042.MP4", "GX020042.MP4"], created="local")
    assert later == [BEGUN, BEGUN + timedelta(seconds=3)]


def test_a_time_in_a_name_goes_before_the_containers(footage: Path) -> None:
    assert starts(footage, ["reef_20200101_080000.mp4"], created="local") == [datetime(2020, 1, 1, 8)]


def test_the_bound_on_pixels_is_the_collections(footage: Path) -> None:
    for most, rates in ((0.001, [None]), (1.0, [24.0])):
        found = Recordings(folder=str(footage), most_megapixels=most).times(CHAPTERS[:1])
        assert found["frames_per_second"].to_list() == rates


def test_a_file_that_can_not_be_read_has_no_rate(footage: Path) -> None:
    found = Recordings(folder=str(footage)).times(["broken.mp4", "absent.mp4", "../outside.mp4"])
    assert found["frames_per_second"].to_list() == [None] * 3
    assert Recordings(folder=str(footage)).times([]).is_empty()


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Path:
    root = tmp_path_factory.mktemp("aquarium")
    (root / "recordings").mkdir()
    shutil.copy(real_data / "aquarium-fish-video" / "fish.mp4", root / "recordings")
    rows = {"video_file": ["fish.mp4"] * 2, "frame_id": [0, 30], "box": [[1.0, 2.0, 400.0, 500.0]] * 2}
    write_deltalake(str(root / "inference"), pl.DataFrame(rows | {"score": [0.5, 0.6]}).to_arrow())
    return root


def test_a_changed_start_changes_the_fingerprint_of_its_video_alone(collection: Path) -> None:
    table = collection / "recordings.csv"
    inference = Inference(uri=str(collection / "inference"), owners_table=str(table))
    before = inference.arrivals().videos["fingerprint"].to_list()
    prints = [before]
    for text in ("file,start\nfish.mp4,2024-12-31T13:30:05\n", "file,start\nfish.mp4,2024-12-31T13:30:06\n"):
        table.write_text(text)
        prints.append(inference.arrivals().videos["fingerprint"].to_list())
        assert list(inference.detected(["fish"]).fingerprints.values()) == prints[-1]
    assert len({one for (one,) in prints}) == 3
    for text in ("file,start\nother.mp4,2024-12-31T13:30:05\n", "file,station\nfish.mp4,pier\n"):
        table.write_text(text)
        assert inference.arrivals().videos["fingerprint"].to_list() == before
    table.unlink()


def test_a_setting_of_time_changes_every_fingerprint_and_what_the_sensor_has_seen(collection: Path) -> None:
    def state(**settings: str) -> tuple[dict, list[str]]:
        inference = Inference.of(Settings.from_environment({"MEGAFISH_ROOT": str(collection), **settings}))
        return inference.state(), inference.arrivals().videos["fingerprint"].to_list()

    found = [
        state(),
        state(MEGAFISH_CLIP_SECONDS="12"),
        state(MEGAFISH_NUMBER=r"(\d+)"),
        state(MEGAFISH_CREATED="utc"),
        state(MEGAFISH_CREATED="utc", MEGAFISH_TIMEZONE="Europe/Lisbon"),
        state(MEGAFISH_RECORDING_START="2025-12-12T13:30:00"),
    ]
    assert all(one[0] != other[0] and one[1] != other[1] for one, other in combinations(found, 2))
    assert state() == state(MEGAFISH_CLIP_SECONDS="10.0", MEGAFISH_TIMEZONE="Europe/Lisbon") == found[0]


def test_a_wrong_line_is_told_before_anything_is_made(collection: Path, real_data: Path) -> None:
    (collection / "recordings.csv").write_text("file,start\nfish.mp4,yesterday\n")
    weights = real_data / "mobilenetv2-imagenet"
    finished = bring_up_to_date(collection, backbones="mobilenetv2", weights=weights)
    assert finished.returncode == 1 and "Traceback" not in finished.stderr
    assert finished.stderr.startswith(str(collection / "recordings.csv"))
    assert f"{collection}/recordings.csv: start in lines 2 is not local time of its first frame" in finished.stderr
    assert not (collection / "tables").exists()
