"""Command line: `python -m megafish_assets` demo, materialise, check, review, label, explore, report, export, similar,
up or upgrade.

Starts processes; computes nothing.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import dagster as dg

    from megafish_assets.orchestration.settings import Settings

AT_WORK = "MEGAFISH_AT_WORK"
"""Set for the process that does the work of a command, to the number of the one that waits for it."""

REVIEW = "review"
"""The command, and the asset that it makes."""

PAGES = {"explore": "the map of all crops", "report": "what the camera saw, for reading,"}
"""Commands that open a page, and what it is."""
EXPORT = "export"
"""The command that writes files for other programs."""

UNUSABLE = 2
"""What `check` ends with where nothing could be served by these settings, as argparse does for arguments."""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; 0 if it went well."""
    keep_blas_from_spinning()
    given = _parser().parse_args(arguments)
    try:
        return _ran(given, arguments)
    except ModuleNotFoundError as missing:
        return refused(f"{missing}: run make again, or pip install -e .", given)


def _ran(given: argparse.Namespace, arguments: list[str] | None) -> int:
    if given.command == "up":
        return up(given.port, given.read_only)
    if given.command in PAGES:
        return open_page(given.command, given.print_only)
    if given.command == "similar":
        return similar(given.id, given.n, given.backbone)
    parent = os.environ.pop(AT_WORK, None)
    if parent is None:
        from megafish_assets.orchestration.interruption import stopping_at_once

        os.environ[AT_WORK] = str(os.getpid())
        command = [sys.executable, "-m", "megafish_assets", *(sys.argv[1:] if arguments is None else arguments)]
        return stopping_at_once(command)
    return work(given, int(parent))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m megafish_assets", description="Find out what a camera saw.")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="record the synthetic reef and materialise everything over it")
    materialise = commands.add_parser("materialise", help="bring the collection of MEGAFISH_ROOT up to date")
    materialise.add_argument("--from", dest="begin", metavar="ASSET", help="make this asset and all after it again")
    materialise.add_argument("--trust", choices=["boxes"], help="go on though the boxes' numbers look wrong")
    commands.add_parser("check", help="say what can be known to go wrong, and make nothing")
    label = commands.add_parser("label", help="read files in which people name fish")
    label.add_argument("files", nargs="+", type=Path, metavar="FILE", help="of the review sheets, a spreadsheet, ...")
    commands.add_parser("upgrade", help="rename the tables of a collection that an earlier megafish made")
    review = commands.add_parser(REVIEW, help="bring the review sheets up to date, and say where they are")
    for command, what in PAGES.items():
        page = commands.add_parser(command, help=f"open {what} in the browser")
        page.add_argument("--print", dest="print_only", action="store_true", help="say where it lies, and open nothing")
    export = commands.add_parser(EXPORT, help="write files for other programs, from a collection that is up to date")
    export.add_argument("names", nargs="*", metavar="NAME", help="spreadsheet, ...; all that can be written by default")
    like = commands.add_parser("similar", help="the tracklets that look most like a crop, as a table")
    like.add_argument("id", metavar="ID", help="a detection_id or a tracklet_id")
    like.add_argument("--n", type=int, default=20, help="tracklets that are listed, at most 50")
    like.add_argument("--backbone", help="whose features are compared; by default the one by which names are given")
    for command in (demo, materialise, review, export):
        command.add_argument("--json", action="store_true", help="the summary as one line of JSON, the last one")
    ui = commands.add_parser("up", help="Dagster's UI and daemon over the collection of MEGAFISH_ROOT, or the demo")
    ui.add_argument("--port", type=int, default=3000)
    ui.add_argument("--read-only", action="store_true", help="a UI that shows everything and starts nothing")
    return parser


def keep_blas_from_spinning() -> None:
    """For this process, if it has not imported numpy yet, and for all that it starts.

    By OpenBLAS's own default (26) its threads spin some 25 ms after a product, on the cores with which polars wants to
    read the next rows; 2**18 cycles are a tenth of a millisecond.
    """
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "18")


