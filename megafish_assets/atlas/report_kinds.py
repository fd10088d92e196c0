"""The kinds that the report shows: counts, when they were seen, and their best crops."""

from collections.abc import Iterable, Iterator

import polars as pl
from matplotlib.colors import to_hex

from megafish_assets.atlas.report_content import Kind
from megafish_assets.features.plots import NOISE_COLOUR, REST_COLOUR, kind_colour
from megafish_assets.footage.ids import in_natural_order
from megafish_assets.labels.naming import PERSON, UNNAMED
from megafish_assets.sightings.naming import counted
from megafish_assets.sightings.tracklet_rows import CROP_COLUMNS
from megafish_assets.sightings.windows import window_start

MOST_CROPS = 8
"""Of one kind: two rows of a card."""


def kinds_of(abundance: pl.DataFrame, sightings: pl.LazyFrame, crops: pl.LazyFrame) -> tuple[Kind, ...]:
    """Every kind that was seen, from the highest MeanCount; what is `unnamed` last.

    The tables hold the columns `ABUNDANCE`, `SIGHTINGS` and `CROP_COLUMNS`. Of several stations, whose counts are never
    one, a kind has its highest MaxN and its highest MeanCount.
    """
    whole = abundance.filter((pl.col("window_kind") == "all") & (pl.col("max_n") > 0))
    if whole.is_empty():
        return ()
    seen = _seen(sightings)
    best = dict(_best_crops(sightings, crops).iter_rows())
    hours, clips, animals = _busiest_hours(abundance), _occupied_clips(abundance), _sure_animals(abundance)
    rows = list(_highest(whole))
    colours = colours_of([row["kind"] for row in rows], sightings)
    return tuple(
        _kind(row, seen.get(row["kind"], {}), colours[row["kind"]], hours, clips, animals, best.get(row["kind"], ()))
        for row in rows
    )


def _highest(whole: pl.DataFrame) -> Iterator[dict]:
    """A row a kind: that of the station where its MeanCount is highest, with the highest MaxN of all."""
    most = whole.sort(["max_n", "mean_count"], descending=True).unique("kind", keep="first", maintain_order=True)
    most = most.select("kind", "max_n", "max_n_video", "max_n_frame")
    most = most.join(whole.group_by("kind").agg(pl.col("n_tracklets").sum().alias("n_all")), on="kind")
    mean = whole.sort(["mean_count", "n_tracklets"], descending=True).unique("kind", keep="first", maintain_order=True)
    both = mean.drop("max_n", "max_n_video", "max_n_frame").join(most, on="kind")
    order = [pl.col("kind") == UNNAMED, -pl.col("mean_count"), -pl.col("n_all"), pl.col("kind")]
    yield from both.sort(order).iter_rows(named=True)


def _kind(row: dict, seen: dict, colour: str, hours: dict, clips: dict, animals: dict, crops: Iterable[str]) -> Kind:
    n_animals, n_sure = animals.get(row["kind"], (0, 0))
    n_occupied, n_searched = clips.get(row["kind"], (0, 0))
    return Kind(
        name=row["kind"],
        scientific_name=row["scientific_name"],
        kind_id=row["kind_id"] if row["kind_id"] is not None else seen.get("kind_id"),
        colour=colour,
        name_source=row["name_source"],
        max_n=row["max_n"],
        max_n_video=row["max_n_video"],
        max_n_frame=row["max_n_frame"],
        mean_count=row["mean_count"],
        mean_count_low=row["mean_count_low"],
        mean_count_high=row["mean_count_high"],
        station=row["station"],
        n_tracklets=row["n_all"],
        n_clips=n_occupied,
        clips_share=n_occupied / n_searched if n_searched else 0.0,
        n_animals=n_animals,
        n_sure_clips=n_sure,
        first_seen=seen.get("first_seen"),
        last_seen=seen.get("last_seen"),
        first_video=seen.get("first_video"),
        busiest_hour=hours.get(row["kind"]),
        crops=tuple(crops),
    )


