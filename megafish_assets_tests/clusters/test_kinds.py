"""Kinds over small fits whose numbers are counted by hand: a letter is a tracklet, and `-` stands before noise."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from megafish_assets.clusters import kind_fits
from megafish_assets.clusters.columns import KIND_EVENTS, KINDS
from megafish_assets.clusters.kind_fits import KindFits
from megafish_assets.clusters.kinds import PAIRS, matched
from megafish_assets.clusters.measures import kept_shares, kind_numbers
from megafish_assets.features.fits import cluster_units, fit_version, kinds_by_cluster

FIRST = datetime(2026, 7, 1, 2, tzinfo=UTC)
SCHEMA = {"video": pl.String, "detection_id": pl.String, "tracklet_id": pl.String, "cluster": pl.Int64}


def clusters(text: str) -> pl.DataFrame:
    """The columns that count of a table of clusters: `abc de -f` are two clusters and a tracklet that is noise."""
    words = [word for word in text.split() if not word.startswith("-")]
    noise = "".join(word[1:] for word in text.split() if word.startswith("-"))
    labels = [(letter, label) for label, word in enumerate(words) for letter in word] + [(one, -1) for one in noise]
    rows = [("v", f"v/{letter}/{crop}", f"v/{letter}", label) for letter, label in labels for crop in range(2)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def after(*texts: str, fits: KindFits | None = None) -> KindFits:
    """What is kept after these fits, a night each."""
    fits = KindFits.stored(None, None) if fits is None else fits
    for text in texts:
        fits = fits.with_fit(clusters(text), FIRST + timedelta(days=len(fits.events)))
    return fits


def kind_of(fits: KindFits) -> dict[int, int | None]:
    """The kind of each cluster of the last fit."""
    return dict(fits.latest.select("cluster", "kind_id").unique().sort("cluster").iter_rows())


def told(fits: KindFits) -> list[tuple]:
    """What the last fit has brought."""
    columns = ("event", "kind_id", "from_kind_id", "cluster", "n_shared", "n_before", "n_after", "jaccard")
    return fits.last_events.with_columns(pl.col("jaccard").round(3)).select(columns).rows()


def test_the_first_fit_numbers_its_clusters_from_one_and_noise_is_no_kind() -> None:
    fits = after("abcd ef -g")
    assert kind_of(fits) == {-1: None, 0: 1, 1: 2}
    assert told(fits) == [("born", 1, None, 0, 0, 0, 4, 0.0), ("born", 2, None, 1, 0, 0, 2, 0.0)]
    assert dict(fits.kinds.schema) == {name: column.dtype for name, column in KINDS.items()}
    assert dict(fits.events.schema) == {name: column.dtype for name, column in KIND_EVENTS.items()}


def test_clusters_that_only_swap_numbers_keep_their_kinds() -> None:
    fits = after("abcd efg", "efg abcd")
    assert kind_of(fits) == {0: 2, 1: 1}
    assert told(fits) == [("continued", 2, 2, 0, 3, 3, 3, 1.0), ("continued", 1, 1, 1, 4, 4, 4, 1.0)]
    assert fits.last_events["from_fit_version"].unique().to_list() == [fit_version(cluster_units(clusters("abcd efg")))]


def test_new_videos_tear_nothing_apart() -> None:
    # Ten new tracklets in the cluster of four count for nothing: of those known before it is the same.
    fits = after("abcd efg", "abcdnopqrstuvw efgx yz")
    assert told(fits) == [
        ("continued", 1, 1, 0, 4, 4, 4, 1.0),
        ("continued", 2, 2, 1, 3, 3, 3, 1.0),
        ("born", 3, None, 2, 0, 0, 2, 0.0),
    ]


def test_a_kind_that_loses_and_wins_tracklets_is_matched_by_what_is_shared() -> None:
    # abcde -> abcd + f: 4 shared of 6 in either.
    fits = after("abcde fgh", "abcdf gh -e")
    assert told(fits) == [("continued", 1, 1, 0, 4, 5, 5, 0.667), ("continued", 2, 2, 1, 2, 3, 2, 0.667)]


def test_the_larger_part_of_a_split_kind_keeps_its_number() -> None:
    fits = after("abcdefgh", "abcde fgh")
    assert told(fits) == [("continued", 1, 1, 0, 5, 8, 5, 0.625), ("split", 2, 1, 1, 3, 8, 3, 0.375)]


def test_the_smaller_of_two_merged_kinds_says_which_took_it_in() -> None:
    fits = after("abcd efg", "abcdefg")
    assert told(fits) == [("continued", 1, 1, 0, 4, 4, 7, 0.571), ("merged", 1, 2, 0, 3, 3, 7, 0.429)]


def test_a_kind_whose_tracklets_are_scattered_is_gone() -> None:
    fits = after("abcd efgh ijkl", "abcde fijkl -gh")
    assert told(fits)[-1] == ("gone", 2, 2, None, 0, 4, 0, 0.0)
    assert kind_of(fits) == {-1: None, 0: 1, 1: 3}


def test_a_kind_that_comes_back_has_its_old_number_and_is_not_born_again() -> None:
    fits = after("abcd efg", "abcd -efg", "abcdx -efg", "abcdx efg")
    assert kind_of(fits) == {0: 1, 1: 2}
    assert told(fits)[1] == ("continued", 2, 2, 1, 3, 3, 3, 1.0)
    first = fits.kinds.sort("fitted_at")["fit_version"][0]
    assert fits.last_events.filter(kind_id=2)["from_fit_version"].to_list() == [first]
    assert fits.events.filter(event="born").height == 2


def test_what_was_merged_and_is_split_again_has_its_old_number() -> None:
    fits = after("abcd efg", "abcdefg", "efg abcd")
    assert kind_of(fits) == {0: 2, 1: 1}
    assert [row[:3] for row in told(fits)] == [("continued", 2, 2), ("continued", 1, 1)]


def test_a_kind_that_is_away_comes_back_as_the_last_fit_knew_it_that_had_it() -> None:
    # Kind 2 was efg, and then efghkl; hij shares one of six with it, and hkij two.
    fits = after("abcd efg", "abcd efghkl", "abcd -efghkl", "abcd hij -efgkl")
    assert kind_of(fits) == {-1: None, 0: 1, 1: 3}
    fits = after("abcd efg", "abcd efghkl", "abcd -efghkl", "abcd hkij -efgl")
    assert kind_of(fits) == {-1: None, 0: 1, 1: 2}
    assert told(fits)[1] == ("continued", 2, 2, 1, 2, 6, 2, 0.333)


@pytest.mark.parametrize(
    ("before", "now", "kinds"),
    [
        ("abcdef", "abc def", {0: 1, 1: 2}),  # two equal halves: the cluster with the lower number
        ("abc def", "abcdef", {0: 1}),  # two equal kinds: the older
        ("abcd efgh", "abef cdgh", {0: 1, 1: 2}),  # a third of everything everywhere
    ],
)
def test_of_equal_matches_the_older_kind_and_the_first_cluster_are_taken(before: str, now: str, kinds: dict) -> None:
    assert kind_of(after(before, now)) == kinds


def test_a_new_cluster_with_one_tracklet_of_a_kind_is_born_and_no_part_of_it() -> None:
    fits = after("abcdefgh", "abcdefg hrstuvwxyz")
    assert told(fits)[1] == ("born", 2, None, 1, 0, 0, 10, 0.0)


def test_the_assignment_is_the_best_of_all_and_not_the_best_pair_first() -> None:
    # 0.6 first would leave 0 for the other: 0.5 + 0.5 is more.
    rows = [("f", 1, 0, 0, 0, 0, 0.6), ("f", 1, 1, 0, 0, 0, 0.5), ("f", 2, 0, 0, 0, 0, 0.5)]
    assert matched(pl.DataFrame(rows, schema=PAIRS, orient="row")) == {1: 1, 0: 2}


def test_pairs_that_share_too_little_are_matched_in_no_case() -> None:
    pair = ("f", 1, 0, 0, 0, 0)
    assert matched(pl.DataFrame([(*pair, 0.19)], schema=PAIRS, orient="row")) == {}
    assert matched(pl.DataFrame([(*pair, 0.2)], schema=PAIRS, orient="row")) == {0: 1}
    assert matched(pl.DataFrame(schema=PAIRS)) == {}


def test_unchanged_clusters_add_no_fit_and_no_event() -> None:
    fits = after("abcd efg")
    shuffled = clusters("abcd efg").sample(fraction=1.0, shuffle=True, seed=1)
    again = fits.with_fit(shuffled, FIRST + timedelta(days=9))
    assert again.kinds.equals(fits.kinds) and again.events.equals(fits.events)


def test_a_fit_that_came_back_says_what_it_said() -> None:
    fits = after("abcd efg", "abc defg hij", "abcd efg")
    assert kind_of(fits) == {0: 1, 1: 2}
    assert fits.kinds["fit_version"].n_unique() == 2 and fits.kinds.filter("is_latest").height == 7
    assert told(fits)[-1] == ("gone", 3, 3, None, 0, 3, 0, 0.0)
    assert kind_of(after("abc defg hij", fits=fits)) == {0: 1, 1: 2, 2: 3}


@pytest.mark.parametrize("now", ["-abcdefg", ""])
def test_a_fit_without_a_cluster_has_no_kinds_and_the_next_one_knows_the_old(now: str) -> None:
    fits = after("abcd efg", now)
    assert fits.latest["kind_id"].drop_nulls().to_list() == []
    assert kind_of(after("efg abcd", fits=fits)) == {0: 2, 1: 1}


def test_clusters_of_nothing_before_are_all_born_and_one_cluster_is_a_kind() -> None:
    assert kind_of(after("")) == {} and after("").events.height == 0
    assert kind_of(after("-ab")) == {-1: None}
    assert kind_of(after("abc", "def")) == {0: 2}
    assert [row[0] for row in told(after("abc", "def"))] == ["born", "gone"]


def test_a_number_is_given_once_also_when_every_fit_that_had_it_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind_fits, "KEPT_FITS", 2)
    fits = after("abcd efg", "abcd -efg", "abcdx -efg", "abcdx efg")
    assert kind_of(fits) == {0: 1, 1: 3}
    assert fits.kinds["fit_version"].n_unique() == 2
    named_before = KindFits.stored(None, None).with_fit(clusters("abc"), FIRST, elsewhere=8)
    assert kind_of(named_before) == {0: 9}


def test_thirty_fits_are_kept_and_those_that_labels_mention() -> None:
    fits, versions = KindFits.stored(None, None), []
    for night in range(34):
        moved = "abcdefghijklmnopqrstuvwxyzABCDEFGH"[night]
        rest = "abcdefghijklmnopqrstuvwxyzABCDEFGH".replace(moved, "")
        mentioned = versions[1:2]
        fits = fits.with_fit(clusters(f"{rest} {moved}"), FIRST + timedelta(days=night), mentioned)
        versions.append(fits.latest["fit_version"][0])
    kept = fits.kinds.unique("fit_version").sort("fitted_at")["fit_version"].to_list()
    assert kept == [versions[1], *versions[4:]]
    assert len(kept) == 31
    assert kind_of(fits)[0] == 1


def test_events_of_a_fit_that_a_killed_run_did_not_store_are_told_once() -> None:
    whole = after("abcd efg", "abcd -efg")
    # The events of the second fit lie there, and its rows do not.
    first = after("abcd efg")
    half = KindFits.stored(first.kinds, whole.events)
    assert half.events.equals(first.events)
    assert after("abcd -efg", fits=half).events.height == whole.events.height
    # A run that was killed before its first fit was stored.
    assert KindFits.stored(None, whole.events).events.height == 0


def test_numbers_are_not_given_again_after_every_video_was_removed() -> None:
    fits = after("abcd efg")
    bare = KindFits.stored(fits.kinds.clear(), fits.events)
    assert kind_of(after("xyz", fits=bare)) == {0: 3}
    # A last fit whose videos are all gone, beside an older one that is still there.
    fits = after("abcd efg", "uvw xyz")
    left = KindFits.stored(fits.kinds.filter(~pl.col("is_latest")), fits.events)
    assert kind_of(after("uvw", fits=left)) == {0: 5}


def test_a_fit_that_came_back_after_its_kinds_have_moved_on_continues_them_all_the_same() -> None:
    # Kind 1 is abcd, then cdef, then efgh, of which the first fit has nothing in kind 1.
    fits = after("abcd -efgh", "cdef -abgh", "efgh -abcd", "abcd -efgh")
    assert kind_of(fits) == {-1: None, 0: 1}
    assert told(fits) == [("continued", 1, 1, 0, 0, 0, 4, 0.0)]


def test_units_are_tracklets_and_detections_without_one_and_the_most_crops_decide() -> None:
    rows = [
        ("v", "v/1", "t", 2),
        ("v", "v/2", "t", 2),
        ("v", "v/3", "t", 0),
        ("v", "v/4", "s", 1),  # one each: the larger cluster, whose number is lower
        ("v", "v/5", "s", 0),
        ("v", "v/6", "u", -1),  # noise last
        ("v", "v/7", "u", 3),
        ("w", "w/1", None, 1),
    ]
    units = cluster_units(pl.DataFrame(rows, schema=SCHEMA, orient="row"))
    assert units.select("video", "tracklet_id", "unit_id", "cluster").rows() == [
        ("v", "s", "s", 0),
        ("v", "t", "t", 2),
        ("v", "u", "u", 3),
        ("w", None, "w/1", 1),
    ]


def test_kinds_of_another_fit_than_the_clusters_are_refused() -> None:
    fits = after("abcd efg")
    assert kinds_by_cluster(fits.kinds, clusters("abcd efg")) == {0: 1, 1: 2}
    with pytest.raises(ValueError, match="materialise kinds"):
        kinds_by_cluster(fits.kinds, clusters("efg abcd"))
    with pytest.raises(ValueError, match="kinds of fit none"):
        kinds_by_cluster(fits.kinds.clear(), clusters("abcd efg"))


def test_how_many_keep_their_kind_is_counted_over_those_that_both_fits_have() -> None:
    first = after("abcd efg")
    assert kept_shares(first.before, first.latest) == {"shared_units_share": None, "kept_kind_share": None}
    # g has gone, and f is noise: six of seven are shared, and five of them keep their kind.
    second = after("abcdxyz e -f", fits=first)
    assert kept_shares(second.before, second.latest) == {"shared_units_share": 6 / 7, "kept_kind_share": 5 / 6}
    numbers = kind_numbers(second, clusters("abcdxyz e -f"))
    counted = {name: numbers[name] for name in ("n_fits", "n_kinds", "n_continued", "n_born", "n_gone")}
    assert counted == {"n_fits": 2, "n_kinds": 2, "n_continued": 2, "n_born": 0, "n_gone": 0}


def test_a_cluster_that_holds_the_most_of_no_tracklet_has_no_kind_and_is_counted() -> None:
    rows = [("v", f"v/{n}", "t", cluster) for n, cluster in enumerate([0, 0, 1])]
    divided = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    fits = KindFits.stored(None, None).with_fit(divided, FIRST)
    numbers = kind_numbers(fits, divided)
    assert (numbers["n_clusters_without_kind"], numbers["n_divided_tracklets"]) == (1, 1)


def test_a_clock_that_went_back_leaves_the_last_fit_the_latest_and_among_the_kept() -> None:
    fits = after("abc de", "abcde")
    for n in range(kind_fits.KEPT_FITS + 5):
        more = "".join(chr(0x3B1 + place) for place in range(n + 1))
        fits = fits.with_fit(clusters(f"abc {more}"), FIRST - timedelta(days=n))
    assert set(fits.latest["unit_id"]) >= {"v/a", "v/b", "v/c"}
    assert fits.latest["fitted_at"].min() == fits.kinds["fitted_at"].max() == fits.events["fitted_at"].max()
    stored = KindFits.stored(fits.kinds, fits.events)
    assert stored.events.equals(fits.events) and stored.last_events.height


def test_two_fits_of_one_moment_are_told_apart() -> None:
    fits = KindFits.stored(None, None).with_fit(clusters("abcd"), FIRST).with_fit(clusters("abc d"), FIRST)
    assert kind_of(fits) == {0: 1, 1: 2}
    assert [event for event, *_ in told(fits)] == ["continued", "born"]
