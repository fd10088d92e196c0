"""The assets of groups: `pca`, `kmeans_sweep`, `whitening`, `features`, `clusters` and `umap`, each one a backbone, by
factories. What judges them lies in `judging_assets.py`."""

from dataclasses import replace
from typing import Literal

import dagster as dg
import polars as pl
from pydantic import Field, model_validator

from megafish_assets.clusters import checks, manifold, plots, sweeping
from megafish_assets.clusters.columns import CLUSTERS, FEATURES, PCA, SWEEP, UMAP, WHITENING
from megafish_assets.clusters.evidence import borders_of
from megafish_assets.clusters.frames import (
    centres_frame,
    centres_of,
    clusters_frame,
    labelled,
    model_frame,
    model_parts,
    positions_frame,
    sweep_frame,
    tracklets_of,
    videos_of,
)
from megafish_assets.clusters.grouping import GROUPINGS, cluster_sizes
from megafish_assets.clusters.quality import noise_share
from megafish_assets.clusters.recipes import FEATURES as FEATURES_BY_NAME
from megafish_assets.clusters.recipes import RECIPES, Recipe, at_k, grouped_features
from megafish_assets.clusters.reduction import VARIANCE, Projection, fit_projection
from megafish_assets.clusters.whitening import Whitening, fit_whitening
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.embeddings.frames import EmbeddingStream, vectors_frame
from megafish_assets.orchestration.figures import figure_metadata
from megafish_assets.orchestration.forms import Fitted, Frames
from megafish_assets.orchestration.metadata import column_lineage, coverage, seen_through, table_metadata
from megafish_assets.orchestration.policy import seed_knob
from megafish_assets.orchestration.progress import Counted, Progress
from megafish_assets.orchestration.resources import Figures, Tables
from megafish_assets.orchestration.verdicts import specs, verdict

SEED = seed_knob(42, "Seed of every random choice of this asset.")


class PcaConfig(dg.Config):
    """How much of the variance is kept."""

    variance: float = Field(default=VARIANCE, gt=0, le=1, description="Share of the variance that is kept.")


def pca_asset(backbone: str) -> dg.AssetsDefinition:
    """Standardised vectors in as few dimensions as keep the configured share of their variance."""

    @dg.asset(
        key=["pca", backbone],
        check_specs=specs(f"pca/{backbone}", checks.PCA),
        ins={"vectors": dg.AssetIn(["embeddings", backbone])},
        metadata=table_metadata(PCA),
        kinds={"scikitlearn", "deltalake"},
        description=f"Standardised vectors, reduced to components that keep {VARIANCE:.0%} of the variance. Mean, "
        f"scale and components lie beside them, in `pca_model/{backbone}`.",
    )
    def pca(
        context: dg.AssetExecutionContext,
        config: PcaConfig,
        vectors: EmbeddingStream,
        figures: Figures,
    ):
        fitted = Progress(context.log.info, "vectors fitted", len(vectors))
        model = fit_projection(Counted(lambda: (batch.on_cpu() for batch in vectors), fitted), config.variance)
        n_kept, n_dimensions = len(model.components), len(model.mean)
        plot = plots.variance_plot(model.spectrum, n_kept, f"{backbone}, n = {len(vectors):,}, d = {n_dimensions}")
        numbers = {
            "n_dimensions": n_dimensions,
            "n_components": n_kept,
            "variance_reached_share": model.variance_reached,
            "n_outdated_vectors": vectors.n_outdated,
        } | coverage(context, f"embeddings/{backbone}", vectors.outdated_videos)
        return dg.MaterializeResult(
            value=Fitted(
                Frames(lambda: (vectors_frame(batch.mapped(model.project)) for batch in vectors)),
                model_frame(model.to_parts()),
            ),
            check_results=[verdict(checks.PCA, numbers)],
            metadata=numbers
            | column_lineage({f"embeddings/{backbone}": ["video", "detection_id", "vectors_version"]})
            | figure_metadata(figures, context.asset_key, "cumulative_variance", plot),
        )

    return pca


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


