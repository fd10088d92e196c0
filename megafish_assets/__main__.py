"""`python -m megafish_assets`: everything that is missing, from raw rows to montages, with progress."""

import os
import sys
import time

import dagster as dg

from megafish_assets.definitions import defs, settings
from megafish_assets.orchestration.materialise import asset_order, materialise, missing_work
from megafish_assets.orchestration.partitions import add_videos
from megafish_assets.orchestration.resources import Inference


def main() -> int:
    """Brings the collection of `MEGAFISH_ROOT` up to date; 1 if an asset failed, after naming it."""
    storage = os.environ.get("MEGAFISH_DAGSTER_STORAGE", str(settings.root / "dagster"))
    os.makedirs(storage, exist_ok=True)
    with dg.DagsterInstance.get() as instance:
        videos = Inference(uri=settings.inference_uri).videos()
        new = add_videos(instance, list(videos))
        print(f"{settings.root}: {len(videos)} videos, {len(new)} of them new", flush=True)
        for asset_key in asset_order(defs):
            if not brought_up_to_date(asset_key, instance):
                return 1
    for picture in sorted((settings.root / "figures").rglob("*.png")):
        print(picture)
    return 0


def brought_up_to_date(asset_key: dg.AssetKey, instance: dg.DagsterInstance) -> bool:
    """Runs what one asset lacks, a line a run; False once a run has failed."""
    name = asset_key.to_user_string()
    work = list(missing_work(defs, asset_key, instance))
    if not work:
        print(f"{name:32} up to date", flush=True)
    for run in work:
        started = time.monotonic()
        result = materialise(defs, run, instance)
        done = f"{len(run.partition_keys)} videos" if run.partition_keys else "whole collection"
        took = f"{time.monotonic() - started:6.1f} s"
        if not result.success:
            failure = next((e for e in result.all_events if e.is_step_failure), None)
            why = failure.step_failure_data.error.to_string() if failure else "see the run's log"
            print(f"{name:32} FAILED after {took}, run {result.run_id}\n{why}", file=sys.stderr, flush=True)
            return False
        print(f"{name:32} {done:20} {took}", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
