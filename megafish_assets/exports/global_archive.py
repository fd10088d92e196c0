"""`global_archive`: counts as GlobalArchive and CheckEM take them from EventMeasure: samples, MaxN and its points.

A clip is a sample (`opcode`). `count` is its MaxN, zero where a kind was searched for and not seen. CheckEM looks names
up by family, genus and species: what has no scientific name is `Unknown`, with what megafish calls it as species.
"""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from megafish_assets.exports.publication import missing
from megafish_assets.exports.tables import ExportTables
from megafish_assets.exports.writing import Part
from megafish_assets.sightings.windows import CLIP

UNKNOWN = "Unknown"

WANTED = ("latitude", "longitude", "start", "collection")
"""Of what data for others need, what CheckEM can't do without."""


def missing_for_archive_of_counts(tables: ExportTables) -> list[str]:
    """All that has to be said first."""
    return [said for said in missing(tables) if any(f"`{name}`" in said for name in WANTED)]


def write_global_archive(tables: ExportTables, folder: Path) -> list[Part]:
    """`<collection>_Metadata.csv`, `_Count.csv` and `_Points.txt`."""
    counts = _counts(tables)
    seen = counts.filter(pl.col("count") > 0)
    written = {
        "Metadata.csv": _metadata(tables),
        "Count.csv": counts.select("opcode", "family", "genus", "species", "count"),
        "Points.txt": _points(tables, seen),
    }
    parts = []
    for name, table in written.items():
        file = f"{tables.site.collection}_{name}"
        table.write_csv(folder / file, separator="\t" if name.endswith(".txt") else ",")
        parts.append(Part(file, name.split(".")[0], table.height))
    return parts


def _metadata(tables: ExportTables) -> pl.DataFrame:
    is_searched = pl.col("n_frames_searched").fill_null(0) > 0
    return tables.videos.select(
        pl.lit(tables.site.collection).alias("campaignid"),
        pl.col("video").alias("opcode"),
        pl.col("latitude").alias("latitude_dd"),
        pl.col("longitude").alias("longitude_dd"),
        pl.col("starts_at").dt.strftime("%Y-%m-%dT%H:%M:%S").alias("date_time"),
        pl.col("station").alias("site"),
        pl.col("depth").alias("depth_m"),
        pl.col("seconds_searched").alias("seconds_searched"),
        pl.when(is_searched).then(pl.lit("Yes")).otherwise(pl.lit("No")).alias("successful_count"),
        pl.lit("No").alias("successful_length"),
        pl.lit(f"megafish, labels {tables.origin.labels_version or 'none'}").alias("observer_count"),
    )


def _counts(tables: ExportTables) -> pl.DataFrame:
    clips = tables.abundance.filter(pl.col("window_kind") == CLIP)
    named = tables.kinds.select("kind", pl.col("scientific_name").alias("said"))
    words = pl.col("said").str.split(" ")
    has_two = words.list.len() >= 2
    known = clips.join(named, on="kind", how="left").with_columns(
        pl.col("window").alias("opcode"),
        pl.lit(UNKNOWN).alias("family"),
        pl.when(pl.col("said").is_null()).then(pl.lit(UNKNOWN)).otherwise(words.list.first()).alias("genus"),
        pl.when(has_two)
        .then(words.list.get(1, null_on_oob=True))
        .when(pl.col("said").is_null())
        .then("kind")
        .otherwise(pl.lit("spp"))
        .alias("species"),
        pl.col("max_n").alias("count"),
    )
    return known.sort("opcode", "genus", "species", "kind")


def _points(tables: ExportTables, seen: pl.DataFrame) -> pl.DataFrame:
    """A row a clip and kind, in the frame that reaches its MaxN."""
    files = tables.videos.select(pl.col("video").alias("opcode"), "video_file", "frames_per_second")
    rows = seen.join(files, on="opcode", how="left", maintain_order="left")
    minutes = pl.col("max_n_frame") / pl.col("frames_per_second") / 60
    return rows.select(
        "opcode",
        pl.lit(CLIP).alias("period"),
        minutes.round(4).alias("periodtime"),
        pl.col("video_file").alias("filename"),
        pl.col("max_n_frame").alias("frame"),
        "family",
        "genus",
        "species",
        pl.col("count").alias("number"),
    )


def read_global_archive(folder: Path) -> Mapping[str, int]:
    """Rows of each file, by what it holds."""
    counts = {}
    for path in folder.iterdir():
        separator = "\t" if path.suffix == ".txt" else ","
        table = pl.read_csv(path, separator=separator, infer_schema=False)
        counts[path.stem.rsplit("_", 1)[1]] = table.height
    return counts


def faults_of_global_archive(folder: Path) -> list[str]:
    """Samples that no metadata tell of, kinds that a sample counts twice, and points that do not add up to counts."""
    tables = {path.stem.rsplit("_", 1)[1]: path for path in folder.iterdir()}
    count, metadata = pl.read_csv(tables["Count"]), pl.read_csv(tables["Metadata"], infer_schema=False)
    points = pl.read_csv(tables["Points"], separator="\t")
    key, faults = ["opcode", "family", "genus", "species"], []
    strangers = set(count["opcode"].cast(pl.String)) - set(metadata["opcode"])
    if strangers:
        faults.append(f"samples without metadata: {', '.join(sorted(strangers)[:3])}")
    twice = count.filter(count.select(key).is_duplicated())
    if twice.height:
        faults.append(f"{twice['opcode'][0]} counts {twice['genus'][0]} {twice['species'][0]} twice")
    if points["number"].sum() != count["count"].sum():
        faults.append(f"points of {points['number'].sum()} animals, counts of {count['count'].sum()}")
    return faults
