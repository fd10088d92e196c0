"""A made-up collection for the report, whose counts can be told by hand, as stored tables and a real run.

In video v (from 0) there are `(v + k) % 4` of kind k (from 0), each with one box in frame 10 and one crop; on average
half as many are in view. In odd videos it is sure that they are as many animals.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import dagster as dg
import numpy as np
import polars as pl
from deltalake import write_deltalake

from megafish_assets.atlas.report_assets import report_asset
from megafish_assets.detections.columns import RAW, TRACKLETS
from megafish_assets.footage.columns import Columns
from megafish_assets.orchestration.policy import grouped
from megafish_assets.orchestration.sources import Recordings
from megafish_assets.reporting.figures import Figures
from megafish_assets.sightings.columns import ABUNDANCE, SIGHTINGS
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.io_manager import GpuDeltaLakeIOManager
from megafish_assets.storage.partitions import VIDEOS
from megafish_assets_tests.videos import write_h264

BACKBONE = "vit"
MOST, FRAME, SECONDS = 4, 10, 60.0
UPSTREAM = {
    "detections": ["raw_detections", "tracklets"],
    "crops": ["crops"],
    "sightings": ["sightings", "abundance", "behavior", "schools", "moments", "richness", "animals_gap"],
    "labels": ["labels", "words", "classes_vit"],
    "clusters": ["kinds_vit", "stability_vit"],
    "evaluation": ["confounders_vit"],
    "atlas": ["montages_vit"],
}
PER_VIDEO = {"raw_detections", "tracklets", "crops"}


def count_of(video: int, kind: int) -> int:
    """How many there are."""
    return (video + kind) % MOST


def video_key(video: int) -> str:
    return f"cam_{video:04d}"


def typed(rows: list[dict] | pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """These rows in the table's columns, with nulls where they say nothing."""
    if not len(rows):
        return pl.DataFrame(schema={name: column.dtype for name, column in columns.items()})
    table = pl.DataFrame(rows, infer_schema_length=None)
    given = [name if name in table.columns else pl.lit(None).alias(name) for name in columns]
    return table.select(given).cast({name: column.dtype for name, column in columns.items()})


def counts(kinds: Sequence[str], n_videos: int, start: datetime | None, stations: Sequence[str]) -> pl.DataFrame:
    """The columns `ABUNDANCE`; a video an hour where there is a start, the stations in turn."""
    rows = []
    for video in range(n_videos):
        station = stations[video % len(stations)] if stations else None
        began = None if start is None else start + timedelta(hours=video)
        for kind, name in enumerate(kinds):
            n = count_of(video, kind)
            numbers = {"kind": name, "station": station, "max_n": n, "mean_count": n / 2, "n_tracklets": n}
            numbers |= {"n_animals": n if video % 2 else None}
            numbers |= {"max_n_video": video_key(video), "max_n_frame": FRAME, "name_source": source_of(name)}
            numbers |= {"occupied_clips_share": float(n > 0), "start_seconds": 0.0, "end_seconds": SECONDS}
            effort = {"n_clips": 1, "n_frames_searched": 1800, "seconds_searched": SECONDS, "wiped_share": 0.1}
            rows.append(numbers | effort | {"window": video_key(video), "window_kind": "clip", "recorded_at": began})
    clips = pl.DataFrame(rows, infer_schema_length=None)
    windows = [clips]
    if start is not None:
        at = pl.col("recorded_at")
        windows += [joined(clips.with_columns(window=at.dt.strftime(f), recorded_at=at.dt.truncate(t)), k)
                    for f, t, k in (("%Y-%m-%dT%H", "1h", "hour"), ("%Y-%m-%d", "1d", "day"))]  # fmt: skip
    windows.append(joined(clips.with_columns(window=pl.lit("all"), recorded_at=None), "all"))
    return typed(pl.concat(windows, how="diagonal_relaxed"), ABUNDANCE)


def joined(clips: pl.DataFrame, window_kind: str) -> pl.DataFrame:
    """Counts of longer windows, of clips that are all as long."""
    first = clips.sort("max_n", descending=True).group_by("window", "station", "kind", maintain_order=True)
    return first.agg(
        pl.col("recorded_at", "name_source", "max_n", "max_n_video", "max_n_frame", "wiped_share").first(),
        pl.col("mean_count", "occupied_clips_share").mean(),
        pl.col("n_tracklets", "n_clips", "n_frames_searched", "seconds_searched").sum(),
    ).with_columns(pl.lit(window_kind).alias("window_kind"))


def source_of(name: str) -> str:
    return "unnamed" if name.startswith("kind ") or name == "unnamed" else "classified"


def crop(seed: int) -> bytes:
    pixels = np.full((30, 44, 3), (200, 140, 40), np.uint8)
    cv2.ellipse(pixels, (22, 15), (16, 9), 0, 0, 360, [40 * (seed % 6), 255 - 40 * (seed % 6), 160], -1)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


