"""The assets of pictures, by factories: `montages`, one a backbone, and `explorer`; and films that are asked for."""

import cv2
import dagster as dg
import numpy as np
import polars as pl

from megafish_assets.atlas import checks
from megafish_assets.atlas.columns import EXPLORER, TILES
from megafish_assets.atlas.embedding_atlas import write_parquet
from megafish_assets.atlas.explorer import (
    Linked,
    explored_of,
    explorer_files,
    explorer_table,
    folder_stills,
    unplayed_files,
)
from megafish_assets.atlas.film import tracklet_film
from megafish_assets.atlas.measures import (
    explorer_numbers,
    thumbs_of_other_pixels,
    tiles_of_another_cluster,
    tiles_of_other_pixels,
)
from megafish_assets.atlas.montage import chosen_tiles, draw_overview, draw_sheet, sheet_title
from megafish_assets.atlas.points import SAMPLED_COLUMNS, pictures_of, points_of
from megafish_assets.atlas.positions import placed, positions_before
from megafish_assets.atlas.stills import video_file
from megafish_assets.clusters.best_crops import best_crops
from megafish_assets.clusters.recipes import FEATURE_SPACES
from megafish_assets.clusters.support import supported
from megafish_assets.clusters.tables import recipe_of
from megafish_assets.crops.overlay import jpeg
from megafish_assets.embeddings.tables import EmbeddingStream
from megafish_assets.features.crop_rows import still_there
from megafish_assets.features.fits import kinds_by_cluster, latest_fit
from megafish_assets.features.layout import N_NEIGHBORS, sampled_trustworthiness
from megafish_assets.features.layout import known as known_number
from megafish_assets.features.plots import colour_of
from megafish_assets.labels.kind_names import kind_names, told_names
from megafish_assets.orchestration.policy import seed_knob, videos_asked
from megafish_assets.orchestration.sources import Recordings
from megafish_assets.reporting.figures import Figures
from megafish_assets.reporting.metadata import column_lineage, last_numbers, picture, reduced_coverage, table_metadata
from megafish_assets.reporting.progress import Progress
from megafish_assets.reporting.verdicts import specs, verdict
from megafish_assets.reporting.wording import many
from megafish_assets.storage.catalog import Tables, named, of_backbone
from megafish_assets.storage.partitions import VIDEOS

PAGE_WIDTH_PX = 800
"""Of the sheet of all clusters in the UI: about 150 kB of the event log for 50 of them."""


class MontagesConfig(dg.Config):
    """Which tiles are drawn."""

    seed: int = seed_knob(42, "Another seed draws other tiles.")


