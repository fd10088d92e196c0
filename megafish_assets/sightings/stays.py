"""How long fish stay in view, though clips begin and end with them.

```
clip     |-------------------------|
         ====>                          in view as it begins: since when nobody knows, so it tells no stay
             >======>                   came and left through the frame's edge: a stay
                  >===========|         came, and the clip ends: at least so long
             >=====?   ?====>           came, was lost in the picture and found again: at least so long, and no stay
```
"""

import warnings
from dataclasses import dataclass

import numpy as np
import polars as pl

from megafish_assets.sightings.tracklet_rows import EDGE

LEVEL = 0.95
"""Of the interval."""


@dataclass(frozen=True)
class Stays:
    """How long those stay that came through the frame's edge; None for what the clips are too short to show."""

    n_arrivals: int
    """Those whose coming was seen."""
    n_stays: int
    """Those whose leaving was too."""
    quarter: float | None = None
    """Seconds after which a quarter has left."""
    median: float | None = None
    """After which half has."""
    low: float | None = None
    """Lower end of the median's interval."""
    high: float | None = None
    """Upper end."""
    longest: float = 0.0
    """The longest time that any of them was seen."""


def stays(seconds: np.ndarray, left: np.ndarray) -> Stays:
    """Of arrivals in view for `seconds`, float64 `(n,)`, of which those were seen to leave that `left`, bool, says.

    Source: Kaplan & Meier 1958, J. Am. Stat. Assoc. 53:457; the interval of the median Brookmeyer & Crowley 1982,
    Biometrics 38:29, by the log-log transformation.
    """
    if not left.any():
        return Stays(len(seconds), 0, longest=float(seconds.max(initial=0.0)))
    from scipy.stats import CensoredData, ecdf

    found = ecdf(CensoredData(uncensored=seconds[left], right=seconds[~left])).sf
    with warnings.catch_warnings():
        # Where all have left, or none has, the transformation has no value, and scipy says so at every such place.
        warnings.simplefilter("ignore", RuntimeWarning)
        ends = found.confidence_interval(LEVEL, method="log-log")
    low, high = (_when(end.quantiles, end.probabilities, 0.5) for end in (ends.low, ends.high))
    quarter, median = (_when(found.quantiles, found.probabilities, share) for share in (0.75, 0.5))
    return Stays(len(seconds), int(left.sum()), quarter, median, low, high, float(seconds.max()))


def _when(seconds: np.ndarray, still_there: np.ndarray, share: float) -> float | None:
    """The first time at which no more than this share is still there."""
    gone = np.flatnonzero(still_there <= share + 1e-9)
    return float(seconds[gone[0]]) if len(gone) else None


def stays_of(sightings: pl.DataFrame) -> Stays:
    """Of the `first_second`, `last_second`, `begins` and `ends` of sightings."""
    came = sightings.filter(begins=EDGE)
    seconds = (came["last_second"] - came["first_second"]).to_numpy()
    return stays(seconds, (came["ends"] == EDGE).to_numpy())


def mean_stay(sightings: pl.DataFrame) -> float | None:
    """Seconds in view of all of them by their leavings through the frame's edge: the mean stay where that is as likely
    at any time; None where none was seen to leave. Tracklets that were cut or lost count for as long as they were seen.
    """
    n_left = (sightings["ends"] == EDGE).sum()
    return float((sightings["last_second"] - sightings["first_second"]).sum()) / n_left if n_left else None
