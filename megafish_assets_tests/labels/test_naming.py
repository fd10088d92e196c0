"""The name of every unit, from what people said to the table."""

import numpy as np
import polars as pl
import pytest

from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.labels.columns import CLASSES
from megafish_assets.labels.current import labelled_tracklets
from megafish_assets.labels.naming import (
    FLAGGED_PROBABILITY,
    NOT_A_FISH,
    Words,
    classes_table,
    names_of_kinds,
    told_by,
)
from megafish_assets.labels.units import Units, are_flagged, kind_of_units
from megafish_assets_tests.labels.fish import Clouds, words


def named(fish: Clouds, units: Units, said: pl.DataFrame, lens: np.ndarray | None = None, **more) -> pl.DataFrame:
    spoken = Words.of(units, labelled_tracklets(said))
    told = told_by(fish.seen, spoken.taught(units), spoken, 0)
    lens = np.zeros(len(units), bool) if lens is None else lens
    return classes_table(units, kind_of_units(units, None), spoken, told, lens, "b", **more)


@pytest.fixture
def fish() -> Clouds:
    return Clouds()


@pytest.fixture
def units(fish: Clouds) -> Units:
    return fish.units()


def ids_of(fish: Clouds, units: Units, kind: int) -> list[str]:
    return units.table.filter(pl.Series(fish.kinds == kind))["unit_id"].to_list()


def test_without_labels_everything_is_unnamed(fish: Clouds, units: Units) -> None:
    table = named(fish, units, words())
    assert table.schema == {name: column.dtype for name, column in CLASSES.items()}
    assert table["name_source"].unique().to_list() == ["unnamed"]
    for empty in ("name", "probability", "nearest_labelled", "nearest_similarity", "scientific_name"):
        assert table[empty].null_count() == fish.n


def test_one_label_in_all_names_its_kind_and_its_nearest(fish: Clouds, units: Units) -> None:
    one = ids_of(fish, units, 1)[0]
    table = named(fish, units, words((one, "cod", "approved")))
    assert table.filter(unit_id=one).select("name", "probability", "name_source").row(0) == ("cod", 1.0, "person")
    assert table.filter(unit_id=one)["nearest_labelled"].to_list() == [None]
    of_kind = table.filter(pl.col("name_source") == "kind")
    assert set(of_kind["cluster"]) == {1} and set(of_kind["name"]) == {"cod"}
    assert of_kind["probability"].unique().to_list() == [pytest.approx(2 / 3)]  # (1 + 1) / (1 + 2)
    assert table.filter(pl.col("name_source") == "classified").height <= 1
    assert set(table.filter(pl.col("cluster") != 1)["name_source"]) == {"unnamed"}
    assert set(table.filter(pl.col("unit_id") != one)["nearest_labelled"]) == {one}


def test_a_dozen_labels_a_kind_name_the_rest_rightly_and_say_how_surely(fish: Clouds, units: Units) -> None:
    said = [(unit, f"kind {kind}", "approved") for kind in range(4) for unit in ids_of(fish, units, kind)[:12]]
    table = named(fish, units, words(*said))
    counts = dict(table["name_source"].value_counts().iter_rows())
    assert counts["person"] == 48 and counts["classified"] > 24
    assert (table["name"].to_numpy() == fish.names).all()
    classified = table.filter(pl.col("name_source") == "classified")["probability"]
    assert classified.min() >= 0.8 and classified.max() < 1
    never = named(fish, units, words(*said), named_from=1.0)
    assert set(never["name_source"]) == {"person", "kind"}


def test_what_a_person_rejects_or_cannot_tell_it_does_not_become(fish: Clouds, units: Units) -> None:
    of_kinds = [ids_of(fish, units, kind) for kind in range(4)]
    said = [(unit, f"kind {kind}", "approved") for kind in range(4) for unit in of_kinds[kind][:12]]
    rejected, unsure = of_kinds[0][15], of_kinds[1][15]
    table = named(fish, units, words(*said, (rejected, "kind 0", "rejected"), (unsure, None, "unsure")))
    for unit in (rejected, unsure):
        row = table.filter(unit_id=unit).row(0, named=True)
        assert row["name"] is None and row["name_source"] == "unnamed"


