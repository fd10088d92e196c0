"""The assets of features: `pca`, `whitening`, `features`, `umap` and `neighbors`, each one a backbone, by factories."""

from collections.abc import Callable, Iterator
from typing import Literal

import dagster as dg
import numpy as np
import polars as pl
from pydantic import Field

from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.embeddings.tables import EmbeddingStream, vectors_table
from megafish_assets.features import checks, layout, plots
from megafish_assets.features.columns import FEATURES, NEIGHBORS, PCA, UMAP, WHITENING
from megafish_assets.features.crop_rows import borders_of, tracklets_of
from megafish_assets.features.fits import kinds_by_cluster
from megafish_assets.features.pooling import UNTRACKED, tracklet_codes, unit_codes
from megafish_assets.features.reduction import VARIANCE, Projection, fit_projection
from megafish_assets.features.similarity import N_SIMILAR, neighbor_numbers, neighbor_tables, similar_elsewhere
from megafish_assets.features.tables import labelled, model_parts, model_table, positions_table, require_fit
from megafish_assets.features.whitening import Whitening, fit_whitening
from megafish_assets.orchestration.policy import seed_knob
from megafish_assets.reporting.figures import Figures, figure_metadata
from megafish_assets.reporting.metadata import column_lineage, coverage, table_metadata
from megafish_assets.reporting.progress import Counted, Progress
from megafish_assets.reporting.verdicts import specs, verdict
from megafish_assets.storage.catalog import named, of_backbone
from megafish_assets.storage.io_types import Fitted, TableStream

SEED = seed_knob(42, "Seed of every random choice of this asset.")


def projected(
    vectors: EmbeddingStream, project: Callable[[np.ndarray], np.ndarray], say: Callable[[str], None]
) -> TableStream:
    """Vectors through a fitted model, made while they are stored; `say` is told how many are."""

    def frames() -> Iterator[pl.DataFrame]:
        progress = Progress(say, "vectors projected and stored", len(vectors))
        for batch in vectors:
            yield vectors_table(batch.mapped(project))
            progress.step(len(batch))

    return TableStream(frames)


class PcaConfig(dg.Config):
    """How much of the variance is kept."""

    variance: float = Field(default=VARIANCE, gt=0, le=1, description="Share of the variance that is kept.")


def pca_asset(backbone: str, knobs: type[PcaConfig] = PcaConfig) -> dg.AssetsDefinition:
    """Standardised vectors in as few dimensions as keep the configured share of their variance."""

    @dg.asset(
        key=named("pca", backbone),
        check_specs=specs(named("pca", backbone), checks.PCA),
        ins={"vectors": dg.AssetIn(named("embeddings", backbone))},
        metadata=table_metadata(PCA) | of_backbone("pca", backbone),
        kinds={"scikitlearn", "deltalake"},
        description=f"Standardised vectors, reduced to components that keep {VARIANCE:.0%} of the variance. Mean, "
        f"scale and components lie beside them, in `{named('pca', backbone)}_model`.",
    )
    def pca(
        context: dg.AssetExecutionContext,
        config: knobs,
        vectors: EmbeddingStream,
        figures: Figures,
    ):
        vectors, fitted = vectors.holding(), Progress(context.log.info, "vectors fitted", len(vectors))
        model = fit_projection(Counted(lambda: (batch.on_cpu() for batch in vectors), fitted), config.variance)
        n_kept, n_dimensions = len(model.components), len(model.mean)
        plot = plots.variance_plot(model.spectrum, n_kept, f"{backbone}, n = {len(vectors):,}, d = {n_dimensions}")
        numbers = {
            "n_dimensions": n_dimensions,
            "n_components": n_kept,
            "variance_reached_share": model.variance_reached,
            "n_outdated_vectors": vectors.n_outdated,
        } | coverage(context, named("embeddings", backbone), vectors.outdated_videos)
        return dg.MaterializeResult(
            value=Fitted(projected(vectors, model.project, context.log.info), model_table(model.to_parts())),
            check_results=[verdict(checks.PCA, numbers)],
            metadata=numbers
            | column_lineage({named("embeddings", backbone): ["video", "detection_id", "vectors_version"]})
            | figure_metadata(figures, context.asset_key, "cumulative_variance", plot),
        )

    return pca


