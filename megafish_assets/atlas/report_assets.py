"""The asset of the nightly report: `report`, one HTML file for people, and a table of what it shows."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import polars as pl

from megafish_assets.atlas.columns import REPORT
from megafish_assets.atlas.explorer import address
from megafish_assets.atlas.report_charts import charts_of
from megafish_assets.atlas.report_checks import REPORT as CHECK
from megafish_assets.atlas.report_content import Attention, Doubt, Kind, Report
from megafish_assets.atlas.report_doing import Doing, doing_of
from megafish_assets.atlas.report_doubt import LEAKS, doubt_of, newcomers_of, recall_of
from megafish_assets.atlas.report_html import report_html
from megafish_assets.atlas.report_kinds import kinds_of
from megafish_assets.atlas.report_measures import report_numbers
from megafish_assets.atlas.report_pictures import Pictures, boxes_of, carded, pictures_of, stills_for
from megafish_assets.atlas.report_searched import searched_of
from megafish_assets.atlas.report_table import report_table
from megafish_assets.atlas.report_times import times_of
from megafish_assets.atlas.stills import video_file
from megafish_assets.evaluation.checks import CONFOUNDERS
from megafish_assets.features.fits import latest_fit
from megafish_assets.labels.kind_names import kind_names
from megafish_assets.orchestration.attention import failing_now
from megafish_assets.orchestration.sources import Recordings
from megafish_assets.reporting.figures import Figures
from megafish_assets.reporting.metadata import column_lineage, coverage, last_numbers, table_metadata
from megafish_assets.reporting.progress import Progress
from megafish_assets.reporting.verdicts import specs, verdict
from megafish_assets.sightings.collecting import video_files
from megafish_assets.storage.catalog import Tables, explorer_page, gap_page, named, recording, review_page
from megafish_assets.storage.partitions import VIDEOS

LIMITS = {measure: CONFOUNDERS.limits[measure].at_most for measure in LEAKS}


def report_asset(backbone: str) -> dg.AssetsDefinition:
    """What a biologist reads in the morning, with the kinds of the backbone by which names are given."""

    @dg.asset(
        check_specs=specs("report", CHECK),
        deps=[
            *[named(asset, backbone) for asset in ("kinds", "stability", "confounders", "classes", "montages")],
            *("labels", "words", "richness", "small_crops", "animals_gap", "behavior", "schools", "moments"),
        ],
        metadata=table_metadata(REPORT),
        kinds={"plotly", "html", "deltalake"},
        description="One HTML file that opens by double click, can be mailed and prints to PDF: what was searched, the "
        "kinds with pictures and counts, when they were seen, what they do, what is new, how sure it is, and what "
        "needs attention.",
    )
    def report(
        context: dg.AssetExecutionContext,
        sightings: pl.LazyFrame,
        abundance: pl.DataFrame,
        raw_detections: pl.LazyFrame,
        tracklets: pl.LazyFrame,
        crops: pl.LazyFrame,
        tables: Tables,
        figures: Figures,
        recordings: Recordings,
    ):
        now, instance = datetime.now(UTC), context.instance
        crops = tables.all_crops(crops)
        kinds = kinds_of(abundance, sightings, crops)
        groups = tables.rows("clusters", named("kinds", backbone))
        names = stored_names(tables, backbone)
        told = Report(
            collection=Path(figures.folder).resolve().parent.name,
            made_at=now,
            backbone=backbone,
            searched=searched_of(
                abundance,
                sightings,
                raw_detections,
                len(instance.get_dynamic_partitions(VIDEOS.name)),
                tables.set_aside_videos(),
            ),
            kinds=kinds,
            times=times_of(abundance, kinds),
            doing=stored_doing(tables, kinds, figures, context.asset_key, recordings),
            newcomers=newcomers_of(
                tables.rows("clusters", named("kind_events", backbone)), groups, names, sightings, now
            ),
            doubt=stored_doubt(instance, tables, backbone, groups, names, sightings),
            attention=tuple(Attention(**vars(one)) for one in failing_now(context)),
            links=links(figures, context.asset_key),
            sheets=sheets(figures, context.asset_key, tables, backbone, groups),
            gap_page=reached(gap_page(figures.folder), figures, context.asset_key),
        )
        pictures, stills = drawn(context, told, crops, sightings, tracklets, raw_detections, figures, recordings)
        page = report_html(told, pictures, charts_of(told.times, told.doubt, kinds)).encode()
        figures.replace_all(context.asset_key, stills | {"index.html": page})
        numbers = report_numbers(told, pictures, page, abundance) | coverage(context, "crops")
        return dg.MaterializeResult(
            value=report_table(kinds, pictures),
            check_results=[verdict(CHECK, numbers)],
            metadata=numbers
            | {"open": dg.MetadataValue.path(str(figures.place(context.asset_key) / "index.html"))}
            | column_lineage({"abundance": ["kind", "max_n", "mean_count", "scientific_name"]}),
        )

    return report


def stored_names(tables: Tables, backbone: str) -> dict[int, str]:
    """What people call the kinds, by their number."""
    classes = tables.rows("labels", named("classes", backbone))
    return {} if classes is None else dict(kind_names(classes).select("kind_id", "name").iter_rows())


def stored_doubt(
    instance: dg.DagsterInstance,
    tables: Tables,
    backbone: str,
    groups: pl.DataFrame | None,
    names: Mapping[int, str],
    sightings: pl.LazyFrame,
) -> Doubt:
    """How sure it is, by what is stored."""
    words = tables.rows("labels", "words")
    return doubt_of(
        tables.rows("clusters", named("stability", backbone)),
        last_numbers(instance, named("stability", backbone), named("clusters", backbone)),
        groups,
        names,
        tables.rows("evaluation", named("confounders", backbone)),
        LIMITS,
        sightings,
        tables.rows("labels", "labels") if words is None else words,
        recall_of(last_numbers(instance, "animals_gap")),
        tables.rows("sightings", "richness"),
    )


def stored_doing(
    tables: Tables, kinds: tuple[Kind, ...], figures: Figures, asset_key: dg.AssetKey, recordings: Recordings
) -> Doing:
    """What they do, by what is stored."""
    page, films = figures.place(asset_key).absolute(), Path(figures.folder).absolute()
    return doing_of(
        tables.rows("sightings", "behavior"),
        tables.scan("sightings", "schools"),
        tables.rows("sightings", "moments"),
        [kind.name for kind in kinds],
        recording=lambda file: beside(page, Path(recordings.folder).absolute(), file, root=films.parent),
        film=lambda file: beside(page, films, file, root=films),
    )


def drawn(
    context: dg.AssetExecutionContext,
    told: Report,
    crops: pl.LazyFrame,
    sightings: pl.LazyFrame,
    tracklets: pl.LazyFrame,
    raw: pl.LazyFrame,
    figures: Figures,
    recordings: Recordings,
) -> tuple[Pictures, dict[str, bytes]]:
    """The pictures of the page, and the frames that are kept beside it for the next night, by their file names."""
    files = video_files(raw, {kind.max_n_video for kind in carded(told.kinds)} - {None})
    videos = {video: video_file(recordings.path(file)) for video, file in files.items()}
    looked_at = Progress(context.log.info, "videos looked into for the frames of MaxN", len(videos))
    stills, kept = stills_for(
        told.kinds, videos, figures.place(context.asset_key), recordings.most_megapixels, looked_at.step
    )
    newcomers = [crop for one in told.newcomers.born for crop in one.crops]
    boxes = boxes_of(carded(told.kinds), sightings, tracklets, raw)
    return pictures_of(told.kinds, newcomers, crops, stills, boxes), kept


def links(figures: Figures, asset_key: dg.AssetKey) -> dict[str, str]:
    """Other pages that are there, as this one reaches them."""
    pages = {
        "the map of all crops": explorer_page(figures.folder),
        "the sheets on which kinds are named": review_page(figures.folder),
    }
    found = {name: reached(page, figures, asset_key) for name, page in pages.items()}
    return {name: place for name, place in found.items() if place is not None}


def reached(page: Path, figures: Figures, asset_key: dg.AssetKey) -> str | None:
    """A page of the collection as this one reaches it; None where it is not there."""
    folder = figures.place(asset_key).resolve()
    return address(page.resolve(), folder, folder.parent) if page.is_file() else None


def beside(page: Path, folder: Path, file: str, root: Path) -> str | None:
    """A file of a folder, as a page in the folder `page` reaches it; None where it is not there, or not below `root`.

    A folder that is a link lies where the link does: browsers follow names.
    """
    path = recording(folder, file)
    is_there = path is not None and path.is_file() and folder.is_relative_to(root)
    return address(folder / file, page, root) if is_there else None


def sheets(
    figures: Figures, asset_key: dg.AssetKey, tables: Tables, backbone: str, groups: pl.DataFrame | None
) -> dict[int, str]:
    """Each kind's montage, as the page reaches it."""
    tiles = tables.rows("atlas", named("montages", backbone))
    if tiles is None or groups is None:
        return {}
    folder = figures.place(asset_key).resolve()
    place = figures.place(dg.AssetKey(named("montages", backbone))).resolve()
    of_kinds = latest_fit(groups).drop_nulls("kind_id").select("cluster", "kind_id").unique()
    files = tiles.filter(pl.col("sheet") == "random").select("cluster", "file").unique()
    found = of_kinds.join(files, on="cluster").sort("kind_id")
    return {
        kind_id: address(place / file, folder, folder.parent)
        for kind_id, file in found.select("kind_id", "file").iter_rows()
    }