def test_not_a_fish_is_a_class_like_any_other(fish: Clouds, units: Units) -> None:
    said = [
        (unit, None, "not_fish") if kind == 3 else (unit, f"kind {kind}", "approved")
        for kind in range(4)
        for unit in ids_of(fish, units, kind)[:12]
    ]
    table = named(fish, units, words(*said))
    of_three = table.filter(pl.col("cluster") == 3)
    assert set(of_three["name"]) == {NOT_A_FISH} and set(of_three["name_source"]) >= {"person", "classified"}


def test_what_is_flagged_is_no_fish_unless_a_person_says_so(fish: Clouds, units: Units) -> None:
    lens = np.zeros(fish.n, bool)
    lens[:3] = True
    first = units.table["unit_id"].to_list()
    said = words((first[0], "cod", "approved"), (first[1], None, "unsure"))
    rows = named(fish, units, said, lens).head(3).select("name", "name_source", "probability").rows()
    assert rows[0] == ("cod", "person", 1.0)
    assert rows[1][:2] == (None, "unnamed")
    assert rows[2] == (NOT_A_FISH, "classified", FLAGGED_PROBABILITY)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([], None),
        (["cod"], ("cod", 2 / 3)),
        (["cod", "cod"], ("cod", 3 / 4)),
        (["cod", "eel"], None),
        (["cod", "cod", "eel"], ("cod", 3 / 5)),
        (["cod", "cod", "cod", "eel", "eel"], None),
    ],
)
def test_a_kind_bears_the_name_that_two_thirds_of_its_named_tracklets_bear(names: list, told: tuple | None) -> None:
    n = len(names) + 2
    kinds = pl.Series([7] * n + [None], dtype=pl.Int64)
    found = names_of_kinds(kinds, pl.Series([*names, None, None, "noise"], dtype=pl.String))
    assert found.rows() == ([] if told is None else [(7, told[0], pytest.approx(told[1]))])


def test_labels_of_tracklets_that_are_nowhere_are_counted_and_teach_nothing(fish: Clouds, units: Units) -> None:
    spoken = Words.of(units, labelled_tracklets(words(("elsewhere/t1", "cod", "approved"))))
    assert spoken.n_elsewhere == 1 and len(spoken.taught(units)) == 0
    assert set(named(fish, units, words(("elsewhere/t1", "cod", "approved")))["name_source"]) == {"unnamed"}


def test_the_order_of_labels_changes_nothing_and_another_word_changes_the_version(fish: Clouds, units: Units) -> None:
    said = words(*[(unit, f"kind {k}", "approved") for k in range(4) for unit in ids_of(fish, units, k)[:12]])
    mixed = said.sample(fraction=1.0, shuffle=True, seed=1)
    assert named(fish, units, said).equals(named(fish, units, mixed))
    versions = {Words.of(units, labelled_tracklets(rows)).version for rows in (said, mixed, said.head(40))}
    assert len(versions) == 2


def test_the_scientific_name_goes_with_the_name(fish: Clouds, units: Units) -> None:
    said = words(*[(unit, "cod", "approved") for unit in ids_of(fish, units, 0)[:2]])
    table = named(fish, units, said.with_columns(scientific_name=pl.lit("Gadus morhua")))
    assert set(table.filter(pl.col("name") == "cod")["scientific_name"]) == {"Gadus morhua"}


def crop_rows(fish: Clouds) -> tuple[pl.DataFrame, EmbeddingBatch, pl.DataFrame]:
    """Two crops a tracklet, the second one larger; the last tracklet's are of no tracklet."""
    rows = [(f"v/{2 * place + side:06d}/000", place, side) for place in range(fish.n) for side in (0, 1)]
    clusters = pl.DataFrame(
        {
            "video": ["v"] * len(rows),
            "detection_id": [row[0] for row in rows],
            "cluster": [int(fish.kinds[place]) for _, place, _ in rows],
            "tracklet_id": [None if place == fish.n - 1 else f"v/t{place:05d}" for _, place, _ in rows],
        }
    )
    seen = clusters.select(
        "detection_id",
        score=pl.lit(0.9),
        width_px=pl.Series([30 + side for *_, side in rows]),
        height_px=pl.lit(20),
        clipped_share=pl.lit(0.0),
    )
    features = fish.features[[place for _, place, _ in rows]]
    return clusters, EmbeddingBatch.from_rows(clusters["detection_id"].to_numpy(), features, "version"), seen


