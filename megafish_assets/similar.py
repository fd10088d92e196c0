"""What `python -m megafish_assets similar` looks up and prints: the tracklets that look most like a crop."""

from dataclasses import dataclass

import polars as pl

from megafish_assets.features.similarity import N_SIMILAR
from megafish_assets.storage.catalog import Tables, named


class UnknownIdError(LookupError):
    """No crop or tracklet of this name has neighbors."""


@dataclass(frozen=True)
class Lookup:
    """The tables of a collection, as one backbone sees them."""

    tables: Tables
    backbone: str

    def similar(self, wanted: str, n: int) -> pl.DataFrame:
        """`detection_id`, `tracklet_id`, `distance`, `video_file`, `seconds` and `name` of the n most similar crops,
        nearest first, one a tracklet; `name` is what people or the classifier call it, else its cluster.

        `wanted` is a `detection_id`, or a `tracklet_id`, which stands for its first crop. Raises UnknownIdError, and
        ValueError for an n that can't be.
        """
        if not 1 <= n <= N_SIMILAR:
            raise ValueError(f"--n {n}: expected 1 to {N_SIMILAR}")
        found = self._neighbors(wanted).head(n)
        rows = self.tables.of("detections", "sampled_detections").scan()
        known = rows.select("detection_id", "tracklet_id", "video_file", seconds="seconds_in_video")
        found = found.lazy().join(known, on="detection_id", how="left", maintain_order="left").collect()
        distance, seconds = pl.col("distance").cast(pl.Float64).round(3), pl.col("seconds").round(2)
        return self._named(found).select("detection_id", "tracklet_id", distance, "video_file", seconds, "name")

    def _neighbors(self, wanted: str) -> pl.DataFrame:
        table = self.tables.of("features", named("neighbors", self.backbone)).scan()
        row = table.filter(pl.col("detection_id") == self._crop_of(wanted)).collect()
        if not row.height:
            raise UnknownIdError(
                f"{wanted!r} has no neighbors in neighbors_{self.backbone}: expected a detection_id of a crop, such as "
                "megalab_0012/000231/004, or a tracklet_id, such as megalab_0012/t00007"
            )
        lists = row.select(detection_id="neighbor_ids", distance="distances")
        return lists.explode("detection_id", "distance").drop_nulls("detection_id")

    def _crop_of(self, wanted: str) -> str:
        clusters = self.tables.of("clusters", named("clusters", self.backbone)).scan()
        first = clusters.filter(pl.col("tracklet_id") == wanted).select(pl.col("detection_id").min()).collect().item()
        return wanted if first is None else first

    def _named(self, found: pl.DataFrame) -> pl.DataFrame:
        clusters = self.tables.of("clusters", named("clusters", self.backbone)).scan()
        found = found.lazy().join(clusters.select("detection_id", "cluster"), on="detection_id", how="left").collect()
        cluster = pl.when(pl.col("cluster") >= 0).then(pl.format("cluster {}", "cluster")).otherwise(pl.lit("noise"))
        classes = self.tables.scan("labels", named("classes", self.backbone))
        if classes is None:
            return found.with_columns(name=cluster).sort("distance", maintain_order=True)
        unit = pl.coalesce("tracklet_id", "detection_id").alias("unit_id")
        known = classes.select("unit_id", "name").collect().unique("unit_id", keep="first", maintain_order=True)
        both = found.with_columns(unit).join(known, on="unit_id", how="left")
        return both.with_columns(name=pl.coalesce("name", cluster)).sort("distance", maintain_order=True)


def shown(rows: pl.DataFrame) -> str:
    """The rows as aligned text, a line a crop; letters that would steer a terminal are shown as their code."""
    cells = [rows.columns, *[[_plain(value) for value in row] for row in rows.iter_rows()]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)


def _plain(value: object) -> str:
    return "" if value is None else "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(value))
