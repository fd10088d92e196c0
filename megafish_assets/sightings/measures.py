"""What the checks of this stage measure, from the tables as they were made."""

import polars as pl

from megafish_assets.sightings.gap import Share
from megafish_assets.sightings.windows import ALL, WINDOW


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
    impossible = (pl.col("max_n") > pl.col("n_tracklets")) | ((pl.col("max_n") > 0) & ~arrived)
    of_stations = table.filter(pl.col("window_kind") == ALL).unique(WINDOW)
    wiped = (pl.col("wiped_share") * pl.col("n_clips")).sum() / pl.col("n_clips").sum()
    return {
        "n_windows": windows.height,
        "n_kinds": len(kinds),
        "n_missing_rows": windows.height * len(kinds) - table.unique(["window_kind", *WINDOW, "kind"]).height,
        "n_impossible_rows": table.filter(impossible).height,
        "wiped_share": of_stations.select(wiped.fill_nan(None)).item() or 0.0,
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
