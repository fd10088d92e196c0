"""The asset `richness`: how many kinds there are."""

import dagster as dg
import polars as pl

from megafish_assets.orchestration.policy import seed_knob
from megafish_assets.reporting.metadata import column_lineage, coverage, last_numbers, table_metadata
from megafish_assets.reporting.verdicts import specs, verdict
from megafish_assets.sightings import checks, measures
from megafish_assets.sightings.columns import RICHNESS
from megafish_assets.sightings.richness import SureKinds, richness, sure_kinds
from megafish_assets.sightings.windows import CLIP
from megafish_assets.storage.catalog import Tables, named


class RichnessConfig(dg.Config):
    """How the intervals of rarefied richness are drawn."""

    seed: int = seed_knob(42, "Another seed draws other communities for the intervals.")


def richness_asset(backbone: str, knobs: type[RichnessConfig] = RichnessConfig) -> dg.AssetsDefinition:
    """How many kinds there are, by this backbone's kinds and their names."""

    @dg.asset(
        key="richness",
        check_specs=specs("richness", checks.RICHNESS),
        deps=[named("stability", backbone), named("kinds", backbone)],
        metadata=table_metadata(RICHNESS),
        kinds={"polars", "deltalake"},
    )
    def estimated(
        context: dg.AssetExecutionContext,
        config: knobs,
        sightings: pl.LazyFrame,
        abundance: pl.LazyFrame,
        tables: Tables,
    ):
        """How many kinds were seen at each station and at all, how many there are at least (Chao2), how complete that
        is, and how many a like coverage shows; clips are the units, and only named and sure kinds are counted."""
        searched = (pl.col("window_kind") == CLIP) & (pl.col("n_frames_searched") > 0)
        clips = abundance.filter(searched).select(pl.col("window").alias("video"), "station").unique().collect()
        counted = sightings.filter("is_counted").select("video", "name", "scientific_name", "kind_id").collect()
        clips = clips.sort("video")
        table = richness(clips, counted, stored_sure_kinds(context.instance, tables, backbone), config.seed)
        numbers = measures.richness_numbers(table) | coverage(context, "not_fish")
        return dg.MaterializeResult(
            value=table,
            metadata={name: number for name, number in numbers.items() if number is not None}
            | column_lineage({"sightings": ["station"]}),
            check_results=[verdict(checks.RICHNESS, numbers)],
        )

    return estimated


def stored_sure_kinds(instance: dg.DagsterInstance, tables: Tables, backbone: str) -> SureKinds:
    """What is stored of the sure kinds, and what `stability` last told of how many there are."""
    stability, clusters = named("stability", backbone), named("clusters", backbone)
    told = last_numbers(instance, stability, of=clusters)
    stored = (tables.rows("clusters", table) for table in (stability, named("kinds", backbone)))
    return SureKinds(sure_kinds(*stored), told.get("n_kinds_low"), told.get("n_kinds_high"))
