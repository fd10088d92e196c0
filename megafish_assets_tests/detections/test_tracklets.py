"""Tracklets against what the reef's fish really did, against scenes made by hand, and on a real aquarium."""

import tracemalloc
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks.tracklets import by_overlap
from megafish_assets.detections.columns import RAW, TRACKLETS
from megafish_assets.detections.faults import valid_rows
from megafish_assets.detections.measures import tracklet_counts
from megafish_assets.detections.pan import longest_gap_frames
from megafish_assets.detections.raw import raw_detections
from megafish_assets.detections.tracklets import tracklets
from megafish_assets.footage.clocks import Clock
from megafish_assets.footage.columns import empty_table
from megafish_assets.reef.plan import ReefPlan
from megafish_assets.reef.tables import simulate_video
from megafish_assets.reef.truth import kinds

CLOCK = Clock(10, 300, None)
REEF_VIDEOS = (0, 3, 7)
"""Few fish, a wiper, three fish that swim one way: the default reef's easy and its hard ones."""

LONGEST_GAP_FRAMES = longest_gap_frames(30)

Boxes = dict[int, tuple[float, float, float, float]]
"""x, y, width and height by frame."""


def scene(*things: Boxes, video_file: str = "a_1.mp4") -> pl.DataFrame:
    """Raw rows of things whose boxes are given; thing i has the score i / 100."""
    rows = [
        (video_file, frame_id, [float(side) for side in box], i / 100)
        for i, boxes in enumerate(things)
        for frame_id, box in boxes.items()
    ]
    schema = {"video_file": pl.String, "frame_id": pl.Int64, "box": pl.List(pl.Float64), "score": pl.Float64}
    return raw_detections(pl.DataFrame(rows, schema=schema, orient="row"), CLOCK)


def swimming(start_xy: tuple[float, float], step_xy: tuple[float, float], n: int, wh: tuple = (60, 30)) -> Boxes:
    return {k: (start_xy[0] + k * step_xy[0], start_xy[1] + k * step_xy[1], *wh) for k in range(n)}


def without(boxes: Boxes, frame_ids: range) -> Boxes:
    return {frame_id: box for frame_id, box in boxes.items() if frame_id not in frame_ids}


def pieces(raw: pl.DataFrame) -> list[list[int]]:
    """Of each thing of a scene, the numbers of the tracklets that hold its boxes, frame by frame."""
    found = raw.join(tracklets(raw), on=["video", "detection_id"]).sort("frame_id")
    things = found.with_columns((pl.col("score") * 100).round().cast(pl.Int64).alias("thing"))
    number = pl.col("tracklet_id").str.extract(r"/t(\d{5})$").cast(pl.Int64)
    by_thing = things.group_by("thing").agg(number).sort("thing")
    return by_thing["tracklet_id"].to_list()


