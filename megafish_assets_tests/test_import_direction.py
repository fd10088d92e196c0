"""Stages build on earlier ones only, and pure modules know neither Dagster nor storage."""

import ast
from pathlib import Path

import pytest

from megafish_assets_tests.conftest import REPOSITORY

PACKAGE = REPOSITORY / "megafish_assets"
STAGES = ["detections", "crops", "embeddings", "clusters", "atlas"]
MODULES = sorted(path for stage in STAGES for path in (PACKAGE / stage).glob("*.py"))


def imported(path: Path) -> set[str]:
    """Every module that the file imports, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def folders(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imported(path) if name.startswith("megafish_assets.")}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_stage_imports_itself_and_earlier_stages(path: Path) -> None:
    earlier = set(STAGES[: STAGES.index(path.parent.name) + 1])
    rooms = {"orchestration"} if path.name.endswith(("assets.py", "checks.py")) else set()
    assert folders(path) <= earlier | rooms


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.name.endswith("assets.py")], ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_stages_meet_by_asset_key_and_not_by_import(path: Path) -> None:
    assert not [name for name in imported(path) if "assets." in name.removeprefix("megafish_assets.")]


def test_the_machine_room_imports_no_asset_and_the_reef_is_imported_by_no_stage() -> None:
    for path in (PACKAGE / "orchestration").glob("*.py"):
        ours = [
            name
            for name in imported(path)
            if name.startswith("megafish_assets.") and "assets." in name.removeprefix("megafish_assets.")
        ]
        assert not ours, path.name
    for path in [*MODULES, *(PACKAGE / "orchestration").glob("*.py")]:
        assert "reef" not in folders(path), path.name


def test_only_the_definitions_read_the_environment_and_only_the_command_line_writes_it() -> None:
    readers = [path.name for path in PACKAGE.rglob("*.py") if "os.environ" in path.read_text()]
    assert sorted(readers) == ["__main__.py", "definitions.py"]
