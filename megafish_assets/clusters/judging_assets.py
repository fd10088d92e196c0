"""The assets that judge groups: `stability` and `quality`, each one a backbone, by factories."""

import dagster as dg
import polars as pl
from pydantic import Field

from megafish_assets.clusters import checks, plots
from megafish_assets.clusters.columns import QUALITY, STABILITY
from megafish_assets.clusters.evidence import Borders, Crops, aligned, evidence_of, seen_rows, still_there
from megafish_assets.clusters.frames import grouped_rows, measures_frame
from megafish_assets.clusters.judging import agreement_at_ks, found_again, judged
from megafish_assets.clusters.manifold import known
from megafish_assets.clusters.nuisances import BORDER_ROWS
from megafish_assets.clusters.recipes import SEEN_BY
from megafish_assets.clusters.stability import CROPS, RESAMPLES, TRIED_KS, best_agreement
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.embeddings.frames import to_matrix
from megafish_assets.orchestration.figures import figure_metadata
from megafish_assets.orchestration.metadata import seen_through, table_metadata
from megafish_assets.orchestration.policy import seed_knob
from megafish_assets.orchestration.progress import Progress
from megafish_assets.orchestration.resources import Figures, Tables
from megafish_assets.orchestration.verdicts import specs, verdict

SEED = seed_knob(42, "Seed of every random choice of this asset.")


class StabilityConfig(dg.Config):
    """How often, and on how many crops."""

    n_resamples: int = Field(default=RESAMPLES, ge=20, description="Draws of videos, with replacement.")
    n_crops: int = Field(
        default=CROPS,
        ge=10,
        description="At most; whole tracklets are drawn. Each resample is laid out and grouped afresh.",
    )
    seed: int = SEED


def stability_asset(backbone: str, knobs: type[StabilityConfig] = StabilityConfig) -> dg.AssetsDefinition:
    """Which clusters other videos would show too."""

    @dg.asset(
        key=["stability", backbone],
        check_specs=specs(f"stability/{backbone}", checks.STABILITY),
        ins={
            "clusters": dg.AssetIn(["clusters", backbone]),
            "features": dg.AssetIn(["features", backbone]),
            "reduced": dg.AssetIn(["pca", backbone]),
        },
        metadata=table_metadata(STABILITY),
        kinds={"scikitlearn", "deltalake"},
        description="The clusters found again when videos are drawn anew and everything is grouped afresh: the overlap "
        "of each with its nearest, the tracklets and videos behind it, and the number of kinds as an interval.",
    )
    def stability(
        context: dg.AssetExecutionContext,
        config: knobs,
        clusters: pl.DataFrame,
        features: EmbeddingBatch,
        reduced: EmbeddingBatch,
        tables: Tables,
        figures: Figures,
    ):
        found, recipe = grouped_rows(clusters)
        every = Crops.of(clusters, {"whitened": features, "pca": reduced}[recipe.features])
        progress = Progress(context.log.info, "resamples", config.n_resamples)
        result = found_again(recipe, every, config.n_crops, config.seed, config.n_resamples, progress.step)
        at_ks = Progress(context.log.info, "values of k resampled", len(TRIED_KS))
        agreements = agreement_at_ks(found, every.videos, config.n_crops, config.seed, at_ks.step)
        numbers = {
            "n_kinds": result.n_kinds,
            "n_kinds_low": result.n_kinds_low,
            "n_kinds_high": result.n_kinds_high,
            "agreement_ami": known(result.ami),
            "n_crops": min(len(every.labels), config.n_crops),
            "n_videos": len(set(every.videos)),
        }
        numbers |= best_agreement(agreements) | seen_through(context, tables, backbone, SEEN_BY[recipe.features])
        title = f"{backbone}, {config.n_resamples} draws of videos, n = {numbers['n_crops']:,}, seed {config.seed}"
        plot = plots.stability_plot(result.clusters, agreements, title)
        return dg.MaterializeResult(
            value=result.clusters,
            check_results=[verdict(checks.STABILITY, numbers)],
            metadata={name: number for name, number in numbers.items() if number is not None}
            | figure_metadata(figures, context.asset_key, "stability", plot),
        )

    return stability


class QualityConfig(dg.Config):
    """On how many crops the costly measures are taken."""

    n_borders: int = Field(default=BORDER_ROWS, ge=10, description="Crops whose border the classifier looks at.")
    seed: int = SEED


def quality_asset(backbone: str, knobs: type[QualityConfig] = QualityConfig) -> dg.AssetsDefinition:
    """What the clusters follow: the fish, or the water."""

    @dg.asset(
        key=["quality", backbone],
        check_specs=specs(f"quality/{backbone}", checks.QUALITY),
        ins={
            "clusters": dg.AssetIn(["clusters", backbone]),
            "reduced": dg.AssetIn(["pca", backbone]),
            "laid_out": dg.AssetIn(["umap", backbone]),
            "tracklets": dg.AssetIn("tracklets"),
        },
        metadata=table_metadata(QUALITY),
        kinds={"scikitlearn", "deltalake"},
        description="Silhouettes, density, noise, and the background leak: how far the clusters can be told from the "
        "video, the time, the place, the size, the pan, and the border pixels of the crops.",
    )
    def quality(
        context: dg.AssetExecutionContext,
        config: knobs,
        clusters: pl.DataFrame,
        reduced: EmbeddingBatch,
        laid_out: pl.DataFrame,
        sampled_detections: pl.LazyFrame,
        tracklets: pl.LazyFrame,
        crops: pl.LazyFrame,
        tables: Tables,
    ):
        there = still_there(clusters["detection_id"].sort(), sampled_detections, crops)
        found, recipe = grouped_rows(clusters.filter(pl.col("detection_id").is_in(there)))
        rows = seen_rows(pl.Series("detection_id", there), sampled_detections, tracklets)
        positions = to_matrix(laid_out["position"])
        spaces = {
            "pca": aligned(rows, reduced.detection_ids, reduced.on_cpu(), "pca"),
            "umap": aligned(rows, laid_out["detection_id"], positions, "umap"),
        }
        borders = Borders.drawn(rows["detection_id"], crops, config.n_borders, config.seed)
        evidence = evidence_of(rows, spaces, borders)
        measured = {name: known(number) for name, number in judged(found, evidence, config.seed).items()}
        numbers = (
            measured
            | {"n_no_longer_there": clusters.height - len(there)}
            | seen_through(context, tables, backbone, SEEN_BY[recipe.features])
        )
        return dg.MaterializeResult(
            value=measures_frame(measured),
            check_results=[verdict(checks.QUALITY, numbers)],
            metadata={name: number for name, number in numbers.items() if number is not None},
        )

    return quality
