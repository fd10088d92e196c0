"""Vectors of real weights against plain timm, and weights that must be refused."""

import copy
import pickle
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from megafish_assets.crops.batches import CropBatches, decoded_rgb
from megafish_assets.embeddings.backbones import BACKBONES
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.embeddings.encoder import (
    CPU_BATCH_SIZE,
    Encoder,
    TooLittleMemoryError,
    UnfitWeightsError,
    in_half_precision,
    load_encoder,
)
from megafish_assets.embeddings.weights import MissingWeightsError, find_weights, vectors_version

MODEL = BACKBONES["mobilenetv2"]
FILE = "mobilenetv2_100.safetensors"


@pytest.fixture(scope="module")
def weights_folder(real_data: Path) -> Path:
    return real_data / "mobilenetv2-imagenet"


@pytest.fixture(scope="module")
def encoder(weights_folder: Path) -> Encoder:
    return load_encoder(find_weights(MODEL, weights_folder), "center", "cpu")


@pytest.fixture(scope="module")
def state(weights_folder: Path) -> dict[str, torch.Tensor]:
    """The weights by name, classifier included."""
    return load_file(weights_folder / FILE)


@pytest.fixture(scope="module")
def crops(weights_folder: Path) -> CropBatches:
    """The five pictures."""
    paths = sorted((weights_folder / "pictures").glob("*.jpg"))
    ids = np.array([f"pictures/{i:06d}/000" for i in range(len(paths))])
    return CropBatches(ids, [path.read_bytes() for path in paths], "cpu")


@pytest.fixture(scope="module")
def vectors(encoder: Encoder, crops: CropBatches) -> EmbeddingBatch:
    return encoder.encode(crops)


def refused(folder: Path) -> str:
    """What loading these weights says."""
    with pytest.raises(UnfitWeightsError) as refusal:
        load_encoder(find_weights(MODEL, folder), "center", "cpu")
    return str(refusal.value)


def test_no_crops_give_no_vectors_of_the_right_length(encoder: Encoder) -> None:
    made = encoder.encode(CropBatches(np.array([], dtype=str), [], "cpu")).vectors
    assert made.shape == (0, 1280)
    assert made.dtype == torch.float32


def test_vectors_equal_those_of_plain_timm(
    vectors: EmbeddingBatch, crops: CropBatches, state: dict[str, torch.Tensor], weights_folder: Path
) -> None:
    model = timm.create_model("mobilenetv2_100", pretrained=False).eval()
    model.load_state_dict(state, strict=True)
    model.reset_classifier(0)
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
    pictures = [Image.open(path).convert("RGB") for path in sorted((weights_folder / "pictures").glob("*.jpg"))]
    with torch.inference_mode():
        expected = model(torch.stack([transform(picture) for picture in pictures]))
    assert torch.nn.functional.cosine_similarity(vectors.vectors, expected).min() > 0.999
    assert vectors.vectors.norm(dim=1) == pytest.approx(expected.norm(dim=1), rel=0.02)
    assert vectors.detection_ids.tolist() == crops.detection_ids.tolist()
    assert vectors.vectors_version == vectors_version(find_weights(MODEL, weights_folder), "center")


def test_the_files_own_classifier_names_what_the_vectors_show(
    vectors: EmbeddingBatch, state: dict[str, torch.Tensor], weights_folder: Path
) -> None:
    scores = vectors.vectors @ state["classifier.weight"].T + state["classifier.bias"]
    labels = (weights_folder / "imagenet_labels.txt").read_text().splitlines()[1:]  # the first is the background
    named = [labels[index] for index in scores.argmax(dim=1)]
    assert len(named) == 5
    assert [named[0], named[1], named[3]] == ["Egyptian cat", "hotdog, hot dog, red hot", "macaw"]


