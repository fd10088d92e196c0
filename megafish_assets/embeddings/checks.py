"""Limits on the vectors, each with its reason and what to do when it is broken."""

import dagster as dg
import polars as pl

from megafish_assets.embeddings.measures import readiness
from megafish_assets.reporting.metadata import coverage, videos_behind
from megafish_assets.reporting.verdicts import NONE_MISSING, Check, Limit, never, verdict

EMBEDDINGS = Check(
    "vectors_are_usable",
    "One finite vector of the backbone's width a crop; the share of vectors that equal another one.",
    {
        "n_missing_vectors": never("a crop without a vector is in no cluster", "Materialise the partition again."),
        "n_extra_vectors": never(
            "a vector whose crop is gone shows what nobody can look at", "Materialise the partition again."
        ),
        "n_repeated_ids": never("an id stands for one crop", "Materialise the partition again."),
        "n_outdated_vectors": never(
            "vectors of other weights than the asset's own can't be compared with the rest",
            "Restart the UI, so that it knows the weights that are there now, and materialise the partition again.",
        ),
        "n_nonfinite_rows": never(
            "one NaN poisons every later fit", "Run on the CPU or in full precision: half precision can overflow."
        ),
        "n_wrong_width_rows": never("a table of vectors has one width", "Correct `dim` in BACKBONES."),
        "repeated_share": Limit(
            "more means a stuck decoder", "See in the video's crops whether they are one picture.", at_most=0.02
        ),
    },
)


READY = Check(
    "ready_for_analysis",
    "Rows of any stage, over the whole collection as it is stored, that the stage before can't answer for. Judged in "
    "runs over all videos only.",
    {
        "n_repeated_raw_ids": never("an id stands for one box", "Materialise raw_detections again."),
        "n_filtered_without_valid_row": never(
            "what is filtered was detected, without a fault", "Materialise filtered_detections again."
        ),
        "n_sampled_without_filtered_row": never(
            "what is sampled was filtered", "Materialise sampled_detections again."
        ),
        "n_sampled_without_tracklet": never(
            "every valid box is in a tracklet, if only by itself", "Materialise tracklets again."
        ),
        "n_sampled_without_crop_row": never("what is sampled was cut or set aside", "Materialise crops again."),
        "n_crop_rows_without_sample": never("a crop belongs to the present sample", "Materialise crops again."),
        "n_crops_without_vector": never("a crop without a vector is in no cluster", "Materialise the embeddings."),
        "n_vectors_without_crop": never("a vector shows a crop", "Materialise the embeddings again."),
        "n_repeated_vector_ids": never("an id stands for one crop", "Materialise the embeddings again."),
        "n_nonfinite_rows": never("one NaN poisons every later fit", "Materialise the embeddings again."),
        "n_missing_videos": NONE_MISSING,
    },
)


def gate(backbone: str, embeddings: str) -> dg.AssetChecksDefinition:
    """The check that stops what would be fitted to broken rows.

    It judges the asset named `embeddings`, which the fitted ones are made from: a failed check further up would stop
    its own asset's children alone.
    """
    stages = ("raw_detections", "tracklets", "filtered_detections", "sampled_detections", "crops")

    @dg.multi_asset_check(
        name=f"ready_for_analysis__{backbone}",
        specs=[READY.spec(embeddings, also_reads=stages)],
        can_subset=True,
        ins={"vectors": dg.AssetIn(embeddings)} | {stage: dg.AssetIn(stage) for stage in stages},
    )
    def ready_for_analysis(
        context: dg.AssetCheckExecutionContext,
        raw_detections: pl.LazyFrame,
        tracklets: pl.LazyFrame,
        filtered_detections: pl.LazyFrame,
        sampled_detections: pl.LazyFrame,
        crops: pl.LazyFrame,
        vectors: pl.LazyFrame,
    ):
        if context.has_partition_key or context.has_partition_key_range:
            return  # a run of some videos never reads the collection
        # A video on its way, or made again further up, has no partners yet: it is missing, not broken.
        behind = videos_behind(context.instance, [*stages, embeddings])
        there = ~pl.col("video").is_in(behind)
        rows = readiness(
            raw=raw_detections.filter(there),
            filtered=filtered_detections.filter(there),
            sampled=sampled_detections.filter(there),
            tracklets=tracklets.filter(there),
            crops=crops.filter(there),
            vectors=vectors.filter(there),
        )
        yield verdict(READY, rows | coverage(context, embeddings, behind))

    return ready_for_analysis


CHECKS = {"embeddings_<backbone>": EMBEDDINGS}
"""Every check of this stage by asset."""

GATES = {"embeddings_<backbone>": READY}
"""Checks over the whole collection, at night."""
