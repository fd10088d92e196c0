"""The assets that judge groups: `confounders`, one a backbone, and `leaderboard`, over all of them."""

from collections.abc import Sequence

import dagster as dg
import numpy as np
import polars as pl
from pydantic import Field

from megafish_assets.clusters.recipes import FEATURE_SPACES, RECIPES
from megafish_assets.clusters.tables import grouped_rows
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.embeddings.tables import EmbeddingStream, to_matrix
from megafish_assets.evaluation import checks
from megafish_assets.evaluation.columns import CONFOUNDERS, LEADERBOARD
from megafish_assets.evaluation.confounders import BORDER_ROWS
from megafish_assets.evaluation.crop_rows import Borders, evidence_of, names_of
from megafish_assets.evaluation.evaluating import evaluate, measures_table
from megafish_assets.evaluation.leaderboard import CROPS, leaderboard_plot, shared_ids, standings
from megafish_assets.evaluation.references import names_leaks
from megafish_assets.features.crop_rows import aligned, borders_of, seen_rows, still_there, tracklets_of
from megafish_assets.features.layout import known
from megafish_assets.features.pooling import some_units, unit_codes
from megafish_assets.orchestration.policy import seed_knob
from megafish_assets.reporting.figures import Figures, figure_metadata
from megafish_assets.reporting.metadata import coverage, median_number, reduced_coverage, table_metadata
from megafish_assets.reporting.progress import Progress
from megafish_assets.reporting.verdicts import specs, verdict
from megafish_assets.storage.catalog import Tables, named, of_backbone

SEED = seed_knob(42, "Seed of every random choice of this asset.")


class ConfoundersConfig(dg.Config):
    """On how many crops the costly measures are taken."""

    n_borders: int = Field(default=BORDER_ROWS, ge=10, description="Crops whose border the classifier looks at.")
    seed: int = SEED


def confounders_asset(backbone: str, knobs: type[ConfoundersConfig] = ConfoundersConfig) -> dg.AssetsDefinition:
    """What the clusters follow: the fish, or the water."""

    @dg.asset(
        key=named("confounders", backbone),
        check_specs=specs(named("confounders", backbone), checks.CONFOUNDERS),
        ins={
            "clusters": dg.AssetIn(named("clusters", backbone)),
            "reduced": dg.AssetIn(named("pca", backbone)),
            "laid_out": dg.AssetIn(named("umap", backbone)),
            "tracklets": dg.AssetIn("tracklets"),
        },
        metadata=table_metadata(CONFOUNDERS) | of_backbone("confounders", backbone),
        kinds={"scikitlearn", "deltalake"},
        description="Silhouettes, density, noise, and the background leak: how far the clusters can be told from the "
        "video, the time, the place, the size, the pan, and the border pixels of the crops; what that could be at "
        "most, and what it is of the kinds that people named.",
    )
    def confounders(
        context: dg.AssetExecutionContext,
        config: knobs,
        clusters: pl.DataFrame,
        reduced: EmbeddingBatch,
        laid_out: pl.DataFrame,
        sampled_detections: pl.LazyFrame,
        tracklets: pl.LazyFrame,
        crops: pl.LazyFrame,
        words: pl.DataFrame,
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
        named = names_leaks(evidence_of(rows, {}, borders, names_of(words)))
        measured = {name: known(number) for name, number in (evaluate(found, evidence, config.seed) | named).items()}
        numbers = (
            measured
            | {"n_no_longer_there": clusters.height - len(there)}
            | reduced_coverage(context, tables, backbone, FEATURE_SPACES[recipe.features].table)
        )
        return dg.MaterializeResult(
            value=measures_table(measured),
            check_results=[verdict(checks.CONFOUNDERS, numbers)],
            metadata={name: number for name, number in numbers.items() if number is not None},
        )

    return confounders


class LeaderboardConfig(dg.Config):
    """On how many crops."""

    n_crops: int = Field(default=CROPS, ge=20, description="At most; whole tracklets, the same for every backbone.")
    seed: int = seed_knob(42, "Seed of every random choice of this asset.")


def leaderboard_asset(
    backbones: Sequence[str], knobs: type[LeaderboardConfig] = LeaderboardConfig
) -> dg.AssetsDefinition:
    """Every backbone with every recipe, on the same crops."""

    @dg.asset(
        check_specs=specs("leaderboard", checks.LEADERBOARD),
        ins={name: dg.AssetIn(named("embeddings", name), dagster_type=EmbeddingStream) for name in backbones},
        metadata=table_metadata(LEADERBOARD),
        kinds={"scikitlearn", "deltalake"},
        description="Every backbone with every recipe on the same crops: how good the clusters are, what of the water "
        "they follow, and, where people have named fish, how far they follow the names.",
    )
    def leaderboard(
        context: dg.AssetExecutionContext,
        config: knobs,
        tracklets: pl.LazyFrame,
        sampled_detections: pl.LazyFrame,
        crops: pl.LazyFrame,
        words: pl.DataFrame,
        figures: Figures,
        **vectors: EmbeddingStream,
    ):
        shared = shared_ids([stream.detection_ids() for stream in vectors.values()])
        ids = still_there(shared, sampled_detections, crops)
        drawn = ids[some_units(unit_codes(tracklets_of(ids, crops)), config.n_crops, config.seed)]
        rows = seen_rows(pl.Series("detection_id", drawn), sampled_detections, tracklets)
        borders = Borders(np.arange(len(drawn)), borders_of(drawn, crops))
        evidence = evidence_of(rows, {}, borders, names_of(words))
        drawn_vectors = {name: stream.of(drawn) for name, stream in vectors.items()}
        rates = {
            name: median_number(context.instance, named("embeddings", name), "crops_per_second")
            for name in drawn_vectors
        }
        # Each recipe at its own number of clusters, and at the other's.
        entries = Progress(context.log.info, "backbones with a recipe", len(drawn_vectors) * len(RECIPES) ** 2)
        table = standings(drawn_vectors, evidence, rates, config.seed, entries.step)
        numbers = {
            "n_crops": len(drawn),
            "n_backbones": len(drawn_vectors),
            "n_labelled_crops": evidence.crops.n_named,
            "n_unshared": max(map(len, vectors.values())) - len(shared),
            "n_no_longer_there": len(shared) - len(ids),
        }
        numbers |= coverage(context, named("embeddings", backbones[0]))
        title = f"{len(drawn):,} crops of {evidence.crops.n_tracklets:,} tracklets, seed {config.seed}"
        return dg.MaterializeResult(
            value=table,
            check_results=[verdict(checks.LEADERBOARD, numbers)],
            metadata=numbers
            | figure_metadata(figures, context.asset_key, "leaderboard", leaderboard_plot(table, title)),
        )

    return leaderboard
