"""The assets of groups: `kmeans_sweep`, `clusters` and `stability`, each one a backbone, by factories."""

from dataclasses import replace
from typing import Literal

import dagster as dg
import polars as pl
from pydantic import Field, model_validator

from megafish_assets.clusters import checks, plots, sweeping
from megafish_assets.clusters.columns import CLUSTERS, STABILITY, SWEEP
from megafish_assets.clusters.grouping import GIVEN_K, GROUPINGS, TAKES_K
from megafish_assets.clusters.measures import cluster_numbers
from megafish_assets.clusters.recipes import FEATURE_SPACES, RECIPES, Recipe, at_k, grouped_features
from megafish_assets.clusters.resampling import agreement_at_ks, resampled_stability
from megafish_assets.clusters.stability import CROPS, RESAMPLES, TRIED_KS, best_agreement
from megafish_assets.clusters.tables import centres_of, centres_table, clusters_table, grouped_rows, sweep_table
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.embeddings.tables import EmbeddingStream
from megafish_assets.features.crop_rows import CropRows, tracklets_of, videos_of
from megafish_assets.features.fits import kinds_by_cluster
from megafish_assets.features.layout import known
from megafish_assets.orchestration.policy import seed_knob
from megafish_assets.reporting.figures import Figures, figure_metadata
from megafish_assets.reporting.metadata import column_lineage, reduced_coverage, table_metadata
from megafish_assets.reporting.progress import Progress
from megafish_assets.reporting.verdicts import specs, verdict
from megafish_assets.storage.catalog import Tables, named, of_backbone
from megafish_assets.storage.io_types import Fitted

SEED = seed_knob(42, "Seed of every random choice of this asset.")


def feature_ins(backbone: str) -> dict[str, dg.AssetIn]:
    """What an asset is given that groups any of the feature spaces; only the one that it uses is read."""
    return {
        name: dg.AssetIn(named(space.table, backbone), dagster_type=EmbeddingStream)
        for name, space in FEATURE_SPACES.items()
    }


class ClustersConfig(dg.Config):
    """A recipe by name, and what of it is changed."""

    recipe: Literal[*RECIPES] = Field(
        default="default",
        description="`default`: whitened features, tracklets, and the consensus of many partitions of their neighbors, "
        "which finds k or takes it. `notebook`: principal components, crops, KMeans at k = 4.",
    )
    features: Literal[*FEATURE_SPACES, "as_recipe"] = Field(
        default="as_recipe", description="What is grouped: `whitened` vectors, or their `pca`."
    )
    units: Literal["tracklets", "crops", "as_recipe"] = Field(
        default="as_recipe", description="One place a tracklet, the mean of its crops, or one a crop."
    )
    space: Literal["umap", "features", "as_recipe"] = Field(
        default="as_recipe", description="Where: a UMAP of the features (8 dimensions, min_dist 0), or themselves."
    )
    grouping: Literal[*GROUPINGS, "as_recipe"] = Field(
        default="as_recipe",
        description="By what: `consensus` (of many partitions of the features' neighbors) finds k or takes it; "
        "`hdbscan` and `dbscan` find k and leave noise; `stable_kmeans` takes the k that other videos agree on best; "
        "`kmeans` and `average_linkage` are given k.",
    )
    k: int | None = Field(
        default=None, ge=2, description="Number of clusters; with it and no grouping named, the recipe's for a given k."
    )
    seed: int = SEED

    @model_validator(mode="after")
    def _k_is_asked_for(self) -> "ClustersConfig":
        if self.k is not None and self.grouping not in (*TAKES_K, "as_recipe"):
            raise ValueError(f"k = {self.k} with {self.grouping}, which finds k itself: leave k out, or choose another")
        if self.k is None and self.grouping in GIVEN_K and RECIPES[self.recipe].k is None:
            raise ValueError(f"{self.grouping} without k, which it can't find: choose k, or another grouping")
        return self

    def chosen(self) -> Recipe:
        """The recipe that these knobs say."""
        recipe = RECIPES[self.recipe]
        if self.k is not None and self.grouping == "as_recipe":
            recipe = at_k(recipe, self.k)
        steps = {name: getattr(self, name) for name in ("features", "units", "space", "grouping")}
        steps = {name: step for name, step in steps.items() if step != "as_recipe"}
        if self.grouping == "consensus":
            steps = {"space": "features"} | steps  # it looks at the features' neighbors, wherever its groups are shown
        elif self.grouping != "as_recipe" and recipe.grouping == "consensus":
            steps = {"space": "umap"} | steps  # what groups by distance finds no dense places in so many dimensions
        recipe = replace(recipe, seed=self.seed, **steps)
        k = recipe.k if self.k is None else self.k
        return replace(recipe, k=k if recipe.grouping in TAKES_K else None)


