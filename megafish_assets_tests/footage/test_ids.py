"""The order of keys."""

import polars as pl

from megafish_assets.footage.ids import in_natural_order, natural


def test_videos_follow_one_another_as_people_count() -> None:
    assert sorted(["clip_10", "clip_2", "clip_1b", "clip_1"], key=natural) == ["clip_1", "clip_1b", "clip_2", "clip_10"]


def test_a_raised_digit_is_no_number() -> None:
    assert sorted(["5²6", "5", "5²4", "12"], key=natural) == ["5", "5²4", "5²6", "12"]


def test_a_column_of_keys_is_placed_as_people_count() -> None:
    rows = pl.DataFrame({"video": ["clip_10", "clip_2", "clip_2", "x"]})
    placed = rows.select(in_natural_order(["clip_2", "clip_10", "clip_9"]))["video"].to_list()
    assert placed == [2, 0, 0, None]
