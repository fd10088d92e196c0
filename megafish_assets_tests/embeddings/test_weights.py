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


def version(folder: Path | None, geometry: str = "letterbox", backbone=MODEL) -> str | None:
    return vectors_version(find_weights(backbone, folder), geometry)


@pytest.fixture(autouse=True)
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub's files, whatever this machine has fetched before."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.mark.parametrize("named", [True, False])
def test_without_a_file_the_weights_are_the_hubs(tmp_path: Path, named: bool) -> None:
    folder = tmp_path if named else None
    weights = find_weights(MODEL, folder)
    assert (weights.path, weights.folder, weights.digest) == (None, folder, None)
    assert vectors_version(weights, "letterbox") is None


def test_weights_that_were_fetched_from_the_hub_are_known_by_their_bytes(hub_cache: Path, tmp_path: Path) -> None:
    repository = hub_cache / "models--timm--mobilenetv2_100.ra_in1k"
    for path, content in (("refs/main", b"a1b2"), ("snapshots/a1b2/model.safetensors", b"weights")):
        (repository / path).parent.mkdir(parents=True)
        (repository / path).write_bytes(content)
    assert find_weights(MODEL, None).path == repository / "snapshots" / "a1b2" / "model.safetensors"
    assert version(None) == version(folder_with(tmp_path / "same", b"weights"))


def test_a_file_in_the_folder_is_known_by_its_bytes(tmp_path: Path) -> None:
    weights = find_weights(MODEL, folder_with(tmp_path, b"weights"))
    assert weights.path == tmp_path / "mobilenetv2_100.safetensors"
    assert weights.digest == hashlib.sha256(b"weights").hexdigest()


@pytest.mark.parametrize("backbone", [one for one in BACKBONES.values() if one.embedded], ids=lambda one: one.name)
def test_embedded_weights_come_with_the_package(backbone, tmp_path: Path) -> None:
    assert find_weights(backbone, tmp_path).path.is_file()


def test_the_version_names_the_backbone_and_the_geometry(tmp_path: Path) -> None:
    assert version(folder_with(tmp_path / "one", b"weights"), "squash").startswith("mobilenetv2-squash-")


def test_the_version_changes_with_weights_geometry_and_input_size(tmp_path: Path) -> None:
    one, other = folder_with(tmp_path / "one", b"weights"), folder_with(tmp_path / "other", b"weightz")
    versions = [
        version(one),
        version(other),
        version(one, "squash"),
        version(one, backbone=replace(MODEL, input_px=224)),
        version(one, backbone=replace(MODEL, input_px=192)),
    ]
    assert len(set(versions)) == len(versions)
    assert len({name.rsplit("-", 1)[1] for name in versions}) == len(versions)


def test_the_version_does_not_change_with_the_folder(tmp_path: Path) -> None:
    assert version(folder_with(tmp_path / "a", b"same")) == version(folder_with(tmp_path / "b", b"same"))


def test_the_version_changes_with_what_a_geometry_does_and_not_with_its_name_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_with(tmp_path, b"weights")
    before = {name: version(folder, name) for name in ("letterbox", "letterbox_views")}
    monkeypatch.setattr("megafish_assets.embeddings.geometry.VIEWED_SHARES", (1.0, 0.9))
    assert version(folder, "letterbox_views") != before["letterbox_views"]
    assert version(folder, "letterbox") == before["letterbox"]
