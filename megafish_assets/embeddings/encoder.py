"""A loaded backbone, and the forward pass over crops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from megafish_assets.crops.batches import CropBatches
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.embeddings.geometry import square_maker
from megafish_assets.embeddings.weights import Weights, vectors_version

if TYPE_CHECKING:
    import torch

BATCH_SIZE = 64
"""Crops a forward pass; larger ones gain under 5 % on two cores."""


class MissingWeightsError(RuntimeError):
    """Neither the weights folder nor the hub has a backbone's weights."""


class UnfitWeightsError(RuntimeError):
    """The weights file is not a safetensors file of this architecture."""


@dataclass(frozen=True)
class Encoder:
    """A frozen model on a device, with the preprocessing that belongs to its weights."""

    model: torch.nn.Module
    to_square: Callable[[np.ndarray], torch.Tensor]
    """From a picture to the model's uint8 input."""
    mean: torch.Tensor
    """float32 `(1, 3, 1, 1)`, of values in [0, 1], on the device."""
    std: torch.Tensor
    """As `mean`."""
    dim: int
    vectors_version: str
    device: str

    def encode(self, crops: CropBatches, on_batch: Callable[[int], None] | None = None) -> EmbeddingBatch:
        """One vector a crop, in their order; `(0, dim)` for none. `on_batch` is told each batch's size."""
        import torch

        vectors = []
        with torch.inference_mode():
            for batch in crops.batches(self.to_square, BATCH_SIZE):
                vectors.append(self.forward(batch.pixels_rgb))
                if on_batch is not None:
                    on_batch(len(batch.detection_ids))
        empty = torch.empty((0, self.dim), device=self.device)
        return EmbeddingBatch(crops.detection_ids, torch.cat(vectors) if vectors else empty, self.vectors_version)

    def forward(self, pixels_rgb: torch.Tensor) -> torch.Tensor:
        """float32 `(n, dim)` of uint8 `(n, 3, side, side)`; half precision inside on a CUDA device."""
        import torch

        scaled = (pixels_rgb.float() / 255 - self.mean) / self.std
        with torch.autocast(self.device, dtype=torch.float16, enabled=self.device.startswith("cuda")):
            return self.model(scaled).float()


def load_encoder(weights: Weights, geometry: str, device: str) -> Encoder:
    """The backbone with its weights, without its classifier, on the device.

    Raises MissingWeightsError or UnfitWeightsError; random weights never stand in.
    """
    import timm
    import torch

    backbone = weights.backbone
    model = _model(weights).eval().requires_grad_(False).to(device)
    data = timm.data.resolve_data_config(pretrained_cfg=model.pretrained_cfg)
    side = backbone.input_px or data["input_size"][1]
    return Encoder(
        model=model,
        to_square=square_maker(geometry, side, data["interpolation"], data["crop_pct"], data["mean"]),
        mean=torch.tensor(data["mean"], device=device).view(1, 3, 1, 1),
        std=torch.tensor(data["std"], device=device).view(1, 3, 1, 1),
        dim=backbone.dim,
        vectors_version=vectors_version(weights, geometry),
        device=device,
    )


def _model(weights: Weights) -> torch.nn.Module:
    import timm
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    backbone = weights.backbone
    options: dict = {"pretrained": True, "num_classes": 0}
    if backbone.input_px is not None and backbone.timm_id.startswith("vit"):
        options["img_size"] = backbone.input_px  # position embeddings are interpolated to this grid
    names = None if weights.path is None else _names(weights)
    if names is not None:
        options["pretrained_cfg_overlay"] = {"file": str(weights.path)}
    try:
        model = timm.create_model(backbone.timm_id, **options)
    except (LocalEntryNotFoundError, HfHubHTTPError, ConnectionError) as error:
        raise MissingWeightsError(missing_weights(weights)) from error
    except RuntimeError as error:
        source = weights.path or f"the hub's weights of {backbone.timm_id}"
        raise UnfitWeightsError(f"{source} do not fit the architecture {backbone.timm_id}: {error}") from error
    # Without a classifier timm loads leniently, and what the file lacks would stay random.
    absent = [] if names is None else sorted(model.state_dict().keys() - names)
    if absent:
        raise UnfitWeightsError(
            f"{weights.path} lacks {len(absent)} of the weights of {backbone.timm_id}, {absent[0]} first: it is of "
            f"another architecture; put {backbone.timm_id}'s own there"
        )
    return model


def _names(weights: Weights) -> set[str]:
    """The names of the tensors in the file, once its header has shown that it is a safetensors file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights.path, framework="pt") as file:
            return set(file.keys())
    except SafetensorError as error:
        raise UnfitWeightsError(f"{weights.path} is not a whole safetensors file: {error}") from error


def missing_weights(weights: Weights) -> str:
    """What is missing and both remedies."""
    name = f"{weights.backbone.timm_id}.safetensors"
    searched = "MEGAFISH_WEIGHTS names no folder" if weights.folder is None else f"{weights.folder} has no {name}"
    return (
        f"no weights for backbone {weights.backbone.name} ({weights.backbone.timm_id}): {searched}, and the model hub "
        f"cannot be reached. Either connect this machine to the hub once, so that timm can fetch them, or put {name} "
        f"(from a machine that can) into a folder and name it in MEGAFISH_WEIGHTS."
    )
