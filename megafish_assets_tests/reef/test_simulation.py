"""What a default reef holds, checked on its tables; nothing is drawn here."""

import numpy as np
import polars as pl
import pytest

from megafish_assets.reef.plan import ReefPlan
from megafish_assets.reef.species import SPECIES
from megafish_assets.reef.tables import simulate_video

ARTEFACTS = {"algae", "wiper", "rock", "water"}


@pytest.fixture(scope="module")
def plan() -> ReefPlan:
    """The reef that the command line makes when told nothing."""
    return ReefPlan()


@pytest.fixture(scope="module")
def truth(plan: ReefPlan) -> pl.DataFrame:
    """Its truth, with the box's numbers in columns of their own."""
    rows = pl.concat([simulate_video(plan, video).truth for video in plan.video_numbers])
    return rows.with_columns(
        *(pl.col("box").list.get(i).alias(side) for i, side in enumerate("xywh")),
        *(pl.col("true_box").list.get(i).alias(f"true_{side}") for i, side in enumerate("xywh")),
    )


def notebook_filter(truth: pl.DataFrame) -> pl.Series:
    """The notebook's filter, written afresh with numpy: two standard deviations of the logs, and 32 px."""
    keep = np.ones(truth.height, bool)
    for side in ("w", "h"):
        log = np.log(truth[side].to_numpy())
        keep &= np.abs(log - np.median(log)) <= 2 * log.std(ddof=1)
        keep &= truth[side].to_numpy() >= 32
    return pl.Series("kept", keep)


def test_a_frame_holds_nine_to_twelve_boxes_on_average(truth: pl.DataFrame) -> None:
    assert 9 <= truth.height / (12 * 300) <= 12.5


def test_the_notebooks_filter_keeps_about_half_and_some_of_every_species(truth: pl.DataFrame) -> None:
    kept = notebook_filter(truth)
    assert 0.45 <= kept.mean() <= 0.60
    assert set(truth.filter(kept)["species"].drop_nulls()) == set(SPECIES)


@pytest.mark.parametrize("n", [1, 3, 8])
def test_a_reef_holds_as_many_species_as_it_is_told_and_their_animals_swim_as_among_all(
    truth: pl.DataFrame, n: int
) -> None:
    few = ReefPlan(species=n)
    rows = pl.concat([simulate_video(few, video).truth for video in few.video_numbers])
    species = rows["species"].drop_nulls().unique()
    assert len(species) == n
    both = rows.filter(pl.col("species").is_not_null()), truth.filter(pl.col("species").is_in(species.implode()))
    animals = [part.group_by("video_file", "species").agg(pl.col("track_id").n_unique()) for part in both]
    joined = animals[0].join(animals[1], on=["video_file", "species"], suffix="_all")
    # Fewer fish hide fewer others, so that one or two more of them are seen.
    assert ((joined["track_id"] - joined["track_id_all"]).abs() <= 2).all() and joined.height >= n


@pytest.mark.parametrize("n", [0, 9])
def test_more_species_than_there_are_or_none_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match="allowed are 1 to 8"):
        ReefPlan(species=n)


def test_most_chromis_are_under_the_filters_floor_and_some_above(truth: pl.DataFrame) -> None:
    chromis = truth.with_columns(notebook_filter(truth)).filter(pl.col("species") == "chromis")
    assert 0.02 < chromis["kept"].mean() < 0.4


def test_every_species_swims_before_both_backgrounds(truth: pl.DataFrame) -> None:
    seen = truth.group_by("species").agg(pl.col("background").unique()).drop_nulls("species")
    assert seen.height == len(SPECIES)
    assert all(set(backgrounds) == {"reef", "water"} for backgrounds in seen["background"])


def test_the_rare_species_is_about_one_percent_and_in_two_videos(truth: pl.DataFrame) -> None:
    rare = truth.filter(pl.col("species") == "soldierfish")
    assert 0.004 < rare.height / truth.height < 0.03
    assert rare["video_file"].n_unique() >= 2


