"""What is taken for no fish, beside the reef's truth: places of the lens on many reefs by their boxes alone, and, of a
materialised reef, the wiper and the motion of tracklets too."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
from sklearn.metrics import roc_auc_score

from megafish_assets.detections.faults import valid_rows
from megafish_assets.detections.lens import lens_places, places_of
from megafish_assets.detections.raw import raw_detections
from megafish_assets.detections.recurrences import recurrences
from megafish_assets.footage.boxes import BOX, STRETCHED_PX
from megafish_assets.footage.clocks import Clock
from megafish_assets.reef.plan import ReefPlan
from megafish_assets.reef.tables import simulate_video
from megafish_assets.reef.truth import kinds

SEEDS = (131, 132, 133, 134, 135, 136, 137, 138)
"""Of reefs that no test and no constant was chosen on."""

CAMERAS = {
    "pans": {},
    "pans, a fifth rests": {"resting_share": 0.2},
    "still": {"pans": False},
    "still, a fifth rests": {"pans": False, "resting_share": 0.2},
}
N_CLIPS = (6, 8, 12)
CLOCK = Clock(clip_seconds=10, frames_per_clip=300, recording_start=None)
LEAST_FRAMES = 10
"""Of a tracklet whose motion is judged."""


def of_many_reefs() -> Iterator[dict]:
    """A line a camera and number of clips: the worst and the mean over the seeds."""
    for camera, changed in CAMERAS.items():
        reefs = [_reef(ReefPlan(videos=max(N_CLIPS), seed=seed, **changed)) for seed in SEEDS]
        for n_clips in N_CLIPS:
            scores = pl.DataFrame([_of_boxes(rows, n_clips) for rows in reefs])
            yield {"camera": camera, "n_clips": n_clips, "n_reefs": len(reefs)} | {
                name: {"mean": round(scores[name].mean(), 5), "worst": round(worst, 5)}
                for name, worst in (
                    ("precision", scores["precision"].min()),
                    ("recall", scores["recall"].min()),
                    ("fish_lost_share", scores["fish_lost_share"].max()),
                )
            }


def _reef(plan: ReefPlan) -> pl.DataFrame:
    simulated = [simulate_video(plan, number) for number in plan.video_numbers]
    raw = raw_detections(pl.concat([video.inference for video in simulated]), CLOCK)
    shown = kinds(raw, pl.concat([video.truth for video in simulated]))
    timed = raw.with_columns((pl.col("frame_id") / plan.fps).alias("seconds_in_video"))
    return valid_rows(timed).join(shown, on="detection_id").with_columns(pl.col("video_number").alias("number"))


def _of_boxes(rows: pl.DataFrame, n_clips: int) -> dict[str, float]:
    rows = rows.filter(pl.col("number") < n_clips)
    _, found = lens_places(recurrences(rows))
    at_place = places_of(rows, found)["place_id"].is_not_null()
    return _scores(rows.with_columns(at_place.alias("flagged")), ["algae"])


def _scores(rows: pl.DataFrame, artefacts: list[str]) -> dict[str, float]:
    is_artefact = pl.col("kind").is_in(artefacts)
    return {
        "precision": rows.filter("flagged").select(is_artefact.mean()).item() or 1.0,
        "recall": rows.filter(is_artefact)["flagged"].mean(),
        "fish_lost_share": rows.filter(pl.col("track_id").is_not_null())["flagged"].mean(),
    }


def of_boxes_of_one_clip(csv: Path, fps: float, frame_wh_px: tuple[int, int]) -> Iterator[dict]:
    """Places of the lens in a clip without any, cut into 1 to 10 videos of as many frames; `csv` holds `frame_id` and
    `x_px`, `y_px`, `w_px` and `h_px` of the source frame."""
    boxes, n_frames = pl.read_csv(csv), pl.read_csv(csv)["frame_id"].max() + 1
    sides = zip(BOX, ("x_px", "y_px", "w_px", "h_px"), frame_wh_px * 2, strict=True)
    scaled = boxes.select("frame_id", *[(pl.col(px) * STRETCHED_PX / size).alias(name) for name, px, size in sides])
    for n_videos in range(1, 11):
        length = -(-n_frames // n_videos)
        rows = scaled.with_columns(
            pl.format("v_{}", pl.col("frame_id") // length).alias("video"), pl.col("frame_id") % length
        ).with_columns((pl.col("frame_id") / fps).alias("seconds_in_video"))
        places, found = lens_places(recurrences(rows))
        flagged = places_of(rows, found)["place_id"].count()
        yield {"n_videos": n_videos, "n_places": places.height, "n_boxes": rows.height, "n_flagged": flagged}


def of_a_collection(root: Path) -> Iterator[dict]:
    """Lines of a materialised reef: its table `not_fish` by reason, and how well `tracklet_motion` tells fish."""
    tables = root / "tables" / "detections"
    raw = pl.read_delta(str(tables / "raw_detections"))
    shown = kinds(raw, pl.read_delta(str(root / "truth")))
    rows = pl.read_delta(str(tables / "not_fish")).join(shown, on="detection_id")
    flagged = rows.with_columns(pl.col("reason").is_not_null().alias("flagged"))
    yield (
        {"table": "not_fish"}
        | _scores(flagged, ["algae", "wiper"])
        | {
            "wiper_recall": rows.filter(kind="wiper").select((pl.col("reason") == "wiper").mean()).item(),
            "n_on_lens": rows.filter(reason="on_lens").height,
            "n_fixed": rows.filter(reason="fixed").height,
            "rock_and_water_share": rows.select(pl.col("kind").is_in(["rock", "water"]).mean()).item(),
        }
    )
    tracked = pl.read_delta(str(tables / "tracklets")).join(shown, on="detection_id")
    of_tracklets = tracked.group_by("tracklet_id").agg(
        pl.col("kind").mode().first(), is_fish=pl.col("track_id").count() > 0
    )
    motion = pl.read_delta(str(tables / "tracklet_motion")).filter(pl.col("n_frames") >= LEAST_FRAMES)
    both = motion.join(of_tracklets, on="tracklet_id").drop_nulls("travel_body_lengths")
    for kind in ("algae", "rock", "water"):
        known = both.filter(pl.col("is_fish") | (pl.col("kind") == kind))
        auc = roc_auc_score(known["is_fish"], known["travel_body_lengths"])
        yield {"table": "tracklet_motion", "fish_against": kind, "auc": round(auc, 4), "n_tracklets": known.height}
