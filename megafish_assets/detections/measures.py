"""What the checks of this stage measure: counts a video, and the numbers that follow from counts."""

from collections.abc import Mapping

import polars as pl

from megafish_assets.detections.filtering import within
from megafish_assets.detections.not_fish import REASONS
from megafish_assets.detections.recurrences import seconds_of
from megafish_assets.detections.sampling import sample_size
from megafish_assets.detections.size_limits import SizeLimits
from megafish_assets.detections.tracklets import MOST_BOXES_A_FRAME

ROWS = pl.len().cast(pl.Int64)


def share(part: str, whole: str) -> pl.Expr:
    """Part of the whole, 0 to 1; 0 of nothing."""
    return pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole)).otherwise(0.0)


def raw_counts(arrived: pl.DataFrame, raw: pl.DataFrame) -> pl.DataFrame:
    """A row a video: its rows, the faulty ones, ids that stand more than once, and rows that got lost or were added.

    `arrived` says how many rows the detector's own table holds (`video`, `n_arrived`).
    """
    made = raw.group_by("video").agg(
        ROWS.alias("n_rows"),
        pl.col("fault").is_not_null().sum().cast(pl.Int64).alias("n_faulty"),
        (ROWS - pl.col("detection_id").n_unique()).alias("n_repeated_ids"),
    )
    both = arrived.join(made, on="video", how="full", coalesce=True).with_columns(pl.exclude("video").fill_null(0))
    return both.with_columns((pl.col("n_arrived") - pl.col("n_rows")).abs().alias("n_lost_rows"))


def raw_numbers(counts: pl.DataFrame) -> pl.DataFrame:
    """Counts with the share of faulty rows."""
    return counts.with_columns(share("n_faulty", "n_rows").alias("faulty_share"))


def tracklet_counts(valid: pl.DataFrame, tracklets: pl.DataFrame) -> pl.DataFrame:
    """A row a video: rows without a fault, those of them that are in no tracklet or in two, those of crowded frames,
    tracklets, and how many of these have one row only."""
    lengths = tracklets.group_by("video", "tracklet_id").len()
    counts = lengths.group_by("video").agg(
        ROWS.alias("n_tracklets"), (pl.col("len") == 1).sum().cast(pl.Int64).alias("n_alone")
    )
    held = tracklets.group_by("video").agg((ROWS - pl.col("detection_id").n_unique()).alias("n_repeated_ids"))
    lost = valid.join(tracklets, on="detection_id", how="anti").group_by("video").agg(ROWS.alias("n_lost_rows"))
    crowded = valid.filter(pl.len().over("video", "frame_id") > MOST_BOXES_A_FRAME)
    crowd = crowded.group_by("video").agg(ROWS.alias("n_crowded"))
    totals = valid.group_by("video").agg(ROWS.alias("n_valid"))
    for part in (counts, held, lost, crowd):
        totals = totals.join(part, on="video", how="left")
    return totals.with_columns(pl.exclude("video").fill_null(0))


def tracklet_numbers(counts: pl.DataFrame) -> pl.DataFrame:
    """Counts with the share of rows that are alone in their tracklet."""
    return counts.with_columns(share("n_alone", "n_valid").alias("alone_share"))


def filtered_counts(valid: pl.DataFrame, kept: pl.DataFrame, limits: SizeLimits) -> pl.DataFrame:
    """A row a video: rows that could be kept, rows kept, and kept rows that break a limit."""
    breaking = _outside(limits).fill_null(True).sum().cast(pl.Int64)
    counts = kept.group_by("video").agg(ROWS.alias("n_kept"), breaking.alias("n_kept_outside_limits"))
    return (
        valid.group_by("video")
        .agg(ROWS.alias("n_valid"))
        .join(counts, on="video", how="left")
        .with_columns(pl.col("n_kept", "n_kept_outside_limits").fill_null(0))
    )


def _outside(limits: SizeLimits) -> pl.Expr:
    """True for a row that breaks a limit, by its sizes in px: not the filter's own expression, which is judged."""
    bounds, outside = limits.in_1024_px(), pl.lit(False)
    for side in ("width", "height"):
        low, high, size = bounds[f"{side}_low_1024"], bounds[f"{side}_high_1024"], pl.col(f"{side}_1024")
        # The bounds went through exp, so a row exactly on one may be a rounding beyond it.
        too_small = (size < limits.floor_1024) | (size < low * (1 - 1e-9))
        outside = outside | too_small | (size > high * (1 + 1e-9)) | size.is_nan()
    return outside


