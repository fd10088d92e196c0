"""`python -m benchmarks.reef_tiny ROOT`: what the demo's backbone knows, beside the same architecture untrained.

AMI of KMeans clusters with the reef's truth, by the notebook's recipe (standardise, PCA 95 %, KMeans) at k = the
number of kinds in the sample, artefacts included. `ROOT` is a materialised reef, such as `data/demo`.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import timm
import torch
from safetensors.torch import save_file
from sklearn.metrics import adjusted_mutual_info_score

from megafish_assets.clusters.grouping import grouped
from megafish_assets.crops.batches import CropBatches
from megafish_assets.embeddings.backbones import BACKBONES
from megafish_assets.embeddings.encoder import load_encoder
from megafish_assets.embeddings.weights import Weights, find_weights
from megafish_assets.features.reduction import fit_projection
from megafish_assets.reef.truth import kinds

BACKBONE = BACKBONES["reef_tiny"]
SEEDS = (0, 1, 2)
"""Of KMeans and, for the untrained network, of its weights: the mean of three is reported."""


def labelled_crops(root: Path) -> pl.DataFrame:
    """`detection_id`, `jpeg` and `kind` of every crop of a materialised reef, sorted."""
    crops = pl.read_delta(str(root / "tables" / "crops" / "crops")).filter(pl.col("fault").is_null())
    raw = pl.read_delta(str(root / "tables" / "detections" / "raw_detections"))
    truth = kinds(raw, pl.read_delta(str(root / "truth")))
    return crops.join(truth, on="detection_id").select("detection_id", "jpeg", "kind").sort("detection_id")


def random_weights(seed: int, folder: Path) -> Weights:
    """Untrained weights of the same architecture, as a file."""
    torch.manual_seed(seed)
    path = folder / f"random_{seed}.safetensors"
    save_file(timm.create_model(BACKBONE.timm_id, pretrained=False, num_classes=0).state_dict(), path)
    return Weights(BACKBONE, path, None)


def ami(crops: pl.DataFrame, weights: Weights, seed: int) -> float:
    """AMI of the clusters of these crops with their kinds."""
    batches = CropBatches(crops["detection_id"].to_numpy(), crops["jpeg"].to_list(), "cpu")
    vectors = load_encoder(weights, "letterbox", "cpu").encode(batches).on_cpu()
    labels, _, _ = grouped(fit_projection([vectors]).project(vectors), crops["kind"].n_unique(), seed)
    return float(adjusted_mutual_info_score(crops["kind"].to_numpy(), labels))


def measured(root: Path) -> dict:
    """Both figures, and what they were measured on."""
    crops = labelled_crops(root)
    trained = [ami(crops, find_weights(BACKBONE, None), seed) for seed in SEEDS]
    with tempfile.TemporaryDirectory() as folder:
        untrained = [ami(crops, random_weights(seed, Path(folder)), seed) for seed in SEEDS]
    return {
        "stage": "reef_tiny",
        "n_crops": crops.height,
        "k": crops["kind"].n_unique(),
        "ami_trained": round(float(np.mean(trained)), 3),
        "ami_untrained": round(float(np.mean(untrained)), 3),
        "ami_gain": round(float(np.mean(trained) - np.mean(untrained)), 3),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reef_tiny", description=__doc__)
    parser.add_argument("root", type=Path)
    print(json.dumps(measured(parser.parse_args().root)))