def montages_asset(backbone: str, knobs: type[MontagesConfig] = MontagesConfig) -> dg.AssetsDefinition:
    """Two sheets a cluster, and the table that says which detection lies where."""

    @dg.asset(
        key=named("montages", backbone),
        check_specs=specs(named("montages", backbone), checks.MONTAGES),
        ins={
            "clusters": dg.AssetIn(named("clusters", backbone)),
            "kinds": dg.AssetIn(named("kinds", backbone)),
            "classes": dg.AssetIn(named("classes", backbone)),
            "crops": dg.AssetIn("crops"),
            "sampled": dg.AssetIn("sampled_detections", metadata={"columns": ["detection_id", "score"]}),
        },
        deps=[named("stability", backbone)],  # how many kinds there are stands above the sheet of all clusters
        metadata=table_metadata(TILES) | of_backbone("montages", backbone),
        kinds={"opencv", "deltalake"},
        description="A 5 x 10 sheet of crops a cluster, one of its most typical and oddest, each "
        "tracklet by its best crop, and the table of their tiles.",
    )
    def montages(
        context: dg.AssetExecutionContext,
        config: knobs,
        clusters: pl.DataFrame,
        kinds: pl.DataFrame,
        classes: pl.DataFrame,
        crops: pl.LazyFrame,
        sampled: pl.LazyFrame,
        tables: Tables,
        figures: Figures,
    ):
        kind_ids, version = kinds_by_cluster(kinds, clusters), latest_fit(kinds)["fit_version"][0]
        names, fit = told_names(classes), f"{backbone}, fit {version}"
        plain_names = dict(kind_names(classes).select("kind_id", "name").iter_rows())
        sizes = crops.select("detection_id", "width_px", "height_px", "clipped_share")
        tiles = chosen_tiles(
            best_crops(supported(clusters), sampled.join(sizes, on="detection_id").collect()), config.seed
        )
        wanted = tiles["detection_id"].unique().to_list()
        cut = crops.select("detection_id", "jpeg").filter(pl.col("detection_id").is_in(wanted))
        jpegs = dict(cut.collect().iter_rows())
        require_crops(jpegs, wanted)
        sheets = {}
        for (file, label), sheet in tiles.partition_by("file", "cluster", as_dict=True, maintain_order=True).items():
            title = sheet_title(fit, clusters, kind_ids, label, sheet["sheet"][0], config.seed, names)
            sheets[file] = draw_sheet(sheet, jpegs, title, colour_of(label, kind_ids))
        n_clusters = clusters.filter(pl.col("cluster") >= 0)["cluster"].n_unique()
        told = last_numbers(context.instance, named("stability", backbone), named("clusters", backbone)).get("kinds")
        held = many(n_clusters, "cluster") + ("" if told is None else f" ({told})")
        title = f"{backbone}: all {held}, each with its crops, seed {config.seed}, fit {version}"
        overview = draw_overview(tiles, jpegs, clusters, kind_ids, title, plain_names)
        files = {"all_clusters.png": overview} | sheets
        figures.replace_all(context.asset_key, {file: png(sheet) for file, sheet in files.items()})
        numbers = {
            "fit_version": version,
            "n_tiles": tiles.height,
            "n_tiles_of_another_cluster": tiles_of_another_cluster(tiles, clusters),
            "n_tiles_of_other_pixels": tiles_of_other_pixels(tiles, sheets, jpegs),
        } | reduced_coverage(context, tables, backbone, FEATURE_SPACES[recipe_of(clusters).features].table)
        return dg.MaterializeResult(
            value=tiles,
            check_results=[verdict(checks.MONTAGES, numbers)],
            metadata=numbers
            | {
                "all_clusters": picture(jpeg(overview[..., ::-1], PAGE_WIDTH_PX), title),
                "n_sheets": len(sheets),
                "sheets": dg.MetadataValue.path(str(figures.place(context.asset_key))),
            }
            | column_lineage({named("clusters", backbone): ["video", "detection_id", "cluster", "distance_to_centre"]}),
        )

    return montages


def require_crops(jpegs: dict[str, bytes], wanted: list[str]) -> None:
    """Raises LookupError, saying what to do, where a clustered detection has no crop any more."""
    missing = [detection_id for detection_id in wanted if jpegs.get(detection_id) is None]
    if missing:
        raise LookupError(
            f"{len(missing)} tiles have no crop, {missing[0]} first: the sample has changed since the clusters were "
            "made; materialise embeddings, pca and clusters again"
        )


def png(pixels_rgb: np.ndarray) -> bytes:
    """The picture as PNG."""
    return cv2.imencode(".png", pixels_rgb[..., ::-1])[1].tobytes()


class ExplorerConfig(dg.Config):
    """How the map is laid out."""

    seed: int = seed_knob(42, "Another seed lays the map out anew.")


CLASS_TABLES = {"kinds": ("clusters", "kinds"), "classes": ("labels", "classes")}
"""What may be known of crops by a backbone, where a collection has it: room and asset."""


