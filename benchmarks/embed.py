"""Crops through the notebook's three backbones, from JPEG to Arrow: half precision where the vectors stay, pictures
decoded ahead by threads; beside the notebook's Pillow, timm's transform and float32. From the videos too.

Weights are seeded noise in the real architectures: time does not depend on what was learned, but which precision a
model is run in may (see `in_half_precision`).
"""

import io
from pathlib import Path

import cv2
import numpy as np

from benchmarks import crops as cutting
from benchmarks.ways import Result, Stage
from megafish_assets.crops.batches import CropBatches
from megafish_assets.crops.extraction import VideoTask
from megafish_assets.embeddings.backbones import BACKBONES, NOTEBOOK_BACKBONES
from megafish_assets.embeddings.encoder import load_encoder
from megafish_assets.embeddings.geometry import GEOMETRY
from megafish_assets.embeddings.weights import find_weights

CROPS = 2 * cutting.BOXES
"""Of two clips, one a core."""

NOTEBOOK_BATCH = 32
CENTER = "center"
"""The geometry of timm's own transform, as in the notebook, so that vectors can be compared."""


class Given:
    """Videos with their boxes, the crops cut from them, and the models, which stay loaded between runs."""

    def __init__(self, folder: Path, device: str) -> None:
        self.tasks: list[VideoTask] = cutting.load(folder, device)
        self.jpegs = [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]
        self.folder, self.device, self.models, self.squares = folder, device, {}, {}

    def encoder(self, name: str, geometry: str):
        """Ours."""
        if (name, geometry) not in self.models:
            weights = find_weights(BACKBONES[name], self.folder)
            self.models[name, geometry] = load_encoder(weights, geometry, self.device)
        return self.models[name, geometry]

    def resident(self, name: str) -> list:
        """The crops as the model wants them, in batches that already lie on the device."""
        if name not in self.squares:
            encoder = self.encoder(name, CENTER)
            batches = _crops(self, self.jpegs).batches(encoder.to_square, encoder.batch_size)
            self.squares[name] = [batch.pixels_rgb for batch in batches]
        return self.squares[name]

    def notebook_model(self, name: str):
        """In float32, as timm makes it."""
        import timm
        from safetensors.torch import load_file

        if name not in self.models:
            timm_id = BACKBONES[name].timm_id
            model = timm.create_model(timm_id, pretrained=False, num_classes=0).eval()
            model.load_state_dict(load_file(self.folder / f"{timm_id}.safetensors"))
            self.models[name] = model
        return self.models[name]


def write(folder: Path, n: int) -> None:
    """Clips with so many boxes, as many in each and so a few more for some n, the crops cut from them, and weights."""
    n_clips = -(-n // cutting.BOXES)
    cutting.write(folder, n_clips, n_boxes=-(-n // n_clips))
    write_crops(folder)
    write_weights(folder)


def write_crops(folder: Path) -> None:
    """The crops of the clips in the folder, as JPEG."""
    for number, jpeg in enumerate(cutting.jpegs(cutting.load(folder, "cpu"))):
        (folder / f"{number:06d}.jpg").write_bytes(jpeg)


def write_weights(folder: Path) -> None:
    """Seeded noise in the real architectures."""
    import timm
    import torch
    from safetensors.torch import save_file

    for name in NOTEBOOK_BACKBONES:
        torch.manual_seed(0)
        timm_id = BACKBONES[name].timm_id
        state = timm.create_model(timm_id, pretrained=False, num_classes=0).state_dict()
        save_file(state, folder / f"{timm_id}.safetensors")


def ours(given: Given) -> Result:
    """As the three assets do it, one after the other, but all videos at once and without storing."""
    return _encoded(given, given.jpegs)


def ours_six_views(given: Given) -> Result:
    """By the platform's default geometry, which looks at each crop six times."""
    return _encoded(given, given.jpegs, GEOMETRY)


def ours_from_videos(given: Given) -> Result:
    """The crops cut first."""
    return _encoded(given, cutting.jpegs(given.tasks))


def resident(given: Given) -> Result:
    """The forward passes of `ours` alone: once warm, no picture is decoded, moved or waited for."""
    import torch

    found = {}
    with torch.inference_mode():
        for name in NOTEBOOK_BACKBONES:
            encoder = given.encoder(name, CENTER)
            found[name] = torch.cat([encoder.averaged(pixels) for pixels in given.resident(name)]).cpu().numpy()
    return found


def _crops(given: Given, jpegs: list[bytes]) -> CropBatches:
    return CropBatches(np.array([f"v/{n:06d}/000" for n in range(len(jpegs))]), jpegs, given.device)


def _encoded(given: Given, jpegs: list[bytes], geometry: str = CENTER) -> Result:
    crops = _crops(given, jpegs)
    batches = {name: given.encoder(name, geometry).encode(crops).to_arrow() for name in NOTEBOOK_BACKBONES}
    vectors = {name: batch["vector"].flatten().to_numpy() for name, batch in batches.items()}
    return {name: flat.reshape(len(jpegs), -1) for name, flat in vectors.items()}


def notebook(given: Given) -> Result:
    """Pillow and timm's own transform, one picture after the other, and float32."""
    from PIL import Image

    return _as_in_the_notebook(given, [Image.open(io.BytesIO(jpeg)).convert("RGB") for jpeg in given.jpegs])


def notebook_from_videos(given: Given) -> Result:
    """The same of crops that are sought in the videos one by one."""
    from PIL import Image

    pixels = [pixels for task in given.tasks for pixels in cutting.sought(task)]
    return _as_in_the_notebook(given, [Image.fromarray(cv2.cvtColor(each, cv2.COLOR_BGR2RGB)) for each in pixels])


def _as_in_the_notebook(given: Given, pictures: list) -> Result:
    import timm
    import torch

    found = {}
    for name in NOTEBOOK_BACKBONES:
        model, parts = given.notebook_model(name), []
        transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
        with torch.inference_mode():
            for start in range(0, len(pictures), NOTEBOOK_BATCH):
                batch = [transform(picture) for picture in pictures[start : start + NOTEBOOK_BATCH]]
                parts.append(model(torch.stack(batch)).numpy())
        found[name] = np.concatenate(parts)
    return found


def compare(ours: Result, other: Result) -> dict[str, float]:
    """One less the smallest cosine between both ways' vectors of a crop, by backbone."""
    return {name: 1 - float(_cosines(ours[name], other[name]).min()) for name in NOTEBOOK_BACKBONES}


def _cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


STAGE = Stage(
    write=write,
    load=Given,
    ways={
        "ours": ours,
        "ours_six_views": ours_six_views,
        "ours_from_videos": ours_from_videos,
        "resident": resident,
        "notebook": notebook,
        "notebook_from_videos": notebook_from_videos,
    },
    compare=compare,
    size=CROPS,
    unit="n_crops",
    growth=(CROPS // 8, CROPS // 4, CROPS // 2, CROPS),
    full=8 * CROPS,
    repeats={"ours_six_views": 1, "resident": 3},
    beside={"notebook_from_videos": "ours_from_videos"},
)
