"""The assets of groups on few and odd vectors, through real runs: a smaller result that says so, or a clear error."""

from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl
import pytest
import torch

from megafish_assets.clusters.assets import (
    ClustersConfig,
    SweepConfig,
    UmapConfig,
    clusters_asset,
    kmeans_sweep_asset,
    pca_asset,
    umap_asset,
)
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.orchestration.io_manager import GpuDeltaLakeIOManager
from megafish_assets.orchestration.partitions import ROW_RUNS, VIDEOS
from megafish_assets.orchestration.policy import grouped
from megafish_assets.orchestration.resources import Figures, Tables

PCA, SWEEP, CLUSTERS, UMAP = (make("b") for make in (pca_asset, kmeans_sweep_asset, clusters_asset, umap_asset))


class Vectors:
    """A collection of one video with these vectors, and the assets that group them."""

    def __init__(self, root: Path, matrix: np.ndarray) -> None:
        ids = np.array([f"v/{frame:06d}/000" for frame in range(len(matrix))], dtype=object)

        @dg.asset(key=["embeddings", "b"], partitions_def=VIDEOS, backfill_policy=ROW_RUNS, code_version="version")
        def embeddings(context: dg.AssetExecutionContext) -> EmbeddingBatch:
            own = np.array([name.replace("v", context.partition_key, 1) for name in ids], dtype=object)
            return EmbeddingBatch(own, torch.tensor(matrix, dtype=torch.float32), "version")

        @dg.asset(partitions_def=VIDEOS, backfill_policy=ROW_RUNS)
        def crops() -> pl.DataFrame:
            frame = {"video": ["v"] * len(ids), "detection_id": list(ids), "fault": [None] * len(ids)}
            kinds = {"video": pl.String, "detection_id": pl.String, "fault": pl.String}
            return pl.DataFrame(frame, schema=kinds)

        groups = grouped("clusters", [PCA, SWEEP, CLUSTERS, UMAP])
        self.assets = [*grouped("embeddings", [embeddings]), *grouped("crops", [crops]), *groups]
        self.instance = dg.DagsterInstance.ephemeral()
        self.instance.add_dynamic_partitions(VIDEOS.name, ["v"])
        self.resources = {
            "io_manager": GpuDeltaLakeIOManager(root_uri=str(root / "tables"), device="cpu"),
            "figures": Figures(folder=str(root / "figures")),
            "tables": Tables(root=str(root / "tables")),
        }
        self.root = root
        self.embeddings = embeddings
        for asset in (embeddings, crops):
            self.make(asset.key, partition_key="v")

    def make(self, key: dg.AssetKey, **options: object) -> dg.ExecuteInProcessResult:
        return dg.materialize(
            self.assets,
            selection=[key],
            instance=self.instance,
            resources=self.resources,
            **options,
        )

    def checked(self, asset: dg.AssetsDefinition) -> dg.AssetCheckEvaluation:
        """Makes the asset; its check's result."""
        return self.make(asset.key).get_asset_check_evaluations()[0]

    def stored(self, name: str) -> pl.DataFrame:
        return pl.read_delta(str(self.root / "tables" / "clusters" / name / "b"))


def matrix(n: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, 6))


def test_fewer_rows_than_k_become_as_many_clusters_with_a_warning(tmp_path: Path) -> None:
    few = Vectors(tmp_path, matrix(3))
    assert few.checked(PCA).passed
    result = few.checked(CLUSTERS)
    assert not result.passed and result.severity == dg.AssetCheckSeverity.WARN
    assert "n_clusters_short = 1, allowed at most 0" in result.description
    assert sorted(few.stored("clusters")["cluster"]) == [0, 1, 2]


def test_fewer_rows_than_swept_ks_sweep_what_there_is(tmp_path: Path) -> None:
    few = Vectors(tmp_path, matrix(5))
    few.checked(PCA)
    few.checked(SWEEP)
    assert few.stored("kmeans_sweep")["k"].to_list() == [2, 3, 4]


