"""The assets of groups on few and odd vectors, through real runs: a smaller result that says so, or a clear error."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl
import pytest
import torch

from megafish_assets.clusters.assets import ClustersConfig, SweepConfig, clusters_asset, kmeans_sweep_asset
from megafish_assets.clusters.kind_assets import kinds_asset
from megafish_assets.clusters.recipes import DEFAULT, NOTEBOOK, at_k
from megafish_assets.crops.borders import N_BORDER
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.embeddings.tables import EmbeddingStream, vectors_table
from megafish_assets.features.assets import (
    UmapConfig,
    features_asset,
    pca_asset,
    projected,
    umap_asset,
    whitening_asset,
)
from megafish_assets.orchestration.policy import grouped
from megafish_assets.reporting.figures import Figures
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.io_manager import GpuDeltaLakeIOManager
from megafish_assets.storage.io_types import VECTORS_VERSION
from megafish_assets.storage.partitions import ROW_RUNS, VIDEOS

PCA, SWEEP, WHITENING, FEATURES, CLUSTERS, KINDS, UMAP = (
    make("b")
    for make in (
        pca_asset,
        kmeans_sweep_asset,
        whitening_asset,
        features_asset,
        clusters_asset,
        kinds_asset,
        umap_asset,
    )
)
FITTED = (PCA, WHITENING, FEATURES)
"""What the clusters are made from."""

N_CROPS_A_TRACKLET = 4


class Vectors:
    """A collection of one video with these vectors, and the assets that group them."""

    def __init__(self, root: Path, matrix: np.ndarray) -> None:
        ids = np.array([f"v/{frame:06d}/000" for frame in range(len(matrix))], dtype=object)

        def own_ids(key: str) -> list[str]:
            return [name.replace("v", key, 1) for name in ids]

        @dg.asset(
            key="embeddings_b",
            partitions_def=VIDEOS,
            backfill_policy=ROW_RUNS,
            metadata={VECTORS_VERSION: "version"},
        )
        def embeddings(context: dg.AssetExecutionContext) -> EmbeddingBatch:
            own = np.array(own_ids(context.partition_key), dtype=object)
            return EmbeddingBatch(own, torch.tensor(matrix, dtype=torch.float32), "version")

        @dg.asset(partitions_def=VIDEOS, backfill_policy=ROW_RUNS)
        def crops(context: dg.AssetExecutionContext) -> pl.DataFrame:
            key = context.partition_key
            rng = np.random.default_rng(1)
            borders = [rng.integers(0, 256, N_BORDER, dtype=np.uint8).tobytes() for _ in ids]
            frame = {
                "video": [key] * len(ids),
                "detection_id": own_ids(key),
                "tracklet_id": [f"{key}/t{place // N_CROPS_A_TRACKLET:05d}" for place in range(len(ids))],
                "fault": [None] * len(ids),
                "border": borders,
            }
            return pl.DataFrame(frame, schema=dict.fromkeys(frame, pl.String) | {"border": pl.Binary})

        groups = [
            *grouped("features", [PCA, WHITENING, FEATURES, UMAP]),
            *grouped("clusters", [SWEEP, CLUSTERS, KINDS]),
        ]
        self.assets = [*grouped("embeddings", [embeddings]), *grouped("crops", [crops]), *groups]
        self.instance = dg.DagsterInstance.ephemeral()
        self.instance.add_dynamic_partitions(VIDEOS.name, ["v"])
        self.resources = {
            "io_manager": GpuDeltaLakeIOManager(root_uri=str(root / "tables"), device="cpu"),
            "figures": Figures(folder=str(root / "figures")),
            "tables": Tables(root=str(root / "tables")),
        }
        self.root = root
        self.embed("v")

    def make(self, *keys: dg.AssetKey, **options: object) -> dg.ExecuteInProcessResult:
        return dg.materialize(
            self.assets,
            selection=list(keys),
            instance=self.instance,
            resources=self.resources,
            **options,
        )

    def embed(self, video: str) -> None:
        """Crops and vectors of a video."""
        for name in ("crops", "embeddings_b"):
            self.make(dg.AssetKey(name), partition_key=video)

    def checked(self, asset: dg.AssetsDefinition, **config: object) -> dg.AssetCheckEvaluation:
        """Makes the asset; its check's result."""
        knobs = {"ops": {asset.node_def.name: {"config": config}}} if config else {}
        return self.make(*asset.keys, run_config=knobs).get_asset_check_evaluations()[0]

    def stored(self, name: str) -> pl.DataFrame:
        (place,) = (self.root / "tables").glob(f"*/{name}_b")
        return pl.read_delta(str(place))


def matrix(n: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, 6))


def test_fewer_rows_than_k_become_as_many_clusters_with_a_warning(tmp_path: Path) -> None:
    few = Vectors(tmp_path, matrix(3))
    for asset in FITTED:
        few.checked(asset)
    result = few.checked(CLUSTERS, recipe="notebook")
    assert not result.passed and result.severity == dg.AssetCheckSeverity.WARN
    assert "n_clusters_short = 1, allowed at most 0" in result.description
    assert sorted(few.stored("clusters")["cluster"]) == [0, 1, 2]


def test_too_few_tracklets_are_a_warning_and_group_all_the_same(tmp_path: Path) -> None:
    few = Vectors(tmp_path, matrix(12))
    few.checked(PCA)
    result = few.checked(WHITENING)
    assert not result.passed and "n_tracklets = 3, allowed at least 20" in result.description
    assert few.checked(FEATURES).passed
    assert np.linalg.norm(few.stored("features")["vector"].to_list(), axis=1) == pytest.approx(np.ones(12), abs=1e-5)
    few.checked(CLUSTERS)
    assert few.stored("clusters").group_by("tracklet_id").agg(pl.n_unique("cluster"))["cluster"].to_list() == [1] * 3