def work(given: argparse.Namespace, parent: int) -> int:
    """Brings a collection up to date: the demo's, recorded first if it is absent, or the user's own.

    1 if an asset failed, after naming it and making what doesn't need it. `check` only looks, and tells settings that
    nobody can use, by `UNUSABLE`, from what is not right yet.
    """
    from megafish_assets.orchestration.home import chosen
    from megafish_assets.orchestration.interruption import end_with
    from megafish_assets.orchestration.summary import shown
    from megafish_assets.orchestration.upgrading import rename_knobs, require_upgraded
    from megafish_assets.orchestration.upkeep import RefusedError, Wishes, bring_up_to_date, looked_at

    end_with(parent)
    wishes, unusable = Wishes(), UNUSABLE if given.command == "check" else 1
    try:
        settings = chosen(os.environ, own_collection=given.command != "demo" and is_set())
        if given.command == "upgrade":
            rename_knobs(settings.catalog.knobs)
        else:
            require_upgraded(settings.catalog)
        if given.command == "demo":
            recorded(settings.root)
            wishes = Wishes(exports=True)
        if given.command == "materialise":
            wishes = Wishes(given.begin, given.trust == "boxes")
        if given.command == REVIEW:
            wishes = Wishes(only=[REVIEW])
        if given.command == EXPORT:
            from megafish_assets.exports.formats import EXPORTS

            if unknown := [name for name in given.names if name not in EXPORTS]:
                raise ValueError(f"no export {unknown[0]!r}, out of: {', '.join(EXPORTS)}")
            wishes = Wishes(only=given.names or list(EXPORTS), anew=True)
        from megafish_assets.definitions import defs  # reads what `chosen` has set, and the collection's knobs
        from megafish_assets.preflight import preflight
    except (OSError, ValueError) as wrong:
        return refused(str(wrong), given, unusable)

    if given.command == "upgrade":
        return upgraded(settings, defs)
    try:
        if given.command == "check":
            looked_at(settings, wishes, preflight)
            return 0
        if given.command == "label":
            print("\n".join(labelled(settings, defs, given.files)), flush=True)
            return 0
        summary = bring_up_to_date(defs, settings, wishes, preflight)
    except RefusedError as wrong:
        return refused(str(wrong), given)
    print(shown(summary, given.json), flush=True)
    if given.command == REVIEW and not summary.failed and not given.json:
        print(f"open in a browser: {settings.catalog.review_page}", flush=True)
    if given.command != EXPORT:
        return 1 if summary.failed else 0
    written = [name for name in wishes.only if name not in summary.failed + summary.refused]
    if not given.json:
        print("\n".join(f"written: {settings.catalog.exports / name}" for name in written), flush=True)
    return 1 if summary.failed or (given.names and summary.refused) else 0


def labelled(settings: "Settings", defs: "dg.Definitions", files: list[Path]) -> list[str]:
    """Reads files of labels; what there is to tell. Raises RefusedError."""
    from megafish_assets.embeddings.backbones import chosen_backbones
    from megafish_assets.labels.label_assets import Reader
    from megafish_assets.labels.species import read_species
    from megafish_assets.orchestration.labelling import take_labels
    from megafish_assets.orchestration.sources import Recordings
    from megafish_assets.storage.catalog import Tables

    backbones = [model.name for model in chosen_backbones(settings.backbones)]
    tables, naming = Tables(root=str(settings.catalog.tables)), settings.knobs.naming_backbone(backbones)
    reader = Reader(tables, Recordings.of(settings), read_species(settings.species), naming)
    return take_labels(defs, settings, files, lambda path: reader.rows(path).height)


def upgraded(settings: "Settings", defs: "dg.Definitions") -> int:
    """Brings a collection to the names of this version."""
    import dagster as dg

    from megafish_assets.orchestration.home import alone, made_home, up_alone
    from megafish_assets.orchestration.upgrading import is_of_before, upgrade

    try:
        if not is_of_before(settings.catalog):
            print(f"{settings.root}: its tables have the names of this version", flush=True)
            return 0
        home = made_home(settings)
        with up_alone(home), alone(home), dg.DagsterInstance.get() as instance:
            moved = upgrade(settings.catalog, defs, instance)
    except (OSError, ValueError) as wrong:
        return refused(str(wrong))
    print(f"{settings.root}: upgraded; assets with other names: {', '.join(moved) or 'none'}", flush=True)
    return 0


