"""`python -m megafish_assets.reef.train_tiny`: makes the weights of the demo's backbone, `reef_tiny`.

Two crops of one track are a positive pair, whatever the species; crops of other tracks in the batch are its
negatives. The footage comes from seeds that the demo never uses.
Source: SimCLR, Chen et al. 2020, arXiv:2002.05709, with pairs by track instead of by augmentation alone.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import timm
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from megafish_assets.crops.batches import decoded_rgb
from megafish_assets.crops.tables import video_crops
from megafish_assets.embeddings.backbones import BACKBONES
from megafish_assets.embeddings.geometry import square_maker
from megafish_assets.embeddings.weights import EMBEDDED_FOLDER
from megafish_assets.footage.boxes import BOX
from megafish_assets.reef.plan import ReefPlan, video_name
from megafish_assets.reef.recording import write_reef

BACKBONE = BACKBONES["reef_tiny"]
FOOTAGE = (ReefPlan(videos=24, frames=90, seed=71), ReefPlan(videos=24, frames=90, seed=72))
"""Many short videos hold more different tracks than a few long ones."""

SMALLEST_SIDE_1024 = 24
"""A little under the filter's floor, so that what the demo embeds is well inside what was learnt."""

CROPS_A_TRACK = 10
TRACKS_A_BATCH = 96
STEPS = 1500
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-4
TEMPERATURE = 0.3
PROJECTION_DIM = 64
SEED = 7


def track_crops(plan: ReefPlan, folder: Path) -> list[torch.Tensor]:
    """uint8 `(n, 3, side, side)` of every track with at least two crops.

    An artefact has no track: its neighbors at nearly the same place in the picture stand for one.
    """
    write_reef(folder, plan, on_progress=print)
    truth = pl.read_delta(str(folder / "truth")).with_row_index("row")
    rows = truth.with_columns(
        pl.format("{}", "row").alias("detection_id"),
        pl.col("video_file").str.replace(".mp4", "", literal=True).alias("video"),
        *[pl.col("box").list.get(i).alias(name) for i, name in enumerate(BOX)],
    ).filter(pl.min_horizontal("width_1024", "height_1024") >= SMALLEST_SIDE_1024)
    place = pl.format("{}:{}:{}", "artefact", (pl.col("x_1024") // 64), (pl.col("y_1024") // 64))
    rows = rows.with_columns(
        pl.coalesce("track_id", pl.format("{}/{}", "video", place)).alias("subject"), tracklet_id="track_id"
    )
    rng = np.random.default_rng(SEED)
    rows = rows[rng.permutation(rows.height)].group_by("subject", maintain_order=True).head(CROPS_A_TRACK)
    shape = square_of_backbone()
    subjects: dict[str, list[torch.Tensor]] = {}
    for video in plan.video_numbers:
        rows_of_video = rows.filter(pl.col("video_file") == video_name(video))
        cut = video_crops(folder / "recordings" / video_name(video), rows_of_video).join(
            rows_of_video, on="detection_id"
        )
        for row in cut.drop_nulls("jpeg").sort("row").iter_rows(named=True):
            subjects.setdefault(row["subject"], []).append(shape(decoded_rgb(row["jpeg"])))
    return [torch.stack(crops) for _, crops in sorted(subjects.items()) if len(crops) > 1]


def square_of_backbone():
    """The platform's own preprocessing of this backbone."""
    data = timm.data.resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(BACKBONE.timm_id).to_dict())
    return square_maker("letterbox", BACKBONE.input_px, data["interpolation"], data["crop_pct"], data["mean"])


def augmented(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Float crops in [-1, 1], mirrored, moved, scaled, relit: what a camera would change and a species would not."""
    n = len(pixels)

    def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        return torch.empty(n, *shape).uniform_(low, high, generator=generator)

    angle, scale = uniform(-0.2, 0.2), uniform(0.8, 1.25)
    mirror = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    affine = torch.zeros(n, 2, 3)
    affine[:, 0, 0], affine[:, 0, 1] = scale * angle.cos() * mirror, -scale * angle.sin()
    affine[:, 1, 0], affine[:, 1, 1] = scale * angle.sin() * mirror, scale * angle.cos()
    affine[:, :, 2] = uniform(-0.12, 0.12, 2)
    # Around zero, so that what is moved in from outside has the letterbox's own colour, the mean.
    centred = pixels.float() / 127.5 - 1
    moved = F.grid_sample(centred, F.affine_grid(affine, list(centred.shape), align_corners=False), align_corners=False)
    gain, shift = uniform(0.75, 1.3, 1, 1, 1), uniform(-0.12, 0.12, 3, 1, 1)
    inside = F.grid_sample(
        torch.ones_like(centred[:, :1]),
        F.affine_grid(affine, [n, 1, *centred.shape[2:]], align_corners=False),
        align_corners=False,
    ) * (centred.abs().sum(1, keepdim=True) > 0)
    return moved * gain + shift * (inside > 0)


def batches(tracks: list[torch.Tensor], generator: torch.Generator) -> Iterator[torch.Tensor]:
    """Endless `(2 m, 3, side, side)`: two crops each of m tracks, first all the ones, then all the others."""
    while True:
        chosen = torch.randperm(len(tracks), generator=generator)[:TRACKS_A_BATCH]
        pairs = [tracks[i][torch.randperm(len(tracks[i]), generator=generator)[:2]] for i in chosen.tolist()]
        yield augmented(torch.cat(list(torch.stack(pairs, dim=1))), generator)


def contrast(projected: torch.Tensor) -> torch.Tensor:
    """NT-Xent of rows `(2 m, p)`, row i and row i + m a pair."""
    unit = F.normalize(projected, dim=1)
    alike = (unit @ unit.T / TEMPERATURE).fill_diagonal_(-torch.inf)
    partner = torch.arange(len(unit)).roll(len(unit) // 2)
    return F.cross_entropy(alike, partner)


def train(tracks: list[torch.Tensor]) -> nn.Module:
    """The backbone, trained from random weights; the projection is thrown away."""
    torch.manual_seed(SEED)
    generator = torch.Generator().manual_seed(SEED)
    model = timm.create_model(BACKBONE.timm_id, pretrained=False, num_classes=0)
    head = nn.Sequential(nn.Linear(BACKBONE.dim, BACKBONE.dim), nn.ReLU(), nn.Linear(BACKBONE.dim, PROJECTION_DIM))
    weights = [*model.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=STEPS)
    for step, batch in zip(range(1, STEPS + 1), batches(tracks, generator), strict=False):
        loss = contrast(head(model(batch)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 50 == 0:
            print(f"step {step} of {STEPS}, loss {loss.item():.3f}", flush=True)
    return model.eval()


def main() -> None:
    """Records the footage, trains, and writes the package's safetensors file."""
    parser = argparse.ArgumentParser(
        prog="python -m megafish_assets.reef.train_tiny", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--footage", type=Path, default=None, help="folder to keep the footage in; default temporary")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.footage or Path(temporary)
        tracks = [track for plan in FOOTAGE for track in track_crops(plan, folder / f"seed_{plan.seed}")]
    print(f"{len(tracks)} tracks, {sum(map(len, tracks))} crops", flush=True)
    path = EMBEDDED_FOLDER / f"{BACKBONE.name}.safetensors"
    save_file(train(tracks).state_dict(), path)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
