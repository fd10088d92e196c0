"""The whole platform on one page, in the order the data flows. The only reader of the environment."""

import os
from functools import partial

import dagster as dg

from megafish_assets.atlas.assets import ExplorerConfig, MontagesConfig, draw_tracklets, explorer_asset, montages_asset
from megafish_assets.atlas.report_assets import report_asset
from megafish_assets.clusters.assets import (
    ClustersConfig,
    StabilityConfig,
    SweepConfig,
    clusters_asset,
    kmeans_sweep_asset,
    stability_asset,
)
from megafish_assets.clusters.kind_assets import kind_tree_asset, kinds_asset
from megafish_assets.crops.assets import crops
from megafish_assets.detections.artefact_assets import (
    LensConfig,
    lens_places_asset,
    not_fish,
    place_reasons,
    tracklet_motion,
)
from megafish_assets.detections.assets import (
    INFERENCE,
    LimitsConfig,
    SampleConfig,
    filtered_detections,
    raw_detections,
    sampled_detections_asset,
    size_limits_asset,
    small_detections,
    tracklets,
)
from megafish_assets.embeddings.assets import embeddings_asset
from megafish_assets.embeddings.backbones import chosen_backbones
from megafish_assets.embeddings.checks import READY, gate
from megafish_assets.embeddings.geometry import chosen_geometry
from megafish_assets.evaluation.assets import ConfoundersConfig, LeaderboardConfig, confounders_asset, leaderboard_asset
from megafish_assets.exports.assets import ExportConfig, YoloConfig, export_asset
from megafish_assets.exports.formats import EXPORTS
from megafish_assets.features.assets import (
    PcaConfig,
    UmapConfig,
    features_asset,
    neighbors_asset,
    pca_asset,
    umap_asset,
    whitening_asset,
)
from megafish_assets.labels.assets import ClassesConfig, classes_asset
from megafish_assets.labels.label_assets import labels_asset, words
from megafish_assets.labels.review_assets import ReviewConfig, review_asset
from megafish_assets.orchestration.jobs import register_videos, remove_videos, restate_filtered, retry_failed_videos
from megafish_assets.orchestration.labels import Labels
from megafish_assets.orchestration.policy import fixed, grouped, made_every_night, with_knobs
from megafish_assets.orchestration.schedules import nightly, nightly_analysis_job, table_maintenance, weekly
from megafish_assets.orchestration.sensors import new_labels, new_videos, retry_set_aside_videos
from megafish_assets.orchestration.settings import Settings
from megafish_assets.orchestration.sources import Inference, Recordings
from megafish_assets.reporting.console import console
from megafish_assets.reporting.figures import Figures
from megafish_assets.sightings.assets import AbundanceConfig, abundance_asset, sightings_asset
from megafish_assets.sightings.gap_assets import GapConfig, animals_gap_asset
from megafish_assets.sightings.linked_assets import linked_tracklets
from megafish_assets.sightings.movement_assets import (
    BehaviorConfig,
    MomentsConfig,
    MovementsConfig,
    SchoolsConfig,
    behavior_asset,
    moments_asset,
    movements_asset,
    schools_asset,
)
from megafish_assets.sightings.richness_assets import RichnessConfig, richness_asset
from megafish_assets.storage.catalog import Tables, named
from megafish_assets.storage.io_manager import GpuDeltaLakeIOManager

settings = Settings.from_environment(os.environ)
models = chosen_backbones(settings.backbones)
backbones = [model.name for model in models]
geometry = chosen_geometry(settings.geometry)
naming_backbone = settings.knobs.naming_backbone(backbones)
naming_model = models[backbones.index(naming_backbone)]
STOCK = {
    "size_limits": LimitsConfig,
    "lens_places": LensConfig,
    "sampled_detections": SampleConfig,
    "pca": PcaConfig,
    "kmeans_sweep": SweepConfig,
    "clusters": ClustersConfig,
    "umap": UmapConfig,
    "stability": StabilityConfig,
    "confounders": ConfoundersConfig,
    "classes": ClassesConfig,
    "review": ReviewConfig,
    "abundance": AbundanceConfig,
    "animals_gap": GapConfig,
    "richness": RichnessConfig,
    "movements": MovementsConfig,
    "schools": SchoolsConfig,
    "behavior": BehaviorConfig,
    "moments": MomentsConfig,
    "montages": MontagesConfig,
    "explorer": ExplorerConfig,
    "leaderboard": LeaderboardConfig,
    "yolo": YoloConfig,
}
knobs = settings.knobs.configs(STOCK)
site = settings.knobs.site()
reducing = (
    partial(pca_asset, knobs=knobs["pca"]),
    whitening_asset,
    features_asset,
    neighbors_asset,
    partial(umap_asset, knobs=knobs["umap"]),
)
grouping = (
    partial(kmeans_sweep_asset, knobs=knobs["kmeans_sweep"]),
    partial(clusters_asset, knobs=knobs["clusters"]),
    kinds_asset,
    partial(stability_asset, knobs=knobs["stability"]),
    kind_tree_asset,
)
nightly_analysis = nightly_analysis_job(backbones, READY.name)