def test_a_recipe_is_chosen_by_name_and_changed_in_single_steps(tmp_path: Path) -> None:
    few = Vectors(tmp_path, matrix(200))
    for asset in FITTED:
        assert few.checked(asset).passed

    def made(**config: object) -> dict:
        few.checked(CLUSTERS, **config)
        return json.loads(few.stored("clusters")["recipe"][0])

    assert made(recipe="notebook") == asdict(NOTEBOOK)
    assert few.stored("clusters")["position"].list.len().to_list() == few.stored("pca")["vector"].list.len().to_list()
    assert made(k=5, space="features") == asdict(replace(at_k(DEFAULT, 5), space="features"))
    table = few.stored("clusters")
    assert table["cluster"].n_unique() == 5
    # By hand: the distance to the mean of the places of the cluster's tracklets.
    own = table.filter(pl.col("cluster") == 0).unique("tracklet_id")
    places = np.array(own["position"].to_list())
    apart = np.linalg.norm(places - places.mean(axis=0), axis=1)
    assert own["distance_to_centre"].to_numpy() == pytest.approx(apart, abs=1e-5)
    assert made(units="crops", features="pca", grouping="dbscan", space="features", seed=7)["seed"] == 7
    noise = few.stored("clusters").filter(pl.col("cluster") == -1)
    assert noise.height and noise["distance_to_centre"].null_count() == noise.height


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


def test_fewer_rows_than_neighbors_take_all_the_others_with_a_warning(tmp_path: Path) -> None:
    few = Vectors(tmp_path, matrix(9))
    for asset in (*FITTED, CLUSTERS, KINDS):
        few.checked(asset)
    result = few.checked(UMAP)
    assert not result.passed and "n_neighbors_short = 7, allowed at most 0" in result.description
    assert few.stored("umap").height == 9


def test_vectors_that_are_projected_while_they_are_stored_say_how_far_they_are() -> None:
    ids, said = np.array([f"v{row // 5}/{row:06d}/000" for row in range(20)]), []
    table = vectors_table(EmbeddingBatch.from_rows(ids, matrix(20), "version"))
    frames = projected(EmbeddingStream.of_table(table.lazy(), None), lambda rows: rows[:, :2], said.append)
    for _ in range(2):  # a commit that another writer overtook asks for them again
        rows = pl.concat(frames)
        assert rows["detection_id"].to_list() == ids.tolist()
        assert rows["vector"].list.len().unique().to_list() == [2]
    assert [line.partition(",")[0] for line in said] == ["20 of 20 vectors projected and stored"] * 2


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
    for asset in FITTED:
        few.checked(asset)
    assert "n_missing_videos" not in (few.checked(CLUSTERS, k=3).description or "")
    few.instance.add_dynamic_partitions(VIDEOS.name, ["w"])
    few.embed("w")
    for asset in (CLUSTERS, SWEEP):
        result = few.checked(asset)
        assert not result.passed and "n_missing_videos = 1, allowed at most 0" in result.description
        assert result.metadata["missing_videos"].value == "w"
    few.checked(FEATURES)  # through the kept whitening
    assert "n_missing_videos" not in (few.checked(CLUSTERS, k=3).description or "")
    assert few.stored("clusters").height == 40


def test_a_video_of_older_vectors_is_missing_in_all_that_follows(tmp_path: Path) -> None:
    few = Vectors(tmp_path, matrix(20))
    few.instance.add_dynamic_partitions(VIDEOS.name, ["w"])
    few.embed("w")
    place = str(tmp_path / "tables" / "embeddings" / "embeddings_b")
    of_w = pl.col("video") == "w"
    mixed = pl.read_delta(place).with_columns(
        pl.when(of_w).then(pl.lit("older")).otherwise("vectors_version").alias("vectors_version")
    )
    mixed.write_delta(place, mode="overwrite")
    for asset in (*FITTED, CLUSTERS, KINDS, SWEEP, UMAP):
        assert few.checked(asset).metadata["missing_videos"].value == "w"


def test_a_sweep_from_above_its_end_is_refused() -> None:
    assert ClustersConfig(recipe="notebook", grouping="hdbscan").chosen().k is None
    with pytest.raises(ValueError, match="k = 9 with dbscan, which finds k itself"):
        ClustersConfig(grouping="dbscan", k=9)
    with pytest.raises(ValueError, match="k_from = 9 is above k_to = 4"):
        SweepConfig(k_from=9, k_to=4)


@pytest.mark.parametrize("config", [ClustersConfig, SweepConfig, UmapConfig])
def test_a_seed_that_scikit_learn_would_refuse_is_refused_at_launch(config: type) -> None:
    assert config(seed=2**32 - 1).seed == 2**32 - 1
    with pytest.raises(ValueError, match="less than or equal to 4294967295"):
        config(seed=2**32)


def test_a_reduction_of_other_vectors_is_refused(tmp_path: Path) -> None:
    few = Vectors(tmp_path, matrix(20))
    for asset in (*FITTED, CLUSTERS, KINDS):
        few.checked(asset)
    of_pca = {"ops": {UMAP.node_def.name: {"config": {"space": "pca"}}}}
    for model, reader, knobs in ((PCA, UMAP, of_pca), (WHITENING, FEATURES, {})):
        name = model.key.to_user_string().removesuffix("_b")
        place = str(tmp_path / "tables" / "features" / f"{name}_b")
        older = pl.read_delta(place).with_columns(pl.lit("older").alias("vectors_version"))
        older.write_delta(place, mode="overwrite")
        with pytest.raises(ValueError, match=f"materialise {name} first"):
            few.make(reader.key, run_config=knobs)
