"""Which detections have a believable size: the notebook's filter exactly."""

import polars as pl

from megafish_assets.detections.size_limits import SizeLimits


def within(limits: SizeLimits) -> pl.Expr:
    """True for a row that the limits keep; bounds belong to what is kept."""
    kept = pl.lit(True)
    for side in ("width", "height"):
        low, high = getattr(limits, f"{side}_low_log"), getattr(limits, f"{side}_high_log")
        size = pl.col(f"{side}_1024")
        kept = kept & size.log().is_between(low, high, closed="both") & (size >= limits.floor_1024)
    return kept


def filtered_detections(raw: pl.DataFrame, limits: SizeLimits) -> pl.DataFrame:
    """The kept rows with the version of the limits, in the order given."""
    return raw.filter(within(limits)).with_columns(pl.lit(limits.limits_version).alias("limits_version"))
