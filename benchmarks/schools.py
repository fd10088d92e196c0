"""Headings, groups and their polarization, directions, stays and bursts beside the reef's truth, under true names; on
reefs that were recorded, for the pan is followed in their videos."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.sightings import CLOCK, sightings_of
from megafish_assets.crops.motion import EVERY_FRAMES, SceneWatcher
from megafish_assets.crops.tables import motion_table
from megafish_assets.detections.faults import valid_rows
from megafish_assets.detections.raw import raw_detections
from megafish_assets.detections.scene import ScenePath, scene_paths
from megafish_assets.detections.tracklets import tracklets
from megafish_assets.footage.boxes import Boxes
from megafish_assets.footage.decoding import wanted_frames
from megafish_assets.reef.detector import LEAST_VISIBLE_SHARE, SMALLEST_BOX_PX, true_boxes
from megafish_assets.reef.landscape import parallax
from megafish_assets.reef.plan import DETECTOR_SPAN_PX, ReefPlan, video_name
from megafish_assets.reef.tables import SimulatedVideo, simulate_video
from megafish_assets.reef.truth import kinds
from megafish_assets.sightings.behavior import behavior
from megafish_assets.sightings.collecting import looks_of_videos
from megafish_assets.sightings.moments import bursts
from megafish_assets.sightings.movements import SLOWEST, movements, swims
from megafish_assets.sightings.naming import taxon
from megafish_assets.sightings.schools import (
    AT,
    FEWEST_MEMBERS,
    FEWEST_MOVING,
    OF_ANY,
    OF_KIND,
    grouped,
    schools,
)
from megafish_assets.sightings.stays import mean_stay, stays_of
from megafish_assets.sightings.tracklet_rows import CUT, EDGE

STEPS = (1, 2, 3, 6, 15)
"""Frames from one look to the next, of 30 a second."""

WINDOW_FRAMES = 10
"""Over which the true heading is told: a third of a second."""

PANS = ("pixels", "boxes", "truth")

STAY = ("n_arrivals", "n_stays", "stay_quarter_seconds", "stay_median_seconds", "stay_mean_seconds")
HIDDEN_FRAMES = 15
"""Longest break in the sight of an animal."""

ALIKE = 0.5
"""Of the animals in a found group or a true one, those in both, from which on they are the same."""


def of_recorded_reefs(folders: Sequence[Path]) -> Iterator[dict]:
    """A line a source of the pan and a distance of looks, of all these reefs."""
    for pan, step in [*[(pan, 1) for pan in PANS], *[("pixels", step) for step in STEPS[1:]]]:
        parts = [_of_reef(folder, pan, step) for folder in folders]
        found, groups, true_groups = (
            pl.concat([part[place].with_columns(pl.lit(n).alias("reef")) for n, part in enumerate(parts)])
            for place in range(3)
        )
        yield {"pan": pan, "looks_a_second": 30 / step} | _scores(found, groups, true_groups)
    for step in STEPS:
        yield {"looks_a_second": 30 / step} | _conduct([_marked(folder, step) for folder in folders])


@cache
def plan_of(folder: Path) -> ReefPlan:
    """What the reef was recorded by."""
    stored = json.loads((folder / "reef.json").read_text())
    return ReefPlan(**stored | {"size_wh_px": tuple(stored["size_wh_px"])})


@cache
def _videos(plan: ReefPlan) -> list[SimulatedVideo]:
    return [simulate_video(plan, number) for number in plan.video_numbers]


@cache
def boxes_of(folder: Path, step: int = 1) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The table `raw_detections` of a reef, and the `tracklet_id`, `kind` and `track_id` of each box."""
    plan = plan_of(folder)
    looked_at = pl.col("frame_id") % step == 0
    truth = pl.concat([video.truth for video in _videos(plan)]).filter(looked_at)
    raw = raw_detections(truth.select("video_file", "frame_id", "box", "score"), CLOCK)
    raw = raw.with_columns((pl.col("frame_id") / plan.fps).alias("seconds_in_video"))
    of_box = tracklets(raw).select("detection_id", "tracklet_id").join(kinds(raw, truth), on="detection_id")
    return raw, of_box


