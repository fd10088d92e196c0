"""The names of a small collection, made by Dagster into Delta tables."""

from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl
import pytest

from megafish_assets.embeddings.batch import EmbeddingBatch
from megafish_assets.features.tables import model_table
from megafish_assets.features.whitening import Whitening
from megafish_assets.labels.assets import ClassesConfig, classes_asset
from megafish_assets.labels.columns import CLASSES, NAME_NEXT
from megafish_assets.labels.current import labelled_tracklets
from megafish_assets.orchestration.policy import grouped
from megafish_assets.reporting.figures import Figures
from megafish_assets.storage.catalog import Tables
from megafish_assets.storage.io_manager import GpuDeltaLakeIOManager
from megafish_assets_tests.labels.fish import Clouds, words


class Collection:
    """One crop a tracklet of some clouds, with their clusters, and the asset that names them."""

    def __init__(self, root: Path, said: pl.DataFrame | None = None, **other: pl.DataFrame) -> None:
        self.root, self.fish = root, Clouds()
        self.units = self.fish.units()
        table = self.units.table
        ids = table["detection_id"]
        given = {
            "clusters_b": table.select("video", "detection_id", "cluster", "tracklet_id"),
            "crops": table.select(
                "video",
                "detection_id",
                width_px=pl.lit(40, pl.Int64),
                height_px=pl.lit(30, pl.Int64),
                clipped_share=pl.lit(0.0),
            ),
            "sampled_detections": table.select("video", "detection_id", score=pl.lit(0.9)),
            "features_b": EmbeddingBatch.from_rows(ids.to_numpy(), self.units.features, "version"),
            "embeddings_b": EmbeddingBatch.from_rows(ids.to_numpy(), self.units.features, "version"),
            "kinds_b": table.select("unit_id", kind_id=pl.col("cluster") + 1, is_latest=pl.lit(True)),
            "not_fish": table.select("video", "detection_id", reason=pl.lit(None, pl.String)),
            "words": spoken(said),
            "whitening_b": whitening(self.units.features.shape[1]),
        } | other
        rooms = {"clusters_b": "clusters", "crops": "crops", "sampled_detections": "detections"}
        rooms |= {"features_b": "features", "embeddings_b": "embeddings", "kinds_b": "clusters", "words": "labels"}
        rooms |= dict.fromkeys(("not_fish", "small_detections"), "detections")
        rooms |= {"small_crops": "crops", "small_embeddings_b": "embeddings", "whitening_b": "features"}
        self.assets = [*grouped("labels", [classes_asset("b", names_small=True)])]
        for name, rows in given.items():
            self.assets += grouped(rooms[name], [table_of(name, rows)])
        self.resources = {
            "io_manager": GpuDeltaLakeIOManager(root_uri=str(root / "tables"), device="cpu"),
            "tables": Tables(root=str(root / "tables")),
            "figures": Figures(folder=str(root / "figures")),
        }

    def made(self, **config: object) -> dg.AssetCheckEvaluation:
        """Makes everything; the result of the check."""
        knobs = {"ops": {"classes_b": {"config": config}}} if config else {}
        done = dg.materialize(self.assets, resources=self.resources, run_config=knobs)
        (result,) = done.get_asset_check_evaluations()
        return result

    def stored(self, name: str) -> pl.DataFrame:
        return pl.read_delta(str(self.root / "tables" / "labels" / name))

    def ids(self, kind: int, n: int) -> list[str]:
        return self.units.table.filter(cluster=kind)["tracklet_id"].to_list()[:n]


def whitening(dim: int, version: str = "version") -> pl.DataFrame:
    """One that changes nothing but lengths."""
    model = Whitening(np.zeros(dim), np.eye(dim), np.ones(dim), 100)
    return model_table(model.to_parts()).with_columns(vectors_version=pl.lit(version))


