"""Counts as GlobalArchive and CheckEM read them: MaxN of each clip, by family, genus and species.

```
count/<campaign>_Count.csv        opcode, family, genus, species, count: a row a clip and species, zeros too,
                                  but where one was seen too briefly to count
count/<campaign>_Metadata.csv     opcode, place, time, depth, successful_count
points/<campaign>_Points.txt      the same MaxN as EventMeasure writes it, by tabs, with its frame: what was seen alone
points/<campaign>_Metadata.csv
```

Two folders, for CheckEM binds counts to points of one folder, and every MaxN would stand twice.

Source: github.com/GlobalArchiveManual/CheckEM, R/read_counts.R, R/read_points.R, R/read_metadata.R.
"""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from megafish_assets.exports.darwin_core import software
from megafish_assets.exports.publication import (
    SITE,
    at_doubled_hours,
    iso,
    missing_counts,
    missing_places,
    missing_times,
    zoned,
)
from megafish_assets.exports.sighted import BRIEF, with_is_sighted
from megafish_assets.exports.tables import ExportTables
from megafish_assets.exports.taxa import SAME_TAXON, scientific_name
from megafish_assets.exports.writing import Part, ReadAgain
from megafish_assets.labels.naming import UNNAMED
from megafish_assets.sightings.windows import CLIP

TAXON = ("family", "genus", "species")
COUNT = ("opcode", *TAXON, "count")
POINTS = ("opcode", "period", "periodtime", "filename", "frame", *TAXON, "number")
METADATA = (
    "opcode", "latitude_dd", "longitude_dd", "date_time", "site", "location", "status", "depth_m", "successful_count",
    "successful_length", "observer_count", "observer_length",
)  # fmt: skip

UNKNOWN, ANY_SPECIES = "Unknown", "spp"
"""CheckEM's words for a family or genus that nobody knows, and for any species of a genus."""

FAMILY = r"idae$"
"""How the name of every family of animals ends (International Code of Zoological Nomenclature, article 29.2)."""

HIGHER = (
    *("Animalia", "Chordata", "Vertebrata", "Gnathostomata", "Pisces", "Osteichthyes", "Actinopterygii", "Actinopteri"),
    *("Neopterygii", "Teleostei", "Percomorpha", "Sarcopterygii", "Chondrichthyes", "Elasmobranchii", "Holocephali"),
    *("Selachii", "Batoidea", "Agnatha", "Myxini", "Petromyzonti", "Tetrapoda", "Reptilia", "Testudines", "Mammalia"),
    *("Cetacea", "Aves", "Mollusca", "Cephalopoda", "Octopoda", "Teuthida", "Sepiida", "Gastropoda", "Bivalvia"),
    *("Arthropoda", "Crustacea", "Malacostraca", "Decapoda", "Brachyura", "Anomura", "Isopoda", "Amphipoda"),
    *("Echinodermata", "Cnidaria", "Anthozoa", "Hydrozoa", "Scyphozoa", "Cubozoa", "Ctenophora", "Porifera"),
    *("Annelida", "Polychaeta", "Tunicata", "Thaliacea"),
)
"""Taxa above the family that a camera in the sea may show and whose name no ending tells (World Register of Marine
Species): none of them is a genus."""

HIGHER_ENDING = r"(inae|oidea|oidei|iformes)$"
"""Of subfamilies and superfamilies (article 29.2), and, as fishes are called, of suborders and orders."""

NOT_SEARCHED = "of clips in which nothing was searched"
NOT_SEEN = "not seen, which points have no word for"


def missing_for_global_archive(tables: ExportTables) -> list[str]:
    """All that has to be said first: CheckEM puts every sample on a map, and knows it by its campaign."""
    said = []
    if tables.site.collection is None:
        said.append(f"the campaign, a short code that all files begin with: `collection` {SITE}")
    return said + missing_places(tables) + missing_times(tables) + missing_counts(tables)


