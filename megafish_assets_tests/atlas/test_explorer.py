"""The explorer's folder: places, thumbs, near-duplicates and addresses, each beside what it is made from."""

import json
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from megafish_assets.atlas.colourings import colourings
from megafish_assets.atlas.columns import EXPLORER
from megafish_assets.atlas.duplicates import duplicates_of, grey_picture
from megafish_assets.atlas.embedding_atlas import write_parquet
from megafish_assets.atlas.explorer import address, explorer_table
from megafish_assets.atlas.measures import explorer_numbers, thumbs_of_other_pixels
from megafish_assets.atlas.packing import counted, neighbor_script, script
from megafish_assets.atlas.points import NotSampledError, neighbor_places, points_of
from megafish_assets.atlas.positions import along_the_map, in_unit_square, placed, turned_like
from megafish_assets.atlas.stills import still_frames, still_name, stills_a_video, stills_of, video_file
from megafish_assets_tests.atlas.explored import HOSTILE, N_EACH, explored
from megafish_assets_tests.videos import decoded_frames, write


def ids(n: int) -> np.ndarray:
    return np.array([f"v/{frame:06d}/000" for frame in range(n)], dtype=object)


def test_a_map_stays_to_the_bit_until_its_features_change_and_then_lies_as_before() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(5, 12))
    features = (np.repeat(centres, 20, axis=0) + rng.normal(scale=0.05, size=(100, 12))).astype(np.float32)
    first, version = placed(ids(100), features, 42, None)
    stored = pl.DataFrame({"detection_id": ids(100), "x": first[:, 0], "y": first[:, 1], "layout_version": version})
    again, same = placed(ids(100), features, 42, stored)
    assert same == version and np.array_equal(again, first)
    assert np.array_equal(placed(ids(100), features, 42, None)[0], first)
    assert first.min() >= 0 and first.max() <= 1
    # A map of yesterday that was the mirror image: tonight's comes out as the mirror image too.
    mirrored = stored.with_columns(x=1 - pl.col("x"), layout_version=pl.lit("older"))
    turned, _ = placed(ids(100), features, 42, mirrored)
    assert turned[:, 0] == pytest.approx(1 - first[:, 0], abs=0.02)
    assert turned[:, 1] == pytest.approx(first[:, 1], abs=0.02)


@pytest.mark.parametrize("n", [0, 1, 4, 5])
def test_few_crops_have_places_too(n: int) -> None:
    positions, _ = placed(ids(n), np.eye(n, 7, dtype=np.float32), 1, None)
    assert positions.shape == (n, 2) and np.isfinite(positions).all()


def test_turning_keeps_distances_and_new_rows_turn_with_the_known() -> None:
    rng = np.random.default_rng(0)
    positions, angle = rng.normal(size=(30, 2)), 2.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    before = positions @ turn
    known = before.copy()
    known[20:] = np.nan
    centre = before.mean(axis=0)
    assert turned_like(positions, known) == pytest.approx(before - centre, abs=1e-9)
    assert in_unit_square(np.array([[0.0, 0.0], [4.0, 2.0]])).tolist() == [[0.0, 0.25], [1.0, 0.75]]


def test_the_order_along_the_map_keeps_neighbors_together() -> None:
    side = np.arange(16) / 16 + 1 / 32
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    shuffled = grid[np.random.default_rng(0).permutation(256)]
    # A step of 1/16 to the next cell, and now and then a leap: a shuffled order takes two thirds of the map a step.
    assert np.abs(np.diff(grid[along_the_map(grid)], axis=0)).sum(axis=1).mean() < 0.12
    assert np.abs(np.diff(shuffled, axis=0)).sum(axis=1).mean() > 0.6


def test_a_copy_is_a_near_duplicate_and_another_animal_is_not() -> None:
    rng = np.random.default_rng(0)
    scenes = [cv2.resize(rng.integers(0, 255, (6, 6, 3), dtype=np.uint8), (60, 60)) for _ in range(3)]
    copy = cv2.imdecode(cv2.imencode(".jpg", cv2.resize(scenes[0], (44, 44)), [cv2.IMWRITE_JPEG_QUALITY, 50])[1], 1)
    flat = [np.full((20, 20, 3), level, np.uint8) for level in (90, 91)]
    greys = np.stack([grey_picture(one) for one in (scenes[0], scenes[1], copy, scenes[2], *flat)])
    everyone = np.array([[other for other in range(6) if other != row] for row in range(6)])
    assert duplicates_of(greys, everyone, np.arange(6)).tolist() == [-1, -1, 0, -1, -1, -1]
    assert duplicates_of(greys, everyone, np.arange(6)[::-1]).tolist() == [2, -1, -1, -1, -1, -1]
    assert duplicates_of(greys, np.full((6, 1), -1), np.arange(6)).tolist() == [-1] * 6
    assert duplicates_of(greys[:0], everyone[:0], np.arange(0)).tolist() == []