@cache
def followed(folder: Path) -> pl.DataFrame:
    """`camera_motion` of a reef, by the pixels of its videos."""
    tables = []
    for (video,), rows in boxes_of(folder)[0].partition_by("video", as_dict=True).items():
        watcher = SceneWatcher(Boxes.of(rows))
        for frame in wanted_frames(folder / "recordings" / rows["video_file"][0], (), every=EVERY_FRAMES):
            watcher(frame)
        tables.append(motion_table(video, watcher.motion()))
    return pl.concat(tables)


def _paths(folder: Path, pan: str, step: int) -> dict[str, ScenePath]:
    if pan == "pixels":
        return scene_paths(followed(folder))
    if pan == "truth":
        moved = {_key(video): video.camera.select("pan_x_1024", "pan_y_1024") for video in _videos(plan_of(folder))}
    else:
        frames = tracklets(boxes_of(folder, step)[0]).join(
            boxes_of(folder, step)[0].select("detection_id", "frame_id"), on="detection_id"
        )
        by_frame = frames.group_by("video", "frame_id").agg(pl.col("pan_x_1024", "pan_y_1024").first()).sort("frame_id")
        moved = {video: rows for (video,), rows in by_frame.partition_by("video", as_dict=True).items()}
    return {
        video: ScenePath(rows.select("pan_x_1024", "pan_y_1024").to_numpy().cumsum(axis=0))
        for video, rows in moved.items()
    }


def _key(video: SimulatedVideo) -> str:
    return video_name(video.world.video).removesuffix(".mp4")


def swimming(folder: Path, step: int = 1, pan: str = "pixels") -> tuple[pl.DataFrame, pl.DataFrame]:
    """The sightings of a reef under true names, with `kind` and `track_id`; and their movements."""
    (raw, of_box), plan = boxes_of(folder, step), plan_of(folder)
    valid, motion = valid_rows(raw), followed(folder)
    looks = looks_of_videos(valid, motion)
    found = sightings_of(valid, of_box, looks).filter("is_counted").with_columns(taxon().alias("kind"))
    animals = of_box.drop_nulls("track_id").group_by("tracklet_id").agg(pl.col("track_id").mode().sort().first())
    found = found.join(animals, on="tracklet_id", how="left")
    rows = valid.join(of_box.select("detection_id", "tracklet_id"), on="detection_id")
    rows = rows.join(found.select("tracklet_id"), on="tracklet_id", how="semi")
    return found, movements(rows, looks, _paths(folder, pan, step), dict.fromkeys(looks, plan.aspect))


def _of_reef(folder: Path, pan: str, step: int) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Movements with the true way; groups with the truth of their members; true groups with the found one."""
    found, moved = swimming(folder, step, pan)
    true = truth_of(folder)
    of_animal = found.select("tracklet_id", "track_id", "kind").drop_nulls("track_id")
    both = moved.join(of_animal, on="tracklet_id").join(true, on=["video", "track_id", "frame_id"], suffix="_true")
    groups = schools(moved, found.select("tracklet_id", "kind")).filter(of=OF_KIND).with_row_index("id")
    members = groups.with_columns(pl.col("members").alias("tracklet_id")).explode("tracklet_id")
    members = members.join(of_animal, on="tracklet_id").unique(["id", "track_id"])
    looked_at = moved.filter("is_whole_moment").select("video", "frame_id").unique()
    at_moments = true.join(looked_at, on=["video", "frame_id"]).with_columns(pl.col("frame_id").alias("moment"))
    chained = grouped(at_moments, [*AT, "kind"])
    true_groups = chained.group_by("video", "frame_id", "kind", "chain").agg(pl.col("track_id").alias("animals"))
    of_found = members.group_by("id", "video", "frame_id", "kind").agg(pl.col("track_id").alias("found"))
    large = true_groups.filter(pl.col("animals").list.len() >= FEWEST_MEMBERS)
    return (
        both,
        groups.join(_polarization(members, true), on="id", how="left").join(
            _matched(of_found, true_groups, "id"), on="id", how="left"
        ),
        large.join(_matched(of_found, true_groups, "chain"), on="chain", how="left"),
    )


def _polarization(members: pl.DataFrame, true: pl.DataFrame) -> pl.DataFrame:
    """By `id` how alike a group's animals head in truth: those that swim, as the platform tells it, and all."""
    told = members.join(true, on=["video", "track_id", "frame_id"], suffix="_true")
    swum = pl.col("pace") >= SLOWEST

    def mean_head(of: pl.Expr) -> pl.Expr:
        heads = [(pl.col(way).filter(of) / pl.col("way").filter(of)).mean() for way in ("way_x", "way_y")]
        return (heads[0] ** 2 + heads[1] ** 2).sqrt()

    return told.group_by("id").agg(
        pl.when(swum.sum() >= FEWEST_MOVING).then(mean_head(swum)).alias("true_polarization"),
        mean_head(pl.lit(True)).alias("polarization_of_all"),
    )


