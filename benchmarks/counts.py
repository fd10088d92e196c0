"""How many kinds there are said to be, beside the truth: of reefs of few species and many, and of parts of a folder.

A line a collection, and what they come to. True is a kind that has as many tracklets in as many videos as `stability`
asks of its own; of a folder without videos every trajectory is one.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.kinds import Reef
from benchmarks.parts import parts
from benchmarks.quality import REEF_BACKBONE, SEED, UnusableIndexError, borders_in, listed, vectors_of
from megafish_assets.clusters.recipes import DEFAULT, run_recipe
from megafish_assets.clusters.resampling import resampled_stability
from megafish_assets.clusters.stability import CROPS, FEWEST_TRACKLETS, FEWEST_VIDEOS, RESAMPLES
from megafish_assets.embeddings.geometry import GEOMETRY
from megafish_assets.features.crop_rows import CropRows
from megafish_assets.features.pooling import unit_codes
from megafish_assets.reef.plan import ReefPlan
from megafish_assets.reef.recording import write_reef
from megafish_assets.storage.catalog import named

SPECIES = {71: 3, 72: 4, 73: 5, 74: 6, 75: 7, 76: 8, 77: 4, 78: 5, 79: 6, 80: 7}
"""Of the reef of each seed."""

UNSEEN_SPECIES = {81: 8, 82: 3, 83: 5, 84: 7, 85: 6, 86: 4}
"""Reefs that nothing was chosen on."""

CLIPS = 8


def of_reefs(folder: Path, species: dict[int, int] = SPECIES | UNSEEN_SPECIES, clips: int = CLIPS) -> Iterator[dict]:
    """Lines of these reefs, by seed, which are recorded and embedded in the folder where they are not there yet."""
    lines = []
    for seed, n_species in species.items():
        root = folder / f"seed_{seed}"
        write_reef(root, ReefPlan(videos=clips, seed=seed, species=n_species), on_progress=_aside)
        _embedded(root)
        reef = Reef.at(root)
        unseen = {"chosen_on": seed not in UNSEEN_SPECIES}
        lines.append({"case": f"reef {seed}, {n_species} species"} | unseen | _counted(reef.crops, reef.borders))
        yield lines[-1]
    for chosen_on in (True, False):
        yield from _summary([line for line in lines if line["chosen_on"] is chosen_on], {"chosen_on": chosen_on})


def of_parts(folder: Path, weights_folder: Path, backbone: str) -> Iterator[dict]:
    """Lines of all labelled fish of a folder, and of each of its parts. Raises UnusableIndexError."""
    index, lines = listed(folder), []
    paths, trajectories = index["path"].to_list(), index["trajectory"].to_numpy()
    borders, vectors = borders_in(folder, paths), vectors_of(folder, paths, weights_folder, backbone, GEOMETRY)
    videos, species = unit_codes(trajectories).astype(str), index["species"].to_numpy().astype(object)
    crops = CropRows(trajectories, videos, vectors, species=species)
    for name, rows in (("all", np.arange(index.height)), *parts(index, SEED)):
        lines.append({"case": name} | _counted(crops.of(rows), borders[rows]))
        yield lines[-1]
    yield from _summary(lines, {})


def _counted(crops: CropRows, borders: np.ndarray) -> dict:
    """What `stability` says of the clusters of the recipe `default`, and what is true."""
    found = run_recipe(DEFAULT, crops.features, crops.tracklets, borders, crops.videos)
    clustered = replace(crops, features=found.features, cluster_ids=found.cluster_ids)
    said = resampled_stability(DEFAULT, clustered, CROPS, SEED, RESAMPLES)
    low, high, n_true = int(np.floor(said.n_kinds_low)), int(np.ceil(said.n_kinds_high)), _n_true(crops)
    return {
        "n_tracklets": len(found.positions),
        "n_true": n_true,
        "n_clusters": clustered.n_clusters,
        "kinds": said.sentence(),
        "n_kinds": said.n_kinds,
        "holds": low <= n_true <= high,
        "width_share": round((high - low) / ((high + low) / 2), 3),
    }


def _n_true(crops: CropRows) -> int:
    """True kinds with enough tracklets and videos; a tracklet is of the kind that most of its crops show."""
    units = {"unit": unit_codes(crops.tracklets), "video": crops.videos, "kind": pl.Series(crops.species.astype(str))}
    of_units = pl.DataFrame(units).group_by("unit").agg(pl.col("video").first(), pl.col("kind").mode().sort().first())
    counts = of_units.group_by("kind").agg(pl.len(), pl.col("video").n_unique())
    return counts.filter((pl.col("len") >= FEWEST_TRACKLETS) & (pl.col("video") >= FEWEST_VIDEOS)).height


def _summary(lines: list[dict], of_what: dict) -> Iterator[dict]:
    if lines:
        n_held, widths = sum(line["holds"] for line in lines), [line["width_share"] for line in lines]
        yield of_what | {"n_cases": len(lines), "n_held": n_held, "mean_width_share": round(float(np.mean(widths)), 3)}


def _embedded(root: Path) -> None:
    """Makes the vectors of a reef, in a process of its own: a process has one collection."""
    maker = get_context("spawn").Process(target=_make, args=(root,))
    maker.start()
    maker.join()
    if maker.exitcode:
        raise UnusableIndexError(f"the vectors of {root} could not be made: see above")


def _make(root: Path) -> None:
    import os

    from megafish_assets.orchestration.home import chosen
    from megafish_assets.orchestration.upkeep import Wishes, bring_up_to_date

    sys.stdout = sys.stderr  # the lines of the benchmark alone are for programs
    for name in [name for name in os.environ if name.startswith("MEGAFISH_")]:
        del os.environ[name]
    os.environ |= {"MEGAFISH_ROOT": str(root), "MEGAFISH_BACKBONES": REEF_BACKBONE}
    settings = chosen(os.environ, own_collection=True)
    from megafish_assets.definitions import defs  # reads what `chosen` has set
    from megafish_assets.preflight import preflight

    made = bring_up_to_date(defs, settings, Wishes(only=[named("embeddings", REEF_BACKBONE)]), preflight)
    if made.failed:
        raise SystemExit(1)


def _aside(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
