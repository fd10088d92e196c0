"""The assets before any grouping: `pca`, `kmeans_sweep`, `whitening`, `features`, each one a backbone, by factories."""

from collections.abc import Callable, Iterator

import dagster as dg
import numpy as np
import polars as pl
from pydantic import Field, model_validator

from megafish_assets.clusters import checks, plots, sweeping
from megafish_assets.clusters.columns import FEATURES, PCA, SWEEP, WHITENING
from megafish_assets.clusters.evidence import borders_of
from megafish_assets.clusters.frames import (
    model_frame,
    model_parts,
    require_fit,
    sweep_frame,
    tracklets_of,
)
from megafish_assets.clusters.reduction import VARIANCE, fit_projection
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


def projected(
    vectors: EmbeddingStream, project: Callable[[np.ndarray], np.ndarray], say: Callable[[str], None]
) -> Frames:
    """Vectors through a fitted model, made while they are stored; `say` is told how many are."""

    def frames() -> Iterator[pl.DataFrame]:
        progress = Progress(say, "vectors projected and stored", len(vectors))
        for batch in vectors:
            yield vectors_frame(batch.mapped(project))
            progress.step(len(batch))

    return Frames(frames)


class PcaConfig(dg.Config):
    """How much of the variance is kept."""

    variance: float = Field(default=VARIANCE, gt=0, le=1, description="Share of the variance that is kept.")


def pca_asset(backbone: str, knobs: type[PcaConfig] = PcaConfig) -> dg.AssetsDefinition:
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
        } | coverage(context, f"embeddings/{backbone}", vectors.outdated_videos)
        return dg.MaterializeResult(
            value=Fitted(projected(vectors, model.project, context.log.info), model_frame(model.to_parts())),
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


def kmeans_sweep_asset(backbone: str, knobs: type[SweepConfig] = SweepConfig) -> dg.AssetsDefinition:
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
        names, held = tracklets_of(ids, tracklets), vectors.holding()
        blocks = Counted(lambda: (batch.on_cpu() for batch in held), progress)
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
            value=projected(vectors, model.project, context.log.info),
            check_results=[verdict(checks.FEATURES, numbers)],
            metadata=numbers | column_lineage({f"embeddings/{backbone}": ["video", "detection_id", "vectors_version"]}),
        )

    return features
