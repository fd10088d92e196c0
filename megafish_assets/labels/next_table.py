"""The tracklets to name next, as the table that is kept."""

import numpy as np
import polars as pl

from megafish_assets.labels.budget import NEXT, name_next
from megafish_assets.labels.columns import NAME_NEXT


def next_table(
    classes: pl.DataFrame, own: np.ndarray, looked_at: np.ndarray, sureness: np.ndarray, n: int = NEXT
) -> pl.DataFrame:
    """The columns `NAME_NEXT`, the most useful first; `classes` has a row for each row of `own`, see `name_next`."""
    places, reasons = name_next(own, classes["cluster"].to_numpy(), looked_at, sureness, n)
    rows = classes[places].with_columns(
        pl.int_range(1, len(places) + 1).alias("rank"), pl.Series("reason", reasons, dtype=pl.String)
    )
    return rows.select(pl.col(name).cast(column.dtype) for name, column in NAME_NEXT.items())
