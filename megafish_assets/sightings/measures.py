"""What the checks of this stage measure, from the tables as they were made."""

import polars as pl

from megafish_assets.sightings.gap import Share
from megafish_assets.sightings.moments import REASONS
from megafish_assets.sightings.movements import speed
from megafish_assets.sightings.schools import OF_ANY, OF_KIND
from megafish_assets.sightings.windows import CLIP, WINDOW


def sighting_numbers(n_rows: int, n_not_fish: int, n_distinct: int, n_tracklets: int) -> dict[str, float]:
    """Of as many rows as were made, those of them that are no fish, their distinct tracklets, and the tracklets that
    there are."""
    return {
        "n_sightings": n_rows,
        "n_lost_tracklets": n_tracklets - n_distinct,
        "n_repeated_tracklets": n_rows - n_distinct,
        "not_fish_share": n_not_fish / n_rows if n_rows else 0.0,
    }


def abundance_numbers(table: pl.DataFrame, kinds: pl.Series) -> dict[str, float]:
    """Of the columns `ABUNDANCE`, of these kinds."""
    windows = table.select("window_kind", *WINDOW).unique()
    arrived = pl.col("first_arrival_seconds").is_not_null() | pl.col("recorded_at").is_null()
    animals = pl.col("n_animals").fill_null(pl.col("max_n"))
    impossible = (pl.col("max_n") > pl.col("n_tracklets")) | ((pl.col("max_n") > 0) & ~arrived)
    impossible |= ~animals.is_between("max_n", "n_tracklets")
    return {
        "n_windows": windows.height,
        "n_kinds": len(kinds),
        "n_missing_rows": windows.height * len(kinds) - table.unique(["window_kind", *WINDOW, "kind"]).height,
        "n_impossible_rows": table.filter(impossible).height,
        "wiped_share": wiped_share(table),
    }


def wiped_share(table: pl.DataFrame) -> float:
    """Of the columns `ABUNDANCE`, what the wiper took of the time that was looked at; 0 where nothing was."""
    clips = table.filter(pl.col("window_kind") == CLIP).unique(WINDOW)
    # By how long clips are: a short one behind the wiper is little of the whole.
    whole = pl.col("end_seconds") - pl.col("start_seconds")
    wiped = pl.col("wiped_share")
    seconds = pl.when(wiped < 1).then(pl.col("seconds_searched") / (1 - wiped)).otherwise(whole)
    looked_at, taken = clips.select(seconds.sum(), taken=(wiped * seconds).sum()).row(0)
    return taken / looked_at if looked_at else 0.0


FASTEST_BODY_LENGTHS = 10.0
"""A second: a fish's burst is about this fast. Source: Videler & Wardle 1991, Rev. Fish Biol. Fish. 1:23-40."""


def richness_numbers(table: pl.DataFrame) -> dict[str, float | None]:
    """Of the columns `RICHNESS`."""
    told = table.filter(pl.col("note").is_null())
    held = (
        (pl.col("chao2") >= pl.col("n_observed"))
        & pl.col("chao2").is_between("chao2_low", "chao2_high")
        & pl.col("rarefied").is_between("rarefied_low", "rarefied_high")
        & pl.col("sample_coverage").is_between(0, 1)
    )
    whole = told.filter(pl.col("station").is_null())
    return {
        "n_rows": table.height,
        "n_refused": table.height - told.height,
        "n_impossible_rows": told.filter(~held.fill_null(False)).height,
        "sample_coverage": whole["sample_coverage"].min(),
    }


def movement_numbers(
    n_rows: int, n_repeated: int, n_speedless: int, n_too_fast: int, n_videos: int, n_assumed_aspects: int
) -> dict[str, float]:
    """Of as many rows as were made, of so many videos."""
    return {
        "n_stretches": n_rows,
        "n_repeated_rows": n_repeated,
        "speedless_share": n_speedless / n_rows if n_rows else 0.0,
        "too_fast_share": n_too_fast / n_rows if n_rows else 0.0,
        "assumed_aspect_share": n_assumed_aspects / n_videos if n_videos else 0.0,
    }


