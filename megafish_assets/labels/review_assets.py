"""The asset of review sheets: `review`, a folder of HTML on which a person names what the clusters hold."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import polars as pl

from megafish_assets.clusters.recipes import FEATURE_SPACES
from megafish_assets.clusters.tables import recipe_of
from megafish_assets.labels import review_checks
from megafish_assets.labels.review import SEEN, Known, make_review
from megafish_assets.labels.review_columns import TILES
from megafish_assets.labels.review_folder import recordings_address
from megafish_assets.labels.review_measures import drawn_tiles, tiles_of_other_pixels
from megafish_assets.labels.review_sheets import units_not_on_one_sheet, units_of
from megafish_assets.labels.species import read_species
from megafish_assets.orchestration.policy import seed_knob
from megafish_assets.orchestration.sources import Recordings
from megafish_assets.reporting.figures import Figures
from megafish_assets.reporting.metadata import column_lineage, reduced_coverage, table_metadata
from megafish_assets.reporting.progress import Progress
from megafish_assets.reporting.verdicts import specs, verdict
from megafish_assets.storage.catalog import Tables, named

PLACES_KEY = dg.AssetKey("lens_places")


class ReviewConfig(dg.Config):
    """Which tiles are compared with their crops."""

    seed: int = seed_knob(42, "Another seed compares other tiles with their crops; the sheets are the same.")


def review_asset(
    backbone: str, species: Path | None = None, knobs: type[ReviewConfig] = ReviewConfig
) -> dg.AssetsDefinition:
    """The sheets of one backbone's clusters, and the table that says which detection is which tile.

    `species` is a list of names to offer, see `species_list`.
    """

    @dg.asset(
        check_specs=specs("review", review_checks.REVIEW),
        ins={
            "clusters": dg.AssetIn(named("clusters", backbone)),
            "stability": dg.AssetIn(named("stability", backbone)),
            "crops": dg.AssetIn("crops"),
            "sampled": dg.AssetIn("sampled_detections", metadata={"columns": SEEN}),
        },
        deps=[named("kinds", backbone), named("classes", backbone), "lens_places", "small_detections", "small_crops"],
        metadata=table_metadata(TILES),
        kinds={"opencv", "deltalake"},
        description="A folder of sheets that opens by double click, on which a person names clusters and tracklets; "
        "its *Save* gives `labels.csv`. What names most tracklets a minute comes first.",
    )
    def review(
        context: dg.AssetExecutionContext,
        config: knobs,
        clusters: pl.DataFrame,
        stability: pl.DataFrame,
        crops: pl.LazyFrame,
        sampled: pl.LazyFrame,
        tables: Tables,
        figures: Figures,
        recordings: Recordings,
    ):
        small, crops = tables.scan("detections", "small_detections"), tables.all_crops(crops)
        if small is not None:
            sampled = pl.concat([sampled.select(SEEN), small.select(SEEN)])
        known = Known(
            clusters,
            stability,
            kinds=tables.rows("clusters", named("kinds", backbone)),
            classes=tables.rows("labels", named("classes", backbone)),
            lens_places=tables.rows("detections", "lens_places"),
            species=read_species(species),
            small=None if small is None else small_crops_of(crops, small),
            place_jpegs={path.stem: path.read_bytes() for path in figures.place(PLACES_KEY).glob("p*.jpg")},
        )
        place = figures.place(context.asset_key)
        with figures.new_folder(context.asset_key) as folder:
            sheets, tiles = make_review(
                folder,
                crops,
                sampled,
                known,
                backbone,
                recordings_address(Path(recordings.folder), place),
                datetime.now(UTC).isoformat(timespec="seconds"),
                lambda what, total: Progress(context.log.info, what, total).step,
            )
            drawn = drawn_tiles(tiles, config.seed)
            wanted = crops.filter(pl.col("detection_id").is_in(drawn["detection_id"].to_list()))
            jpegs = dict(wanted.select("detection_id", "jpeg").collect().iter_rows())
            units = units_of(known.crops)
            numbers = {
                "n_units_not_on_one_sheet": units_not_on_one_sheet(tiles, units["unit_id"]),
                "n_tiles_of_other_pixels": tiles_of_other_pixels(folder, drawn, jpegs),
            }
        numbers |= reduced_coverage(context, tables, backbone, FEATURE_SPACES[recipe_of(clusters).features].table)
        return dg.MaterializeResult(
            value=tiles,
            check_results=[verdict(review_checks.REVIEW, numbers)],
            metadata=numbers
            | {
                "n_sheets": len(sheets),
                "n_tracklets": units.height,
                "n_tracklets_of_several_clusters": units.filter(pl.col("n_clusters") > 1).height,
                "n_compared_tiles": drawn.height,
                "page": dg.MetadataValue.path(str(place / "index.html")),
            }
            | column_lineage({named("clusters", backbone): ["video", "detection_id", "cluster", "tracklet_id"]}),
        )

    return review


def small_crops_of(crops: pl.LazyFrame, small: pl.LazyFrame) -> pl.DataFrame:
    """`video`, `detection_id` and `tracklet_id` of these detections that were cut."""
    cut = crops.filter(pl.col("fault").is_null()).select("video", "detection_id", "tracklet_id")
    return cut.join(small.select("detection_id"), on="detection_id", how="semi").collect()
