"""A seeded share of each video's rows."""

import numpy as np
import polars as pl
import pytest

from megafish_assets.detections.columns import FILTERED, RAW, SAMPLED, SMALL, TRACKLETS
from megafish_assets.detections.measures import drawn_counts, small_counts, small_numbers
from megafish_assets.detections.sampling import (
    STRATEGIES,
    sample_size,
    sampled_detections,
    sampled_from_tracklets,
    small_detections,
    spread_rows,
    tracked,
)
from megafish_assets.footage.columns import empty_table

COUNTS = {"few": 9, "one": 1, "ten": 10, "teens": 19, "many": 4_321} | {f"clip_{i:02d}": 97 * i for i in range(1, 46)}
"""Rows of each of 50 videos."""


def filtered(counts: dict[str, int] = COUNTS) -> pl.DataFrame:
    """Rows that carry only what the sample looks at."""
    rows = [(video, f"{video}/{i // 7:06d}/{i % 7:03d}") for video, n in counts.items() for i in range(n)]
    return pl.DataFrame(rows, schema={"video": pl.String, "detection_id": pl.String}, orient="row")


def sizes(sample: pl.DataFrame) -> dict[str, int]:
    return dict(sample.group_by("video").len().iter_rows())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_rows_give_an_empty_sample(strategy: str) -> None:
    sample = tracked(sampled_detections(empty_table(FILTERED), strategy=strategy), empty_table(TRACKLETS))
    assert sample.height == 0
    assert dict(sample.schema) == {name: column.dtype for name, column in SAMPLED.items()}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_notebooks_rule_is_a_tenth_of_each_video_rounded_down(strategy: str) -> None:
    sample = sampled_detections(filtered(), share=0.1, at_least=0, strategy=strategy)
    assert sizes(sample) == {video: n // 10 for video, n in COUNTS.items() if n >= 10}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_video_with_fewer_than_ten_rows_keeps_one(strategy: str) -> None:
    counts = {f"v{n}": n for n in range(1, 10)}
    assert sizes(sampled_detections(filtered(counts), at_least=1, strategy=strategy)) == dict.fromkeys(counts, 1)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_sample_is_a_sorted_subset_without_repeats(strategy: str) -> None:
    rows = filtered()
    sample = sampled_detections(rows, share=0.37, strategy=strategy)
    ids = sample["detection_id"]
    assert ids.is_unique().all()
    assert ids.is_sorted()
    assert sample.join(rows, on=["video", "detection_id"], how="anti").height == 0


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_draw_is_seeded_and_knows_neither_row_order_nor_other_videos(strategy: str) -> None:
    rows = filtered()
    sample = sampled_detections(rows, seed=42, strategy=strategy)
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=5)
    assert sampled_detections(shuffled, seed=42, strategy=strategy).equals(sample)
    alone = sampled_detections(rows.filter(pl.col("video") == "many"), seed=42, strategy=strategy)
    assert alone.equals(sample.filter(pl.col("video") == "many"))
    assert not sampled_detections(rows, seed=43, strategy=strategy).equals(sample)


def test_videos_of_one_length_are_not_drawn_alike() -> None:
    sample = sampled_detections(filtered({"a_1": 1_000, "b_2": 1_000}), strategy="random")
    a, b = (sample.filter(pl.col("video") == video)["detection_id"].str.slice(4).to_list() for video in ("a_1", "b_2"))
    assert a != b


def test_a_random_draw_gives_every_row_its_chance() -> None:
    rows = filtered({"v": 20})
    drawn = [
        sampled_detections(rows, 0.1, seed=seed, strategy="random")["detection_id"].to_list() for seed in range(500)
    ]
    counts = np.unique(np.concatenate(drawn), return_counts=True)[1]
    # 1,000 draws over 20 rows: mean 50, standard deviation below 7.
    assert len(counts) == 20
    assert counts.min() > 22
    assert counts.max() < 78