def test_units_are_tracklets_and_lone_detections_whatever_the_order_of_the_rows() -> None:
    fish = Clouds(5, 3)
    clusters, batch, seen = crop_rows(fish)
    units = Units.of_crops(clusters, batch, seen)
    assert len(units) == fish.n + 1 and units.table["tracklet_id"].null_count() == 2
    own = units.table.drop_nulls("tracklet_id")
    assert own["detection_id"].to_list() == [f"v/{2 * place + 1:06d}/000" for place in range(fish.n - 1)]
    assert units.features[-(fish.n - 1) :] == pytest.approx(fish.features[:-1], abs=1e-6)
    mixed = Units.of_crops(clusters.sample(fraction=1.0, shuffle=True, seed=3), batch, seen.reverse())
    assert mixed.table.equals(units.table) and (mixed.features == units.features).all()


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_units_whose_features_are_no_numbers_are_refused(units: Units, odd: float) -> None:
    features = units.features.copy()
    features[[3, 5], 0] = odd
    with pytest.raises(ValueError, match="2 of 80 units have features that are no numbers"):
        Units(units.table, features)


def test_a_tracklet_in_several_clusters_is_where_most_of_it_is() -> None:
    fish = Clouds(5, 3)
    clusters, batch, seen = crop_rows(fish)
    one = clusters.with_columns(
        tracklet_id=pl.lit("v/t0"), cluster=pl.when(pl.int_range(pl.len()) < 4).then(2).otherwise(pl.lit(-1))
    )
    assert Units.of_crops(one, batch, seen).table["cluster"].to_list() == [-1]


def test_kinds_come_from_their_latest_fit_or_from_the_clusters() -> None:
    fish = Clouds(5, 3)
    units = fish.units()
    assert kind_of_units(units, None).to_list() == (fish.kinds + 1).tolist()
    kinds = pl.DataFrame(
        {
            "unit_id": units.table["unit_id"][[0, 0, 1]],
            "kind_id": [9, 4, None],
            "is_latest": [False, True, True],
        }
    )
    assert kind_of_units(units, kinds).to_list() == [4, *[None] * (fish.n - 1)]


def test_a_unit_is_flagged_if_most_of_its_crops_do() -> None:
    fish = Clouds(2, 2)
    clusters, batch, seen = crop_rows(fish)
    units = Units.of_crops(clusters, batch, seen)
    flagged = ["v/000000/000", "v/000001/000", "v/000002/000"]
    found = units.table.filter(pl.Series(are_flagged(units, flagged, clusters)))
    assert found["unit_id"].to_list() == ["v/t00000"]  # of the next one only half does


def test_the_last_word_of_each_person_counts_and_disagreement_is_counted() -> None:
    rows = pl.DataFrame(
        {
            "tracklet_id": ["t", "t", "t", "u", None],
            "label": ["cod", "eel", "eel", "ray", "ray"],
            "labelled_by": ["ada", "ada", "bob", "bob", "bob"],
            "labelled_at": [1, 3, 2, 1, 1],
            "status": ["approved", "approved", "rejected", None, None],
        }
    ).with_columns(pl.col("labelled_at").cast(pl.Datetime("us", "UTC")))
    found = labelled_tracklets(rows.sample(fraction=1.0, shuffle=True, seed=0))
    kept = found.select("tracklet_id", "label", "status", "n_people", "n_disagreeing").rows()
    assert kept == [("t", "eel", "approved", 2, 1), ("u", "ray", "approved", 1, 0)]
    with pytest.raises(ValueError, match=r"status \['maybe'\]: expected approved"):
        labelled_tracklets(rows.with_columns(status=pl.lit("maybe")))
