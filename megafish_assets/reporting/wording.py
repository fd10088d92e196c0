"""Numbers in sentences, and names in what is more than text."""

import re

import polars as pl


def many(n: int, thing: str) -> str:
    """`1 video`, `2 videos`."""
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"


def faults_text(rows: pl.DataFrame) -> str:
    """Why rows have a `fault`, the commonest first, a line a reason; empty if none has."""
    counts = rows.drop_nulls("fault").group_by("fault").len().sort(["len", "fault"], descending=[True, False])
    return "\n".join(f"{count} x {fault}" for fault, count in counts.iter_rows())


def markdown_text(text: str) -> str:
    """Text that Markdown shows as it is, in a table too."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~&])", r"\\\1", " ".join(text.split()))
