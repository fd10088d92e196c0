"""Which models turn a crop into a vector. A new one is a row here, and nothing else."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Backbone:
    """A frozen timm model that turns a crop into a vector."""

    name: str
    """Last part of the asset key; never reused for other weights."""
    timm_id: str
    """`architecture.weights`; timm, not we, knows its input size, mean, std and interpolation."""
    dim: int
    """Length of one vector; a test holds it to what the model returns."""
    input_px: int | None = None
    """Side of the square input; None takes the weights' own."""
    fixed_grid: bool = False
    """True where the architecture must be told `input_px`: a ViT interpolates its position embeddings to it."""
    hub_tag: str | None = None
    """The weights' tag on timm's hub, where `timm_id` has none."""
    embedded: bool = False
    """True where the weights come with the package, for the demo only."""

    @property
    def hub_repository(self) -> str:
        """Where timm keeps the weights on the model hub."""
        return f"timm/{self.timm_id}" + ("" if self.hub_tag is None else f".{self.hub_tag}")


BACKBONES: dict[str, Backbone] = {
    backbone.name: backbone
    for backbone in (
        Backbone("mobilenetv3", "mobilenetv3_large_100.miil_in21k", dim=1280),
        Backbone("vit", "vit_small_patch16_224.augreg_in21k", dim=384),
        Backbone("xcit", "xcit_small_24_p16_224.fb_in1k", dim=384),
        # Its weights were trained at 518 px; at 224 a crop of the usual 100 px is not blown up fivefold.
        Backbone("dinov2", "vit_small_patch14_dinov2.lvd142m", dim=384, input_px=224, fixed_grid=True),
        Backbone("mobilenetv2", "mobilenetv2_100", dim=1280, hub_tag="ra_in1k"),
        # A timm test architecture trained on the synthetic reef (`reef/train_tiny.py`): for the demo and the tests.
        Backbone("reef_tiny", "test_resnet.r160_in1k", dim=96, input_px=64, embedded=True),
    )
}

NOTEBOOK_BACKBONES = ("mobilenetv3", "vit", "xcit")
"""What the notebook compared, and what runs unless `MEGAFISH_BACKBONES` says otherwise."""


def chosen_backbones(names: str | None) -> list[Backbone]:
    """The backbones in MEGAFISH_BACKBONES, a comma-separated list, in its order; the notebook's three for None or an
    empty list.

    Raises ValueError for a name that is not in `BACKBONES` or stands twice.
    """
    wanted = [name.strip() for name in (names or "").split(",") if name.strip()] or list(NOTEBOOK_BACKBONES)
    unknown = [name for name in wanted if name not in BACKBONES]
    if unknown or len(set(wanted)) < len(wanted):
        raise ValueError(f"MEGAFISH_BACKBONES = {names!r}: each must stand once and be one of {', '.join(BACKBONES)}")
    return [BACKBONES[name] for name in wanted]
