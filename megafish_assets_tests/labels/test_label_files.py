"""Files of labels as people bring them, and bad ones."""

import io
import json
from datetime import UTC, datetime

import openpyxl
import polars as pl
import pytest

from megafish_assets.labels.label_files import LabelFile, read_labels
from megafish_assets.labels.said import SAID, LabelFileError, clean_name, clean_text

WHEN = datetime(2026, 5, 1, 12, tzinfo=UTC)
HEADER = (
    "detection_id,tracklet_id,video,frame_id,x_1024,y_1024,width_1024,height_1024,cluster,kind_id,place_id,backbone,"
    "recipe,fit_version,label,scientific_name,aphia_id,status,labelled_by,labelled_at,note"
)
FITS = pl.DataFrame(
    {
        "fit_version": ["old", "old", "old", "new", "new"],
        "is_latest": [False, False, False, True, True],
        "tracklet_id": ["v/t1", "v/t2", None, "v/t1", "v/t2"],
        "unit_id": ["v/t1", "v/t2", "v/000009/000", "v/t1", "v/t2"],
        "cluster": [0, 1, 1, 1, 0],
        "kind_id": [1, 2, 2, 1, 2],
    }
)


def read(content: str | bytes, name: str = "anna.csv") -> pl.DataFrame:
    data = content if isinstance(content, bytes) else content.encode()
    videos = {"dive": ("dive", (2048, 512))}
    return read_labels(LabelFile(name, data, WHEN, lambda backbone: FITS, videos.get))


def sheet(*lines: str, end: int | None = None, separator: str = "\r\n") -> str:
    n = len(lines) if end is None else end
    return separator.join([HEADER, *lines, f"# end, {n} labels", ""])


LINE = (
    'v/000007/000,v/t1,v,7,1.5,2,30,40,3,5,,vit,"{""k"": 1}",f1,tang,Zebrasoma,212682,approved,Anna,'
    "2026-01-31T10:00:00Z,"
)


def broken(content: str | bytes, says: str, name: str = "anna.csv") -> None:
    with pytest.raises(LabelFileError, match=says):
        read(content, name)


def workbook(rows: list[list], merge: str | None = None) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if merge:
        book.active.merge_cells(merge)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_a_saved_sheet_is_read_cell_for_cell() -> None:
    found = read("\ufeff" + sheet(LINE))
    assert dict(found.schema) == {name: column.dtype for name, column in SAID.items()}
    assert found.row(0, named=True) == {
        "detection_id": "v/000007/000",
        "tracklet_id": "v/t1",
        "video": "v",
        "frame_id": 7,
        "box": [1.5, 2.0, 30.0, 40.0],
        "cluster": 3,
        "kind_id": 5,
        "place_id": None,
        "backbone": "vit",
        "recipe": '{"k": 1}',
        "fit_version": "f1",
        "label": "tang",
        "scientific_name": "Zebrasoma",
        "aphia_id": 212682,
        "status": "approved",
        "labelled_by": "Anna",
        "labelled_at": datetime(2026, 1, 31, 10, tzinfo=UTC),
        "note": None,
        "line": 2,
    }
    assert read(sheet()).height == 0


def test_a_sheet_that_a_spreadsheet_has_saved_again_is_read_too() -> None:
    saved = sheet(LINE).replace(",", ";").replace("# end; 1 labels", "# end, 1 labels;;;;")
    assert read(saved)["label"].to_list() == ["tang"]


def test_a_guarded_formula_is_the_text_that_was_written() -> None:
    found = read(sheet(LINE.replace(",tang,", ",'=1+1,")))
    assert found["label"].to_list() == ["=1+1"]


