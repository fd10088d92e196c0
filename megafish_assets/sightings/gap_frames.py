"""Which frames a person looks at to tell what the detector missed: drawn at random out of all that were searched."""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl

from megafish_assets.detections.looks import Looks

SPARES = 4
"""Times as many frames as are asked for are drawn, for those whose video can't be read."""

DRAWS = {"video": pl.String, "frame_id": pl.Int64, "seconds": pl.Float64, "draw": pl.Float64}

ORDER = ["draw", "video", "frame_id"]
"""By which frames are taken: a tie of two numbers of 53 bits falls alike everywhere."""


def frame_draws(looks: Iterable[Looks], seed: int, n: int) -> pl.DataFrame:
    """`video`, `frame_id`, `seconds` and `draw` of `SPARES` times n searched frames, in the order in which they are
    taken; fewer where there are not so many.

    Every searched frame has one number of its video's own generator, and the smallest are taken: each frame is as
    likely as any other, with boxes or without, and a video that is added takes the place of a few and leaves the rest.
    A frame behind the wiper was not searched.

    Source: bottom-k sampling, Cohen & Kaplan 2007, Summarizing data using bottom-k sketches.
    """
    parts = []
    for own in looks:
        draws = _generator(own.video, seed).random(len(own))
        searched = np.flatnonzero(~own.is_wiped)
        first = searched[np.argsort(draws[searched], kind="stable")[: SPARES * n]]
        parts.append(
            pl.DataFrame(
                {
                    "video": [own.video] * len(first),
                    "frame_id": own.frame_ids[first],
                    "seconds": own.seconds[first],
                    "draw": draws[first],
                },
                schema=DRAWS,
            )
        )
    return first_draws(parts, n)


def first_draws(parts: Sequence[pl.DataFrame], n: int) -> pl.DataFrame:
    """The first `SPARES` times n of several draws of other videos, as if all had been drawn at once."""
    return pl.concat([pl.DataFrame(schema=DRAWS), *parts]).sort(ORDER).head(SPARES * n)


def _generator(video: str, seed: int) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed} {video}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))