def filtered_numbers(counts: pl.DataFrame) -> pl.DataFrame:
    """Counts with the share of rows kept; 1 for a video without rows, where nothing was lost."""
    kept = pl.when(pl.col("n_valid") > 0).then(pl.col("n_kept") / pl.col("n_valid")).otherwise(1.0)
    return counts.with_columns(kept.alias("kept_share"))


def sampled_counts(filtered: pl.DataFrame, sample: pl.DataFrame, share: float, at_least: int) -> pl.DataFrame:
    """A row a video: rows to draw from, rows drawn, 1 if none was drawn, 1 if not as many as configured."""
    before = filtered.group_by("video").agg(ROWS.alias("n_filtered"))
    counts = before.join(sample.group_by("video").agg(ROWS.alias("n_sampled")), on="video", how="left")
    counts = counts.with_columns(pl.col("n_sampled").fill_null(0))
    wanted = [sample_size(n, share, at_least) for n in counts["n_filtered"]]
    return counts.with_columns(
        (pl.col("n_sampled") == 0).cast(pl.Int64).alias("n_unrepresented_videos"),
        (pl.col("n_sampled") != pl.Series(wanted, dtype=pl.Int64)).cast(pl.Int64).alias("n_wrongly_sized_videos"),
    )


def drawn_counts(
    filtered: pl.DataFrame, sample: pl.DataFrame, tracklets: pl.DataFrame, at_most: int, apart_frames: int
) -> pl.DataFrame:
    """As `sampled_counts`, for a few rows of each tracklet: wrongly sized is a video where one of them has none, more
    than `at_most`, or two nearer than `apart_frames`."""
    known = tracklets.select("detection_id", "tracklet_id")
    by_tracklet = sample.group_by("video", "tracklet_id")
    nearest = pl.col("frame_id").sort().diff().min().fill_null(apart_frames)
    crowded = by_tracklet.agg(((at_most < ROWS) | (nearest < apart_frames)).alias("crowded"))
    crowded = crowded.group_by("video").agg(pl.col("crowded").any())
    of_tracklets = filtered.join(known, on="detection_id", how="left")
    counts = [
        rows.group_by("video").agg(ROWS.alias(n), pl.n_unique("tracklet_id"))
        for rows, n in ((of_tracklets, "n_filtered"), (sample, "n_sampled"))
    ]
    both = (
        counts[0]
        .join(counts[1], on="video", how="left", suffix="_drawn")
        .with_columns(pl.exclude("video").fill_null(0))
        .join(crowded, on="video", how="left")
    )
    return both.select(
        "video",
        "n_filtered",
        "n_sampled",
        (pl.col("n_sampled") == 0).cast(pl.Int64).alias("n_unrepresented_videos"),
        ((pl.col("tracklet_id") != pl.col("tracklet_id_drawn")) | pl.col("crowded").fill_null(False))
        .cast(pl.Int64)
        .alias("n_wrongly_sized_videos"),
    )


def small_counts(filtered: pl.DataFrame, small: pl.DataFrame, tracklets: pl.DataFrame) -> pl.DataFrame:
    """A row a video: rows of small tracklets, those of them whose tracklet the filter has kept rows of or that stand
    twice, small tracklets, and tracklets that the filter has kept rows of."""
    known = tracklets.select("detection_id", "tracklet_id")
    of_kept = filtered.join(known, on="detection_id").select("video", "tracklet_id").unique()
    kept = of_kept.group_by("video").agg(ROWS.alias("n_kept"))
    wrong = pl.col("tracklet_id").is_in(of_kept["tracklet_id"].implode()) | pl.col("detection_id").is_duplicated()
    made = small.group_by("video").agg(
        ROWS.alias("n_small_rows"),
        wrong.sum().alias("n_wrong_rows"),
        pl.n_unique("tracklet_id").alias("n_small"),
    )
    both = kept.join(made, on="video", how="full", coalesce=True)
    return both.with_columns(pl.exclude("video").fill_null(0).cast(pl.Int64))


