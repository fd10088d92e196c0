"""A file's labels as rows of the table `labels`: with the key that keeps them single, and the names of the region."""

import hashlib
from collections.abc import Sequence

import polars as pl

from megafish_assets.labels.columns import LABELS
from megafish_assets.labels.said import SAID, clean_text

SPECIES_KEY = "species_key"


def labels_table(said: pl.DataFrame, source: str, content: bytes, species: pl.DataFrame) -> pl.DataFrame:
    """The columns `LABELS`, from the columns `SAID` of one file, in its order.

    A label's id is that of its file's content, its line and its place among the rows of that line, so that the same
    file gives the same ids. Names on the list of species are spelled as there, with their scientific name and number;
    a name that is not stays as it is.
    """
    digest = hashlib.sha256(content).hexdigest()[:16]
    place = pl.int_range(pl.len()).over("line")
    keyed = said.with_columns(
        pl.format("{}-{}-{}", pl.lit(digest), "line", place).alias("label_id"),
        pl.format("{}, line {}", pl.lit(source), "line").alias("source"),
    )
    listed = _keyed_species(species)
    known = keyed.with_columns(_key("label")).join(listed, on=SPECIES_KEY, how="left", maintain_order="left")
    rows = known.with_columns(
        pl.coalesce("listed_name", "label").alias("label"),
        pl.coalesce("scientific_name", "listed_scientific_name").alias("scientific_name"),
        pl.coalesce("aphia_id", "listed_aphia_id").alias("aphia_id"),
    )
    return rows.select(pl.col(name).cast(column.dtype) for name, column in LABELS.items())


def _key(column: str) -> pl.Expr:
    return pl.col(column).str.to_lowercase().str.strip_chars().alias(SPECIES_KEY)


def _keyed_species(species: pl.DataFrame) -> pl.DataFrame:
    """The list by name and by scientific name, in small letters; a name before a scientific one."""
    named = species.select(
        pl.col("name").alias("listed_name"),
        pl.col("scientific_name").alias("listed_scientific_name"),
        pl.col("aphia_id").alias("listed_aphia_id"),
    )
    keys = [named.with_columns(_key(name)) for name in ("listed_name", "listed_scientific_name")]
    return pl.concat(keys).drop_nulls(SPECIES_KEY).unique(SPECIES_KEY, keep="first", maintain_order=True)


def free_names(labels: pl.DataFrame, species: pl.DataFrame) -> list[str]:
    """Names that are not on the list, sorted; none where there is no list."""
    if species.is_empty():
        return []
    said = labels.filter(pl.col("status") == "approved").select("label").drop_nulls().unique()
    return said.join(species, left_on="label", right_on="name", how="anti")["label"].sort().to_list()


def said_of_table(table: pl.DataFrame, name: str) -> pl.DataFrame:
    """The columns `SAID` of a table of `label` beside `detection_id`, `tracklet_id` or both, as `MEGAFISH_LABELS` names
    one; `line` counts its rows. Raises ValueError for a table without them."""
    keys = [key for key in ("detection_id", "tracklet_id") if key in table.columns]
    if "label" not in table.columns or not keys:
        raise ValueError(f"labels need `label` and `detection_id` or `tracklet_id`; found {table.columns}")
    rows = table.with_row_index("line", offset=1).select(
        pl.col(column).cast(SAID[column].dtype) for column in ("line", *keys, "label")
    )
    cleaned = rows.with_columns(
        pl.col(column).map_elements(clean_text, pl.String) for column in (*keys, "label")
    ).filter(pl.col("label").is_not_null() & pl.any_horizontal(pl.col(keys).is_not_null()))
    missing = [
        pl.lit(None, column.dtype).alias(column_name)
        for column_name, column in SAID.items()
        if column_name not in ("line", *keys, "label", "status", "labelled_by")
    ]
    return cleaned.with_columns(*missing, status=pl.lit("approved"), labelled_by=pl.lit(name)).select(*SAID)


def repeated(labels: pl.DataFrame, keys: Sequence[str] = ("tracklet_id", "labelled_by")) -> int:
    """Tracklets to which one person gave several names in these rows."""
    approved = labels.filter(pl.col("status") == "approved").drop_nulls(["tracklet_id", "label"])
    return approved.group_by(*keys).agg(pl.n_unique("label")).filter(pl.col("label") > 1).height
