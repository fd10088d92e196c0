"""What a fish detector reports of a world: misses, jitter, splits and inventions. It sees geometry, never
pixels."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from megafish_assets.reef import lens
from megafish_assets.reef.landscape import parallax
from megafish_assets.reef.plan import DETECTOR_SPAN_PX, ReefPlan, Stream, chance
from megafish_assets.reef.textures import smooth_walk
from megafish_assets.reef.world import Swim, World

SCORE_RANGE = (0.2, 0.97)
"""Below 0.2 a detector's usual threshold drops the box; none is ever surer than 0.97."""
SMALLEST_BOX_PX = 5.0
"""Smallest side, in the detector's square, that it reports at all."""
LEAST_VISIBLE_SHARE = 0.25
"""An animal less visible than this is not reported."""
ALGAE_HIDE_WITHIN = 0.4
"""Distance from a growth's middle, in its widths and heights, within which it hides a fish."""
SPLIT_SECONDS = 0.4
N_ROCK_SPOTS, N_WATER_SPOTS = 7, 5

SCHEMA = {
    "frame_id": pl.Int64,
    "box": pl.List(pl.Float64),
    "score": pl.Float64,
    "track_id": pl.String,
    "species": pl.String,
    "true_box": pl.List(pl.Float64),
    "artefact": pl.String,
    "is_part": pl.Boolean,
    "depth": pl.Float64,
    "background": pl.String,
}


@dataclass(frozen=True)
class Sighting:
    """Reports of one thing; arrays are row for row."""

    frame_ids: np.ndarray
    box_xywh: np.ndarray
    """float64 `(n, 4)` in the detector's square."""
    scores: np.ndarray
    is_part: np.ndarray
    swim: Swim | None = None
    artefact: str | None = None
    true_xywh: np.ndarray | None = None

    def table(self) -> pl.DataFrame:
        """The rows as `SCHEMA` has them."""
        n, swim = len(self.frame_ids), self.swim
        none = [None] * n
        return pl.DataFrame(
            {
                "frame_id": self.frame_ids, "box": self.box_xywh.tolist(), "score": self.scores,
                "track_id": [swim.track_id] * n if swim else none,
                "species": [swim.species.name] * n if swim else none,
                "true_box": none if self.true_xywh is None else self.true_xywh.tolist(),
                "artefact": [self.artefact] * n, "is_part": self.is_part,
                "depth": [swim.depth_m] * n if swim else none,
                "background": np.where(swim.over_reef[self.frame_ids], "reef", "water") if swim else none,
            },
            schema=SCHEMA,
        )  # fmt: skip


def in_square(edges: tuple[np.ndarray, ...], aspect: float) -> np.ndarray:
    """Boxes from left, top, right, bottom in picture heights: x, y, w, h in the detector's square, clipped to
    it."""
    left, top, right, bottom = edges
    left, right = (np.clip(x / aspect, 0, 1) * DETECTOR_SPAN_PX for x in (left, right))
    top, bottom = (np.clip(y, 0, 1) * DETECTOR_SPAN_PX for y in (top, bottom))
    return np.stack([left, top, right - left, bottom - top], axis=-1)


