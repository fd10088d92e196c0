"""What is known of crops besides what grouped them, gathered from the tables, row for row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from megafish_assets.clusters.nuisances import nuisances
from megafish_assets.clusters.pooling import some_units
from megafish_assets.clusters.recipes import Recipe
from megafish_assets.crops.borders import border_matrix
from megafish_assets.embeddings.batch import EmbeddingBatch


@dataclass(frozen=True)
class Borders:
    """The border pixels of some crops, by which the water is told."""

    rows: np.ndarray
    """int64 `(m,)`, which crops they are of."""
    pixels: np.ndarray
    """float32 `(m, N_BORDER)`, as `border_matrix` gives them."""

    @classmethod
    def drawn(cls, detection_ids: pl.Series, crops: pl.LazyFrame, n: int, seed: int) -> "Borders":
        """Of a seeded draw of at most n of these crops."""
        rows = np.sort(np.random.default_rng(seed).permutation(len(detection_ids))[:n])
        return cls(rows, borders_of(detection_ids[rows], crops))


@dataclass(frozen=True)
class Evidence:
    """What is known of crops besides what grouped them, row for row."""

    tracklets: np.ndarray
    """str `(n,)`, "" for none."""
    videos: np.ndarray
    """str `(n,)`; trajectories where there are no videos."""
    spaces: Mapping[str, np.ndarray] = field(default_factory=dict)
    """`(n, d)` each, by name: where silhouettes are taken. They belong to one backbone."""
    nuisances: Mapping[str, np.ndarray] = field(default_factory=dict)
    """As `nuisances` gives them."""
    borders: Borders | None = None
    labels: np.ndarray | None = None
    """str `(n,)`, what people say a crop shows; "" where nobody did."""

    @property
    def n_tracklets(self) -> int:
        """Tracklets among them."""
        return len(set(self.tracklets.tolist()) - {""})

    @property
    def n_labelled(self) -> int | None:
        """Crops that bear a label; None where nobody has named any."""
        return None if self.labels is None else int((self.labels != "").sum())

    def seen_in(self, spaces: Mapping[str, np.ndarray]) -> "Evidence":
        """The same with other spaces."""
        return replace(self, spaces=spaces)


@dataclass(frozen=True)
class Crops:
    """Grouped crops, row for row."""

    features: np.ndarray
    """float32 `(n, m)`, what was grouped."""
    tracklets: np.ndarray
    """str `(n,)`, "" for none."""
    videos: np.ndarray
    """str `(n,)`."""
    labels: np.ndarray
    """int64 `(n,)`, -1 for noise."""

    def taken(self, rows: np.ndarray) -> "Crops":
        """Those of a mask or of row numbers."""
        return Crops(self.features[rows], self.tracklets[rows], self.videos[rows], self.labels[rows])

    def drawn(self, recipe: Recipe, n: int, seed: int) -> "Crops":
        """At most n of them, whole units of the recipe."""
        return self.taken(some_units(recipe.units_of(self.tracklets), n, seed))

    @classmethod
    def of(cls, clusters: pl.DataFrame, batch: EmbeddingBatch) -> "Crops":
        """The rows of a table with the columns `CLUSTERS`, sorted by id, and their features.

        Raises RowsApartError where the features are of other rows.
        """
        rows = clusters.sort("detection_id")
        features = aligned(rows, batch.detection_ids, batch.on_cpu(), "features")
        names, videos = (rows[name].to_numpy().astype(str) for name in ("tracklet_id", "video"))
        return cls(features, names, videos, rows["cluster"].to_numpy())


class RowsApartError(LookupError):
    """Two tables that were made from the same vectors hold other rows."""


def aligned(rows: pl.DataFrame, detection_ids: Sequence[str], values: np.ndarray, name: str) -> np.ndarray:
    """The values `(m, d)` of these ids `(m,)`, in the order of the rows. Raises RowsApartError where one is missing."""
    known = pl.DataFrame({"detection_id": pl.Series(detection_ids, dtype=pl.String)}).with_row_index("place")
    places = rows.select("detection_id").join(known, on="detection_id", how="left", maintain_order="left")["place"]
    if places.null_count():
        raise RowsApartError(
            f"{name} lacks {places.null_count()} of {rows.height} clustered rows: materialise {name} again, and "
            "clusters if it is newer"
        )
    return values[places.to_numpy()]


def still_there(detection_ids: Sequence[str], sampled: pl.LazyFrame, crops: pl.LazyFrame) -> np.ndarray:
    """str, those of these ids, in their order, that are sampled still and have a crop: a video may be on its way."""
    ids = pl.LazyFrame({"detection_id": pl.Series(detection_ids, dtype=pl.String)})
    cut = crops.filter(pl.col("border").is_not_null()).select("detection_id")
    there = sampled.select("detection_id").join(cut, on="detection_id", how="semi")
    met = ids.join(there, on="detection_id", how="semi", maintain_order="left").collect()
    return met["detection_id"].to_numpy()


def seen_rows(detection_ids: pl.Series, sampled: pl.LazyFrame, tracklets: pl.LazyFrame) -> pl.DataFrame:
    """The columns `SAMPLED`, `tracklet_id` ("" for none) and the pan of these ids, in their order.

    Raises RowsApartError where an id is not among the sampled.
    """
    ids = pl.LazyFrame({"detection_id": detection_ids})
    known = tracklets.select("detection_id", "tracklet_id", "pan_x_1024", "pan_y_1024")
    rows = ids.join(sampled, on="detection_id", how="left", maintain_order="left")
    rows = rows.join(known, on="detection_id", how="left", maintain_order="left").collect()
    if rows["video"].null_count():
        raise RowsApartError(
            f"{rows['video'].null_count()} of {rows.height} clustered rows are no longer sampled: materialise "
            "embeddings, pca, features and clusters again"
        )
    return rows.with_columns(pl.col("tracklet_id").fill_null(""))


def borders_of(detection_ids: Sequence[str], crops: pl.LazyFrame) -> np.ndarray:
    """float32 `(n, N_BORDER)`, the borders of these crops, in their order; `crops` holds the columns `CROPS`.

    Raises RowsApartError where a crop or its border is missing.
    """
    ids = pl.LazyFrame({"detection_id": pl.Series(detection_ids, dtype=pl.String)})
    known = crops.select("detection_id", "border")
    borders = ids.join(known, on="detection_id", how="left", maintain_order="left").collect()["border"]
    if borders.null_count():
        raise RowsApartError(
            f"{borders.null_count()} of {len(borders)} vectors have no crop with a border: materialise crops again, "
            "and embeddings after them"
        )
    return border_matrix(borders.to_list())


def evidence_of(
    rows: pl.DataFrame, spaces: Mapping[str, np.ndarray], borders: Borders, labels: pl.DataFrame | None = None
) -> Evidence:
    """The evidence in what `seen_rows` and `Borders.drawn` found, and in what people say."""
    names, videos = (rows[name].to_numpy().astype(str) for name in ("tracklet_id", "video"))
    said = None if labels is None else labels_of(rows, labels)
    return Evidence(names, videos, spaces, nuisances(rows), borders, said)


def labels_of(rows: pl.DataFrame, labels: pl.DataFrame) -> np.ndarray:
    """str `(n,)`, what people say of each row, "" where nobody did; of a detection itself rather than of its tracklet.

    `labels` holds `label` beside `detection_id`, `tracklet_id` or both. Raises ValueError for a table without them, and
    where one id has two labels.
    """
    keys = [key for key in ("detection_id", "tracklet_id") if key in labels.columns]
    if "label" not in labels.columns or not keys:
        raise ValueError(f"labels need `label` and `detection_id` or `tracklet_id`; found {labels.columns}")
    said = pl.Series([None] * rows.height, dtype=pl.String)
    for key in keys:
        text = [pl.col(name).cast(pl.String).str.strip_chars().replace("", None) for name in (key, "label")]
        known = labels.select(text).drop_nulls().unique()
        twice = known.filter(pl.col(key).is_duplicated())
        if twice.height:
            raise ValueError(f"{twice[key].n_unique()} {key}s have several labels, {twice[key][0]!r} first")
        met = rows.select(key).join(known, on=key, how="left", maintain_order="left")["label"]
        said = pl.select(pl.coalesce(said, met)).to_series()
    return said.fill_null("").to_numpy().astype(str)
