"""Whose collection a command works on, and where Dagster keeps its storage.

The environment that Dagster's processes inherit is written here, before `definitions.py`, its only reader, is imported.
"""

import fcntl
import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path

from megafish_assets.orchestration.settings import Settings

REPOSITORY = Path(__file__).parents[2]
DEMO_ROOT = REPOSITORY / "data" / "demo"


def chosen(environment: MutableMapping[str, str], own_collection: bool) -> Settings:
    """The collection that an environment names, or, whatever the user has set for his own, the demo's; the environment
    says so afterwards. Writes nothing else. Raises ValueError for settings that can't be."""
    if not own_collection:
        for name in [name for name in environment if name.startswith("MEGAFISH_")]:
            del environment[name]
        environment |= {"MEGAFISH_ROOT": str(DEMO_ROOT), "MEGAFISH_BACKBONES": "reef_tiny"}
    settings = Settings.from_environment(environment)
    environment["MEGAFISH_ROOT"] = str(settings.root)
    environment["DAGSTER_HOME"] = str(settings.catalog.home)
    return settings


def made_home(settings: Settings) -> Path:
    """The folder of Dagster's storage, with its settings, for nobody else to read. Raises OSError."""
    home = settings.catalog.home
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)  # the history tells what everybody did, and with which settings
    # The instance's settings are the repository's, its storage is the collection's: two collections never mix.
    files = ["dagster.yaml", *(["dagster-postgres.yaml"] if settings.uses_postgres else [])]
    written = home / f".dagster.yaml.{os.getpid()}"
    written.write_text("\n".join((REPOSITORY / name).read_text() for name in files))
    written.replace(home / "dagster.yaml")
    return home


@contextmanager
def up_alone(home: Path) -> Iterator[None]:
    """Keeps others from serving this collection. Raises FileExistsError where somebody does."""
    with (home / ".up").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FileExistsError(
                f"this collection is up already: two daemons would do everything twice ({home})"
            ) from None
        yield


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Waits until no other command materialises this collection: two would do all the work twice."""
    with (home / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another command that works on this collection", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
