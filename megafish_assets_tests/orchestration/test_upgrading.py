"""A collection that the version before made, opened by this one.

`made_before.tar.xz` is a reef of two videos of 40 frames, made by that version's `python -m megafish_assets
materialise`, with `[quality] seed = 7` among its knobs; its recordings and the pictures in its history were left out.
"""

import json
import subprocess
import sys
import tarfile
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from megafish_assets.orchestration.upgrading import Move, _register, is_of_before
from megafish_assets.storage.catalog import Catalog
from megafish_assets_tests.conftest import REPOSITORY, bring_up_to_date, collection_environment

MOVED = {
    "embeddings/embeddings/reef_tiny": "embeddings/embeddings_reef_tiny",
    "clusters/pca/reef_tiny": "features/pca_reef_tiny",
    "clusters/pca_model/reef_tiny": "features/pca_reef_tiny_model",
    "clusters/whitening/reef_tiny": "features/whitening_reef_tiny",
    "clusters/features/reef_tiny": "features/features_reef_tiny",
    "clusters/umap/reef_tiny": "features/umap_reef_tiny",
    "clusters/kmeans_sweep/reef_tiny": "clusters/kmeans_sweep_reef_tiny",
    "clusters/clusters/reef_tiny": "clusters/clusters_reef_tiny",
    "clusters/clusters_model/reef_tiny": "clusters/clusters_reef_tiny_model",
    "clusters/stability/reef_tiny": "clusters/stability_reef_tiny",
    "clusters/quality/reef_tiny": "evaluation/confounders_reef_tiny",
    "atlas/montages/reef_tiny": "atlas/montages_reef_tiny",
    "atlas/league": "evaluation/leaderboard",
}

ROWS = [f"detections/{name}_detections" for name in ("raw", "filtered", "sampled")] + ["crops/crops"]
"""Tables whose columns have other names since, or more."""

RESTATED = [
    "abundance",
    "animals_gap",
    "behavior",
    "classes_reef_tiny",
    "crops",
    "explorer",
    "kind_tree_reef_tiny",
    "kinds_reef_tiny",
    "labels",
    "lens_places",
    "linked_tracklets",
    "moments",
    "montages_reef_tiny",
    "movements",
    "neighbors_reef_tiny",
    "not_fish",
    "place_reasons",
    "report",
    "review",
    "richness",
    "schools",
    "sightings",
    "small_detections",
    "small_embeddings_reef_tiny",
    "spreadsheet",
    "tracklet_motion",
    "words",
]
"""What that version did not make, and what this one makes from more: the sheets tell how many kinds there are."""

LEFT = """
import json, os
import dagster as dg
from megafish_assets.orchestration.home import chosen
settings = chosen(os.environ, own_collection=True)
from megafish_assets.definitions import defs
from megafish_assets.orchestration.materialise import asset_order
from megafish_assets.orchestration.policy import ON_REQUEST
from megafish_assets.orchestration.staleness import Collection
from megafish_assets.orchestration.sources import Inference
from megafish_assets.orchestration.summary import broken_checks
arrived = dict(Inference.of(settings).arrivals().videos.select("video", "fingerprint").iter_rows())
with dg.DagsterInstance.get() as instance:
    collection = Collection(defs.resolve_asset_graph(), instance, str(settings.catalog.tables), arrived)
    graph = defs.resolve_asset_graph()
    kept = [key for key in asset_order(defs) if not ON_REQUEST.items() <= graph.get(key).tags.items()]
    left = [key.to_user_string() for key in kept if list(collection.missing(key))]
    broken = [line.partition(":")[0] for line in broken_checks(collection, asset_order(defs))]
print(json.dumps({"left": left, "broken": broken}))
"""


@pytest.fixture
def made_before(tmp_path: Path) -> Path:
    with tarfile.open(Path(__file__).with_name("made_before.tar.xz")) as packed:
        packed.extractall(tmp_path, filter="data")
    return tmp_path / "made_before"


def command(root: Path, *words: str) -> subprocess.CompletedProcess:
    environment = collection_environment(root, backbones="reef_tiny")
    words = (sys.executable, *words)
    return subprocess.run(words, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=100)