def kmeans_sweep_asset(backbone: str) -> dg.AssetsDefinition:
    """Inertia and silhouette against k, on the sample that all backbones share."""

    @dg.asset(
        key=["kmeans_sweep", backbone],
        check_specs=specs(f"kmeans_sweep/{backbone}", checks.SWEEP),
        ins={
            "reduced": dg.AssetIn(["pca", backbone]),
            "crops": dg.AssetIn("crops", metadata={"columns": ["detection_id", "fault"]}),
        },
        metadata=table_metadata(SWEEP),
        kinds={"scikitlearn", "deltalake"},
        description="Inertia and silhouette of KMeans against k, in PCA space, on one seeded sample of crops that all "
        "backbones share.",
    )
    def kmeans_sweep(
        context: dg.AssetExecutionContext,
        config: SweepConfig,
        reduced: EmbeddingBatch,
        crops: pl.LazyFrame,
        tables: Tables,
        figures: Figures,
    ):
        ids = crops.filter(pl.col("fault").is_null()).select("detection_id").collect()["detection_id"].to_numpy()
        sample = sweeping.shared_sample(ids, config.n_rows, config.seed)
        rows = sweeping.rows_of(reduced.on_cpu(), reduced.detection_ids, sample)
        ks = range(config.k_from, config.k_to + 1)
        fits = Progress(context.log.info, "values of k", len(ks))
        judged = Progress(context.log.info, "rows' silhouettes", len(rows))
        swept = sweeping.sweep(rows, ks, config.seed, fits.step, judged.step, str(reduced.vectors.device))
        table = sweep_frame(swept, len(rows))
        title = f"{backbone}, KMeans in PCA space, n = {len(rows):,}, seed {config.seed}"
        best = table.sort("silhouette", descending=True).head(1)
        numbers = {
            "n_sample": len(sample),
            "n_sample_without_vector": len(sample) - len(rows),
            "n_rises_of_inertia": sweeping.rises(table["inertia"].to_numpy()),
            "best_silhouette": best["silhouette"].first(),
            "k_of_best_silhouette": best["k"].first(),
        } | seen_through(context, tables, backbone, "pca")
        return dg.MaterializeResult(
            value=table,
            check_results=[verdict(checks.SWEEP, numbers)],
            metadata=numbers
            | figure_metadata(figures, context.asset_key, "inertia_silhouette", plots.sweep_plot(table, title)),
        )

    return kmeans_sweep


def whitening_asset(backbone: str) -> dg.AssetsDefinition:
    """The transform that turns down how one fish varies."""

    @dg.asset(
        key=["whitening", backbone],
        check_specs=specs(f"whitening/{backbone}", checks.WHITENING),
        ins={
            "vectors": dg.AssetIn(["embeddings", backbone]),
            "tracklets": dg.AssetIn("tracklets", metadata={"columns": ["detection_id", "tracklet_id"]}),
            "crops": dg.AssetIn("crops", metadata={"columns": ["detection_id", "border"]}),
        },
        metadata=table_metadata(WHITENING),
        kinds={"numpy", "deltalake"},
        description="Fitted without labels: what differs between crops of one tracklet (pose, light) and what their "
        "borders foretell (the water) is turned down. With too few tracklets it only centres, and says so.",
    )
    def whitening(
        context: dg.AssetExecutionContext, vectors: EmbeddingStream, tracklets: pl.LazyFrame, crops: pl.LazyFrame
    ):
        progress = Progress(context.log.info, "vectors fitted, twice", 2 * len(vectors))
        ids = vectors.detection_ids()
        names, blocks = tracklets_of(ids, tracklets), Counted(lambda: (batch.on_cpu() for batch in vectors), progress)
        model = fit_whitening(blocks, names, borders_of(ids, crops))
        numbers = {
            "n_tracklets": model.n_tracklets,
            "n_untracked": int((names == "").sum()),
            "n_dimensions": len(model.directions),
            "n_outdated_vectors": vectors.n_outdated,
        } | coverage(context, f"embeddings/{backbone}", vectors.outdated_videos)
        version = pl.lit(vectors.vectors_version).alias("vectors_version")
        return dg.MaterializeResult(
            value=model_frame(model.to_parts()).with_columns(version),
            check_results=[verdict(checks.WHITENING, numbers)],
            metadata=numbers,
        )

    return whitening


