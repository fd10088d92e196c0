"""The user's list of species, as people write such files."""

from pathlib import Path

import pytest

from megafish_assets.labels.species import read_species, species_list


def test_a_list_is_read_as_spreadsheets_and_worms_write_it() -> None:
    written = (
        "\ufeffName,Scientific name,AphiaID,family\r\nTrumpetfish,Aulostomus maculatus,159427,Aulostomidae\r\n\r\n"
    )
    written += '"Chromis, blue",,,\r\n,Sparisoma viride,159370.0,\r\n'
    assert species_list(written.encode()).rows() == [
        ("Trumpetfish", "Aulostomus maculatus", 159427, "Aulostomidae"),
        ("Chromis, blue", None, None, None),
        ("Sparisoma viride", "Sparisoma viride", 159370, None),
    ]


def test_a_list_of_names_alone_and_an_empty_one_are_read() -> None:
    assert species_list(b"name\nA\nB\n")["name"].to_list() == ["A", "B"]
    assert species_list(b"").height == species_list(b"\n\n").height == read_species(None).height == 0


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"fish\nA\n", "line 1 has no column name or scientific_name"),
        (b"name,aphia_id\nA,12.5\n", "line 2: aphia_id = '12.5', expected a whole number"),
        (b"name,aphia_id\nA,1\n,2\n", "line 3 names nothing"),
        (b"name\nA\nA\n", "names that stand twice: A"),
        (b"name\n\xff\n", "no text in UTF-8"),
        (b'name\n"A\n', "the file ends too early, or its quotes do"),
    ],
)
def test_what_is_no_list_is_refused_with_its_line(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "species.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"species\.csv: ") as refused:
        read_species(path)
    assert told in str(refused.value)