@pytest.fixture(scope="module")
def reef() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Raw rows of three default videos, and what each row shows: a fish by its track, or a sort of artefact."""
    videos = [simulate_video(ReefPlan(), video) for video in REEF_VIDEOS]
    raw = raw_detections(pl.concat([video.inference for video in videos]), CLOCK)
    shown = kinds(raw, pl.concat([video.truth for video in videos]))
    return raw, shown.select("detection_id", "track_id", pl.coalesce("track_id", "kind").alias("thing"))


@pytest.fixture(scope="module")
def judged(reef: tuple[pl.DataFrame, pl.DataFrame]) -> pl.DataFrame:
    """Every detection of the reef with its tracklet's length, and whether more than half of that are its own thing.

    A thing is one true track, or all artefacts of one sort in one video: the reef does not tell two growths apart. So
    an artefact in a fish's tracklet counts as wrong, and a fish in an artefact's, and a tracklet of half and half.
    """
    raw, shown = reef
    found = tracklets(raw).join(shown, on="detection_id", validate="1:1")
    return found.with_columns(
        pl.len().over("tracklet_id").alias("length"),
        (pl.len().over("tracklet_id", "thing") * 2 > pl.len().over("tracklet_id")).alias("is_own"),
    )


def test_no_rows_have_no_tracklets() -> None:
    found = tracklets(empty_table(RAW))
    assert found.height == 0
    assert dict(found.schema) == {name: column.dtype for name, column in TRACKLETS.items()}


def test_one_row_is_a_tracklet_of_one() -> None:
    found = tracklets(scene({5: (100, 100, 60, 30)}))
    assert dict(found.schema) == {name: column.dtype for name, column in TRACKLETS.items()}
    assert found.rows() == [("a_1", "a_1/000005/000", "a_1/t00000", 0, 0.0, 0.0, 0)]


def test_nine_hundred_and_eighty_of_a_thousand_reef_detections_are_with_their_own(judged: pl.DataFrame) -> None:
    assert judged["is_own"].mean() >= 0.98
    assert judged.filter(pl.col("track_id").is_not_null())["is_own"].mean() >= 0.98


def test_purity_is_not_bought_by_tracklets_of_one(judged: pl.DataFrame) -> None:
    fish = judged.filter(pl.col("track_id").is_not_null())
    assert (fish["length"] >= 3).mean() > 0.95
    assert (fish["length"] >= 10).mean() > 0.9
    assert fish["length"].mean() > 90


def test_a_track_of_the_reef_falls_into_four_pieces_at_most(judged: pl.DataFrame) -> None:
    fish = judged.filter(pl.col("track_id").is_not_null() & pl.col("is_own"))
    assert fish["tracklet_id"].n_unique() / fish["track_id"].n_unique() <= 4


def thinned(raw: pl.DataFrame, n: int) -> pl.DataFrame:
    """Every n-th frame, as a camera of so much lower rate would have taken it."""
    kept = raw.filter(pl.col("frame_id") % n == 0)
    seconds = (pl.col("frame_id") / 30).alias("seconds_in_video")
    return kept.with_columns(seconds, pl.col("frame_id") // n)


@pytest.mark.parametrize("n", [2, 3, 6])
def test_at_lower_rates_tracklets_are_longer_and_as_pure_as_by_plain_overlap(
    reef: tuple[pl.DataFrame, pl.DataFrame], n: int
) -> None:
    raw, shown = reef
    rows = thinned(raw, n)
    lengths, purities = [], []
    for found in (tracklets(rows), by_overlap(rows)):
        things = found.join(shown, on="detection_id")
        is_own = pl.len().over("tracklet_id", "thing") * 2 > pl.len().over("tracklet_id")
        purities.append(things.select(is_own.mean()).item())
        lengths.append(found.height / found["tracklet_id"].n_unique())
    assert lengths[0] > lengths[1]
    assert purities[0] >= min(0.995, purities[1])


def test_every_sound_row_stands_in_one_tracklet_that_goes_forward_in_time(
    reef: tuple[pl.DataFrame, pl.DataFrame], judged: pl.DataFrame
) -> None:
    raw, _ = reef
    assert raw["fault"].null_count() == raw.height
    assert judged["detection_id"].to_list() == raw["detection_id"].to_list()
    rows = judged.join(raw, on=["video", "detection_id"]).sort("tracklet_id", "position")
    steps = rows.select(
        pl.col("frame_id").diff().over("tracklet_id").alias("frames"),
        pl.col("position").diff().over("tracklet_id").alias("positions"),
    ).drop_nulls()
    assert steps["frames"].is_between(1, LONGEST_GAP_FRAMES).all()
    assert (steps["positions"] == 1).all()
    assert (rows.group_by("tracklet_id").agg(pl.col("position").min())["position"] == 0).all()


def test_the_order_of_the_rows_does_not_matter(reef: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    raw, _ = reef
    shuffled = raw.sample(fraction=1.0, shuffle=True, seed=5)
    assert tracklets(shuffled).equals(tracklets(raw))


def test_several_videos_at_once_are_as_one_by_one(reef: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    raw, _ = reef
    alone = pl.concat([tracklets(video) for video in raw.partition_by("video")])
    assert alone["video"].n_unique() == len(REEF_VIDEOS)
    assert tracklets(raw).equals(alone.sort("detection_id"))


def test_two_fish_that_cross_are_never_one_and_both_stop() -> None:
    one, other = pieces(scene(swimming((100, 200), (3, 0), 60), swimming((277, 203), (-3, 0), 60)))
    assert set(one).isdisjoint(other)
    assert one[0] != one[-1] and other[0] != other[-1]
    assert len(set(one[:20])) == len(set(one[-20:])) == len(set(other[:20])) == len(set(other[-20:])) == 1


def test_fish_of_other_sizes_cross_without_a_stop() -> None:
    big = swimming((270, 190), (-3, 0), 60, wh=(140, 80))
    one, other = pieces(scene(swimming((100, 200), (3, 0), 60), big))
    assert len(set(one)) == len(set(other)) == 1
    assert one[0] != other[0]


@pytest.mark.parametrize("n_missed", [1, 2, LONGEST_GAP_FRAMES - 1])
def test_a_miss_of_a_few_frames_is_bridged(n_missed: int) -> None:
    [fish] = pieces(scene(without(swimming((100, 200), (4, 1), 30), range(12, 12 + n_missed))))
    assert fish == [0] * (30 - n_missed)


def test_a_longer_miss_begins_another_tracklet() -> None:
    [fish] = pieces(scene(without(swimming((100, 200), (4, 1), 30), range(12, 12 + LONGEST_GAP_FRAMES))))
    assert fish == [0] * 12 + [1] * (30 - 12 - LONGEST_GAP_FRAMES)


def test_a_gap_is_as_long_in_seconds_at_any_rate() -> None:
    fish = swimming((100, 200), (4, 1), 40)
    for rate, n_missed in ((10, 4), (60, 29)):
        seconds = (pl.col("frame_id") / rate).alias("seconds_in_video")
        assert len(set(pieces(scene(without(fish, range(9, 9 + n_missed))).with_columns(seconds))[0])) == 1
        assert len(set(pieces(scene(without(fish, range(9, 10 + n_missed))).with_columns(seconds))[0])) == 2


def test_a_start_that_a_fish_alone_may_make_is_too_far_where_another_is_near() -> None:
    start = swimming((100, 200), (0, 0), 10) | {k: (131 + 2 * (k - 10), 200, 60, 30) for k in range(10, 20)}
    other = swimming((156, 200), (0, 0), 20)
    assert pieces(scene(start)) == [[0] * 20]
    assert len(set(pieces(scene(start, other))[0])) > 1


@pytest.mark.parametrize("rate", [0.1, 1.0, 10.0])
def test_strangers_that_are_alone_one_after_another_are_not_joined_for_want_of_others(rate: float) -> None:
    rng = np.random.default_rng(0)
    boxes = {k: (*rng.uniform(0, 900, 2), *rng.uniform(30, 120, 2)) for k in range(100)}
    seconds = (pl.col("frame_id") / rate).alias("seconds_in_video")
    found = tracklets(scene(boxes).with_columns(seconds))
    assert found["tracklet_id"].n_unique() > 85


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), 1e-9, 1e12, -1.0, None])
def test_seconds_that_cannot_be_are_no_rate(seconds: float | None) -> None:
    raw = scene(swimming((100, 200), (4, 1), 30)).with_columns(pl.lit(seconds, pl.Float64).alias("seconds_in_video"))
    assert tracklets(raw)["tracklet_id"].n_unique() == 1


def test_of_two_boxes_as_near_neither_is_chosen() -> None:
    fish = swimming((100, 200), (0, 0), 10)
    beside = [{k: (100 + x, 200, 60, 30) for k in range(10, 20)} for x in (-3, 3)]
    before, left, right = pieces(scene(fish, *beside))
    assert set(before).isdisjoint(left) and set(before).isdisjoint(right) and left[0] != right[0]


def test_a_pan_of_20_px_a_frame_breaks_nothing() -> None:
    own = [(2, 0), (-1, 1), (0, -1), (-3, 0)]
    fish = [
        swimming((40 + 60 * i, 100 + 200 * i), (20 + step[0], step[1]), 30, wh=(40 + 10 * i, 30))
        for i, step in enumerate(own)
    ]
    raw = scene(*fish)
    assert pieces(raw) == [[i] * 30 for i in range(4)]
    later = tracklets(raw).filter(~pl.col("detection_id").str.contains("/000000/"))
    assert (later["pan_x_1024"] - 20).abs().max() < 2 and later["pan_y_1024"].abs().max() < 2
    assert later["n_pan_boxes"].unique().to_list() == [4]


def test_boxes_fixed_to_the_lens_join_no_fish_that_drifts_past_them() -> None:
    fish = [swimming((40, 150 + 250 * i), (20, 0), 45, wh=(50 + 10 * i, 40)) for i in range(3)]
    growth = [swimming((400 + 60 * i, 145 + 250 * i), (0, 0), 45, wh=(62 + 10 * i, 45)) for i in range(3)]
    found = pieces(scene(*fish, *growth))
    assert all(set(one).isdisjoint(other) for i, one in enumerate(found) for other in found[:i])
    assert all(len(set(numbers[:20])) == len(set(numbers[-15:])) == 1 for numbers in found)


def test_a_faulty_row_is_in_no_tracklet_and_changes_no_other() -> None:
    valid = swimming((100, 200), (4, 1), 10)
    broken = {k: (box[0], box[1], -60.0, 30.0) for k, box in valid.items()}
    raw = scene(valid, broken)
    found = tracklets(raw)
    assert found.height == 10
    assert set(found["detection_id"]) == set(raw.filter(pl.col("fault").is_null())["detection_id"])
    assert found["tracklet_id"].unique().to_list() == ["a_1/t00000"]


def test_odd_frame_numbers_are_tracklets_of_one() -> None:
    box = (100.0, 200.0, 60.0, 30.0)
    found = tracklets(scene({-(2**62): box, -70: box, 0: box, 1: box, 2**62: box}))
    assert found["position"].sort().to_list() == [0, 0, 0, 0, 1]


def test_tracklets_are_numbered_by_first_sight_in_their_own_video() -> None:
    boxes = [swimming((100, 100), (0, 0), 5), swimming((600, 700), (0, 0), 5)]
    raw = pl.concat([scene(*boxes, video_file="b_2.mp4"), scene(*boxes)])
    found = tracklets(raw).group_by("tracklet_id").len().sort("tracklet_id")
    assert found.rows() == [(f"{video}/t{number:05d}", 5) for video in ("a_1", "b_2") for number in range(2)]


def aquarium(real_data: Path) -> pl.DataFrame:
    """Raw rows of the real clip, which a hand's camera took."""
    boxes = pl.read_csv(real_data / "aquarium-fish-video" / "fish_detections.csv")
    x, y, w, h = (pl.col(f"{side}_px") for side in "xywh")
    box = pl.concat_list(x * 1024 / 640, y * 1024 / 360, w * 1024 / 640, h * 1024 / 360).alias("box")
    return raw_detections(boxes.select(pl.lit("fish_1.mp4").alias("video_file"), "frame_id", box, "score"), CLOCK)