def small_fish(collection: Collection, version: str = "version") -> dict[str, pl.DataFrame | EmbeddingBatch]:
    """Tables of two small tracklets of kind 0, of two crops each, of one whose second crop was not cut, and of one that
    is in a cluster by now."""
    grouped_one = collection.ids(1, 1)[0]
    of = ["v0/t00900", "v0/t00900", "v1/t00901", "v1/t00901", "v2/t00902", "v2/t00902", grouped_one]
    ids = [f"{tracklet.split('/')[0]}/{900 + n:06d}/007" for n, tracklet in enumerate(of)]
    crops = pl.DataFrame(
        {
            "video": [tracklet.split("/")[0] for tracklet in of],
            "detection_id": ids,
            "tracklet_id": of,
            "width_px": [9, 12, 9, 12, 9, None, 9],
            "height_px": [9, 9, 9, 9, 9, None, 9],
            "clipped_share": [0.0] * 7,
            "fault": [None] * 5 + ["damaged", None],
        }
    )
    cut = crops.filter(pl.col("fault").is_null())["detection_id"].to_numpy()
    vectors = 3 * np.eye(collection.units.features.shape[1], dtype=np.float32)[[0, 0, 0, 0, 3, 0]]
    return {
        "small_detections": crops.select("video", "detection_id", score=pl.lit(0.5)),
        "small_crops": crops,
        "small_embeddings_b": EmbeddingBatch.from_rows(cut, vectors, version),
    }


def spoken(said: pl.DataFrame | None) -> pl.DataFrame:
    """The table `words` of tracklets, names and statuses; approved where none is given."""
    return labelled_tracklets(words() if said is None else said)


def table_of(name: str, rows: pl.DataFrame | EmbeddingBatch) -> dg.AssetsDefinition:
    @dg.asset(key=name)
    def table():
        return dg.MaterializeResult(value=rows)

    return table


def twelve_a_kind(collection: Collection) -> pl.DataFrame:
    return words(*[(unit, f"kind {k}", "approved") for k in range(4) for unit in collection.ids(k, 12)])


def test_without_a_label_nothing_is_named_nothing_is_wrong_and_it_says_where_to_begin(tmp_path: Path) -> None:
    few = Collection(tmp_path)
    result = few.made()
    assert result.passed and "begin with those of name_next" in result.metadata["hint"].value
    assert result.metadata["names"].value.startswith("0 names; 0 % of tracklets")
    classes, asked = few.stored("classes_b"), few.stored("name_next_b")
    assert classes.schema == {name: column.dtype for name, column in CLASSES.items()}
    assert classes.height == few.fish.n and set(classes["name_source"]) == {"unnamed"}
    assert asked.schema == {name: column.dtype for name, column in NAME_NEXT.items()}
    assert asked["reason"].head(4).to_list() == ["medoid"] * 4 and asked["rank"].to_list() == list(range(1, 41))
    assert (tmp_path / "figures" / "classes_b" / "label_budget.png").is_file()


def test_a_few_labels_name_all_and_the_check_says_how_well(tmp_path: Path) -> None:
    few = Collection(tmp_path, twelve_a_kind(Collection(tmp_path)).drop("status"))
    result = few.made(n_next=7)
    assert result.passed, result.description
    assert result.metadata["fold_macro_f1"].value == 1.0 and result.metadata["n_labels"].value == 48
    assert result.metadata["held_back_by"].value == "videos"
    assert (few.stored("classes_b").sort("unit_id")["name"].to_numpy() == few.fish.names).all()
    asked = few.stored("name_next_b")
    assert asked["reason"].to_list() == ["least_sure"] * 7
    named = few.stored("classes_b").filter(pl.col("name_source") == "person")["tracklet_id"]
    assert not asked["tracklet_id"].is_in(named.implode()).any()


def test_kinds_of_few_labels_and_labels_of_another_collection_are_told(tmp_path: Path) -> None:
    one = Collection(tmp_path).ids(0, 1)[0]
    few = Collection(tmp_path, pl.DataFrame({"tracklet_id": [one, "v/t99999"], "label": ["cod", "cod"]}))
    result = few.made()
    assert not result.passed and result.severity == dg.AssetCheckSeverity.WARN
    assert "n_kinds_of_few_labels = 1" in result.description and "n_labels_elsewhere = 1" in result.description
    assert "Too few labels" in result.metadata["hint"].value


def test_labels_kinds_and_what_is_no_fish_come_from_their_own_tables(tmp_path: Path) -> None:
    plain = Collection(tmp_path)
    table = plain.units.table
    other = {
        "words": spoken(
            words(*[(unit, "cod", "approved") for unit in plain.ids(0, 2)], (plain.ids(2, 1)[0], None, "unsure"))
        ),
        "kinds_b": table.select("unit_id", kind_id=pl.lit(5), is_latest=pl.lit(True)),
        # Ten of them, for every reason there is.
        "not_fish": table.filter(cluster=3).select(
            "video",
            "detection_id",
            reason=pl.when(pl.int_range(pl.len()) < 3)
            .then(pl.lit("fixed"))
            .when(pl.int_range(pl.len()) < 6)
            .then(pl.lit("wiper"))
            .when(pl.int_range(pl.len()) < 10)
            .then(pl.lit("on_lens")),
        ),
    }
    few = Collection(tmp_path, **other)
    few.made()
    classes = few.stored("classes_b")
    assert set(classes["kind_id"]) == {5}
    assert classes.filter(pl.col("name") == "not a fish").height == 10
    # All are of one kind here, whose two labels are cod; where nobody could tell it stays unnamed.
    assert classes.filter(pl.col("name_source") == "unnamed")["tracklet_id"].to_list() == plain.ids(2, 1)
    assert classes.filter(pl.col("name") == "cod").height == few.fish.n - 11


