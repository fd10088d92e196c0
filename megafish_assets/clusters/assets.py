"""The assets of groups: `clusters` and `umap`, each one a backbone, by factories.

What they group is made in `reducing_assets.py`; what judges them lies in `judging_assets.py`.
"""

from dataclasses import replace
from typing import Literal

import dagster as dg
import polars as pl
from pydantic import Field, model_validator

from megafish_assets.clusters import checks, manifold, plots
from megafish_assets.clusters.columns import CLUSTERS, UMAP
from megafish_assets.clusters.frames import (
    centres_frame,
    centres_of,
    clusters_frame,
    labelled,
    model_parts,
    positions_frame,
    require_fit,
    tracklets_of,
    videos_of,
)
from megafish_assets.clusters.grouping import GIVEN_K, GROUPINGS
from megafish_assets.clusters.measures import cluster_numbers
from megafish_assets.clusters.recipes import FEATURES as FEATURES_BY_NAME
from megafish_assets.clusters.recipes import RECIPES, SEEN_BY, Recipe, at_k, grouped_features
from megafish_assets.clusters.reduction import Projection
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.orchestration.figures import figure_metadata
from megafish_assets.orchestration.forms import Fitted
from megafish_assets.orchestration.metadata import column_lineage, coverage, seen_through, table_metadata
from megafish_assets.orchestration.policy import seed_knob
from megafish_assets.orchestration.progress import Progress
from megafish_assets.orchestration.resources import Figures, Tables
from megafish_assets.orchestration.verdicts import specs, verdict

SEED = seed_knob(42, "Seed of every random choice of this asset.")


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

    @model_validator(mode="after")
    def _k_is_asked_for(self) -> "ClustersConfig":
        if self.k is not None and self.grouping not in (*GIVEN_K, "as_recipe"):
            raise ValueError(f"k = {self.k} with {self.grouping}, which finds k itself: leave k out, or choose another")
        return self

    def chosen(self, geometry: str) -> Recipe:
        """The recipe that these knobs say, on crops that were seen so."""
        recipe = RECIPES[self.recipe]
        if self.k is not None and self.grouping == "as_recipe":
            recipe = at_k(recipe, self.k)
        steps = {name: getattr(self, name) for name in ("features", "units", "space", "grouping")}
        steps = {name: step for name, step in steps.items() if step != "as_recipe"}
        recipe = replace(recipe, seed=self.seed, geometry=geometry, **steps)
        k = recipe.k if self.k is None else self.k
        return replace(recipe, k=k if recipe.grouping in GIVEN_K else None)


def clusters_asset(backbone: str, geometry: str, knobs: type[ClustersConfig] = ClustersConfig) -> dg.AssetsDefinition:
    """A label for every row, by the chosen recipe; `geometry` is how the collection's vectors saw the crops."""

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
        config: knobs,
        features: EmbeddingBatch,
        reduced: EmbeddingBatch,
        tracklets: pl.LazyFrame,
        tables: Tables,
    ):
        recipe = config.chosen(geometry)
        rows, seen_by = {"whitened": features, "pca": reduced}[recipe.features], SEEN_BY[recipe.features]
        names = tracklets_of(rows.detection_ids, tracklets)
        progress = Progress(context.log.info, "layouts", recipe.n_layouts)
        found = grouped_features(recipe, rows.on_cpu(), names, videos_of(rows.detection_ids), progress.step)
        numbers = cluster_numbers(found, recipe, names) | seen_through(context, tables, backbone, seen_by)
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


def umap_asset(backbone: str, knobs: type[UmapConfig] = UmapConfig) -> dg.AssetsDefinition:
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
        config: knobs,
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
        laid_out = manifold.umap_positions(
            space, n_neighbors, config.n_components, config.seed, found.step, context.log.info
        )
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
