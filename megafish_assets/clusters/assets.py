"""The assets of groups: `pca`, `kmeans_sweep`, `clusters` and `umap`, each one a backbone, by factories."""

from typing import Literal

import dagster as dg
import polars as pl
from pydantic import Field, model_validator

from megafish_assets.clusters import checks, grouping, manifold, plots, sweeping
from megafish_assets.clusters.columns import CLUSTERS, PCA, SWEEP, UMAP
from megafish_assets.clusters.frames import (
    centres_frame,
    clusters_frame,
    labelled,
    model_frame,
    model_parts,
    positions_frame,
    sweep_frame,
)
from megafish_assets.clusters.reduction import VARIANCE, Projection, fit_projection
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.embeddings.frames import EmbeddingStream, vectors_frame
from megafish_assets.orchestration.figures import figure_metadata
from megafish_assets.orchestration.forms import Fitted, Frames
from megafish_assets.orchestration.metadata import column_lineage, coverage, seen_through_pca, table_metadata
from megafish_assets.orchestration.policy import seed_knob
from megafish_assets.orchestration.progress import Progress, counted
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
        model = fit_projection(counted((batch.on_cpu() for batch in vectors), fitted), config.variance)
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
        } | seen_through_pca(context, tables, backbone)
        return dg.MaterializeResult(
            value=table,
            check_results=[verdict(checks.SWEEP, numbers)],
            metadata=numbers
            | figure_metadata(figures, context.asset_key, "inertia_silhouette", plots.sweep_plot(table, title)),
        )

    return kmeans_sweep


class ClustersConfig(dg.Config):
    """How many clusters."""

    k: int = Field(default=grouping.K, ge=2, description="Number of clusters; 4 is the notebook's.")
    seed: int = SEED


def clusters_asset(backbone: str) -> dg.AssetsDefinition:
    """A label for every row, at the chosen k."""

    @dg.asset(
        key=["clusters", backbone],
        check_specs=specs(f"clusters/{backbone}", checks.CLUSTERS),
        ins={"reduced": dg.AssetIn(["pca", backbone])},
        metadata=table_metadata(CLUSTERS),
        kinds={"scikitlearn", "deltalake"},
        description="KMeans label of every row in PCA space, and its distance to the cluster's centre. The centres lie "
        f"beside them, in `clusters_model/{backbone}`.",
    )
    def clusters(context: dg.AssetExecutionContext, config: ClustersConfig, reduced: EmbeddingBatch, tables: Tables):
        vectors = reduced.on_cpu()
        k = min(config.k, len(vectors))
        labels, distances, centres = grouping.grouped(vectors, k, config.seed)
        sizes = grouping.cluster_sizes(labels, k)
        silhouette = manifold.known(manifold.sampled_silhouette(vectors, labels, config.seed))
        numbers = {
            "k": k,
            "n_clusters_short": config.k - k,
            "cluster_sizes": ", ".join(map(str, sizes)),
            "n_empty_clusters": sizes.count(0),
            "largest_cluster_share": max(sizes) / sum(sizes),
            "silhouette_pca": silhouette,
        } | seen_through_pca(context, tables, backbone)
        return dg.MaterializeResult(
            value=Fitted(clusters_frame(reduced.detection_ids, labels, distances), centres_frame(centres)),
            check_results=[verdict(checks.CLUSTERS, numbers)],
            metadata=numbers | column_lineage({f"pca/{backbone}": ["video", "detection_id"]}),
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


def projection_of(reduction: Fitted, vectors_version: str) -> Projection:
    """The fitted PCA. Raises ValueError where it was fitted to vectors of another version."""
    fitted_to = reduction.rows["vectors_version"].unique().to_list()
    if fitted_to != [vectors_version]:
        raise ValueError(f"PCA was fitted to vectors {fitted_to}, these are {vectors_version}: materialise pca first")
    return Projection.from_parts(model_parts(reduction.model))


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
        matrix, model = vectors.on_cpu(), projection_of(reduction, vectors.vectors_version)
        space = model.project(matrix) if config.space == "pca" else model.standardise(matrix)
        n_neighbors = min(config.n_neighbors, max(2, len(vectors) - 1))
        found = Progress(context.log.info, "rows' neighbours", len(vectors))
        laid_out = manifold.umap_positions(space, n_neighbors, config.n_components, config.seed, on_rows=found.step)
        table = positions_frame(vectors.detection_ids, laid_out)
        positions, labels = labelled(table, clusters)
        drawn = f"k = {clusters['cluster'].n_unique()}, n = {len(labels):,}, seed {config.seed}"
        plot = plots.pair_plot(positions, labels, f"{backbone}, UMAP of {config.space} vectors, {drawn}")
        trust = manifold.sampled_trustworthiness(space, laid_out, n_neighbors, config.seed)
        numbers = {
            "silhouette_umap": manifold.known(manifold.sampled_silhouette(positions, labels, config.seed)),
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