defs = dg.Definitions(
    assets=with_knobs(
        [
            *grouped(
                "detections",
                [
                    INFERENCE,
                    raw_detections,
                    tracklets,
                    filtered_detections,
                    sampled_detections_asset(knobs["sampled_detections"]),
                    small_detections,
                ],
            ),
            *made_every_night(
                grouped(
                    "detections",
                    [size_limits_asset(knobs["size_limits"]), lens_places_asset(knobs["lens_places"])],
                )
            ),
            *grouped("crops", [crops]),
            *made_every_night(grouped("detections", [place_reasons])),
            *grouped("detections", [not_fish, tracklet_motion]),
            *grouped(
                "embeddings",
                [
                    *[embeddings_asset(model, settings.weights, geometry) for model in models],
                    embeddings_asset(naming_model, settings.weights, geometry, of="small_crops"),
                ],
            ),
            *made_every_night(grouped("features", [make(b) for make in reducing for b in backbones])),
            *made_every_night(grouped("clusters", [make(b) for make in grouping for b in backbones])),
            *made_every_night(
                grouped(
                    "evaluation",
                    [
                        *[confounders_asset(b, knobs["confounders"]) for b in backbones],
                        leaderboard_asset(backbones, knobs["leaderboard"]),
                    ],
                )
            ),
            *made_every_night(
                grouped(
                    "labels",
                    [
                        labels_asset(naming_backbone),
                        words,
                        *[classes_asset(b, knobs["classes"], b == naming_backbone) for b in backbones],
                        review_asset(naming_backbone, settings.species, knobs["review"]),
                    ],
                )
            ),
            *made_every_night(
                grouped(
                    "sightings",
                    [
                        sightings_asset(naming_backbone),
                        linked_tracklets,
                        abundance_asset(knobs["abundance"]),
                        richness_asset(naming_backbone, knobs["richness"]),
                        movements_asset(knobs["movements"]),
                        schools_asset(knobs["schools"]),
                        behavior_asset(knobs["behavior"]),
                        moments_asset(knobs["moments"]),
                        animals_gap_asset(knobs["animals_gap"]),
                    ],
                )
            ),
            *made_every_night(
                grouped(
                    "atlas",
                    [
                        *[montages_asset(b, knobs["montages"]) for b in backbones],
                        explorer_asset(naming_backbone, knobs["explorer"]),
                        report_asset(naming_backbone),
                    ],
                )
            ),
            *grouped(
                "exports",
                [
                    export_asset(export, site, settings.species, knobs.get(name, ExportConfig))
                    for name, export in EXPORTS.items()
                ],
            ),
        ],
        settings.knobs.versions(STOCK),
    ),
    asset_checks=[gate(b, named("embeddings", b)) for b in backbones],
    sensors=[new_videos, retry_set_aside_videos, new_labels],
    schedules=[
        nightly(nightly_analysis, settings.knobs.cron("nightly"), settings.timezone),
        weekly(table_maintenance, settings.knobs.cron("weekly"), settings.timezone),
    ],
    jobs=[
        nightly_analysis,
        draw_tracklets,
        register_videos,
        restate_filtered,
        retry_failed_videos,
        remove_videos,
        table_maintenance,
    ],
    resources=fixed(
        {
            "io_manager": GpuDeltaLakeIOManager(root_uri=str(settings.catalog.tables), device=settings.device),
            "tables": Tables(root=str(settings.catalog.tables)),
            "figures": Figures(folder=str(settings.catalog.figures)),
            "exports": Figures(folder=str(settings.catalog.exports)),
            "labels": Labels.of(settings),
            "inference": Inference.of(settings),
            "recordings": Recordings.of(settings),
        }
    ),
    executor=dg.in_process_executor,
    loggers={"console": console},
)