def explorer_asset(backbone: str, knobs: type[ExplorerConfig] = ExplorerConfig) -> dg.AssetsDefinition:
    """A folder that a browser opens by double click, of one backbone's crops, and where each lies on its map."""

    @dg.asset(
        key="explorer",
        check_specs=specs("explorer", checks.EXPLORER),
        ins={
            "clusters": dg.AssetIn(named("clusters", backbone)),
            "features": dg.AssetIn(named("features", backbone), dagster_type=EmbeddingStream),
            "neighbors": dg.AssetIn(named("neighbors", backbone)),
            "crops": dg.AssetIn("crops"),
            "sampled": dg.AssetIn("sampled_detections", metadata={"columns": list(SAMPLED_COLUMNS)}),
        },
        deps=[named("kinds", backbone), named("classes", backbone), "not_fish"],
        metadata=table_metadata(EXPLORER),
        kinds={"umap", "html", "deltalake"},
        description="A map of every clustered crop in a folder of files, opened in a browser by double click: colours, "
        "search, tiles, the most similar animals, and the video at its second. Beside it a Parquet file for "
        "embedding-atlas.",
    )
    def explorer(
        context: dg.AssetExecutionContext,
        config: knobs,
        clusters: pl.DataFrame,
        features: EmbeddingStream,
        neighbors: pl.LazyFrame,
        crops: pl.LazyFrame,
        sampled: pl.DataFrame,
        tables: Tables,
        figures: Figures,
        recordings: Recordings,
    ):
        folder, say = figures.place(context.asset_key), context.log.info
        known = {name: tables.scan(room, named(asset, backbone)) for name, (room, asset) in CLASS_TABLES.items()}
        n_clustered, there = clusters.height, still_there(clusters["detection_id"], sampled.lazy(), crops)
        clusters = clusters.filter(pl.col("detection_id").is_in(there))
        cut = pictures_of(clusters["detection_id"], crops)
        points = points_of(clusters, sampled, cut, **known, not_fish=tables.scan("detections", "not_fish"))
        ids = points["detection_id"].to_numpy()
        space = features.of(ids)
        found = Progress(say, "crops laid out by their neighbors", len(ids))
        positions, version = placed(ids, space, config.seed, tables.stored(context), found.step, say)
        drawn = Progress(say, "crops drawn small", len(ids))
        title = f"{backbone}, n = {many(len(ids), 'crop')}, seed {config.seed}"
        videos = {name: video_file(recordings.path(name)) for name in points["video_file"].unique().sort()}
        looked_at = Progress(say, "videos without a player in browsers", len(unplayed_files(videos)))
        stills, files = folder_stills(points, videos, folder, recordings.most_megapixels, looked_at.step)
        explored, sheets, jpegs = explored_of(
            title, points, positions, cut["jpeg"], neighbors.collect(), Linked(videos, stills), drawn.step
        )
        files |= explorer_files(explored, sheets, folder.resolve(), folder.parent.parent.resolve())
        figures.replace_all(context.asset_key, files)
        parquet = figures.place(dg.AssetKey("embedding_atlas")) / "explorer.parquet"
        write_parquet(parquet, explored, jpegs)
        table = explorer_table(explored, version)
        trust = sampled_trustworthiness(space, positions_before(ids, table), N_NEIGHBORS, config.seed)
        numbers = (
            explorer_numbers(explored, clusters)
            | {
                "n_no_longer_there": n_clustered - clusters.height,
                "n_thumbs_of_other_pixels": thumbs_of_other_pixels(sheets, jpegs, explored.thumb_px, config.seed),
                "trustworthiness": known_number(trust),
                "folder_mb": sum(map(len, files.values())) / 1e6,
            }
            | reduced_coverage(context, tables, backbone, "features")
        )
        return dg.MaterializeResult(
            value=table,
            check_results=[verdict(checks.EXPLORER, numbers)],
            metadata=numbers
            | {
                "open": dg.MetadataValue.path(str(folder / "index.html")),
                "embedding_atlas": dg.MetadataValue.path(str(parquet)),
            }
            | column_lineage({named("clusters", backbone): ["video", "detection_id"]}),
        )

    return explorer


@dg.op(
    config_schema=videos_asked("None: the first video."),
    description="Draws every tracklet on its video, as `figures/tracklets/<video>.mp4`.",
)
def film_tracklets(context: dg.OpExecutionContext, tables: Tables, recordings: Recordings, figures: Figures) -> None:
    for key in context.op_config["videos"] or context.instance.get_dynamic_partitions(VIDEOS.name)[:1]:
        rows = tables.tracked(key)
        if rows.is_empty():
            raise dg.Failure(
                f"{key} has no tracklets: materialise raw_detections and tracklets of it, or mend its name"
            )
        film, video = figures.place(dg.AssetKey("tracklets")) / f"{key}.mp4", recordings.path(rows["video_file"][0])
        if video is None:
            raise dg.Failure(f"{rows['video_file'][0]} lies outside the recordings folder")
        n_frames = tracklet_film(video, rows, film)
        context.log.info(f"{film}: {many(n_frames, 'frame')}, {many(rows['tracklet_id'].n_unique(), 'tracklet')}")


@dg.job(description="A film of each video with its tracklets drawn: look whether boxes stay with their animals.")
def draw_tracklets():
    film_tracklets()