def write_global_archive(tables: ExportTables, folder: Path) -> list[Part]:
    """Both ways of handing in, each with its metadata."""
    campaign, metadata = tables.site.collection, metadata_table(tables)
    clips = tables.abundance.filter(pl.col("window_kind") == CLIP)
    searched = clips.filter(pl.col("n_frames_searched") > 0)
    species = counted(tables, searched)
    counts = species.filter((pl.col("max_n") > 0) | ~pl.col("is_sighted"))
    seen = counts.filter(pl.col("max_n") > 0)
    for place in ("count", "points"):
        (folder / place).mkdir()
        metadata.write_csv(folder / place / f"{campaign}_Metadata.csv")
    counts.with_columns(count="max_n").select(COUNT).write_csv(folder / "count" / f"{campaign}_Count.csv")
    points_table(tables, seen).write_csv(folder / "points" / f"{campaign}_Points.txt", separator="\t")
    doubled = at_doubled_hours(tables.videos["starts_at"], tables)
    left_out = {
        NOT_SEARCHED: clips.height - searched.height,
        SAME_TAXON: searched.height - species.height,
        BRIEF: species.height - counts.height,
    }
    return [
        Part(f"count/{campaign}_Count.csv", "count", clips.height, left_out),
        Part(f"count/{campaign}_Metadata.csv", "metadata of count", tables.videos.height, changed=doubled),
        Part(
            f"points/{campaign}_Points.txt",
            "points",
            clips.height,
            left_out | {NOT_SEEN: counts.height - seen.height},
        ),
        Part(f"points/{campaign}_Metadata.csv", "metadata of points", tables.videos.height, changed=doubled),
    ]


def names_of_kinds(tables: ExportTables) -> pl.DataFrame:
    """`kind`, `family`, `genus` and `species` of all that is counted.

    What has no scientific name keeps the one that it has as its species, of an unknown genus, so that no two kinds
    become one: `kind 3` is nobody's word (`labels.said.RESERVED`). `unnamed` is any species, and what people call so is
    not. A name above the genus that is no family is a species of an unknown genus too.
    """
    words = scientific_name().str.replace_all(r"\([^)]*\)", " ").str.strip_chars().str.split(" ")
    words = words.list.eval(pl.element().filter(pl.element() != ""))
    first, rest = words.list.first(), words.list.slice(1).list.join(" ")
    is_known, is_family = first.is_not_null(), first.str.contains(FAMILY).fill_null(False)
    is_higher = (first.is_in(HIGHER) | first.str.contains(HIGHER_ENDING)).fill_null(False)
    epithet = pl.when(rest.str.contains(r"^(sp|spp)?\.?$")).then(pl.lit(ANY_SPECIES)).otherwise(rest)
    is_called_any = pl.col("kind").str.to_lowercase() == ANY_SPECIES
    called = (
        pl.when(pl.col("kind") == UNNAMED)
        .then(pl.lit(ANY_SPECIES))
        .when(is_called_any)
        .then(pl.format("called {}", "kind"))
        .otherwise("kind")
    )
    return tables.kinds.select(
        "kind",
        pl.when(is_family).then(first).otherwise(pl.col("family")).fill_null(UNKNOWN).alias("family"),
        pl.when(is_known & ~is_family & ~is_higher).then(first).otherwise(pl.lit(UNKNOWN)).alias("genus"),
        pl.when(is_higher).then(first).when(is_known).then(epithet).otherwise(called).alias("species"),
    )


def counted(tables: ExportTables, searched: pl.DataFrame) -> pl.DataFrame:
    """Of these rows of `abundance`, one a clip and species, with its taxon as `TAXON`, `opcode`,
    and `is_sighted` of any name of the species, in order.

    Of two names of one species the larger MaxN stands: their sum may count an animal twice, and the larger alone never
    does.
    """
    searched = with_is_sighted(searched, tables, CLIP)
    named = searched.join(names_of_kinds(tables), on="kind").with_columns(pl.col("window").alias("opcode"))
    named = named.with_columns(pl.col("is_sighted").any().over("opcode", *TAXON))
    order = named.sort("opcode", *TAXON, -pl.col("max_n"), "kind")
    return order.unique(["opcode", *TAXON], keep="first", maintain_order=True)


