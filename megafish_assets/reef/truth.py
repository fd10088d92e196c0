"""What each detection of a reef really shows, by the platform's own key."""

import polars as pl

from megafish_assets.footage.boxes import BOX


def kinds(raw: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """`detection_id`, `kind` (species, or the sort of artefact) and `track_id` (null for artefacts) of every raw row.

    `raw` is the table `raw_detections`, `truth` the reef's. Rows meet by file, frame, box and score, which the reef
    never repeats.
    """
    boxes = [pl.col("box").list.get(index).alias(name) for index, name in enumerate(BOX)]
    known = truth.select(
        "video_file", "frame_id", "score", *boxes, "track_id", pl.coalesce("species", "artefact").alias("kind")
    )
    both = raw.join(known, on=["video_file", "frame_id", "score", *BOX], how="left", validate="1:1")
    return both.select("detection_id", "kind", "track_id")