@pytest.mark.parametrize(("n_rows", "n_wanted"), [(100, 10), (97, 9), (50, 49), (7, 7), (1_000_003, 333)])
def test_a_spread_draw_is_evenly_spaced(n_rows: int, n_wanted: int) -> None:
    for seed in range(20):
        drawn = spread_rows(n_rows, n_wanted, np.random.default_rng(seed))
        assert len(drawn) == n_wanted
        assert set(np.diff(drawn)) <= {n_rows // n_wanted, -(-n_rows // n_wanted)}
        assert 0 <= drawn[0] <= n_rows // n_wanted
        assert drawn[-1] < n_rows


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_shares_of_nothing_and_everything(strategy: str) -> None:
    rows = filtered()
    assert sampled_detections(rows, share=0, at_least=0, strategy=strategy).height == 0
    assert sampled_detections(rows, share=1, strategy=strategy).equals(rows.sort("detection_id"))


@pytest.mark.parametrize(
    ("n_rows", "share", "at_least", "size"),
    [
        (0, 0.1, 1, 0),
        (100, 0.29, 0, 29),
        (30, 0.1, 0, 3),
        (9, 0.1, 0, 0),
        (3, 0.1, 5, 3),
        (10, 1, 0, 10),
        (19, 0.1, 1, 1),
    ],
)
def test_a_share_is_rounded_down_in_decimals(n_rows: int, share: float, at_least: int, size: int) -> None:
    assert sample_size(n_rows, share, at_least) == size


def test_an_unknown_strategy_is_refused() -> None:
    with pytest.raises(KeyError, match="nearest"):
        sampled_detections(filtered(), strategy="nearest")


LENGTHS = {"a_1": [1, 2, 11, 120, 300], "b_2": [300], "c_3": [9, 10]}
"""Detections of each tracklet of each video, one a frame."""


def tracked_rows(lengths: dict[str, list[int]] = LENGTHS) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows that carry only what the draw looks at, and the tracklet of each."""
    rows = [
        (video, f"{video}/{frame_id:06d}/{rank:03d}", frame_id, f"{video}/t{rank:05d}", frame_id)
        for video, each in lengths.items()
        for rank, n in enumerate(each)
        for frame_id in range(n)
    ]
    columns = ["video", "detection_id", "frame_id", "tracklet_id", "position"]
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    return frame.select(columns[:3]), frame.select("video", "detection_id", "tracklet_id", "position")


def test_no_rows_give_an_empty_draw_from_tracklets() -> None:
    sample = sampled_from_tracklets(empty_table(FILTERED), empty_table(TRACKLETS))
    assert sample.height == 0
    assert dict(sample.schema) == {name: column.dtype for name, column in SAMPLED.items()}


def test_every_tracklet_gives_a_row_and_none_more_than_at_most() -> None:
    rows, tracklets = tracked_rows()
    drawn = sampled_from_tracklets(rows, tracklets, at_most=5, apart_frames=10)
    counts = dict(drawn.group_by("tracklet_id").len().iter_rows())
    assert len(counts) == sum(map(len, LENGTHS.values()))
    # Of 11 frames, one in the middle leaves no room for a second ten away; 120 hold at least 120 / 19 of them.
    assert counts["a_1/t00000"] == counts["a_1/t00001"] == counts["c_3/t00000"] == counts["c_3/t00001"] == 1
    assert counts["a_1/t00002"] in (1, 2)
    assert counts["a_1/t00003"] == counts["a_1/t00004"] == counts["b_2/t00000"] == 5


def test_a_draw_with_more_or_nearer_rows_than_configured_is_counted() -> None:
    rows, tracklets = tracked_rows()
    own = sampled_from_tracklets(rows, tracklets, at_most=5, apart_frames=10)

    def wrong(sample: pl.DataFrame, at_most: int = 5, apart_frames: int = 10) -> int:
        return drawn_counts(rows, sample, tracklets, at_most, apart_frames)["n_wrongly_sized_videos"].sum()

    assert wrong(own) == 0
    assert wrong(own, at_most=4) == 2  # a_1 and b_2 have tracklets of five drawn rows
    assert wrong(own, apart_frames=1_000) >= 2
    assert wrong(own.filter(pl.col("video") != "b_2")) == 1


@pytest.mark.parametrize("apart_frames", [1, 10, 45])
def test_rows_of_one_tracklet_are_apart_and_no_room_is_left(apart_frames: int) -> None:
    rows, tracklets = tracked_rows()
    for seed in range(10):
        drawn = sampled_from_tracklets(rows, tracklets, 1_000, apart_frames, seed)
        for (_,), frames in drawn.join(tracklets, on="detection_id").group_by("tracklet_id"):
            steps = frames["frame_id"].sort().diff().drop_nulls()
            assert steps.is_between(apart_frames, 2 * apart_frames - 1).all()


def test_a_draw_from_tracklets_is_seeded_and_knows_neither_row_order_nor_other_videos() -> None:
    rows, tracklets = tracked_rows()
    sample = sampled_from_tracklets(rows, tracklets, seed=42)
    assert sample["detection_id"].is_sorted()
    assert sample.join(rows, on=rows.columns, how="anti").height == 0
    shuffled = [frame.sample(fraction=1.0, shuffle=True, seed=5) for frame in (rows, tracklets)]
    assert sampled_from_tracklets(*shuffled, seed=42).equals(sample)
    alone = sampled_from_tracklets(rows.filter(pl.col("video") == "a_1"), tracklets, seed=42)
    assert alone.equals(sample.filter(pl.col("video") == "a_1"))
    assert not sampled_from_tracklets(rows, tracklets, seed=43).equals(sample)


def test_rows_that_the_filter_left_out_are_not_drawn() -> None:
    rows, tracklets = tracked_rows()
    kept = rows.filter(pl.col("frame_id") % 7 == 0)
    sample = sampled_from_tracklets(kept, tracklets, at_most=1_000, apart_frames=7)
    assert sample.select(kept.columns).equals(kept.sort("detection_id"))


def test_a_row_without_a_tracklet_is_refused_by_name() -> None:
    rows, tracklets = tracked_rows()
    with pytest.raises(ValueError, match=r"1 of 753 filtered rows have no tracklet, b_2/000007/000 first"):
        sampled_from_tracklets(rows, tracklets.filter(pl.col("detection_id") != "b_2/000007/000"))


@pytest.mark.parametrize("wrong", [{"at_most": 0}, {"apart_frames": 0}])
def test_a_draw_of_nothing_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} = 0"):
        sampled_from_tracklets(*tracked_rows(), **wrong)


def growing(video: str, number: int, frames: range, side: float, fps: float = 30.0) -> pl.DataFrame:
    """Rows of one tracklet, each a little larger than the one before, of the columns that small ones are found by."""
    rows = [
        {
            "video": video,
            "detection_id": f"{video}/{frame:06d}/{number:03d}",
            "frame_id": frame,
            "width_1024": side + frame / 1000,
            "height_1024": side,
            "score": 0.5,
            "seconds_in_video": frame / fps,
            "tracklet_id": f"{video}/t{number:05d}",
        }
        for frame in frames
    ]
    others = {name: pl.lit(None, column.dtype) for name, column in RAW.items() if name not in rows[0]}
    return pl.DataFrame(rows).with_columns(**others)


def small_of(rows: pl.DataFrame, kept: list[str]) -> dict[str, list[int]]:
    """Frames of the small tracklets by their number, where the filter has kept these detections."""
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=1)
    filtered = shuffled.filter(pl.col("detection_id").is_in(kept)).drop("tracklet_id")
    found = small_detections(
        shuffled.drop("tracklet_id"), filtered, rows.select("video", "detection_id", "tracklet_id")
    )
    assert found["detection_id"].is_sorted() and list(found.schema) == list(SMALL)
    frames = found.group_by("tracklet_id").agg("frame_id").sort("tracklet_id")
    return {name[-1]: frames for name, frames in frames.iter_rows()}


def test_a_tracklet_that_the_filter_has_left_nothing_of_gives_its_largest_boxes_if_it_lasts() -> None:
    rows = pl.concat(
        [
            growing("v", 0, range(60), 40.0),  # one box of it is large enough
            growing("v", 1, range(60), 12.0),
            growing("v", 2, range(10, 20), 12.0),  # a third of a second
            growing("v", 3, range(10, 19), 12.0),
        ]
    )
    assert small_of(rows, ["v/000030/000"]) == {"1": [29, 44, 59], "2": [19]}
    assert small_of(rows.clear(), []) == {}


def test_what_lasts_is_told_by_the_looks_of_the_detector() -> None:
    slow = [growing("v", 0, range(0, 60, 6), 12.0), growing("v", 1, range(6, 18, 6), 12.0)]  # five looks a second
    slow += [growing("v", 2, range(24, 25), 12.0)]
    assert small_of(pl.concat(slow), []) == {"0": [18, 36, 54], "1": [12]}
    few = pl.concat([growing("v", 0, range(0, 8), 12.0), growing("v", 1, range(300, 301), 12.0)])
    assert small_of(few, []) == {"0": [7], "1": [300]}  # too few frames to tell


def test_a_tracklet_of_both_and_a_row_twice_are_counted_as_wrong() -> None:
    rows = pl.concat([growing("v", 0, range(60), 40.0), growing("v", 1, range(60), 12.0)])
    tracklets, kept = rows.select("video", "detection_id", "tracklet_id"), rows.head(1)
    small = small_detections(rows.drop("tracklet_id"), kept.drop("tracklet_id"), tracklets)
    (counts,) = small_counts(kept, small, tracklets).to_dicts()
    assert counts == {"video": "v", "n_kept": 1, "n_small_rows": 3, "n_wrong_rows": 0, "n_small": 1}
    wrong = pl.concat([small, small.head(1), rows.select(small.columns).slice(5, 1)])
    assert small_counts(kept, wrong, tracklets)["n_wrong_rows"].item() == 3
    assert small_numbers(small_counts(kept, small, tracklets))["small_share"].item() == 0.5
