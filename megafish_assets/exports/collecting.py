"""The tables of an export, of what is stored."""

from collections.abc import Mapping

import polars as pl

from megafish_assets.exports.columns import BOXES, KINDS, VIDEOS
from megafish_assets.footage.boxes import BOX, STRETCHED_PX
from megafish_assets.footage.columns import typed
from megafish_assets.footage.site import Site
from megafish_assets.labels.current import APPROVED
from megafish_assets.labels.naming import PERSON
from megafish_assets.labels.species import species_key
from megafish_assets.sightings.naming import TAXON, UNNAMED, taxa, taxon
from megafish_assets.sightings.tracklet_rows import NOT_FISH_SHARE

RAW_COLUMNS = [
    "video", "video_file", "detection_id", "frame_id", *BOX, "score", "seconds_in_video", "recorded_at", "fault",
]  # fmt: skip
"""Of `raw_detections`, those that are read."""


def species_names(species: pl.DataFrame, words: pl.DataFrame) -> pl.DataFrame:
    """`name` (its `species_key`), `scientific_name`, `aphia_id` and `family` of every name that anybody explains: the
    list of species, then what was said last. A scientific name is a name of itself, behind those that people say.

    `species` holds the columns `SPECIES`, `words` the columns `WORDS`. Number and family are of the scientific name
    beside them, whoever gave them: of another name's row they would be another taxon's.
    """
    said = words.filter(pl.col("status") == APPROVED).sort("labelled_at", descending=True)
    said = said.select(pl.col("label").alias("name"), "scientific_name", "aphia_id").drop_nulls("name")
    both = pl.concat([species.select(*said.columns, "family"), said], how="diagonal")
    both = both.with_columns(species_key("name").alias("name"))
    is_bare = pl.col("scientific_name").is_null()
    named, bare = both.filter(~is_bare), both.filter(is_bare)
    of_themselves = named.with_columns(species_key("scientific_name").alias("name"))
    rows = pl.concat([named, of_themselves, bare])
    of_taxon = (
        pl.col("aphia_id", "family").drop_nulls().first().over(pl.coalesce(species_key("scientific_name"), "name"))
    )
    # A family that the list gives to a name alone contradicts no scientific name of it.
    of_name = pl.col("family").filter(is_bare).drop_nulls().first().over("name")
    known = rows.with_columns(of_taxon).with_columns(pl.coalesce("family", of_name).alias("family"))
    return known.unique("name", keep="first", maintain_order=True)


def with_scientific_names(table: pl.DataFrame, species: pl.DataFrame, name: str) -> pl.DataFrame:
    """The table with `scientific_name` where only its name tells it, `aphia_id` and `family`; see `species_names`.

    What has another scientific name than its name is explained by has that one's number and family.
    """
    known_as = table.join(
        species.select("name", known_as="scientific_name"), left_on=species_key(name), right_on="name", how="left",
        maintain_order="left",
    )  # fmt: skip
    is_explained = pl.col("scientific_name").is_null() | (
        species_key("scientific_name") == species_key("known_as")
    ).fill_null(False)
    key = pl.when(is_explained).then(species_key(name)).otherwise(species_key("scientific_name"))
    return (
        known_as.with_columns(key.alias("key"), pl.coalesce("scientific_name", "known_as").alias("scientific_name"))
        .join(species.select("aphia_id", "family", key="name"), on="key", how="left", maintain_order="left")
        .drop("key", "known_as")
    )


