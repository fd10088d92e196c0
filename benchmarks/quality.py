"""How far clusters of labelled fish follow their species: the notebook's recipe and the platform's, a line each.

A folder of crops holds `index.csv` (path, species, trajectory). Labels enter the scores only.
"""

import json
from pathlib import Path

import numpy as np
import polars as pl

from megafish_assets.clusters import quality
from megafish_assets.clusters.recipes import DEFAULT, NOTEBOOK, Recipe, at_k, followed
from megafish_assets.crops.batches import CropBatches
from megafish_assets.embeddings.backbones import BACKBONES
from megafish_assets.embeddings.encoder import load_encoder
from megafish_assets.embeddings.weights import find_weights

INDEX = "index.csv"


class UnusableIndexError(ValueError):
    """The folder's index does not list crops with species and trajectory."""


def listed(folder: Path) -> pl.DataFrame:
    """`path`, `species` and `trajectory` of every crop, sorted by path. Raises UnusableIndexError."""
    index = pl.read_csv(folder / INDEX, infer_schema=False)
    missing = [name for name in ("path", "species", "trajectory") if name not in index.columns]
    if missing or not index.height:
        raise UnusableIndexError(
            f"{folder / INDEX}: {index.height} rows, missing columns {missing}; expected some crops"
        )
    absent = [path for path in index["path"] if not (folder / path).is_file()]
    if absent:
        raise UnusableIndexError(f"{folder / INDEX} lists {len(absent)} files that are not there, first {absent[0]}")
    return index.sort("path")


def vectors_of(folder: Path, paths: list[str], weights_folder: Path, backbone: str, geometry: str) -> np.ndarray:
    """float32 `(n, d)` of these pictures."""
    encoder = load_encoder(find_weights(BACKBONES[backbone], weights_folder), geometry, "cpu")
    pictures = [(folder / path).read_bytes() for path in paths]
    return encoder.encode(CropBatches(np.array(paths, dtype=str), pictures, "cpu")).on_cpu()


def recipes(n_species: int) -> dict[str, Recipe]:
    """What is compared; the notebook had no k of its own for species, so it is given theirs."""
    return {"notebook": at_k(NOTEBOOK, n_species), "default": DEFAULT, "default_true_k": at_k(DEFAULT, n_species)}


def scored(name: str, recipe: Recipe, vectors: np.ndarray, index: pl.DataFrame) -> dict:
    """The line of one recipe."""
    species, trajectories = index["species"].to_numpy(), index["trajectory"].to_numpy()
    found = followed(recipe, vectors, trajectories, groups=trajectories)
    scores = quality.label_scores(found.labels, species)
    return {
        "recipe": name,
        "k_given": recipe.k is not None,
        "k": int(found.labels.max()) + 1,
        "species_ami": round(scores["ami"], 4),
        "ari": round(scores["ari"], 4),
        "v_measure": round(scores["v_measure"], 4),
        "macro_f1": round(scores["macro_f1"], 4),
        "knn_other_trajectories": round(quality.neighbour_accuracy(found.features, species, trajectories), 4),
        "noise_share": round(quality.noise_share(found.labels), 4),
        "n_species": index["species"].n_unique(),
        "n_crops": index.height,
        "n_trajectories": index["trajectory"].n_unique(),
    }


def main(folder: Path, weights_folder: Path, backbone: str) -> int:
    """Prints a line of JSON a recipe."""
    index = listed(folder)
    compared, vectors = recipes(index["species"].n_unique()), {}
    for name, recipe in compared.items():
        if recipe.geometry not in vectors:
            paths = index["path"].to_list()
            vectors[recipe.geometry] = vectors_of(folder, paths, weights_folder, backbone, recipe.geometry)
        print(json.dumps(scored(name, recipe, vectors[recipe.geometry], index)), flush=True)
    return 0
