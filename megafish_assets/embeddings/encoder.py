"""A loaded backbone, and the forward pass over crops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from megafish_assets.crops.batches import CropBatches
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.embeddings.geometry import square_maker
from megafish_assets.embeddings.weights import Weights, fetched, vectors_version

if TYPE_CHECKING:
    import torch

BATCH_SIZE = 64
"""Crops a forward pass; larger ones gain under 5 % on two cores."""


class UnfitWeightsError(RuntimeError):
    """The weights file is not a safetensors file of this architecture."""


class TooLittleMemoryError(RuntimeError):
    """Not even one crop fits into the device's memory."""


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
                vectors.append(self.fitting(batch.pixels_rgb))
                if on_batch is not None:
                    on_batch(len(batch.detection_ids))
        empty = torch.empty((0, self.dim), device=self.device)
        return EmbeddingBatch(crops.detection_ids, torch.cat(vectors) if vectors else empty, self.vectors_version)

    def described(self) -> dict[str, str | int]:
        """What made the vectors, for people."""
        cfg = self.model.pretrained_cfg
        used = {name: str(cfg[name]) for name in ("mean", "std", "interpolation")}
        precision = "float16" if self.device == "cuda" else "float32"
        return {"vectors_version": self.vectors_version, "device": self.device, "precision": precision} | used

    def fitting(self, pixels_rgb: torch.Tensor) -> torch.Tensor:
        """As `forward`, in halves of halves where the device's memory is too small for all at once.

        Raises TooLittleMemoryError where even one crop does not fit.
        """
        import torch

        try:
            return self.forward(pixels_rgb)
        except torch.OutOfMemoryError as error:
            if len(pixels_rgb) == 1:
                raise TooLittleMemoryError(
                    f"{self.device} has too little free memory for one crop of {tuple(pixels_rgb.shape[2:])} px: end "
                    "what else runs on it, or set MEGAFISH_DEVICE=cpu"
                ) from error
        half = len(pixels_rgb) // 2
        return torch.cat([self.fitting(pixels_rgb[:half]), self.fitting(pixels_rgb[half:])])

    def forward(self, pixels_rgb: torch.Tensor) -> torch.Tensor:
        """float32 `(n, dim)` of uint8 `(n, 3, side, side)`; half precision inside on a CUDA device."""
        import torch

        scaled = (pixels_rgb.float() / 255 - self.mean) / self.std
        with torch.autocast(self.device, dtype=torch.float16, enabled=self.device == "cuda"):
            return self.model(scaled).float()


def load_encoder(weights: Weights, geometry: str, device: str) -> Encoder:
    """The backbone with its weights, without its classifier, on the device; fetches them from the hub if need be.

    Raises MissingWeightsError or UnfitWeightsError; random weights never stand in.
    """
    import timm
    import torch

    backbone, weights = weights.backbone, fetched(weights)
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
    """The architecture filled strictly from the file: a tensor that is missing or too many is an error.

    With its classifier if the file has one, which is then taken off: asked for no classifier, timm would load
    leniently and leave random numbers wherever the file has none.
    """
    import timm

    backbone, names = weights.backbone, _tensor_names(weights.path)
    classifier = timm.get_pretrained_cfg(backbone.timm_id).classifier
    overlay: dict = {"file": str(weights.path)}
    options: dict = {"img_size": backbone.input_px} if backbone.fixed_grid else {}
    if f"{classifier}.weight" not in names:
        overlay["num_classes"] = options["num_classes"] = 0
    try:
        model = timm.create_model(backbone.timm_id, pretrained=True, pretrained_cfg_overlay=overlay, **options)
    except RuntimeError as error:
        raise UnfitWeightsError(
            f"{weights.path} does not hold the weights of {backbone.timm_id}: {error}; put that model's own file there"
        ) from error
    model.reset_classifier(0)
    return model


def _tensor_names(path: Path) -> set[str]:
    """The names of the tensors in the file, once its header has shown that it is a safetensors file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return set(file.keys())
    except SafetensorError as error:
        raise UnfitWeightsError(f"{path} is not a whole safetensors file: {error}") from error
