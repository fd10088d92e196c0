"""Reads files of labels from the command line: all of them, or none."""

from collections.abc import Callable, Sequence
from pathlib import Path

import dagster as dg

from megafish_assets.orchestration.backfills import LABELS
from megafish_assets.orchestration.home import alone, made_home
from megafish_assets.orchestration.label_inbox import LabelInbox
from megafish_assets.orchestration.materialise import failure, run_step
from megafish_assets.orchestration.settings import Settings
from megafish_assets.orchestration.upkeep import RefusedError
from megafish_assets.reporting.wording import many
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.delta import MissingTableError

TOLD = {
    "n_tracklets": "tracklets named in all",
    "n_names": "names",
    "n_people": "people",
    "n_disagreements": "tracklets on which people disagree",
    "n_free_names": "names that are not on the list of species",
    "unresolved_share": "share of labels whose fish is not there",
}
"""Of the numbers on the event of `labels`, what a person is told."""


def take_labels(
    defs: dg.Definitions, settings: Settings, files: Sequence[Path], check: Callable[[Path], int]
) -> list[str]:
    """Reads these files into the table of labels; what there is to tell, a line each.

    `check` reads one without keeping it, gives the number of its labels, and raises ValueError. Raises RefusedError,
    with a line a file, where one can't be read: then none was taken.
    """
    wrong, told = [], []
    tables = Tables(root=str(settings.catalog.tables))
    if not all(tables.of("detections", name).exists() for name in ("raw_detections", "tracklets")):
        raise RefusedError(f"{settings.root} has no tracklets yet, which labels speak of: run materialise first")
    for path in files:
        if path.exists() and not path.is_file():  # a pipe can be read once, and is read twice
            wrong.append(f"{path} is no file: name those in a folder, and save what comes out of a pipe")
            continue
        try:
            told.append(f"{path}: {many(check(path), 'label')}")
        except (ValueError, MissingTableError) as error:
            wrong.append(f"{path}: {error}")
        except OSError as error:
            wrong.append(f"{path} can't be read: {error.strerror}")
    if wrong:
        raise RefusedError("\n".join([*wrong, "nothing was taken"]))
    inbox = LabelInbox(settings.catalog.labels)
    with alone(made_home(settings)), dg.DagsterInstance.get() as instance:
        for path in files:
            inbox.lay(path)
        result = run_step(defs.resolve_implicit_global_asset_job_def(), LABELS, (), instance)
        if not result.success:
            raise RefusedError(f"the labels lie in {inbox.inbox} and were not read: {failure(result)}")
        numbers = instance.get_latest_materialization_event(LABELS).asset_materialization.metadata
    known = [f"{what}: {numbers[name].value:g}" for name, what in TOLD.items() if name in numbers]
    return [*told, *known, "next: `make materialise` names all fish by them"]