def edges_in_square(box_xywh: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Upper left and lower right corners, each `(n, 2)`."""
    return box_xywh[:, :2], box_xywh[:, :2] + box_xywh[:, 2:]


def keep_inside(box_xywh: np.ndarray) -> np.ndarray:
    """The part of each box that lies in the detector's square; may leave nothing of it."""
    low, high = (np.clip(corner, 0, DETECTOR_SPAN_PX) for corner in edges_in_square(box_xywh))
    return np.concatenate([low, high - low], axis=1)


def true_boxes(swim: Swim, aspect: float) -> tuple[np.ndarray, np.ndarray]:
    """What is visible of an animal in each frame, `(frames, 4)` in the square, and that share of its whole
    box."""
    x, y = swim.outline()
    left, right, top, bottom = x.min(1), x.max(1), y.min(1), y.max(1)
    box = in_square((left, top, right, np.maximum(np.minimum(bottom, swim.floor_y), top)), aspect)
    whole = (right - left) * (bottom - top) / aspect * DETECTOR_SPAN_PX**2
    return box, box[:, 2] * box[:, 3] / whole


def jitter(box_xywh: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Boxes whose edges wander by a share of their size, slowly and a little from frame to frame."""
    n = len(box_xywh)
    walk = np.stack([0.7 * smooth_walk(n, 9, rng) + 0.7 * rng.standard_normal(n) for _ in range(4)], axis=1)
    size = np.tile(box_xywh[:, 2:], 2)
    low_high = np.concatenate(edges_in_square(box_xywh), axis=1) + strength * size * np.clip(walk, -3, 3)
    return np.concatenate([low_high[:, :2], low_high[:, 2:] - low_high[:, :2]], axis=1)


def steady_chance(n: int, period: float, rng: np.random.Generator) -> np.ndarray:
    """Numbers uniform in about [0, 1] that change slowly: what is missed in one frame is often missed in the
    next."""
    slow = smooth_walk(n, period, rng) * 0.9 + 0.5 * rng.standard_normal(n)
    return 1 / (1 + np.exp(-1.7 * slow))


def behind_algae(plan: ReefPlan, video: int, swim: Swim) -> np.ndarray:
    """Whether a growth on the lens covers the middle of an animal, bool `(frames,)`."""
    apart = [
        np.hypot((swim.x - patch.x) / patch.width, (swim.y - patch.y) / patch.height)
        for patch in lens.algae_of(plan, video)
    ]
    return np.min(apart, axis=0) < ALGAE_HIDE_WITHIN


def see_fish(plan: ReefPlan, world: World, swim: Swim, rng: np.random.Generator) -> Sighting:
    """Reports of one animal: fewer and less sure where it is small, far in the haze, or hidden."""
    box, visible = true_boxes(swim, plan.aspect)
    size = np.sqrt(np.maximum(box[:, 2] * box[:, 3], 1e-9))
    haze = 1 - np.exp(-world.attenuation_per_m * swim.depth_m)
    smallness = 1 / (1 + (size / 17) ** 2)
    narrow = np.clip(1 - np.abs(swim.facing), 0, 1)
    hidden = np.clip(1 - visible, 0, 1)
    expected = 0.85 - 0.26 * haze - 0.45 * smallness - 0.1 * narrow - 0.25 * hidden - 0.04 * swim.over_reef
    sure = expected + 0.07 * smooth_walk(plan.frames, 12, rng) + 0.06 * rng.standard_normal(plan.frames)
    chance_seen = np.clip(1.18 - 0.4 * haze - 0.75 * smallness - 0.5 * hidden, 0.02, 0.96)
    reported = (steady_chance(plan.frames, 8, rng) < chance_seen) & (visible > LEAST_VISIBLE_SHARE)
    reported &= ~behind_algae(plan, world.video, swim)
    reported &= (box[:, 2:] > SMALLEST_BOX_PX).all(axis=1)
    frames = np.flatnonzero(reported)
    seen = jitter(box, rng, 0.028)[frames]
    whole = Sighting(frames, seen, sure[frames], np.zeros(len(frames), bool), swim, None, box[frames])
    return with_splits(plan, whole, rng)


def with_splits(plan: ReefPlan, whole: Sighting, rng: np.random.Generator) -> Sighting:
    """The same reports, where now and then one animal becomes two boxes, or gains one of a part of it."""
    swim = whole.swim
    slender = 1.0 if np.ptp(swim.species.hull_uv()[:, 1]) < 0.4 else 0.35
    draws = steady_chance(plan.frames, SPLIT_SECONDS * plan.fps, rng)[whole.frame_ids]
    large = np.sqrt(whole.box_xywh[:, 2] * whole.box_xywh[:, 3]) > 30
    into_two, beside = (draws > 1 - 0.07 * slender) & large, (draws < 0.05 * slender) & large
    share = rng.uniform(0.4, 0.6)
    first, rest = whole.box_xywh.copy(), whole.box_xywh.copy()
    first[:, 2] *= share
    rest[:, 0] += rest[:, 2] * (share - 0.04)
    rest[:, 2] *= 1.04 - share
    box = np.where(into_two[:, None], first, whole.box_xywh)
    extra = into_two | beside
    rows = np.concatenate([np.arange(len(box)), np.flatnonzero(extra)])
    is_part = np.concatenate([into_two, np.ones(int(extra.sum()), bool)])
    scores = whole.scores[rows] - 0.14 * is_part
    return Sighting(
        whole.frame_ids[rows],
        np.concatenate([box, rest[extra]]),
        scores,
        is_part,
        swim,
        None,
        whole.true_xywh[rows],
    )


def invent(
    kind: str, box_xywh: np.ndarray, share: float, mean_score: float, period: float, rng: np.random.Generator
) -> Sighting:
    """Reports of something that is no fish, in about `share` of the frames in which its box is."""
    n = len(box_xywh)
    inside = keep_inside(np.nan_to_num(box_xywh))
    there = (inside[:, 2:] > 0.5 * np.nan_to_num(box_xywh[:, 2:])).all(axis=1) & np.isfinite(box_xywh).all(axis=1)
    frames = np.flatnonzero(there & (steady_chance(n, period, rng) < share))
    scores = mean_score + 0.06 * smooth_walk(n, 15, rng) + 0.07 * rng.standard_normal(n)
    box = jitter(np.nan_to_num(box_xywh), rng, 0.045)[frames]
    return Sighting(frames, box, scores[frames], np.zeros(len(frames), bool), artefact=kind)


def see_algae(plan: ReefPlan, world: World, rng: np.random.Generator) -> list[Sighting]:
    """The growths on the lens, reported again and again, some of them far more often than others."""
    seconds, sightings = plan.seconds(world.video), []
    liked = chance(plan.seed, Stream.DETECTOR).uniform(0.04, 0.34, lens.N_ALGAE)
    for patch, share in zip(lens.algae_of(plan, world.video), liked, strict=True):
        sway_x, sway_y = patch.sway(seconds)
        x, y, half_w, half_h = patch.x + sway_x, patch.y + sway_y, patch.width / 2, patch.height / 2
        box = in_square((x - half_w, y - half_h, x + half_w, y + half_h), plan.aspect)
        sightings.append(invent("algae", box, share, 0.42, 20, rng))
    return sightings


def see_wiper(plan: ReefPlan, world: World, rng: np.random.Generator) -> Sighting:
    """The blade, in most of the few frames that it crosses."""
    edges = np.full((plan.frames, 4), np.nan)
    angles = lens.wiper_angle_rad(plan, world.video)
    for frame in np.flatnonzero(np.isfinite(angles)):
        corners = lens.blade_corners(angles[frame], plan.aspect)
        edges[frame] = [*corners.min(0), *corners.max(0)]
    return invent("wiper", in_square(tuple(edges.T), plan.aspect), 0.6, 0.4, 6, rng)


def see_places(plan: ReefPlan, world: World, kind: str, rng: np.random.Generator) -> list[Sighting]:
    """Spots of rock, or of nothing but water, that look like fish for a while; rock moves with its layer."""
    layer = world.layers[1]
    sightings = []
    for _ in range(N_ROCK_SPOTS if kind == "rock" else N_WATER_SPOTS):
        half_w, half_h = np.exp(rng.normal(np.log(0.03), 0.5, 2)) * (1.25, 0.85)
        world_x = rng.uniform(-0.5, plan.aspect + 0.5)
        x = world_x - world.camera.x * parallax(layer.ridge.depth_m)
        y = layer.skyline(world_x) + rng.uniform(0.02, 0.14) if kind == "rock" else rng.uniform(0.06, 0.5)
        y = y - world.camera.y + 0.004 * smooth_walk(plan.frames, plan.fps, rng)
        box = in_square((x - half_w, y - half_h, x + half_w, y + half_h), plan.aspect)
        share = rng.uniform(0.04, 0.3) if kind == "rock" else rng.uniform(0.02, 0.13)
        sightings.append(invent(kind, box, share, 0.39, 10, rng))
    return sightings


def detect(plan: ReefPlan, world: World) -> pl.DataFrame:
    """Every report of one video, frame by frame, the surest first; columns as in `SCHEMA`."""
    rng = chance(plan.seed, Stream.DETECTOR, world.video)
    sightings = [see_fish(plan, world, swim, rng) for swim in world.swims]
    sightings += [*see_algae(plan, world, rng), see_wiper(plan, world, rng)]
    sightings += [*see_places(plan, world, "rock", rng), *see_places(plan, world, "water", rng)]
    tables = []
    for sighting in sightings:
        box = keep_inside(sighting.box_xywh)
        large = (box[:, 2:] > SMALLEST_BOX_PX).all(axis=1)
        tables.append(
            sighting.table().with_columns(box=pl.Series(box.tolist(), dtype=pl.List(pl.Float64))).filter(large)
        )
    rows = pl.concat(tables).with_columns(pl.col("score").clip(*SCORE_RANGE))
    return rows.sort("frame_id", "score", descending=[False, True], maintain_order=True)
