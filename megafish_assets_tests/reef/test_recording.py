"""What lies in a reef's folder, read back with other tools than those that wrote it."""

import hashlib
import json
from pathlib import Path

import av
import polars as pl
import pytest

from megafish_assets.reef.__main__ import parse
from megafish_assets.reef.plan import ReefPlan
from megafish_assets.reef.recording import OtherReefError, record, write_reef, write_video

TINY = ReefPlan(videos=2, frames=30, size_wh_px=(320, 180), seed=11)


@pytest.fixture(scope="module")
def reef(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny reef, written once."""
    folder = tmp_path_factory.mktemp("reef")
    write_reef(folder, TINY)
    return folder


def fingerprints(recordings: Path) -> dict[str, str]:
    """Hash of every file, by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(recordings.iterdir())}


def test_the_inference_table_has_the_notebooks_schema(reef: Path) -> None:
    assert dict(pl.read_delta(str(reef / "inference")).schema) == {
        "video_file": pl.String,
        "frame_id": pl.Int64,
        "box": pl.List(pl.Float64),
        "score": pl.Float64,
    }


def test_the_truth_stands_row_for_row_beside_the_inference(reef: Path) -> None:
    inference, truth = (pl.read_delta(str(reef / name)) for name in ("inference", "truth"))
    assert truth.select(inference.columns).equals(inference)
    assert truth.columns[4:] == [
        "track_id",
        "species",
        "true_box",
        "artefact",
        "is_part",
        "depth",
        "background",
    ]
    assert set(inference["video_file"]) == {"megalab_0000.mp4", "megalab_0001.mp4"}


def test_the_camera_table_has_a_row_for_every_frame(reef: Path) -> None:
    camera = pl.read_delta(str(reef / "camera"))
    assert camera.group_by("video_file").len()["len"].to_list() == [30, 30]


def test_a_video_has_as_many_frames_of_the_size_asked_for(reef: Path) -> None:
    for name in ("megalab_0000.mp4", "megalab_0001.mp4"):
        with av.open(str(reef / "recordings" / name)) as container:
            frames = [(frame.width, frame.height) for frame in container.decode(video=0)]
            assert container.streams.video[0].average_rate == 30
        assert frames == [(320, 180)] * 30


def test_the_same_plan_gives_the_same_bytes(reef: Path, tmp_path: Path) -> None:
    write_reef(tmp_path, TINY)
    assert fingerprints(tmp_path / "recordings") == fingerprints(reef / "recordings")
    for name in ("inference", "truth", "camera"):
        assert pl.read_delta(str(tmp_path / name)).equals(pl.read_delta(str(reef / name)))


def test_a_longer_reef_and_other_processes_give_the_same_video(reef: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("megafish_assets.reef.recording.SMALL_REEF_PIXELS", 0)
    assert list(record(TINY, tmp_path)) == [0, 1]
    assert fingerprints(tmp_path) == fingerprints(reef / "recordings")
    alone = tmp_path / "megalab_0001.mp4"
    write_video(ReefPlan(videos=1, frames=30, size_wh_px=(320, 180), seed=11, first_video=1), 1, alone)
    assert fingerprints(tmp_path) == fingerprints(reef / "recordings")


def test_another_seed_gives_other_frames(reef: Path, tmp_path: Path) -> None:
    other = tmp_path / "megalab_0000.mp4"
    write_video(ReefPlan(videos=1, frames=30, size_wh_px=(320, 180), seed=12), 0, other)
    assert fingerprints(tmp_path)[other.name] != fingerprints(reef / "recordings")[other.name]


def test_a_reef_that_is_there_is_left_alone(reef: Path) -> None:
    before, lines = fingerprints(reef / "recordings"), []
    write_reef(reef, TINY, on_progress=lines.append)
    assert lines == [f"reef is there: {reef}"]
    assert fingerprints(reef / "recordings") == before


def test_a_folder_with_another_reef_is_refused(reef: Path) -> None:
    with pytest.raises(OtherReefError, match="holds a reef with the plan"):
        write_reef(reef, ReefPlan(videos=3, frames=30, size_wh_px=(320, 180), seed=11))


def test_a_reef_that_was_recorded_before_it_could_have_fewer_species_is_still_the_same(tmp_path: Path) -> None:
    small = ReefPlan(videos=1, frames=3, size_wh_px=(160, 90), seed=1)
    write_reef(tmp_path, small)
    sign = json.loads((tmp_path / "reef.json").read_text())
    (tmp_path / "reef.json").write_text(json.dumps({name: sign[name] for name in sign if name != "species"}))
    lines = []
    write_reef(tmp_path, small, on_progress=lines.append)
    assert lines == [f"reef is there: {tmp_path}"]


def test_an_unfinished_reef_is_written_anew_and_leaves_no_scraps(tmp_path: Path) -> None:
    small = ReefPlan(videos=1, frames=3, size_wh_px=(160, 90), seed=1)
    write_reef(tmp_path, small)
    (tmp_path / "reef.json").unlink()
    write_reef(tmp_path, small)
    assert pl.read_delta(str(tmp_path / "camera")).height == 3
    assert not list(tmp_path.rglob(".unfinished*"))
    assert json.loads((tmp_path / "reef.json").read_text())["frames"] == 3


def test_the_command_line_names_every_knob() -> None:
    line = "there --videos 2 --frames 30 --fps 25 --size 320x180 --seed 5 --first-video 7 --species 3"
    assert parse(line.split()) == (Path("there"), ReefPlan(2, 30, 25, (320, 180), 5, 7, 3))
    assert parse(["there"]) == (Path("there"), ReefPlan())
