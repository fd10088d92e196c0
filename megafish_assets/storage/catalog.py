"""Where everything of a collection lies: the one module that puts paths together, as text that an address would do for
too.

```
<root>/tables/<room>/<asset>            a Delta table an asset, such as clusters/clusters_vit
<root>/tables/<room>/<asset>_model      the model that made its rows, where one did
<root>/figures/<asset>/                 plots, montages, films
<root>/exports/<export>/                files for other programs
<root>/inference  recordings/  dagster/ what the detector writes, the video files, Dagster's own storage
<root>/labels/inbox  read  refused      files of labels: laid here by people, and where they lie afterwards
<root>/recordings.csv  megafish.toml    what its owner says of the files, and of the platform
```

Not here: how a table is written, see `delta.py`, and where weights are, which belong to no collection: see
`embeddings/weights.py`, which also runs where neither Dagster nor Delta is installed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import polars as pl
from pydantic import Field

from megafish_assets.storage.delta import Table
from megafish_assets.storage.partitions import VIDEO_COLUMN

ASSET, BACKBONE = "asset", "backbone"
"""In the metadata of an asset that is made once a backbone: what its key is made of. Keys are never parsed."""


def named(asset: str, backbone: str) -> str:
    """The key of an asset that is made once a backbone."""
    return f"{asset}_{backbone}"


def of_backbone(asset: str, backbone: str) -> dict[str, str]:
    """The metadata that says what `named` has put together."""
    return {ASSET: asset, BACKBONE: backbone}


def asset_name(spec: dg.AssetSpec) -> str:
    """What an asset is called without its backbone."""
    return spec.metadata.get(ASSET, spec.key.path[-1])


def model_of(table: Table) -> Table:
    """Where the model lies that made a table's rows."""
    return Table(f"{table.uri}_model", table.storage_options)


def figure_folder(figures: str | Path, asset: str) -> Path:
    """Where an asset's pictures lie."""
    return Path(figures, asset)


def explorer_page(figures: str | Path) -> Path:
    """What a person opens to look around."""
    return figure_folder(figures, "explorer") / "index.html"


def review_page(figures: str | Path) -> Path:
    """What a person opens to name what the clusters hold."""
    return figure_folder(figures, "review") / "index.html"


def gap_page(figures: str | Path) -> Path:
    """What a person opens to mark what the detector missed."""
    return figure_folder(figures, "animals_gap") / "index.html"


def report_page(figures: str | Path) -> Path:
    """What a person reads in the morning."""
    return figure_folder(figures, "report") / "index.html"


def recording(folder: str | Path, video_file: str) -> Path | None:
    """Where a video of this name lies; None for a name, or a link, that leads out of the folder."""
    within = Path(folder).resolve()
    try:
        path = (within / video_file).resolve()
    except ValueError:  # a name with a null byte
        return None
    return path if path.is_relative_to(within) else None


@dataclass(frozen=True)
class Catalog:
    """The places of one collection."""

    root: Path

    @property
    def tables(self) -> Path:
        """Folder of the Delta tables."""
        return self.root / "tables"

    @property
    def figures(self) -> Path:
        """Folder of plots and montages."""
        return self.root / "figures"

    @property
    def exports(self) -> Path:
        """Folder of the files for other programs, a folder an export."""
        return self.root / "exports"

    @property
    def review_page(self) -> Path:
        """What a person opens to name what the clusters hold."""
        return review_page(self.figures)

    @property
    def report_page(self) -> Path:
        """What a person reads in the morning."""
        return report_page(self.figures)

    @property
    def first_look(self) -> Path:
        """Frames with the detector's boxes, drawn before anything is made."""
        return self.figures / "boxes.jpg"

    @property
    def inference(self) -> Path:
        """The detector's table, unless it lies elsewhere."""
        return self.root / "inference"

    @property
    def recordings(self) -> Path:
        """Folder of the video files, unless they lie elsewhere."""
        return self.root / "recordings"

    @property
    def owners_table(self) -> Path:
        """What the owner says of his files, if anything: starts and places."""
        return self.root / "recordings.csv"

    @property
    def knobs(self) -> Path:
        """What the owner has set of the assets' knobs, if anything."""
        return self.root / "megafish.toml"

    @property
    def labels(self) -> Path:
        """What people say of fish: files laid into `inbox`, those that were read, and those that were refused."""
        return self.root / "labels"

    @property
    def home(self) -> Path:
        """Dagster's own storage."""
        return self.root / "dagster"