def features_asset(backbone: str) -> dg.AssetsDefinition:
    """Whitened vectors of every row, also of those that came after the fit."""

    @dg.asset(
        key=["features", backbone],
        check_specs=specs(f"features/{backbone}", checks.FEATURES),
        ins={
            "vectors": dg.AssetIn(["embeddings", backbone]),
            "whitening": dg.AssetIn(["whitening", backbone]),
        },
        metadata=table_metadata(FEATURES),
        kinds={"numpy", "deltalake"},
        description="Every vector through the kept whitening, and cut to unit length.",
    )
    def features(context: dg.AssetExecutionContext, vectors: EmbeddingStream, whitening: pl.DataFrame):
        require_fit("whitening", whitening["vectors_version"], vectors.vectors_version)
        model = Whitening.from_parts(model_parts(whitening))
        numbers = {"n_vectors": len(vectors), "n_outdated_vectors": vectors.n_outdated}
        numbers |= coverage(context, f"embeddings/{backbone}", vectors.outdated_videos)
        return dg.MaterializeResult(
            value=Frames(lambda: (vectors_frame(batch.mapped(model.project)) for batch in vectors)),
            check_results=[verdict(checks.FEATURES, numbers)],
            metadata=numbers | column_lineage({f"embeddings/{backbone}": ["video", "detection_id", "vectors_version"]}),
        )

    return features


class ClustersConfig(dg.Config):
    """A recipe by name, and what of it is changed."""

    recipe: Literal[*RECIPES] = Field(
        default="default",
        description="`default`: whitened features, a UMAP whose neighbours are other animals, tracklets, and HDBSCAN, "
        "which finds k. `notebook`: principal components, crops, KMeans at k = 4.",
    )
    features: Literal[*FEATURES_BY_NAME, "as_recipe"] = Field(
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
        description="By what: `hdbscan` and `dbscan` find k and leave noise, `stable_kmeans` takes the k that other "
        "videos agree on best, `kmeans` and `average_linkage` are given k.",
    )
    k: int | None = Field(
        default=None, ge=2, description="Number of clusters; with it and no grouping named, the recipe's for a given k."
    )
    seed: int = SEED

    def chosen(self) -> Recipe:
        """The recipe that these knobs say."""
        recipe = RECIPES[self.recipe]
        if self.k is not None and self.grouping == "as_recipe":
            recipe = at_k(recipe, self.k)
        steps = {name: getattr(self, name) for name in ("features", "units", "space", "grouping")}
        steps = {name: step for name, step in steps.items() if step != "as_recipe"}
        return replace(recipe, seed=self.seed, k=recipe.k if self.k is None else self.k, **steps)


def clusters_asset(backbone: str) -> dg.AssetsDefinition:
    """A label for every row, by the chosen recipe."""

    @dg.asset(
        key=["clusters", backbone],
        check_specs=specs(f"clusters/{backbone}", checks.CLUSTERS),
        ins={
            "features": dg.AssetIn(["features", backbone]),
            "reduced": dg.AssetIn(["pca", backbone]),
            "tracklets": dg.AssetIn("tracklets", metadata={"columns": ["detection_id", "tracklet_id"]}),
        },
        metadata=table_metadata(CLUSTERS),
        kinds={"scikitlearn", "umap", "deltalake"},
        description="The cluster of every row, and where it was grouped. The centres lie beside them, in "
        f"`clusters_model/{backbone}`.",
    )
    def clusters(
        context: dg.AssetExecutionContext,
        config: ClustersConfig,
        features: EmbeddingBatch,
        reduced: EmbeddingBatch,
        tracklets: pl.LazyFrame,
        tables: Tables,
    ):
        recipe = config.chosen()
        rows, seen_by = {"whitened": (features, "features"), "pca": (reduced, "pca")}[recipe.features]
        names = tracklets_of(rows.detection_ids, tracklets)
        found = grouped_features(recipe, rows.on_cpu(), names, videos_of(rows.detection_ids))
        n_clusters = int(found.labels.max(initial=-1)) + 1
        sizes = cluster_sizes(found.labels, n_clusters)
        numbers = {
            "n_clusters": n_clusters,
            "n_clusters_short": 0 if recipe.k is None else recipe.k - n_clusters,
            "cluster_sizes": ", ".join(map(str, sizes)),
            "n_empty_clusters": sizes.count(0),
            "largest_cluster_share": max(sizes, default=0) / max(1, len(found.labels)),
            "noise_share": manifold.known(noise_share(found.labels)),
            "n_units": len(found.positions),
            "n_untracked": int((names == "").sum()),
            "n_without_layout": len(found.positions) if found.space != recipe.space else 0,
        } | seen_through(context, tables, backbone, seen_by)
        return dg.MaterializeResult(
            value=Fitted(clusters_frame(rows.detection_ids, names, found, recipe), centres_frame(centres_of(found))),
            check_results=[verdict(checks.CLUSTERS, numbers)],
            metadata=numbers
            | {"recipe": recipe.to_json()}
            | column_lineage({f"{seen_by}/{backbone}": ["video", "detection_id"], "tracklets": ["tracklet_id"]}),
        )

    return clusters


