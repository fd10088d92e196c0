"""The review sheets, from the tables that they are made of to the folder that a person opens.

Here: how pictures, sheets and files come together, a few thousand crops at a time. Not here: each of the three, see
`review_pictures.py`, `review_sheets.py` and `review_folder.py`.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from megafish_assets.clusters.support import supported
from megafish_assets.crops.batches import decoded_rgb
from megafish_assets.features.fits import kinds_by_cluster
from megafish_assets.footage.columns import empty_table
from megafish_assets.footage.ids import video_of
from megafish_assets.labels.review_folder import Review, offered_names, write_review
from megafish_assets.labels.review_pictures import KeptThumbs, best_crops, place_picture, thumb
from megafish_assets.labels.review_sheets import (
    Sheet,
    place_tiles,
    review_sheets,
    units_of,
    with_kinds,
    with_names,
)
from megafish_assets.labels.small import with_small
from megafish_assets.labels.species import SPECIES

CROPS_AT_A_TIME = 4_000
"""In memory, with their pictures: about 40 MB, of whole videos."""

SEEN = ["detection_id", "video_file", "x_1024", "y_1024", "width_1024", "height_1024", "recorded_at"]
"""What the sheets read of `sampled_detections`."""


@dataclass(frozen=True)
class Known:
    """What is known of the collection; the columns of each table are its own, and None is what nobody has made yet."""

    clusters: pl.DataFrame
    stability: pl.DataFrame | None = None
    kinds: pl.DataFrame | None = None
    """`kind_id` of each `cluster` where `is_latest`, and `fit_version`; the last fit is that of the clusters."""
    classes: pl.DataFrame | None = None
    """`unit_id`, `name`, `scientific_name`, `probability`, `name_source`."""
    lens_places: pl.DataFrame | None = None
    """`place_id`, the box, `lens_score`."""
    species: pl.DataFrame | None = None
    """The columns `SPECIES`."""
    small: pl.DataFrame | None = None
    """`video`, `detection_id` and `tracklet_id` of crops of tracklets that are too small to be grouped."""
    place_jpegs: Mapping[str, bytes] = field(default_factory=dict)
    """Pictures of places of the lens, by `place_id`: their boxes are left out of the sample, so no crop shows them."""

    @property
    def crops(self) -> pl.DataFrame:
        """`detection_id`, `tracklet_id` and `cluster` of all crops, grouped or small; of these `cluster` is null."""
        return self.clusters if self.small is None else with_small(self.clusters, self.small)

    @property
    def fit_version(self) -> str | None:
        """Of the fit that the sheets show; None where no table says it."""
        if self.kinds is not None:
            return self.kinds.filter(pl.col("is_latest"))["fit_version"].first()
        return self.clusters["fit_version"].first() if "fit_version" in self.clusters.columns else None


def make_review(
    folder: Path,
    crops: pl.LazyFrame,
    sampled: pl.LazyFrame,
    known: Known,
    backbone: str,
    recordings: str,
    made_at: str,
    progress: Callable[[str, int], Callable[[int], None]] = lambda what, total: lambda n: None,
) -> tuple[list[Sheet], pl.DataFrame]:
    """Writes the review into an empty folder; the sheets in their order, and the columns `TILES`.

    `crops` holds the columns `CROPS`, `sampled` the columns `SEEN`, both of small tracklets too; `recordings` is the
    address of the videos as the page reaches it, `made_at` a time in ISO 8601. Raises LookupError for a tracklet
    without a crop, and ValueError where the kinds are not of the clusters' fit.
    """
    kinds = {} if known.kinds is None else kinds_by_cluster(known.kinds, known.clusters)
    shown, supports = known.crops, supported(known.clusters)
    units = units_of(shown.join(supports.select("detection_id", "support"), on="detection_id", how="left"))
    with tempfile.TemporaryFile(dir=folder) as file:
        thumbs = KeptThumbs(file)
        best = best_crops(crop_batches(crops, shown), thumbs, progress("crops looked at", shown.height))
        require_pictures(units, best)
        seen = seen_of(best, crops, sampled)
        named = with_kinds(with_names(units, known.classes), kinds)
        own = {"place_id": pl.lit(None, pl.String), "backbone": pl.lit(backbone)}
        tiles = named.join(seen, on="unit_id").with_columns(**own)
        sheets, tiles = review_sheets(
            tiles, place_tiles(known.lens_places, seen), unit_positions(supports), known.stability
        )
        on_tiles = progress("tiles drawn", tiles.height)
        species = empty_table(SPECIES) if known.species is None else known.species
        recipe, names = known.clusters["recipe"][0], offered_names(known.classes, species)
        review = Review(backbone, recipe, known.fit_version, made_at, names, recordings)
        numbers = dict(best.select("detection_id", "thumb").iter_rows())
        write_review(folder, review, sheets, tiles, lambda tile: _picture(tile, numbers, thumbs, known), on_tiles)
    return sheets, tiles


def crop_batches(crops: pl.LazyFrame, wanted: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """These crops with their pictures, whole videos at a time, about `CROPS_AT_A_TIME` of them."""
    unit = pl.coalesce("tracklet_id", "detection_id").alias("unit_id")
    units = wanted.select("detection_id", unit)
    columns = ["detection_id", "width_px", "height_px", "jpeg"]
    for videos in _videos_together(wanted):
        rows = crops.filter(pl.col("video").is_in(videos) & pl.col("jpeg").is_not_null()).select(columns).collect()
        yield rows.join(units, on="detection_id").sort("detection_id")


def _videos_together(wanted: pl.DataFrame) -> Iterator[list[str]]:
    counts = wanted.group_by(video_of(pl.col("detection_id")).alias("video")).len().sort("video")
    part = (counts["len"].cum_sum() - 1) // CROPS_AT_A_TIME
    for _, videos in counts.group_by(part.alias("part"), maintain_order=True):
        yield videos["video"].to_list()


def seen_of(best: pl.DataFrame, crops: pl.LazyFrame, sampled: pl.LazyFrame) -> pl.DataFrame:
    """The best crops with their video, frame, box, sizes and times; a row a unit."""
    ids = best.select("unit_id", "detection_id", "sharpness")
    cut = crops.select("video", "detection_id", "frame_id", "presentation_seconds", "width_px", "height_px")
    rows = ids.lazy().join(cut, on="detection_id").join(sampled.select(SEEN), on="detection_id", how="left")
    return rows.rename({"presentation_seconds": "seconds"}).collect().sort("unit_id")


def unit_positions(clusters: pl.DataFrame) -> pl.DataFrame:
    """`unit_id` and the `position` where it was grouped, of its first crop."""
    unit = pl.coalesce("tracklet_id", "detection_id").alias("unit_id")
    return clusters.sort("detection_id").select(unit, "position").unique("unit_id", keep="first")


def require_pictures(units: pl.DataFrame, best: pl.DataFrame) -> None:
    """Raises LookupError, saying what to do, where a clustered tracklet has no crop any more."""
    missing = units.join(best, on="unit_id", how="anti")["unit_id"]
    if len(missing):
        raise LookupError(
            f"{len(missing)} tracklets have no crop, {missing[0]} first: the sample has changed since the clusters "
            "were made, or a small one can't be read; materialise crops, embeddings, features and clusters again"
        )


def _picture(tile: Mapping[str, object], numbers: Mapping[str, int], thumbs: KeptThumbs, known: Known) -> np.ndarray:
    """The thumbnail of a tile: its crop's, a place's own picture, or where it lies, if there is none."""
    if tile["detection_id"] is None:
        if tile["place_id"] in known.place_jpegs:
            return thumb(decoded_rgb(known.place_jpegs[tile["place_id"]]))
        return place_picture([tile[side] for side in ("x_1024", "y_1024", "width_1024", "height_1024")])
    return thumbs[numbers[tile["detection_id"]]]
