"""Files of labels as they should not be: damaged, contradictory, oddly encoded, with boxes and numbers of nothing."""

import io
import json
import os
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import openpyxl
import polars as pl
import pytest

from megafish_assets.evaluation.crop_rows import names_of, species_of
from megafish_assets.labels.current import labelled_tracklets, respelled
from megafish_assets.labels.label_assets import Reader
from megafish_assets.labels.label_files import LabelFile, read_labels
from megafish_assets.labels.species import species_list
from megafish_assets.labels.taking import said_of_table
from megafish_assets.orchestration.label_inbox import LabelInbox
from megafish_assets.orchestration.labelling import take_labels
from megafish_assets.orchestration.settings import Settings
from megafish_assets.orchestration.upkeep import RefusedError
from megafish_assets_tests.labels.test_label_assets import NAMES, Collection
from megafish_assets_tests.labels.test_label_files import (
    CVAT,
    FITS,
    LINE,
    NOW,
    VIAME,
    broken,
    read,
    sheet,
    task,
    workbook,
)

IDS = "tracklet_id,label\nv/t1,tang\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_what_a_spreadsheet_saves_as_unicode_is_read(encoding: str) -> None:
    assert read(IDS.replace(",", "\t").encode(encoding)).select("tracklet_id", "label").rows() == [("v/t1", "tang")]
    named = json.dumps([task({"tracklet_id": "v/t1"}, "Mähne")], ensure_ascii=False)
    assert read(named.encode(encoding), "studio.json")["label"].to_list() == ["Mähne"]


def test_a_name_that_holds_the_separator_is_not_cut_at_it() -> None:
    broken("tracklet_id,label\nv/t1,Chromis, blue\n", "line 2: 3 cells under 2 columns, the last 'blue'")
    assert read('tracklet_id,label\nv/t1,"Chromis, blue",,\n')["label"].to_list() == ["Chromis, blue"]


def test_two_columns_of_one_meaning_are_refused() -> None:
    broken("tracklet_id,name,species\nv/t1,tang,Zebrasoma\n", "columns name and species both mean label")
    broken("tracklet_id,label,Label \nv/t1,tang,ray\n", "columns label and Label both mean label")


@pytest.mark.parametrize("name", ["nan", "NA", "None", "#N/A", "null"])
def test_what_programs_write_for_no_name_is_none(name: str) -> None:
    broken(f"tracklet_id,label\nv/t1,{name}\n", "is no name: where there is none, leave the cell empty")
    broken(workbook([["cluster", "name"], [0, name]]), "is no name", "sheet.xlsx")


@pytest.mark.parametrize("name", ["unnamed", "Kind 3", "cluster 12", "noise"])
def test_a_name_that_tables_give_to_what_has_none_is_refused(name: str) -> None:
    broken(f"tracklet_id,label\nv/t1,{name}\n", f"line 2: '{name}' is how what has no name is called")
    with pytest.raises(ValueError, match="is how what has no name is called"):
        species_list(f"name\n{name}\n".encode())


def test_a_name_that_says_a_status_is_one_and_no_species() -> None:
    tasks = [task({"tracklet_id": "v/t1"}, "Not a fish"), task({"tracklet_id": "v/t2"}, "unsure")]
    assert read(json.dumps(tasks), "s.json").select("label", "status").rows() == [(None, "not_fish"), (None, "unsure")]


def test_lines_that_contradict_each_other_are_refused_and_others_are_not() -> None:
    broken("tracklet_id,label\nv/t1,tang\nv/t2,ray\nv/t1,chromis\n", "lines 2 and 4 contradict each other on v/t1: 'ta")
    broken("tracklet_id,label,status\nv/t1,tang,\nv/t1,tang,rejected\n", "lines 2 and 3 contradict")
    broken("tracklet_id,label,status\nv/t1,tang,\nv/t1,,unsure\n", "lines 2 and 3 contradict")
    broken("cluster,name\n1,tang\n1,ray\n", "lines 2 and 3 contradict each other on v/t1")
    said = "tracklet_id,label,status,labelled_by,labelled_at\n"
    for lines in (
        "v/t1,tang,,,\nv/t1,Tang,,,\n",
        "v/t1,tang,rejected,,\nv/t1,ray,rejected,,\nv/t1,chromis,,,\n",
        "v/t1,tang,,Ada,\nv/t1,ray,,Ben,\n",
        "v/t1,tang,,Ada,2026-01-01\nv/t1,ray,,Ada,2026-01-02\n",
    ):
        assert read(said + lines).height == lines.count("\n")


