"""The leaderboard on made-up backbones, one of which tells kinds apart."""

import io

import numpy as np
import polars as pl
import pytest
from PIL import Image

from megafish_assets.evaluation.columns import LEADERBOARD
from megafish_assets.evaluation.leaderboard import leaderboard_plot, shared_ids, standings
from megafish_assets_tests.clusters.test_recipes import N_KINDS, reef
from megafish_assets_tests.evaluation.test_evaluating import evidence


@pytest.fixture(scope="module")
def table():
    rows, _, _ = reef()
    blind = np.random.default_rng(9).normal(size=(len(rows), 12)).astype(np.float32)
    return standings({"good": rows, "blind": blind}, evidence(), {"good": 12.5, "blind": None}, seed=42)


def test_every_backbone_has_a_row_a_recipe(table) -> None:
    assert dict(table.schema) == {name: column.dtype for name, column in LEADERBOARD.items()}
    rows = table.filter(~pl.col("recipe").str.contains("k =")).select("backbone", "recipe", "dim", "crops_per_second")
    assert rows.rows() == [
        ("good", "default", 16, 12.5),
        ("good", "notebook", 16, 12.5),
        ("blind", "default", 12, None),
        ("blind", "notebook", 12, None),
    ]
    assert table["n_crops"].n_unique() == 1


def test_every_recipe_is_also_followed_at_the_number_of_clusters_of_the_other(table) -> None:
    good, blind = table.filter(backbone="good"), table.filter(backbone="blind")
    assert good["recipe"].to_list() == ["default", "notebook"]
    assert good["n_clusters"].to_list() == [N_KINDS, N_KINDS]  # both at four: nothing to add
    assert blind["recipe"].to_list() == ["default", "notebook", "default, k = 4"]
    assert blind["n_clusters"].to_list()[1:] == [4, 4]
    assert blind["noise_share"][2] == 0


def test_the_backbone_that_tells_kinds_apart_comes_out_ahead(table) -> None:
    good, blind = table.filter(pl.col("recipe") == "default")["species_ami"].to_list()
    assert good > 0.9 and blind < 0.3
    assert table["knn_other_trajectories"][0] > 0.9


def test_the_picture_draws_a_panel_a_measure(table) -> None:
    figure = leaderboard_plot(table, "320 crops")
    drawn = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert "AMI with labels" in drawn and "crops a second" in drawn
    unlabelled = leaderboard_plot(table.with_columns(species_ami=None, knn_other_trajectories=None), "320 crops")
    assert "AMI with labels" not in [axes.get_title() for axes in unlabelled.axes]
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=72)
    assert Image.open(buffer).size[0] > 700 and len(buffer.getvalue()) < 150_000


def panels(table: pl.DataFrame) -> dict:
    return {axes.get_title(): axes for axes in leaderboard_plot(table, "320 crops").axes if axes.get_title()}


def test_recipes_with_as_many_clusters_are_drawn_side_by_side(table) -> None:
    mixed = table.filter(backbone="blind").with_columns(n_clusters=pl.Series([9.0, 4.0, 4.0]))
    drawn = panels(mixed)["AMI with labels"]
    assert [label.get_text() for label in drawn.get_yticklabels()] == [
        "blind, default",
        "blind, default, k = 4",
        "blind, notebook",
    ]


def test_a_leak_is_drawn_below_the_most_that_it_could_be_and_beside_that_of_the_names(table) -> None:
    assert (table["leak_video"] <= table["most_leak_video"]).all()
    assert table["names_leak_video"].null_count() == table.height  # of 80 tracklets
    drawn = panels(table.with_columns(names_leak_video=pl.lit(0.625)))
    assert drawn["AMI with the video"].get_lines()[-1].get_xdata()[0] == 0.625
    [most] = drawn["AMI with the video"].collections
    by_row = sorted(most.get_offsets()[:, 0].tolist())
    assert by_row == pytest.approx(sorted(table["most_leak_video"].to_list()))
    assert drawn["AMI with the video"].get_xlim()[1] > 1 and not drawn["told by the border"].collections


def test_a_small_negative_number_is_written_without_the_sign_of_a_zero(table) -> None:
    four = table.head(4).with_columns(n_clusters=4.0, species_ami=pl.Series([-0.001, -0.25, 0.5, None]))
    figure = leaderboard_plot(four, "320 crops")
    [panel] = [axes for axes in figure.axes if axes.get_title() == "AMI with labels"]
    assert [text.get_text() for text in panel.texts] == ["0.00", "-0.25", "0.50", "none"]


def test_only_crops_that_all_have_are_compared() -> None:
    ids = [np.array(["c", "a", "b"], dtype=object), np.array(["b", "c", "d"], dtype=object)]
    assert shared_ids(ids).tolist() == ["b", "c"]
    with pytest.raises(ValueError, match="0 crops have vectors of all 2 backbones"):
        shared_ids([ids[0], np.array(["z"], dtype=object)])
