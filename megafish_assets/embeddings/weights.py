"""Where a backbone's weights are, and the version that its vectors carry. No model is built here."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from megafish_assets.embeddings.backbones import Backbone
from megafish_assets.embeddings.geometry import resolved

EMBEDDED_FOLDER = Path(__file__).parent
HUB_SECONDS = 5.0
"""For one question to the hub: the answer is a kilobyte."""

HUB_FILE = "model.safetensors"
"""As timm's hub repositories name it; their pickles are never asked for."""


class MissingWeightsError(RuntimeError):
    """Neither the weights folder nor the hub has a backbone's weights."""


@dataclass(frozen=True)
class Weights:
    """The weights that a backbone will be loaded with."""

    backbone: Backbone
    path: Path | None
    """A safetensors file; None while it is still on the model hub only."""
    folder: Path | None
    """The folder that was searched first, for the error that names it."""

    @property
    def digest(self) -> str | None:
        """SHA-256 of the file, hexadecimal; None without a file."""
        if self.path is None:
            return None
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def find_weights(backbone: Backbone, folder: Path | None) -> Weights:
    """The package's own file if embedded, else `<timm_id>.safetensors` in the folder, else the hub's if fetched."""
    if backbone.embedded:
        return Weights(backbone, EMBEDDED_FOLDER / f"{backbone.name}.safetensors", folder)
    local = None if folder is None else folder / f"{backbone.timm_id}.safetensors"
    if local is not None and local.is_file():
        return Weights(backbone, local, folder)
    return Weights(backbone, _fetched_earlier(backbone), folder)


def fetched(weights: Weights) -> Weights:
    """The same weights with a file: downloaded from the hub if there is none yet. Raises MissingWeightsError."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    if weights.path is not None:
        return weights
    try:
        path = hf_hub_download(weights.backbone.hub_repository, HUB_FILE)
    except (LocalEntryNotFoundError, HfHubHTTPError, ConnectionError) as error:
        raise MissingWeightsError(missing_weights(weights)) from error
    return Weights(weights.backbone, Path(path), weights.folder)


def is_on_the_hub(weights: Weights) -> bool:
    """Whether the hub can be reached and has them, asked once and briefly; True where they are here already."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    if weights.path is not None:
        return True
    url = hf_hub_url(weights.backbone.hub_repository, HUB_FILE)
    # hf_hub_download has errors of its own, but asks for 23 s; this one lets its client's through, which was requests,
    # then httpx, then httpx2, and they share no base.
    try:
        get_hf_file_metadata(url, timeout=HUB_SECONDS)
    except Exception:  # noqa: BLE001
        return False
    return True


def vectors_version(weights: Weights, geometry: str) -> str | None:
    """Name, geometry and twelve hexadecimal digits that change with model, weights or preprocessing.

    None while the weights are on the hub only: their digest is not known before they are here.
    """
    if weights.path is None:
        return None
    parts = (weights.backbone.timm_id, weights.backbone.input_px, weights.digest, resolved(geometry))
    return f"{weights.backbone.name}-{geometry}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:12]}"


def missing_weights(weights: Weights) -> str:
    """What is missing, and both remedies."""
    name = f"{weights.backbone.timm_id}.safetensors"
    searched = "MEGAFISH_WEIGHTS names no folder" if weights.folder is None else f"{weights.folder} has no {name}"
    return (
        f"no weights for backbone {weights.backbone.name} ({weights.backbone.timm_id}): {searched}, and "
        f"{weights.backbone.hub_repository} cannot be had from the model hub. Either connect this machine to the hub "
        f"once, or put {name} (that repository's {HUB_FILE}) into a folder and name it in MEGAFISH_WEIGHTS."
    )


def _fetched_earlier(backbone: Backbone) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(backbone.hub_repository, HUB_FILE)
    return Path(found) if isinstance(found, str) else None