def clusters_asset(backbone: str, knobs: type[ClustersConfig] = ClustersConfig) -> dg.AssetsDefinition:
    """A cluster for every row, by the chosen recipe."""

    @dg.asset(
        key=named("clusters", backbone),
        check_specs=specs(named("clusters", backbone), checks.CLUSTERS),
        ins={
            "crops": dg.AssetIn("crops", metadata={"columns": ["detection_id", "tracklet_id"]}),
            **feature_ins(backbone),
        },
        metadata=table_metadata(CLUSTERS) | of_backbone("clusters", backbone),
        kinds={"scikitlearn", "deltalake"},
        description="The cluster of every row, and where it was grouped. The centres lie beside them, in "
        f"`{named('clusters', backbone)}_model`.",
    )
    def clusters(
        context: dg.AssetExecutionContext,
        config: knobs,
        crops: pl.LazyFrame,
        tables: Tables,
        **spaces: EmbeddingStream,
    ):
        recipe = config.chosen()
        rows, feature_table = spaces[recipe.features].whole(), FEATURE_SPACES[recipe.features].table
        names = tracklets_of(rows.detection_ids, crops)
        progress = Progress(context.log.info, *recipe.steps)
        found = grouped_features(recipe, rows.on_cpu(), names, videos_of(rows.detection_ids), progress.step)
        numbers = cluster_numbers(found, recipe, names) | reduced_coverage(context, tables, backbone, feature_table)
        return dg.MaterializeResult(
            value=Fitted(clusters_table(rows.detection_ids, names, found, recipe), centres_table(centres_of(found))),
            check_results=[verdict(checks.CLUSTERS, numbers)],
            metadata=numbers
            | {"recipe": recipe.to_json()}
            | column_lineage({named(feature_table, backbone): ["video", "detection_id"], "crops": ["tracklet_id"]}),
        )

    return clusters


class SweepConfig(dg.Config):
    """Which k are tried, on how many rows."""

    k_from: int = Field(default=sweeping.SWEPT_KS[0], ge=2, description="Smallest k.")
    k_to: int = Field(default=sweeping.SWEPT_KS[-1], ge=2, description="Largest k, included; not below k_from.")
    n_rows: int = Field(
        default=sweeping.SWEEP_ROWS, ge=3, description="Rows of the sample, the same for all backbones."
    )
    seed: int = SEED

    @model_validator(mode="after")
    def _ends_in_order(self) -> "SweepConfig":
        if self.k_to < self.k_from:
            raise ValueError(f"k_from = {self.k_from} is above k_to = {self.k_to}: no k would be tried")
        return self


