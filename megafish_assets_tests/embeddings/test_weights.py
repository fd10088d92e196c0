"""Where weights are found, and the version of what they make."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from megafish_assets.embeddings.backbones import BACKBONES
from megafish_assets.embeddings.weights import find_weights, vectors_version

MODEL = BACKBONES["mobilenetv2"]


def folder_with(folder: Path, content: bytes) -> Path:
    """A folder with this as the model's weights; finding them reads bytes only."""
    folder.mkdir(exist_ok=True)
    (folder / "mobilenetv2_100.safetensors").write_bytes(content)
    return folder


def version(folder: Path | None, geometry: str = "letterbox", backbone=MODEL) -> str:
    return vectors_version(find_weights(backbone, folder), geometry)


@pytest.mark.parametrize("named", [True, False])
def test_without_a_file_the_weights_are_the_hubs(tmp_path: Path, named: bool) -> None:
    folder = tmp_path if named else None
    weights = find_weights(MODEL, folder)
    assert (weights.path, weights.folder, weights.identity) == (None, folder, "hub:mobilenetv2_100")


def test_a_file_in_the_folder_is_known_by_its_bytes(tmp_path: Path) -> None:
    weights = find_weights(MODEL, folder_with(tmp_path, b"weights"))
    assert weights.path == tmp_path / "mobilenetv2_100.safetensors"
    assert weights.identity == f"sha256:{hashlib.sha256(b'weights').hexdigest()}"


@pytest.mark.parametrize("backbone", [one for one in BACKBONES.values() if one.embedded], ids=lambda one: one.name)
def test_embedded_weights_come_with_the_package(backbone, tmp_path: Path) -> None:
    assert find_weights(backbone, tmp_path).path.is_file()


def test_the_version_names_the_backbone_and_the_geometry(tmp_path: Path) -> None:
    assert version(tmp_path, "squash").startswith("mobilenetv2-squash-")


def test_the_version_changes_with_weights_geometry_model_and_input_size(tmp_path: Path) -> None:
    one, other = folder_with(tmp_path / "one", b"weights"), folder_with(tmp_path / "other", b"weightz")
    versions = [
        version(one),
        version(other),
        version(None),
        version(one, "squash"),
        version(one, backbone=replace(MODEL, input_px=224)),
        version(one, backbone=replace(MODEL, input_px=192)),
        version(None, backbone=replace(MODEL, timm_id="mobilenetv2_110d")),
    ]
    assert len(set(versions)) == len(versions)
    assert len({name.rsplit("-", 1)[1] for name in versions}) == len(versions)


def test_the_version_does_not_change_with_the_folder(tmp_path: Path) -> None:
    assert version(folder_with(tmp_path / "a", b"same")) == version(folder_with(tmp_path / "b", b"same"))
    assert version(None) == version(tmp_path)
