"""Real input for tests: the shared data, and a process that brings a collection up to date."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
REAL_DATA = REPOSITORY.parent / "shared" / "data"
FORCED = os.environ.get("MEGAFISH_FORCE_REAL_DATA") == "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole platforms first, which wait for processes of theirs: one left over at the end would be waited for alone."""
    items.sort(key=lambda item: item.path.parent != Path(__file__).parent)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real videos, labelled fish and weights; a test without it skips, or fails where CI forces it."""
    if not REAL_DATA.is_dir():
        reason = "real data not found at ../shared/data from the project's root"
        pytest.fail(reason) if FORCED else pytest.skip(reason)
    return REAL_DATA


@pytest.fixture(scope="session")
def beside_ffmpeg() -> None:
    """Another decoder than ours; a test without it skips, or fails where CI forces it."""
    if shutil.which("ffmpeg") is None:
        reason = "no ffmpeg command: install Debian's package of that name"
        pytest.fail(reason) if FORCED else pytest.skip(reason)


def collection_environment(root: Path, **settings: str) -> dict[str, str]:
    """The environment of a collection at `root`; `backbones="vit"` sets MEGAFISH_BACKBONES."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MEGAFISH_", "DAGSTER_"))}
    given = {f"MEGAFISH_{name.upper()}": str(value) for name, value in settings.items()}
    return inherited | given | {"MEGAFISH_ROOT": str(root)}


def bring_up_to_date(root: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess:
    """`python -m megafish_assets materialise` over a collection, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "megafish_assets", "materialise", *arguments],
        cwd=REPOSITORY,
        env=collection_environment(root, **settings),
        capture_output=True,
        text=True,
        timeout=500,
    )


@pytest.fixture(autouse=True)
def usual_priority() -> Iterator[None]:
    """SVT-AV1, run by root, gives the thread that opens it real-time priority (SCHED_FIFO, 99). Kept, it would keep the
    threads of every later encoder off this core: minutes for a clip."""
    yield
    if hasattr(os, "sched_getscheduler") and os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
