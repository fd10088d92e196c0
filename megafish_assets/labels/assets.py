"""The assets of names: `classes` and `name_next`, each one a backbone, made in one step by a factory."""

import dagster as dg
import polars as pl
from pydantic import Field

from megafish_assets.embeddings.tables import EmbeddingStream
from megafish_assets.features.tables import model_parts
from megafish_assets.features.whitening import Whitening
from megafish_assets.labels import checks, measures, plots
from megafish_assets.labels.budget import NEXT, budget_curve, n_curve_fits
from megafish_assets.labels.calibration import n_fits
from megafish_assets.labels.classifying import Seen
from megafish_assets.labels.columns import CLASSES, NAME_NEXT
from megafish_assets.labels.naming import NAMED_FROM, Words, classes_table, told_by
from megafish_assets.labels.next_table import next_table, open_units
from megafish_assets.labels.small import SEEN, SmallCrops
from megafish_assets.labels.units import Units, are_flagged, kind_of_units
from megafish_assets.orchestration.policy import seed_knob
from megafish_assets.reporting.figures import Figures, figure_metadata
from megafish_assets.reporting.metadata import column_lineage, reduced_coverage, table_metadata
from megafish_assets.reporting.progress import Progress
from megafish_assets.reporting.verdicts import specs, verdict
from megafish_assets.storage.catalog import Tables, named, of_backbone


class ClassesConfig(dg.Config):
    """From when on the classifier names, and how many tracklets it asks for."""

    named_from: float = Field(
        default=NAMED_FROM,
        ge=0.5,
        le=0.99,
        description="Probability from which the classifier names a tracklet. At 0.8, of real fish with ten labels a "
        "kind, 96 % of its names are right; higher, fewer tracklets are named and fewer wrongly.",
    )
    n_next: int = Field(default=NEXT, ge=1, le=1000, description="Tracklets that `name_next` lists.")
    seed: int = seed_knob(42, "Seed of the folds of the labels.")


def classes_asset(
    backbone: str, knobs: type[ClassesConfig] = ClassesConfig, names_small: bool = False
) -> dg.AssetsDefinition:
    """A name for every tracklet that can be named, and the tracklets to name next.

    `names_small` says that this backbone sees `small_crops` too, and names those that are too small to be grouped.
    """
    classes_name, next_name = named("classes", backbone), named("name_next", backbone)
    classes_key = dg.AssetKey(classes_name)

    @dg.multi_asset(
        name=classes_name,  # the step bears the name of one of its outputs: that is what `make materialise` asks for
        outs={
            classes_name: dg.AssetOut(
                metadata=table_metadata(CLASSES) | of_backbone("classes", backbone),
                kinds={"scikitlearn", "deltalake"},
                description="A name for every tracklet, by a person, by a classifier that a few labels teach and that "
                "may say 'don't know', or by its kind; with its probability, and the labelled tracklet most alike.",
            ),
            next_name: dg.AssetOut(
                metadata=table_metadata(NAME_NEXT) | of_backbone("name_next", backbone),
                kinds={"numpy", "deltalake"},
                description="The tracklets whose names would teach most: of each cluster without a name the most "
                "typical, then noise, then those that the classifier is least sure of.",
            ),
        },
        ins={
            "clusters": dg.AssetIn(named("clusters", backbone)),
            "features": dg.AssetIn(named("features", backbone), dagster_type=EmbeddingStream),
            "crops": dg.AssetIn("crops"),
            "sampled": dg.AssetIn("sampled_detections", metadata={"columns": ["detection_id", "score"]}),
            "said": dg.AssetIn("words"),
            "kinds": dg.AssetIn(named("kinds", backbone)),
        },
        deps=of_small(backbone) if names_small else [],
        check_specs=specs(classes_name, checks.CLASSES),
    )
    def classes(
        context: dg.AssetExecutionContext,
        config: knobs,
        clusters: pl.DataFrame,
        features: EmbeddingStream,
        crops: pl.LazyFrame,
        sampled: pl.LazyFrame,
        said: pl.DataFrame,
        kinds: pl.DataFrame,
        not_fish: pl.LazyFrame,
        tables: Tables,
        figures: Figures,
    ):
        sizes = crops.select("detection_id", "width_px", "height_px", "clipped_share")
        rows, vectors, seen_crops = clusters, features.whole(), sampled.join(sizes, on="detection_id").collect()
        small = stored_small(tables, backbone) if names_small else None
        if small is not None:
            rows, vectors = small.beside(rows, vectors)
            seen_crops = pl.concat([seen_crops.select(SEEN), small.table.select(SEEN)])
        units = Units.of_crops(rows, vectors, seen_crops)
        kind_ids = kind_of_units(units, kinds)
        is_flagged = are_flagged(units, flagged(not_fish), rows)
        words = Words.of(units, said)
        taught = words.taught(units)
        seen = Seen.of(units.features)
        fits = Progress(context.log.info, "fits to some of the labels", max(1, n_fits(taught) + n_curve_fits(taught)))
        told = told_by(seen, taught, words, config.seed, fits.step)
        table = classes_table(units, kind_ids, words, told, is_flagged, backbone, config.named_from)
        curve = budget_curve(seen, taught, config.seed, fits.step)
        asked = next_table(table, seen.own, open_units(table, words, is_flagged), config.n_next)
        numbers = measures.name_numbers(table, words, taught, told, curve, config.seed, config.named_from)
        numbers |= reduced_coverage(context, tables, backbone, "features")
        title = f"{backbone}: macro-F1 against labels, {len(taught)} given, seed {config.seed}"
        lineage = column_lineage({named("clusters", backbone): ["video", "tracklet_id", "cluster"]})
        known = {name: number for name, number in numbers.items() if number is not None}
        plot = figure_metadata(figures, classes_key, "label_budget", plots.budget_plot(curve, title))
        yield dg.Output(table, output_name=classes_name, metadata=known | lineage | plot)
        reasons = dict(asked.group_by("reason").len("n").iter_rows())
        yield dg.Output(asked, output_name=next_name, metadata=reasons)
        yield verdict(checks.CLASSES, numbers, asset=classes_key)

    return classes


def of_small(backbone: str) -> list[str]:
    """What names small fish: their boxes, crops and vectors, and the fit by which these become features."""
    return ["small_detections", "small_crops", named("small_embeddings", backbone), named("whitening", backbone)]


def stored_small(tables: Tables, backbone: str) -> SmallCrops | None:
    """The small crops with vectors of the whitening's version; None where none are stored."""
    vectors = tables.scan("embeddings", named("small_embeddings", backbone))
    crops, rows = tables.scan("crops", "small_crops"), tables.scan("detections", "small_detections")
    whitening = tables.rows("features", named("whitening", backbone))
    if vectors is None or crops is None or rows is None or whitening is None:
        return None
    stream = EmbeddingStream.of_table(vectors, whitening["vectors_version"].first())
    if not len(stream):
        return None
    model = Whitening.from_parts(model_parts(whitening))
    return SmallCrops.of(crops, rows.select("detection_id", "score"), stream, model)


def flagged(not_fish: pl.LazyFrame) -> list[str]:
    """The detections that are taken for no fish, for whatever reason: counts leave the same out. A person who names
    one, or its place, is believed by both."""
    rows = not_fish.filter(pl.col("reason").is_not_null()).select("detection_id")
    return rows.collect()["detection_id"].to_list()
