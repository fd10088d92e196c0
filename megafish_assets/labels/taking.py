"""A file's labels as rows of the table `labels`: with the key that keeps them single, and the names of the region."""

import hashlib
from datetime import datetime

import polars as pl

from megafish_assets.footage.columns import typed
from megafish_assets.labels.columns import LABELS
from megafish_assets.labels.contradictions import contradicting
from megafish_assets.labels.said import LabelFileError
from megafish_assets.labels.species import species_key
from megafish_assets.labels.table_files import column_name, header_of, id_labels

WORD = ("label", "scientific_name", "aphia_id", "note")
"""What a row says besides its status."""

N_PARTS = 5
"""Of the `label_id` of what the table of MEGAFISH_LABELS said: file, line, place, `written_of` and `written`."""


def labels_table(said: pl.DataFrame, source: str, content: bytes, species: pl.DataFrame) -> pl.DataFrame:
    """The columns `LABELS`, from the columns `SAID` of one file, in its order.

    A label's id is that of its file's content, of who says it and when, of its line and its place in that line: the
    same file gives the same ids, and what another person says alike, or the same one again, is another word. Names on
    the list of species are spelled as there, with their scientific name and number; a name that is not stays as it is.
    """
    spoken = said.select("labelled_by", "labelled_at").unique().sort("labelled_by", "labelled_at").rows()
    digest = hashlib.sha256(content + repr([(by, str(at)) for by, at in spoken]).encode()).hexdigest()[:16]
    place = pl.int_range(pl.len()).over("line")
    keyed = said.with_columns(
        pl.format("{}-{}-{}", pl.lit(digest), "line", place).alias("label_id"),
        pl.format("{}, line {}", pl.lit(source), "line").alias("source"),
    )
    keyed = keyed.with_columns(species_key=species_key("label"))
    known = keyed.join(_keyed_species(species), on="species_key", how="left", maintain_order="left")
    rows = known.with_columns(
        pl.coalesce("listed_name", "label").alias("label"),
        pl.coalesce("scientific_name", "listed_scientific_name").alias("scientific_name"),
        pl.coalesce("aphia_id", "listed_aphia_id").alias("aphia_id"),
    )
    return typed(rows, LABELS)


def _keyed_species(species: pl.DataFrame) -> pl.DataFrame:
    """The list by name and by scientific name, in small letters; a name before a scientific one."""
    named = species.select(
        pl.col("name").alias("listed_name"),
        pl.col("scientific_name").alias("listed_scientific_name"),
        pl.col("aphia_id").alias("listed_aphia_id"),
    )
    keys = [named.with_columns(species_key=species_key(name)) for name in ("listed_name", "listed_scientific_name")]
    return pl.concat(keys).drop_nulls("species_key").unique("species_key", keep="first", maintain_order=True)


def free_names(labels: pl.DataFrame, species: pl.DataFrame) -> list[str]:
    """Names that are not on the list, sorted; none where there is no list."""
    if species.is_empty():
        return []
    said = labels.filter(pl.col("status") == "approved").select("label").drop_nulls().unique()
    listed = _keyed_species(species)["species_key"].implode()
    return said.filter(~species_key("label").is_in(listed))["label"].sort().to_list()


def said_of_table(table: pl.DataFrame, name: str, now: datetime) -> pl.DataFrame:
    """The columns `SAID` of a table of `label` beside `detection_id`, `tracklet_id` or both, as `MEGAFISH_LABELS` names
    one, all said `now` by the table; `line` counts its rows from 2, below its header.

    Read as `id_labels` reads a file of ids: a row without a name or an id says nothing. Raises ValueError for a table
    without them, and for what such a file may not hold either.
    """
    flat = [column for column, dtype in table.schema.items() if not dtype.is_nested()]
    texts = table.select(pl.col(column).cast(pl.String).fill_null("") for column in flat)
    rows = [(1, flat), *((line, list(cells)) for line, cells in enumerate(texts.iter_rows(), start=2))]
    columns = header_of(rows)
    keys = {"detection_id", "tracklet_id"} & columns
    if "label" not in columns or not keys:
        raise LabelFileError(f"labels need `label` and `detection_id` or `tracklet_id`; found {table.columns}")
    header = [column_name(cell) for cell in flat]
    places = [place for place, column in enumerate(header) if column in keys]
    said = id_labels([rows[0], *(row for row in rows[1:] if any(row[1][place].strip() for place in places))], name, now)
    said = said.with_columns(labelled_by=pl.lit(name), labelled_at=pl.lit(now))
    if contradiction := contradicting(said):
        raise LabelFileError(contradiction)
    return said


def with_written(said: pl.DataFrame) -> pl.DataFrame:
    """The columns `SAID` of a table with `written_of` and `written`, digests of the ids in a row and of all words that
    the table has for these, in its order and as they stand there.
    """
    words = pl.concat_str("status", *(pl.col(name).cast(pl.String).fill_null("") for name in WORD), separator="\x1f")
    ids = pl.concat_str(pl.col("detection_id", "tracklet_id").fill_null(""), separator="\x1f")
    keyed = said.with_columns(ids.alias("written_of"), words.alias("written"))
    keyed = keyed.with_columns(pl.col("written").str.join("\x1e").over("written_of"))
    return keyed.with_columns(pl.col("written_of", "written").map_elements(_digest, pl.String))


def news_of_table(said: pl.DataFrame, name: str, stored: pl.DataFrame) -> pl.DataFrame:
    """Those rows of `with_written` whose words are not the last that the table had for the same; see `with_keys`."""
    parts = pl.col("label_id").str.split("-").list
    kept = stored.filter((pl.col("labelled_by") == name) & (parts.len() == N_PARTS)).sort("labelled_at")
    last = kept.select(parts.get(-2).alias("written_of"), parts.get(-1).alias("written"))
    last = last.unique("written_of", keep="last", maintain_order=True)
    return said.join(last, on=["written_of", "written"], how="anti", maintain_order="left")


def with_keys(rows: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    """The columns `LABELS` of the same rows, whose `label_id` ends in what the table had written."""
    return rows.with_columns(pl.concat_str(rows["label_id"], said["written_of"], said["written"], separator="-"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def repeated(labels: pl.DataFrame) -> int:
    """Tracklets, or detections without one, to which one person gave several names in these rows, by their ids there.

    Names and people that differ in capitals alone are one.
    """
    fish = pl.coalesce("tracklet_id", "detection_id").alias("fish")
    approved = labels.filter((pl.col("status") == "approved") & pl.col("place_id").is_null())
    said = approved.select(fish, pl.col("labelled_by", "label").str.to_lowercase()).drop_nulls(["fish", "label"])
    several = said.group_by("fish", "labelled_by").agg(pl.n_unique("label")).filter(pl.col("label") > 1)
    return several["fish"].n_unique()
