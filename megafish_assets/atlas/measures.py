"""What the check of this stage measures, from the sheets as they were drawn."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from megafish_assets.atlas.explorer import Explored, unplayed_files
from megafish_assets.atlas.montage import tile_corner, tile_pixels
from megafish_assets.atlas.thumbs import A_SIDE, MOST_APART, thumb, thumb_on_sheet
from megafish_assets.crops.batches import decoded_rgb


def tiles_of_another_cluster(tiles: pl.DataFrame, clusters: pl.DataFrame) -> int:
    """Tiles whose detection does not carry the label that their sheet shows."""
    known = clusters.select("detection_id", pl.col("cluster").alias("own_cluster"))
    both = tiles.join(known, on="detection_id", how="left")
    return both.filter(pl.col("cluster").ne_missing(pl.col("own_cluster"))).height


def tiles_of_other_pixels(tiles: pl.DataFrame, sheets: Mapping[str, np.ndarray], jpegs: Mapping[str, bytes]) -> int:
    """Tiles whose place on their sheet (uint8 RGB, by file) does not hold their crop's pixels."""
    wrong = 0
    for tile in tiles.iter_rows(named=True):
        pixels = tile_pixels(jpegs[tile["detection_id"]])
        left, top = tile_corner(tile["row"], tile["column"], pixels)
        drawn = sheets[tile["file"]][top : top + pixels.shape[0], left : left + pixels.shape[1]]
        wrong += not np.array_equal(drawn, pixels)
    return wrong


THUMBS_LOOKED_AT = 200
"""Of all crops, a seeded draw: decoding every sheet once more would double the time of the pictures."""


def thumbs_of_other_pixels(sheets: Sequence[bytes], jpegs: Sequence[bytes], side_px: int, seed: int) -> int:
    """Thumbs, of a seeded draw, that are further from their crop than compression takes them."""
    drawn = np.sort(np.random.default_rng(seed).permutation(len(jpegs))[:THUMBS_LOOKED_AT])
    wrong = 0
    for place in drawn.tolist():
        sheet, on_sheet = divmod(place, A_SIDE**2)
        shown = thumb_on_sheet(sheets[sheet], on_sheet, side_px)
        wrong += np.abs(shown.astype(float) - thumb(decoded_rgb(jpegs[place]), side_px)).mean() > MOST_APART
    return int(wrong)


def explorer_numbers(explored: Explored, clusters: pl.DataFrame) -> dict[str, int]:
    """What the page lacks, of what it should show."""
    points, videos = explored.points, explored.linked.videos
    unplayed = unplayed_files(videos)
    without = [file for file in unplayed if not explored.linked.stills.get(file)]
    return {
        "n_points": points.height,
        "n_crops_not_shown": len(set(clusters["detection_id"]) - set(points["detection_id"])),
        "n_nonfinite_rows": int((~np.isfinite(explored.positions)).any(axis=1).sum()),
        "n_near_duplicates": int((explored.duplicate_of >= 0).sum()),
        "n_videos_without_file": sum(video.size_bytes is None for video in videos.values()),
        "n_videos_without_player": len(unplayed),
        "n_crops_without_still": points["video_file"].is_in(without).sum(),
    }
