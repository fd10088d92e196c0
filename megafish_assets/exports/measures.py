"""What the check of an export measures."""

from collections.abc import Sequence

import polars as pl


def export_numbers(files: pl.DataFrame, faults: Sequence[str]) -> dict[str, float | str]:
    """Of the columns `FILES`, and of the format's rules that the files break."""
    lost = (pl.col("n_given") - pl.col("n_left_out") - pl.col("n_read")).abs()
    numbers = {
        "n_rows": files["n_read"].sum(),
        "n_lost_rows": files.select(lost.sum()).item(),
        "n_left_out": files["n_left_out"].sum(),
        "n_faults": len(faults),
    }
    return numbers | ({"first_fault": faults[0]} if faults else {})
