"""What every export holds whose format has a place for it."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
import yaml
from dwca.read import DwCAReader

from megafish_assets.exports.formats import EXPORTS
from megafish_assets_tests.exports.small import RECIPE, tables


def of_spreadsheet(folder: Path) -> str:
    return pl.read_csv(folder / "columns.csv").filter(column="recipe", sheet="this file")["meaning"].item()


def of_archive(folder: Path) -> str:
    with DwCAReader(folder / "darwin_core.zip") as archive:
        steps = archive.metadata.findall("dataset/methods/methodStep/description/para")
    return steps[-1].text


def of_package(folder: Path) -> str:
    return json.loads((folder / "datapackage.json").read_text())["project"]["description"]


def of_coco(folder: Path) -> str:
    return json.loads((folder / "megafish.coco.json").read_text())["info"]["recipe"]


def of_viame(folder: Path) -> str:
    with (folder / "v1.csv").open(newline="") as file:
        _, head = [row for row in csv.reader(file) if row[0].startswith("#")]
    [said] = [cell for cell in head if cell.startswith("recipe: ")]
    return json.loads(said.removeprefix("recipe: "))


def of_yolo(folder: Path) -> str:
    text = (folder / "data.yaml").read_text()
    assert yaml.safe_load(text)["train"] == "images/train"
    return text.splitlines()[1]


@pytest.mark.parametrize(("name", "n_parts"), [("darwin_core", 1), ("camtrap_dp", 1), ("global_archive", 2)])
def test_times_in_an_hour_that_comes_twice_are_counted(tmp_path: Path, name: str, n_parts: int) -> None:
    given = tables()
    # Lisbon's clocks went from 02:00 back to 01:00; v2 was recorded the day after.
    begun = pl.when(video="v2").then(datetime(2025, 10, 27, 1, 30)).otherwise(datetime(2025, 10, 26, 1, 30))
    given = replace(given, videos=given.videos.with_columns(begun.alias("starts_at")))
    parts = EXPORTS[name].write(given, tmp_path)
    changed = [dict(part.changed) for part in parts if part.changed]
    assert changed == [{"at an hour that Europe/Lisbon has twice, taken for the first": 2}] * n_parts


@pytest.mark.parametrize(
    ("name", "recipe_of"),
    [
        ("spreadsheet", of_spreadsheet),
        ("darwin_core", of_archive),
        ("camtrap_dp", of_package),
        ("coco", of_coco),
        ("viame_csv", of_viame),
        ("yolo", of_yolo),
    ],
)
def test_the_recipe_stands_in_its_own_words(tmp_path: Path, name: str, recipe_of: Callable[[Path], str]) -> None:
    export = EXPORTS[name]
    export.write(tables(), tmp_path)
    assert recipe_of(tmp_path).endswith(RECIPE) and export.read(tmp_path).faults == []