def test_a_time_that_is_yet_to_come_or_that_no_calendar_has_is_refused() -> None:
    broken("tracklet_id,label,labelled_at\nv/t1,tang,2099-01-01\n", "line 2: labelled_at = 2099-01-01T00:00:00Z is yet")
    broken("tracklet_id,label,labelled_at\nv/t1,tang,9999-12-31T23:59:59-10:00\n", "line 2: labelled_at = '9999-12-31")
    late = json.dumps([task({"tracklet_id": "v/t1"}, "tang", updated_at="yesterday")])
    broken(late, "task 1: updated_at = 'yesterday'", "s.json")


@pytest.mark.parametrize("number", ["1e30", "99999999999999999999", "0", "-5"])
def test_a_number_that_no_species_has_is_refused(number: str) -> None:
    broken(f"tracklet_id,label,aphia_id\nv/t1,tang,{number}\n", "line 2: aphia_id = .*, expected a whole number")
    with pytest.raises(ValueError, match=r"line 2: aphia_id = .*, expected a whole number"):
        species_list(f"name,aphia_id\ntang,{number}\n".encode())


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("30,40", "-30,40"), "sides are above 0"),
        (("30,40", "0,0"), "sides are above 0"),
        ((",1.5,2,", ",1024,2,"), "frame of 0 to 1024 it lies outside"),
        ((",1.5,2,", ",1.5,-40,"), "frame of 0 to 1024 it lies outside"),
        ((",7,1.5", ",-7,1.5"), "frame -7, expected"),
        ((",7,1.5", ",99999999999999999999,1.5"), "frame_id = '99999999999999999999'"),
        (("30,40", ",40"), "half a box"),
    ],
)
def test_a_box_that_no_fish_has_is_refused(given: tuple[str, str], says: str) -> None:
    broken(sheet(LINE.replace(*given)), f"line 2: .*{says}")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ((",7,20,", ",7.5,20,"), "frame 7.5, expected a whole number"),
        ((",7,20,", ",-7,20,"), "frame -7, expected"),
        ((",7,20,", ",nan,20,"), "not all numbers"),
        ((",7,20,", ",7,inf,"), "not all numbers"),
        ((",220,", ",2,"), "sides are above 0"),
        (("0.1", "nan"), "not all numbers"),
        ((",0.1", ""), "the type 'chromis' has no confidence"),
    ],
)
def test_a_box_of_viame_that_no_fish_has_is_refused(changed: tuple[str, str], says: str) -> None:
    broken(VIAME.replace(*changed), f"line 2: .*{says}", "dive.csv")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (('frame="7"', 'frame="nan"'), "not all numbers"),
        (('frame="7"', 'frame="7.5"'), "frame 7.5"),
        (('xbr="220"', 'xbr="2"'), "sides are above 0"),
        (('version="1.0"', 'version="1.0" encoding="klingon"'), "no XML that can be read"),
        (("<box", "<polygon points='1,1;2,2'/><box"), "track 0 is a polygon, and only boxes are read"),
        (("<meta>", "<image id='0'/><meta>"), "CVAT for images: choose CVAT for video"),
        (("annotations>", "html>"), "XML of <html>"),
    ],
)
def test_what_cvat_draws_beside_boxes_is_not_lost_without_a_word(changed: tuple[str, str], says: str) -> None:
    broken(CVAT.replace(*changed), says, "export.xml")


@pytest.mark.parametrize(
    ("tasks", "says"),
    [
        ([{"tracklet_id": "v/t1", "annotation_id": 1, "fish": "tang"}], "task 1 is annotated and has no `choice`"),
        ([{"tracklet_id": "v/t1", "choice": {"choices": ["tang", "ray"]}}], "is no text: one name is wanted"),
        ([{"data": {"tracklet_id": "v/t1"}, "annotations": 5}], "task 1: annotations = 5, expected a list"),
        ([{"data": {"tracklet_id": "v/t1"}, "annotations": [{"result": 5}]}], "task 1: result = 5, expected a list"),
        (
            [{"data": {}, "annotations": [{"result": [{"value": {"x": 1, "rectanglelabels": ["tang"]}}]}]}],
            "task 1: named by rectanglelabels, and only choices are read",
        ),
    ],
)
def test_what_label_studio_exports_otherwise_is_not_lost_without_a_word(tasks: list, says: str) -> None:
    broken(json.dumps(tasks), says, "s.json")


