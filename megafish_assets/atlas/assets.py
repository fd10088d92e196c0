"""The assets of pictures: `montages/<backbone>`, from one factory."""

import cv2
import dagster as dg
import numpy as np
import polars as pl
from pydantic import Field

from megafish_assets.atlas.columns import TILES
from megafish_assets.atlas.montage import chosen_tiles, draw_sheet, sheet_title
from megafish_assets.clusters.plots import cluster_colour
from megafish_assets.crops.overlay import jpeg
from megafish_assets.orchestration.metadata import column_lineage, coverage, picture, table_metadata
from megafish_assets.orchestration.resources import Figures

PAGE_WIDTH_PX = 900
PAGE_CLUSTERS = 12
"""Sheets in the page; every one is a file. Two of them take about 150 kB of the event log a cluster."""


class MontagesConfig(dg.Config):
    """Which tiles are drawn."""

    seed: int = Field(default=42, ge=0, description="Another seed draws other tiles.")


def montages_asset(backbone: str) -> dg.AssetsDefinition:
    """Two sheets a cluster, and the table that says which detection lies where."""

    @dg.asset(
        key=["montages", backbone],
        ins={
            "clusters": dg.AssetIn(["clusters", backbone]),
            "crops": dg.AssetIn("crops", metadata={"columns": ["detection_id", "jpeg"]}),
        },
        metadata=table_metadata(TILES),
        kinds={"opencv", "deltalake"},
        description="A 5 x 10 sheet of crops a cluster, one of the nearest to and farthest from its centre, and the "
        "table of their tiles.",
    )
    def montages(
        context: dg.AssetExecutionContext,
        config: MontagesConfig,
        clusters: pl.DataFrame,
        crops: pl.LazyFrame,
        figures: Figures,
    ) -> dg.Output[pl.DataFrame]:
        tiles = chosen_tiles(clusters, config.seed)
        wanted = tiles["detection_id"].unique().to_list()
        jpegs = dict(crops.filter(pl.col("detection_id").is_in(wanted)).collect().iter_rows())
        require_crops(jpegs, wanted)
        sheets, shown = {}, {}
        for (file, label), sheet in tiles.partition_by("file", "cluster", as_dict=True, maintain_order=True).items():
            title = sheet_title(backbone, clusters, label, sheet["sheet"][0], config.seed)
            drawn = cv2.cvtColor(draw_sheet(sheet, jpegs, title, cluster_colour(label)), cv2.COLOR_RGB2BGR)
            sheets[file] = encoded_png(drawn)
            if label < PAGE_CLUSTERS:
                shown[file.removesuffix(".png")] = picture(jpeg(drawn, PAGE_WIDTH_PX), title)
        figures.replace_all(context.asset_key, sheets)
        return dg.Output(
            tiles,
            metadata={
                "n_tiles": tiles.height,
                "sheets": dg.MetadataValue.path(str(figures.place(context.asset_key))),
            }
            | coverage(context, f"embeddings/{backbone}")
            | column_lineage({f"clusters/{backbone}": ["video", "detection_id", "cluster", "distance_to_centre"]})
            | shown,
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


def encoded_png(pixels_bgr: np.ndarray) -> bytes:
    """The picture as PNG."""
    return cv2.imencode(".png", pixels_bgr)[1].tobytes()
