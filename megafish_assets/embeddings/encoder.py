"""A loaded backbone, and the forward pass over crops."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from megafish_assets.crops.batches import CropBatches
from megafish_assets.embeddings.allocator import keep_freed_memory
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.embeddings.geometry import square_maker
from megafish_assets.embeddings.weights import Weights, fetched, vectors_version

if TYPE_CHECKING:
    import torch

BATCH_SIZE, CPU_BATCH_SIZE = 64, 16
"""Pictures a forward pass. More are no faster on two cores, and take a third more memory."""

LEAST_COSINE = 0.999
"""Between a vector in half and one in single precision: below it, the model is run in single."""

PROBE_CROPS, PROBE_CELLS, PROBE_CONTRAST, PROBE_MARGIN = 8, 4, 0.25, 3
"""Blurred pictures of little contrast, as murky water is: they lose more than most, and the worst of 256 real fish up
to three times as much. With ImageNet's MobileNetV2 the least cosine is 0.9993 on the probe, 0.9979 on real fish and
1.0000 on noise in float16, and 0.962, 0.923 and 0.999 in bfloat16."""


class UnfitWeightsError(RuntimeError):
    """The weights file is not a safetensors file of this architecture."""


class TooLittleMemoryError(RuntimeError):
    """Not even one crop fits into the device's memory."""


@dataclass(frozen=True)
class Encoder:
    """A frozen model on a device, with the preprocessing that belongs to its weights."""

    model: torch.nn.Module
    """In `dtype`."""
    dtype: torch.dtype
    """Half precision where device and model allow it."""
    to_square: Callable[[np.ndarray], torch.Tensor]
    """From a picture to the model's uint8 input: a square, or one a view `(n_views, 3, side, side)`."""
    mean: torch.Tensor
    """float32 `(1, 3, 1, 1)`, of values in [0, 1], on the device."""
    std: torch.Tensor
    """As `mean`."""
    dim: int
    vectors_version: str
    device: str

    @property
    def batch_size(self) -> int:
        """Pictures that the device sees at a time."""
        return CPU_BATCH_SIZE if self.device == "cpu" else BATCH_SIZE

    def encode(self, crops: CropBatches, on_batch: Callable[[int], None] | None = None) -> EmbeddingBatch:
        """One vector a crop, in their order, on the CPU; `(0, dim)` for none. `on_batch` is told each batch's size."""
        import torch

        vectors = []
        with torch.inference_mode():
            for batch in crops.batches(self.to_square, self.batch_size):
                vectors.append(self.averaged(batch.pixels_rgb))
                if on_batch is not None:
                    on_batch(len(batch.detection_ids))
        joined = torch.cat(vectors).cpu() if vectors else torch.empty((0, self.dim))  # waits for a card to be done
        return EmbeddingBatch(crops.detection_ids, joined, self.vectors_version)

    def described(self) -> dict[str, str | int]:
        """What made the vectors, for people."""
        cfg = self.model.pretrained_cfg
        used = {name: str(cfg[name]) for name in ("mean", "std", "interpolation")}
        precision = str(self.dtype).removeprefix("torch.")
        return {"vectors_version": self.vectors_version, "device": self.device, "precision": precision} | used

    def averaged(self, pixels_rgb: torch.Tensor) -> torch.Tensor:
        """float32 `(n, dim)` of uint8 `(n, 3, side, side)`, or the mean over views of `(n, n_views, 3, side, side)`."""
        import torch

        if pixels_rgb.dim() == 4:
            return self.fitting(pixels_rgb)
        parts = [self.fitting(part) for part in pixels_rgb.flatten(0, 1).split(self.batch_size)]
        return torch.cat(parts).unflatten(0, pixels_rgb.shape[:2]).mean(dim=1)

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
        """float32 `(n, dim)` of uint8 `(n, 3, side, side)`."""
        import torch

        scaled = (pixels_rgb.float() / 255 - self.mean) / self.std
        # Channels last: convolutions read a pixel's channels together, which is half the time of mobile networks.
        return self.model(scaled.to(self.dtype, memory_format=torch.channels_last)).float()


def load_encoder(weights: Weights, geometry: str, device: str) -> Encoder:
    """The backbone with its weights, without its classifier, on the device; fetches them from the hub if need be.

    Raises MissingWeightsError or UnfitWeightsError; random weights never stand in.
    """
    import timm
    import torch

    if device == "cpu":
        keep_freed_memory()
    backbone, weights = weights.backbone, fetched(weights)
    model = _model(weights).eval().requires_grad_(False).to(device, memory_format=torch.channels_last)
    data = timm.data.resolve_data_config(pretrained_cfg=model.pretrained_cfg)
    side = backbone.input_px or data["input_size"][1]
    model, dtype = in_half_precision(model, half_precision(device), side, device)
    return Encoder(
        model=model,
        dtype=dtype,
        to_square=square_maker(geometry, side, data["interpolation"], data["crop_pct"], data["mean"]),
        mean=torch.tensor(data["mean"], device=device).view(1, 3, 1, 1),
        std=torch.tensor(data["std"], device=device).view(1, 3, 1, 1),
        dim=backbone.dim,
        vectors_version=vectors_version(weights, geometry),
        device=device,
    )


def half_precision(device: str) -> torch.dtype:
    """The half precision that the device computes in faster than in single; float32 where there is none."""
    import torch

    if device.startswith("cuda"):
        return torch.float16
    # Without instructions for it, a CPU takes several times as long in bfloat16.
    has_bfloat16 = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if device == "cpu" and has_bfloat16 else torch.float32


def in_half_precision(
    model: torch.nn.Module, dtype: torch.dtype, side_px: int, device: str
) -> tuple[torch.nn.Module, torch.dtype]:
    """The model in this precision if it still gives nearly the same vectors, else as it was, in float32."""
    import torch

    if dtype == torch.float32:
        return model, dtype
    cells = torch.randn(PROBE_CROPS, 3, PROBE_CELLS, PROBE_CELLS, generator=torch.Generator().manual_seed(0))
    probe = torch.nn.functional.interpolate(PROBE_CONTRAST * cells, size=(side_px, side_px), mode="bicubic").to(device)
    halved = copy.deepcopy(model).to(dtype)
    with torch.inference_mode():
        exact, near = model(probe).float(), halved(probe.to(dtype, memory_format=torch.channels_last)).float()
    # A number past half precision's range makes the cosine nan, which is not below anything.
    lost = 1 - torch.nn.functional.cosine_similarity(exact, near).min().item()
    alike = PROBE_MARGIN * lost <= 1 - LEAST_COSINE
    return (halved, dtype) if alike else (model, torch.float32)


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