class Collection:
    """Its tables and the report that is made of them."""

    def __init__(
        self,
        root: Path,
        kinds: Sequence[str] = (),
        n_videos: int = 3,
        start: datetime | None = None,
        stations: Sequence[str] = (),
        with_videos: bool = False,
        crop_jpeg: bytes | None = None,
    ) -> None:
        self.root, self.instance = root, dg.DagsterInstance.ephemeral()
        self.instance.add_dynamic_partitions(VIDEOS.name, [video_key(video) for video in range(n_videos)])
        for video in range(n_videos):
            self.instance.report_runless_asset_event(dg.AssetMaterialization("crops", partition=video_key(video)))
        (root / "recordings").mkdir(parents=True, exist_ok=True)
        seen, boxes, crops = [], [], []
        for video in range(n_videos):
            key, began = video_key(video), None if start is None else start + timedelta(hours=video)
            if with_videos:
                frames = [np.full((180, 320, 3), (150, 110, 20), np.uint8)] * (FRAME + 3)
                write_h264(root / "recordings" / f"{key}.mp4", frames)
            places = [(kind, one) for kind in range(len(kinds)) for one in range(count_of(video, kind))]
            for number, (kind, one) in enumerate(places):
                name, tracklet_id, detection_id = kinds[kind], f"{key}/t{number:05d}", f"{key}/{FRAME:06d}/{number:03d}"
                in_video = {"video": key, "tracklet_id": tracklet_id}
                is_named = source_of(name) == "classified"
                seen.append(in_video | {
                    "recorded_at": began, "name": name if is_named else None, "name_source": source_of(name),
                    "kind_id": None if name == "unnamed" else kind + 1 if is_named else int(name.split()[1]),
                    "is_counted": True, "is_part": False, "best_crop": detection_id, "n_frames_seen": 30,
                })  # fmt: skip
                boxes.append(in_video | {
                    "detection_id": detection_id, "video_file": f"{key}.mp4", "frame_id": FRAME,
                    "seconds_in_video": 1 / 3, "x_1024": 100.0 + 200 * one, "y_1024": 100.0 + 70 * (kind % 12),
                    "width_1024": 90.0, "height_1024": 60.0,
                })  # fmt: skip
                crops.append(in_video | {
                    "detection_id": detection_id, "width_px": 44, "height_px": 30, "clipped_share": 0.0,
                    "jpeg": crop_jpeg or crop(kind), "fault": None,
                })  # fmt: skip
        cut = {"video": pl.String, "tracklet_id": pl.String, "detection_id": pl.String, "width_px": pl.Int64,
               "height_px": pl.Int64, "clipped_share": pl.Float64, "jpeg": pl.Binary, "fault": pl.String}  # fmt: skip
        self.abundance = counts(kinds, n_videos, start, stations) if kinds and n_videos else typed([], ABUNDANCE)
        self.store("sightings/sightings", typed(seen, SIGHTINGS))
        self.store("sightings/abundance", self.abundance)
        self.store("detections/raw_detections", typed(boxes, RAW))
        self.store("detections/tracklets", typed(boxes, TRACKLETS))
        self.store("crops/crops", pl.DataFrame(crops, cut))

    @property
    def page(self) -> Path:
        return self.root / "figures" / "report" / "index.html"

    def store(self, table: str, rows: pl.DataFrame) -> None:
        by = ["video"] if table.rsplit("/", 1)[1] in PER_VIDEO else None
        write_deltalake(str(self.root / "tables" / table), rows.to_arrow(), partition_by=by, mode="overwrite")

    def shown(self) -> pl.DataFrame:
        """What the report says that it shows."""
        return pl.read_delta(str(self.root / "tables/atlas/report")).sort("rank")

    def made(self, *others: dg.AssetsDefinition, recordings: Path | None = None) -> dg.ExecuteInProcessResult:
        """The report; `others` are assets of the platform with checks of their own, `recordings` a folder elsewhere."""
        known = {key for asset in others for key in asset.keys}
        upstream = {
            room: [
                dg.AssetSpec(name, partitions_def=VIDEOS if name in PER_VIDEO else None)
                for name in names
                if dg.AssetKey(name) not in known
            ]
            for room, names in UPSTREAM.items()
        }
        specs = [spec for room, some in upstream.items() for spec in grouped(room, some)]
        return dg.materialize(
            [*specs, *others, *grouped("atlas", [report_asset(BACKBONE)])],
            selection=["report"],
            instance=self.instance,
            resources={
                "io_manager": GpuDeltaLakeIOManager(root_uri=str(self.root / "tables"), device="cpu"),
                "tables": Tables(root=str(self.root / "tables")),
                "figures": Figures(folder=str(self.root / "figures")),
                "recordings": Recordings(folder=str(recordings or self.root / "recordings")),
            },
        )