def test_two_rows_have_no_k_to_sweep_and_say_so(tmp_path: Path) -> None:
    two = Vectors(tmp_path, matrix(2))
    two.checked(PCA)
    result = two.checked(SWEEP)
    assert not result.passed and "best_silhouette = none" in result.description
    assert two.stored("kmeans_sweep").height == 0


def test_fewer_rows_than_neighbours_take_all_the_others_with_a_warning(tmp_path: Path) -> None:
    few = Vectors(tmp_path, matrix(9))
    for asset in (PCA, CLUSTERS):
        few.checked(asset)
    result = few.checked(UMAP)
    assert not result.passed and "n_neighbors_short = 7, allowed at most 0" in result.description
    assert few.stored("umap").height == 9


@pytest.mark.parametrize(
    ("vectors", "told"),
    [(matrix(0), "at least 2 vectors, given 0"), (matrix(1), "given 1"), (np.ones((8, 6)), "all 8 vectors are equal")],
    ids=["none", "one", "all equal"],
)
def test_too_few_or_equal_vectors_are_a_clear_error(tmp_path: Path, vectors: np.ndarray, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Vectors(tmp_path, vectors).make(PCA.key)


def test_a_video_embedded_after_the_reduction_is_missing_in_the_clusters(tmp_path: Path) -> None:
    few = Vectors(tmp_path, matrix(20))
    few.checked(PCA)
    assert few.checked(CLUSTERS).passed
    few.instance.add_dynamic_partitions(VIDEOS.name, ["w"])
    few.make(few.embeddings.key, partition_key="w")
    for asset in (CLUSTERS, SWEEP):
        result = few.checked(asset)
        assert not result.passed and "n_missing_videos = 1, allowed at most 0" in result.description
        assert result.metadata["missing_videos"].value == "w"
    few.checked(PCA)
    assert few.checked(CLUSTERS).passed


def test_a_video_of_older_vectors_is_missing_in_all_that_follows(tmp_path: Path) -> None:
    few = Vectors(tmp_path, matrix(20))
    few.instance.add_dynamic_partitions(VIDEOS.name, ["w"])
    few.make(few.embeddings.key, partition_key="w")
    place = str(tmp_path / "tables" / "embeddings" / "embeddings" / "b")
    of_w = pl.col("video") == "w"
    mixed = pl.read_delta(place).with_columns(
        pl.when(of_w).then(pl.lit("older")).otherwise("vectors_version").alias("vectors_version")
    )
    mixed.write_delta(place, mode="overwrite")
    for asset in (PCA, CLUSTERS, SWEEP, UMAP):
        assert few.checked(asset).metadata["missing_videos"].value == "w"


def test_a_sweep_from_above_its_end_is_refused() -> None:
    with pytest.raises(ValueError, match="k_from = 9 is above k_to = 4"):
        SweepConfig(k_from=9, k_to=4)


@pytest.mark.parametrize("config", [ClustersConfig, SweepConfig, UmapConfig])
def test_a_seed_that_scikit_learn_would_refuse_is_refused_at_launch(config: type) -> None:
    assert config(seed=2**32 - 1).seed == 2**32 - 1
    with pytest.raises(ValueError, match="less than or equal to 4294967295"):
        config(seed=2**32)


def test_a_reduction_of_other_vectors_is_refused(tmp_path: Path) -> None:
    few = Vectors(tmp_path, matrix(20))
    for asset in (PCA, CLUSTERS):
        few.checked(asset)
    place = str(tmp_path / "tables" / "clusters" / "pca" / "b")
    older = pl.read_delta(place).with_columns(pl.lit("older").alias("vectors_version"))
    older.write_delta(place, mode="overwrite")
    with pytest.raises(ValueError, match="materialise pca first"):
        few.make(UMAP.key)
