"""The tracklets to name next, as the table that is kept."""

import numpy as np
import polars as pl

from megafish_assets.footage.columns import typed
from megafish_assets.labels.budget import NEXT, UNGROUPED, Open, name_next
from megafish_assets.labels.columns import NAME_NEXT
from megafish_assets.labels.current import UNSURE
from megafish_assets.labels.naming import Words


def open_units(classes: pl.DataFrame, words: Words, is_flagged: np.ndarray) -> Open:
    """Whom to ask for, row for row of the columns `CLASSES`. What was only rejected is asked for still."""
    is_named = words.names.is_not_null().to_numpy()
    is_closed = is_named | is_flagged
    is_closed[words.places(UNSURE)] = True
    sureness = classes["probability"].fill_null(0.0).to_numpy()
    return Open(classes["cluster"].fill_null(UNGROUPED).to_numpy(), is_named, is_closed, sureness)


def next_table(classes: pl.DataFrame, own: np.ndarray, units: Open, n: int = NEXT) -> pl.DataFrame:
    """The columns `NAME_NEXT`, the most useful first; `classes`, `own` and `units` have a row a unit."""
    places, reasons = name_next(own, units, n)
    rows = classes[places].with_columns(
        pl.int_range(1, len(places) + 1).alias("rank"), pl.Series("reason", reasons, dtype=pl.String)
    )
    return typed(rows, NAME_NEXT)
