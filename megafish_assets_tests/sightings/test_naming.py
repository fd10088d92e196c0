"""What tracklets are called, and counted as."""

import polars as pl

from megafish_assets.sightings.columns import NAMES
from megafish_assets.sightings.naming import taxa, tracklet_names

CLASSES = pl.DataFrame(
    {
        "tracklet_id": ["a", "b", None],
        "name": ["wrasse", None, "wrasse"],
        "scientific_name": ["Thalassoma", None, None],
        "probability": [0.9, 0.2, 0.8],
        "name_source": ["classified", "unnamed", "classified"],
        "kind_id": [3, 4, 3],
    }
)
KINDS = pl.DataFrame(
    {"tracklet_id": ["a", "c", "d"], "kind_id": [9, 5, 6], "is_latest": [True, True, False], "fit_version": ["x"] * 3}
)
LABELLED = pl.DataFrame({"tracklet_id": ["b", "e", "a"], "status": ["not_fish", "not_fish", "approved"]})


def test_without_any_table_nothing_is_named() -> None:
    nothing = tracklet_names()
    assert nothing.is_empty() and nothing.columns == list(NAMES)


def test_classes_come_before_kinds_and_only_the_latest_fit_counts() -> None:
    found = tracklet_names(CLASSES, KINDS)
    assert found.select("tracklet_id", "name", "name_source", "kind_id").rows() == [
        ("a", "wrasse", "classified", 3),
        ("b", None, "unnamed", 4),
        ("c", None, "unnamed", 5),
    ]


def test_a_person_denies_a_tracklet_whether_it_was_classified_or_not() -> None:
    found = tracklet_names(CLASSES, None, LABELLED)
    assert found.select("tracklet_id", "not_fish_by", "is_fish").rows() == [
        ("a", None, True),
        ("b", "person", False),
        ("e", "person", False),
    ]


def test_names_kinds_and_unnamed_are_counted_alike() -> None:
    sightings = pl.DataFrame(
        {
            "name": ["wrasse", "wrasse", None, None, "rock"],
            "kind_id": [3, 4, 7, None, None],
            "scientific_name": [None, "Thalassoma", None, None, None],
            "name_source": ["person", "person", "unnamed", "unnamed", "person"],
            "not_fish": [None, None, None, None, "person"],
        }
    )
    assert taxa(sightings).rows() == [
        ("kind 7", 7, None, "unnamed"),
        ("unnamed", None, None, "unnamed"),
        ("wrasse", None, "Thalassoma", "person"),
    ]
    assert taxa(sightings.clear())["kind"].to_list() == ["unnamed"]
