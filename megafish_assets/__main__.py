"""Command line: `python -m megafish_assets demo | materialise | ui`. Starts processes; computes nothing.

It writes the environment that Dagster's processes inherit, before `definitions.py`, its only reader, is imported.
"""

import argparse
import os
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
DEMO_ROOT = REPOSITORY / "data" / "demo"
LOOPBACK = "127.0.0.1"


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; 0 if it went well."""
    parser = argparse.ArgumentParser(prog="python -m megafish_assets", description="Find out what a camera saw.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="record the synthetic reef and materialise everything over it")
    commands.add_parser("materialise", help="bring the collection of MEGAFISH_ROOT up to date")
    page = commands.add_parser("ui", help="the Dagster page over the collection of MEGAFISH_ROOT, or over the demo")
    page.add_argument("--port", type=int, default=3000)
    given = parser.parse_args(arguments)
    if given.command == "demo":
        return demo()
    own_collection = bool(os.environ.get("MEGAFISH_ROOT"))
    prepare(own_collection)
    return materialise() if given.command == "materialise" else serve(given.port)


def demo() -> int:
    """The reef if it is absent, then everything that is missing over it."""
    from megafish_assets.reef.plan import ReefPlan
    from megafish_assets.reef.recording import write_reef

    prepare(own_collection=False)
    write_reef(DEMO_ROOT, ReefPlan(), on_progress=lambda line: print(line, flush=True))
    return materialise()


def prepare(own_collection: bool) -> None:
    """Sets the environment of a collection: its own, or, whatever the user has set for his, the demo's."""
    if not own_collection:
        for name in [name for name in os.environ if name.startswith("MEGAFISH_")]:
            del os.environ[name]
        os.environ |= {"MEGAFISH_ROOT": str(DEMO_ROOT), "MEGAFISH_BACKBONES": "reef_tiny"}
    root = Path(os.environ["MEGAFISH_ROOT"]).absolute()
    os.environ["MEGAFISH_ROOT"] = str(root)
    home = root / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    os.environ["DAGSTER_HOME"] = str(home)
    # The instance's settings are the repository's, its storage is the collection's: two collections never mix.
    configuration = home / "dagster.yaml"
    configuration.unlink(missing_ok=True)
    configuration.symlink_to(REPOSITORY / "dagster.yaml")


def serve(port: int) -> int:
    """The Dagster page and the daemon that starts what is launched from it, on the loopback interface only."""
    command = ["dagster", "dev", "-w", str(REPOSITORY / "workspace.yaml"), "-h", LOOPBACK, "-p", str(port)]
    os.chdir(REPOSITORY)
    os.execv(Path(sys.executable).with_name("dagster"), command)


def materialise() -> int:
    """Brings the collection up to date; 1 if an asset failed, after naming it."""
    import dagster as dg

    from megafish_assets.definitions import defs, settings
    from megafish_assets.detections.videos import ClashingVideosError
    from megafish_assets.orchestration.delta import MissingTableError
    from megafish_assets.orchestration.materialise import asset_order
    from megafish_assets.orchestration.partitions import add_videos
    from megafish_assets.orchestration.resources import Inference

    try:
        videos = Inference(uri=settings.inference_uri).videos()
    except (MissingTableError, ClashingVideosError) as error:
        print(error, file=sys.stderr)
        return 1
    with dg.DagsterInstance.get() as instance:
        new = add_videos(instance, list(videos))
        print(f"{settings.root}: {len(videos)} videos, {len(new)} of them new", flush=True)
        for asset_key in asset_order(defs):
            if not brought_up_to_date(defs, asset_key, instance):
                return 1
        for asset_key in asset_order(defs):
            for picture in sorted(settings.figures.joinpath(*asset_key.path).glob("*.png")):
                print(picture)
    return 0


def brought_up_to_date(defs, asset_key, instance) -> bool:
    """Runs what one asset lacks, a line a run; False once a run has failed."""
    from megafish_assets.orchestration.materialise import failure, missing_work, run_work

    name = asset_key.to_user_string()
    work = list(missing_work(defs, asset_key, instance))
    if not work:
        print(f"{name:32} up to date", flush=True)
    for run in work:
        started = time.monotonic()
        result = run_work(defs, run, instance)
        done = f"{len(run.partition_keys)} videos" if run.partition_keys else "whole collection"
        took = f"{time.monotonic() - started:6.1f} s"
        if not result.success:
            print(f"{name:32} FAILED after {took}, run {result.run_id}\n{failure(result)}", file=sys.stderr, flush=True)
            return False
        print(f"{name:32} {done:20} {took}", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
