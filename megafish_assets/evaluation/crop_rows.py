"""What is known of crops besides what grouped them, gathered from the tables, row for row."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from megafish_assets.evaluation.confounders import confounders
from megafish_assets.features.crop_rows import CropRows, borders_of
from megafish_assets.footage.columns import require_one_length


@dataclass(frozen=True)
class Borders:
    """The border pixels of some crops, by which the water is told."""

    rows: np.ndarray
    """int64 `(m,)`, which crops they are of."""
    pixels: np.ndarray
    """float32 `(m, N_BORDER)`, as `border_matrix` gives them."""

    def __post_init__(self) -> None:
        require_one_length(self, "rows", "pixels")

    @classmethod
    def drawn(cls, detection_ids: pl.Series, crops: pl.LazyFrame, n: int, seed: int) -> "Borders":
        """Of a seeded draw of at most n of these crops."""
        rows = np.sort(np.random.default_rng(seed).permutation(len(detection_ids))[:n])
        return cls(rows, borders_of(detection_ids[rows], crops))


@dataclass(frozen=True)
class Evidence:
    """What is known of crops besides what grouped them, row for row."""

    crops: CropRows
    spaces: Mapping[str, np.ndarray] = field(default_factory=dict)
    """`(n, d)` each, by name: where silhouettes are taken. They belong to one backbone."""
    confounders: Mapping[str, np.ndarray] = field(default_factory=dict)
    """As `confounders` gives them."""
    borders: Borders | None = None

    def __post_init__(self) -> None:
        for kind, arrays in (("space", self.spaces), ("confounder", self.confounders)):
            for name, values in arrays.items():
                if len(values) != len(self.crops):
                    raise ValueError(f"{kind} {name} of {len(values)} rows, beside {len(self.crops)} crops")

    def seen_in(self, spaces: Mapping[str, np.ndarray]) -> "Evidence":
        """The same with other spaces."""
        return replace(self, spaces=spaces)


def evidence_of(
    rows: pl.DataFrame, spaces: Mapping[str, np.ndarray], borders: Borders, labels: pl.DataFrame | None = None
) -> Evidence:
    """The evidence in what `seen_rows` and `Borders.drawn` found, and in what people say."""
    species = None if labels is None else species_of(rows, labels)
    crops = CropRows(rows["tracklet_id"].to_numpy(), rows["video"].to_numpy().astype(str), species=species)
    return Evidence(crops, spaces, confounders(rows), borders)


def names_of(words: pl.DataFrame) -> pl.DataFrame | None:
    """`tracklet_id`, `detection_id` and `label` of what bears a name from a person; None where nothing does.

    `words` holds `tracklet_id`, which is the detection's where it has none, `label` and `status`.
    """
    named = words.filter(pl.col("status") == "approved").drop_nulls("label")
    return named.select("tracklet_id", pl.col("tracklet_id").alias("detection_id"), "label") if named.height else None


def species_of(rows: pl.DataFrame, labels: pl.DataFrame) -> np.ndarray:
    """object `(n,)`, what people say of each row, None where nobody did: of a detection rather than of its tracklet.

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
        found = rows.select(key).join(known, on=key, how="left", maintain_order="left")["label"]
        said = pl.select(pl.coalesce(said, found)).to_series()
    return said.to_numpy()