def points_table(tables: ExportTables, seen: pl.DataFrame) -> pl.DataFrame:
    """The columns `POINTS`: one point a species and clip, at the first frame of its MaxN, which is its `number`.

    Not a point an animal: MaxN outlasts frames in which the detector missed one. `periodtime` is in minutes.
    """
    videos = tables.videos.select(opcode="video", filename="video_file", rate="frames_per_second")
    minutes = pl.col("max_n_frame") / pl.col("rate") / 60
    placed = seen.join(videos, on="opcode", how="left", maintain_order="left")
    return placed.with_columns(
        pl.lit(1).alias("period"),
        minutes.round(5).alias("periodtime"),
        pl.col("max_n_frame").alias("frame"),
        pl.col("max_n").alias("number"),
    ).select(POINTS)


def metadata_table(tables: ExportTables) -> pl.DataFrame:
    """The columns `METADATA`, a row a clip; what nobody said is empty."""
    local = pl.col("starts_at").dt.to_string("%Y-%m-%dT%H:%M:%S")
    time = local if tables.site.time_zone is None else pl.coalesce(iso(zoned("starts_at", tables), ""), local)
    was_searched = (pl.col("n_frames_searched") > 0).fill_null(False)
    return tables.videos.select(
        pl.col("video").alias("opcode"),
        pl.col("latitude").alias("latitude_dd"),
        pl.col("longitude").alias("longitude_dd"),
        time.alias("date_time"),
        pl.col("station").alias("site"),
        *[pl.lit(None, pl.String).alias(name) for name in ("location", "status")],
        pl.col("depth").alias("depth_m"),
        pl.when(was_searched).then(pl.lit("Yes")).otherwise(pl.lit("No")).alias("successful_count"),
        pl.lit("No").alias("successful_length"),  # boxes have no metres
        pl.lit(f"{software(tables)}, {tables.source}").alias("observer_count"),
        pl.lit(None, pl.String).alias("observer_length"),
    ).select(METADATA)


FILES = {
    "count": ("count/*_Count.csv", ","),
    "points": ("points/*_Points.txt", "\t"),
    "metadata of count": ("count/*_Metadata.csv", ","),
    "metadata of points": ("points/*_Metadata.csv", ","),
}
"""Where each part lies, and what stands between its cells."""


def _read(folder: Path, part: str) -> pl.DataFrame:
    pattern, separator = FILES[part]
    [path] = folder.glob(pattern)
    return pl.read_csv(path, separator=separator, infer_schema=False)


def read_global_archive(folder: Path) -> ReadAgain:
    """Rows of every file, and what CheckEM would count wrongly or leave out."""
    tables = {part: _read(folder, part) for part in FILES}
    return ReadAgain({part: table.height for part, table in tables.items()}, _faults(tables))


def _faults(tables: Mapping[str, pl.DataFrame]) -> list[str]:
    counts, points, metadata = (tables[part] for part in ("count", "points", "metadata of count"))
    counts = counts.with_columns(pl.col("count").cast(pl.Int64))
    key, told = ["opcode", *TAXON], []
    twice = counts.height - counts.unique(key).height
    known = metadata.filter(successful_count="Yes")["opcode"].implode()
    unknown = counts.filter(~pl.col("opcode").is_in(known)).height
    numbers = points.select(*key, pl.col("number").cast(pl.Int64))
    seen = counts.filter(pl.col("count") > 0).select(*key, pl.col("count").alias("number"))
    other = pl.concat([numbers, seen]).with_columns(pl.len().over([*key, "number"]).alias("n")).filter(n=1).height
    for what, n in (
        ("species that stand twice in a clip", twice),
        ("counts of clips that were not searched", unknown),
        ("counts that points do not say, or say otherwise", other),
    ):
        told += [f"{what}: {n}"] if n else []
    return told
