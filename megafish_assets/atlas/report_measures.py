"""What the check of the report measures, from the page as it was written."""

import polars as pl

from megafish_assets.atlas.report_content import Report
from megafish_assets.atlas.report_pictures import Pictures


def report_numbers(report: Report, pictures: Pictures, page: bytes, abundance: pl.DataFrame) -> dict[str, float | int]:
    """Of the page, and of what it should show."""
    seen = abundance.filter((pl.col("window_kind") == "all") & (pl.col("max_n") > 0))["kind"].unique()
    return {
        "page_mb": len(page) / 1e6,
        "n_kinds": len(report.named) + len(report.numbered),
        "n_named_kinds": len(report.named),
        "n_kinds_not_shown": len(set(seen) - {kind.name for kind in report.kinds}),
        "n_pictures": len(pictures.crops)
        + len(pictures.thumbs)
        + sum(f.jpeg is not None for f in pictures.frames.values()),
        "n_frames_missing": len(pictures.missing_frames(report.kinds)),
        "n_pictures_without_room": pictures.n_without_room,
        "n_checks_not_green": len(report.attention),
    }