def tracklet_at(found: pl.DataFrame, frame_id: int, x_px: float, y_px: float) -> str:
    """The tracklet whose box is centred nearest to a place in the aquarium's own pixels."""
    x = (pl.col("x_1024") + pl.col("width_1024") / 2) * 640 / 1024 - x_px
    y = (pl.col("y_1024") + pl.col("height_1024") / 2) * 360 / 1024 - y_px
    return found.filter(pl.col("frame_id") == frame_id).sort(x.pow(2) + y.pow(2))["tracklet_id"][0]


def test_a_real_aquarium_gives_long_tracklets_of_what_eyes_follow_there(real_data: Path) -> None:
    raw = aquarium(real_data)
    found = raw.join(tracklets(raw), on=["video", "detection_id"])
    lengths = found.select(pl.len().over("tracklet_id").alias("length"))["length"]
    assert (lengths >= 3).mean() > 0.95 and lengths.mean() > 90
    slow = thinned(raw, 3)
    assert tracklets(slow)["tracklet_id"].n_unique() < by_overlap(slow)["tracklet_id"].n_unique()
    # Places were read off the pictures: the white fish for eight seconds, through two turns,
    white = [(60, 337, 46), (120, 266, 61), (180, 319, 117), (240, 420, 109), (300, 383, 41)]
    assert len({tracklet_at(found, *place) for place in white}) == 1
    # and two fish that cover each other from frame 342 to 347 and part again.
    left = {tracklet_at(found, 339, 387, 195), tracklet_at(found, 355, 413, 182)}
    right = {tracklet_at(found, 339, 435, 204), tracklet_at(found, 355, 456, 203)}
    assert left.isdisjoint(right)


def test_the_boxes_of_a_crowded_frame_are_tracklets_of_one_and_cost_no_more_than_they_are_many() -> None:
    """Compared two by two, 15,000 boxes of one frame took 6.7 GiB."""
    n = 15_000
    school = (np.random.default_rng(0).random((n, 4)) * 400 + 20).tolist()
    crowd = pl.DataFrame(
        {
            "video_file": ["a.mp4"] * (2 * n + 3),
            "frame_id": [0, *[1] * n, *[2] * n, 3, 4],
            "box": [[10.0, 10.0, 50.0, 50.0], *school, *school, [12.0, 10.0, 50.0, 50.0], [12.5, 10.0, 50.0, 50.0]],
            "score": [0.5] * (2 * n + 3),
        }
    )
    rows = raw_detections(crowd, Clock(10, 300, None))
    tracemalloc.start()
    found = tracklets(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6
    lengths = found.group_by("tracklet_id").len()["len"].sort()
    assert lengths.to_list() == [1] * (2 * n) + [3]  # what comes before and after is joined as ever
    counts = tracklet_counts(valid_rows(rows), found)
    assert counts.select("n_valid", "n_crowded", "n_lost_rows").row(0) == (2 * n + 3, 2 * n, 0)
