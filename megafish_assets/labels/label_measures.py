"""What the check of the labels measures."""

import polars as pl

from megafish_assets.labels.current import of_frames, respelled
from megafish_assets.labels.taking import free_names, repeated

NAMED = 10
"""Names in one sentence."""


def label_numbers(
    labels: pl.DataFrame, today: pl.DataFrame, words: pl.DataFrame, species: pl.DataFrame
) -> dict[str, float | int | str | None]:
    """Of all labels, the same with today's ids, and the current words: how many, and what is wrong with them."""
    of_boxes = today.filter(pl.col("place_id").is_null() & ~of_frames)
    lost = of_boxes.filter(pl.all_horizontal(pl.col("detection_id", "tracklet_id").is_null()))
    disagreed = words.filter(pl.col("n_disagreeing") > 0)
    free, spellings = free_names(labels, species), respelled(labels)
    return {
        "n_labels": labels.height,
        "n_tracklets": words.height,
        "n_people": labels["labelled_by"].n_unique(),
        "n_names": words["label"].drop_nulls().n_unique(),
        "unresolved_share": lost.height / of_boxes.height if of_boxes.height else 0.0,
        "n_disagreements": disagreed.height,
        "disagreements": ", ".join(disagreed["tracklet_id"].head(NAMED)) or None,
        "n_renamed_by_one": repeated(today),
        "n_spellings_joined": len(spellings),
        "spellings_joined": ", ".join(spellings[:NAMED]) or None,
        "n_free_names": len(free),
        "free_names": ", ".join(free[:NAMED]) or None,
    }
