"""How often intervals of richness hold what they should: of the reef's kinds, and of communities with rare ones."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from megafish_assets.sightings.incidence import Incidence
from megafish_assets.sightings.richness import refusal

N_CLIPS = (3, 5, 10, 20, 40)
DRAWS = 400

COMMUNITY_KINDS, COMMUNITY_SPREAD, COMMUNITY_MEDIAN = 40, 1.5, 0.08
"""A community with many rare kinds: log-normal chances to be in a clip, a third of them under one in 20."""


def of_reefs(clips: pl.DataFrame) -> Iterator[dict]:
    """A line a number of clips, drawn from these of all reefs. `clips` holds the `max_n` that was counted and the
    `true_max_n` of each `seed`, `video` and `kind`."""
    true = clips.filter(pl.col("true_max_n") > 0)["kind"].unique()
    wide = clips.pivot("kind", index=["seed", "video"], values="max_n").fill_null(0).drop("seed", "video")
    seen, rng = wide.select(pl.col(true.to_list()) > 0).to_numpy(), np.random.default_rng(0)
    for n in N_CLIPS:
        samples = [_sample(seen[rng.integers(0, len(seen), n)]) for _ in range(DRAWS)]
        yield {"of": "reefs", "clips": n, "kinds": len(true)} | _held(samples, len(true))


def of_communities() -> Iterator[dict]:
    """The same of made-up communities, each drawn anew."""
    rng = np.random.default_rng(0)
    for n in N_CLIPS:
        samples = []
        for _ in range(DRAWS):
            odds = rng.lognormal(np.log(COMMUNITY_MEDIAN), COMMUNITY_SPREAD, COMMUNITY_KINDS)
            samples.append(_sample(rng.random((n, COMMUNITY_KINDS)) < odds / (1 + odds)))
        yield {"of": "communities", "clips": n, "kinds": COMMUNITY_KINDS} | _held(samples, COMMUNITY_KINDS)


def _sample(seen: np.ndarray) -> Incidence:
    counts = seen.sum(axis=0)
    return Incidence(len(seen), counts[counts > 0])


def _held(samples: list[Incidence], n_kinds: int) -> dict:
    told = [sample for sample in samples if sample.n_observed and sample.n_once < sample.n_observed]
    ends = [sample.chao2_interval() for sample in told]
    return {
        "refused_at_this_size": refusal(samples[0]) is not None,
        "n_observed": round(float(np.mean([sample.n_observed for sample in told])), 2),
        "chao2": round(float(np.mean([sample.chao2 for sample in told])), 2),
        "sample_coverage": round(float(np.mean([sample.coverage() for sample in told])), 3),
        "held_share": round(float(np.mean([low <= n_kinds <= high + 1e-9 for low, high in ends])), 3),
    }