def sampled(n: int) -> pl.DataFrame:
    side = {name: [1.0] * n for name in ("x_1024", "y_1024", "width_1024", "height_1024")}
    rows = {"detection_id": ids(n).tolist(), "video_file": ["v.mp4"] * n, "frame_id": list(range(n))} | side
    times = {"seconds_in_video": [5.0] * n, "recorded_at": [datetime(2025, 1, 1)] * n}
    return pl.DataFrame(rows | times)


def clustered(n: int) -> pl.DataFrame:
    rows = {"video": ["v"] * n, "detection_id": ids(n).tolist(), "cluster": [0] * n}
    return pl.DataFrame(rows | {"tracklet_id": ["v/t00001", None, *["v/t00002"] * (n - 2)]})


def test_points_say_what_the_tables_that_there_are_know() -> None:
    seconds = pl.DataFrame({"detection_id": ids(4)[:1].tolist(), "presentation_seconds": [4.5]})
    bare = points_of(clustered(4), sampled(4), seconds)
    assert bare["seconds"].to_list() == [4.5, 5.0, 5.0, 5.0]
    assert bare.select("kind_id", "name", "not_fish").null_count().row(0) == (4, 4, 4)
    kinds = {"unit_id": ["v/t00002", "v/t00002", ids(4)[1]], "kind_id": [3, 4, 5], "is_latest": [False, True, True]}
    named = {"unit_id": "v/t00002", "name": "cod", "name_source": "person", "probability": 1.0, "backbone": "b"}
    classes = pl.DataFrame([named])
    lens = pl.DataFrame({"detection_id": ids(4).tolist(), "reason": [None, "wiper", None, None]})
    told = points_of(clustered(4), sampled(4), seconds, pl.LazyFrame(kinds), classes.lazy(), lens.lazy())
    assert told["kind_id"].to_list() == [None, 5, 4, 4]
    assert told.select("name", "backbone").rows() == [(None, None), (None, None), ("cod", "b"), ("cod", "b")]
    assert told["not_fish"].to_list() == [None, "wiper", None, None]
    assert [one.name for one in colourings(told, np.full(4, -1))] == [
        "Kind",
        "Name",
        "Video",
        "Time of day",
        "Not fish",
        "Near-duplicates",
    ]
    with pytest.raises(NotSampledError, match="1 of 4 clustered rows"):
        points_of(clustered(4), sampled(4).head(3), seconds)


def test_neighbors_that_are_no_points_are_passed_over() -> None:
    table = pl.DataFrame(
        {
            "detection_id": ["b", "a", "x"],
            "neighbor_ids": [["a"], ["x", "c", "b"], ["a"]],
            "distances": [[0.5], [0.1, 0.2, 0.3], [0.1]],
        }
    )
    places, distances = neighbor_places(["a", "b", "c"], table)
    assert places.tolist() == [[2, 1], [0, -1], [-1, -1]]
    assert distances[0].tolist() == pytest.approx([0.2, 0.3]) and np.isnan(distances[2]).all()
    assert neighbor_places([], table)[0].shape == (0, 0)


def test_a_script_holds_a_hostile_name_as_nothing_but_its_letters() -> None:
    told = script("say", HOSTILE).decode("ascii")
    assert not set("<>&\u2028") & set(told)
    assert json.loads(told.removeprefix("say(").removesuffix(");\n")) == HOSTILE


def test_numbers_that_do_not_fit_are_refused() -> None:
    types = [counted(np.array([top]))["type"] for top in (255, 256, 65536)]
    assert types == ["Uint8Array", "Uint16Array", "Uint32Array"]
    with pytest.raises(ValueError, match="numbers from -1"):
        counted(np.array([-1, 3]))
    with pytest.raises(ValueError, match="at most 16777215"):
        neighbor_script(0, np.array([[2**24]]), np.array([[0.1]]))