@cache
def truth_of(folder: Path) -> pl.DataFrame:
    """Where every animal of a reef is; see `true_places`."""
    plan = plan_of(folder)
    return pl.concat([true_places(plan, video) for video in _videos(plan)])


def _matched(found: pl.DataFrame, true_groups: pl.DataFrame, of: str) -> pl.DataFrame:
    """By `of` how `alike` the best match is, and its number of animals, `n_matched`."""
    both = found.join(true_groups, on=["video", "frame_id", "kind"])
    shared = pl.col("found").list.set_intersection("animals").list.len()
    either = pl.col("found").list.set_union("animals").list.len()
    other = pl.col("animals" if of == "id" else "found").list.len()
    return (
        both.with_columns((shared / either).alias("alike"), other.alias("n_matched"))
        .sort("alike", descending=True)
        .unique(of, keep="first")
        .select(of, "alike", "n_matched")
    )


def true_places(plan: ReefPlan, video: SimulatedVideo) -> pl.DataFrame:
    """Every animal in every frame in which the detector could report it: its place and length, in 1024ths of the
    frame's height, and its own way, without the camera's, in a third of a second about it; `pace` is in body lengths a
    second."""
    half, tables = WINDOW_FRAMES // 2, []
    frames = np.arange(plan.frames)
    for swim in video.world.swims:
        box, visible = true_boxes(swim, plan.aspect)
        moves = parallax(swim.depth_m)
        own = [swim.x + video.world.camera.x * moves, swim.y + video.world.camera.y * moves]
        ways = [x[np.minimum(frames + half, plan.frames - 1)] - x[np.maximum(frames - half, 0)] for x in own]
        table = pl.DataFrame(
            {
                "frame_id": frames,
                "x_square": (box[:, 0] + box[:, 2] / 2) * plan.aspect,
                "y_1024": box[:, 1] + box[:, 3] / 2,
                "length_square": np.maximum(box[:, 2] * plan.aspect, box[:, 3]),
                "way_x": ways[0] * DETECTOR_SPAN_PX,
                "way_y": ways[1] * DETECTOR_SPAN_PX,
            }
        ).filter((visible > LEAST_VISIBLE_SHARE) & (box[:, 2:] > SMALLEST_BOX_PX).all(axis=1))
        named = {"video": _key(video), "track_id": swim.track_id, "kind": swim.species.name}
        tables.append(table.with_columns(pl.lit(value).alias(name) for name, value in named.items()))
    way = (pl.col("way_x") ** 2 + pl.col("way_y") ** 2).sqrt().alias("way")
    pace = (pl.col("way") * plan.fps / WINDOW_FRAMES / pl.col("length_square")).alias("pace")
    return pl.concat(tables).cast({"frame_id": pl.Int64}).with_columns(way).with_columns(pace)


def _scores(moved: pl.DataFrame, groups: pl.DataFrame, true_groups: pl.DataFrame) -> dict:
    heading = moved.filter(swims())
    turn = (pl.arctan2("speed_y", "speed_x") - pl.arctan2("way_y", "way_x")).degrees()
    off = heading.select(((turn + 180) % 360 - 180).abs().alias("off"))["off"]
    told = groups.drop_nulls(["polarization", "true_polarization"])
    of_five = told.filter(pl.col("n_moving") >= 5)
    return {
        "n_headings": len(off),
        "within_45_degrees": round(float((off <= 45).mean()), 3),
        "n_groups_told": told.height,
        "polarization_error": _error(told),
        "error_to_that_of_all_members": _error(groups.drop_nulls("polarization"), "polarization_of_all"),
        "mean_polarization": [round(told[name].mean(), 3) for name in ("polarization", "true_polarization")],
        "of_five_moving": {"n": of_five.height, "error": _error(of_five)},
        "n_groups": groups.height,
        "n_true_groups": true_groups.height,
        "true_groups_found": _share(true_groups),
        "true_groups_of_five_found": _share(true_groups.filter(pl.col("animals").list.len() >= 5)),
        "groups_that_are_true": _share(groups),
        "group_size_ratio": round((groups["n_members"].sum() / groups["n_matched"].sum()), 3),
    }


