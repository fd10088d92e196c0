"""Richness of clips made by hand."""

import polars as pl
import pytest

from megafish_assets.sightings.richness import SureKinds, richness, sure_kinds

CLIPS = pl.DataFrame({"video": [f"v{n:02d}" for n in range(40)], "station": ["north"] * 20 + ["south"] * 20})


def seen(**videos_of: list[int]) -> pl.DataFrame:
    """Sightings of names in videos; the kind's number is the place of the name."""
    rows = [(f"v{video:02d}", name, number) for number, (name, own) in enumerate(videos_of.items(), 1) for video in own]
    schema = {"video": pl.String, "name": pl.String, "kind_id": pl.Int64}
    return pl.DataFrame(rows, schema, orient="row").with_columns(scientific_name=pl.lit(None, pl.String))


SEEN = seen(
    chromis=[*range(40), *range(40)],
    wrasse=[*range(12)],
    goby=[0, 1, 22],
    ray=[3],
    eel=[30],
    shark=[23, 24],
    bass=[5, 6],
)


def row(table: pl.DataFrame, of: str, station: str | None = None) -> dict:
    return table.filter(pl.col("station").eq_missing(station), of=of).row(0, named=True)


def test_a_kind_counts_once_a_clip_that_shows_it() -> None:
    found = row(richness(CLIPS, SEEN, SureKinds()), "named")
    assert (found["n_observed"], found["n_clips"], found["n_once"], found["n_twice"]) == (7, 40, 2, 2)
    assert found["chao2"] == pytest.approx(7 + 39 / 40 * 4 / 4)
    # 61 occurrences, of which 2 are of kinds in one clip: 1 - 2/61 * 78/82.
    assert found["sample_coverage"] == pytest.approx(1 - 2 / 61 * 78 / 82)
    assert found["note"] is None


def test_several_names_of_one_species_are_one_kind() -> None:
    found = seen(sergeant=[*range(40)], major=[3], saxatilis=[4], tang=[*range(0, 40, 2)], ray=[7])
    names = pl.col("name").replace("saxatilis", "Abudefduf saxatilis")
    is_known = names.is_in(["sergeant", "major"]) & (pl.col("video") != "v00")  # one was labelled without it
    known = pl.when(is_known).then(pl.lit("abudefduf saxatilis")).otherwise("scientific_name")
    counted = row(richness(CLIPS, found.with_columns(names, known.alias("scientific_name")), SureKinds()), "named")
    assert (counted["n_observed"], counted["n_once"], counted["n_twice"]) == (3, 1, 0)


def test_stations_are_compared_at_the_coverage_that_all_of_them_reach() -> None:
    table = richness(CLIPS, SEEN, SureKinds()).filter(of="named")
    assert table["station"].to_list() == [None, "north", "south"]
    assert table["n_observed"].to_list() == [7, 5, 4]
    assert table["rarefied_coverage"].n_unique() == 1
    assert (table["rarefied_clips"] <= 2 * table["n_clips"]).all()
    # The one that sets the coverage is extrapolated to twice its clips.
    assert (table["rarefied_clips"] / table["n_clips"]).max() == pytest.approx(2)


def test_of_kinds_only_sure_ones_count_whatever_they_are_called() -> None:
    table = richness(CLIPS, SEEN.with_columns(pl.lit(None, pl.String).alias("name")), SureKinds(frozenset({1, 2, 7})))
    found = row(table, "kinds")
    assert found["n_observed"] == 3 and found["n_sure"] == 3 and found["note"] is None
    assert row(table, "named")["note"] == "refused: no kind to count"


def test_where_stability_says_nothing_kinds_are_refused_with_the_reason() -> None:
    found = row(richness(CLIPS, SEEN, SureKinds()), "kinds")
    assert found["note"] == "refused: stability says of no kind whether it is sure" and found["chao2"] is None


def test_the_interval_of_kinds_stands_beside() -> None:
    found = row(richness(CLIPS, SEEN, SureKinds(frozenset({1}), 5.0, 9.0)), "named", "north")
    assert (found["kinds_low"], found["kinds_high"]) == (5.0, 9.0)


def test_of_few_clips_nothing_is_estimated_but_what_was_seen_is_told() -> None:
    found = row(richness(CLIPS.head(19), SEEN.filter(pl.col("video") < "v19"), SureKinds()), "named")
    assert found["note"] == "refused: fewer than 20 clips (19)"
    assert found["n_observed"] == 5 and found["chao2"] is None and found["rarefied"] is None


def test_kinds_that_are_all_in_one_clip_only_are_refused() -> None:
    found = row(richness(CLIPS, seen(ray=[1], eel=[2]), SureKinds()), "named")
    assert found["note"] == "refused: none of 2 kinds is in two clips"


def test_without_a_clip_there_is_a_row_that_says_so() -> None:
    found = row(richness(CLIPS.clear(), SEEN.clear(), SureKinds()), "named")
    assert found["note"] == "refused: fewer than 20 clips (0)" and found["n_observed"] == 0


def test_sure_kinds_are_those_of_stable_clusters_of_the_last_fit() -> None:
    stability = pl.DataFrame({"cluster": [0, 1], "stable": [True, False]})
    kinds = pl.DataFrame(
        {"cluster": [0, 0, 1, -1, 0], "kind_id": [4, 4, 9, None, 2], "is_latest": [True, True, True, True, False]}
    )
    assert sure_kinds(stability, kinds) == frozenset({4})
    assert sure_kinds(None, kinds) is None and sure_kinds(stability, None) is None
    # Clusters that were made again since do not bear the old ones' stability.
    assert sure_kinds(stability.head(1), kinds) is None
