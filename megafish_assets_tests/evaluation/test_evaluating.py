"""Evidence from tables, and what is judged by it."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from megafish_assets.clusters.recipes import DEFAULT, NOTEBOOK, Grouped, at_k, run_recipe
from megafish_assets.clusters.resampling import agreement_at_ks, resampled_stability
from megafish_assets.crops.borders import N_BORDER
from megafish_assets.detections.columns import SAMPLED, TRACKLETS
from megafish_assets.evaluation.crop_rows import Borders, Evidence, species_of
from megafish_assets.evaluation.evaluating import evaluate
from megafish_assets.features.crop_rows import CropRows, RowsApartError, aligned, borders_of, seen_rows, still_there
from megafish_assets.footage.columns import empty_table
from megafish_assets_tests.clusters.test_recipes import N_KINDS, reef

IDS = pl.Series("detection_id", ["a/000000/000", "a/000001/000", "b/000000/000"])


def sampled() -> pl.LazyFrame:
    rows = pl.DataFrame({"detection_id": IDS, "video": ["a", "a", "b"], "tracklet_id": ["a/t0", "a/t0", None]})
    return pl.concat([empty_table(SAMPLED), rows], how="diagonal").lazy()


def tracklets() -> pl.LazyFrame:
    rows = pl.DataFrame({"detection_id": IDS[:2], "tracklet_id": ["a/t0", "a/t0"], "pan_x_1024": [1.0, 2.0]})
    return pl.concat([empty_table(TRACKLETS), rows], how="diagonal").lazy()


def test_rows_come_in_the_order_of_the_ids_with_their_tracklets() -> None:
    rows = seen_rows(IDS.reverse(), sampled(), tracklets())
    assert rows.select("detection_id", "tracklet_id", "pan_x_1024").rows() == [
        ("b/000000/000", None, None),
        ("a/000001/000", "a/t0", 2.0),
        ("a/000000/000", "a/t0", 1.0),
    ]
    with pytest.raises(RowsApartError, match="1 of 4 clustered rows are no longer sampled"):
        seen_rows(pl.concat([IDS, pl.Series(["gone"])]), sampled(), tracklets())


def test_rows_sampled_or_cut_anew_are_no_longer_there() -> None:
    crops = pl.LazyFrame({"detection_id": IDS, "border": [b"x", None, b"x"]})
    assert still_there([*IDS.reverse(), "gone"], sampled(), crops).tolist() == [IDS[2], IDS[0]]
    assert still_there([], sampled(), crops).tolist() == []


def test_values_are_put_in_the_order_of_the_rows() -> None:
    rows = pl.DataFrame({"detection_id": IDS})
    values = np.array([[3.0], [1.0], [2.0]])
    order = [IDS[2], IDS[0], IDS[1]]
    assert aligned(rows, order, values, "pca").tolist() == [[1.0], [2.0], [3.0]]
    with pytest.raises(RowsApartError, match="pca lacks 1 of 3 clustered rows: materialise pca again"):
        aligned(rows, order[:2], values[:2], "pca")


def test_borders_come_in_the_order_of_the_ids() -> None:
    crops = pl.LazyFrame({"detection_id": IDS, "border": [bytes([n]) * N_BORDER for n in (0, 51, 255)]})
    assert borders_of(IDS.reverse(), crops)[:, 0].tolist() == pytest.approx([1.0, 0.2, 0.0])
    drawn = Borders.drawn(IDS, crops, 2, seed=0)
    assert drawn.pixels.shape == (2, N_BORDER) and len(set(drawn.rows)) == 2
    with pytest.raises(RowsApartError, match="1 of 3 vectors have no crop with a border"):
        borders_of(IDS, crops.head(2))


def test_a_label_of_the_detection_goes_before_its_tracklets() -> None:
    rows = pl.DataFrame({"detection_id": IDS, "tracklet_id": ["a/t0", "a/t0", None]})
    labels = pl.DataFrame({"tracklet_id": ["a/t0", None], "detection_id": [None, IDS[1]], "label": ["cod", "eel"]})
    assert species_of(rows, labels).tolist() == ["cod", "eel", None]
    with pytest.raises(ValueError, match=r"labels need `label` and `detection_id` or `tracklet_id`; found \['label'\]"):
        species_of(rows, labels.select("label"))
    blank = pl.DataFrame({"tracklet_id": ["", " a/t0"], "label": ["shark", "eel "]})
    assert species_of(rows, blank).tolist() == ["eel", "eel", None]
    other_type = pl.DataFrame({"detection_id": pl.Series([IDS[2]], dtype=pl.Categorical), "label": ["eel"]})
    assert species_of(rows, other_type).tolist() == [None, None, "eel"]
    with pytest.raises(ValueError, match="1 tracklet_ids have several labels, 'a/t0' first"):
        species_of(rows, pl.DataFrame({"tracklet_id": ["a/t0", "a/t0"], "label": ["cod", "eel"]}))


def evidence() -> Evidence:
    rows, names, kinds = reef()
    videos = np.array([name.partition("/")[0] for name in names])
    borders = Borders(np.arange(len(rows)), np.random.default_rng(0).random((len(rows), 6)).astype(np.float32))
    return Evidence(CropRows(names, videos, species=kinds.astype(str)), {"pca": rows}, {"video": videos}, borders)


def test_every_measure_is_there_and_true_kinds_score_what_they_should() -> None:
    rows, names, kinds = reef()
    known = evidence()
    true = Grouped(kinds, rows, rows, np.arange(len(rows)), "features")
    numbers = evaluate(true, known, seed=0)
    assert numbers["species_ami"] == numbers["ari"] == numbers["macro_f1"] == pytest.approx(1)
    assert numbers["track_consistency"] == pytest.approx(1) and numbers["n_clusters"] == N_KINDS
    assert numbers["border_leak"] == pytest.approx(0, abs=0.15)
    # Tracklet i is of kind i % 4 and of video i % 8, so that a video holds one kind.
    assert numbers["leak_video"] > 0.6
    whole = evaluate(run_recipe(at_k(DEFAULT, N_KINDS), rows, names), known, seed=0)
    assert np.isnan(whole["track_consistency"])
    assert whole.keys() == numbers.keys()
    assert "ari" not in evaluate(true, replace(known, crops=replace(known.crops, species=None)), seed=0)
    with pytest.raises(ValueError, match="comes without: run its recipe"):
        evaluate(replace(true, features=None), known, seed=0)


def test_crops_of_a_tracklet_that_share_their_place_are_no_leak() -> None:
    rng, n = np.random.default_rng(0), 300
    labels, place = np.repeat(rng.integers(0, 20, n), 3), np.repeat(rng.random((n, 2)), 3, axis=0)
    names = np.repeat(np.arange(n), 3).astype(str)
    known = Evidence(CropRows(names, np.full(3 * n, "v")), confounders={"place": place})
    whole = Grouped(labels, None, rng.random((n, 2)), np.repeat(np.arange(n), 3), "features")
    assert evaluate(whole, known, seed=0)["leak_place"] == pytest.approx(0, abs=0.05)


def crops_of(labels: np.ndarray) -> CropRows:
    rows, names, _ = reef()
    # A video holds every kind, so that each is found in any draw.
    videos = np.array([f"v{int(name.rpartition('t')[2]) // 10}" for name in names])
    return CropRows(names, videos, rows[:, :8], labels)


def test_kinds_are_found_again_and_a_shuffled_partition_is_not() -> None:
    _, _, kinds = reef()
    recipe = replace(at_k(DEFAULT, N_KINDS), space="features")
    steps = []
    found = resampled_stability(recipe, crops_of(kinds), 400, 0, 20, on_resample=lambda: steps.append(1))
    assert (found.n_kinds, found.n_sure, len(steps)) == (N_KINDS, N_KINDS, 20) and found.ami == pytest.approx(1)
    assert found.clusters["n_tracklets"].to_list() == [20] * N_KINDS
    shuffled = np.repeat(np.random.default_rng(0).permutation(kinds[::4]), 4)
    assert resampled_stability(recipe, crops_of(shuffled), 400, 0, 20).n_sure == 0


def test_of_crops_grouped_one_by_one_the_tracklets_are_counted_all_of_them() -> None:
    _, _, kinds = reef()
    found = resampled_stability(at_k(NOTEBOOK, N_KINDS), crops_of(kinds), 100, 0, 20)
    assert found.clusters["n_tracklets"].to_list() == [20] * N_KINDS


def test_a_clear_kind_of_six_tracklets_is_found_again() -> None:
    kinds = np.repeat(range(3), (40, 40, 6))
    rows = np.random.default_rng(0).normal(size=(86, 16)) * 0.05 + np.eye(16)[kinds]
    videos = np.array([f"v{place % 10}" for size in (40, 40, 6) for place in range(size)])
    crops = CropRows(np.array([f"t{row}" for row in range(86)]), videos, rows.astype(np.float32), kinds)
    assert resampled_stability(DEFAULT, crops, 400, 42, 20).n_sure == 3


@pytest.mark.parametrize("n_videos", [1, 2])
def test_one_video_or_two_find_nothing_again(n_videos: int) -> None:
    _, _, kinds = reef()
    one = replace(crops_of(kinds), videos=np.array([f"v{row % n_videos}" for row in range(len(kinds) // 4)]).repeat(4))
    found = resampled_stability(DEFAULT, one, 400, 0, 20)
    assert (found.n_kinds, found.clusters.height) == (0, N_KINDS) and np.isnan(found.ami)
    grouped = run_recipe(NOTEBOOK, *reef()[:2])
    assert agreement_at_ks(grouped, one.videos, 400, seed=0).height == 0
    assert agreement_at_ks(grouped, crops_of(kinds).videos, 400, seed=0)["k"].to_list()[:3] == [2, 3, 4]


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="CropRows of 2 tracklets, 2 videos, 3 cluster_ids: expected as many of each"):
        CropRows(np.array(["t", None]), np.array(["v", "v"]), cluster_ids=np.zeros(3, int))
    with pytest.raises(ValueError, match="space pca of 3 rows, beside 2 crops"):
        Evidence(CropRows(np.array(["t", None]), np.array(["v", "v"])), {"pca": np.zeros((3, 1))})
    with pytest.raises(ValueError, match="Borders of 1 rows, 2 pixels"):
        Borders(np.zeros(1, int), np.zeros((2, 6)))
    with pytest.raises(ValueError, match="2 units at 1 positions"):
        Grouped(np.zeros(2, int), None, np.zeros((1, 2)), np.arange(2), "features")
