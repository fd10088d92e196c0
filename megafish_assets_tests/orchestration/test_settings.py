"""Settings: defaults, clear refusals, and the page of backbones."""

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from megafish_assets.embeddings.backbones import BACKBONES, chosen_backbones
from megafish_assets.embeddings.geometry import chosen_geometry
from megafish_assets.orchestration.labels import Labels
from megafish_assets.orchestration.settings import Settings
from megafish_assets.storage.devices import resolved_device
from megafish_assets_tests.conftest import REPOSITORY


def test_nothing_set_is_the_demo_place_with_the_notebooks_backbones() -> None:
    settings = Settings.from_environment({})
    assert settings.root == Path("data/demo").absolute()
    assert settings.inference_uri == str(settings.root / "inference")
    assert settings.recordings == settings.root / "recordings"
    chosen = chosen_backbones(settings.backbones)
    assert [backbone.name for backbone in chosen] == ["mobilenetv3", "vit", "xcit"]
    assert chosen_geometry(settings.geometry) == "letterbox_views"
    assert (settings.device, settings.weights) == ("auto", None)
    assert (settings.clock.clip_seconds, settings.clock.frames_per_clip) == (10.0, 300)


def test_a_collection_has_its_own_root_and_its_inference_can_lie_elsewhere(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {
            "MEGAFISH_ROOT": str(tmp_path),
            "MEGAFISH_INFERENCE": "s3://bucket/inference",
            "MEGAFISH_RECORDING_START": "2025-12-12T13:30:00",
            "MEGAFISH_GEOMETRY": "",
        }
    )
    assert settings.inference_uri == "s3://bucket/inference"
    assert settings.recordings == tmp_path / "recordings"
    assert settings.clock.recording_start == datetime(2025, 12, 12, 13, 30)
    assert chosen_geometry(settings.geometry) == "letterbox_views"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MEGAFISH_BACKBONES", "resnet50"),
        ("MEGAFISH_BACKBONES", "vit,vit"),
        ("MEGAFISH_WEIGHTS", "/no/such/folder"),
        ("MEGAFISH_GEOMETRY", "stretch"),
        ("MEGAFISH_DEVICE", "gpu"),
        ("MEGAFISH_ROOT", "~nobody-of-that-name/reef"),
        ("MEGAFISH_RECORDINGS", "~nobody-of-that-name/reef"),
        ("MEGAFISH_CLIP_SECONDS", "0"),
        ("MEGAFISH_CLIP_SECONDS", "nan"),
        ("MEGAFISH_CLIP_FRAMES", "300.5"),
        ("MEGAFISH_RECORDING_START", "yesterday"),
        ("MEGAFISH_RECORDING_START", "2025-12-12T13:30:00+01:00"),
    ],
)
def test_a_wrong_value_is_refused_with_the_variable_and_the_value(name: str, value: str) -> None:
    with pytest.raises(ValueError) as caught:
        settings = Settings.from_environment({name: value})
        chosen_backbones(settings.backbones)
        chosen_geometry(settings.geometry)
    assert value.split(",")[0] in str(caught.value)
    assert name in str(caught.value)


def test_an_address_that_lost_a_slash_is_refused_without_its_secret() -> None:
    with pytest.raises(ValueError, match="MEGAFISH_INFERENCE begins like an address with one slash") as refused:
        Settings.from_environment({"MEGAFISH_INFERENCE": "s3:/key:canary@bucket/t"})
    assert "canary" not in str(refused.value)


def test_the_page_of_backbones_names_each() -> None:
    page = (REPOSITORY / "docs" / "backbones.md").read_text()
    for backbone in BACKBONES.values():
        assert f"| `{backbone.name}` | `{backbone.timm_id}`" in page


def test_a_device_that_is_not_there_is_an_error_and_auto_takes_one_that_is() -> None:
    import torch

    there = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert resolved_device("auto") == there
    missing = next(device for device in ("cuda", "mps") if device != there)
    with pytest.raises(RuntimeError, match=f"'{missing}', but this machine has"):
        resolved_device(missing)


@pytest.mark.parametrize("ending", ["csv", "parquet", "delta"])
def test_labels_are_read_from_any_table(tmp_path: Path, ending: str) -> None:
    said, place = pl.DataFrame({"tracklet_id": ["a/t00001"], "label": ["cod"]}), str(tmp_path / f"labels.{ending}")
    {"csv": said.write_csv, "parquet": said.write_parquet, "delta": said.write_delta}[ending](place)
    settings = Settings.from_environment({"MEGAFISH_LABELS": place})
    assert Labels(uri=settings.labels).read_file().equals(said)


def test_no_labels_are_none_and_labels_that_are_not_there_an_error(tmp_path: Path) -> None:
    assert Labels(uri=Settings.from_environment({}).labels).read_file() is None
    with pytest.raises(ValueError, match=r"MEGAFISH_LABELS = .* can't be read: no Delta table"):
        Labels(uri=str(tmp_path)).read_file()
    with pytest.raises(FileNotFoundError, match="correct MEGAFISH_LABELS"):
        Labels(uri=str(tmp_path / "gone.csv")).read_file()


def test_a_list_of_species_is_a_file_that_is_there(tmp_path: Path) -> None:
    assert Settings.from_environment({}).species is None
    (tmp_path / "species.csv").write_text("name\n")
    place = str(tmp_path / "species.csv")
    assert Settings.from_environment({"MEGAFISH_SPECIES": place}).species == Path(place)
    with pytest.raises(ValueError, match=r"MEGAFISH_SPECIES = .* is not a file"):
        Settings.from_environment({"MEGAFISH_SPECIES": str(tmp_path)})