def whitening_asset(backbone: str) -> dg.AssetsDefinition:
    """The transform that turns down how one fish varies."""

    @dg.asset(
        key=named("whitening", backbone),
        check_specs=specs(named("whitening", backbone), checks.WHITENING),
        ins={
            "vectors": dg.AssetIn(named("embeddings", backbone)),
            "crops": dg.AssetIn("crops", metadata={"columns": ["detection_id", "tracklet_id", "border"]}),
        },
        metadata=table_metadata(WHITENING) | of_backbone("whitening", backbone),
        kinds={"numpy", "deltalake"},
        description="Fitted without labels: what differs between crops of one tracklet (pose, light) and what their "
        "borders foretell (the water) is turned down. With too few tracklets it only centres, and says so.",
    )
    def whitening(context: dg.AssetExecutionContext, vectors: EmbeddingStream, crops: pl.LazyFrame):
        progress = Progress(context.log.info, "vectors fitted, twice", 2 * len(vectors))
        ids = vectors.detection_ids()
        names, held = tracklets_of(ids, crops), vectors.holding()
        blocks = Counted(lambda: (batch.on_cpu() for batch in held), progress)
        model = fit_whitening(blocks, names, borders_of(ids, crops))
        numbers = {
            "n_tracklets": model.n_tracklets,
            "n_untracked": int((tracklet_codes(names) == UNTRACKED).sum()),
            "n_dimensions": len(model.directions),
            "n_outdated_vectors": vectors.n_outdated,
        } | coverage(context, named("embeddings", backbone), vectors.outdated_videos)
        version = pl.lit(vectors.vectors_version).alias("vectors_version")
        return dg.MaterializeResult(
            value=model_table(model.to_parts()).with_columns(version),
            check_results=[verdict(checks.WHITENING, numbers)],
            metadata=numbers,
        )

    return whitening


def features_asset(backbone: str) -> dg.AssetsDefinition:
    """Whitened vectors of every row, also of those that came after the fit."""

    @dg.asset(
        key=named("features", backbone),
        check_specs=specs(named("features", backbone), checks.FEATURES),
        ins={
            "vectors": dg.AssetIn(named("embeddings", backbone)),
            "whitening": dg.AssetIn(named("whitening", backbone)),
        },
        metadata=table_metadata(FEATURES) | of_backbone("features", backbone),
        kinds={"numpy", "deltalake"},
        description="Every vector through the kept whitening, and cut to unit length.",
    )
    def features(context: dg.AssetExecutionContext, vectors: EmbeddingStream, whitening: pl.DataFrame):
        require_fit("whitening", whitening["vectors_version"], vectors.vectors_version)
        model = Whitening.from_parts(model_parts(whitening))
        numbers = {"n_vectors": len(vectors), "n_outdated_vectors": vectors.n_outdated}
        numbers |= coverage(context, named("embeddings", backbone), vectors.outdated_videos)
        return dg.MaterializeResult(
            value=projected(vectors, model.project, context.log.info),
            check_results=[verdict(checks.FEATURES, numbers)],
            metadata=numbers
            | column_lineage({named("embeddings", backbone): ["video", "detection_id", "vectors_version"]}),
        )

    return features


UMAP_SPACES = {
    "features": "whitened features",
    "standardised": "standardised vectors",
    "pca": "principal components",
}
"""What is laid out, as a title says it."""


class UmapConfig(dg.Config):
    """UMAP's knobs, and the space that it looks at."""

    n_neighbors: int = Field(default=layout.N_NEIGHBORS, ge=2, description="Neighbors of each row in the graph.")
    n_components: int = Field(default=layout.N_COMPONENTS, ge=2, le=16, description="Coordinates that come out.")
    space: Literal[*UMAP_SPACES] = Field(
        default="features",
        description="Whitened features, which the recipe `default` groups; standardised vectors, as in the notebook; "
        "or their principal components.",
    )
    seed: int = SEED


