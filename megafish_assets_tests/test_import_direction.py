"""Stages build on earlier ones only, pure modules know neither Dagster nor storage, and nothing climbs."""

import ast
from pathlib import Path

import pytest

from megafish_assets_tests.conftest import REPOSITORY

PACKAGE = REPOSITORY / "megafish_assets"
STAGES = ["footage", "detections", "crops", "embeddings", "features", "clusters", "evaluation"]
STAGES += ["labels", "sightings", "atlas", "exports"]
MACHINE = {
    "storage": {"storage"},
    "reporting": {"reporting", "storage"},
    "orchestration": {"orchestration", "reporting", "storage"},
}
"""Rooms that know Dagster, and what each may build on, besides the footage's names, clocks and files."""
TRAVELLING = {"crops.batches", "embeddings.batch", "embeddings.tables"}
"""What the IO manager hands from asset to asset."""
MODULES = sorted(path for stage in STAGES for path in (PACKAGE / stage).glob("*.py"))
ROOMS = sorted(path for room in MACHINE for path in (PACKAGE / room).glob("*.py"))


def imported(path: Path) -> set[str]:
    """Every module that the file imports, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def ours(path: Path) -> set[str]:
    """Those of them that are this package's, without its name."""
    return {name.removeprefix("megafish_assets.") for name in imported(path) if name.startswith("megafish_assets.")}


def folders(path: Path) -> set[str]:
    return {name.split(".")[0] for name in ours(path)}


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_stage_imports_itself_and_earlier_stages(path: Path) -> None:
    earlier = set(STAGES[: STAGES.index(path.parent.name) + 1])
    is_assets, is_checks = (path.name.endswith(ending) for ending in ("assets.py", "checks.py"))
    rooms = set(MACHINE) if is_assets else {"reporting"} if is_checks else set()
    assert folders(path) <= earlier | rooms


@pytest.mark.parametrize("path", [p for p in MODULES if p.name.endswith("assets.py")], ids=named)
def test_stages_meet_by_asset_key_and_not_by_import(path: Path) -> None:
    assert not [name for name in ours(path) if "assets." in name and not name.startswith(f"{path.parent.name}.")]


@pytest.mark.parametrize("path", ROOMS, ids=named)
def test_no_arrow_climbs_from_the_machine_rooms(path: Path) -> None:
    room = path.parent.name
    climbing = {name for name in ours(path) if name.split(".")[0] not in MACHINE[room] | {"footage"}}
    if room == "storage":
        climbing = {name for name in climbing if name.rpartition(".")[0] not in TRAVELLING}
    assert not climbing


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=named)
def test_dagsters_own_rooms_are_entered_in_one_place(path: Path) -> None:
    private = {name for name in imported(path) if name.startswith("dagster._")}
    assert not private or path.name == "dagster_internals.py"


def test_the_reef_is_imported_by_no_stage() -> None:
    for path in [*MODULES, *ROOMS]:
        assert "reef" not in folders(path), path.name


def test_only_the_definitions_read_the_environment_and_only_the_command_line_writes_it() -> None:
    readers = [path.name for path in PACKAGE.rglob("*.py") if "os.environ" in path.read_text()]
    assert sorted(readers) == ["__main__.py", "definitions.py"]
