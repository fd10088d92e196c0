"""What kinds are called."""

import polars as pl

from megafish_assets.labels.kind_names import kind_names, told_names


def classes(*rows: tuple[int | None, str | None, str]) -> pl.DataFrame:
    schema = {"kind_id": pl.Int64, "name": pl.String, "name_source": pl.String}
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def test_a_kind_bears_the_name_that_most_people_gave_and_says_how_many_gave_others() -> None:
    said = [(1, "tang", "person")] * 3 + [(1, "chromis", "person"), (1, "ray", "classified"), (1, None, "unnamed")]
    found = classes(*said, (2, "goby", "person"), (2, "blenny", "person"), (3, "ray", "kind"), (None, "eel", "person"))
    assert kind_names(found).rows() == [(1, "tang", 4, 1), (2, "blenny", 2, 1)]
    assert told_names(found) == {1: "tang, 1 of 4 named otherwise", 2: "blenny, 1 of 2 named otherwise"}
    assert told_names(classes((7, "goby", "person"))) == {7: "goby"}
    assert kind_names(classes()).rows() == []
