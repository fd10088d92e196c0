"""Clips, their order, and where boxes recur within each."""

from megafish_assets.detections.recurrences import natural


def test_videos_follow_one_another_as_people_count() -> None:
    assert sorted(["clip_10", "clip_2", "clip_1b", "clip_1"], key=natural) == ["clip_1", "clip_1b", "clip_2", "clip_10"]


def test_a_raised_digit_is_no_number() -> None:
    assert sorted(["5²6", "5", "5²4", "12"], key=natural) == ["5", "5²4", "5²6", "12"]
