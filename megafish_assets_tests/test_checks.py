"""Every check seen failing: data that break each limit, through the stage's own measures and the one judge."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from megafish_assets.atlas import measures as atlas
from megafish_assets.atlas.checks import EXPLORER, MONTAGES
from megafish_assets.atlas.montage import chosen_tiles, draw_sheet
from megafish_assets.atlas.report_checks import REPORT
from megafish_assets.clusters import grouping, sweeping
from megafish_assets.clusters.checks import CLUSTERS, KIND_TREE, KINDS, STABILITY, SWEEP
from megafish_assets.clusters.measures import kind_numbers
from megafish_assets.clusters.recipes import DEFAULT, Grouped, at_k
from megafish_assets.clusters.resampling import resampled_stability
from megafish_assets.crops.checks import CAMERA_MOTION, CROPS
from megafish_assets.crops.measures import crop_counts, crop_numbers, motion_counts, motion_numbers
from megafish_assets.detections import measures as rows
from megafish_assets.detections.checks import FILTERED, RAW, SAMPLED, SIZE_LIMITS, SMALL, TRACKLETS
from megafish_assets.detections.size_limits import SizeLimits
from megafish_assets.detections.tracklets import MOST_BOXES_A_FRAME
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.embeddings.checks import EMBEDDINGS
from megafish_assets.embeddings.measures import vector_counts, vector_numbers
from megafish_assets.evaluation.checks import CONFOUNDERS, LEADERBOARD
from megafish_assets.evaluation.crop_rows import Borders, Evidence, species_of
from megafish_assets.evaluation.evaluating import evaluate
from megafish_assets.features import layout
from megafish_assets.features.checks import NEIGHBORS, PCA, UMAP
from megafish_assets.features.crop_rows import CropRows
from megafish_assets.labels.checks import CLASSES
from megafish_assets.labels.review_checks import REVIEW
from megafish_assets.labels.review_measures import drawn_tiles, tiles_of_other_pixels
from megafish_assets.labels.review_sheets import units_not_on_one_sheet
from megafish_assets.reporting.verdicts import Check, verdict
from megafish_assets.sightings import measures as ecology
from megafish_assets.sightings.checks import (
    ABUNDANCE,
    ANIMALS_GAP,
    BEHAVIOR,
    LINKED,
    MOMENTS,
    MOVEMENTS,
    RICHNESS,
    SCHOOLS,
    SIGHTINGS,
)
from megafish_assets.sightings.columns import BEHAVIOR as BEHAVIOR_COLUMNS
from megafish_assets.sightings.gap import precision, recall
from megafish_assets.sightings.measures import abundance_numbers, gap_numbers, linked_numbers, sighting_numbers
from megafish_assets.written_docs import DOCS, EVERY, PAGES
from megafish_assets_tests.clusters.test_kinds import after
from megafish_assets_tests.clusters.test_kinds import clusters as night
from megafish_assets_tests.labels.reviewed import made
from megafish_assets_tests.labels.reviewed import tables as reviewed_tables

LIMITS = SizeLimits(3.0, 5.0, 3.0, 5.0, 32.0, 100)
"""Keeps 32 to exp(5) = 148.4 px."""


def broken(check: Check, numbers: pl.DataFrame | dict, **more: float) -> set[str]:
    """The limits that these numbers break."""
    found = (numbers.row(0, named=True) if isinstance(numbers, pl.DataFrame) else numbers) | more
    names = {name for name, limit in check.limits.items() if name in found and not limit.holds(found[name])}
    assert verdict(check, found).passed is not bool(names)
    return names


def ids(n: int, video: str = "v") -> list[str]:
    return [f"{video}/{frame:06d}/000" for frame in range(n)]


def raw_table(n: int, n_faulty: int = 0) -> pl.DataFrame:
    faults = ["box has no size"] * n_faulty + [None] * (n - n_faulty)
    columns = {"video": ["v"] * n, "detection_id": ids(n), "fault": pl.Series(faults, dtype=pl.String)}
    sizes = {"width_1024": [50.0] * n, "height_1024": [50.0] * n}
    return pl.DataFrame(columns | sizes, schema_overrides={"video": pl.String, "detection_id": pl.String})


def test_raw_rows_that_are_faulty_lost_or_of_one_id_are_seen() -> None:
    def seen(n_arrived: int, *tables: pl.DataFrame) -> set[str]:
        arrived = pl.DataFrame({"video": ["v"], "n_arrived": [n_arrived]})
        return broken(RAW, rows.raw_numbers(rows.raw_counts(arrived, pl.concat(tables))))

    assert seen(40, raw_table(40, 2)) == set()
    assert seen(41, raw_table(40, 2)) == seen(39, raw_table(40, 2)) == {"n_lost_rows"}
    assert seen(40, raw_table(0)) == {"n_lost_rows"}
    assert seen(40, raw_table(40, 3)) == {"faulty_share"}
    assert seen(41, raw_table(40), raw_table(1)) == {"n_repeated_ids"}


def test_limits_that_drifted_or_left_partitions_behind_are_seen() -> None:
    good = {"drift_share": 0.01, "n_partitions_of_old_limits": 0, "kept_share": 0.479, "n_rows_without_video": 0}
    good |= {"n_missing_videos": 0}
    assert broken(SIZE_LIMITS, good) == set()
    for name, bad in (
        ("drift_share", 0.03),
        ("n_partitions_of_old_limits", 1),
        ("kept_share", 0.1),
        ("kept_share", 0.9),
        ("n_rows_without_video", 2),
        ("n_missing_videos", 1),
    ):
        assert broken(SIZE_LIMITS, good | {name: bad}) == {name}
    table = pl.DataFrame({"width_1024": [50.0, 10.0, 50.0, 500.0], "height_1024": [50.0] * 4})
    assert rows.overall_kept_share(table.lazy(), LIMITS) == 0.5


def test_a_kept_row_outside_the_limits_and_a_video_of_which_nothing_is_kept_are_seen() -> None:
    table = raw_table(100).drop("fault")
    kept = rows.filtered_numbers(rows.filtered_counts(table, table.head(50), LIMITS))
    assert broken(FILTERED, kept) == set()
    too_wide = table.head(50).with_columns(pl.lit(149.0).alias("width_1024"))
    assert broken(FILTERED, rows.filtered_numbers(rows.filtered_counts(table, too_wide, LIMITS))) == {
        "n_kept_outside_limits"
    }
    assert broken(FILTERED, rows.filtered_numbers(rows.filtered_counts(table, table.head(1), LIMITS))) == {"kept_share"}
    assert broken(FILTERED, rows.filtered_numbers(rows.filtered_counts(table, table.head(0), LIMITS))) == {"kept_share"}


def test_a_video_without_a_sample_and_a_sample_of_another_size_are_seen() -> None:
    table = raw_table(30)

    def numbers(of: pl.DataFrame, sample: pl.DataFrame, at_least: int) -> pl.DataFrame:
        counts = rows.sampled_counts(of, sample, 0.1, at_least)
        return rows.sampled_numbers(rows.with_left_out(counts, of, of.clear()))

    assert broken(SAMPLED, numbers(table, table.head(3), 1)) == set()
    assert broken(SAMPLED, numbers(table, table.head(4), 1)) == {"n_wrongly_sized_videos"}
    assert broken(SAMPLED, numbers(table.head(9), table.head(0), 0)) == {"n_unrepresented_videos"}


def test_small_tracklets_that_are_no_small_ones_or_most_of_all_are_seen() -> None:
    table = raw_table(30)
    tracklets = table.select("video", "detection_id", tracklet_id=pl.format("t{}", pl.int_range(pl.len()) // 3))
    small = table.join(tracklets, on=["video", "detection_id"])

    def numbers(kept: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
        return rows.small_numbers(rows.small_counts(kept, found, tracklets))

    assert broken(SMALL, numbers(table.head(15), small.tail(15))) == set()
    assert broken(SMALL, numbers(table.head(15), small.tail(17))) == {"n_wrong_rows"}
    assert broken(SMALL, numbers(table.head(3), small.tail(27))) == {"small_share"}


def crops_table(n: int, n_aside: int = 0, n_clipped: int = 0) -> pl.DataFrame:
    faults = ["frame can't be decoded"] * n_aside + [None] * (n - n_aside)
    clipped = [None] * n_aside + [0.2] * n_clipped + [0.0] * (n - n_aside - n_clipped)
    columns = {
        "video": ["v"] * n,
        "detection_id": ids(n),
        "fault": faults,
        "clipped_share": clipped,
    }
    kinds = {"video": pl.String, "detection_id": pl.String, "fault": pl.String, "clipped_share": pl.Float64}
    return pl.DataFrame(columns, schema=kinds)


def test_rows_without_a_tracklet_in_two_of_a_crowd_or_alone_are_seen() -> None:
    table = raw_table(20).with_columns(pl.int_range(pl.len()).alias("frame_id"))

    def seen(tracklets: pl.DataFrame, valid: pl.DataFrame = table) -> set[str]:
        return broken(TRACKLETS, rows.tracklet_numbers(rows.tracklet_counts(valid, tracklets)))

    whole = table.select("video", "detection_id", pl.lit("v/t00000").alias("tracklet_id"))
    assert seen(whole) == set()
    assert seen(whole.head(19)) == {"n_lost_rows"}
    assert seen(pl.concat([whole, whole.head(1)])) == {"n_repeated_ids"}
    each = whole.with_columns(
        pl.when(pl.int_range(pl.len()) < 11).then(pl.col("detection_id")).otherwise("tracklet_id").alias("tracklet_id")
    )
    assert seen(each) == {"alone_share"}
    n = MOST_BOXES_A_FRAME + 1
    crowd = raw_table(n).with_columns(pl.lit(0).alias("frame_id"))
    together = crowd.select("video", "detection_id", pl.lit("v/t00000").alias("tracklet_id"))
    assert seen(together, crowd) == {"n_crowded"}


def test_crops_that_are_lost_set_aside_or_clipped_are_seen() -> None:
    sampled = raw_table(100)
    assert broken(CROPS, crop_numbers(crop_counts(sampled, crops_table(100, 1, 9)))) == set()
    assert broken(CROPS, crop_numbers(crop_counts(sampled, crops_table(100, 2)))) == {"set_aside_share"}
    assert broken(CROPS, crop_numbers(crop_counts(sampled, crops_table(100, 0, 11)))) == {"clipped_crops_share"}
    assert broken(CROPS, crop_numbers(crop_counts(sampled, crops_table(99)))) == {"n_lost_rows"}
    assert broken(CROPS, crop_numbers(crop_counts(sampled, crops_table(0)))) == {"n_lost_rows"}
    assert broken(CROPS, crop_numbers(crop_counts(sampled, crops_table(101)))) == {"n_extra_rows"}
    twice = pl.concat([crops_table(100), crops_table(1)])
    assert broken(CROPS, crop_numbers(crop_counts(sampled, twice))) == {"n_repeated_ids"}


def motion_table(n_points: list[int], pan_x: float = 1.0) -> pl.DataFrame:
    columns = {"frame_id": range(0, 5 * len(n_points), 5), "n_pan_points": n_points, "pan_x_1024": pan_x}
    return pl.DataFrame(columns).with_columns(pl.lit("v").alias("video"), pl.lit(0.5).alias("pan_y_1024"))


def test_a_scene_that_is_not_seen_and_a_pan_that_boxes_deny_are_seen() -> None:
    told = motion_table([9] * 10).rename({"n_pan_points": "n_pan_boxes"})

    def seen(motion: pl.DataFrame) -> set[str]:
        return broken(CAMERA_MOTION, motion_numbers(motion_counts(motion, told)))

    assert seen(motion_table([50] * 7 + [7] * 3)) == set()
    assert seen(motion_table([50] * 6 + [7] * 4)) == {"blind_share"}
    assert seen(motion_table([50] * 10, pan_x=4.9)) == set()
    assert seen(motion_table([50] * 10, pan_x=5.1)) == {"different_share"}
    # Where no box told, or no point was followed, nothing differs.
    unsaid = told.with_columns(n_pan_boxes=0)
    counts = motion_numbers(motion_counts(motion_table([50] * 10, pan_x=9.0), unsaid)).row(0, named=True)
    assert (counts["n_looks"], counts["n_compared"], counts["different_share"]) == (10, 0, 0)


def test_vectors_that_are_missing_not_finite_too_long_or_repeated_are_seen() -> None:
    matrix = torch.randn(100, 8, generator=torch.Generator().manual_seed(0))

    crop_ids = np.array(ids(100), dtype=object)

    def seen(vectors: torch.Tensor, dim: int = 8, version: str = "v", names: list[str] | None = None) -> set[str]:
        batch = EmbeddingBatch(np.array(names or ids(len(vectors)), dtype=object), vectors, "v")
        return broken(EMBEDDINGS, vector_numbers(vector_counts(crop_ids, batch, dim, version)))

    assert seen(matrix) == set()
    assert seen(matrix[:99]) == {"n_missing_vectors"}
    assert seen(matrix, dim=9) == {"n_wrong_width_rows"}
    assert seen(matrix, version="other weights") == {"n_outdated_vectors"}
    assert seen(torch.cat([matrix, matrix[:1] + 1])) == {"n_extra_vectors"}
    assert seen(torch.cat([matrix, matrix[:1] + 1]), names=[*ids(100), ids(1)[0]]) == {"n_repeated_ids"}
    assert seen(matrix.index_fill(0, torch.tensor([3]), float("nan"))) == {"n_nonfinite_rows"}
    assert seen(matrix.index_fill(0, torch.tensor([3, 4, 5]), 1.0)) == {"repeated_share"}


def test_a_reduction_a_sweep_and_clusters_that_say_little_are_seen() -> None:
    pca = {"variance_reached_share": 0.95, "n_outdated_vectors": 0, "n_missing_videos": 0}
    assert broken(PCA, pca) == set()
    for name, bad in (("variance_reached_share", 0.8), ("n_outdated_vectors", 1), ("n_missing_videos", 3)):
        assert broken(PCA, pca | {name: bad}) == {name}
    assert sweeping.rises(np.array([9.0, 8.0, 8.5, 7.0, 7.1])) == 2
    sweep = {"n_rises_of_inertia": 0, "best_silhouette": 0.2, "n_sample_without_vector": 0, "n_missing_videos": 0}
    assert broken(SWEEP, sweep) == set()
    for name, bad in (
        ("n_rises_of_inertia", 2),
        ("best_silhouette", 0.01),
        ("best_silhouette", None),
        ("n_sample_without_vector", 1),
    ):
        assert broken(SWEEP, sweep | {name: bad}) == {name}
    sizes = grouping.cluster_sizes(np.array([0] * 9 + [1]), 3)
    clusters = {"n_empty_clusters": sizes.count(0), "largest_cluster_share": max(sizes) / sum(sizes)}
    clusters |= {"n_clusters_short": 1, "n_missing_videos": 0, "n_clusters": 2, "noise_share": 0.1}
    clusters |= {"n_without_layout": 0, "n_untracked": 0}
    seen = {"n_empty_clusters", "largest_cluster_share", "n_clusters_short"}
    assert broken(CLUSTERS, clusters) == seen
    for name, bad in (("n_clusters", 1), ("noise_share", 0.6), ("n_without_layout", 10), ("n_untracked", 1)):
        assert broken(CLUSTERS, clusters | {name: bad}) == seen | {name}


def test_kinds_that_no_other_video_shows_are_seen() -> None:
    kinds = np.repeat([0, 1], 60)
    rows_of = np.random.default_rng(0).normal(size=(120, 8)).astype(np.float32) * 0.05 + np.eye(8)[kinds]
    names = np.array([f"t{row // 2}" for row in range(120)])

    def seen(videos: np.ndarray, features: np.ndarray) -> set[str]:
        crops = CropRows(names, videos, features.astype(np.float32), kinds)
        found = resampled_stability(replace(at_k(DEFAULT, 2), space="features"), crops, 200, 0, 20)
        numbers = {"n_sure": found.n_sure, "n_videos": len(set(videos)), "n_missing_videos": 0}
        return broken(STABILITY, numbers)

    many = np.array([f"v{row // 2 % 10}" for row in range(120)])
    assert seen(many, rows_of) == set()
    assert seen(many, np.random.default_rng(1).normal(size=(120, 8))) == {"n_sure"}
    assert seen(np.where(np.arange(120) % 4 < 2, "a", "b"), rows_of) == {"n_sure", "n_videos"}


def test_kinds_that_are_others_than_last_time_are_seen() -> None:
    def seen(*nights: str) -> set[str]:
        numbers = kind_numbers(after(*nights), night(nights[-1]))
        return broken(KINDS, numbers, n_missing_videos=0)

    assert seen("abcd efgh") == seen("abcd efgh", "efghij abcd") == set()
    assert seen("abcd efgh", "abe xyz") == {"shared_units_share", "kept_kind_share"}
    assert seen("abcdefgh", "abcd efgh") == {"kept_kind_share"}
    numbers = kind_numbers(after("abcd"), night("abcd efgh"))
    assert broken(KINDS, numbers, n_missing_videos=0) == {"n_clusters_without_kind"}
    good = {"largest_overlap": 0.3, "n_joints_without_overlap": 0, "n_missing_videos": 0}
    assert broken(KIND_TREE, good) == broken(KIND_TREE, good | {"largest_overlap": None}) == set()
    for name, bad in (("largest_overlap", 0.6), ("n_joints_without_overlap", 1), ("n_missing_videos", 1)):
        assert broken(KIND_TREE, good | {name: bad}) == {name}


def test_clusters_that_follow_the_water_or_are_none_are_seen() -> None:
    rng, n = np.random.default_rng(0), 400
    kinds, names = rng.integers(0, 4, n), np.arange(n).astype(str)
    apart = rng.normal(size=(n, 4)) * 0.05 + np.eye(4)[kinds]
    place = rng.random((n, 2))

    def seen(cluster_ids: np.ndarray, **more: np.ndarray) -> set[str]:
        crops = CropRows(names, rng.choice([f"v{i}" for i in range(8)], n))
        confounders = {"video": crops.videos, "time": rng.random(n), "place": place, "size": rng.random(n)}
        confounders |= {"pan": rng.random((n, 2))} | more
        borders = Borders(np.arange(n), more.get("borders", rng.random((n, 6))).astype(np.float32))
        confounders.pop("borders", None)
        evidence = Evidence(crops, {"pca": apart, "umap": apart}, confounders, borders)
        found = Grouped(cluster_ids, None, apart, np.arange(n), "features")
        numbers = {name: layout.known(number) for name, number in evaluate(found, evidence, 0).items()}
        return broken(CONFOUNDERS, numbers | {"n_no_longer_there": 0, "n_missing_videos": 0})

    assert seen(kinds) == set()
    for name in ("time", "size"):
        assert seen(kinds, **{name: kinds + rng.random(n) / 10}) == {f"leak_{name}"}
    assert seen(kinds, place=np.stack([kinds % 2, kinds // 2], axis=1) + place / 10) == {"leak_place"}
    assert seen(kinds, pan=np.stack([kinds % 2, kinds // 2], axis=1) + place / 10) == {"leak_pan"}
    assert seen(kinds, borders=np.eye(6)[kinds] + rng.random((n, 6)) / 10) == {"border_leak"}
    assert {"silhouette_pca", "silhouette_umap", "dbcv"} <= seen(rng.permutation(kinds))
    assert seen(np.where(np.arange(n) % 10 < 7, -1, kinds)) >= {"noise_share"}
    for name in ("n_no_longer_there", "n_missing_videos"):
        good = dict.fromkeys(CONFOUNDERS.limits) | {"noise_share": 0.0, "n_no_longer_there": 0, "n_missing_videos": 0}
        assert broken(CONFOUNDERS, good | {name: 1}) == {name}


def test_backbones_that_are_compared_on_few_or_on_unnamed_crops_are_seen() -> None:
    good = {"n_unshared": 0, "n_no_longer_there": 0, "n_labelled_crops": None, "n_missing_videos": 0}
    assert broken(LEADERBOARD, good) == broken(LEADERBOARD, good | {"n_labelled_crops": 1}) == set()
    for name in ("n_unshared", "n_no_longer_there", "n_missing_videos"):
        assert broken(LEADERBOARD, good | {name: 1}) == {name}
    rows_of = pl.DataFrame({"detection_id": ids(3), "tracklet_id": ["v/t0", "v/t0", None]})
    others = species_of(rows_of, pl.DataFrame({"detection_id": ["w/000000/000"], "label": ["cod"]}))
    named = CropRows(np.array([None] * 3), np.array(["v"] * 3), species=others).n_named
    assert broken(LEADERBOARD, good | {"n_labelled_crops": named}) == {"n_labelled_crops"}


def test_names_that_cannot_be_trusted_are_seen() -> None:
    nothing = dict.fromkeys(CLASSES.limits) | {"n_labels_elsewhere": 0, "n_missing_videos": 0}
    good = nothing | {"fold_macro_f1": 0.8, "calibration_gap": 0.04, "dont_know_share": 0.4, "n_kinds_of_few_labels": 0}
    assert broken(CLASSES, nothing) == broken(CLASSES, good) == set()
    for name, bad in (
        ("fold_macro_f1", 0.4),
        ("calibration_gap", 0.2),
        ("dont_know_share", 0.7),
        ("n_kinds_of_few_labels", 1),
        ("n_labels_elsewhere", 1),
        ("n_missing_videos", 1),
    ):
        assert broken(CLASSES, good | {name: bad}) == {name}


def test_a_map_that_scatters_neighbors_is_seen() -> None:
    rng = np.random.default_rng(0)
    vectors = np.repeat(rng.normal(size=(10, 6)), 20, axis=0) + rng.normal(scale=0.05, size=(200, 6))
    trusted = layout.sampled_trustworthiness(vectors, vectors[:, :4], 15, seed=0)
    scattered = layout.sampled_trustworthiness(vectors, rng.normal(size=(200, 4)), 15, seed=0)
    good = {"n_nonfinite_rows": 0, "trustworthiness": trusted, "n_without_cluster": 0, "n_neighbors_short": 0}
    good |= {"n_outdated_vectors": 0, "n_missing_videos": 0}
    assert broken(UMAP, good) == set()
    assert broken(UMAP, good | {"trustworthiness": scattered}) == {"trustworthiness"}
    holed = np.array([[1.0, np.nan], [1.0, 2.0]])
    assert broken(UMAP, good | {"n_nonfinite_rows": layout.nonfinite_rows(holed)}) == {"n_nonfinite_rows"}


def test_a_tile_of_another_cluster_or_of_other_pixels_is_seen() -> None:
    import cv2

    rng = np.random.default_rng(0)
    names = ids(6)
    jpegs = {
        name: cv2.imencode(".jpg", rng.integers(0, 255, (40, 60, 3), dtype=np.uint8))[1].tobytes() for name in names
    }
    clusters = pl.DataFrame(
        {"video": ["v"] * 6, "detection_id": names, "cluster": [0, 0, 0, 1, 1, 1], "distance_to_centre": [1.0] * 6}
    ).with_columns(support=pl.lit(1.0))
    tiles = chosen_tiles(clusters, seed=1)
    sheets = {
        file: draw_sheet(sheet, jpegs, "title", (1.0, 0.0, 0.0))
        for (file,), sheet in tiles.partition_by("file", as_dict=True).items()
    }

    def seen(tiles: pl.DataFrame, jpegs: dict[str, bytes]) -> set[str]:
        other = atlas.tiles_of_another_cluster(tiles, clusters)
        pixels = atlas.tiles_of_other_pixels(tiles, sheets, jpegs)
        numbers = {"n_tiles_of_another_cluster": other, "n_tiles_of_other_pixels": pixels, "n_missing_videos": 0}
        return broken(MONTAGES, numbers)

    assert seen(tiles, jpegs) == set()
    assert seen(tiles, jpegs | {names[0]: jpegs[names[1]]}) == {"n_tiles_of_other_pixels"}
    assert seen(tiles.with_columns(pl.lit(1).alias("cluster")), jpegs) == {"n_tiles_of_another_cluster"}


def test_a_review_that_shows_a_tracklet_twice_or_not_or_another_crop_is_seen(tmp_path: Path) -> None:
    _, tiles = made(tmp_path / "review")
    jpegs = dict(reviewed_tables()[0].select("detection_id", "jpeg").iter_rows())
    units = tiles["unit_id"]

    def seen(shown: pl.DataFrame, jpegs: dict[str, bytes] = jpegs) -> set[str]:
        numbers = {
            "n_units_not_on_one_sheet": units_not_on_one_sheet(shown, units),
            "n_tiles_of_other_pixels": tiles_of_other_pixels(tmp_path / "review", shown, jpegs),
            "n_missing_videos": 0,
        }
        return broken(REVIEW, numbers)

    assert drawn_tiles(tiles, 1).height == len(units)
    assert seen(tiles) == set()
    assert seen(tiles.tail(-1)) == seen(pl.concat([tiles, tiles.head(1)])) == {"n_units_not_on_one_sheet"}
    ids = tiles["detection_id"]
    assert seen(tiles, jpegs | {ids[0]: jpegs[ids[1]]}) == {"n_tiles_of_other_pixels"}
    (tmp_path / "review" / "data" / "noise_00.jpg").unlink()
    assert seen(tiles) == {"n_tiles_of_other_pixels"}


def test_an_explorer_that_lacks_crops_videos_or_stills_is_seen() -> None:
    good = dict.fromkeys(EXPLORER.limits, 0) | {"trustworthiness": 0.95, "folder_mb": 89.1}
    assert broken(EXPLORER, good) == broken(EXPLORER, good | {"trustworthiness": None}) == set()
    assert broken(EXPLORER, good | {"folder_mb": 101}) == {"folder_mb"}
    assert broken(EXPLORER, good | {"trustworthiness": 0.7}) == {"trustworthiness"}
    for name in good.keys() - {"folder_mb", "trustworthiness"}:
        assert broken(EXPLORER, good | {name: 1}) == {name}


def test_a_report_that_is_too_large_or_lacks_kinds_or_pictures_is_seen() -> None:
    good = dict.fromkeys(REPORT.limits, 0) | {"page_mb": 14.9}
    assert broken(REPORT, good) == set()
    assert broken(REPORT, good | {"page_mb": 15.1}) == {"page_mb"}
    for name in good.keys() - {"page_mb"}:
        assert broken(REPORT, good | {name: 1}) == {name}


def test_neighbors_of_the_own_tracklet_or_out_of_order_are_seen() -> None:
    good = dict.fromkeys(NEIGHBORS.limits, 0)
    assert broken(NEIGHBORS, good) == set()
    for name in good:
        assert broken(NEIGHBORS, good | {name: 1}) == {name}


def test_tracklets_that_are_lost_repeated_or_mostly_no_fish_are_seen() -> None:
    def seen(*numbers: int) -> set[str]:
        return broken(SIGHTINGS, sighting_numbers(*numbers), n_missing_videos=0)

    assert seen(10, 5, 10, 10) == seen(0, 0, 0, 0) == set()
    assert seen(9, 1, 9, 10) == {"n_lost_tracklets"}
    assert seen(11, 1, 10, 10) == {"n_repeated_tracklets"}
    assert seen(10, 6, 10, 10) == {"not_fish_share"}
    assert broken(SIGHTINGS, sighting_numbers(1, 0, 1, 1), n_missing_videos=1) == {"n_missing_videos"}


def test_counts_that_lack_a_row_or_can_not_be_and_a_wiper_that_takes_much_are_seen() -> None:
    names = {"window_kind": pl.String, "window": pl.String, "station": pl.String, "kind": pl.String}
    numbers = {"max_n": pl.Int64, "n_animals": pl.Int64, "n_tracklets": pl.Int64, "n_clips": pl.Int64}
    shares = {"first_arrival_seconds": pl.Float64, "wiped_share": pl.Float64, "recorded_at": pl.Datetime("us")}
    shares |= dict.fromkeys(("start_seconds", "end_seconds", "seconds_searched"), pl.Float64)

    def seen(
        max_n: int = 2, arrival: float | None = 1.0, wiped: float = 0.1, n_rows: int = 2, animals: int | None = None
    ) -> set[str]:
        at = (datetime(2025, 1, 1), 0.0, 60.0, 60 * (1 - wiped))
        rows = [("clip", "v", None, kind, max_n, animals, 2, 3, arrival, wiped, *at) for kind in "ab"]
        table = pl.DataFrame(rows[:n_rows], names | numbers | shares, orient="row")
        return broken(ABUNDANCE, abundance_numbers(table, pl.Series(["a", "b"])), n_missing_videos=0)

    assert seen() == seen(max_n=0, arrival=None) == set()
    assert seen(max_n=3) == seen(arrival=None) == {"n_impossible_rows"}
    assert seen(animals=2) == set() and seen(animals=1) == seen(animals=3) == {"n_impossible_rows"}
    assert seen(n_rows=1) == {"n_missing_rows"}
    assert seen(wiped=0.3) == {"wiped_share"}


def test_a_detector_that_misses_much_or_reports_what_is_no_animal_is_seen() -> None:
    def seen(missed: int, no_animal: int, changed: int = 0) -> set[str]:
        table = pl.DataFrame(
            {"looked_by": ["Ana", None], "n_found": [8, None], "n_missed": [missed, None]}
            | {"n_no_animal": [no_animal, None], "n_twice": [0, None], "n_unjudged": [0, changed]}
        )
        return broken(ANIMALS_GAP, gap_numbers(table, recall(table), precision(table)), n_missing_videos=0)

    assert seen(2, 2) == set()
    assert seen(3, 0) == {"recall"} and seen(0, 3) == {"precision"}
    assert seen(3, 3, changed=2) == {"n_frames_to_look_at_again"}


def test_pieces_that_are_lost_or_joined_twice_and_animals_of_many_are_seen() -> None:
    def seen(*numbers: int) -> set[str]:
        return broken(LINKED, linked_numbers(*numbers), n_missing_videos=0)

    assert seen(10, 6, 4, 10) == seen(0, 0, 0, 0) == set()
    assert seen(10, 6, 4, 11) == {"n_lost_sightings"}
    assert seen(10, 6, 3, 10) == {"n_unaccounted_pieces"}
    assert seen(70, 10, 60, 70) == {"pieces_an_animal"}


def test_richness_that_contradicts_itself_or_is_of_a_sample_that_shows_little_is_seen() -> None:
    row = {"station": None, "note": None, "n_observed": 8, "chao2": 9.0, "chao2_low": 8.1, "chao2_high": 14.0}
    row |= {"sample_coverage": 0.9, "rarefied": 8.5, "rarefied_low": 7.0, "rarefied_high": 10.0}

    def seen(**more: object) -> set[str]:
        table = pl.DataFrame([row | more], schema_overrides={"station": pl.String, "note": pl.String})
        return broken(RICHNESS, ecology.richness_numbers(table), n_missing_videos=0)

    assert seen() == seen(note="refused: fewer than 20 clips (3)", chao2=None) == set()
    assert seen(chao2=7.0) == seen(rarefied_high=8.0) == seen(chao2_high=None) == {"n_impossible_rows"}
    assert seen(sample_coverage=0.3) == {"sample_coverage"}
    assert seen(station="north", sample_coverage=0.3) == set()


def test_movements_without_a_speed_or_a_frame_and_too_fast_are_seen() -> None:
    def seen(*numbers: int) -> set[str]:
        return broken(MOVEMENTS, ecology.movement_numbers(*numbers), n_missing_videos=0)

    assert seen(100, 0, 10, 1, 4, 1) == seen(0, 0, 0, 0, 0, 0) == set()
    assert seen(100, 1, 0, 0, 4, 0) == {"n_repeated_rows"}
    assert seen(100, 0, 60, 0, 4, 0) == {"speedless_share"}
    assert seen(100, 0, 0, 3, 4, 0) == {"too_fast_share"}
    assert seen(100, 0, 0, 0, 4, 3) == {"assumed_aspect_share"}


def test_groups_that_share_a_member_or_head_more_than_alike_are_seen() -> None:
    def seen(members: list[list[str]], polarization: float | None = 0.5) -> set[str]:
        rows = [("v", 1.0, "kind", len(some), some, polarization) for some in members]
        names = ["video", "seconds", "of", "n_members", "members", "polarization"]
        return broken(SCHOOLS, ecology.school_numbers(pl.DataFrame(rows, names, orient="row")), n_missing_videos=0)

    assert seen([["a", "b", "c"], ["d", "e", "f"]]) == seen([["a", "b", "c"]], None) == set()
    assert seen([["a", "b", "c"], ["c", "d", "e"]]) == {"n_repeated_members"}
    assert seen([["a", "b", "c"]], 1.2) == {"n_impossible_rows"}


def test_behavior_that_can_not_be_and_sightings_that_are_mostly_lost_are_seen() -> None:
    def seen(**numbers: float) -> set[str]:
        rows = [
            {"of": of, "kind": None, "ends_lost_share": 0.3, "right_share": 0.5} | numbers for of in ("kind", "any")
        ]
        table = pl.DataFrame(rows, {name: column.dtype for name, column in BEHAVIOR_COLUMNS.items()})
        return broken(BEHAVIOR, ecology.behavior_numbers(table), n_missing_videos=0)

    assert seen() == seen(stay_quarter_seconds=2.0, stay_median_seconds=3.0) == set()
    assert seen(right_share=0.7, left_share=0.7) == seen(grouped_share=1.5) == {"n_impossible_rows"}
    assert seen(stay_quarter_seconds=4.0, stay_median_seconds=3.0) == {"n_impossible_rows"}
    assert seen(ends_lost_share=0.9) == {"ends_lost_share"}


def test_moments_that_can_not_be_opened_are_seen() -> None:
    def seen(ranks: list[int], file: str | None = "v.mp4#t=1.0") -> set[str]:
        table = pl.DataFrame(
            {"rank": ranks, "reason": "burst", "open": file}, {"rank": pl.Int64, "reason": pl.String, "open": pl.String}
        )
        return broken(MOMENTS, ecology.moment_numbers(table), n_missing_videos=0)

    assert seen([1, 2]) == set()
    assert seen([1, 1]) == {"n_repeated_rows"}
    assert seen([1], None) == {"n_without_file"}


@pytest.mark.parametrize("check", [check for _, check in EVERY], ids=[check.name for _, check in EVERY])
def test_every_limit_has_a_reason_a_remedy_and_a_bound(check: Check) -> None:
    for limit in check.limits.values():
        assert limit.reason and limit.remedy.endswith(".")
        assert np.isfinite([limit.at_least, limit.at_most]).any()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_documents_is_the_one_that_the_code_writes(name: str) -> None:
    assert (DOCS / name).read_text() == PAGES[name]()
