"""Richness of the ants of Longino & Colwell 2011, Ecosphere 2:art29, beside what iNEXT 3.0 prints of them, and of few
clips by hand."""

import numpy as np
import pytest

from megafish_assets.sightings.incidence import Incidence


def of(n_clips: int, *frequencies: int, **n_of: int) -> Incidence:
    """Frequencies one by one, and `f<frequency>=<kinds>`."""
    repeated = [int(name[1:]) for name, n in n_of.items() for _ in range(n)]
    return Incidence(n_clips, np.array([*repeated, *frequencies], dtype=np.int64))


COMMON = (18, 19, 23, 23, 24, 25, 25, 25, 29, 30, 32, 33, 43, 50, 53, 73, 74, 76, 79, 113, 144)
AT_1500_M = of(200, *COMMON, f1=13, f2=4, f3=2, f4=2, f5=4, f6=2, f9=4, f11=2, f17=2)
AT_2000_M = of(200, 1, 2, 2, 3, 4, 8, 8, 13, 15, 19, 23, 34, 59, 80)


def test_of_the_ants_it_is_what_inext_tells() -> None:
    # iNEXT(ant, datatype = "incidence_freq"): $DataInfo and $AsyEst.
    assert (AT_1500_M.n_observed, AT_1500_M.n_once, AT_1500_M.n_twice) == (56, 13, 4)
    assert AT_1500_M.chao2 == pytest.approx(77.019375)
    assert AT_1500_M.coverage() == pytest.approx(0.9889231, abs=1e-7)
    assert AT_2000_M.chao2 == pytest.approx(14.248750)
    assert AT_2000_M.coverage() == pytest.approx(0.9963827, abs=1e-7)


@pytest.mark.parametrize(
    ("sample", "n_clips", "kinds", "coverage"),
    [
        (AT_1500_M, 1, 5.850000, 0.3081991),
        (AT_1500_M, 100, 47.982643, 0.9819701),
        (AT_1500_M, 200, 56.0, 0.9889231),
        (AT_1500_M, 295, 61.343524, 0.9917391),
        (AT_1500_M, 400, 65.684073, 0.9940265),
        (AT_2000_M, 1, 1.355000, 0.2264459),
        (AT_2000_M, 100, 12.811923, 0.9840431),
        (AT_2000_M, 400, 14.244103, 0.9999324),
    ],
)
def test_fewer_and_more_clips_show_what_inext_tells(
    sample: Incidence, n_clips: int, kinds: float, coverage: float
) -> None:
    # $iNextEst$size_based.
    assert sample.richness(n_clips) == pytest.approx(kinds, abs=1e-6)
    assert sample.coverage(n_clips) == pytest.approx(coverage, abs=1e-7)


@pytest.mark.parametrize(
    ("sample", "n_clips", "kinds"), [(AT_1500_M, 125.9590, 50.478877), (AT_2000_M, 104.6306, 12.909623)]
)
def test_at_a_coverage_there_are_as_many_clips_and_kinds_as_inext_tells(
    sample: Incidence, n_clips: float, kinds: float
) -> None:
    # estimateD(ant, datatype = "incidence_freq", base = "coverage", level = 0.985).
    assert sample.clips_at(0.985) == pytest.approx(n_clips, abs=0.002)
    assert sample.richness(sample.clips_at(0.985)) == pytest.approx(kinds, abs=1e-4)


def test_the_interval_of_chao2_is_that_of_the_published_one() -> None:
    # ChaoRichness(spider$Girdled, datatype = "abundance"): with individuals for clips the arithmetic is the same.
    spiders = of(168, 46, 22, 17, 15, 15, 9, 8, 6, 6, 4, f2=4, f1=12)
    assert spiders.chao2 == pytest.approx(43.893, abs=5e-4)
    assert spiders.chao2_interval() == pytest.approx((30.511, 96.971), abs=5e-4)


def test_where_no_kind_is_in_two_clips_chao2_is_the_bias_corrected_one() -> None:
    # 3/4 of 3 pairs of kinds that one clip shows.
    sample = of(4, 4, f1=3)
    assert sample.chao2 == pytest.approx(4 + 0.75 * 3)
    low, high = sample.chao2_interval()
    # Variance 2.25 + 9/16 * 75/4 - 9/16 * 81/(4 * 6.25) = 10.974.
    factor = np.exp(1.959964 * np.sqrt(np.log(1 + 10.974375 / 2.25**2)))
    assert (low, high) == pytest.approx((4 + 2.25 / factor, 4 + 2.25 * factor), rel=1e-5)


def test_where_every_kind_is_in_every_clip_nothing_is_unseen() -> None:
    sample = of(30, f30=8)
    assert sample.chao2 == 8 and sample.coverage() == 1 and sample.richness(60) == 8
    low, high = sample.chao2_interval()
    assert low == pytest.approx(8) and high == pytest.approx(8)


def test_few_clips_by_hand() -> None:
    sample = of(4, 1, 2, 4)
    assert sample.chao2 == pytest.approx(3 + 0.75 * 1 / 2)
    # Of one clip on the average 7/4 kinds; of two, kinds miss 3 of 6, 1 of 6 and 0 of 6 pairs.
    assert sample.richness(1) == pytest.approx(7 / 4)
    assert sample.richness(2) == pytest.approx(3 - 3 / 6 - 1 / 6)


def test_draws_of_the_community_are_about_the_sample_and_the_same_for_a_seed() -> None:
    drawn = [AT_1500_M.drawn(np.random.default_rng(seed)).n_observed for seed in range(200)]
    assert np.mean(drawn) == pytest.approx(56, abs=1.5)
    first, again = (AT_1500_M.richness_interval(0.985, 7) for _ in range(2))
    assert first == again and first[0] < 50.478877 < first[1]
    # iNEXT's own, of 50 draws: 42.979 to 57.979 and, in another run at 0.982, 41.979 to 53.987.
    assert 12 < first[1] - first[0] < 24


def test_a_kind_in_more_clips_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="kinds in 1 to 6 clips, allowed 1 to 5"):
        of(5, 1, 6)