def test_json_that_no_machine_can_hold_is_refused() -> None:
    broken("[" * 100_000, "no JSON", "s.json")
    broken('[{"tracklet_id": ' + "9" * 5000 + "}]", "no JSON", "s.json")
    assert read('[{"tracklet_id": "v/t1", "choice": "ta\\ud800ng"}]', "s.json")["label"].to_list() == ["ta?ng"]


def test_an_unnamed_person_is_the_file_and_a_name_loses_what_no_page_should_show() -> None:
    tasks = [task({"tracklet_id": f"v/t{n}"}, "tang", completed_by=by) for n, by in enumerate(["", " a\nb ", 7])]
    assert read(json.dumps(tasks), "studio.json")["labelled_by"].to_list() == ["studio", "a b", "7"]
    assert read(IDS, "Ma\u0308hne\u202e.csv")["labelled_by"].to_list() == ["Mähne"]


def test_a_damaged_workbook_is_refused_wherever_it_was_hit() -> None:
    whole = workbook([["cluster", "name"], [0, "tang"]])
    for place in range(2, len(whole), 97):
        hit = bytearray(whole)
        hit[place] ^= 0xFF
        try:
            read(bytes(hit), "sheet.xlsx")
        except ValueError as error:
            assert "no workbook that can be read" in str(error), place
    broken(whole[: len(whole) // 2], "no workbook that can be read", "sheet.xlsx")
    broken(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "of before 2007, or one with a password", "sheet.xls")


def test_a_workbook_that_unfolds_to_hundreds_of_megabytes_is_not_unfolded() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(300 * 2**20))
    broken(bomb.getvalue(), "a workbook of 300 MB when unpacked, at most 256", "sheet.xlsx")


def test_the_sheet_that_holds_the_labels_is_read_and_two_are_refused() -> None:
    book, content = openpyxl.Workbook(), []
    book.active.append(["what this is about"])
    for _ in range(2):
        for row in (["cluster", "name"], [0, "tang"]):
            book.create_sheet("names").append(row) if row[0] == "cluster" else book.worksheets[-1].append(row)
        buffer = io.BytesIO()
        book.save(buffer)
        content.append(buffer.getvalue())
    assert read(content[0], "sheet.xlsx").select("cluster", "label").rows() == [(0, "tang")]
    broken(content[1], "the sheets 'names', 'names1' all hold labels", "sheet.xlsx")


def spoken(*rows: tuple[str, str | None, str, str]) -> pl.DataFrame:
    table = pl.DataFrame(rows, schema=["tracklet_id", "label", "status", "labelled_by"], orient="row")
    return table.with_columns(labelled_at=pl.lit(datetime(2026, 1, 1, tzinfo=UTC)))


def test_names_and_people_that_differ_in_capitals_alone_are_one() -> None:
    labels = spoken(
        ("t1", "chromis", "approved", "Ada"),
        ("t2", "Chromis", "approved", "ada"),
        ("t3", "CHROMIS", "approved", "Ben"),
        ("t3", "Chromis", "approved", "ben"),
    )
    words = labelled_tracklets(labels)
    assert words["label"].n_unique() == 1 and words["n_people"].to_list() == [1, 1, 1]
    assert len(respelled(labels)) == 2


def test_of_many_boxes_of_a_tracklet_the_most_frequent_name_counts() -> None:
    slips = [("t1", "tang", "approved", "Ada")] + [("t1", "chromis", "approved", "Ada")] * 9
    assert labelled_tracklets(spoken(*slips))["label"].to_list() == ["chromis"]
    both = spoken(("t1", "tang", "approved", "Ada"), ("t1", "ray", "rejected", "Ada"))
    assert labelled_tracklets(both).select("label", "status").rows() == [("tang", "approved")]


def test_the_list_of_species_is_read_in_any_form_that_labels_are_and_names_each_once() -> None:
    assert species_list("name;aphia_id\nMa\u0308hne;7\n".encode("utf-16")).rows() == [("Mähne", None, 7, None)]
    with pytest.raises(ValueError, match="names that stand twice: Chromis, chromis"):
        species_list(b"name\nChromis\nchromis \n")
    with pytest.raises(ValueError, match="line 2: 3 cells under 2 columns"):
        species_list(b"name,scientific_name\nChromis, blue,Azurina cyanea\n")
    with pytest.raises(ValueError, match="line 1 has scientific_name twice"):
        species_list(b"species,scientific name\nA,B\n")


def test_the_table_of_megafish_labels_says_a_status_too_and_no_two_things() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    table = pl.DataFrame({"Tracklet_ID": ["v/t1", "v/t2"], "name": ["tang", None], "status": ["rejected", "not_fish"]})
    rows = said_of_table(table, "MEGAFISH_LABELS", now).select("tracklet_id", "label", "status").rows()
    assert rows == [("v/t1", "tang", "rejected"), ("v/t2", None, "not_fish")]
    twice = pl.DataFrame({"tracklet_id": ["v/t1", "v/t1"], "label": ["tang", "ray"], "box": [[1.0], [2.0]]})
    with pytest.raises(ValueError, match="lines 2 and 3 contradict each other on v/t1"):
        said_of_table(twice, "MEGAFISH_LABELS", now)


def test_names_of_single_detections_reach_the_leaderboard_and_words_that_were_taken_back_do_not(tmp_path: Path) -> None:
    collection = Collection(tmp_path)
    collection.lay("a.csv", "detection_id,label\nv/000003/000,tang\n", age_seconds=90)
    collection.lay("b.csv", NAMES.replace("tang", "ray"), age_seconds=95)
    collection.lay("c.csv", "tracklet_id,label,status\nv/t00002,,not_fish\n")
    collection.lay("d.csv", "detection_id,label\nv/000010/000,ray\n", age_seconds=80)
    tracked = pl.read_delta(str(tmp_path / "tables/detections/tracklets"))
    collection.write("detections/tracklets", tracked.filter(pl.col("detection_id") != "v/000010/000"))
    collection.read()
    # Of one tracklet a detection is named later, and of another the name is taken back; one detection is alone.
    named = names_of(collection.words())
    rows = pl.DataFrame(
        {
            "detection_id": ["v/000002/000", "v/000003/000", "v/000005/000", "v/000010/000", "v/000011/000"],
            "tracklet_id": ["v/t00001", "v/t00001", "v/t00002", None, "v/t00005"],
        }
    )
    assert species_of(rows, named).tolist() == ["tang", "tang", None, "ray", None]
    assert names_of(collection.words().clear()) is None


@pytest.mark.parametrize(
    ("words", "now"),
    [
        # A person's words from the earliest on; what stands, and how many think otherwise.
        ([("approved", "wrasse"), ("rejected", "tang")], ("approved", "wrasse", 0)),
        ([("rejected", "tang"), ("approved", "wrasse")], ("approved", "wrasse", 0)),
        ([("not_fish", None), ("rejected", "tang")], ("not_fish", None, 0)),
        ([("approved", "tang"), ("rejected", "Tang")], ("rejected", "Tang", 1)),
        ([("rejected", "tang"), ("approved", "tang")], ("approved", "tang", 1)),
        ([("rejected", "tang"), ("rejected", "wrasse")], ("rejected", "wrasse", 0)),
        ([("approved", "wrasse"), ("approved", "tang"), ("rejected", "tang")], ("approved", "wrasse", 1)),
        ([("approved", "wrasse"), ("rejected", None)], ("rejected", None, 1)),
        ([("approved", "wrasse"), ("unsure", None)], ("unsure", None, 1)),
    ],
)
def test_a_rejection_of_one_name_hides_no_other_and_disagrees_with_that_name_alone(
    words: list[tuple[str, str | None]], now: tuple[str, str | None, int]
) -> None:
    rows = [
        {"tracklet_id": "v/t1", "status": status, "label": label, "labelled_by": f"p{n}", "labelled_at": moment(n)}
        for n, (status, label) in enumerate(words)
    ]
    for order in (rows, rows[::-1]):
        table = pl.DataFrame(order, schema_overrides={"label": pl.String})
        assert labelled_tracklets(table).select("status", "label", "n_disagreeing").row(0) == now


def moment(hour: int) -> datetime:
    return datetime(2026, 5, 1, hour, tzinfo=UTC)


def test_who_names_two_boxes_of_one_tracklet_otherwise_is_counted_by_todays_tracklets(tmp_path: Path) -> None:
    collection = Collection(tmp_path)
    collection.lay("anna.csv", "detection_id,label\nv/000002/000,tang\nv/000003/000,ray\nv/000004/000,ray\n")
    assert collection.read()["n_renamed_by_one"] == 1
    collection.write("detections/tracklets", pl.read_delta(str(tmp_path / "tables/detections/tracklets")).clear())
    assert collection.read()["n_renamed_by_one"] == 0


def test_files_of_one_name_keep_it_since_it_says_who_speaks(tmp_path: Path) -> None:
    collection, other = Collection(tmp_path), tmp_path / "anna.csv"
    other.write_text(NAMES)
    collection.labels.inbox.lay(other)
    other.write_text(NAMES.replace("chromis", "ray"))
    collection.labels.inbox.lay(other)
    numbers = collection.read()
    assert numbers["n_files"] == 2 and numbers["n_people"] == 1 and numbers["n_disagreements"] == 0
    assert list(collection.labels.inbox.inbox.iterdir()) == []


def test_a_file_whose_time_is_yet_to_come_does_not_wait_for_it(tmp_path: Path) -> None:
    inbox = LabelInbox(tmp_path)
    inbox.inbox.mkdir()
    (inbox.inbox / "camera.csv").write_text(NAMES)
    os.utime(inbox.inbox / "camera.csv", (time.time() + 1e8,) * 2)
    assert [path.name for path in inbox.waiting(settled_seconds=0)] == ["camera.csv"]
    collection = Collection(tmp_path / "reef")
    collection.lay("camera.csv", NAMES, age_seconds=-1e8)
    reader = Reader(collection.resources["tables"], collection.resources["recordings"], species_list(b""), "b")
    said = reader.rows(collection.labels.inbox.inbox / "camera.csv")
    assert said["labelled_at"].max() <= datetime.now(UTC)


def test_locks_of_open_files_are_no_files_and_folders_are_looked_into(tmp_path: Path) -> None:
    inbox = LabelInbox(tmp_path)
    for name in ("of anna/labels.csv", "~$names.xlsx", ".~lock.names.xlsx#", ".cache/x.csv"):
        path = inbox.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(NAMES)
        os.utime(path, (time.time() - 60,) * 2)
    (inbox.inbox / "broken.csv").symlink_to(tmp_path / "nowhere")
    assert [path.name for path in inbox.waiting()] == ["labels.csv"]


def test_a_file_as_large_as_a_video_is_refused_without_being_read(tmp_path: Path) -> None:
    collection = Collection(tmp_path)
    with collection.lay("good.csv", NAMES).with_name("dive.mp4").open("wb") as video:
        video.truncate(2**33)
    os.utime(collection.labels.inbox.inbox / "dive.mp4", (time.time() - 60,) * 2)
    numbers = collection.read()
    assert numbers["n_refused_files"] == 1 and numbers["n_files"] == 1
    assert "8192 MB, at most 256" in (tmp_path / "labels/refused/dive.mp4.why.txt").read_text()


def test_a_word_that_is_given_again_counts_again_and_so_does_another_persons(tmp_path: Path) -> None:
    collection, seen = Collection(tmp_path), []
    for age_seconds, name in ((90, "tang"), (80, "ray"), (70, "tang")):
        collection.lay("anna.csv", f"tracklet_id,label\nv/t00001,{name}\n", age_seconds)
        collection.read()
        seen.append(collection.words()["label"].to_list())
    assert seen == [["tang"], ["ray"], ["tang"]]
    path = collection.lay("ben.csv", NAMES)
    copied = path.read_text(), path.stat().st_mtime
    assert collection.read()["n_people"] == 2
    collection.lay("carl.csv", NAMES)
    assert collection.read()["n_people"] == 3
    n_labels = collection.stored().height
    collection.lay("ben.csv", copied[0])
    os.utime(path, (copied[1],) * 2)
    collection.read()
    assert collection.stored().height == n_labels


def test_the_command_names_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    collection = Collection(tmp_path)
    settings = Settings.from_environment({"MEGAFISH_ROOT": str(collection.root)})
    wanted = [tmp_path, tmp_path / "pipe.csv", tmp_path / "nowhere.csv"]
    with pytest.raises(RefusedError) as refused:
        take_labels(dg.Definitions(), settings, wanted, lambda path: len(path.read_bytes()))
    lines = str(refused.value).splitlines()
    assert ["is no file" in line for line in lines] == [True, True, False, False]
    assert "nowhere.csv can't be read: No such file" in lines[2] and lines[3] == "nothing was taken"


def test_a_table_or_a_video_is_looked_up_once_a_file() -> None:
    asked: list[str | None] = []

    def fits(backbone: str | None) -> pl.DataFrame:
        asked.append(backbone)
        return FITS

    def size_of(video: str) -> tuple[str, tuple[int, int]]:
        asked.append(video)
        return video, (2048, 512)

    boxes = "".join(f"0,dive,{frame},20,10,220,110,0.9,-1,tang,0.8\n" for frame in range(50))
    for content in ("cluster,name\n0,tang\n1,ray\n", boxes):
        read_labels(LabelFile("dive.csv", content.encode(), NOW, fits, size_of, NOW))
    assert asked == [None, "dive"]