def small_numbers(counts: pl.DataFrame) -> pl.DataFrame:
    """Counts with the share of tracklets that are small, of those and what the filter has kept rows of."""
    whole = pl.col("n_small") + pl.col("n_kept")
    return counts.with_columns(pl.when(whole > 0).then(pl.col("n_small") / whole).otherwise(0.0).alias("small_share"))


def with_left_out(counts: pl.DataFrame, filtered: pl.DataFrame, left_out: pl.DataFrame) -> pl.DataFrame:
    """The counts of a sample, with those of the filtered rows that were left out of it as lying on the lens.

    A video of which all were left out has a row too, and nothing that could be represented.
    """
    lens = left_out.group_by("video").agg(ROWS.alias("n_on_lens"))
    both = (
        filtered.select(pl.col("video").unique())
        .join(counts, on="video", how="left")
        .join(lens, on="video", how="left")
    )
    return both.with_columns(pl.exclude("video").fill_null(0))


def sampled_numbers(counts: pl.DataFrame) -> pl.DataFrame:
    """Counts with the share of rows drawn, and of those left out as lying on the lens."""
    whole = pl.col("n_filtered") + pl.col("n_on_lens")
    lens_share = pl.when(whole > 0).then(pl.col("n_on_lens") / whole).otherwise(0.0)
    return counts.with_columns(share("n_sampled", "n_filtered").alias("sampled_share"), lens_share.alias("lens_share"))


def not_fish_counts(valid: pl.DataFrame, not_fish: pl.DataFrame, wiped_seconds: Mapping[str, float]) -> pl.DataFrame:
    """A row a video: its valid rows, those of them without a verdict, those of each reason, and how many seconds of
    how many were wiped."""
    reasons = [(pl.col("reason") == reason).sum().cast(pl.Int64).alias(f"n_{reason}") for reason in REASONS]
    made = not_fish.group_by("video").agg(*reasons)
    lost = valid.join(not_fish, on="detection_id", how="anti").group_by("video").agg(ROWS.alias("n_lost_rows"))
    totals = valid.group_by("video").agg(ROWS.alias("n_valid"), seconds_of().max().alias("seconds"))
    wiped = pl.DataFrame(list(wiped_seconds.items()), {"video": pl.String, "wiped_seconds": pl.Float64}, orient="row")
    for part in (made, lost, wiped):
        totals = totals.join(part, on="video", how="left")
    return totals.with_columns(pl.exclude("video").fill_null(0))


def not_fish_numbers(counts: pl.DataFrame) -> pl.DataFrame:
    """Counts with the shares of rows that are no fish, that recur in a still scene, and of the time that was wiped."""
    none = pl.sum_horizontal(f"n_{reason}" for reason in REASONS)
    return counts.with_columns(none.alias("n_not_fish")).with_columns(
        share("n_not_fish", "n_valid").alias("not_fish_share"),
        share("n_fixed", "n_valid").alias("fixed_share"),
        share("wiped_seconds", "seconds").alias("wiped_share"),
    )


def motion_counts(tracklets: pl.DataFrame, motion: pl.DataFrame) -> pl.DataFrame:
    """A row a video: its tracklets, those of them without a row of motion, and those whose scene is not known."""
    there = tracklets.group_by("video").agg(pl.n_unique("tracklet_id").cast(pl.Int64).alias("n_tracklets"))
    unseen = pl.col("travel_scene_1024").is_null().sum().cast(pl.Int64)
    made = motion.group_by("video").agg(ROWS.alias("n_moved"), unseen.alias("n_without_scene"))
    both = there.join(made, on="video", how="left").with_columns(pl.exclude("video").fill_null(0))
    return both.with_columns((pl.col("n_tracklets") - pl.col("n_moved")).alias("n_lost_tracklets"))


def motion_numbers(counts: pl.DataFrame) -> pl.DataFrame:
    """Counts with the share of tracklets whose scene is not known."""
    return counts.with_columns(share("n_without_scene", "n_tracklets").alias("without_scene_share"))


def overall_kept_share(valid: pl.LazyFrame, limits: SizeLimits) -> float:
    """Share of all rows that these limits keep; 0 without rows."""
    return valid.select(within(limits).mean()).collect().item() or 0.0
