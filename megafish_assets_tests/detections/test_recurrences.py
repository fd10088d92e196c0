"""Clips, their order, and where boxes recur within each."""

from megafish_assets.detections.lens import lens_places
from megafish_assets.detections.recurrences import MOST_CLIPS, recurrences
from megafish_assets_tests.detections.test_lens import GROWTH, seen, through


def test_a_clip_without_a_box_was_looked_at_too_and_one_after_the_last_box_is_not_known() -> None:
    rows = seen({"dive": [*through(GROWTH, range(2)), *through(GROWTH, range(45, 47))]})
    found = recurrences(rows).select("clip", "x_1024", "seconds_share", "n_looked_at", "is_compared")
    # Two of ten seconds; nothing in three clips; then two of the seven seconds that the video is known to last.
    assert found.rows() == [
        (0, 100.0, 0.2, 2, True),
        *[(clip, None, 0.0, 0, True) for clip in (1, 2, 3)],
        (4, 100.0, 2 / 7, 2, True),
    ]
    assert recurrences(seen({"dive": [(3000.0, GROWTH)]})).height == MOST_CLIPS


def test_a_fish_at_its_hole_in_one_clip_of_seventeen_is_no_place_whether_the_others_show_fish_or_nothing() -> None:
    at_hole = [(float(second), GROWTH) for clip in range(0, 120, 17) for second in range(10 * clip, 10 * clip + 10)]
    passing = [(float(s), (500.0 + 7 * s % 400, 300.0 + 13 * s % 300, 40.0, 30.0)) for s in range(1200)]
    for others in ([(1199.0, (900.0, 900.0, 9.0, 9.0))], passing):
        places, _ = lens_places(recurrences(seen({"dive": at_hole + others})))
        assert places.is_empty()
