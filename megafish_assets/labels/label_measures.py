"""What the check of the labels measures."""

import polars as pl

from megafish_assets.labels.current import respelled
from megafish_assets.labels.taking import free_names, repeated

NAMED = 10
"""Names in one sentence."""


def label_numbers(
    labels: pl.DataFrame, today: pl.DataFrame, words: pl.DataFrame, species: pl.DataFrame
) -> dict[str, float | int | str | None]:
    """Of all labels, the same with today's ids, and the current words: how many, and what is wrong with them."""
    n_of_boxes = labels["place_id"].null_count()
    lost = today.filter(pl.all_horizontal(pl.col("place_id", "detection_id", "tracklet_id").is_null()))
    disagreed = words.filter(pl.col("n_disagreeing") > 0)
    free, spellings = free_names(labels, species), respelled(labels)
    return {
        "n_labels": labels.height,
        "n_tracklets": words.height,
        "n_people": labels["labelled_by"].n_unique(),
        "n_names": words["label"].drop_nulls().n_unique(),
        "unresolved_share": lost.height / n_of_boxes if n_of_boxes else 0.0,
        "n_disagreements": disagreed.height,
        "disagreements": ", ".join(disagreed["tracklet_id"].head(NAMED)) or None,
        "n_renamed_by_one": repeated(labels),
        "n_spellings_joined": len(spellings),
        "spellings_joined": ", ".join(spellings[:NAMED]) or None,
        "n_free_names": len(free),
        "free_names": ", ".join(free[:NAMED]) or None,
    }