def test_vectors_do_not_depend_on_the_batch_they_came_in() -> None:
    tiny = load_encoder(find_weights(BACKBONES["reef_tiny"], None), "letterbox", "cpu")
    pictures = np.random.default_rng(0).integers(0, 256, (CPU_BATCH_SIZE + 3, 6, 5, 3), dtype=np.uint8)
    jpegs = [cv2.imencode(".jpg", picture)[1].tobytes() for picture in pictures]
    ids = np.array([f"v/{i:06d}/000" for i in range(len(jpegs))])
    sizes: list[int] = []
    together = tiny.encode(CropBatches(ids, jpegs, "cpu"), on_batch=sizes.append).on_cpu()
    assert sizes == [CPU_BATCH_SIZE, 3]
    for row in (0, 1, CPU_BATCH_SIZE, CPU_BATCH_SIZE + 2):
        alone = tiny.encode(CropBatches(ids[row : row + 1], jpegs[row : row + 1], "cpu")).on_cpu()
        cosine = together[row] @ alone[0] / np.linalg.norm(together[row]) / np.linalg.norm(alone)
        assert cosine > 0.9999  # half precision rounds by the order of sums, which the batch decides


def test_half_precision_is_taken_only_where_the_vectors_stay(encoder: Encoder) -> None:
    exact = copy.deepcopy(encoder.model).float()
    assert in_half_precision(exact, torch.float32, 224, "cpu") == (exact, torch.float32)
    # On real fish, bfloat16 turns some of this model's vectors by a cosine of 0.92, float16 by 0.998.
    assert in_half_precision(exact, torch.bfloat16, 224, "cpu") == (exact, torch.float32)
    assert in_half_precision(exact, torch.float16, 224, "cpu") == (exact, torch.float32)
    assert next(exact.parameters()).dtype == torch.float32
    overflowing = copy.deepcopy(exact)
    with torch.no_grad():
        overflowing.conv_head.weight *= 1e6  # past float16's 65504
    assert in_half_precision(overflowing, torch.float16, 224, "cpu") == (overflowing, torch.float32)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_that_is_taken_keeps_the_vectors_of_real_fish(dtype: torch.dtype, real_data: Path) -> None:
    tiny = load_encoder(find_weights(BACKBONES["reef_tiny"], None), "letterbox", "cpu")
    exact = copy.deepcopy(tiny.model).float()
    half, taken = in_half_precision(exact, dtype, 160, "cpu")
    assert (taken, next(half.parameters()).dtype) == (dtype, dtype)
    fish = sorted((real_data / "fish4knowledge").rglob("*.png"))
    squares = torch.stack([tiny.to_square(decoded_rgb(path.read_bytes())) for path in fish[:: len(fish) // 64]])
    with torch.inference_mode():
        expected = replace(tiny, model=exact, dtype=torch.float32).forward(squares)
        found = replace(tiny, model=half, dtype=dtype).forward(squares)
    assert torch.nn.functional.cosine_similarity(found, expected).min() >= 0.999


def test_the_vector_of_several_views_is_the_mean_of_their_own(real_data: Path) -> None:
    views = load_encoder(find_weights(BACKBONES["reef_tiny"], None), "letterbox_views", "cpu")
    paths = sorted((real_data / "mobilenetv2-imagenet" / "pictures").glob("*.jpg"))
    crops = CropBatches(np.array([path.stem for path in paths]), [path.read_bytes() for path in paths], "cpu")
    found = views.encode(crops).vectors
    for row, path in enumerate(paths):
        rgb = decoded_rgb(path.read_bytes())
        own = [views.forward(view[None])[0] for view in views.to_square(rgb)]
        assert len(own) == 6
        assert torch.nn.functional.cosine_similarity(found[row], torch.stack(own).mean(dim=0), dim=0) > 0.9999


def test_a_backbone_is_frozen(encoder: Encoder) -> None:
    assert not encoder.model.training
    assert not any(parameter.requires_grad for parameter in encoder.model.parameters())


@pytest.mark.parametrize("backbone", [one for one in BACKBONES.values() if one.embedded], ids=lambda one: one.name)
def test_embedded_weights_load(backbone, crops: CropBatches) -> None:
    made = load_encoder(find_weights(backbone, None), "letterbox", "cpu").encode(crops).vectors
    assert made.shape == (5, backbone.dim)
    assert torch.isfinite(made).all()


@pytest.mark.parametrize("named", [True, False], ids=["empty folder", "no folder"])
def test_missing_weights_name_the_model_both_remedies_and_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    # The hub's client reads HF_HUB_OFFLINE and HF_HUB_CACHE once, at its import.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "no cache"))
    with pytest.raises(MissingWeightsError) as missing:
        load_encoder(find_weights(MODEL, tmp_path if named else None), "center", "cpu")
    for part in (
        "mobilenetv2",
        FILE,
        "connect this machine",
        "MEGAFISH_WEIGHTS",
        str(tmp_path) if named else "no folder",
    ):
        assert part in str(missing.value)


@pytest.mark.parametrize("kept_share", [0.0, 0.0001, 0.5, 0.999])
def test_a_truncated_file_is_refused_by_name(tmp_path: Path, weights_folder: Path, kept_share: float) -> None:
    content = (weights_folder / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(content[: int(len(content) * kept_share)])
    assert str(tmp_path / FILE) in refused(tmp_path)


@pytest.mark.parametrize("architecture", ["test_vit", "test_resnet", "mobilenetv2_050", "mobilenetv2_110d"])
def test_weights_of_another_architecture_are_refused_by_name(tmp_path: Path, architecture: str) -> None:
    save_file(timm.create_model(architecture, pretrained=False).state_dict(), tmp_path / FILE)
    assert str(tmp_path / FILE) in refused(tmp_path)


@pytest.mark.parametrize("kept", ["none", "half", "all but one"])
def test_random_weights_never_stand_in_for_missing_ones(tmp_path: Path, state: dict, kept: str) -> None:
    names = sorted(name for name in state if not name.startswith("classifier"))
    kept_names = {"none": [], "half": names[::2], "all but one": names[1:]}[kept]
    save_file({name: state[name] for name in kept_names}, tmp_path / FILE)
    assert str(tmp_path / FILE) in refused(tmp_path)


def test_weights_without_a_classifier_are_whole(tmp_path: Path, state: dict, encoder: Encoder) -> None:
    save_file({name: value for name, value in state.items() if not name.startswith("classifier")}, tmp_path / FILE)
    headless = load_encoder(find_weights(MODEL, tmp_path), "center", "cpu").model.state_dict()
    assert all(torch.equal(value, headless[name]) for name, value in encoder.model.state_dict().items())


class Trap:
    """Unpickled, it creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("write", [pickle.dump, torch.save], ids=["pickle", "torch"])
def test_a_pickle_is_refused_and_never_unpickled(tmp_path: Path, write) -> None:
    sprung = tmp_path / "sprung"
    with (tmp_path / FILE).open("wb") as file:
        write({"conv_stem.weight": Trap(sprung)}, file)
    assert str(tmp_path / FILE) in refused(tmp_path)
    assert not sprung.exists()
    pickle.loads(pickle.dumps(Trap(sprung)))
    assert sprung.exists(), "the trap itself works"


def with_room_for(encoder: Encoder, n_crops: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Makes the model refuse larger batches as a full card does; the sizes that it was asked for."""
    asked, model = [], encoder.model.forward

    def full(pixels: torch.Tensor) -> torch.Tensor:
        asked.append(len(pixels))
        if len(pixels) > n_crops:
            raise torch.OutOfMemoryError("simulated: out of memory")
        return model(pixels)

    monkeypatch.setattr(encoder.model, "forward", full)
    return asked


def test_a_batch_too_large_for_the_device_is_halved_until_it_fits(
    encoder: Encoder, crops: CropBatches, vectors: EmbeddingBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = with_room_for(encoder, 1, monkeypatch)
    assert np.allclose(encoder.encode(crops).on_cpu(), vectors.on_cpu(), atol=1e-4)
    assert asked == [5, 2, 1, 1, 3, 1, 2, 1, 1]


def test_a_device_without_room_for_one_crop_says_so(
    encoder: Encoder, crops: CropBatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_room_for(encoder, 0, monkeypatch)
    with pytest.raises(TooLittleMemoryError, match="MEGAFISH_DEVICE=cpu"):
        encoder.encode(crops)
