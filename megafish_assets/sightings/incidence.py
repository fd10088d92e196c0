"""How many kinds there are behind those that were seen, from how many clips each was seen in.

```
clips     1 2 3 4 5 6      a kind's frequency is the number of clips that show it, however many animals they show:
chromis   x x x x x x      6
goatfish  . x . x . .      2   \\  what is rare tells how much was not seen yet: many kinds in one clip only,
wrasse    . . . . x .      1   /   and few in two, and there must be more
```
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import gammaln

HALVINGS = 30
"""Of an interval of clips, until it is shorter than any difference that is shown."""

Z_95 = 1.959963984540054
"""Of the normal distribution, for 95 %."""

N_DRAWS = 200
"""Of the bootstrap; iNEXT draws 50."""

REACH = 2.0
"""Richness is extrapolated to so many times the clips at most: beyond it the bias is large.

Source: Chao et al. 2014."""


@dataclass(frozen=True)
class Incidence:
    """In how many of some clips each kind was seen. All estimators hold for one clip and more.

    Source: Chao & Colwell 2017, Biodiversity: statistical inference of richness from incidence, SORT 41(1):3-54;
    Chao et al. 2014, Ecological Monographs 84(1):45-67, doi:10.1890/13-0133.1, table 2; Colwell et al. 2012,
    doi:10.1093/jpe/rtr044. The figures are those of iNEXT 3 (Hsieh, Ma & Chao 2016).
    """

    n_clips: int
    """Sampling units."""
    frequencies: np.ndarray
    """int64 `(n_kinds,)`, clips that show each kind, at least 1."""

    def __post_init__(self) -> None:
        """Refuse what no clips could have shown."""
        if len(self.frequencies) and not 1 <= self.frequencies.min() <= self.frequencies.max() <= self.n_clips:
            raise ValueError(
                f"kinds in {self.frequencies.min()} to {self.frequencies.max()} clips, allowed 1 to {self.n_clips}"
            )

    @property
    def n_observed(self) -> int:
        """Kinds that were seen."""
        return len(self.frequencies)

    @property
    def n_once(self) -> int:
        """Kinds that one clip shows."""
        return int((self.frequencies == 1).sum())

    @property
    def n_twice(self) -> int:
        """Kinds that two clips show."""
        return int((self.frequencies == 2).sum())

    @cached_property
    def n_unseen(self) -> float:
        """Kinds that no clip shows, at least: those of Chao2."""
        share = (self.n_clips - 1) / self.n_clips
        once, twice = self.n_once, self.n_twice
        return share * once**2 / (2 * twice) if twice else share * once * (once - 1) / 2

    @property
    def chao2(self) -> float:
        """A lower bound of the number of kinds."""
        return self.n_observed + self.n_unseen

    def chao2_interval(self) -> tuple[float, float]:
        """Of 95 %, by the logarithm of the unseen kinds, so that it never falls below those seen.

        Source: Chao 1987, Biometrics 43:783-791; where none seems unseen, Colwell's EstimateS 9, appendix B.
        """
        if self.n_unseen == 0:
            return self._complete_interval()
        variance = self._chao2_variance()
        factor = np.exp(Z_95 * np.sqrt(np.log1p(variance / self.n_unseen**2)))
        return float(self.n_observed + self.n_unseen / factor), float(self.n_observed + self.n_unseen * factor)

    def _chao2_variance(self) -> float:
        share, once, twice = (self.n_clips - 1) / self.n_clips, self.n_once, self.n_twice
        if twice:
            ratio = once / twice
            return twice * (share / 2 * ratio**2 + share**2 * ratio**3 + share**2 / 4 * ratio**4)
        pairs = share * once * (once - 1) / 2 + share**2 * once * (2 * once - 1) ** 2 / 4
        return pairs - share**2 * once**4 / (4 * self.chao2)

    def _complete_interval(self) -> tuple[float, float]:
        missed = np.exp(-self.frequencies.sum() / self.n_observed)
        middle = self.n_observed / (1 - missed)
        half = Z_95 * np.sqrt(self.n_observed * missed * (1 - missed)) / (1 - missed)
        # The middle lies above the estimate, which is what was observed: the interval holds it all the same.
        return min(max(float(self.n_observed), float(middle - half)), self.chao2), float(middle + half)

    @cached_property
    def _rare_share(self) -> float:
        """Of the incidences of the next clip that are of unseen kinds, by those that one clip shows."""
        once, twice, others = self.n_once, self.n_twice, self.n_clips - 1
        if twice:
            return others * once / (others * once + 2 * twice)
        # With a single kind that one clip shows, and none in two, the next clip is taken to bring nothing new.
        return others * (once - 1) / (others * (once - 1) + 2) if once > 1 else float(once == 0)

    def coverage(self, n_clips: float | None = None) -> float:
        """Share of all incidences that belong to kinds which so many clips show; without a number these clips."""
        return self._between(self._coverage_of_whole, self.n_clips if n_clips is None else n_clips)

    def richness(self, n_clips: float) -> float:
        """Kinds that so many clips would show: fewer are drawn from these, more are extrapolated."""
        return self._between(self._richness_of_whole, n_clips)

    @staticmethod
    def _between(of_whole, n_clips: float) -> float:
        """Between whole numbers of clips a straight line, as in iNEXT 3."""
        below = int(n_clips)
        low, part = of_whole(below), n_clips - below
        return low if part == 0 else (1 - part) * low + part * of_whole(below + 1)

    def _coverage_of_whole(self, n_clips: int) -> float:
        seen = self.frequencies.sum()
        if n_clips < self.n_clips:
            weights = _share_without(self.frequencies - 1, self.n_clips - 1, n_clips)
            return float(1 - (self.frequencies / seen * weights).sum())
        return float(1 - self.n_once / seen * self._rare_share ** (n_clips - self.n_clips + 1))

    def _richness_of_whole(self, n_clips: int) -> float:
        if n_clips < self.n_clips:
            return float(self.n_observed - _share_without(self.frequencies, self.n_clips, n_clips).sum())
        if self.n_unseen == 0:
            return float(self.n_observed)
        kept = 1 - self.n_once / (self.n_clips * self.n_unseen + self.n_once)
        return float(self.n_observed + self.n_unseen * (1 - kept ** (n_clips - self.n_clips)))

    def clips_at(self, coverage: float) -> float:
        """How many clips have this coverage, at least 1 and at most `REACH` times those there are."""
        low, high = 1.0, REACH * self.n_clips
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.coverage(middle) < coverage else (low, middle)
        return high

    def drawn(self, rng: np.random.Generator) -> "Incidence":
        """As many clips of a community like this one, the kinds that were not seen included.

        Source: Chao et al. 2014, appendix G; the share of what is rare falls on as many kinds as Chao2 says.
        """
        share, n_more = self.frequencies / self.n_clips, int(np.ceil(self.n_unseen))
        rare = self.frequencies.sum() / self.n_clips * (1 - self.coverage())
        once_missed = (share * (1 - share) ** self.n_clips).sum()
        weight = rare / once_missed if n_more and once_missed > 0 else 0.0
        seen = share * (1 - weight * (1 - share) ** self.n_clips)
        chances = np.concatenate([seen, np.full(n_more, rare / max(n_more, 1))]).clip(0, 1)
        counts = rng.binomial(self.n_clips, chances)
        return Incidence(self.n_clips, counts[counts > 0])

    def richness_interval(self, coverage: float, seed: int) -> tuple[float, float]:
        """Of 95 % about the richness at this coverage, by a bootstrap of the community."""
        rng = np.random.default_rng(seed)
        draws = [draw for draw in (self.drawn(rng) for _ in range(N_DRAWS)) if draw.n_observed]
        error = np.std([draw.richness(draw.clips_at(coverage)) for draw in draws], ddof=1)
        middle = self.richness(self.clips_at(coverage))
        return max(0.0, float(middle - Z_95 * error)), float(middle + Z_95 * error)


def _share_without(frequencies: np.ndarray, n_clips: int, n_drawn: int) -> np.ndarray:
    """float64 `(n_kinds,)`, of the ways to draw so many of the clips, which share holds none of a kind's."""
    others = n_clips - frequencies
    possible = others >= n_drawn
    logs = gammaln(others + 1) - gammaln(np.where(possible, others - n_drawn, 0) + 1)
    return np.where(possible, np.exp(logs - gammaln(n_clips + 1) + gammaln(n_clips - n_drawn + 1)), 0.0)