class Tables(dg.ConfigurableResource):
    """The Delta tables of a collection, for the few that read what they are not given as an input."""

    root: str = Field(description="Folder, or address, of the Delta tables.")

    def of(self, room: str, asset: str) -> Table:
        """The table of an asset, which need not exist."""
        return Table(f"{self.root.rstrip('/')}/{room}/{asset}")

    def all(self) -> Iterator[tuple[str, Table]]:
        """Every table that is stored, by `<room>/<asset>`, sorted."""
        for log in sorted(Path(self.root).rglob("_delta_log")):
            yield str(log.parent.relative_to(self.root)), Table(str(log.parent))

    def stored(self, context: dg.AssetExecutionContext) -> pl.DataFrame | None:
        """All rows that the running asset's last run left; None if there was none."""
        key = context.asset_key
        return self.rows(context.assets_def.group_names_by_key[key], key.to_user_string())

    def model(self, room: str, asset: str) -> pl.DataFrame | None:
        """The model that an asset's last run left beside its rows; None if there was none."""
        table = model_of(self.of(room, asset))
        return table.scan().collect() if table.exists() else None

    def rows(self, room: str, asset: str) -> pl.DataFrame | None:
        """All rows of a table; None where there is no such table."""
        table = self.of(room, asset)
        return table.scan().collect() if table.exists() else None

    def column(self, room: str, asset: str, column: str, dtype: type[pl.DataType]) -> pl.Series:
        """One column of a table; empty where there is no such table."""
        table = self.of(room, asset)
        return table.scan().select(column).collect()[column] if table.exists() else pl.Series(dtype=dtype)

    def scan(self, room: str, asset: str) -> pl.LazyFrame | None:
        """All rows of a table, not yet read; None where there is no such table."""
        table = self.of(room, asset)
        return table.scan() if table.exists() else None

    def all_crops(self, crops: pl.LazyFrame) -> pl.LazyFrame:
        """The rows of `crops`, with those of `small_crops` where that was made; `is_small` says which is of these."""
        small = self.scan("crops", "small_crops")
        both = {False: crops} if small is None else {False: crops, True: small}
        return pl.concat([rows.with_columns(pl.lit(is_small).alias("is_small")) for is_small, rows in both.items()])

    def set_aside_videos(self) -> list[str]:
        """Videos of which some crop could not be cut, a small one too, sorted."""
        crops = self.scan("crops", "crops")
        if crops is None:
            return []
        aside = self.all_crops(crops).filter(pl.col("fault").is_not_null())
        return aside.select(pl.col(VIDEO_COLUMN).unique().sort()).collect()[VIDEO_COLUMN].to_list()

    def tracked(self, video: str) -> pl.DataFrame:
        """The raw rows of a video that are in a tracklet, with its `tracklet_id`; empty where nothing is stored."""
        raw, tracklets = (self.of("detections", asset) for asset in ("raw_detections", "tracklets"))
        if not raw.exists() or not tracklets.exists():
            return pl.DataFrame()
        of_video = pl.col(VIDEO_COLUMN) == video
        known = tracklets.scan().filter(of_video).select("detection_id", "tracklet_id")
        return raw.scan().filter(of_video).join(known, on="detection_id").collect()

    def videos_without(self, vectors: Table, reduced: Table) -> list[str]:
        """Videos of which the first table holds vectors that the second, made from it, does not have, sorted.

        They were added since, or are of another version.
        """
        columns = [VIDEO_COLUMN, "detection_id", "vectors_version"]
        there, seen = (table.scan().select(columns) for table in (vectors, reduced))
        unseen = there.join(seen, on=columns, how="anti").select(pl.col(VIDEO_COLUMN).unique().sort())
        return unseen.collect()[VIDEO_COLUMN].to_list()