COUNTED = ("n_rows", "n_repeated", "n_speedless", "n_too_fast", "n_videos", "n_assumed_aspects")
"""What `movement_numbers` is made of."""


def movement_counts(rows: pl.DataFrame) -> dict[str, int]:
    """What `movement_numbers` adds up, of some of the rows."""
    return {
        "n_rows": rows.height,
        "n_repeated": rows.height - rows.unique(["tracklet_id", "moment"]).height,
        "n_speedless": rows["speed_x"].null_count(),
        "n_too_fast": rows.filter(speed() > FASTEST_BODY_LENGTHS).height,
    }


def school_numbers(table: pl.DataFrame) -> dict[str, float | None]:
    """Of the columns `SCHOOLS`."""
    of_kind = table.filter(of=OF_KIND)
    members = of_kind.select("video", "seconds", pl.col("members").alias("tracklet_id")).explode("tracklet_id")
    return {
        "n_groups": of_kind.height,
        "largest_group": of_kind["n_members"].max(),
        "n_without_polarization": of_kind["polarization"].null_count(),
        "n_repeated_members": members.height - members.unique().height,
        "n_impossible_rows": table.filter(~pl.col("polarization").is_between(0, 1)).height,
    }


def behavior_numbers(table: pl.DataFrame) -> dict[str, float | None]:
    """Of the columns `BEHAVIOR`."""
    shares = [pl.col(name) for name in table.columns if name.endswith("_share")]
    fit = pl.all_horizontal([share.is_between(0, 1).fill_null(True) for share in shares])
    fit &= (pl.col("stay_quarter_seconds") <= pl.col("stay_median_seconds")).fill_null(True)
    fit &= (pl.col("right_share") + pl.col("left_share") <= 1 + 1e-9).fill_null(True)
    kinds, whole = table.filter(of=OF_KIND), table.filter(of=OF_ANY)
    return {
        "n_kinds": kinds.height,
        "n_without_median_stay": kinds["stay_median_seconds"].null_count(),
        "n_impossible_rows": table.filter(~fit).height,
        **{name: whole[name].first() for name in ("right_share", "left_share", "grouped_share", "ends_lost_share")},
    }


def moment_numbers(table: pl.DataFrame) -> dict[str, float]:
    """Of the columns `MOMENTS`."""
    counts = dict(table.group_by("reason").len().iter_rows())
    return {f"n_{reason}": counts.get(reason, 0) for reason in REASONS} | {
        "n_without_file": table["open"].null_count(),
        "n_repeated_rows": table.height - table["rank"].n_unique(),
    }


def linked_numbers(n_rows: int, n_animals: int, n_joined: int, n_sightings: int) -> dict[str, float]:
    """Of as many rows of `linked_tracklets`, with their animals and joins, and of the sightings that may be fish."""
    return {
        "n_animals": n_animals,
        "n_lost_sightings": n_sightings - n_rows,
        "n_unaccounted_pieces": n_rows - n_joined - n_animals,
        "pieces_an_animal": n_rows / n_animals if n_animals else 0.0,
    }


def gap_numbers(table: pl.DataFrame, recall: Share, precision: Share) -> dict[str, float | int | str | None]:
    """Of the frames of `animals_gap`, with what they tell of the detector."""
    looked = table.filter(pl.col("looked_by").is_not_null())
    return {
        "n_frames": table.height,
        "n_frames_looked_at": looked.height,
        "n_frames_to_look_at_again": table.filter(pl.col("n_unjudged") > 0).height,
        "n_found": int(looked["n_found"].sum()),
        "n_missed": int(looked["n_missed"].sum()),
        "recall": recall.share,
        "recall_low": recall.low,
        "recall_high": recall.high,
        "recall_note": recall.note,
        "precision": precision.share,
        "precision_low": precision.low,
        "precision_high": precision.high,
    }