def is_set() -> bool:
    """Whether the user has a collection of his own."""
    return bool(os.environ.get("MEGAFISH_ROOT"))


def recorded(root: Path) -> None:
    """The synthetic reef, if it is absent. Raises OtherReefError, a ValueError."""
    from megafish_assets.reef.place import write_place
    from megafish_assets.reef.plan import ReefPlan
    from megafish_assets.reef.recording import write_reef

    write_reef(root, ReefPlan(), on_progress=lambda line: print(line, flush=True))
    write_place(root, ReefPlan())


def up(port: int, read_only: bool) -> int:
    """The UI, and the daemon that starts what is launched from it, until Ctrl-C."""
    from megafish_assets.orchestration.home import REPOSITORY, chosen, made_home, up_alone
    from megafish_assets.orchestration.serving import serve
    from megafish_assets.orchestration.upgrading import require_upgraded

    try:
        settings = chosen(os.environ, own_collection=is_set())
        if not settings.root.is_dir():
            return refused(
                f"no folder {settings.root}: make it, or correct MEGAFISH_ROOT; the demo's is made by `make`"
            )
        require_upgraded(settings.catalog)
        home = made_home(settings)
    except (OSError, ValueError) as wrong:
        return refused(str(wrong))
    if read_only:  # it starts nothing, so it may stand beside the one that does
        return serve(REPOSITORY, os.environ, port, settings.hosts, read_only)
    try:
        with up_alone(home):
            if subprocess.run([sys.executable, "-m", "megafish_assets", "check"]).returncode == UNUSABLE:
                return 1
            return serve(REPOSITORY, os.environ, port, settings.hosts, read_only)
    except FileExistsError as wrong:
        return refused(str(wrong))


def open_page(command: str, print_only: bool) -> int:
    """Opens the explorer or the report in the person's browser."""
    import webbrowser

    from megafish_assets.orchestration.home import chosen
    from megafish_assets.storage.catalog import explorer_page, report_page

    try:
        settings = chosen(os.environ, own_collection=is_set())
    except (OSError, ValueError) as wrong:
        return refused(str(wrong))
    asset, where = ("explorer", explorer_page) if command == "explore" else ("report", report_page)
    page = where(settings.catalog.figures)
    if not page.is_file():
        return refused(f"no {asset} at {page}: `make materialise` makes it, and so does every night")
    print(page, flush=True)
    if not print_only and not webbrowser.open(page.resolve().as_uri()):
        return refused("no browser could be started here: open this file in one")
    return 0


def similar(wanted: str, n: int, backbone: str | None) -> int:
    """Prints the tracklets that look most like a crop."""
    from megafish_assets.embeddings.backbones import chosen_backbones
    from megafish_assets.orchestration.home import chosen
    from megafish_assets.similar import Lookup, shown
    from megafish_assets.storage.catalog import Tables

    try:
        settings = chosen(os.environ, own_collection=is_set())
        names = [model.name for model in chosen_backbones(settings.backbones)]
        if backbone is not None and backbone not in names:
            return refused(f"--backbone {backbone!r}, of this collection: {', '.join(names)}")
        tables, usual = Tables(root=str(settings.catalog.tables)), settings.knobs.naming_backbone(names)
        print(shown(Lookup(tables, backbone or usual).similar(wanted.strip(), n)), flush=True)
    except (OSError, ValueError, LookupError) as wrong:
        return refused(str(wrong))
    return 0


def refused(why: str, given: argparse.Namespace | None = None, code: int = 1) -> int:
    """Says why nothing was done, where a program reads it in JSON too."""
    print(why, file=sys.stderr)
    if getattr(given, "json", False):
        print(json.dumps({"refused": why}), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