def test_all_four_artefacts_occur_and_only_fish_have_a_track(truth: pl.DataFrame) -> None:
    assert set(truth["artefact"].drop_nulls()) == ARTEFACTS
    fish = truth["artefact"].is_null()
    for column in ("track_id", "species", "true_box", "depth", "background"):
        assert (truth[column].is_not_null() == fish).all(), column


def test_boxes_lie_inside_the_square_and_have_a_size(truth: pl.DataFrame) -> None:
    for prefix in ("", "true_"):
        x, y, w, h = (truth[prefix + side].drop_nulls().to_numpy() for side in "xywh")
        assert np.isfinite([x, y, w, h]).all()
        assert min(w.min(), h.min()) > 0 and min(x.min(), y.min()) >= 0
        assert max((x + w).max(), (y + h).max()) <= 1024 + 1e-9


def test_scores_of_fish_and_artefacts_overlap_about_their_means(truth: pl.DataFrame) -> None:
    fish = truth.filter(pl.col("artefact").is_null())["score"]
    other = truth.filter(pl.col("artefact").is_not_null())["score"]
    assert truth["score"].is_between(0.2, 0.97).all()
    assert fish.mean() == pytest.approx(0.65, abs=0.05)
    assert other.mean() == pytest.approx(0.40, abs=0.05)
    assert fish.quantile(0.1) < other.quantile(0.9)


def test_no_row_occurs_twice(truth: pl.DataFrame) -> None:
    assert not truth.select("video_file", "frame_id", "x", "y", "w", "h").is_duplicated().any()


def test_rows_are_in_order_of_video_and_frame(truth: pl.DataFrame) -> None:
    key = truth.select("video_file", "frame_id")
    assert key.equals(key.sort("video_file", "frame_id", maintain_order=True))


def test_track_ids_are_not_shared_between_videos_or_species(truth: pl.DataFrame) -> None:
    fish = truth.drop_nulls("track_id").group_by("track_id")
    assert fish.agg(pl.col("video_file", "species").n_unique()).select("video_file", "species").max().row(0) == (1, 1)


def test_a_whole_box_meets_its_fish_and_a_part_covers_less(truth: pl.DataFrame) -> None:
    fish = truth.drop_nulls("track_id")
    width = pl.min_horizontal(pl.col("x") + pl.col("w"), pl.col("true_x") + pl.col("true_w")) - pl.max_horizontal(
        "x", "true_x"
    )
    height = pl.min_horizontal(pl.col("y") + pl.col("h"), pl.col("true_y") + pl.col("true_h")) - pl.max_horizontal(
        "y", "true_y"
    )
    shared = width.clip(0) * height.clip(0)
    iou = shared / (pl.col("w") * pl.col("h") + pl.col("true_w") * pl.col("true_h") - shared)
    fish = fish.with_columns(iou=iou)
    assert fish.filter(~pl.col("is_part"))["iou"].median() > 0.8
    parts = fish.filter(pl.col("is_part"))
    assert parts.height > 50
    assert parts["iou"].median() < 0.65


def test_a_video_is_the_same_whatever_reef_it_is_part_of(plan: ReefPlan) -> None:
    alone = ReefPlan(videos=1, first_video=5)
    assert simulate_video(alone, 5).truth.equals(simulate_video(plan, 5).truth)


def test_another_seed_gives_another_reef() -> None:
    one, other = (simulate_video(ReefPlan(seed=seed, frames=30), 0).truth for seed in (1, 2))
    assert not one.equals(other)


def test_other_seeds_hold_every_species_and_artefact_too() -> None:
    for seed in (3, 4):
        plan = ReefPlan(seed=seed)
        rows = pl.concat([simulate_video(plan, video).truth for video in plan.video_numbers])
        assert set(rows["species"].drop_nulls()) == set(SPECIES)
        assert set(rows["artefact"].drop_nulls()) == ARTEFACTS


@pytest.mark.parametrize("wrong", [{"videos": 0}, {"frames": 0}, {"fps": 0}, {"seed": -1}, {"size_wh_px": (321, 180)}])
def test_a_plan_that_cannot_be_recorded_is_refused_by_name(wrong: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ReefPlan(**wrong)
