"""The table of models, held to what timm builds."""

import pytest
import timm
import torch

from megafish_assets.embeddings.backbones import BACKBONES, NOTEBOOK_BACKBONES, Backbone, chosen_backbones


@pytest.mark.parametrize("names", [None, "", " , "])
def test_no_choice_is_the_notebooks_three(names: str | None) -> None:
    assert [backbone.name for backbone in chosen_backbones(names)] == ["mobilenetv3", "vit", "xcit"]


def test_chosen_backbones_keep_the_order_given() -> None:
    assert chosen_backbones(" xcit,mobilenetv2 ") == [BACKBONES["xcit"], BACKBONES["mobilenetv2"]]


@pytest.mark.parametrize("names", ["resnet", "vit,resnet", "vit,vit"])
def test_an_unknown_or_repeated_choice_is_refused_with_the_names_allowed(names: str) -> None:
    with pytest.raises(ValueError, match="mobilenetv3, vit, xcit"):
        chosen_backbones(names)


def test_the_notebooks_models_are_these() -> None:
    assert [(BACKBONES[name].timm_id, BACKBONES[name].dim) for name in NOTEBOOK_BACKBONES] == [
        ("mobilenetv3_large_100.miil_in21k", 1280),
        ("vit_small_patch16_224.augreg_in21k", 384),
        ("xcit_small_24_p16_224.fb_in1k", 384),
    ]


@pytest.mark.parametrize("backbone", BACKBONES.values(), ids=BACKBONES)
def test_a_vector_is_as_long_as_what_timms_model_returns(backbone: Backbone) -> None:
    size = {"img_size": backbone.input_px} if backbone.timm_id.startswith("vit") and backbone.input_px else {}
    with torch.device("meta"):  # shapes only: no weight is filled, nothing is multiplied
        model = timm.create_model(backbone.timm_id, pretrained=False, num_classes=0, **size).eval()
        side = backbone.input_px or model.pretrained_cfg["input_size"][1]
        assert model(torch.empty(2, 3, side, side)).shape == (2, backbone.dim)