@pytest.mark.parametrize("config", [{"named_from": 0.4}, {"named_from": 1.0}, {"n_next": 0}])
def test_knobs_out_of_bounds_are_refused(config: dict) -> None:
    with pytest.raises(ValueError, match=r"greater than|less than"):
        ClassesConfig(**config)


def test_the_names_do_not_depend_on_where_they_are_read_from(tmp_path: Path) -> None:
    said = twelve_a_kind(Collection(tmp_path))
    tables = []
    for place, rows in (("a", said), ("b", said.sample(fraction=1.0, shuffle=True, seed=5))):
        (tmp_path / place).mkdir()
        few = Collection(tmp_path / place, rows)
        few.made()
        tables.append(few.stored("classes_b").sort("unit_id"))
    assert tables[0].equals(tables[1])
    assert tables[0]["probability"].null_count() == 0


def test_tracklets_too_small_for_a_cluster_are_named_and_asked_for_like_the_others(tmp_path: Path) -> None:
    plain = Collection(tmp_path)
    few = Collection(tmp_path, twelve_a_kind(plain), **small_fish(plain))
    result = few.made()
    assert result.passed, result.description
    classes = few.stored("classes_b")
    small = classes.filter(pl.col("cluster").is_null()).sort("unit_id")
    assert small["tracklet_id"].to_list() == ["v0/t00900", "v1/t00901", "v2/t00902"]
    assert small["name"].to_list() == ["kind 0", "kind 0", "kind 3"]
    assert set(small["name_source"]) == {"classified"} and small["kind_id"].null_count() == 3
    assert small["detection_id"].to_list() == ["v0/000901/007", "v1/000903/007", "v2/000904/007"]  # the larger of each
    assert classes.height == few.fish.n + 3 and classes["unit_id"].is_unique().all()
    others = classes.filter(pl.col("cluster").is_not_null()).sort("unit_id")
    assert others["name"].to_list() == few.fish.names.tolist()
    assert few.stored("name_next_b").filter(reason="small").height == 3


def test_a_name_that_a_person_gave_a_small_fish_teaches_what_others_are(tmp_path: Path) -> None:
    plain = Collection(tmp_path)
    said = pl.concat([twelve_a_kind(plain), words(("v0/t00900", "fry", "approved"))])
    few = Collection(tmp_path, said, **small_fish(plain))
    few.made()
    classes = few.stored("classes_b")
    assert classes.filter(unit_id="v0/t00900").select("name", "name_source").row(0) == ("fry", "person")
    assert classes.filter(unit_id="v1/t00901")["nearest_labelled"].item() == "v0/t00900"


def test_a_crop_that_is_grouped_by_now_is_not_small_whatever_was_embedded(tmp_path: Path) -> None:
    plain = Collection(tmp_path)
    small = small_fish(plain)
    grouped_now = plain.units.table["detection_id"][0]
    rename = {"v0/000900/007": grouped_now}
    for name in ("small_detections", "small_crops"):
        small[name] = small[name].with_columns(pl.col("detection_id").replace(rename))
    vectors = small["small_embeddings_b"]
    ids = [rename.get(name, name) for name in vectors.detection_ids.tolist()]
    small["small_embeddings_b"] = EmbeddingBatch.from_rows(np.array(ids), vectors.on_cpu(), "version")
    few = Collection(tmp_path, twelve_a_kind(plain), **small)
    few.made()
    classes = few.stored("classes_b")
    assert classes["unit_id"].is_unique().all() and classes.height == few.fish.n + 3


@pytest.mark.parametrize("stored", ["of other weights", "none yet"])
def test_names_are_given_without_small_crops(tmp_path: Path, stored: str) -> None:
    plain = Collection(tmp_path)
    small = small_fish(plain, version="of other weights") if stored == "of other weights" else {}
    few = Collection(tmp_path, twelve_a_kind(plain), **small)
    few.made()
    assert few.stored("classes_b").height == few.fish.n