class UmapConfig(dg.Config):
    """UMAP's knobs, and the space that it looks at."""

    n_neighbors: int = Field(default=manifold.N_NEIGHBORS, ge=2, description="Neighbours of each row in the graph.")
    n_components: int = Field(default=manifold.N_COMPONENTS, ge=2, le=16, description="Coordinates that come out.")
    space: Literal["standardised", "pca"] = Field(
        default="standardised",
        description="Standardised vectors, as in the notebook, or their principal components.",
    )
    seed: int = SEED


def require_fit(asset: str, fitted_to: pl.Series, vectors_version: str) -> None:
    """Raises ValueError where a model was fitted to vectors of another version."""
    versions = fitted_to.unique().to_list()
    if versions != [vectors_version]:
        raise ValueError(
            f"{asset} was fitted to vectors {versions}, these are {vectors_version}: materialise {asset} first"
        )


def umap_asset(backbone: str) -> dg.AssetsDefinition:
    """Few coordinates a row, drawn pair by pair in the colours of the clusters."""

    @dg.asset(
        key=["umap", backbone],
        check_specs=specs(f"umap/{backbone}", checks.UMAP),
        ins={
            "vectors": dg.AssetIn(["embeddings", backbone]),
            "reduction": dg.AssetIn(["pca", backbone]),
            "clusters": dg.AssetIn(["clusters", backbone]),
        },
        metadata=table_metadata(UMAP),
        kinds={"umap", "deltalake"},
        description="UMAP coordinates of every row, seeded, and the clusters seen in them.",
    )
    def umap(
        context: dg.AssetExecutionContext,
        config: UmapConfig,
        vectors: EmbeddingBatch,
        reduction: Fitted,
        clusters: pl.DataFrame,
        figures: Figures,
    ):
        require_fit("pca", reduction.rows["vectors_version"], vectors.vectors_version)
        matrix, model = vectors.on_cpu(), Projection.from_parts(model_parts(reduction.model))
        space = model.project(matrix) if config.space == "pca" else model.standardise(matrix)
        n_neighbors = min(config.n_neighbors, max(2, len(vectors) - 1))
        found = Progress(context.log.info, "rows' neighbours", len(vectors))
        laid_out = manifold.umap_positions(space, n_neighbors, config.n_components, config.seed, on_rows=found.step)
        table = positions_frame(vectors.detection_ids, laid_out)
        positions, labels = labelled(table, clusters)
        drawn = f"k = {clusters['cluster'].max() + 1}, n = {len(labels):,}, seed {config.seed}"
        plot = plots.pair_plot(positions, labels, f"{backbone}, UMAP of {config.space} vectors, {drawn}")
        trust = manifold.sampled_trustworthiness(space, laid_out, n_neighbors, config.seed)
        numbers = {
            "trustworthiness": manifold.known(trust),
            "n_neighbors_short": config.n_neighbors - n_neighbors,
            "n_nonfinite_rows": manifold.nonfinite_rows(laid_out),
            "n_outdated_vectors": vectors.n_outdated,
            "n_without_cluster": table.height - len(labels),
        } | coverage(context, f"embeddings/{backbone}", vectors.outdated_videos)
        return dg.MaterializeResult(
            value=table,
            check_results=[verdict(checks.UMAP, numbers)],
            metadata=numbers
            | column_lineage({f"embeddings/{backbone}": ["video", "detection_id"]})
            | figure_metadata(figures, context.asset_key, "pairs", plot),
        )

    return umap
