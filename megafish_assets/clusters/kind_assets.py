"""The assets of kinds that keep their identity: `kinds` with `kind_events`, and `kind_tree`, one a backbone."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
import polars as pl

from megafish_assets.clusters import checks, plots
from megafish_assets.clusters.assets import feature_ins
from megafish_assets.clusters.columns import KIND_EVENTS, KIND_TREE, KINDS
from megafish_assets.clusters.kind_fits import KindFits
from megafish_assets.clusters.measures import kind_numbers
from megafish_assets.clusters.recipes import FEATURE_SPACES
from megafish_assets.clusters.tables import recipe_of
from megafish_assets.clusters.tree import cluster_means, cluster_tree, together_of
from megafish_assets.embeddings.tables import EmbeddingStream
from megafish_assets.features.crop_rows import CropRows
from megafish_assets.features.fits import kinds_by_cluster, latest_fit
from megafish_assets.reporting.figures import Figures, figure_metadata
from megafish_assets.reporting.metadata import column_lineage, reduced_coverage, table_metadata
from megafish_assets.reporting.verdicts import specs, verdict
from megafish_assets.storage.catalog import Tables, named, of_backbone


def kinds_asset(backbone: str) -> dg.AssetsDefinition:
    """The lasting number of every cluster, and what happened since the last fit."""
    kinds_name, events_name = named("kinds", backbone), named("kind_events", backbone)

    @dg.multi_asset(
        name=kinds_name,
        outs={
            kinds_name: dg.AssetOut(
                metadata=table_metadata(KINDS) | of_backbone("kinds", backbone),
                kinds={"scipy", "deltalake"},
                description="The cluster and the kind of every tracklet in each kept fit: the last 30, and every one "
                "that a label mentions. A kind keeps its number from fit to fit, by the tracklets that two fits share.",
            ),
            events_name: dg.AssetOut(
                metadata=table_metadata(KIND_EVENTS) | of_backbone("kind_events", backbone),
                kinds={"polars", "deltalake"},
                description="What each fit has brought: kinds continued, born, split, merged or gone, with numbers.",
            ),
        },
        ins={"clusters": dg.AssetIn(named("clusters", backbone))},
        check_specs=specs(kinds_name, checks.KINDS),
    )
    def kinds(context: dg.AssetExecutionContext, clusters: pl.DataFrame, tables: Tables, figures: Figures):
        stored = KindFits.stored(*(tables.rows("clusters", name) for name in (kinds_name, events_name)))
        mentioned = tables.column("labels", "labels", "fit_version", pl.String).drop_nulls().unique().to_list()
        named_kind = tables.column("labels", "labels", "kind_id", pl.Int64).max() or 0
        fits = stored.with_fit(clusters, datetime.now(UTC), mentioned, named_kind)
        numbers = kind_numbers(fits, clusters) | reduced_coverage(
            context, tables, backbone, FEATURE_SPACES[recipe_of(clusters).features].table
        )
        title = f"{backbone}: {numbers['n_kinds']} kinds, fit {numbers['fit_version']}"
        picture = figure_metadata(figures, dg.AssetKey(kinds_name), "nights", plots.alluvial_plot(fits.kinds, title))
        yield from _stored_in_order(fits, kinds_name, events_name, numbers, picture, named("clusters", backbone))

    return kinds


def _stored_in_order(
    fits: KindFits, kinds_name: str, events_name: str, numbers: dict, picture: dict, clusters: str
) -> Iterator[dg.MaterializeResult]:
    # Events first: a run that is killed between the two tables finds the fit unknown, and tells its events again.
    told = {name: number for name, number in numbers.items() if number is not None}
    yield dg.MaterializeResult(asset_key=events_name, value=fits.events)
    yield dg.MaterializeResult(
        asset_key=kinds_name,
        value=fits.kinds,
        data_version=dg.DataVersion(numbers["fit_version"]),
        metadata=told | picture | column_lineage({clusters: ["video", "tracklet_id", "cluster"]}),
        check_results=[verdict(checks.KINDS, numbers)],
    )


def kind_tree_asset(backbone: str) -> dg.AssetsDefinition:
    """Which clusters lie next to each other, so that over-split kinds are seen and given one name."""

    @dg.asset(
        key=named("kind_tree", backbone),
        check_specs=specs(named("kind_tree", backbone), checks.KIND_TREE),
        ins={
            "clusters": dg.AssetIn(named("clusters", backbone)),
            "kinds": dg.AssetIn(named("kinds", backbone)),
            "stability": dg.AssetIn(named("stability", backbone)),
            **feature_ins(backbone),
        },
        metadata=table_metadata(KIND_TREE) | of_backbone("kind_tree", backbone),
        kinds={"scipy", "deltalake"},
        description="Average linkage of the clusters' means, and on each joint how often resamples of videos put the "
        "two sides together: where they often do, it is one kind, to be given one name.",
    )
    def kind_tree(
        context: dg.AssetExecutionContext,
        clusters: pl.DataFrame,
        kinds: pl.DataFrame,
        stability: pl.DataFrame,
        tables: Tables,
        figures: Figures,
        **spaces: EmbeddingStream,
    ):
        space = recipe_of(clusters).features
        crops, kind_ids = CropRows.of_clusters(clusters, spaces[space].whole()), kinds_by_cluster(kinds, clusters)
        version = latest_fit(kinds)["fit_version"][0]
        tree = cluster_tree(crops, together_of(stability, crops), kind_ids, version)
        sizes = dict(enumerate(cluster_means(crops)[1].tolist()))
        numbers = {
            "n_joints": tree.height,
            "n_joints_without_overlap": tree["overlap"].null_count(),
            "largest_overlap": tree["overlap"].max(),
        } | reduced_coverage(context, tables, backbone, FEATURE_SPACES[space].table)
        title = f"{backbone}, k = {len(sizes)}, fit {version}"
        return dg.MaterializeResult(
            value=tree,
            check_results=[verdict(checks.KIND_TREE, numbers)],
            metadata={name: number for name, number in numbers.items() if number is not None}
            | figure_metadata(figures, context.asset_key, "tree", plots.tree_plot(tree, sizes, kind_ids, title)),
        )

    return kind_tree
