"""Command line: `python -m megafish_assets demo | materialise | up`. Starts processes; computes nothing.

It writes the environment that Dagster's processes inherit, before `definitions.py`, its only reader, is imported.
"""

import argparse
import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
DEMO_ROOT = REPOSITORY / "data" / "demo"


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; 0 if it went well."""
    keep_blas_from_spinning()
    parser = argparse.ArgumentParser(prog="python -m megafish_assets", description="Find out what a camera saw.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="record the synthetic reef and materialise everything over it")
    work = commands.add_parser("materialise", help="bring the collection of MEGAFISH_ROOT up to date")
    work.add_argument("--from", dest="begin", metavar="ASSET", help="make this asset and all after it again")
    work.add_argument("--trust", choices=["boxes"], help="go on though the boxes' numbers look wrong")
    page = commands.add_parser(
        "up", help="the Dagster page and daemon over the collection of MEGAFISH_ROOT, or the demo"
    )
    page.add_argument("--port", type=int, default=3000)
    page.add_argument("--read-only", action="store_true", help="a page that shows everything and starts nothing")
    given = parser.parse_args(arguments)
    if given.command == "demo":
        return demo()
    own_collection = bool(os.environ.get("MEGAFISH_ROOT"))
    try:
        home = prepare(own_collection)
    except (OSError, ValueError) as wrong:
        return refused(str(wrong))
    if given.command == "up":
        return up(home, given.port, given.read_only)
    with alone(home):
        return materialise(given.begin, given.trust == "boxes")


def keep_blas_from_spinning() -> None:
    """For this process, if it has not imported numpy yet, and for all that it starts.

    By OpenBLAS's own default (26) its threads spin some 25 ms after a product, on the cores with which polars wants to
    read the next rows; 2**18 cycles are a tenth of a millisecond.
    """
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "18")


def demo() -> int:
    """The reef if it is absent, then everything that is missing over it."""
    from megafish_assets.reef.plan import ReefPlan
    from megafish_assets.reef.recording import OtherReefError, write_reef

    try:
        home = prepare(own_collection=False)
    except (OSError, ValueError) as wrong:
        return refused(str(wrong))
    with alone(home):
        try:
            write_reef(DEMO_ROOT, ReefPlan(), on_progress=lambda line: print(line, flush=True))
        except OtherReefError as wrong:
            return refused(str(wrong))
        return materialise()


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


def prepare(own_collection: bool) -> Path:
    """Sets the environment of a collection: its own, or, whatever the user has set for his, the demo's.

    Returns the folder of its Dagster storage. Raises ValueError or OSError for settings that can't be.
    """
    from megafish_assets.orchestration.settings import Settings

    if not own_collection:
        for name in [name for name in os.environ if name.startswith("MEGAFISH_")]:
            del os.environ[name]
        os.environ |= {"MEGAFISH_ROOT": str(DEMO_ROOT), "MEGAFISH_BACKBONES": "reef_tiny"}
    root = Settings.from_environment(os.environ).root
    os.environ["MEGAFISH_ROOT"] = str(root)
    home = root / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)  # the history tells what everybody did, with which settings
    os.environ["DAGSTER_HOME"] = str(home)
    # The instance's settings are the repository's, its storage is the collection's: two collections never mix.
    files = ["dagster.yaml", *(["dagster-postgres.yaml"] if os.environ.get("MEGAFISH_POSTGRES") else [])]
    settings = home / f".dagster.yaml.{os.getpid()}"
    settings.write_text("\n".join((REPOSITORY / name).read_text() for name in files))
    settings.replace(home / "dagster.yaml")
    return home


def up(home: Path, port: int, read_only: bool) -> int:
    """The page, and the daemon that starts what is launched from it, until Ctrl-C."""
    from megafish_assets.orchestration.serving import serve

    if read_only:  # it starts nothing, so it may stand beside the one that does
        return serve(REPOSITORY, os.environ, port, read_only)
    with (home / ".up").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return refused(f"this collection is up already: two daemons would do everything twice ({home})")
        return serve(REPOSITORY, os.environ, port, read_only)


def materialise(begin: str | None = None, trusts_boxes: bool = False) -> int:
    """Brings the collection up to date, and makes an asset and all after it again where one is named to begin with.

    1 if an asset failed, after naming it and making what doesn't need it.
    """
    import dagster as dg

    from megafish_assets.definitions import defs, settings
    from megafish_assets.orchestration.delta import MissingTableError, masked
    from megafish_assets.orchestration.materialise import Collection, asset_order, from_here_on
    from megafish_assets.orchestration.orphans import end_orphaned_runs
    from megafish_assets.orchestration.partitions import VIDEOS, add_videos
    from megafish_assets.orchestration.preflight import preflight
    from megafish_assets.orchestration.resources import Inference, Recordings

    try:
        inference = Inference(uri=settings.inference_uri)
        videos, clashing = inference.arrivals().videos, inference.clashing()
    except (MissingTableError, ValueError) as error:
        return refused(masked(f"{settings.inference_uri}: {error}"))
    arrived = dict(videos.select("video", "fingerprint").iter_rows())
    if not arrived:
        return refused(
            f"the inference table at {masked(settings.inference_uri)} has no rows yet: let the detector finish a video"
        )
    if not settings.recordings.is_dir():
        return refused(f"no folder of video files at {settings.recordings}: name it in MEGAFISH_RECORDINGS")
    recordings = Recordings.of(settings.recordings, settings.clock)
    found = preflight(videos, inference, recordings, settings.backbones, settings.weights, settings.root, trusts_boxes)
    for warning in found.warnings:
        print(f"warning: {warning}", flush=True)
    if found.sheet is not None:
        print(f"some frames with their boxes, to look at first: {found.sheet}", flush=True)
    if found.refusals:
        return refused("\n".join(found.refusals))
    with dg.DagsterInstance.get() as instance:
        end_orphaned_runs(instance, workers=False)
        new = add_videos(instance, list(arrived))
        print(f"{settings.root}: {len(arrived)} videos, {len(new)} of them new", flush=True)
        gone = sorted(set(instance.get_dynamic_partitions(VIDEOS.name)) - set(arrived))
        if gone:
            print(
                f"{len(gone)} videos are no longer in the inference table and stay as they are: {', '.join(gone[:10])}"
            )
        if clashing:
            print(f"left out, since nothing tells their names apart: {', '.join(clashing[:10])}: rename one of each")
        try:
            again = {} if begin is None else from_here_on(defs, instance, begin)
        except ValueError as wrong:
            return refused(str(wrong))
        collection, failed = Collection(defs, instance, str(settings.tables), arrived, again), set()
        for asset_key in asset_order(defs):
            if failed & defs.resolve_asset_graph().get(asset_key).parent_keys:
                failed.add(asset_key)
                print(f"{asset_key.to_user_string():32} left out: what it is made from failed", flush=True)
            elif not brought_up_to_date(collection, asset_key):
                failed.add(asset_key)
        for asset_key in asset_order(defs):
            for picture in sorted(settings.figures.joinpath(*asset_key.path).glob("*.png")):
                print(picture)
    return 1 if failed else 0


def refused(why: str) -> int:
    """Says why nothing was done."""
    print(why, file=sys.stderr)
    return 1


def brought_up_to_date(collection, asset_key) -> bool:
    """Runs what one asset lacks, a line a run; False once a run has failed."""
    from megafish_assets.orchestration.materialise import failure, run_work

    name, job = asset_key.to_user_string(), collection.defs.resolve_implicit_global_asset_job_def()
    runs = list(collection.missing(asset_key))
    if not runs:
        print(f"{name:32} up to date", flush=True)
    for keys in runs:
        started = time.monotonic()
        result = run_work(job, asset_key, keys, collection.instance)
        took = f"{time.monotonic() - started:6.1f} s"
        if not result.success:
            print(
                f"{name:32} FAILED after {took}, run {result.run_id}:\n{failure(result)}", file=sys.stderr, flush=True
            )
            return False
        print(f"{name:32} {f'{len(keys)} videos' if keys else 'whole collection':20} {took}", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
