"""Kinds over nights: real runs, real tables, read back outside the IO manager."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl
import pytest

from megafish_assets.clusters.assets import stability_asset
from megafish_assets.clusters.columns import CLUSTERS, KIND_EVENTS, KIND_TREE, KINDS
from megafish_assets.clusters.kind_assets import kind_tree_asset, kinds_asset
from megafish_assets.clusters.recipes import DEFAULT, Grouped, at_k
from megafish_assets.clusters.tables import clusters_table
from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.embeddings.tables import vectors_table
from megafish_assets.orchestration.policy import grouped
from megafish_assets.reporting.figures import Figures
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.delta import Table
from megafish_assets.storage.io_manager import GpuDeltaLakeIOManager

KINDS_ASSET, STABILITY_ASSET, TREE_ASSET = kinds_asset("b"), stability_asset("b"), kind_tree_asset("b")
RECIPE = at_k(DEFAULT, 3)
N_CROPS_A_TRACKLET = 2


class Nights:
    """A collection whose clusters are given, night by night."""

    def __init__(self, root: Path) -> None:
        self.root, self.instance = root, dg.DagsterInstance.ephemeral()
        self.given = pl.DataFrame()

        @dg.asset(key="clusters_b")
        def clusters() -> pl.DataFrame:
            return self.given

        @dg.asset(key="features_b")
        def features() -> EmbeddingBatch:
            return self.vectors

        pca = dg.AssetSpec("pca_b", metadata={"schema": "features"})
        assets = grouped("clusters", [clusters, KINDS_ASSET, STABILITY_ASSET, TREE_ASSET])
        self.assets = [*assets, *grouped("features", [features]), pca]
        self.resources = {
            "io_manager": GpuDeltaLakeIOManager(root_uri=str(root / "tables"), device="cpu"),
            "figures": Figures(folder=str(root / "figures")),
            "tables": Tables(root=str(root / "tables")),
        }

    def see(self, labels: np.ndarray, kinds: np.ndarray) -> None:
        """Stores a fit of tracklets in these clusters, whose features are those of these kinds, over six videos."""
        n = len(labels) * N_CROPS_A_TRACKLET
        units = np.arange(n) // N_CROPS_A_TRACKLET
        ids = np.array([f"v{unit % 6}/{unit:06d}/{row % 2:03d}" for row, unit in enumerate(units)], dtype=object)
        tracklets = np.array([f"v{unit % 6}/t{unit:05d}" for unit in units], dtype=object)
        rows = np.random.default_rng(0).normal(0, 0.05, (n, 4)) + np.eye(4)[kinds[units]]
        rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        self.vectors = EmbeddingBatch.from_rows(ids, rows, "version")
        means = rows.reshape(len(labels), N_CROPS_A_TRACKLET, -1).mean(axis=1)
        found = Grouped(labels[units], None, means, units, "features")
        self.given = clusters_table(ids, tracklets, found, RECIPE)
        assert set(self.given.columns) == set(CLUSTERS)
        for room, name in (("embeddings", "embeddings_b"), ("features", "pca_b")):
            Table(str(self.root / "tables" / room / name)).replace(vectors_table(self.vectors))

    def make(self, *names: str, **config: object) -> dg.ExecuteInProcessResult:
        knobs = {"ops": {"stability_b": {"config": config}}} if config else {}
        keys = [dg.AssetKey(name) for name in names]
        return dg.materialize(
            self.assets, selection=keys, instance=self.instance, resources=self.resources, run_config=knobs
        )

    def night(self, labels: np.ndarray, kinds: np.ndarray | None = None) -> dg.AssetCheckEvaluation:
        """What the check says of the kinds of these clusters."""
        self.see(labels, np.maximum(labels, 0) if kinds is None else kinds)
        result = self.make("clusters_b", "features_b", "kinds_b", "kind_events_b")
        return result.get_asset_check_evaluations()[0]

    def stored(self, name: str) -> pl.DataFrame:
        return pl.read_delta(str(self.root / "tables" / "clusters" / name))


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(tmp_path)


FIRST = np.repeat([0, 1, 2], [12, 9, 6])
RENUMBERED = np.repeat([2, 0, 1], [12, 9, 6])


def test_kinds_keep_their_numbers_over_three_nights_and_every_fit_stays_stored(nights: Nights) -> None:
    for labels in (FIRST, RENUMBERED, np.append(RENUMBERED, [3] * 5)):
        assert nights.night(labels).passed
    kinds, events = nights.stored("kinds_b").sort("fitted_at", "unit_id"), nights.stored("kind_events_b")
    assert {name: column.dtype for name, column in KINDS.items()} == dict(kinds.schema)
    assert {name: column.dtype for name, column in KIND_EVENTS.items()} == dict(events.schema)
    by_fit = kinds.partition_by("fit_version", maintain_order=True)
    assert [rows.height for rows in by_fit] == [27, 27, 32]
    assert [rows["is_latest"].unique().to_list() for rows in by_fit] == [[False], [False], [True]]
    first_kinds = (FIRST + 1).tolist()
    assert [rows["kind_id"].to_list() for rows in by_fit] == [
        [kind for _, kind in sorted(zip(rows_of(len(labels)), numbers, strict=True))]
        for labels, numbers in ((FIRST, first_kinds), (FIRST, first_kinds), (range(32), [*first_kinds, *[4] * 5]))
    ]
    counts = dict(events.group_by("event").len().iter_rows())
    assert counts == {"born": 4, "continued": 6}
    assert (nights.root / "figures" / "kinds_b" / "nights.png").is_file()


def rows_of(n: int) -> list[str]:
    return [f"v{unit % 6}/t{unit:05d}" for unit in range(n)]


def test_a_second_run_over_the_same_clusters_adds_no_fit_and_no_event(nights: Nights) -> None:
    nights.night(FIRST)
    kinds, events = nights.stored("kinds_b"), nights.stored("kind_events_b")
    nights.make("kinds_b", "kind_events_b")
    nights.night(FIRST)
    assert nights.stored("kinds_b").equals(kinds) and nights.stored("kind_events_b").equals(events)


def test_a_fit_that_a_label_mentions_is_kept_and_a_kind_that_it_names_is_given_to_no_other(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("megafish_assets.clusters.kind_fits.KEPT_FITS", 1)
    nights.night(FIRST)
    mentioned = nights.stored("kinds_b")["fit_version"][0]
    labels = pl.DataFrame({"fit_version": [mentioned, None], "kind_id": [2, 40]})
    Table(str(nights.root / "tables" / "labels" / "labels")).replace(labels)
    nights.night(RENUMBERED)
    nights.night(np.append(RENUMBERED, [3] * 5))
    kept = nights.stored("kinds_b")
    assert kept.filter(~pl.col("is_latest"))["fit_version"].unique().to_list() == [mentioned]
    assert sorted(kept.filter("is_latest")["kind_id"].unique()) == [1, 2, 3, 41]


def test_tracklets_of_other_ids_and_of_other_kinds_are_a_warning(nights: Nights) -> None:
    nights.night(FIRST)
    moved = nights.night(np.repeat([0, 1], [6, 21]))
    assert not moved.passed and "kept_kind_share" in moved.description
    nights.given = nights.given.with_columns(pl.format("other/{}", "tracklet_id").alias("tracklet_id"))
    result = nights.make("clusters_b", "kinds_b", "kind_events_b").get_asset_check_evaluations()[0]
    assert not result.passed and "shared_units_share = 0, allowed at least 0.5" in result.description


def test_a_tree_stands_beside_the_kinds_and_says_which_of_them_resamples_put_together(nights: Nights) -> None:
    # Clusters 0 and 3 are one kind, cut in two.
    labels = np.tile([0, 1, 2, 3], 12)
    nights.night(labels, np.where(labels == 3, 0, labels))
    nights.make("stability_b", n_resamples=20)
    nights.make("kind_tree_b")
    tree, version = nights.stored("kind_tree_b"), nights.stored("kinds_b")["fit_version"][0]
    assert {name: column.dtype for name, column in KIND_TREE.items()} == dict(tree.schema)
    assert tree["fit_version"].to_list() == [version] * 3 and tree["joint"].to_list() == [4, 5, 6]
    assert tree.row(0, named=True)["left"] == 0 and tree.row(0, named=True)["right"] == 3
    assert tree["overlap"][0] > 0.9 > 0.1 > tree["overlap"][1]
    assert tree["n_tracklets"].to_list() == [24, 36, 48] or tree["n_tracklets"].to_list() == [24, 24, 48]
    assert (nights.root / "figures" / "kind_tree_b" / "tree.png").is_file()


def test_a_tree_over_stability_or_kinds_of_an_older_fit_is_refused(nights: Nights) -> None:
    labels = np.tile([0, 1, 2], 12)
    nights.night(labels)
    nights.make("stability_b", n_resamples=20)
    nights.night(np.append(labels, 0))
    with pytest.raises(ValueError, match="materialise stability first"):
        nights.make("kind_tree_b")
    nights.see(labels[::-1].copy(), labels)
    nights.make("clusters_b", "features_b")
    for name in ("stability_b", "kind_tree_b"):
        with pytest.raises(ValueError, match="materialise kinds"):
            nights.make(name)


def test_times_are_of_the_world_and_to_the_microsecond(nights: Nights) -> None:
    before = datetime.now(UTC)
    nights.night(FIRST)
    (seen,) = nights.stored("kinds_b")["fitted_at"].unique()
    assert before <= seen <= datetime.now(UTC)
    assert nights.stored("kind_events_b")["fitted_at"].unique().to_list() == [seen]
