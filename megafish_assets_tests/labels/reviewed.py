"""A small collection with hostile names, and the review that is made of it."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import polars as pl

from megafish_assets.features.fits import cluster_units, fit_version
from megafish_assets.footage.file_names import video_key
from megafish_assets.labels.review import Known, make_review
from megafish_assets.labels.review_sheets import Sheet

HOSTILE = "<img src=x onerror=ran()>"
SCRIPT = '"></script><script>ran()</script>'
FORMULA = "=cmd|' /C calc'!A0"
RTL = "\u202eسمكة 🐟 שלום"

FILES = [f"{HOSTILE}.mp4", f"{SCRIPT.replace('/', '')}.mp4", f"{FORMULA}.mp4", f"{RTL} #1?.mp4", "dive/plain.avi"]
VIDEOS = [video_key(file) for file in FILES]

N_CROPS = 3
CLUSTERS = {0: 20, 1: 12, 2: 6, -1: 5}
"""Tracklets by cluster; -1 is noise."""


def jpeg(seed: int, width: int = 60, height: int = 40) -> bytes:
    """A crop of noise that no other seed gives."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    pixels = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def tables() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Crops, sampled detections and clusters, of `CLUSTERS` tracklets in `FILES`."""
    crops, sampled, clusters = [], [], []
    labels = [label for label, n in CLUSTERS.items() for _ in range(n)]
    for tracklet, cluster in enumerate(labels):
        video, file = (names[tracklet % len(FILES)] for names in (VIDEOS, FILES))
        for crop in range(N_CROPS):
            frame = 30 * tracklet + 10 * crop
            key = {
                "video": video,
                "detection_id": f"{video}/{frame:06d}/000",
                "tracklet_id": f"{video}/t{tracklet:05d}",
            }
            size = 40 + 10 * crop  # the same picture larger: the last is the best
            picture = {"width_px": size + 20, "height_px": size, "jpeg": jpeg(tracklet, size + 20, size)}
            crops.append(key | {"frame_id": frame, "presentation_seconds": frame / 30, "fault": None} | picture)
            box = {"x_1024": 10.12345 + tracklet, "y_1024": 20.0, "width_1024": 60.0, "height_1024": 40.0}
            at = datetime(2026, 5, 1, 12, 0, tracklet) if tracklet % 2 else None
            sampled.append(key | {"video_file": file, "recorded_at": at} | box)
            angle = cluster + 0.01 * tracklet
            position = [float(np.cos(angle)), float(np.sin(angle)), float(cluster)]
            clusters.append(key | {"cluster": cluster, "distance_to_centre": 0.1, "position": position})
    recipe = '{"features": "whitened", "units": "tracklets", "space": "features", "grouping": "consensus"}'
    return (
        pl.DataFrame(crops, schema_overrides={"fault": pl.String}),
        pl.DataFrame(sampled, schema_overrides={"recorded_at": pl.Datetime("us")}),
        pl.DataFrame(clusters, schema_overrides={"position": pl.List(pl.Float32)}).with_columns(
            pl.lit(recipe).alias("recipe"), pl.lit("fit1").alias("fit_version")
        ),
    )


SPECIES = pl.DataFrame(
    {
        "name": ["Blue-green chromis", "Trumpetfish", SCRIPT],
        "scientific_name": ["Chromis viridis", "Aulostomus maculatus", HOSTILE],
        "aphia_id": [212682, 159427, None],
    }
)


def classes(clusters: pl.DataFrame) -> pl.DataFrame:
    """Cluster 1 was named by a person with a hostile name, cluster 2 by the classifier, some of both not."""
    units = clusters.unique("tracklet_id").sort("tracklet_id").select(unit_id="tracklet_id", cluster="cluster")
    is_first = pl.int_range(pl.len()).over("cluster") < 4
    known = units.filter(pl.col("cluster").is_in([1, 2]) & is_first)
    is_person = pl.col("cluster") == 1
    return known.with_columns(
        pl.when(is_person).then(pl.lit(HOSTILE)).otherwise(pl.lit("Trumpetfish")).alias("name"),
        pl.lit(None, pl.String).alias("scientific_name"),
        pl.when(is_person).then(pl.lit("person")).otherwise(pl.lit("classified")).alias("name_source"),
        (0.5 + 0.01 * pl.int_range(pl.len())).alias("probability"),
    )


def kinds(clusters: pl.DataFrame, kind_ids: dict[int, int]) -> pl.DataFrame:
    """Two fits of which the last is that of these clusters."""
    units = clusters.unique("tracklet_id").select("tracklet_id", "cluster", unit_id="tracklet_id")
    fit = units.with_columns(
        kind_id=pl.col("cluster").replace_strict(kind_ids, default=None, return_dtype=pl.Int64),
        fit_version=pl.lit(fit_version(cluster_units(clusters))),
        is_latest=True,
    )
    earlier = fit.with_columns(fit_version=pl.lit("earlier"), is_latest=False, cluster=1 - pl.col("cluster"))
    return pl.concat([earlier, fit])


LENS_PLACES = pl.DataFrame(
    {
        "place_id": ["p001", "p002"],
        "x_1024": [10.0, 900.0],
        "y_1024": [20.0, 900.0],
        "width_1024": [60.0, 50.0],
        "height_1024": [40.0, 50.0],
        "lens_score": [0.4, 0.9],
    }
)


def made(folder: Path, **more: pl.DataFrame) -> tuple[list[Sheet], pl.DataFrame]:
    """The review of the collection in a new folder; `more` is what else is known."""
    folder.mkdir(parents=True)
    crops, sampled, clusters = tables()
    known = replace(Known(clusters, species=SPECIES), **more)
    made_at = "2026-05-01T00:00:00+00:00"
    return make_review(folder, crops.lazy(), sampled.lazy(), known, "vit", "../../recordings", made_at)