def _error(groups: pl.DataFrame, true: str = "true_polarization") -> float | None:
    return rounded((groups["polarization"] - groups[true]).abs().mean())


def _share(groups: pl.DataFrame) -> float | None:
    """Of these, what has a match."""
    return rounded((groups["alike"].fill_null(0) >= ALIKE).mean())


def rounded(number: float | None) -> float | None:
    """To three digits; None where there was nothing to measure."""
    return None if number is None else round(float(number), 3)


def _marked(folder: Path, step: int) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Sightings, movements and truth of a reef, whose ids bear its name so that reefs can be joined."""
    tables = (*swimming(folder, step), truth_of(folder))
    ids = ("video", "tracklet_id", "track_id")
    return tuple(
        table.with_columns(
            (pl.lit(f"{folder.name}/") + pl.col(name)).alias(name) for name in ids if name in table.columns
        )
        for table in tables
    )


def _conduct(reefs: list[tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]]) -> dict:
    """Directions, stays and bursts of all these reefs together, beside what is true."""
    found, moved, true = (pl.concat(tables) for tables in zip(*reefs, strict=True))
    told = behavior(found, moved, schools(moved, found.select("tracklet_id", "kind")))
    swum = true.filter(pl.col("pace") >= SLOWEST)
    across = pl.col("way_x").abs() >= pl.col("way_y").abs()
    sides = swum.group_by("kind").agg((across & (pl.col("way_x") > 0)).mean().alias("true_right_share"))
    by_kind = told.filter(of=OF_KIND).join(sides, on="kind")
    fast = bursts(moved).join(found.select("tracklet_id", "track_id"), on="tracklet_id")
    usual = true.group_by("video", "track_id").agg(pl.col("pace").median().alias("usual"))
    fast = fast.join(true, on=["video", "track_id", "frame_id"]).join(usual, on=["video", "track_id"])
    any_kind = told.filter(of=OF_ANY).row(0, named=True)
    return {
        "right_share_off": round((by_kind["right_share"] - by_kind["true_right_share"]).abs().max(), 3),
        "stays": {name: any_kind[name] for name in STAY},
        "true_stays": _true_stays(true),
        "n_tracklets": found.height,
        "n_bursts": fast.height,
        "bursts_that_are_as_fast": rounded((fast["pace"] >= 0.7 * fast["number"]).mean()),
        "bursts_that_are_faster_than_usual": rounded((fast["pace"] >= 1.3 * fast["usual"]).mean()),
    }


def _true_stays(true: pl.DataFrame) -> dict:
    """As tracklets without a break would tell them: an animal that is out of sight for half a second is another."""
    ordered = true.sort("video", "track_id", "frame_id")
    breaks = (pl.col("frame_id").diff().fill_null(0) > HIDDEN_FRAMES).cum_sum().over("video", "track_id").alias("run")
    runs = ordered.with_columns(breaks).group_by("video", "track_id", "run")
    last_frame = true["frame_id"].max()
    ways = [
        pl.when(pl.col(frame) == end).then(pl.lit(CUT)).otherwise(pl.lit(EDGE)).alias(name)
        for name, frame, end in (("begins", "first", 0), ("ends", "last", last_frame))
    ]
    seen = runs.agg(pl.col("frame_id").min().alias("first"), pl.col("frame_id").max().alias("last")).with_columns(
        *ways, (pl.col("first") / 30).alias("first_second"), (pl.col("last") / 30).alias("last_second")
    )
    found = stays_of(seen)
    return {
        "n_arrivals": found.n_arrivals,
        "n_stays": found.n_stays,
        "stay_quarter_seconds": found.quarter,
        "stay_median_seconds": found.median,
        "stay_mean_seconds": mean_stay(seen),
    }