def test_a_sheet_that_was_saved_half_way_is_refused() -> None:
    whole = sheet(LINE, LINE)
    broken(whole[: whole.index("# end")], "saved half-way")
    broken(sheet(LINE, end=2), "ends with 2 labels and holds 1")
    broken(whole[: len(HEADER) + 90], "ends too early|saved half-way")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ((",7,1.5,", ",seven,1.5,"), "line 2: frame_id = 'seven', expected a whole number"),
        ((",7,1.5,", ",7,nan,"), "line 2: x_1024 = 'nan'"),
        ((",approved,", ",aproved,"), "line 2: status = 'aproved', allowed: approved, rejected"),
        (("2026-01-31T10:00:00Z", "31/01/2026"), "line 2: labelled_at = '31/01/2026'"),
        ((",tang,", ",,"), "line 2: no name is given, and status is approved"),
        ((",tang,", f",{'x' * 300},"), "line 2: a name of 300 characters, 'xxxx"),
        (("v/000007/000,v/t1,v,7,1.5,2,30,40,3", ",,v,7,,2,30,40,"), "line 2: it names no detection"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_taken(changed: tuple[str, str], says: str) -> None:
    broken(sheet(LINE.replace(*changed)), says)


def test_names_keep_their_letters_and_lose_what_no_page_should_show() -> None:
    assert clean_name("  Blue\ttang \n 🐟 ", 1) == "Blue tang 🐟"
    assert clean_name("دلفين", 1) == "دلفين"
    assert clean_name("fish\u202egnp.exe", 1) == "fishgnp.exe"
    assert clean_name("Ma\u0308hne", 1) == "Mähne"
    assert clean_name("<img src=x onerror=alert(1)>", 1) == "<img src=x onerror=alert(1)>"
    assert clean_name(" \u200b ", 1) is None and clean_text(None) is None
    assert clean_name("x" * 100, 1) == "x" * 100


def test_ids_beside_names_are_read_and_lines_that_wait_for_theirs_are_not() -> None:
    found = read("tracklet_id,Name\nv/t1,tang\nv/t2,\n\nv/t3,chromis\n")
    assert found.select("tracklet_id", "label", "line", "labelled_by", "status").rows() == [
        ("v/t1", "tang", 2, "anna", "approved"),
        ("v/t3", "chromis", 5, "anna", "approved"),
    ]
    assert found["labelled_at"].unique().to_list() == [WHEN]
    statuses = read("detection_id;label;status\nv/000007/000;;not_fish\n")
    assert statuses.select("detection_id", "label", "status").rows() == [("v/000007/000", None, "not_fish")]


def test_a_sheet_of_clusters_names_what_its_own_fit_showed() -> None:
    of_old = read("cluster,name,fit_version\n1,tang,old\n")
    assert of_old.select("tracklet_id", "detection_id", "fit_version", "kind_id").rows() == [
        ("v/t2", None, "old", 2),
        (None, "v/000009/000", "old", 2),
    ]
    of_last = read("cluster,name,n_tracklets\n1,tang,3\n0,,4\n")
    assert of_last.select("tracklet_id", "fit_version").rows() == [("v/t1", "new")]
    broken(
        "cluster,name,fit_version\n1,tang,gone\n", "line 2: the fit 'gone' is no longer kept; some that are: new, old"
    )
    broken("cluster,name\n7,tang\n", "line 2: no cluster 7 in fit new, out of 0 to 1")
    broken("cluster,name\nthree,tang\n", "line 2: cluster = 'three'")


def test_merged_cells_hold_for_all_rows_and_a_formula_needs_its_value() -> None:
    merged = workbook([["cluster", "name"], [0, "tang"], [1, None]], merge="B2:B3")
    assert read(merged, "sheet.xlsx").select("cluster", "label").rows() == [(0, "tang"), (1, "tang")]
    formula = workbook([["cluster", "name"], [0, '="ta"&"ng"']])
    broken(formula, "cell B2 is a formula without a saved value", "sheet.xlsx")
    broken(b"PK\x03\x04 no workbook", "no workbook that can be read", "sheet.xlsx")


def task(data: dict, *choices: str, **more: object) -> dict:
    result = [{"from_name": "kind", "to_name": "crop", "type": "choices", "value": {"choices": list(choices)}}]
    return {"data": data, "annotations": [{"result": result, **more}]}


def test_label_studios_choices_are_read_with_their_person_and_time() -> None:
    tasks = [
        task({"tracklet_id": "v/t1"}, "tang", completed_by={"email": "a@b.c"}, updated_at="2026-02-01T00:00:00.5Z"),
        task({"detection_id": "v/000007/000"}, "chromis", was_cancelled=True),
        {"data": {"tracklet_id": "v/t2"}, "annotations": []},
        {"id": 4, "tracklet_id": "v/t4", "choice": "damselfish"},
    ]
    found = read(json.dumps(tasks), "studio.json")
    assert found.select("tracklet_id", "label", "labelled_by").rows() == [
        ("v/t1", "tang", "a@b.c"),
        ("v/t4", "damselfish", "studio"),
    ]
    assert found["labelled_at"][0] == datetime(2026, 2, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    broken(json.dumps([task({}, "tang")]), "task 1: its data hold neither")
    broken(json.dumps([task({"tracklet_id": "v/t1"}, "tang", "chromis")]), "chose 2 names")
    broken('{"tasks": 1}', "no list of tasks")
    broken("[1, 2", "no JSON")


VIAME = "# metadata, fps: 30\n0,dive.mp4,7,20,10,220,110,0.9,-1,tang,0.8,chromis,0.1\n1,dive.mp4,8,0,0,9,9,0.4,-1\n"


def test_viames_boxes_come_with_their_most_likely_type_in_the_stretched_frame() -> None:
    found = read(VIAME, "dive.csv")
    # 2048 x 512 px: a px is half of one across and two down.
    assert found.select("video", "frame_id", "box", "label", "line").rows() == [
        ("dive", 7, [10.0, 20.0, 100.0, 200.0], "tang", 2)
    ]
    assert read(VIAME.replace("tang", "kind 12").replace("chromis", "unnamed"), "dive.csv").is_empty()  # megafish's own
    broken(VIAME, "no video of the collection is called 'other' or 'dive.mp4'", "other.csv")
    broken(VIAME.replace("220", "wide"), "nobody knows these columns", "dive.csv")


CVAT = """<?xml version="1.0"?><annotations><meta><source>dive.mp4</source></meta>
<track id="0" label="tang"><box frame="7" outside="0" xtl="20" ytl="10" xbr="220" ybr="110"/>
<box frame="8" outside="1" xtl="20" ytl="10" xbr="220" ybr="110"/></track></annotations>"""
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><annotations>&b;</annotations>'


def test_cvats_boxes_are_read_but_for_those_outside_and_a_bomb_is_refused() -> None:
    assert read(CVAT, "export.xml").select("video", "frame_id", "box", "label").rows() == [
        ("dive", 7, [10.0, 20.0, 100.0, 200.0], "tang")
    ]
    broken(BOMB, "no XML that can be read", "export.xml")
    broken(CVAT.replace("dive", "dove"), "is called 'dove' or 'export'", "export.xml")
    broken(CVAT.replace('xtl="20"', ""), "are not all numbers", "export.xml")


def test_what_nobody_knows_is_refused_with_what_is_read() -> None:
    broken("", "the file is empty")
    broken(b"\xff\xfe\x00a", "no text in UTF-8")
    broken(
        "fish,colour\ntang,blue\n", "nobody knows these columns: colour, fish. What is read: labels.csv of the review"
    )
    broken('tracklet_id,label\nv/t1,"tang\n', "ends too early, or its quotes do")
