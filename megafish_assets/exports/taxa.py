"""What a kind is called where only scientific names count."""

import polars as pl

from megafish_assets.exports.tables import ExportTables
from megafish_assets.labels.naming import UNNAMED

LSID = "urn:lsid:marinespecies.org:taxname:"
"""Before a number of the World Register of Marine Species; what OBIS takes for a `scientificNameID`."""

NAMELESS = "of a name without a scientific one (MEGAFISH_SPECIES gives it one)"
SAME_TAXON = "of another name of the same taxon, whose MaxN is as large or larger"
UNSURE = "that nobody has named (`taxon` in the section `site` says what they surely are)"


def taxa_of_kinds(tables: ExportTables) -> pl.DataFrame:
    """A row a kind: `kind`, `taxon`, `taxon_key`, which all names of one taxon share, `taxon_id` (an LSID),
    `qualifier`, `verbatim`, `is_searched` and `refused`.

    A cluster is no name: it is the site's `taxon`, told from others as `sp. <collection>-kind<number>` (Horton et al.
    2021, doi:10.3389/fmars.2021.620702), and what is in no cluster `indet.`. Only what has a name was searched for, so
    that its absence says anything. `refused` says why a kind can't be written, null where it can.
    """
    site, is_named = tables.site, pl.col("kind_id").is_null() & (pl.col("kind") != UNNAMED)
    tag = pl.format("sp. {}-kind{}", pl.lit(site.collection or "", pl.String), "kind_id")
    unsure, unsure_id = pl.lit(site.taxon, pl.String), pl.lit(site.taxon_aphia_id, pl.Int64)
    qualifier = pl.when(~is_named).then(pl.coalesce(tag, pl.lit("indet.")))
    table = tables.kinds.with_columns(
        pl.when(is_named).then(scientific_name()).otherwise(unsure).alias("taxon"),
        pl.when(is_named).then("aphia_id").otherwise(unsure_id).alias("number"),
        qualifier.alias("qualifier"),
        is_named.alias("is_searched"),
    )
    key = pl.col("taxon").str.to_lowercase()
    return table.select(
        "kind",
        "taxon",
        pl.coalesce(pl.col("number").min().over(key).cast(pl.String), key).alias("taxon_key"),
        (pl.lit(LSID) + pl.col("number").cast(pl.String)).alias("taxon_id"),
        "qualifier",
        pl.when(is_named).then("kind").otherwise(pl.concat_str("taxon", "qualifier", separator=" ")).alias("verbatim"),
        "is_searched",
        pl.when(pl.col("taxon").is_null()).then(pl.when(is_named).then(pl.lit(NAMELESS)).otherwise(pl.lit(UNSURE)))
        .alias("refused"),
    )  # fmt: skip


def scientific_name() -> pl.Expr:
    """That of a row of `KINDS` with the capital of its genus, however people wrote it."""
    name = pl.col("scientific_name")
    return name.str.head(1).str.to_uppercase() + name.str.slice(1)
