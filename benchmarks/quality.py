"""How far clusters follow the fish: the notebook's recipe and the platform's, a line each.

Of labelled fish: a folder of crops with `index.csv` (path, species, trajectory). Of the reef: a materialised demo,
whose truth also knows what lies behind each fish. Labels enter the scores only.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import polars as pl

from benchmarks.parts import parts, summary
from benchmarks.pictures import drawn_beside, panel
from megafish_assets.clusters.grouping import noise_share
from megafish_assets.clusters.recipes import DEFAULT, NOTEBOOK, Recipe, at_k, first_rows, run_recipe
from megafish_assets.crops.batches import CropBatches
from megafish_assets.crops.borders import border_matrix, border_of
from megafish_assets.embeddings.backbones import BACKBONES
from megafish_assets.embeddings.encoder import load_encoder
from megafish_assets.embeddings.geometry import GEOMETRY
from megafish_assets.embeddings.tables import batch_of
from megafish_assets.embeddings.weights import find_weights
from megafish_assets.evaluation import metrics
from megafish_assets.evaluation.confounders import border_predictability
from megafish_assets.evaluation.crop_rows import Borders, evidence_of
from megafish_assets.evaluation.evaluating import evaluate
from megafish_assets.features.crop_rows import borders_of, seen_rows
from megafish_assets.features.layout import known
from megafish_assets.features.pooling import unit_codes
from megafish_assets.footage.boxes import BOX
from megafish_assets.reef.truth import kinds
from megafish_assets.storage.catalog import named

INDEX = "index.csv"
REEF_BACKBONE = "reef_tiny"
DRAWN = "notebook_true_k", "default"
"""Of the recipes over the reef, those that are drawn side by side."""

NOTEBOOK_GEOMETRY = "center"
"""timm's own transform, through which the notebook saw its crops."""

SEED = 42


class UnusableIndexError(ValueError):
    """The folder's index does not list crops with species and trajectory."""