def boxes_table(
    valid: pl.DataFrame,
    tracklets: pl.DataFrame,
    not_fish: pl.DataFrame,
    sightings: pl.DataFrame,
    videos: pl.DataFrame,
) -> pl.DataFrame:
    """The columns `BOXES` of some videos.

    `valid` holds valid `raw_detections`, `tracklets` and `not_fish` their rows of these tables, `sightings` those of
    all, `videos` the columns `VIDEOS`. A box that is taken for no fish by itself is not counted, whatever its tracklet,
    unless a person says that this is a fish: then its `reason` says nothing, as in `sighting_rows`.
    """
    named = sightings.select("tracklet_id", "name", "name_source", "probability", "kind_id", "is_counted", "not_fish")
    sizes = videos.select("video", frame_width="width_px", frame_height="height_px")
    rows = (
        valid.join(tracklets.select("detection_id", "tracklet_id"), on="detection_id", how="left")
        .join(not_fish.select("detection_id", "reason"), on="detection_id", how="left")
        .join(named, on="tracklet_id", how="left")
        .join(sizes, on="video", how="left")
    )
    px = [
        (pl.col(f"{side}_1024") * pl.col(f"frame_{of}") / STRETCHED_PX).alias(f"{side}_px")
        for side, of in (("x", "width"), ("y", "height"), ("width", "width"), ("height", "height"))
    ]
    # As in `sightings`, where only a person's word lets a tracklet be a fish whose boxes are taken for none.
    mostly = (pl.col("reason").is_not_null().mean() >= NOT_FISH_SHARE).over("tracklet_id")
    is_said_fish = pl.col("is_counted").is_not_null() & pl.col("not_fish").is_null()
    is_said_fish &= (pl.col("name_source") == PERSON).fill_null(False) | mostly
    rows = rows.with_columns(pl.when(~is_said_fish).then("reason").alias("reason"))
    rows = rows.with_columns(
        *px,
        pl.col("seconds_in_video").alias("seconds"),
        pl.coalesce("not_fish", "reason").alias("not_fish"),
        pl.col("name_source").fill_null(UNNAMED),
        (pl.col("is_counted").fill_null(False) & pl.col("reason").is_null()).alias("is_counted"),
    )
    return typed(rows.sort("video", "frame_id", "detection_id"), BOXES)


def videos_table(
    valid: pl.LazyFrame,
    abundance: pl.DataFrame,
    rates: Mapping[str, float | None],
    sizes_wh_px: Mapping[str, tuple[int, int] | None],
    owners: pl.DataFrame,
    site: Site,
) -> pl.DataFrame:
    """The columns `VIDEOS`, a row a video with valid rows, sorted.

    `rates` and `sizes_wh_px` are of each file, `owners` holds the columns `OWNERS_TABLE`.
    """
    start = pl.col("recorded_at") - pl.duration(microseconds=(pl.col("seconds_in_video") * 1e6).round())
    of_rows = valid.group_by("video").agg(
        pl.col("video_file").first(),
        pl.len().alias("n_boxes"),
        start.sort_by("frame_id").first().alias("starts_at"),
    )
    found = of_rows.collect()
    files = found["video_file"]
    sizes = [sizes_wh_px.get(file) or (None, None) for file in files]
    found = found.with_columns(
        pl.Series("width_px", [width for width, _ in sizes], pl.Int64),
        pl.Series("height_px", [height for _, height in sizes], pl.Int64),
        pl.Series("frames_per_second", [rates.get(file) for file in files], pl.Float64),
    )
    clips = abundance.filter(pl.col("window_kind") == "clip").unique("window")
    searched = ("n_frames_searched", "seconds_searched", "start_seconds", "end_seconds")
    found = found.join(clips.select(pl.col("window").alias("video"), *searched), on="video", how="left")
    found = found.join(owners.drop("start").rename({"file": "video_file"}), on="video_file", how="left")
    # Degrees of two places would be a third, at which no camera stood.
    is_placed = pl.col("latitude").is_not_null() & pl.col("longitude").is_not_null()
    place = (
        pl.when(is_placed).then(name).otherwise(getattr(site, name)).alias(name) for name in ("latitude", "longitude")
    )
    found = found.with_columns(
        *place, *(pl.coalesce(name, pl.lit(getattr(site, name))) for name in ("station", "depth"))
    )
    return typed(found.sort("video"), VIDEOS)


def kinds_table(sightings: pl.DataFrame, species: pl.DataFrame) -> pl.DataFrame:
    """The columns `KINDS`, a row for everything that is counted, sorted; `sightings` holds the columns `SIGHTINGS`."""
    fish = sightings.filter(pl.col("not_fish").is_null()).with_columns(taxon().alias("kind"))
    surest = pl.col("best_crop").sort_by(pl.col("probability").fill_null(0), descending=True).drop_nulls().first()
    counts = fish.group_by("kind").agg(
        pl.len().alias("n_sightings"),
        pl.col("is_counted").sum().alias("n_counted"),
        pl.col("video").filter(pl.col("is_counted")).n_unique().alias("n_videos"),
        pl.col("probability").mean().alias("mean_probability"),
        surest,
    )
    named = with_scientific_names(taxa(sightings.select(TAXON)), species, "kind")
    table = named.join(counts, on="kind", how="left", maintain_order="left")
    numbers = ("n_sightings", "n_counted", "n_videos")
    return typed(table.with_columns(pl.col(numbers).fill_null(0)), KINDS)