def umap_asset(backbone: str, knobs: type[UmapConfig] = UmapConfig) -> dg.AssetsDefinition:
    """Few coordinates a row, drawn pair by pair in the colours of the clusters."""

    @dg.asset(
        key=named("umap", backbone),
        check_specs=specs(named("umap", backbone), checks.UMAP),
        ins={
            "vectors": dg.AssetIn(named("embeddings", backbone)),
            "reduction": dg.AssetIn(named("pca", backbone)),
            "features": dg.AssetIn(named("features", backbone), dagster_type=EmbeddingStream),
            "clusters": dg.AssetIn(named("clusters", backbone)),
            "kinds": dg.AssetIn(named("kinds", backbone)),
        },
        metadata=table_metadata(UMAP) | of_backbone("umap", backbone),
        kinds={"umap", "deltalake"},
        description="UMAP coordinates of every row, seeded, and the clusters seen in them, in the colours of kinds.",
    )
    def umap(
        context: dg.AssetExecutionContext,
        config: knobs,
        vectors: EmbeddingBatch,
        reduction: Fitted,
        features: EmbeddingStream,
        clusters: pl.DataFrame,
        kinds: pl.DataFrame,
        figures: Figures,
    ):
        if config.space == "features":
            space = features.of(vectors.detection_ids)
        else:
            require_fit("pca", reduction.rows["vectors_version"], vectors.vectors_version)
            model = Projection.from_parts(model_parts(reduction.model))
            space = {"pca": model.project, "standardised": model.standardise}[config.space](vectors.on_cpu())
        n_neighbors = min(config.n_neighbors, max(2, len(vectors) - 1))
        found = Progress(context.log.info, "rows' neighbors", len(vectors))
        laid_out = layout.umap_positions(
            space, n_neighbors, config.n_components, config.seed, found.step, context.log.info
        )
        table = positions_table(vectors.detection_ids, laid_out)
        positions, labels = labelled(table, clusters)
        drawn = f"k = {clusters['cluster'].max() + 1}, n = {len(labels):,}, seed {config.seed}"
        title = f"{backbone}, UMAP of {UMAP_SPACES[config.space]}, {drawn}"
        plot = plots.pair_plot(positions, labels, kinds_by_cluster(kinds, clusters), title)
        trust = layout.sampled_trustworthiness(space, laid_out, n_neighbors, config.seed)
        numbers = {
            "trustworthiness": layout.known(trust),
            "n_neighbors_short": config.n_neighbors - n_neighbors,
            "n_nonfinite_rows": layout.nonfinite_rows(laid_out),
            "n_outdated_vectors": vectors.n_outdated,
            "n_without_cluster": table.height - len(labels),
        } | coverage(context, named("embeddings", backbone), vectors.outdated_videos)
        return dg.MaterializeResult(
            value=table,
            check_results=[verdict(checks.UMAP, numbers)],
            metadata=numbers
            | column_lineage({named(name, backbone): ["video", "detection_id"] for name in ("embeddings", "features")})
            | figure_metadata(figures, context.asset_key, "pairs", plot),
        )

    return umap


def neighbors_asset(backbone: str) -> dg.AssetsDefinition:
    """The most similar animals of every crop."""

    @dg.asset(
        key=named("neighbors", backbone),
        check_specs=specs(named("neighbors", backbone), checks.NEIGHBORS),
        ins={
            "features": dg.AssetIn(named("features", backbone), dagster_type=EmbeddingStream),
            "crops": dg.AssetIn("crops", metadata={"columns": ["detection_id", "tracklet_id"]}),
        },
        metadata=table_metadata(NEIGHBORS) | of_backbone("neighbors", backbone),
        kinds={"numpy", "deltalake"},
        description=f"Of every crop its {N_SIMILAR} nearest other tracklets by whitened features, exactly, each by its "
        "nearest crop.",
    )
    def neighbors(context: dg.AssetExecutionContext, features: EmbeddingStream, crops: pl.LazyFrame):
        vectors = features.whole()
        units = unit_codes(tracklets_of(vectors.detection_ids, crops))
        compared = Progress(context.log.info, "crops compared with all others", len(vectors))
        found = similar_elsewhere(vectors.on_cpu(), units, N_SIMILAR, compared.step)
        table = pl.concat(neighbor_tables(vectors.detection_ids, found))
        numbers = neighbor_numbers(table, vectors.detection_ids, units) | {"n_outdated_vectors": features.n_outdated}
        numbers |= coverage(context, named("embeddings", backbone), features.outdated_videos)
        return dg.MaterializeResult(
            value=table,
            check_results=[verdict(checks.NEIGHBORS, numbers)],
            metadata=numbers | column_lineage({named("features", backbone): ["video", "detection_id"]}),
        )

    return neighbors
