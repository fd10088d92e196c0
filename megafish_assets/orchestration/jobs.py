"""What a person starts from the page besides single assets."""

import dagster as dg

from megafish_assets.orchestration.partitions import add_videos
from megafish_assets.orchestration.resources import Inference


@dg.op(description="Adds a partition for every video that the inference table has rows of, in sorted order.")
def add_video_partitions(context: dg.OpExecutionContext, inference: Inference) -> None:
    videos = list(inference.videos())
    new = add_videos(context.instance, videos)
    context.log.info(f"{len(videos)} videos in the inference table, {len(new)} of them new")


@dg.job(description="Run this first, and again when the detector has finished more videos.")
def register_videos():
    add_video_partitions()


per_video_assets = dg.define_asset_job(
    "per_video_assets",
    selection=dg.AssetSelection.groups("detections", "crops", "embeddings")
    - dg.AssetSelection.assets("inference", "size_limits"),
    description="Everything from a video's rows to its vectors. Materialise size_limits once between the "
    "first raw rows and the first filtered ones.",
)

whole_collection_assets = dg.define_asset_job(
    "whole_collection_assets",
    selection=dg.AssetSelection.groups("clusters", "atlas"),
    description="PCA, sweep, clusters, UMAP and montages over all videos that have vectors.",
)