def kmeans_sweep_asset(backbone: str, knobs: type[SweepConfig] = SweepConfig) -> dg.AssetsDefinition:
    """Inertia and silhouette against k, on the sample that all backbones share."""

    @dg.asset(
        key=named("kmeans_sweep", backbone),
        check_specs=specs(named("kmeans_sweep", backbone), checks.SWEEP),
        ins={
            "reduced": dg.AssetIn(named("pca", backbone)),
            "crops": dg.AssetIn("crops", metadata={"columns": ["detection_id", "fault"]}),
        },
        metadata=table_metadata(SWEEP) | of_backbone("kmeans_sweep", backbone),
        kinds={"scikitlearn", "deltalake"},
        description="Inertia and silhouette of KMeans against k, in PCA space, on one seeded sample of crops that all "
        "backbones share.",
    )
    def kmeans_sweep(
        context: dg.AssetExecutionContext,
        config: knobs,
        reduced: EmbeddingBatch,
        crops: pl.LazyFrame,
        tables: Tables,
        figures: Figures,
    ):
        ids = crops.filter(pl.col("fault").is_null()).select("detection_id").collect()["detection_id"].to_numpy()
        sample = sweeping.shared_sample(ids, config.n_rows, config.seed)
        rows = sweeping.rows_of(reduced.on_cpu(), reduced.detection_ids, sample)
        ks = range(config.k_from, config.k_to + 1)
        swept = sweeping.sweep(
            rows, ks, config.seed, reduced.device, lambda what, total: Progress(context.log.info, what, total).step
        )
        table = sweep_table(swept, len(rows))
        title = f"{backbone}, KMeans in PCA space, n = {len(rows):,}, seed {config.seed}"
        best = table.sort("silhouette", descending=True).head(1)
        numbers = {
            "n_sample": len(sample),
            "n_sample_without_vector": len(sample) - len(rows),
            "n_rises_of_inertia": sweeping.rises(table["inertia"].to_numpy()),
            "best_silhouette": best["silhouette"].first(),
            "k_of_best_silhouette": best["k"].first(),
        } | reduced_coverage(context, tables, backbone, "pca")
        return dg.MaterializeResult(
            value=table,
            check_results=[verdict(checks.SWEEP, numbers)],
            metadata=numbers
            | figure_metadata(figures, context.asset_key, "inertia_silhouette", plots.sweep_plot(table, title)),
        )

    return kmeans_sweep


class StabilityConfig(dg.Config):
    """How often, and on how many crops."""

    n_resamples: int = Field(default=RESAMPLES, ge=20, description="Draws of videos, with replacement.")
    n_crops: int = Field(
        default=CROPS,
        ge=10,
        description="At most; whole tracklets are drawn. Each resample is grouped afresh.",
    )
    seed: int = SEED


def stability_asset(backbone: str, knobs: type[StabilityConfig] = StabilityConfig) -> dg.AssetsDefinition:
    """Which clusters other videos would show too."""

    @dg.asset(
        key=named("stability", backbone),
        check_specs=specs(named("stability", backbone), checks.STABILITY),
        ins={
            "clusters": dg.AssetIn(named("clusters", backbone)),
            "kinds": dg.AssetIn(named("kinds", backbone)),  # whose colours the bars have
            **feature_ins(backbone),
        },
        metadata=table_metadata(STABILITY) | of_backbone("stability", backbone),
        kinds={"scikitlearn", "deltalake"},
        description="The clusters found again when videos are drawn anew and everything is grouped afresh: the overlap "
        "of each with its nearest, the tracklets and videos behind it, and the number of kinds as an interval.",
    )
    def stability(
        context: dg.AssetExecutionContext,
        config: knobs,
        clusters: pl.DataFrame,
        kinds: pl.DataFrame,
        tables: Tables,
        figures: Figures,
        **spaces: EmbeddingStream,
    ):
        found, recipe = grouped_rows(clusters)
        crops = CropRows.of_clusters(clusters, spaces[recipe.features].whole())
        progress = Progress(context.log.info, "resamples", config.n_resamples)
        result = resampled_stability(recipe, crops, config.n_crops, config.seed, config.n_resamples, progress.step)
        at_ks = Progress(context.log.info, "values of k resampled", len(TRIED_KS))
        agreements = agreement_at_ks(found, crops.videos, config.n_crops, config.seed, at_ks.step)
        numbers = {
            "kinds": result.sentence(),
            "n_kinds": result.n_kinds,
            "n_sure": result.n_sure,
            "n_kinds_low": known(result.n_kinds_low),
            "n_kinds_high": known(result.n_kinds_high),
            "agreement_ami": known(result.ami),
            "n_crops": min(len(crops), config.n_crops),
            "n_videos": len(set(crops.videos)),
        }
        numbers |= best_agreement(agreements) | reduced_coverage(
            context, tables, backbone, FEATURE_SPACES[recipe.features].table
        )
        title = f"{backbone}, {config.n_resamples} draws of videos, n = {numbers['n_crops']:,}, seed {config.seed}"
        plot = plots.stability_plot(result.clusters, agreements, kinds_by_cluster(kinds, clusters), title)
        return dg.MaterializeResult(
            value=result.clusters,
            check_results=[verdict(checks.STABILITY, numbers)],
            metadata={name: number for name, number in numbers.items() if number is not None}
            | figure_metadata(figures, context.asset_key, "stability", plot),
        )

    return stability