def test_a_collection_of_before_is_refused_by_a_sentence_until_it_is_upgraded(made_before: Path) -> None:
    assert is_of_before(Catalog(made_before))
    for done in (bring_up_to_date(made_before), command(made_before, "-m", "megafish_assets", "up")):
        assert done.returncode == 1
        assert "was made by an earlier megafish" in done.stderr and "megafish_assets upgrade" in done.stderr


def test_an_upgraded_collection_has_the_same_rows_and_nothing_to_make(made_before: Path) -> None:
    tables = made_before / "tables"
    before = {new: pl.read_delta(str(tables / old)) for old, new in MOVED.items()}
    rows = {name: pl.read_delta(str(tables / name)) for name in ROWS}
    tracklets = pl.read_delta(str(tables / "detections" / "tracklets")).select("detection_id", "tracklet_id")
    done = command(made_before, "-m", "megafish_assets", "upgrade")
    assert done.returncode == 0, done.stderr
    for place, frame in before.items():
        assert pl.read_delta(str(tables / place)).equals(frame), place
    for name, frame in rows.items():
        expected = frame.rename({"video_id": "video_number"}, strict=False)
        if name in ("detections/sampled_detections", "crops/crops"):
            expected = expected.join(tracklets, on="detection_id")
        found = pl.read_delta(str(tables / name)).select(expected.columns).sort("detection_id")
        assert found.equals(expected.sort("detection_id")) and found.height, name
    assert not any((tables / old).exists() for old in MOVED)
    assert (made_before / "figures" / "pca_reef_tiny" / "cumulative_variance.png").is_file()
    assert (made_before / "megafish.toml").read_text() == "[confounders]\nseed = 7\n"
    found = json.loads(command(made_before, "-c", LEFT).stdout.splitlines()[-1])
    assert sorted(found["left"]) == RESTATED
    assert set(found["broken"]) == {
        "confounders_reef_tiny",
        "size_limits",
        "stability_reef_tiny",
        "whitening_reef_tiny",
    }
    with dg.DagsterInstance.from_config(str(made_before / "dagster")) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey("pca_reef_tiny")).asset_materialization
    assert event.metadata["cumulative_variance_file"].value.endswith("/figures/pca_reef_tiny/cumulative_variance.png")
    assert event.metadata["dagster/uri"].value.endswith("/tables/features/pca_reef_tiny")
    assert "have the names of this version" in command(made_before, "-m", "megafish_assets", "upgrade").stdout


def test_an_upgrade_that_was_stopped_half_way_goes_on(made_before: Path) -> None:
    in_the_way = made_before / "tables" / "features" / "umap_reef_tiny"
    in_the_way.mkdir(parents=True)
    done = command(made_before, "-m", "megafish_assets", "upgrade")
    assert done.returncode == 1 and "are both there: remove the one that is not wanted" in done.stderr
    in_the_way.rmdir()
    assert command(made_before, "-m", "megafish_assets", "upgrade").returncode == 0
    assert sorted(json.loads(command(made_before, "-c", LEFT).stdout.splitlines()[-1])["left"]) == RESTATED


def test_what_was_older_than_its_parents_is_left_to_be_made_again(tmp_path: Path) -> None:
    instance, old, new = dg.DagsterInstance.ephemeral(), dg.AssetKey(["embeddings", "b"]), dg.AssetKey("embeddings_b")
    crops = dg.AssetKey("crops")
    for key, video in ((crops, "v"), (crops, "w"), (old, "v"), (old, "w"), (crops, "v")):
        instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=video, metadata={"n": 1}))
    _register(instance, Move(old, new, tmp_path, []), [crops])
    assert instance.get_materialized_partitions(new) == {"w"}
    # A second try registers what the first had left.
    instance.report_runless_asset_event(dg.AssetMaterialization(old, partition="x"))
    _register(instance, Move(old, new, tmp_path, []), [crops])
    assert instance.get_materialized_partitions(new) == {"w", "x"}
    assert len(instance.fetch_materializations(new, limit=9).records) == 2
    whole, renamed = dg.AssetKey(["pca", "b"]), dg.AssetKey("pca_b")
    for key, video in ((whole, None), (old, "w")):
        instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=video))
    _register(instance, Move(whole, renamed, tmp_path, []), [old])
    assert instance.get_latest_materialization_event(renamed) is None
