"""What was stored, for the few that read it without being given it."""

import dagster as dg
import polars as pl
from pydantic import Field

from megafish_assets.storage.delta import Table, table_of
from megafish_assets.storage.partitions import VIDEO_COLUMN


class Tables(dg.ConfigurableResource):
    """Read access to what an asset stored earlier, for the few that build on their own past."""

    root: str = Field(description="Folder of the Delta tables.")

    def stored(self, context: dg.AssetExecutionContext) -> pl.DataFrame | None:
        """All rows that the running asset's last run left; None if there was none."""
        table = table_of(self.root, context.assets_def.group_names_by_key[context.asset_key], context.asset_key)
        return table.scan().collect() if table.exists() else None

    def set_aside_videos(self) -> list[str]:
        """Videos of which some crop could not be cut, sorted."""
        table = Table(f"{self.root}/crops/crops")
        if not table.exists():
            return []
        aside = table.scan().filter(pl.col("fault").is_not_null())
        return aside.select(pl.col(VIDEO_COLUMN).unique().sort()).collect()[VIDEO_COLUMN].to_list()

    def tracked(self, video: str) -> pl.DataFrame:
        """The raw rows of a video that are in a tracklet, with its `tracklet_id`; empty where nothing is stored."""
        raw, tracklets = (Table(f"{self.root}/detections/{name}") for name in ("raw_detections", "tracklets"))
        if not raw.exists() or not tracklets.exists():
            return pl.DataFrame()
        own = pl.col(VIDEO_COLUMN) == video
        known = tracklets.scan().filter(own).select("detection_id", "tracklet_id")
        return raw.scan().filter(own).join(known, on="detection_id").collect()

    def unseen_videos(self, vectors: str, seen_by: str) -> list[str]:
        """Videos of which the first table holds vectors that the second, made from it, does not have, sorted.

        They were added since, or are of another version. Tables are named `<group>/<asset key>`.
        """
        columns = [VIDEO_COLUMN, "detection_id", "vectors_version"]
        there, seen = (Table(f"{self.root}/{name}").scan().select(columns) for name in (vectors, seen_by))
        unseen = there.join(seen, on=columns, how="anti").select(pl.col(VIDEO_COLUMN).unique().sort())
        return unseen.collect()[VIDEO_COLUMN].to_list()
