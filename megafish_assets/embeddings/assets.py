"""The asset of vectors: `embeddings`, one a backbone, by a factory."""

import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from megafish_assets.crops.batches import CropBatches
from megafish_assets.embeddings import checks
from megafish_assets.embeddings.backbones import Backbone
from megafish_assets.embeddings.columns import VECTORS
from megafish_assets.embeddings.encoder import load_encoder
from megafish_assets.embeddings.measures import vector_counts, vector_numbers
from megafish_assets.embeddings.weights import find_weights, vectors_version
from megafish_assets.orchestration.policy import MAY_LACK
from megafish_assets.reporting.metadata import column_lineage, table_metadata
from megafish_assets.reporting.progress import Progress
from megafish_assets.reporting.verdicts import Tally, specs
from megafish_assets.storage.catalog import named, of_backbone
from megafish_assets.storage.io_types import VECTORS_VERSION
from megafish_assets.storage.partitions import PIXEL_RUNS, VIDEOS
from megafish_assets.storage.parts import COMMIT_VIDEOS, Part, Parts, pending_videos


def embeddings_asset(
    backbone: Backbone, weights_folder: Path | None, geometry: str, of: str = "crops"
) -> dg.AssetsDefinition:
    """One vector a crop of the asset `of`, `crops` or `small_crops`. Its code version is the version that each vector
    row carries.

    Weights that are still on the hub have no version yet; it is known from the first load of the definitions after
    they were fetched.
    """
    weights = find_weights(backbone, weights_folder)
    version = vectors_version(weights, geometry)
    stage, tags = ("embeddings", {}) if of == "crops" else ("small_embeddings", MAY_LACK)

    @dg.asset(
        key=named(stage, backbone.name),
        tags=tags,
        ins={"crops": dg.AssetIn(of)},
        partitions_def=VIDEOS,
        backfill_policy=PIXEL_RUNS,
        code_version=version,
        pool="gpu",
        check_specs=specs(named(stage, backbone.name), checks.EMBEDDINGS),
        metadata=table_metadata(VECTORS)
        | of_backbone(stage, backbone.name)
        | {"timm_id": backbone.timm_id, "dim": backbone.dim}
        | ({VECTORS_VERSION: version} if version else {}),
        kinds={"pytorch", "deltalake"},
        description=f"One vector of {backbone.dim} numbers a crop of `{of}`, by timm's `{backbone.timm_id}`"
        + (", trained on the synthetic reef: for the demo only." if backbone.embedded else "."),
    )
    def embeddings(context: dg.AssetExecutionContext, crops: CropBatches):
        encoder = load_encoder(weights, geometry, crops.device)
        progress = Progress(context.log.info, f"crops embedded on {crops.device}", len(crops))
        videos, tally = pending_videos(context), Tally(context, checks.EMBEDDINGS, vector_numbers)

        def part(keys: list[str], video_crops: CropBatches) -> Part:
            began = time.monotonic()
            vectors = encoder.encode(video_crops, on_batch=progress.step)
            rate = {"crops_per_second": len(video_crops) / (time.monotonic() - began)} if len(video_crops) else {}
            counts = vector_counts(video_crops.detection_ids, vectors, backbone.dim, version or encoder.vectors_version)
            numbers = tally.add(keys, counts)
            return Part(keys, vectors, {key: numbers[key] | rate for key in keys})

        def parts() -> Iterator[Part]:
            groups = list(crops.by_videos(COMMIT_VIDEOS))
            embedded = {key for keys, _ in groups for key in keys}
            yield part([key for key in videos if key not in embedded], crops.none())
            yield from (part(keys, video_crops) for keys, video_crops in groups)

        yield dg.MaterializeResult(
            value=Parts(parts),
            metadata=encoder.described() | column_lineage({of: ["video", "detection_id"]}),
        )
        yield tally.result()

    return embeddings