def listed(folder: Path) -> pl.DataFrame:
    """`path`, `species` and `trajectory` (null for none) of every crop that has a species, sorted by path.

    Raises UnusableIndexError.
    """
    if not (folder / INDEX).is_file():
        raise UnusableIndexError(f"{folder} has no {INDEX}: expected a table of path, species and trajectory")
    try:
        index = pl.read_csv(folder / INDEX, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise UnusableIndexError(f"{folder / INDEX} is no table: {error}") from error
    missing = [name for name in ("path", "species", "trajectory") if name not in index.columns]
    if missing or not index.height:
        raise UnusableIndexError(
            f"{folder / INDEX}: {index.height} rows, missing columns {missing}; expected some crops"
        )
    # A picture listed twice would be its own nearest neighbor; one without a species has nothing to be scored by.
    index = index.filter(pl.col("species").fill_null("") != "")
    twice = index.filter(pl.col("path").is_duplicated() | pl.col("path").is_null())
    if twice.height:
        raise UnusableIndexError(f"{folder / INDEX} lists {twice['path'][0]!r} more than once, or a row has no path")
    if index["species"].n_unique() < 2:
        raise UnusableIndexError(f"{folder / INDEX} names {index['species'].n_unique()} species; expected 2 or more")
    absent = [path for path in index["path"] if not (folder / path).is_file()]
    if absent:
        raise UnusableIndexError(f"{folder / INDEX} lists {len(absent)} files that are not there, first {absent[0]}")
    return index.with_columns(pl.col("trajectory").replace("", None)).sort("path")


def borders_in(folder: Path, paths: list[str]) -> np.ndarray:
    """float32 `(n, N_BORDER)` of these pictures. Raises UnusableIndexError for one that can't be decoded."""
    borders = []
    for path in paths:
        pixels = cv2.imread(str(folder / path))
        if pixels is None:
            raise UnusableIndexError(f"{folder / path} is not a picture that OpenCV can decode")
        borders.append(border_of(pixels))
    return border_matrix(borders)


def vectors_of(folder: Path, paths: list[str], weights_folder: Path, backbone: str, geometry: str) -> np.ndarray:
    """float32 `(n, d)` of these pictures."""
    encoder = load_encoder(find_weights(BACKBONES[backbone], weights_folder), geometry, "cpu")
    pictures = [(folder / path).read_bytes() for path in paths]
    return encoder.encode(CropBatches(np.array(paths, dtype=str), pictures, "cpu")).on_cpu()


def recipes(n_species: int) -> dict[str, Recipe]:
    """What is compared; the notebook had no k of its own for species, so it is given theirs."""
    return {"notebook": at_k(NOTEBOOK, n_species), "default": DEFAULT, "default_true_k": at_k(DEFAULT, n_species)}


def scored(name: str, recipe: Recipe, vectors: np.ndarray, borders: np.ndarray, index: pl.DataFrame) -> dict:
    """The line of one recipe."""
    species, trajectories = index["species"].to_numpy(), index["trajectory"].to_numpy()
    units = unit_codes(trajectories)
    began = time.monotonic()
    found = run_recipe(recipe, vectors, trajectories, borders, groups=units)
    seconds = time.monotonic() - began
    scores = metrics.label_scores(found.cluster_ids, species)
    return {
        "recipe": name,
        "k_given": recipe.k is not None,
        "k": int(found.cluster_ids.max()) + 1,
        "species_ami": round(scores["ami"], 4),
        "ari": round(scores["ari"], 4),
        "v_measure": round(scores["v_measure"], 4),
        "homogeneity": round(scores["homogeneity"], 4),
        "completeness": round(scores["completeness"], 4),
        "macro_f1": round(scores["macro_f1"], 4),
        "knn_other_trajectories": known(round(metrics.neighbor_accuracy(found.features, species, units), 4)),
        "noise_share": round(noise_share(found.cluster_ids), 4),
        "n_species": index["species"].n_unique(),
        "n_crops": index.height,
        "n_trajectories": int(units.max()) + 1,
        "seconds": round(seconds, 2),
    }


def of_labelled_fish(folder: Path, weights_folder: Path, backbone: str, in_parts: bool = False) -> Iterator[dict]:
    """A line a recipe; `in_parts`, one of each part, then what they come to."""
    index = listed(folder)
    vectors, paths = {}, index["path"].to_list()
    borders = borders_in(folder, paths)

    def compared(rows: np.ndarray) -> Iterator[dict]:
        kept = index[rows]
        for name, recipe in recipes(kept["species"].n_unique()).items():
            geometry = NOTEBOOK_GEOMETRY if name == "notebook" else GEOMETRY
            if geometry not in vectors:
                vectors[geometry] = vectors_of(folder, paths, weights_folder, backbone, geometry)
            yield scored(name, recipe, vectors[geometry][rows], borders[rows], kept)

    if not in_parts:
        yield from compared(np.arange(index.height))
        return
    lines = []
    for part, rows in parts(index, SEED):
        for line in compared(rows):
            lines.append({"part": part} | line)
            yield lines[-1]
    yield from summary(lines)


def of_the_reef(root: Path, picture: Path | None = None) -> Iterator[dict]:
    """A line a recipe over a demo's stored vectors: the platform's measures, and two that only the truth can tell.

    `picture` is where the notebook's clusters are drawn beside the platform's. A first line, `truth`, says how far the
    true kinds themselves follow what is not the fish.

    `species_ami` is over kinds, artefacts among them. `background_ami` is of the clusters with what lies behind a fish,
    reef or open water, over one row of each tracklet that shows a fish.
    """
    tables = root / "tables"
    if not tables.is_dir():
        raise UnusableIndexError(f"{root} holds no tables: make demo, or materialise the collection")
    stored = {
        name: pl.scan_delta(str(tables / place))
        for name, place in {
            "raw": "detections/raw_detections",
            "sampled": "detections/sampled_detections",
            "tracklets": "detections/tracklets",
            "crops": "crops/crops",
        }.items()
    }
    batch = batch_of(pl.read_delta(str(tables / "embeddings" / named("embeddings", REEF_BACKBONE))), "cpu")
    rows = seen_rows(pl.Series("detection_id", batch.detection_ids), stored["sampled"], stored["tracklets"])
    truth = shown(rows, stored["raw"].collect(), pl.read_delta(str(root / "truth")))
    borders = Borders(np.arange(len(batch)), borders_of(batch.detection_ids, stored["crops"]))
    evidence = evidence_of(rows, {}, borders, truth.select("detection_id", pl.col("kind").alias("label")))
    n_kinds = truth["kind"].n_unique()
    compared = {"notebook": NOTEBOOK, "notebook_true_k": at_k(NOTEBOOK, n_kinds)}
    compared |= {"default": DEFAULT, "default_true_k": at_k(DEFAULT, n_kinds)}
    kinds_shown, behind = truth["kind"].to_numpy().astype(str), truth["background"].fill_null("").to_numpy().astype(str)
    codes, panels = np.unique(kinds_shown, return_inverse=True)[1], {}
    alone = np.flatnonzero(behind != "")
    alone = alone[first_rows(unit_codes(evidence.crops.tracklets[alone]))]  # a row a tracklet, as `evaluate` does

    def leaks(labels: np.ndarray) -> dict[str, float]:
        return {"background_ami": metrics.confounder_leaks(labels[alone], {"behind": behind[alone]})["behind"]}

    def jpegs_of(places: np.ndarray) -> list[bytes]:
        ids = batch.detection_ids[places].tolist()
        found = stored["crops"].filter(pl.col("detection_id").is_in(ids)).select("detection_id", "jpeg").collect()
        by_id = dict(found.iter_rows())
        return [by_id[key] for key in ids]

    by_border = {"border_leak": border_predictability(borders.pixels, codes, evidence.crops.videos)}
    yield _line("truth", True, codes, by_border | leaks(codes))
    for name, recipe in compared.items():
        found = run_recipe(recipe, batch.on_cpu(), evidence.crops.tracklets, borders.pixels, evidence.crops.videos)
        yield _line(
            name, recipe.k is not None, found.cluster_ids, evaluate(found, evidence, SEED) | leaks(found.cluster_ids)
        )
        if name in DRAWN:
            title = f"{name}, k = {found.cluster_ids.max() + 1}, its largest clusters"
            panels[name] = panel(title, found.cluster_ids, evidence.crops.tracklets, kinds_shown, jpegs_of)
    if picture is not None:
        drawn_beside(panels, picture)


def _line(name: str, k_given: bool, labels: np.ndarray, numbers: dict[str, float]) -> dict:
    known_numbers = {key: round(number, 4) for key, number in numbers.items() if not np.isnan(number)}
    return {"recipe": name, "k_given": k_given, "k": int(labels.max()) + 1} | known_numbers


def shown(rows: pl.DataFrame, raw: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """`detection_id`, `kind` and `background` (null for artefacts) of the rows, in their order."""
    boxes = [pl.col("box").list.get(place).alias(name) for place, name in enumerate(BOX)]
    behind = truth.select("video_file", "frame_id", "score", *boxes, "background")
    both = raw.join(behind, on=["video_file", "frame_id", "score", *BOX], how="left")
    kinds_shown = kinds(raw, truth).join(both.select("detection_id", "background"), on="detection_id")
    return rows.select("detection_id").join(kinds_shown, on="detection_id", how="left", maintain_order="left")


def main(lines: Iterator[dict]) -> int:
    """Prints the lines as JSON, as they become known; 2 with a sentence for a folder that can't be used."""
    try:
        for line in lines:
            print(json.dumps(line), flush=True)
    except UnusableIndexError as wrong:
        print(wrong)
        return 2
    return 0
