"""How large a box may be: the notebook's four limits and its floor."""

import hashlib
import math
from dataclasses import dataclass, fields

import polars as pl

FLOOR_1024 = 32.0
"""Smallest kept width and height, px in the stretched frame (60 x 34 px of a 1080p frame): the notebook's."""

SPREAD_STDS = 2.0
"""Kept distance from the median of the logs, in sample standard deviations: the notebook's."""


GRAIN = 1e11
"""Limits lie on a grid of this many steps a unit of their logs, rounded outwards: sums of many rows differ by about
1e-15 with their order, and the same rows have one version; boxes that are all equal stay within."""


@dataclass(frozen=True)
class SizeLimits:
    """What the filter keeps, bounds included. Logs are natural, of px in the stretched frame."""

    width_low_log: float
    width_high_log: float
    height_low_log: float
    height_high_log: float
    floor_1024: float
    n_rows: int
    """Raw rows behind the values."""

    @property
    def limits_version(self) -> str:
        """Twelve hexadecimal digits that change with the four limits or the floor."""
        values = (self.width_low_log, self.width_high_log, self.height_low_log, self.height_high_log)
        text = ",".join(value.hex() for value in (*values, float(self.floor_1024)))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def to_table(self) -> pl.DataFrame:
        """One row, in the columns `LIMITS`."""
        values = {field.name: [getattr(self, field.name)] for field in fields(self)}
        return pl.DataFrame(values | {"limits_version": [self.limits_version]})

    @classmethod
    def from_table(cls, frame: pl.DataFrame) -> "SizeLimits":
        """The limits in a table that `to_table` made."""
        return cls(**frame.select([field.name for field in fields(cls)]).row(0, named=True))

    def in_1024_px(self) -> dict[str, float]:
        """The four limits as sizes in px of the stretched frame, for people."""
        return {
            f"{side}_{end}_1024": math.exp(getattr(self, f"{side}_{end}_log"))
            for side in ("width", "height")
            for end in ("low", "high")
        }


def size_limits(raw: pl.LazyFrame) -> SizeLimits:
    """The limits of all these rows: median -+ 2 sample standard deviations of the logs of each side.

    Raises ValueError with fewer than two rows, where there is no standard deviation.
    """
    logs = {side: pl.col(f"{side}_1024").log() for side in ("width", "height")}
    # One box without a size would turn every limit into nan, and the filter would keep nothing.
    found = (
        raw.filter(*[log.is_finite() for log in logs.values()])
        .select(
            pl.len().alias("n"),
            *[log.median().alias(f"{side}_median") for side, log in logs.items()],
            *[log.std(ddof=1).alias(f"{side}_std") for side, log in logs.items()],
        )
        .collect()
    )
    row = found.row(0, named=True)
    if row["n"] < 2:
        raise ValueError(f"size limits need at least 2 raw detections, given {row['n']}: materialise raw_detections")
    ends = {
        f"{side}_{end}_log": outward((row[f"{side}_median"] + sign * SPREAD_STDS * row[f"{side}_std"]) * GRAIN) / GRAIN
        for side in logs
        for end, sign, outward in (("low", -1, math.floor), ("high", 1, math.ceil))
    }
    return SizeLimits(**ends, floor_1024=FLOOR_1024, n_rows=row["n"])


def largest_move(old: SizeLimits, new: SizeLimits) -> float:
    """How far the limit that moved most has moved, as a share of its size in px: 0.01 is 1 %."""
    before, after = old.in_1024_px(), new.in_1024_px()
    if old.floor_1024 != new.floor_1024:
        return math.inf
    moves = [abs(after[name] / before[name] - 1) for name in before]
    return math.inf if any(map(math.isnan, moves)) else max(moves)


def settled(old: SizeLimits | None, new: SizeLimits, tolerance: float) -> SizeLimits:
    """The old limits while none has moved by more than the tolerance, else the new ones."""
    return old if old is not None and largest_move(old, new) <= tolerance else new
