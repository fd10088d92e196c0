"""Crops through the notebook's three backbones, from JPEG to vectors: half precision where the vectors stay, pictures
decoded ahead by threads; beside the notebook's Pillow, timm's transform and float32.

Weights are seeded noise in the real architectures: time does not depend on what was learned, but which precision a
model is run in may (see `in_half_precision`); `described` says which it was.
"""

from pathlib import Path

import cv2
import numpy as np

from benchmarks.ways import Result, Stage
from megafish_assets.crops.batches import CropBatches
from megafish_assets.embeddings.backbones import BACKBONES, NOTEBOOK_BACKBONES
from megafish_assets.embeddings.encoder import load_encoder
from megafish_assets.embeddings.weights import find_weights

CROPS = 96
MEDIAN_WH_PX = (91, 103)
"""Of real fish crops."""

NOTEBOOK_BATCH = 32


def write(folder: Path, n: int) -> None:
    """Blurred seeded pictures as JPEG, and weights."""
    import timm
    import torch
    from safetensors.torch import save_file

    rng = np.random.default_rng(0)
    sizes = np.clip(rng.lognormal(np.log(MEDIAN_WH_PX), 0.4, (n, 2)), 16, 600).astype(int)
    cells = rng.integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)
    for number, (size, picture) in enumerate(zip(sizes, cells, strict=True)):
        cv2.imwrite(str(folder / f"{number:06d}.jpg"), cv2.resize(picture, tuple(map(int, size))))
    for name in NOTEBOOK_BACKBONES:
        torch.manual_seed(0)
        timm_id = BACKBONES[name].timm_id
        state = timm.create_model(timm_id, pretrained=False, num_classes=0).state_dict()
        save_file(state, folder / f"{timm_id}.safetensors")


def load(folder: Path) -> tuple[Path, list[bytes]]:
    """Where the weights are, and the crops."""
    return folder, [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]


def ours(given: tuple[Path, list[bytes]]) -> Result:
    """As the three assets do it, one after the other."""
    folder, jpegs = given
    crops = CropBatches(np.array([f"v/{n:06d}/000" for n in range(len(jpegs))]), jpegs, "cpu")
    encoders = {name: _encoder(folder, name) for name in NOTEBOOK_BACKBONES}
    return {name: encoder.encode(crops).on_cpu() for name, encoder in encoders.items()}


def notebook(given: tuple[Path, list[bytes]]) -> Result:
    """Pillow and timm's own transform, one picture after the other, and float32."""
    import io

    import timm
    import torch
    from PIL import Image

    folder, jpegs = given
    found = {}
    for name in NOTEBOOK_BACKBONES:
        model = _notebook_model(folder, name)
        transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
        parts = []
        with torch.inference_mode():
            for start in range(0, len(jpegs), NOTEBOOK_BATCH):
                pictures = [Image.open(io.BytesIO(jpeg)) for jpeg in jpegs[start : start + NOTEBOOK_BATCH]]
                parts.append(model(torch.stack([transform(picture.convert("RGB")) for picture in pictures])).numpy())
        found[name] = np.concatenate(parts)
    return found


_KEPT: dict[str, object] = {}
"""Models stay loaded between runs, in both ways."""


def _encoder(folder: Path, name: str):
    if name not in _KEPT:
        _KEPT[name] = load_encoder(find_weights(BACKBONES[name], folder), "center", "cpu")
    return _KEPT[name]


def _notebook_model(folder: Path, name: str):
    import timm
    from safetensors.torch import load_file

    if name not in _KEPT:
        timm_id = BACKBONES[name].timm_id
        model = timm.create_model(timm_id, pretrained=False, num_classes=0).eval()
        model.load_state_dict(load_file(folder / f"{timm_id}.safetensors"))
        _KEPT[name] = model
    return _KEPT[name]


def compare(ours: Result, other: Result) -> dict[str, float]:
    """One less the smallest cosine between both ways' vectors of a crop, by backbone."""
    return {name: 1 - float(_cosines(ours[name], other[name]).min()) for name in NOTEBOOK_BACKBONES}


def _cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


STAGE = Stage(
    write=write,
    load=load,
    ways={"ours": ours, "notebook": notebook},
    compare=compare,
    size=CROPS,
    unit="n_crops",
    full=1000,
    repeats={"ours": 2},
)