def _seen(sightings: pl.LazyFrame) -> dict[str, dict]:
    """First and last time, first video, and the commonest kind of each, by `kind`."""
    videos = counted(sightings).select(pl.col("video").unique()).collect()["video"]
    rows = counted(sightings).group_by("kind").agg(
        pl.col("recorded_at").min().alias("first_seen"),
        pl.col("recorded_at").max().alias("last_seen"),
        pl.col("video").sort_by(in_natural_order(videos)).first().alias("first_video"),
        pl.col("kind_id").drop_nulls().mode().min().alias("kind_id"),
    )  # fmt: skip
    return {row["kind"]: row for row in rows.collect().iter_rows(named=True)}


def colours_of(kinds: list[str], sightings: pl.LazyFrame) -> dict[str, str]:
    """`#rrggbb` of each: the colour of the group that most of its tracklets are in and that no commoner one has.

    What is in no group is dark grey, and so is `unnamed`; light grey where all its groups' colours are taken.
    """
    counts = counted(sightings).drop_nulls("kind_id").group_by("kind", "kind_id").len("n").collect()
    groups = (
        counts.sort(["n", "kind_id"], descending=[True, False]).group_by("kind", maintain_order=True).agg("kind_id")
    )
    of_kind, taken, colours = dict(groups.iter_rows()), set(), {}
    for kind in kinds:
        if kind == UNNAMED or kind not in of_kind:
            colours[kind] = NOISE_COLOUR
            continue
        shades = [to_hex(kind_colour(kind_id)) for kind_id in of_kind[kind]]
        free = [shade for shade in shades if shade not in taken]
        colours[kind] = free[0] if free else REST_COLOUR
        taken.add(colours[kind])
    return colours


def _best_crops(sightings: pl.LazyFrame, crops: pl.LazyFrame) -> pl.DataFrame:
    """`kind` and its best crops: uncut by the frame's edge and named by a person first, then the largest; one of each
    video before a second of any, and those that are too small to be grouped (`is_small`) after all others."""
    rows = counted(sightings).drop_nulls("best_crop").select("kind", "video", "name_source", "best_crop")
    sized = rows.join(crops.select(*CROP_COLUMNS, "is_small"), left_on="best_crop", right_on="detection_id").collect()
    order = [pl.col("clipped_share") > 0, pl.col("name_source") != PERSON, -(pl.col("width_px") * pl.col("height_px"))]
    ranked = sized.sort(*order, "best_crop").with_columns(pl.int_range(pl.len()).over("kind", "video").alias("turn"))
    ordered = ranked.sort("is_small", "turn", maintain_order=True)
    return ordered.group_by("kind", maintain_order=True).agg(pl.col("best_crop").head(MOST_CROPS))


def _busiest_hours(abundance: pl.DataFrame) -> dict[str, int]:
    """Hour of the day with the highest MeanCount, by kind; of several stations that of either."""
    hours = abundance.filter((pl.col("window_kind") == "hour") & (pl.col("seconds_searched") > 0))
    weighted = (pl.col("mean_count") * pl.col("seconds_searched")).sum() / pl.col("seconds_searched").sum()
    by_hour = hours.group_by("kind", window_start().dt.hour().alias("hour")).agg(weighted.alias("mean_count"))
    top = (
        by_hour.filter(pl.col("mean_count") > 0)
        .sort(["mean_count", "hour"], descending=[True, False])
        .unique("kind", keep="first", maintain_order=True)
    )
    return dict(top.select("kind", pl.col("hour").cast(pl.Int64)).iter_rows())


def _occupied_clips(abundance: pl.DataFrame) -> dict[str, tuple[int, int]]:
    """Videos in which each kind is seen, and those that were searched for it."""
    n_seen = (pl.col("occupied_clips_share") * pl.col("n_clips")).round().cast(pl.Int64)
    whole = abundance.filter(pl.col("window_kind") == "all").group_by("kind").agg(n_seen.sum(), pl.col("n_clips").sum())
    return {kind: (n_seen, n) for kind, n_seen, n in whole.iter_rows()}


def _sure_animals(abundance: pl.DataFrame) -> dict[str, tuple[int, int]]:
    """Animals of each kind in the clips where it is seen and their number is sure, and how many clips these are."""
    is_sure = (pl.col("window_kind") == "clip") & (pl.col("n_tracklets") > 0) & pl.col("n_animals").is_not_null()
    found = abundance.filter(is_sure).group_by("kind").agg(pl.col("n_animals").sum(), pl.len().alias("n"))
    return {kind: (n_animals, n) for kind, n_animals, n in found.iter_rows()}
