"""Where a backbone's weights are, and the version that its vectors carry. No model is built here."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from megafish_assets.embeddings.backbones import Backbone

EMBEDDED_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Weights:
    """The weights that a backbone will be loaded with."""

    backbone: Backbone
    path: Path | None
    """A safetensors file; None for timm's own on the model hub."""
    folder: Path | None
    """The folder that was searched, for the error that names it."""
    identity: str
    """`sha256:<digest>` of the file, or `hub:<timm id>`: a hub's tag is never given to other weights."""


def find_weights(backbone: Backbone, folder: Path | None) -> Weights:
    """`<timm_id>.safetensors` in the folder if it is there, the package's own if embedded, else the hub's."""
    path = EMBEDDED_FOLDER / f"{backbone.name}.safetensors" if backbone.embedded else None
    if path is None and folder is not None and (folder / f"{backbone.timm_id}.safetensors").is_file():
        path = folder / f"{backbone.timm_id}.safetensors"
    identity = f"hub:{backbone.timm_id}" if path is None else f"sha256:{_digest(path)}"
    return Weights(backbone, path, folder, identity)


def vectors_version(weights: Weights, geometry: str) -> str:
    """Name, geometry and twelve hexadecimal digits that change with model, weights or preprocessing."""
    parts = (weights.backbone.timm_id, weights.backbone.input_px, weights.identity, geometry)
    return f"{weights.backbone.name}-{geometry}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:12]}"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