def test_videos_are_linked_by_encoded_parts_and_from_elsewhere_by_their_whole_place() -> None:
    root = Path("/data/reef")
    folder = root / "figures" / "explorer"
    assert address(root / "recordings" / "dive 1#a%.mp4", folder, root) == "../../recordings/dive%201%23a%25.mp4"
    assert address(root / "a" / "javascript:b.mp4", folder, root) == "../../a/javascript%3Ab.mp4"
    assert address(Path("/mnt/x/a b.mp4"), folder, root) == "file:///mnt/x/a%20b.mp4"


@pytest.mark.parametrize(("n_videos", "n"), [(1, 128), (12, 64), (1024, 1), (1025, 0)])
def test_stills_are_shared_out_among_the_videos(n_videos: int, n: int) -> None:
    assert stills_a_video(n_videos) == n
    frames = still_frames(pl.DataFrame({"frame_id": list(range(0, 400, 2)) * 2}), n)
    assert len(frames) == n and set(frames) <= set(range(0, 400, 2))
    assert n < 2 or (frames[0], frames[-1]) == (0, 398)


def test_a_video_that_browsers_do_not_play_leaves_stills_which_are_not_decoded_twice(tmp_path: Path) -> None:
    frames = [np.full((90, 160, 3), 40 + 20 * number, np.uint8) for number in range(8)]
    for name, codec in (("played.mp4", "libx264"), ("a.avi", "mpeg4"), ("b.mp4", "mpeg4"), ("c.mts", "mpeg2video")):
        write(tmp_path / name, frames, codec)
    (tmp_path / "torn.mp4").write_bytes(b"no video")
    plays = {path.name: video_file(path).plays for path in tmp_path.iterdir()}
    assert plays == {"played.mp4": True, "a.avi": False, "b.mp4": False, "c.mts": False, "torn.mp4": False}
    assert video_file(tmp_path / "gone.mp4").size_bytes is None and video_file(None).size_bytes is None
    avi = video_file(tmp_path / "a.avi")
    stills = stills_of(avi, [2, 5, 99], tmp_path)
    assert sorted(stills) == [2, 5]
    shown = cv2.imdecode(np.frombuffer(stills[5], np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(shown.astype(int) - decoded_frames(tmp_path / "a.avi")[5]).mean() < 4
    (tmp_path / still_name(avi, 2)).write_bytes(b"of the night before")
    assert stills_of(avi, [2, 5], tmp_path)[2] == b"of the night before"
    write(tmp_path / "a.avi", frames[::-1] * 2, "mpeg4")
    assert stills_of(video_file(tmp_path / "a.avi"), [2], tmp_path)[2] != b"of the night before"
    assert stills_of(video_file(tmp_path / "torn.mp4"), [2], tmp_path) == {}


def test_the_table_is_sorted_and_names_what_is_repeated(tmp_path: Path) -> None:
    shown, sheets, jpegs = explored(tmp_path)
    table = explorer_table(shown, "abc")
    assert dict(table.schema) == {name: column.dtype for name, column in EXPLORER.items()}
    assert table["detection_id"].is_sorted() and table.height == 4 * N_EACH
    repeats = table.drop_nulls("duplicate_of").select("detection_id", "duplicate_of").rows()
    assert repeats == [("v-b/000005/001", "v-b/000002/001")]
    clusters = shown.points.select("detection_id")
    more = pl.concat([clusters, pl.DataFrame({"detection_id": ["v-z/000000/000"]})])
    assert explorer_numbers(shown, clusters)["n_crops_not_shown"] == 0
    assert explorer_numbers(shown, more)["n_crops_not_shown"] == 1
    assert explorer_numbers(shown, clusters)["n_videos_without_file"] == 4
    assert thumbs_of_other_pixels(sheets, jpegs, 64, 1) == 0
    assert thumbs_of_other_pixels(sheets, jpegs[N_EACH:] + jpegs[:N_EACH], 64, 1) == 4 * N_EACH


def test_the_parquet_holds_places_pictures_and_rows_of_neighbors(tmp_path: Path) -> None:
    shown, _, jpegs = explored(tmp_path)
    write_parquet(tmp_path / "atlas" / "explorer.parquet", shown, jpegs)
    rows = pq.read_table(tmp_path / "atlas" / "explorer.parquet").to_pylist()
    assert len(rows) == 4 * N_EACH
    assert rows[5]["picture"]["bytes"] == jpegs[5]
    assert rows[3]["neighbors"]["ids"] == [5, 7, 9]
    assert rows[5]["neighbors"]["distances"] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert (rows[5]["x"], rows[5]["y"]) == pytest.approx((shown.positions[5, 0], 1 - shown.positions[5, 1]))
